//! What the service can be told. Every field has a default that works; `config` fills them in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::error::ServiceError;
use super::mqtt;
use super::sessions::SessionLimits;

/// All settings of the service.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker, our name there, and what we send and take.
    pub mqtt: mqtt::Options,
    /// How much may wait.
    pub queue: QueueLimits,
    /// How many prompts a minute each client may ask; as many as it likes where there is no limit.
    pub prompts_per_minute_max: Option<u32>,
    /// What a request may be, and what holds where it does not say.
    pub requests: mqtt::RequestRules,
    /// How many answers are kept for those who ask again with the same id.
    pub answered: AnsweredLimits,
    /// Where prompts and answers are kept; nowhere: they are lost with the process.
    pub store_directory: Option<PathBuf>,
    /// How much is remembered of conversations that go on.
    pub sessions: SessionLimits,
    /// How long a stop waits for the answer under way; then it is cut short.
    pub drain: Duration,
    /// Where metrics can be read; nowhere where there is none.
    pub metrics: Option<SocketAddr>,
    /// What stands before `/sys` and `/proc`: nothing but for tests.
    pub board_root: PathBuf,
    /// What to tell about the model.
    pub model: ModelInfo,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mqtt: mqtt::Options::default(),
            queue: QueueLimits::default(),
            prompts_per_minute_max: None,
            requests: mqtt::RequestRules::default(),
            answered: AnsweredLimits::default(),
            store_directory: None,
            sessions: SessionLimits::default(),
            drain: Duration::from_secs(20),
            metrics: None,
            board_root: PathBuf::from("/"),
            model: ModelInfo::default(),
        }
    }
}

impl Options {
    /// Whether prompts and answers outlive the process.
    #[must_use]
    pub(super) fn is_stored(&self) -> bool {
        self.store_directory.is_some()
    }

    /// Looks for settings that contradict each other.
    ///
    /// # Errors
    /// If one cannot be used; the text names it.
    pub fn validate(&self) -> Result<(), ServiceError> {
        self.mqtt
            .validate(self.requests.payload_bytes_max)
            .map_err(ServiceError::Options)?;
        if self.queue.jobs_max == 0 {
            return Err(ServiceError::Options(
                "the queue must hold at least 1 job".to_owned(),
            ));
        }
        if self.queue.bytes_max < self.requests.payload_bytes_max {
            return Err(ServiceError::Options(format!(
                "the queue holds {} bytes, less than one request of {} bytes",
                self.queue.bytes_max, self.requests.payload_bytes_max
            )));
        }
        Ok(())
    }
}

/// How much may wait; the answer under way is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Most prompts.
    pub jobs_max: usize,
    /// Most bytes of their payloads.
    pub bytes_max: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            jobs_max: 16,
            bytes_max: 1024 * 1024,
        }
    }
}

/// How many answers are kept, in memory and in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnsweredLimits {
    /// Most answers.
    pub answers_max: usize,
    /// Most bytes of them.
    pub bytes_max: usize,
    /// Longest time.
    pub age_max: Duration,
}

impl Default for AnsweredLimits {
    fn default() -> Self {
        Self {
            answers_max: 256,
            bytes_max: 1024 * 1024,
            age_max: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// What is told about the model in answers and on the info topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelInfo {
    /// Its name.
    pub name: String,
    /// Tokens its context holds.
    pub context_tokens: usize,
    /// The kernel set it runs on.
    pub kernels: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_fit_together() {
        assert!(Options::default().validate().is_ok());
    }

    #[test]
    fn names_the_setting_that_cannot_be_used() {
        let mut options = Options::default();
        options.queue.bytes_max = 10;
        let error = options.validate().unwrap_err().to_string();
        assert_eq!(
            error,
            "the queue holds 10 bytes, less than one request of 65536 bytes"
        );
    }
}
