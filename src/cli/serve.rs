//! `thinkd serve`: the daemon.

use std::path::PathBuf;
use std::time::Instant;

use tracing::{info, warn};

use super::args::{MqttArgs, SettingsArgs};
use super::embedded::OnBusyPort;
use super::failure::{Failure, Outcome};
use super::{embedded, loading, logging, settings};
use crate::config::{Broker, Config};
use crate::service::{self, Answerer, Rebuild};

/// Loads the model, starts the embedded broker where it is wanted, and answers until it is told to stop.
pub(super) fn run(args: &SettingsArgs, mqtt: &MqttArgs) -> Outcome {
    let start = Instant::now();
    let config = settings::load(args, mqtt, Vec::new())?;
    logging::start(config.log);
    for reason in &config.warnings {
        warn!(reason, "A setting is worth a second look.");
    }
    let is_heard = matches!(config.mqtt.broker, Broker::Remote { .. });
    let mqtt = config.mqtt_options();
    serve(config, start).inspect_err(|failure| {
        // All else the service has told itself.
        if is_heard && matches!(failure, Failure::Settings(_)) {
            service::tell_failure(&mqtt, &failure.to_string());
        }
    })
}

fn serve(config: Config, start: Instant) -> Outcome {
    let directory = settings::model_directory(&config)?;
    info!(
        version = env!("CARGO_PKG_VERSION"),
        model = %directory.display(),
        broker = %config.mqtt.broker,
        "Starting."
    );
    let loaded = loading::with_signs_of_life(|| loading::load(&config, &directory))?;
    info!(
        model = loaded.info.name,
        architecture = loaded.info.architecture,
        layers = loaded.info.layers,
        weight_bytes = loaded.info.weight_bytes,
        kv_cache_bytes = loaded.info.kv_cache_bytes,
        context_tokens = loaded.info.context_tokens,
        streams = loaded.info.lanes,
        kernels = loaded.info.kernels,
        threads = loaded.info.threads,
        packed = %loaded.info.packed,
        weights_in_memory = loaded.info.weights_in_memory,
        seconds = start.elapsed().as_secs_f64(),
        "Model loaded."
    );
    let mut options = config.service_options(&loaded.info, &loaded.suggested);
    let broker = embedded::start(&config, OnBusyPort::Fail)?;
    if let Some(broker) = &broker {
        embedded::connect(&mut options, broker);
    }
    if options.store_directory.is_none() {
        warn!("Prompts and answers are kept nowhere; store.directory says where they could be.");
    }
    let rebuild = rebuild(config, directory);
    service::run(options, Box::new(loaded.engine), rebuild).map_err(Failure::service)?;
    info!("Stopped.");
    Ok(())
}

/// Loads the model anew when the engine has panicked.
pub(super) fn rebuild(config: Config, directory: PathBuf) -> Rebuild {
    Box::new(move || match loading::load(&config, &directory) {
        Ok(loaded) => Ok(Box::new(loaded.engine) as Box<dyn Answerer>),
        Err(failure) => Err(failure.to_string()),
    })
}
