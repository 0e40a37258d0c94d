//! The retained documents about ourselves: what we are (`info`) and what we do (`status`).

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::board::{Energy, Reading};
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
    /// Prompts that are being answered.
    pub(super) streams: usize,
    /// Tokens a second of the last answer.
    pub(super) tokens_per_s: f64,
    /// From its turn to its first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_token_ms: Option<u64>,
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
    reading: Reading,
    energy: Energy,
    last: Option<Told>,
}

/// What was told last, as far as a change of it is worth telling.
#[derive(Debug)]
struct Told {
    at: Instant,
    snapshot: Snapshot,
    throttled: Option<bool>,
}

#[derive(Serialize)]
struct StatusDocument<'a> {
    #[serde(flatten)]
    snapshot: &'a Snapshot,
    #[serde(flatten)]
    reading: Reading,
    #[serde(skip_serializing_if = "Option::is_none")]
    energy: Option<EnergyStatus>,
    uptime_s: u64,
}

/// Joules, where the board tells its power.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct EnergyStatus {
    /// Since the start.
    total_j: f64,
    /// Of an answer, on the average since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_j: Option<f64>,
}

impl StatusBoard {
    /// For the status topic `topic`, of a daemon started at `now`.
    #[must_use]
    pub(super) fn new(topic: String, now: Instant) -> Self {
        Self {
            topic,
            started: now,
            reading: Reading::default(),
            energy: Energy::default(),
            last: None,
        }
    }

    /// What the board tells now; `is_busy` says whether something is being answered.
    pub(super) fn observe(&mut self, reading: Reading, is_busy: bool, now: Instant) {
        if let Some(watts) = reading.power_w {
            self.energy.sample(watts, is_busy, now);
        }
        self.reading = reading;
    }

    /// What the board told last.
    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    /// Its power over time.
    pub(super) fn energy(&self) -> Energy {
        self.energy
    }

    /// Since the start.
    pub(super) fn uptime(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }

    /// A connection is new: the next document is due at once.
    pub(super) fn connected(&mut self) {
        self.last = None;
    }

    /// The document, where it is due: something changed, or nothing was said for long.
    pub(super) fn due(&mut self, snapshot: Snapshot, now: Instant) -> Option<Publication> {
        let throttled = self.reading.throttled;
        if let Some(last) = &self.last {
            let age = now.saturating_duration_since(last.at);
            let is_changed = last.snapshot != snapshot || last.throttled != throttled;
            if age < STATUS_EVERY_LEAST || (age < STATUS_EVERY_MOST && !is_changed) {
                return None;
            }
        }
        let document = StatusDocument {
            snapshot: &snapshot,
            reading: self.reading,
            energy: self.energy_status(snapshot.counts.answers),
            uptime_s: self.uptime(now).as_secs(),
        };
        let json = serde_json::to_vec(&document).expect("strings and numbers are always JSON");
        self.last = Some(Told {
            at: now,
            snapshot,
            throttled,
        });
        Some(Publication::answer(self.topic.clone(), json).retained())
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "answers since the start are far below 2^52"
    )]
    fn energy_status(&self, answers: u64) -> Option<EnergyStatus> {
        let Energy {
            total_j, busy_j, ..
        } = self.energy;
        self.energy.is_known().then(|| EnergyStatus {
            total_j: total_j.round(),
            answer_j: (answers > 0).then(|| (busy_j / answers as f64 * 10.0).round() / 10.0),
        })
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
            "packet_bytes": options.mqtt.packet_bytes_max,
            "queue_jobs": options.queue.jobs_max,
            "queue_bytes": options.queue.bytes_max,
            "max_tokens": options.requests.max_tokens_max,
            "deadline_s": options.requests.deadline.map(|deadline| deadline.as_secs()),
        },
        "topics": {
            "ask": topics.ask(),
            "answer": topics.answer(),
            "answer_text": topics.answer_text(),
            "cancel": topics.cancel(),
            "ping": topics.ping(),
            "pong": topics.pong(),
            "position": topics.position(),
            "state": topics.state(),
            "status": topics.status(),
            "group_ask": topics.group_ask(),
            "group_cancel": topics.group_cancel(),
        },
        "group": topics.group(),
        "features": features(options),
    });
    let document = without_nulls(document);
    Publication::answer(topics.info(), document.to_string()).retained()
}

