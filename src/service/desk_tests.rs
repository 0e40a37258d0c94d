//! Tests of [`super`]: what becomes of each message, with a scripted worker and no broker.

use bytes::Bytes;

use super::*;
use crate::engine::{
    Completion, FinishReason, GenerationRequest, Interrupt, Timing, TurnId, Usage,
};
use crate::service::answerer::{AnswerError, AnswerEvent, Answerer};
use crate::service::attempts::{GIVEN_UP_AFTER, SUSPECT_AFTER};
use crate::service::mqtt::ChunkKind;
use crate::service::store::{Change, Contents, Name, PromptRecord};

/// A desk, a worker that is never asked, and what the broker would see.
struct Office {
    desk: Desk,
    worker: Worker,
    now: Instant,
    packet_id: u16,
}

/// Of so many streams.
struct Nobody(usize);

impl Answerer for Nobody {
    fn streams(&self) -> usize {
        self.0
    }

    fn begin(&mut self, _: &GenerationRequest) -> Result<TurnId, AnswerError> {
        Err(AnswerError::Failed("nobody is asked here".to_owned()))
    }

    fn step(&mut self) -> Vec<AnswerEvent> {
        Vec::new()
    }

    fn pause(&mut self, _: TurnId) {}

    fn resume(&mut self, _: TurnId) -> Result<(), AnswerError> {
        Ok(())
    }

    fn end(&mut self, _: TurnId, _: Interrupt) {}
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
        user_properties: Vec::new(),
        expiry: None,
    }
}

