//! The broker inside, where this build has it.

pub(super) use inside::{Broker, start};

use crate::service;

/// What to do where another program listens on the configured port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnBusyPort {
    /// Say so: whoever asks for that port would reach the other program.
    Fail,
    /// Take any other port.
    TakeAnother,
}

/// Lets the daemon connect to it.
pub(super) fn connect(options: &mut service::Options, broker: &Broker) {
    options.mqtt.host = broker.address().ip().to_string();
    options.mqtt.port = broker.address().port();
    options.mqtt.is_volatile = true;
}

#[cfg(feature = "embedded-broker")]
mod inside {
    use anyhow::Context;

    use super::OnBusyPort;
    use crate::cli::failure::Outcome;
    use crate::config::{self, Config};
    use crate::service::broker::{BusyPort, Options};

    pub(in crate::cli) use crate::service::broker::Broker;

    /// Starts it, where the settings want it.
    pub(in crate::cli) fn start(config: &Config, on_busy: OnBusyPort) -> Outcome<Option<Broker>> {
        let config::Broker::Embedded { port } = config.mqtt.broker else {
            return Ok(None);
        };
        let options = Options {
            port,
            on_busy_port: match on_busy {
                OnBusyPort::Fail => BusyPort::Fail,
                OnBusyPort::TakeAnother => BusyPort::TakeAnother,
            },
            packet_bytes_max: config.packet_bytes_max(),
        };
        Ok(Some(Broker::start(&options).context("embedded broker")?))
    }
}

#[cfg(not(feature = "embedded-broker"))]
mod inside {
    use std::net::SocketAddr;

    use super::OnBusyPort;
    use crate::cli::failure::Outcome;
    use crate::config::Config;

    /// There is none in this build.
    #[derive(Debug)]
    pub(in crate::cli) enum Broker {}

    impl Broker {
        pub(in crate::cli) fn address(&self) -> SocketAddr {
            match *self {}
        }
    }

    /// Starts nothing: a configuration that wants the embedded broker has been refused.
    pub(in crate::cli) fn start(_: &Config, _: OnBusyPort) -> Outcome<Option<Broker>> {
        Ok(None)
    }
}
