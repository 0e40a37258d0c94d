//! Tells why there is no daemon, where it cannot even begin.

use std::time::Duration;

use super::mqtt::{self, Publication, connection};

/// How long the broker may take; an end with the right exit status is worth more than the word.
const PATIENCE: Duration = Duration::from_secs(5);

/// Publishes that the daemon failed and why as its state, where the broker can be had now.
pub fn tell_failure(options: &mqtt::Options, reason: &str) {
    let Ok(runtime) = super::runtime() else {
        return;
    };
    let state = Publication::text(options.topics.state(), format!("failed: {reason}")).retained();
    let told = runtime.block_on(async {
        tokio::time::timeout(PATIENCE, connection::publish_alone(options, &state)).await
    });
    match told {
        Ok(Ok(())) => tracing::debug!("The broker knows why we do not start."),
        Ok(Err(error)) => tracing::warn!(error, "The broker cannot be told why we do not start."),
        Err(_) => tracing::warn!("The broker takes too long to be told why we do not start."),
    }
}
