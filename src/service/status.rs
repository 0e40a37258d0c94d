//! The retained documents about ourselves: what we are (`info`) and what we do (`status`).

use std::time::{Duration, Instant};

use serde::Serialize;

use super::mqtt::Publication;
use super::options::Options;

/// Shortest time between two status documents.
const STATUS_EVERY_LEAST: Duration = Duration::from_secs(1);

/// Longest time between two status documents.
const STATUS_EVERY_MOST: Duration = Duration::from_secs(60);

/// What happened since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Counts {
    /// Prompts taken.
    pub(super) prompts: u64,
    /// Answers given.
    pub(super) answers: u64,
    /// Requests refused, for whatever reason.
    pub(super) refusals: u64,
    /// Prompts known by their id or sent again by the broker.
    pub(super) duplicates: u64,
    /// Prompts the model failed on.
    pub(super) failures: u64,
    /// Answers the broker would not take.
    pub(super) undeliverable: u64,
    /// Records of the store that could not be read at the start.
    pub(super) damaged_records: u64,
    /// Connections after the first.
    pub(super) reconnects: u64,
}

/// What is done now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Snapshot {
    /// `idle`, `busy` or `stopping`.
    pub(super) state: &'static str,
    /// The id of the prompt that is being answered.
    pub(super) job: Option<String>,
    /// Prompts that wait.
    pub(super) queue: QueueStatus,
    /// Tokens a second of the last answer.
    pub(super) tokens_per_s: f64,
    /// What happened since the start.
    pub(super) counts: Counts,
}

/// Prompts that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct QueueStatus {
    /// Their number.
    pub(super) jobs: usize,
    /// The most there may be.
    pub(super) jobs_max: usize,
    /// Bytes of their payloads.
    pub(super) bytes: usize,
}

/// Decides when a status document is due.
#[derive(Debug)]
pub(super) struct StatusBoard {
    topic: String,
    started: Instant,
    last: Option<(Instant, Snapshot)>,
}

#[derive(Serialize)]
struct StatusDocument<'a> {
    #[serde(flatten)]
    snapshot: &'a Snapshot,
    uptime_s: u64,
}

impl StatusBoard {
    /// For the status topic `topic`, of a daemon started at `now`.
    #[must_use]
    pub(super) fn new(topic: String, now: Instant) -> Self {
        Self {
            topic,
            started: now,
            last: None,
        }
    }

    /// A connection is new: the next document is due at once.
    pub(super) fn connected(&mut self) {
        self.last = None;
    }

    /// The document, where it is due: something changed, or nothing was said for long.
    pub(super) fn due(&mut self, snapshot: Snapshot, now: Instant) -> Option<Publication> {
        if let Some((at, last)) = &self.last {
            let age = now.saturating_duration_since(*at);
            let is_due =
                age >= STATUS_EVERY_MOST || (age >= STATUS_EVERY_LEAST && *last != snapshot);
            if !is_due {
                return None;
            }
        }
        let uptime_s = now.saturating_duration_since(self.started).as_secs();
        let document = StatusDocument {
            snapshot: &snapshot,
            uptime_s,
        };
        let json = serde_json::to_vec(&document).expect("strings and numbers are always JSON");
        self.last = Some((now, snapshot));
        Some(Publication::answer(self.topic.clone(), json).retained())
    }
}

/// The info document.
#[must_use]
pub(super) fn info(options: &Options) -> Publication {
    let topics = &options.mqtt.topics;
    let document = serde_json::json!({
        "name": "thinkd",
        "version": env!("CARGO_PKG_VERSION"),
        "model": options.model.name,
        "context_tokens": options.model.context_tokens,
        "kernels": options.model.kernels,
        "limits": {
            "payload_bytes": options.requests.payload_bytes_max,
            "queue_jobs": options.queue.jobs_max,
            "queue_bytes": options.queue.bytes_max,
            "max_tokens": options.requests.max_tokens_max,
        },
        "topics": {
            "ask": topics.ask(),
            "answer": topics.answer(),
            "cancel": topics.cancel(),
            "status": topics.status(),
        },
    });
    Publication::answer(topics.info(), document.to_string()).retained()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(jobs: usize) -> Snapshot {
        Snapshot {
            state: "busy",
            job: Some("k1".to_owned()),
            queue: QueueStatus {
                jobs,
                jobs_max: 16,
                bytes: 10,
            },
            tokens_per_s: 9.5,
            counts: Counts::default(),
        }
    }

    #[test]
    fn the_document_says_what_is_done() {
        let now = Instant::now();
        let document = StatusBoard::new("t".to_owned(), now)
            .due(snapshot(1), now)
            .unwrap();
        assert!(document.is_retained);
        let text = String::from_utf8(document.payload.to_vec()).unwrap();
        assert!(
            text.starts_with(
                r#"{"state":"busy","job":"k1","queue":{"jobs":1,"jobs_max":16,"bytes":10},"tokens_per_s":9.5"#
            ),
            "{text}"
        );
    }

    #[test]
    fn speaks_at_once_then_on_change_then_now_and_again() {
        let start = Instant::now();
        let mut board = StatusBoard::new("t".to_owned(), start);
        for (seconds, jobs, is_due) in [
            (0.0, 0, true),
            (0.5, 1, false),
            (1.0, 1, true),
            (30.0, 1, false),
            (61.0, 1, true),
        ] {
            let now = start + Duration::from_secs_f64(seconds);
            assert_eq!(
                board.due(snapshot(jobs), now).is_some(),
                is_due,
                "after {seconds} s"
            );
        }
        board.connected();
        assert!(
            board
                .due(snapshot(1), start + Duration::from_secs(61))
                .is_some()
        );
    }
}
