//! A prompt on its way through the daemon.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::inbox::DeliveryId;
use super::mqtt::Request;
use super::sessions::SessionName;
use super::store::{DeliveryMark, Name, Seq};

/// Names a job, in the store too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct JobKey(pub(super) u64);

/// Where an answer goes, and what its asker will know it by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ReplyTo {
    /// The response topic; the device's answer topic where there is none.
    pub(super) topic: Option<String>,
    /// Given back as it came.
    pub(super) correlation: Option<Bytes>,
    /// The same.
    pub(super) user_properties: Vec<(String, String)>,
}

/// A prompt that was taken.
#[derive(Debug)]
pub(super) struct Job {
    /// Its name in this process.
    pub(super) key: JobKey,
    /// Its name for its asker.
    pub(super) id: String,
    /// Whether its asker chose that name, so that asking again means the same.
    pub(super) is_named: bool,
    /// Where its answer goes.
    pub(super) reply: ReplyTo,
    /// The client whose name its topic gives.
    pub(super) publisher: Option<String>,
    /// What is asked.
    pub(super) request: Request,
    /// Tells whether the same was asked again.
    pub(super) payload_hash: u64,
    /// What was published.
    pub(super) payload: Bytes,
    /// What it takes of the queue's room.
    pub(super) payload_bytes: usize,
    /// When it came.
    pub(super) arrived: Instant,
    /// The messages to acknowledge when it is stored.
    pub(super) deliveries: Vec<DeliveryId>,
    /// What tells a repetition of its message from a new one.
    pub(super) mark: DeliveryMark,
}

impl JobKey {
    /// Its name in the store.
    #[must_use]
    pub(super) fn seq(self) -> Seq {
        Seq(self.0)
    }
}

impl Job {
    /// What it is known by, for the store.
    #[must_use]
    pub(super) fn name(&self) -> Name {
        Name {
            id: self.id.clone(),
            is_named: self.is_named,
            topic: self.reply.topic.clone(),
            correlation: self.reply.correlation.as_ref().map(|data| data.to_vec()),
            user_properties: self.reply.user_properties.clone(),
            payload_hash: self.payload_hash,
        }
    }

    /// When its answer is too late.
    #[must_use]
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.request
            .deadline
            .and_then(|deadline| self.arrived.checked_add(deadline))
    }

    /// Whether it was too late at `now`.
    #[must_use]
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    /// How long it has been here.
    #[must_use]
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.arrived)
    }

    /// Who asks, for taking turns: the client's name, else where its answers go.
    #[must_use]
    pub(super) fn asker(&self) -> (Option<&str>, Option<&str>) {
        match &self.request.client {
            Some(client) => (Some(client), None),
            None => (None, self.reply.topic.as_deref()),
        }
    }

    /// The session it is a turn of.
    #[must_use]
    pub(super) fn session(&self) -> Option<SessionName> {
        self.request.session.as_ref().map(|session| SessionName {
            client: self.request.client.clone(),
            session: session.clone(),
        })
    }

    /// Whether `other` names the same prompt: the asker's name for it, and where the answer goes.
    #[must_use]
    pub(super) fn is_called(&self, topic: Option<&str>, id: &str) -> bool {
        self.is_named && self.id == id && self.reply.topic.as_deref() == topic
    }
}
