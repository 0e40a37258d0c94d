//! A broker inside the process, on loopback, so that nothing else has to be installed: rumqttd, fenced in.
//!
//! It is volatile: messages, sessions and retained messages are gone when the process ends. It is meant for one board
//! and a few clients. One port serves MQTT 3.1.1 and MQTT 5 clients (`either_version`).
//!
//! What rumqttd 0.20 does not do, found by reading and by test: it ignores a client's receive maximum and maximum packet
//! size, quality of service is the subscription's whatever the publisher's was, a message sent again after a reconnect
//! is not marked as such, shared subscriptions and names of one's own for topics ("aliases") are unsafe and refused here,
//! an empty payload clears a retained message even without the retain flag, and a name of a client or a topic once seen
//! stays in memory. Message expiry, response topic, correlation data, content type, retained messages and last wills
//! work between all clients (3.1.1 clients see no properties).

mod either_version;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use rumqttd::{ConnectionSettings, LinkType, Router, RouterConfig, Server, ServerSettings};
use tokio::sync::oneshot;

use either_version::EitherVersion;

/// The target of the broker's own log lines, which are many; a log filter should keep them out unless asked for.
pub const LOG_TARGET: &str = "rumqttd";

/// Connections at once.
const CONNECTIONS_MAX: usize = 256;

/// Bytes of messages kept for each topic filter that lagging subscribers catch up from, twice.
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

/// How the broker is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The port on loopback; 0 takes any that is free.
    pub port: u16,
    /// What to do where the port is taken.
    pub on_busy_port: BusyPort,
    /// Largest packet taken; a client that sends a larger one is disconnected.
    pub packet_bytes_max: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 1883,
            on_busy_port: BusyPort::Fail,
            packet_bytes_max: 1024 * 1024,
        }
    }
}

/// What to do where the port is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusyPort {
    /// Say so.
    Fail,
    /// Take any other.
    TakeAnother,
}

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The port cannot be had.
    #[error("the embedded broker cannot listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// Why it cannot.
        source: io::Error,
    },
    /// It did not start.
    #[error("the embedded broker did not start: {0}")]
    Start(String),
}

/// A running broker; it stops when dropped.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    /// Dropped to stop.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// Starts a broker on a thread of its own and waits until it listens.
    ///
    /// # Errors
    /// If the port is taken and no other may be, or a thread cannot be had.
    pub fn start(options: &Options) -> Result<Self, BrokerError> {
        let address = free_address(options)?;
        let packet_bytes_max = options.packet_bytes_max;
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = channel();
        let thread = std::thread::Builder::new()
            .name("broker".to_owned())
            .spawn(move || serve(address, packet_bytes_max, stopped, &tell))
            .map_err(|error| BrokerError::Start(error.to_string()))?;
        told.recv()
            .unwrap_or_else(|_| Err("its thread ended".to_owned()))
            .map_err(BrokerError::Start)?;
        tracing::info!(%address, "Embedded broker listening; it keeps nothing over a restart.");
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::warn!("The embedded broker's thread panicked.");
        }
    }
}

/// Finds where to listen; what is free now is taken a moment later.
fn free_address(options: &Options) -> Result<SocketAddr, BrokerError> {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let bound = TcpListener::bind(wanted).or_else(|error| match options.on_busy_port {
        BusyPort::TakeAnother => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)),
        BusyPort::Fail => Err(error),
    });
    bound
        .and_then(|listener| listener.local_addr())
        .map_err(|source| BrokerError::Listen {
            address: wanted,
            source,
        })
}

fn serve(
    address: SocketAddr,
    packet_bytes_max: u32,
    stopped: oneshot::Receiver<()>,
    tell: &Sender<Result<(), String>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            // Where nobody listens any more there is nobody to tell.
            tell.send(Err(error.to_string())).ok();
            return;
        }
    };
    let router = Router::new(0, router_config()).spawn();
    let settings = server_settings(address, packet_bytes_max);
    let mut server = Server::new(settings, router, EitherVersion::new(packet_bytes_max));
    runtime.block_on(async {
        let serving = server.start(LinkType::Remote);
        tokio::pin!(serving);
        // The first poll binds the port: either it fails at once or the broker listens.
        tokio::select! {
            biased;
            outcome = &mut serving => {
                let reason = outcome.err().map_or_else(String::new, |error| error.to_string());
                tell.send(Err(reason)).ok();
                return;
            }
            () = std::future::ready(()) => tell.send(Ok(())).ok(),
        };
        tokio::select! {
            outcome = &mut serving => tracing::error!(?outcome, "The embedded broker ended."),
            _ = stopped => {}
        }
    });
}

fn router_config() -> RouterConfig {
    RouterConfig {
        max_connections: CONNECTIONS_MAX,
        max_outgoing_packet_count: 200,
        max_segment_size: SEGMENT_BYTES,
        max_segment_count: 2,
        // All topics match this one, so that none needs a log of its own while nobody is subscribed to it.
        initialized_filters: Some(vec!["#".to_owned()]),
        ..RouterConfig::default()
    }
}

fn server_settings(address: SocketAddr, packet_bytes_max: u32) -> ServerSettings {
    ServerSettings {
        name: "broker".to_owned(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 0,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: packet_bytes_max as usize,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_an_error_or_gives_way() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let options = Options {
            port,
            ..Options::default()
        };
        let error = Broker::start(&options).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!(
                "the embedded broker cannot listen on 127.0.0.1:{port}: "
            )),
            "{error}"
        );
        let options = Options {
            on_busy_port: BusyPort::TakeAnother,
            ..options
        };
        assert_ne!(Broker::start(&options).unwrap().address().port(), port);
    }
}
