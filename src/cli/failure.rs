//! How a command can fail, and what the shell is told.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::engine::EngineError;
use crate::model::ModelError;
use crate::service::ServiceError;

/// Why a command ended without success.
#[derive(Debug)]
pub(super) enum Failure {
    /// The settings or the model directory are at fault: exit status 78.
    Settings(anyhow::Error),
    /// Anything else: exit status 1.
    Other(anyhow::Error),
}

/// What commands give back.
pub(super) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// The model directory is at fault.
    pub(super) fn model(error: ModelError) -> Self {
        Self::Settings(error.into())
    }

    /// What the model directory says cannot be used.
    pub(super) fn engine(error: EngineError) -> Self {
        Self::Settings(error.into())
    }

    /// The daemon ended.
    pub(super) fn service(error: ServiceError) -> Self {
        match error {
            ServiceError::Options(_) | ServiceError::Store { .. } => Self::Settings(error.into()),
            _ => Self::Other(error.into()),
        }
    }

    /// Tells it on standard error, one line a mistake, and gives the exit status.
    pub(super) fn report(&self) -> ExitCode {
        let status = match self {
            Self::Settings(_) => EX_CONFIG,
            // Whoever read our output has seen enough, as `head` has.
            Self::Other(error) if is_broken_pipe(error) => return ExitCode::SUCCESS,
            Self::Other(_) => 1,
        };
        let mut text = String::new();
        for line in self
            .to_string()
            .lines()
            .filter(|line| !line.trim().is_empty())
        {
            text.push_str("thinkd: error: ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        // Where standard error is closed there is nobody left to tell.
        io::stderr().write_all(text.as_bytes()).ok();
        ExitCode::from(status)
    }
}

/// As it is reported, without the prefix.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Settings(error) | Self::Other(error)) = self;
        write!(f, "{error:#}")
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Settings(error.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Settings at fault, as sysexits.h numbers it; the systemd unit does not start it again.
const EX_CONFIG: u8 = 78;