impl Office {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::with_streams(1, change)
    }

    fn with_streams(streams: usize, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        options.queue.jobs_max = 3;
        change(&mut options);
        let rebuild = Box::new(|| Err("not needed".to_owned()));
        let now = Instant::now();
        let (worker, _) = Worker::start(Box::new(Nobody(streams)), rebuild).unwrap();
        Self {
            desk: Desk::new(&options, Clock::new(now, 1_000_000_000)),
            worker,
            now,
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
            .for_each(|key| self.desk.acknowledged(key, None, self.now));
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
    office.ask("{}");
    assert_eq!(
        office.outcomes(),
        ["answer bad_request", "answer bad_request"]
    );
    assert_eq!(office.acknowledged(), NONE, "the first message is not done");
    let order = office.start().unwrap();
    office.finish(&order, Ok(completion("a")));
    office.published();
    assert_eq!(office.acknowledged(), [1, 2, 3]);
}

#[test]
fn the_answer_goes_where_it_was_wanted_with_what_it_is_known_by() {
    let mut office = Office::new();
    let correlation = Some(Bytes::from_static(b"c1"));
    let user_properties = vec![("room".to_owned(), "hall".to_owned())];
    let response_topic = Some("my/topic".to_owned());
    office.receive(Message {
        response_topic,
        correlation: correlation.clone(),
        user_properties: user_properties.clone(),
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
    assert_eq!(sent[0].user_properties, user_properties);
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
fn a_full_queue_says_when_to_come_back_to_those_whose_prompt_nobody_keeps() {
    let mut office = Office::new();
    for _ in 0..3 {
        office.desk.message(message("q"), office.now);
    }
    let (_, text) = office.published().remove(0);
    assert!(
        text.contains(r#""code":"queue_full""#) && text.contains("retry_after_s"),
        "{text}"
    );
}

#[test]
fn who_asks_too_often_is_told_and_asking_the_same_again_is_free() {
    let mut office = Office::with(|options| options.prompts_per_minute_max = Some(2));
    for _ in 0..3 {
        office.ask(r#"{"id":"a","prompt":"q"}"#);
    }
    office.ask(r#"{"id":"b","prompt":"q"}"#);
    office.ask(r#"{"id":"c","prompt":"q"}"#);
    office.ask(r#"{"id":"d","prompt":"q","user":"another"}"#);
    let published = office.published();
    assert_eq!(published.len(), 1, "{published:?}");
    let refusal: serde_json::Value = serde_json::from_str(&published[0].1).unwrap();
    assert_eq!(
        (&refusal["id"], &refusal["error"]["code"]),
        (&"c".into(), &"throttled".into())
    );
    assert_eq!(refusal["error"]["retry_after_s"], 31);
    office.now += Duration::from_secs(31);
    office.ask(r#"{"id":"c","prompt":"q"}"#);
    assert_eq!(office.outcomes(), [""; 0]);
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
    office.desk.drain(office.now);
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
    office.desk.drain(office.now);
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

#[test]
fn prompts_without_room_wait_unacknowledged_as_many_as_the_broker_may_send() {
    let mut office = Office::with(|options| {
        options.mqtt.receive_max = 2;
        // Two prompts have 46: there is none for those that a broker should not have sent.
        options.queue.bytes_max = 60;
    });
    for id in ["a", "b", "c", "d", "e"] {
        office.ask(&format!(r#"{{"id":"{id}","prompt":"q"}}"#));
    }
    assert_eq!(
        office.outcomes(),
        ["answer queue_full"],
        "only what a broker should not have sent"
    );
    let mut answered = Vec::new();
    while let Some(order) = office.start() {
        office.finish(&order, Ok(completion("a")));
        answered.extend(
            office
                .published()
                .into_iter()
                .filter(|(topic, _)| topic.ends_with("answer")),
        );
    }
    let ids = answered.iter().map(|(_, text)| &text[7..8]);
    assert_eq!(ids.collect::<String>(), "abcd");
    assert_eq!(office.acknowledged(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_client_whose_name_is_none_is_told_so() {
    let mut office = Office::new();
    for name in ["", "$SYS", "x\u{7}", &"x".repeat(129)] {
        office.receive(Message {
            topic: format!("thinkd/thinkd/ask/{name}"),
            ..message("q")
        });
        assert_eq!(office.outcomes(), ["answer bad_request"], "{name:?}");
    }
    assert_eq!(office.acknowledged(), [1, 2, 3, 4]);
    assert!(office.start().is_none());
}

#[test]
fn a_broker_that_sends_more_than_it_may_has_its_prompts_answered_all_the_same() {
    let mut office = Office::with(|options| options.mqtt.receive_max = 1);
    let ids: Vec<String> = (0..19).map(|number| format!("k{number}")).collect();
    for id in &ids {
        office.ask(&format!(r#"{{"id":"{id}","prompt":"q"}}"#));
    }
    // Two in the queue, sixteen for the one that it may send.
    assert_eq!(office.outcomes(), ["answer queue_full"]);
    let mut answers = 0;
    while let Some(order) = office.start() {
        office.finish(&order, Ok(completion("a")));
        answers += 1;
    }
    assert_eq!(answers, 18);
}

/// A desk with a store, whose batches the test commits.
fn stored() -> Office {
    Office::with(|options| {
        options.store_directory = Some("not opened here".into());
        options.queue.jobs_max = 8;
    })
}

impl Office {
    /// Writes what is due; gives the changes, or none.
    fn write(&mut self) -> Vec<Change> {
        let Some(batch) = self.desk.next_batch(self.now) else {
            return Vec::new();
        };
        self.desk
            .store_event(StoreEvent::Committed(batch.number))
            .unwrap();
        batch.changes
    }

    /// The next process, with what `contents` this one has left.
    fn restarted(mut self, contents: Contents) -> Self {
        let options = self.desk.options.clone();
        self.desk = Desk::new(&options, Clock::new(self.now, 1_000_010_000));
        self.desk.restore(contents, self.now);
        self
    }
}

#[test]
fn a_prompt_is_acknowledged_and_started_when_it_is_stored() {
    let mut office = stored();
    office.ask("q");
    assert!(office.start().is_none());
    assert_eq!(office.acknowledged(), NONE);
    let changes = office.write();
    assert!(matches!(&changes[..], [Change::Take(record)] if record.payload == "q"));
    assert_eq!(office.acknowledged(), [1]);
    assert!(office.start().is_some());
}

#[test]
fn an_answer_is_sent_when_it_is_stored_and_known_to_be_delivered_later() {
    let mut office = stored();
    office.ask("q");
    office.write();
    let order = office.start().unwrap();
    office.finish(&order, Ok(completion("a")));
    assert_eq!(
        office.outcomes(),
        ["answer/text text"],
        "the bare text is no promise"
    );
    let changes = office.write();
    assert!(matches!(&changes[..], [Change::Settle(record)] if record.is_owed));
    assert_eq!(office.outcomes(), ["answer ok"]);
    assert_eq!(office.write(), [], "in no hurry");
    office.now += Duration::from_secs(10);
    assert_eq!(office.write(), [Change::Delivered(order.key.seq())]);
}

#[test]
fn a_full_disk_refuses_prompts_and_answers_all_the_same() {
    let mut office = stored();
    office.ask("q");
    office.write();
    let order = office.start().unwrap();
    office.finish(&order, Ok(completion("a")));
    office.ask(r#"{"id":"late","prompt":"q"}"#);
    let batch = office.desk.next_batch(office.now).unwrap();
    office.desk.store_event(StoreEvent::Full(batch)).unwrap();
    assert!(matches!(office.write()[..], [Change::Settle(_)]));
    assert_eq!(
        office.outcomes(),
        ["answer/text text", "answer ok", "answer storage_full"]
    );
    assert_eq!(office.acknowledged(), [1, 2]);
    assert!(office.start().is_none());
    office.ask(r#"{"id":"late","prompt":"q"}"#);
    office.write();
    assert!(office.start().is_some(), "the same id may try again");
}

#[test]
fn the_next_process_answers_what_was_taken_and_sends_what_is_owed() {
    let mut office = stored();
    office.ask(r#"{"id":"a","prompt":"q"}"#);
    office.ask(r#"{"id":"b","prompt":"q","deadline_s":5}"#);
    office.ask(r#"{"id":"c","prompt":"q","deadline_s":60}"#);
    office.write();
    let order = office.start().unwrap();
    office.finish(&order, Ok(completion("a")));
    let mut records = office.write();
    let Some(Change::Settle(answer)) = records.pop() else {
        panic!("the answer is stored")
    };
    let prompt = |office: &Office, id: &str| {
        let job = office.desk.queue.peek(id).unwrap();
        (job.key, job.arrived)
    };
    let (b, c) = (prompt(&office, "b").0, prompt(&office, "c").0);
    let record = |key: JobKey, id: &str, deadline_ms| PromptRecord {
        seq: key.seq(),
        name: Name {
            id: id.to_owned(),
            is_named: true,
            topic: None,
            correlation: None,
            user_properties: Vec::new(),
            payload_hash: 1,
        },
        payload: format!(r#"{{"id":"{id}","prompt":"q"}}"#),
        client: None,
        arrived_ms: 1_000_000_000,
        deadline_ms: Some(deadline_ms),
        delivery: DeliveryMark::default(),
    };
    let contents = Contents {
        prompts: vec![record(b, "b", 5_000), record(c, "c", 60_000)],
        answers: vec![answer.clone()],
        ..Contents::default()
    };
    // It is ten seconds later.
    let mut office = office.restarted(contents);
    assert_eq!(office.outcomes(), ["answer/text text", "answer ok"]);
    let order = office.start().unwrap();
    assert_eq!(order.key, c);
    assert_eq!(office.outcomes(), [""; 0], "held until it is stored");
    office.write();
    assert_eq!(office.outcomes(), ["answer expired"]);
    office.ask(r#"{"id":"a","prompt":"q"}"#);
    let (_, again) = office.published().remove(0);
    assert_eq!(again, answer.answer, "byte for byte");
    office.ask("new");
    let taken = office.write();
    let is_later = |change: &Change| matches!(change, Change::Take(record) if record.seq > c.seq());
    assert!(taken.iter().any(is_later), "{taken:?}");
}

#[test]
fn what_a_broker_repeats_after_a_restart_is_not_taken_again() {
    let mut office = stored();
    office.ask("q");
    let taken = office.write();
    let [Change::Take(record)] = &taken[..] else {
        panic!("the prompt is stored")
    };
    let contents = Contents {
        prompts: vec![record.clone()],
        ..Contents::default()
    };
    let mut office = office.restarted(contents);
    office.desk.connected(true, usize::MAX);
    office.packet_id = 0;
    office.receive(Message {
        is_repeat: true,
        ..message("q")
    });
    assert_eq!(office.acknowledged(), [1]);
    assert!(office.start().is_some());
    assert!(office.start().is_none(), "only one");
}

#[test]
fn a_stop_leaves_what_is_stored_to_the_next_start() {
    let mut office = stored();
    office.ask("a");
    office.ask("b");
    office.write();
    let order = office.start().unwrap();
    office.desk.drain(office.now);
    office.desk.cut_short();
    let cut = Completion {
        finish_reason: FinishReason::Cancelled,
        ..completion("half")
    };
    office.finish(&order, Ok(cut));
    assert_eq!(office.outcomes(), [""; 0]);
    assert_eq!(office.write(), []);
    assert_eq!(office.acknowledged(), [1, 2]);
}

#[test]
fn what_a_session_has_said_outlives_the_process() {
    let mut office = stored();
    office.ask(r#"{"session":"s","system":"Be brief.","prompt":"a"}"#);
    let mut turns = Vec::new();
    for answer in ["A", "B"] {
        office.write();
        let order = office.start().unwrap();
        office.finish(&order, Ok(completion(answer)));
        let changes = office.write();
        turns.extend(changes.into_iter().filter_map(|change| match change {
            Change::Remember(turn) => Some(turn),
            _ => None,
        }));
        office.ask(r#"{"session":"s","prompt":"b"}"#);
    }
    assert_eq!(turns.len(), 2);
    let last = turns[1].seq;
    let contents = Contents {
        turns,
        ..Contents::default()
    };
    let mut office = office.restarted(contents);
    office.ask(r#"{"session":"s","prompt":"c"}"#);
    let taken = office.write();
    assert!(
        matches!(&taken[..], [Change::Take(record)] if record.seq > last),
        "{taken:?}"
    );
    let said = office.start().unwrap().generation.messages;
    let said: Vec<_> = said.iter().map(|message| &message.content[..]).collect();
    assert_eq!(said, ["Be brief.", "a", "A", "b", "B", "c"]);
}

#[test]
fn a_prompt_that_ends_the_daemon_runs_alone_and_is_given_up_at_last() {
    let mut office = Office::with_streams(2, |options| {
        options.store_directory = Some("not opened here".into());
    });
    let mut prompts = Vec::new();
    for id in ["a", "b", "c"] {
        office.ask(&format!(r#"{{"id":"{id}","prompt":"q"}}"#));
        prompts.extend(
            office
                .write()
                .into_iter()
                .filter_map(|change| match change {
                    Change::Take(record) => Some(record),
                    _ => None,
                }),
        );
    }
    let (b, all) = (prompts[1].seq, prompts.len());
    let after = |attempts| Contents {
        prompts: prompts.clone(),
        attempts: [(b, attempts)].into(),
        ..Contents::default()
    };
    let begun = |office: &mut Office| std::iter::from_fn(|| office.start()).collect::<Vec<_>>();
    let mut office = office.restarted(after(SUSPECT_AFTER - 1));
    assert_eq!(begun(&mut office).len(), 2, "beside each other");

    let mut office = office.restarted(after(SUSPECT_AFTER));
    for turn in 0..all {
        let orders = begun(&mut office);
        assert_eq!(orders.len(), 1, "turn {turn}");
        assert_eq!(orders[0].key.seq() == b, turn == 1);
        office.finish(&orders[0], Ok(completion("a")));
    }

    let mut office = office.restarted(after(GIVEN_UP_AFTER));
    assert!(begun(&mut office).iter().all(|order| order.key.seq() != b));
    office.write();
    assert_eq!(office.outcomes(), ["answer internal"]);
}

#[test]
fn where_a_prompt_stands_is_told() {
    let mut office = Office::with(|options| options.queue.jobs_max = 8);
    let told = |office: &mut Office, id: &str| {
        let topic = "thinkd/thinkd/position".to_owned();
        let question = Message {
            topic,
            ..message(id)
        };
        office.desk.message(question, office.now);
        let told = office.desk.ephemeral.pop().unwrap();
        assert_eq!(told.topic, format!("thinkd/thinkd/position/{id}"));
        String::from_utf8(told.payload.to_vec()).unwrap()
    };
    for id in ["a", "b", "c"] {
        office.ask(&format!(r#"{{"id":"{id}","prompt":"q"}}"#));
    }
    let order = office.start().unwrap();
    assert_eq!(told(&mut office, "a"), r#"{"id":"a","state":"running"}"#);
    let waiting = r#"{"id":"c","state":"waiting","position":1,"wait_s":15.0}"#;
    assert_eq!(told(&mut office, "c"), waiting);
    office.finish(&order, Ok(completion("a")));
    assert_eq!(told(&mut office, "a"), r#"{"id":"a","state":"answered"}"#);
    assert_eq!(told(&mut office, "z"), r#"{"id":"z","state":"unknown"}"#);
}

#[test]
fn an_alarm_is_ordered_though_all_streams_are_taken() {
    let mut office = Office::with(|options| options.queue.jobs_max = 8);
    office.ask("a report");
    office.ask("another");
    let report = office.start().unwrap();
    assert!(office.start().is_none());
    office.ask(r#"{"prompt":"an alarm","priority":"high"}"#);
    let alarm = office.start().unwrap();
    assert!(alarm.priority > report.priority);
    assert!(office.start().is_none());
    office.finish(&alarm, Ok(completion("a")));
    assert!(office.start().is_none(), "the report goes on first");
    office.finish(&report, Ok(completion("a")));
    assert!(office.start().is_some());
}

#[test]
fn answers_come_in_the_order_of_an_askers_prompts() {
    let mut office = Office::with_streams(3, |options| options.queue.jobs_max = 8);
    let asked = [("a", "me/1"), ("b", "me/1"), ("c", "me/2")];
    for (id, topic) in asked {
        office.ask(&format!(
            r#"{{"id":"{id}","prompt":"q","reply_to":"{topic}"}}"#
        ));
    }
    let orders: Vec<_> = (0..3).map(|_| office.start().unwrap()).collect();
    let order_of = |office: &Office, id: &str| {
        let running = office.desk.running.iter();
        running
            .map(|running| (running.job.id.clone(), running.job.key))
            .find(|(name, _)| name == id)
            .unwrap()
            .1
    };
    let keys = ["a", "b", "c"].map(|id| order_of(&office, id));
    let finish = |office: &mut Office, key| {
        let order = orders.iter().find(|order| order.key == key).unwrap();
        office.finish(order, Ok(completion("x")));
    };
    finish(&mut office, keys[1]);
    assert_eq!(office.outcomes(), [""; 0], "a is earlier");
    finish(&mut office, keys[2]);
    assert_eq!(office.outcomes(), ["me/2 ok"], "another asker");
    finish(&mut office, keys[0]);
    assert_eq!(office.outcomes(), ["me/1 ok", "me/1 ok"]);
}
