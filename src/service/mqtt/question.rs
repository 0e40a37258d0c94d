//! What a requester asks, where, and what can come of it.

use std::time::Duration;

use serde_json::{Map, Value};

use super::answer::Answer;
use super::options::Credentials;
use super::tls::Tls;
use super::topics::Topics;
use crate::service::error::RequestError;

/// Where to ask.
#[derive(Debug, Clone)]
pub struct RequesterOptions {
    /// The broker's host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Name and password, where the broker wants them.
    pub credentials: Option<Credentials>,
    /// How the connection is encrypted; not at all where there is none.
    pub tls: Option<Tls>,
    /// The topics of the daemon to ask.
    pub topics: Topics,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long nothing may come of an answer.
    pub answer_timeout: Duration,
}

/// One prompt, and what holds for it where the daemon's own rules do not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Question {
    /// The prompt.
    pub prompt: String,
    /// What the model is told first.
    pub system: Option<String>,
    /// Most tokens of thought and answer.
    pub max_tokens: Option<usize>,
    /// Most tokens of thought.
    pub max_think_tokens: Option<usize>,
    /// 0 is greedy.
    pub temperature: Option<f32>,
    /// Start of the random sequence.
    pub seed: Option<u64>,
}

impl Question {
    /// A prompt for which the daemon's rules hold.
    pub fn new(prompt: impl Into<String>) -> Self {
        Self {
            prompt: prompt.into(),
            ..Self::default()
        }
    }

    pub(super) fn to_json(&self, id: &str) -> String {
        let Self {
            prompt,
            system,
            max_tokens,
            max_think_tokens,
            temperature,
            seed,
        } = self;
        let fields = [
            ("id", Some(Value::from(id))),
            ("prompt", Some(Value::from(prompt.as_str()))),
            ("system", system.as_deref().map(Value::from)),
            ("max_tokens", max_tokens.map(Value::from)),
            ("max_think_tokens", max_think_tokens.map(Value::from)),
            ("temperature", temperature.map(Value::from)),
            ("seed", seed.map(Value::from)),
            ("stream", Some(Value::from(true))),
            ("think", Some(Value::from("separate"))),
        ];
        let given = |(name, value): (&str, Option<Value>)| Some((name.to_owned(), value?));
        Value::Object(fields.into_iter().filter_map(given).collect::<Map<_, _>>()).to_string()
    }
}

/// What comes of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The next piece of the thought.
    Thought(String),
    /// The next piece of the answer.
    Answer(String),
    /// The whole answer; right whatever pieces were lost on the way.
    Finished(Box<Answer>),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequesterError {
    /// There is no broker, or it will not have us.
    #[error("cannot connect to the broker at {address}: {reason}")]
    Connect {
        /// Where it was looked for.
        address: String,
        /// Why it failed.
        reason: String,
    },
    /// The connection was lost.
    #[error("the connection to the broker was lost: {reason}")]
    Lost {
        /// Why.
        reason: String,
    },
    /// Nobody answers there.
    #[error("no daemon listens on {topic} ({state})")]
    Offline {
        /// Where the prompt was published.
        topic: String,
        /// What is known of the daemon.
        state: String,
    },
    /// Nothing came for too long.
    #[error("nothing came for {seconds} s")]
    Silent {
        /// How long was waited.
        seconds: u64,
    },
    /// The daemon refused.
    #[error(transparent)]
    Refused(#[from] RequestError),
    /// What came cannot be understood.
    #[error("the reply on {topic} cannot be understood: {reason}")]
    Malformed {
        /// Where it came.
        topic: String,
        /// What is wrong with it.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_says_only_what_was_given() {
        let question = Question {
            max_tokens: Some(9),
            ..Question::new("q")
        };
        assert_eq!(
            question.to_json("k"),
            r#"{"id":"k","prompt":"q","max_tokens":9,"stream":true,"think":"separate"}"#
        );
    }
}
