//! The service with a scripted model, in a thread of the test.

use std::thread::JoinHandle;
use std::time::Duration;

use thinkd::service::mqtt::{BackoffLimits, Topics};
use thinkd::service::{Options, ServiceError, Stopper, run_until, stop_pair};

use super::broker::TestBroker;
use super::scripted::{Asked, Scripted};

/// What the tests' daemon is called.
pub(crate) const DEVICE: &str = "oven";

pub(crate) struct Daemon {
    stopper: Stopper,
    thread: Option<JoinHandle<Result<(), ServiceError>>>,
    pub(crate) asked: Asked,
}

impl Daemon {
    pub(crate) fn start(broker: &TestBroker) -> Self {
        Self::with(broker, |_| ())
    }

    /// Starts with changed options.
    pub(crate) fn with(broker: &TestBroker, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = options(broker.port());
        options.mqtt.is_volatile = broker.is_volatile();
        change(&mut options);
        let asked = Asked::default();
        let (answerer, rebuild) = (Scripted::boxed(&asked), Scripted::rebuild(&asked));
        let (stopper, signal) = stop_pair();
        let thread = std::thread::spawn(move || run_until(options, answerer, rebuild, signal));
        Self {
            stopper,
            thread: Some(thread),
            asked,
        }
    }

    /// Asks to stop, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.stopper.stop();
    }

    /// Stops and waits for the end.
    pub(crate) fn stop(mut self) -> Result<(), ServiceError> {
        self.stopper.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stopper.stop();
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

pub(crate) fn options(port: u16) -> Options {
    let mut options = Options::default();
    options.mqtt.port = port;
    options.mqtt.client_id = format!("thinkd-{DEVICE}");
    options.mqtt.topics = topics();
    options.mqtt.backoff = BackoffLimits {
        first: Duration::from_millis(20),
        most: Duration::from_millis(200),
    };
    options.drain = Duration::from_secs(5);
    options.model.name = "scripted".to_owned();
    options
}

pub(crate) fn topics() -> Topics {
    Topics::for_device(DEVICE).unwrap()
}
