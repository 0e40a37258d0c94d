//! What the engine is asked: messages and how to answer them.

use super::options::{Budget, SamplingOptions};
use super::{EngineError, OptionError, ResponseFormat};

/// Most stop sequences of one request.
pub const STOP_SEQUENCES_MAX: usize = 16;

/// Most bytes of one stop sequence.
pub const STOP_SEQUENCE_BYTES_MAX: usize = 256;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions that hold for the whole conversation.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// One question to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationRequest {
    /// The conversation; the last message is the user's.
    pub messages: Vec<Message>,
    /// How the next token is chosen.
    pub sampling: SamplingOptions,
    /// How many tokens may be spent.
    pub budget: Budget,
    /// Texts that end the answer; none of them is part of it. They apply neither to the thought nor to an answer whose
    /// form is not free.
    pub stop: Vec<String>,
    /// What form the answer has.
    pub format: ResponseFormat,
}

impl GenerationRequest {
    /// Checks all that can be checked without a model.
    ///
    /// # Errors
    /// The first thing that is wrong with the request.
    pub fn validate(&self) -> Result<(), EngineError> {
        let last = self.messages.last().ok_or(EngineError::EmptyPrompt)?;
        if last.role != Role::User {
            return Err(EngineError::LastMessageNotUser);
        }
        if last.content.trim().is_empty() {
            return Err(EngineError::EmptyPrompt);
        }
        self.sampling.validate()?;
        self.budget.validate()?;
        let count = self.stop.len();
        OptionError::unless(
            count <= STOP_SEQUENCES_MAX,
            "stop",
            count,
            "at most 16 sequences",
        )?;
        for sequence in &self.stop {
            let holds = (1..=STOP_SEQUENCE_BYTES_MAX).contains(&sequence.len());
            OptionError::unless(
                holds,
                "stop",
                format!("{sequence:?}"),
                "1 to 256 bytes each",
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(role: Role, content: &str, stop: &[&str]) -> GenerationRequest {
        GenerationRequest {
            messages: vec![Message {
                role,
                content: content.to_owned(),
            }],
            sampling: SamplingOptions::default(),
            budget: Budget::default(),
            stop: stop.iter().map(|sequence| (*sequence).to_owned()).collect(),
            format: ResponseFormat::Text,
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let long = "x".repeat(STOP_SEQUENCE_BYTES_MAX + 1);
        for (request, text) in [
            (request(Role::User, " \n", &[]), "the prompt is empty"),
            (
                request(Role::Assistant, "hi", &[]),
                "the last message must be the user's",
            ),
            (
                request(Role::User, "hi", &[""]),
                "stop is \"\", its range is 1 to 256 bytes each",
            ),
            (
                request(Role::User, "hi", &["a"; 17]),
                "stop is 17, its range is at most 16 sequences",
            ),
        ] {
            let error = request.validate().unwrap_err();
            assert_eq!(error.to_string(), text);
            assert!(error.is_request_fault());
        }
        assert!(request(Role::User, "hi", &[&long]).validate().is_err());
        assert!(request(Role::User, "hi", &["a"; 16]).validate().is_ok());
    }
}
