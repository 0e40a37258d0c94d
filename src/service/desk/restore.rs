//! What an earlier process left: prompts to answer, answers owed, answers to remember.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::super::attempts::{GIVEN_UP_AFTER, SUSPECT_AFTER};
use super::super::error::{Code, RequestError};
use super::super::job::{Job, JobKey, ReplyTo};
use super::super::mqtt;
use super::super::store::{AnswerRecord, Contents, DeliveryMark, Name, PromptRecord, Seq};
use super::Desk;
use super::outcome::Ended;

impl Desk {
    /// Takes up what the store holds. To be called before anything else.
    pub(in crate::service) fn restore(&mut self, contents: Contents, now: Instant) {
        let (prompts, answers) = (contents.prompts.len(), contents.answers.len());
        self.counts.damaged_records = contents.damaged;
        let mut marks: Vec<(Seq, DeliveryMark)> = Vec::new();
        for record in contents.answers {
            marks.push((record.seq, record.delivery));
            self.restore_answer(record);
        }
        for record in contents.prompts {
            marks.push((record.seq, record.delivery));
            let attempts = contents.attempts.get(&record.seq).copied();
            self.restore_prompt(record, attempts.unwrap_or_default(), now);
        }
        marks.sort_unstable_by_key(|(seq, _)| *seq);
        let last = marks.last().map(|(seq, _)| *seq);
        let last_turn = contents.turns.last().map(|turn| turn.seq);
        self.last_key = last.max(last_turn).map_or(0, |seq| seq.0);
        for turn in contents.turns {
            let used = self.clock.instant(turn.answered_ms);
            let forgotten = self.sessions.restore(turn, used);
            self.forget_turns(forgotten, now);
        }
        for (_, mark) in marks.into_iter().filter(|(_, mark)| mark.packet_id != 0) {
            self.inbox.remember(mark);
        }
        if prompts + answers > 0 {
            tracing::info!(prompts, answers, "Taken up from the store.");
        }
    }

    fn restore_answer(&mut self, record: AnswerRecord) {
        let answer = Bytes::from(record.answer);
        let name = (record.name.topic.as_deref(), record.name.id.as_str());
        let at = self.clock.instant(record.answered_ms);
        self.answered.keep(
            record.seq,
            name,
            record.name.payload_hash,
            answer.clone(),
            at,
        );
        if record.is_owed {
            let reply = reply_of(&record.name);
            self.owe_again(record.seq, &reply, answer, record.text);
        }
    }

    /// Takes up a prompt that was begun `attempts` times without an end.
    fn restore_prompt(&mut self, record: PromptRecord, attempts: u32, now: Instant) {
        if attempts >= GIVEN_UP_AFTER {
            let detail = format!(
                "the daemon ended {attempts} times while it worked on this prompt; it is given up"
            );
            tracing::error!(job.id = %record.name.id, attempts, "A prompt is given up: each time it was begun the daemon ended.");
            return self.settle_restored(record, &RequestError::new(Code::Internal, detail), now);
        }
        if attempts >= SUSPECT_AFTER {
            tracing::warn!(job.id = %record.name.id, attempts, "The daemon ended while it worked on this prompt; it is answered alone.");
            self.suspects.insert(JobKey(record.seq.0));
        }
        let arrived = self.clock.instant(record.arrived_ms);
        let payload = record.payload.as_bytes();
        let parsed = mqtt::parse_from(record.client.as_deref(), payload, &self.options.requests);
        let mut request = match parsed {
            Ok(request) => request,
            Err(refusal) => {
                // It was one when it was taken: the settings have changed since.
                let detail = format!(
                    "it was taken before the settings changed, and now: {}",
                    refusal.error.detail
                );
                let error = RequestError::new(Code::BadRequest, detail);
                return self.settle_restored(record, &error, now);
            }
        };
        let payload = Bytes::from(record.payload);
        request.deadline = record.deadline_ms.map(Duration::from_millis);
        let job = Job {
            key: JobKey(record.seq.0),
            reply: reply_of(&record.name),
            id: record.name.id,
            is_named: record.name.is_named,
            publisher: record.client,
            request,
            payload_hash: record.name.payload_hash,
            payload_bytes: payload.len(),
            payload,
            arrived,
            deliveries: Vec::new(),
            mark: record.delivery,
        };
        // There is always room for what was taken once.
        self.queue.push(job);
    }

    /// Answers a prompt with an error before it is a job.
    fn settle_restored(&mut self, record: PromptRecord, error: &RequestError, now: Instant) {
        let json = mqtt::error_json(&record.name.id, error).into();
        let ended = Ended {
            seq: record.seq,
            reply: reply_of(&record.name),
            name: record.name,
            mark: record.delivery,
            completes: Vec::new(),
        };
        self.settle(ended, json, None, now);
    }
}

fn reply_of(name: &Name) -> ReplyTo {
    ReplyTo {
        topic: name.topic.clone(),
        correlation: name.correlation.clone().map(Bytes::from),
        user_properties: name.user_properties.clone(),
    }
}
