//! Tests of [`super`]: what becomes of each message, with a scripted worker and no broker.

use bytes::Bytes;

use super::*;
use crate::engine::{Completion, FinishReason, Timing, Usage};
use crate::service::answerer::{AnswerError, Answerer};
use crate::service::mqtt::ChunkKind;

/// A desk, a worker that is never asked, and what the broker would see.
struct Office {
    desk: Desk,
    worker: Worker,
    now: Instant,
    packet_id: u16,
}

struct Nobody;

impl Answerer for Nobody {
    fn answer(
        &mut self,
        _: &crate::engine::GenerationRequest,
        _: &dyn crate::engine::Control,
        _: &mut dyn FnMut(crate::engine::Event<'_>),
    ) -> Result<Completion, AnswerError> {
        Err(AnswerError::Failed("nobody is asked here".to_owned()))
    }
}

fn completion(answer: &str) -> Completion {
    Completion {
        thought: "hm".to_owned(),
        answer: answer.to_owned(),
        finish_reason: FinishReason::Stop,
        usage: Usage::default(),
        timing: Timing::default(),
    }
}

fn message(payload: &str) -> Message {
    Message {
        topic: "thinkd/thinkd/ask".to_owned(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        packet_id: None,
        is_repeat: false,
        is_retained: false,
        response_topic: None,
        correlation: None,
        expiry: None,
    }
}

impl Office {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        options.queue.jobs_max = 3;
        change(&mut options);
        let rebuild = Box::new(|| Err("not needed".to_owned()));
        let (worker, _) = Worker::start(Box::new(Nobody), rebuild).unwrap();
        Self {
            desk: Desk::new(&options),
            worker,
            now: Instant::now(),
            packet_id: 0,
        }
    }

    /// A message with quality of service 1.
    fn ask(&mut self, payload: &str) {
        self.receive(message(payload));
    }

    fn receive(&mut self, message: Message) {
        self.packet_id += 1;
        let packet_id = Some(self.packet_id);
        self.desk.message(
            Message {
                packet_id,
                ..message
            },
            self.now,
        );
    }

    fn cancel(&mut self, what: &str) {
        let topic = "thinkd/thinkd/cancel".to_owned();
        self.desk.message(
            Message {
                topic,
                ..message(what)
            },
            self.now,
        );
    }

    fn start(&mut self) -> Option<WorkOrder> {
        self.desk.next_order(&self.worker, self.now)
    }

    fn finish(&mut self, order: &WorkOrder, result: Result<Completion, AnswerError>) {
        self.desk
            .worker_event(WorkerEvent::Finished(order.key, result), self.now);
    }

    /// What is published now: topic and payload; the broker takes all of it.
    fn published(&mut self) -> Vec<(String, String)> {
        let mut published = Vec::new();
        let mut keys = Vec::new();
        self.desk.outbox.pump(|key, publication| {
            let text = String::from_utf8(publication.payload.to_vec()).unwrap();
            published.push((publication.topic.clone(), text));
            keys.push(key);
            Ok::<_, ()>(())
        });
        keys.into_iter()
            .for_each(|key| self.desk.acknowledged(key, None));
        published
    }

    /// What is published now, as `topic status-or-code`.
    fn outcomes(&mut self) -> Vec<String> {
        let outcome = |(topic, text): (String, String)| {
            let json = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
            let code = json["error"]["code"]
                .as_str()
                .or(json["status"].as_str())
                .unwrap_or("text");
            format!("{} {code}", topic.trim_start_matches("thinkd/thinkd/"))
        };
        self.published().into_iter().map(outcome).collect()
    }

    fn acknowledged(&mut self) -> Vec<u16> {
        let mut packet_ids = Vec::new();
        self.desk.inbox.pump(|packet_id| {
            packet_ids.push(packet_id);
            Ok::<_, ()>(())
        });
        packet_ids
    }
}

const NONE: [u16; 0] = [];

#[test]
fn a_prompt_is_acknowledged_when_the_broker_has_its_answer() {
    let mut office = Office::new();
    office.ask("q");
    let order = office.start().unwrap();
    assert_eq!(order.generation.messages[0].content, "q");
    assert_eq!(office.acknowledged(), NONE);
    office.finish(&order, Ok(completion("a")));
    assert_eq!(office.acknowledged(), NONE);
    let published = office.published();
    assert_eq!(
        published[0],
        ("thinkd/thinkd/answer/text".to_owned(), "a".to_owned())
    );
    assert_eq!(published[1].0, "thinkd/thinkd/answer");
    assert_eq!(office.acknowledged(), [1]);
}

#[test]
fn a_refusal_is_acknowledged_at_once_but_in_order() {
    let mut office = Office::new();
    office.ask("q");
    office.ask("{}");
    assert_eq!(office.outcomes(), ["answer bad_request"]);
    assert_eq!(office.acknowledged(), NONE, "the first message is not done");
    let order = office.start().unwrap();
    office.finish(&order, Ok(completion("a")));
    office.published();
    assert_eq!(office.acknowledged(), [1, 2]);
}

#[test]
fn the_answer_goes_where_it_was_wanted_with_what_it_is_known_by() {
    let mut office = Office::new();
    let correlation = Some(Bytes::from_static(b"c1"));
    let response_topic = Some("my/topic".to_owned());
    office.receive(Message {
        response_topic,
        correlation: correlation.clone(),
        ..message("q")
    });
    let order = office.start().unwrap();
    office.finish(&order, Ok(completion("a")));
    let mut sent = Vec::new();
    office.desk.outbox.pump(|_, publication| {
        sent.push(publication.clone());
        Ok::<_, ()>(())
    });
    assert_eq!((sent.len(), sent[0].topic.as_str()), (1, "my/topic"));
    assert_eq!(sent[0].correlation, correlation);
    let json: serde_json::Value = serde_json::from_slice(&sent[0].payload).unwrap();
    assert_eq!(
        json["id"], "c1",
        "the correlation data is the id where the payload has none"
    );
}

#[test]
fn a_response_topic_that_may_not_be_is_refused_on_the_answer_topic() {
    let mut office = Office::new();
    office.ask(r#"{"prompt":"q","reply_to":"thinkd/other/ask"}"#);
    office.receive(Message {
        response_topic: Some("a/#".to_owned()),
        ..message("q")
    });
    assert_eq!(
        office.outcomes(),
        ["answer bad_request", "answer bad_request"]
    );
    assert!(office.start().is_none());
}

#[test]
fn a_refusal_goes_to_the_response_topic() {
    let mut office = Office::new();
    office.receive(Message {
        response_topic: Some("my/topic".to_owned()),
        ..message("")
    });
    office.ask(r#"{"prompt":3,"reply_to":"my/other"}"#);
    assert_eq!(
        office.outcomes(),
        ["my/topic bad_request", "my/other bad_request"]
    );
}

#[test]
fn an_id_is_computed_once_and_answered_each_time() {
    let mut office = Office::new();
    let payload = r#"{"id":"k","prompt":"q"}"#;
    office.ask(payload);
    office.ask(payload);
    let order = office.start().unwrap();
    office.ask(payload);
    office.finish(&order, Ok(completion("a")));
    let first = office.published();
    assert_eq!(office.acknowledged(), [1, 2, 3]);
    office.ask(payload);
    assert_eq!(
        office.published()[..],
        first[1..],
        "the same answer, byte for byte"
    );
    assert_eq!(office.acknowledged(), [4]);
    assert!(office.start().is_none());
    assert_eq!(office.desk.counts.duplicates, 3);
}

#[test]
fn an_id_with_another_prompt_is_a_conflict_whenever_it_comes() {
    let mut office = Office::new();
    office.ask(r#"{"id":"k","prompt":"q"}"#);
    office.ask(r#"{"id":"k","prompt":"other"}"#);
    assert_eq!(office.outcomes(), ["answer conflict"], "while it waits");
    let order = office.start().unwrap();
    office.ask(r#"{"id":"k","prompt":"other"}"#);
    assert_eq!(
        office.outcomes(),
        ["answer conflict"],
        "while it is answered"
    );
    office.finish(&order, Ok(completion("a")));
    office.ask(r#"{"id":"k","prompt":"other"}"#);
    assert_eq!(
        office.outcomes().last().unwrap(),
        "answer conflict",
        "afterwards"
    );
    office.ask(r#"{"id":"k","prompt":"other","reply_to":"my/topic"}"#);
    assert!(
        office.start().is_some(),
        "another asker may use the same id"
    );
}

#[test]
fn plain_text_may_be_asked_again() {
    let mut office = Office::new();
    for _ in 0..2 {
        office.ask("q");
        let order = office.start().unwrap();
        office.finish(&order, Ok(completion("a")));
    }
}

#[test]
fn what_the_broker_sends_again_is_not_computed_again() {
    let mut office = Office::new();
    office.ask("q");
    let order = office.start().unwrap();
    office.desk.disconnected();
    office.finish(&order, Ok(completion("a")));
    office.desk.connected(true, usize::MAX);
    office.packet_id = 40;
    office.receive(Message {
        is_repeat: true,
        ..message("q")
    });
    assert!(office.start().is_none());
    assert_eq!(office.outcomes(), ["answer/text text", "answer ok"]);
    assert_eq!(office.acknowledged(), [41]);
}

#[test]
fn a_full_queue_says_when_to_come_back() {
    let mut office = Office::new();
    for _ in 0..3 {
        office.ask("q");
    }
    let (_, text) = office.published().remove(0);
    assert!(
        text.contains(r#""code":"queue_full""#) && text.contains("retry_after_s"),
        "{text}"
    );
}

#[test]
fn cancels_by_id_or_all_waiting_or_running() {
    let mut office = Office::new();
    for id in ["a", "b"] {
        office.ask(&format!(r#"{{"id":"{id}","prompt":"q"}}"#));
    }
    let running = office.start().unwrap();
    office.ask(r#"{"id":"c","prompt":"q"}"#);
    office.cancel("b");
    assert_eq!(office.outcomes(), ["answer cancelled"]);
    use crate::engine::Control;
    office.cancel("unknown");
    assert_eq!(running.control.interrupt(), None);
    office.cancel(" all\n");
    assert_eq!(office.outcomes(), ["answer cancelled"]);
    assert!(running.control.interrupt().is_some());
}

#[test]
fn a_deadline_holds_from_the_request_or_the_message() {
    let mut office = Office::new();
    office.ask(r#"{"prompt":"q","deadline_s":5}"#);
    office.receive(Message {
        expiry: Some(Duration::from_secs(5)),
        ..message("q")
    });
    office.now += Duration::from_secs(6);
    assert!(office.start().is_none());
    assert_eq!(office.outcomes(), ["answer expired", "answer expired"]);
    assert_eq!(office.acknowledged(), [1, 2]);
}

#[test]
fn errors_of_the_model_are_told_apart_from_those_of_the_request() {
    let mut office = Office::new();
    let too_large = RequestError::new(Code::TooLarge, "prompt has 9 tokens");
    for (error, code) in [
        (AnswerError::Refused(too_large), "answer too_large"),
        (AnswerError::Failed("NaN".to_owned()), "answer internal"),
    ] {
        office.ask("q");
        let order = office.start().unwrap();
        office.finish(&order, Err(error));
        assert_eq!(office.outcomes(), [code]);
    }
    assert_eq!(office.acknowledged(), [1, 2]);
}

#[test]
fn pieces_are_streamed_where_they_are_wanted() {
    let mut office = Office::new();
    office.ask(r#"{"id":"k","prompt":"q","stream":true}"#);
    let order = office.start().unwrap();
    assert!(order.wants_pieces);
    let piece = WorkerEvent::Piece(order.key, ChunkKind::Answer, "a".to_owned());
    office.desk.worker_event(piece, office.now);
    office.finish(&order, Ok(completion("a")));
    let chunks = std::mem::take(&mut office.desk.ephemeral);
    assert_eq!(chunks.len(), 2);
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk.topic == "thinkd/thinkd/stream/k")
    );
}

#[test]
fn an_answer_larger_than_the_broker_takes_is_an_error() {
    let mut office = Office::new();
    office.desk.connected(false, 1000);
    office.ask("q");
    let order = office.start().unwrap();
    office.finish(&order, Ok(completion(&"x".repeat(2000))));
    assert_eq!(office.outcomes(), ["answer too_large"]);
}

#[test]
fn retained_prompts_are_ignored() {
    let mut office = Office::new();
    office.receive(Message {
        is_retained: true,
        ..message("q")
    });
    assert!(office.start().is_none());
    assert_eq!(office.acknowledged(), [1]);
}

#[test]
fn a_stop_leaves_what_waits_to_a_broker_that_keeps_it() {
    let mut office = Office::new();
    office.ask("q");
    office
        .desk
        .message(message("without a broker's promise"), office.now);
    office.desk.drain();
    office.ask("late");
    assert_eq!(
        office.outcomes(),
        ["answer model_unavailable"],
        "only the one nobody keeps"
    );
    assert_eq!(office.acknowledged(), NONE);
    assert!(office.start().is_none());
}

#[test]
fn a_stop_refuses_what_waits_where_the_broker_dies_with_us() {
    let mut office = Office::with(|options| options.mqtt.is_volatile = true);
    office.ask("q");
    office.desk.drain();
    office.ask("late");
    assert_eq!(
        office.outcomes(),
        ["answer model_unavailable", "answer model_unavailable"]
    );
}

#[test]
fn odd_correlation_data_still_names_a_request() {
    for (data, id) in [
        (&b"c-1"[..], "c-1".to_owned()),
        (&b"\xff\x01"[..], "ff01".to_owned()),
        (&b"a/b"[..], "612f62".to_owned()),
    ] {
        let mut office = Office::new();
        let correlation = Some(Bytes::from_static(data));
        office.receive(Message {
            correlation,
            ..message("q")
        });
        office.start().unwrap();
        assert_eq!(office.desk.snapshot().job, Some(id));
    }
}
