//! The daemon's work: prompts come over MQTT, wait their turn, are answered by one thread, and go back.
//!
//! ```text
//! mqtt::connection ──▶ lifecycle ──▶ desk ──▶ queue ──▶ worker (the thread that owns the model)
//!        ▲                            │ ▲                  │
//!        └── inbox, outbox ◀──────────┘ └── events ◀───────┘
//!                                     │ ▲
//!                             ledger ──▶ store (the thread that writes the disk)
//! ```
//! The desk and what it keeps (queue, sessions, inbox, outbox, answered, ledger, stream, status) are plain state machines;
//! I/O and time are in `lifecycle`, `store` and `mqtt::connection`. [`run`] starts all of it and says in which order it
//! stops.

mod answered;
mod answerer;
mod attempts;
mod board;
#[cfg(feature = "embedded-broker")]
pub mod broker;
mod clock;
mod desk;
mod error;
mod failure;
mod fingerprint;
mod home_assistant;
mod inbox;
mod job;
mod ledger;
mod lifecycle;
mod measured;
mod metrics;
pub mod mqtt;
mod options;
mod outbox;
mod ping;
mod priority;
mod queue;
mod rates;
mod sessions;
mod status;
mod store;
mod stream;
pub mod systemd;
mod worker;

use tokio::signal::unix::{SignalKind, signal};

pub use answerer::{AnswerError, AnswerEvent, Answerer, Rebuild};
pub use error::{Code, RequestError, ServiceError};
pub use failure::tell_failure;
pub use lifecycle::{StopSignal, Stopper, stop_pair};
pub use options::{AnsweredLimits, ModelInfo, Options, QueueLimits};
pub use priority::Priority;
pub use sessions::{SessionLimits, SessionName};

use lifecycle::Keeper;
use worker::Worker;

/// Answers prompts until SIGTERM or SIGINT, then finishes what is under way and leaves.
///
/// # Errors
/// If the options contradict each other, the system refuses a thread or a signal handler, or the model is lost.
pub fn run(
    options: Options,
    answerer: Box<dyn Answerer>,
    rebuild: Rebuild,
) -> Result<(), ServiceError> {
    let (stopper, stop) = stop_pair();
    let runtime = runtime()?;
    let _guard = runtime.enter();
    let start = |source| ServiceError::Start {
        what: "the signal handlers",
        source,
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(start)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(start)?;
    runtime.spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => stopper.stop(),
                _ = interrupt.recv() => stopper.stop(),
            }
        }
    });
    run_on(&runtime, options, (answerer, rebuild), stop)
}

/// Answers prompts until `stop`; takes no signals.
///
/// # Errors
/// As [`run`].
pub fn run_until(
    options: Options,
    answerer: Box<dyn Answerer>,
    rebuild: Rebuild,
    stop: StopSignal,
) -> Result<(), ServiceError> {
    run_on(&runtime()?, options, (answerer, rebuild), stop)
}

fn runtime() -> Result<tokio::runtime::Runtime, ServiceError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| ServiceError::Start {
            what: "the event loop",
            source,
        })
}

fn run_on(
    runtime: &tokio::runtime::Runtime,
    options: Options,
    (answerer, rebuild): (Box<dyn Answerer>, Rebuild),
    stop: StopSignal,
) -> Result<(), ServiceError> {
    options.validate()?;
    let keeper = Keeper::open(options.store_directory.as_deref())?;
    let (worker, events) = Worker::start(answerer, rebuild)?;
    tracing::debug!(streams = worker.streams(), "The worker has begun.");
    runtime.block_on(lifecycle::serve(options, keeper, (worker, events), stop))
}
