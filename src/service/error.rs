//! What goes wrong: a request's fault goes back to its asker with a stable code, ours stops the daemon.

use serde::{Deserialize, Serialize};

/// Why a request was not answered; the word a client may build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request cannot be understood or asks for what does not exist.
    BadRequest,
    /// The payload, the prompt or the answer is longer than a limit.
    TooLarge,
    /// Too many prompts wait already.
    QueueFull,
    /// The deadline passed before the prompt's turn came.
    Expired,
    /// It was cancelled before its turn came.
    Cancelled,
    /// The id was used for another prompt before.
    Conflict,
    /// The daemon is stopping, or has no model now.
    ModelUnavailable,
    /// The client asks more often than it may.
    Throttled,
    /// The board's memory does not suffice.
    OutOfMemory,
    /// The board's disk is full.
    StorageFull,
    /// Our fault.
    Internal,
}

impl Code {
    /// One line for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request cannot be understood",
            Self::TooLarge => "Too large",
            Self::QueueFull => "Too many prompts are waiting",
            Self::Expired => "The deadline passed before its turn came",
            Self::Cancelled => "Cancelled before its turn came",
            Self::Conflict => "This id was used for another prompt",
            Self::ModelUnavailable => "The model is not available now",
            Self::Throttled => "Asked too often",
            Self::OutOfMemory => "Out of memory",
            Self::StorageFull => "The storage is full",
            Self::Internal => "Internal error",
        }
    }
}

/// A refusal as the asker sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.title())]
pub struct RequestError {
    /// The stable code.
    pub code: Code,
    /// What was found and what was expected.
    pub detail: String,
    /// When it is worth asking again.
    pub retry_after_s: Option<u64>,
}

impl RequestError {
    /// A refusal without advice on when to ask again.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    /// A request that cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }
}

/// Why the daemon stopped or did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// A setting of this level cannot be used.
    #[error("{0}")]
    Options(String),
    /// The runtime, a thread or a signal handler could not be had from the system.
    #[error("cannot start {what}: {source}")]
    Start {
        /// What could not be started.
        what: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The model failed and could not be loaded anew.
    #[error("the model is lost: {reason}")]
    ModelLost {
        /// Why loading it anew failed.
        reason: String,
    },
    /// The store cannot be opened.
    #[error(
        "cannot keep prompts in {}: {reason}; it is what store.directory says, or \"off\" to keep nothing",
        directory.display()
    )]
    Store {
        /// Where it is.
        directory: std::path::PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The store could not be written to any more.
    #[error("the store failed: {reason}")]
    StoreFailed {
        /// What the system says.
        reason: String,
    },
    /// The thread that writes the store ended by itself.
    #[error("the store's thread ended unexpectedly")]
    StoreGone,
    /// The task that keeps the connection ended by itself.
    #[error("the connection's task ended unexpectedly")]
    ConnectionGone,
    /// The thread that owns the model ended by itself.
    #[error("the worker thread ended unexpectedly")]
    WorkerGone,
}
