//! What comes and goes, free of any client library's types.

use std::time::Duration;

use bytes::Bytes;

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// Where it was published.
    pub topic: String,
    /// What it holds.
    pub payload: Bytes,
    /// Its number on this connection, to acknowledge it by; none for quality of service 0.
    pub packet_id: Option<u16>,
    /// Whether the broker says that it sent it before.
    pub is_repeat: bool,
    /// Whether it was kept by the broker from before we subscribed.
    pub is_retained: bool,
    /// Where its sender wants the answer.
    pub response_topic: Option<String>,
    /// What its sender knows the answer by.
    pub correlation: Option<Bytes>,
    /// What its sender wants to find in the answer again.
    pub user_properties: Vec<(String, String)>,
    /// How long it is worth something.
    pub expiry: Option<Duration>,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Bytes,
    /// Whether the broker shall keep it for later subscribers.
    pub is_retained: bool,
    /// Whether it is JSON; plain text otherwise.
    pub is_json: bool,
    /// Given back to whom it answers.
    pub correlation: Option<Bytes>,
    /// The same.
    pub user_properties: Vec<(String, String)>,
}

impl Publication {
    /// A JSON document.
    pub fn answer(topic: String, payload: impl Into<Bytes>) -> Self {
        let payload = payload.into();
        Self {
            topic,
            payload,
            is_retained: false,
            is_json: true,
            correlation: None,
            user_properties: Vec::new(),
        }
    }

    /// Plain text.
    pub fn text(topic: String, text: impl Into<Bytes>) -> Self {
        Self {
            is_json: false,
            ..Self::answer(topic, text)
        }
    }

    /// The same, kept by the broker.
    #[must_use]
    pub fn retained(self) -> Self {
        Self {
            is_retained: true,
            ..self
        }
    }

    /// Its media type.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        if self.is_json {
            "application/json"
        } else {
            "text/plain"
        }
    }

    /// No fewer bytes than its packet has.
    #[must_use]
    pub fn packet_bytes(&self) -> usize {
        let correlation = self.correlation.as_ref().map_or(0, |data| data.len());
        let properties = self.user_properties.iter();
        let properties: usize = properties
            .map(|(name, value)| name.len() + value.len() + 5)
            .sum();
        let properties = properties + correlation + self.content_type().len();
        self.topic.len() + self.payload.len() + properties + 64
    }
}