/// What is not there has no field.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        other => other,
    }
}

/// Words for what this daemon can do that others may not; a client looks here instead of at the version.
fn features(options: &Options) -> Vec<&'static str> {
    let mqtt = &options.mqtt;
    [
        ("ask", true),
        ("cancel", true),
        ("stream", true),
        ("ping", true),
        ("group", mqtt.topics.group().is_some()),
        ("tls", mqtt.tls.is_some()),
        ("embedded_broker", mqtt.is_volatile),
        (
            "home_assistant",
            mqtt.topics.home_assistant_config().is_some(),
        ),
        ("metrics", options.metrics.is_some()),
        ("store", options.is_stored()),
    ]
    .into_iter()
    .filter_map(|(word, is_there)| is_there.then_some(word))
    .collect()
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
            streams: 1,
            tokens_per_s: 9.5,
            first_token_ms: None,
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
                r#"{"state":"busy","job":"k1","queue":{"jobs":1,"jobs_max":16,"bytes":10},"streams":1,"tokens_per_s":9.5"#
            ),
            "{text}"
        );
    }

    #[test]
    fn the_info_names_what_is_there_and_nothing_else() {
        let read = |options: &Options| -> Value {
            serde_json::from_slice(&info(options).payload).unwrap()
        };
        let mut options = Options::default();
        let document = read(&options);
        assert_eq!(document["topics"]["ping"], "thinkd/thinkd/ping");
        assert_eq!(
            document["features"],
            serde_json::json!(["ask", "cancel", "stream", "ping"])
        );
        assert!(document.get("group").is_none());
        assert!(document["topics"].get("group_ask").is_none());
        options.mqtt.topics = options.mqtt.topics.with_group("kitchen").unwrap();
        let document = read(&options);
        assert_eq!(document["group"], "kitchen");
        assert_eq!(document["topics"]["group_ask"], "thinkd/group/kitchen/ask");
    }

    #[test]
    fn what_the_board_does_not_tell_is_not_in_the_document() {
        let now = Instant::now();
        let mut board = StatusBoard::new("t".to_owned(), now);
        let fields = |board: &mut StatusBoard| {
            board.connected();
            let document = board.due(snapshot(0), now).unwrap();
            serde_json::from_slice::<Value>(&document.payload).unwrap()
        };
        let document = fields(&mut board);
        for absent in [
            "temperature_c",
            "throttled",
            "power_w",
            "memory",
            "energy",
            "first_token_ms",
        ] {
            assert!(document.get(absent).is_none(), "{absent}");
        }
        let reading = Reading {
            temperature_c: Some(61.5),
            power_w: Some(4.0),
            ..Reading::default()
        };
        board.observe(reading, false, now);
        let document = fields(&mut board);
        assert_eq!(document["temperature_c"], 61.5);
        assert_eq!(document["energy"]["total_j"], 0.0);
    }

    #[test]
    fn being_slowed_down_is_told_and_the_temperature_alone_is_not() {
        let now = Instant::now();
        let mut board = StatusBoard::new("t".to_owned(), now);
        assert!(board.due(snapshot(0), now).is_some());
        let now = now + STATUS_EVERY_LEAST;
        let mut reading = Reading {
            temperature_c: Some(70.0),
            ..Reading::default()
        };
        board.observe(reading, false, now);
        assert!(board.due(snapshot(0), now).is_none());
        reading.throttled = Some(true);
        board.observe(reading, false, now);
        assert!(board.due(snapshot(0), now).is_some());
    }

    #[test]
    fn the_energy_of_an_answer_is_that_of_busy_time() {
        let start = Instant::now();
        let mut board = StatusBoard::new("t".to_owned(), start);
        assert_eq!(board.energy_status(0), None);
        let reading = Reading {
            power_w: Some(5.0),
            ..Reading::default()
        };
        for (seconds, is_busy) in [(0, false), (4, false), (8, true)] {
            board.observe(reading, is_busy, start + Duration::from_secs(seconds));
        }
        let status = |total_j, answer_j| Some(EnergyStatus { total_j, answer_j });
        assert_eq!(board.energy_status(0), status(40.0, None));
        assert_eq!(board.energy_status(2), status(40.0, Some(10.0)));
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
