//! Answers and errors out.

use std::time::Instant;

use bytes::Bytes;

use super::super::answerer::AnswerError;
use super::super::error::{Code, RequestError};
use super::super::inbox::DeliveryId;
use super::super::job::{Job, ReplyTo};
use super::super::ledger::Release;
use super::super::mqtt::{Answer, Publication, error_json, milliseconds};
use super::super::sessions::Spoken;
use super::super::store::{AnswerRecord, DeliveryMark, Name, Seq};
use super::super::stream::Stream;
use super::{Desk, Running};
use crate::engine::{Completion, FinishReason};

impl Desk {
    /// Refuses a job that was not taken; its messages are done with at once.
    pub(super) fn refuse_job(&mut self, job: &Job, error: &RequestError) {
        self.count_refusal(&job.id, error);
        self.end_stream(job);
        for delivery in &job.deliveries {
            self.inbox.done(*delivery);
        }
        self.send(&job.reply, error_json(&job.id, error).into(), Vec::new());
    }

    /// A stream that was wanted and never began ends all the same.
    fn end_stream(&mut self, job: &Job) {
        if job.request.stream {
            let (id, now) = (&job.id, job.arrived);
            let stream = Stream::new(self.topics().stream(id), id.clone(), job.request.think, now);
            self.ephemeral.extend(stream.finish(now));
        }
    }

    fn count_refusal(&mut self, id: &str, error: &RequestError) {
        self.counts.refusals += 1;
        tracing::info!(job.id = %id, code = ?error.code, detail = error.detail, "Request refused.");
    }

    /// Refuses what did not become a job.
    pub(super) fn refuse(
        &mut self,
        id: &str,
        reply: &ReplyTo,
        delivery: Option<DeliveryId>,
        error: &RequestError,
    ) {
        self.count_refusal(id, error);
        self.done(delivery);
        self.send(reply, error_json(id, error).into(), Vec::new());
    }

    /// Owes `payload`, which is stored nowhere or already delivered once, to whom it answers.
    pub(super) fn send(&mut self, reply: &ReplyTo, payload: Bytes, completes: Vec<DeliveryId>) {
        let publication = self.publication(reply, payload);
        self.outbox.push(publication, completes);
    }

    fn publication(&self, reply: &ReplyTo, payload: Bytes) -> Publication {
        let topic = reply
            .topic
            .clone()
            .unwrap_or_else(|| self.topics().answer());
        Publication {
            correlation: reply.correlation.clone(),
            user_properties: reply.user_properties.clone(),
            ..Publication::answer(topic, payload)
        }
    }

    /// Stores what a prompt is answered with, the bare text too where it is wanted, and owes it once it is stored.
    pub(super) fn settle(
        &mut self,
        ended: Ended,
        answer: Bytes,
        text: Option<String>,
        now: Instant,
    ) {
        let name = ended.name;
        let called = (name.topic.as_deref(), name.id.as_str());
        self.answered
            .keep(ended.seq, called, name.payload_hash, answer.clone(), now);
        self.ledger.settle(AnswerRecord {
            seq: ended.seq,
            name,
            answer: String::from_utf8_lossy(&answer).into_owned(),
            text: text.clone(),
            answered_ms: self.clock.unix_ms(now),
            is_owed: true,
            delivery: ended.mark,
        });
        self.push_text(text);
        let answer = self.publication(&ended.reply, answer);
        let key = self
            .outbox
            .push_answer(answer, ended.completes, ended.seq, true);
        self.when_stored(Release::Publish(key));
        self.forget_old_answers(now);
    }

    /// Owes a stored answer again.
    pub(super) fn owe_again(
        &mut self,
        seq: Seq,
        reply: &ReplyTo,
        answer: Bytes,
        text: Option<String>,
    ) {
        self.push_text(text);
        let answer = self.publication(reply, answer);
        self.outbox.push_answer(answer, Vec::new(), seq, false);
    }

    /// The bare text goes before the answer, which is what counts.
    fn push_text(&mut self, text: Option<String>) {
        if let Some(text) = text {
            let text = Publication::text(self.topics().answer_text(), text.into_bytes());
            self.outbox.push(text, Vec::new());
        }
    }

    /// The worker is done with a job.
    pub(super) fn finished(
        &mut self,
        running: Running,
        result: Result<Completion, AnswerError>,
        now: Instant,
    ) {
        let Running {
            job,
            stream,
            started,
            ..
        } = running;
        if let Some(stream) = stream {
            self.ephemeral.extend(stream.finish(now));
        }
        let is_left = self.is_cut_short && self.options.is_stored();
        let is_partial =
            |completion: &Completion| completion.finish_reason == FinishReason::Cancelled;
        if is_left && result.as_ref().is_ok_and(is_partial) {
            tracing::info!(job.id = %job.id, "The answer was cut short; it is made after the next start.");
            return;
        }
        let took = now.saturating_duration_since(started);
        self.mean_job = Some(self.mean_job.map_or(took, |mean| (mean * 3 + took) / 4));
        match result {
            Ok(completion) => self.answer(job, &completion, started, now),
            Err(AnswerError::Refused(error)) => self.fail(job, &error, now),
            Err(AnswerError::Failed(detail)) => {
                self.counts.failures += 1;
                tracing::error!(job.id = %job.id, error = detail, "The model failed.");
                self.fail(job, &RequestError::new(Code::Internal, detail), now);
            }
        }
    }

    fn answer(&mut self, job: Job, completion: &Completion, started: Instant, now: Instant) {
        self.counts.answers += 1;
        let queue_ms = milliseconds(started.saturating_duration_since(job.arrived));
        let (think, model) = (job.request.think, self.options.model.name.as_str());
        let answer = Answer::new(&job.id, completion, think, queue_ms, model);
        self.measured.answered(&answer);
        tracing::info!(
            job.id = %job.id, finish = ?answer.finish, tokens = answer.usage.thought + answer.usage.answer,
            seconds = job.age(now).as_secs_f64(), tokens_per_s = answer.timing.tokens_per_s, "Answer finished."
        );
        let json = Bytes::from(answer.to_json());
        let needed = Publication::answer(self.topics().answer(), json.clone()).packet_bytes();
        if needed > self.packet_bytes_max {
            let most = self.packet_bytes_max;
            let detail = format!("the answer takes {needed} bytes, the broker takes {most}");
            return self.fail(job, &RequestError::new(Code::TooLarge, detail), now);
        }
        self.remember_turn(&job, &completion.answer, now);
        let wants_text = job.reply.topic.is_none() && !answer.text.is_empty();
        let text = wants_text.then_some(answer.text);
        self.settle(Ended::from(job), json, text, now);
    }

    /// The session that the job is of, if it is of one, goes on from it.
    fn remember_turn(&mut self, job: &Job, answer: &str, now: Instant) {
        let Some(session) = job.session() else { return };
        let spoken = Spoken {
            seq: job.key.seq(),
            session: &session,
            messages: &job.request.generation.messages,
            brings_system: job.request.brings_system,
            answer,
        };
        let answered_ms = self.clock.unix_ms(now);
        let (turn, forgotten) = self.sessions.record(&spoken, now, answered_ms);
        self.ledger.remember(turn);
        self.forget_turns(forgotten, now);
    }

    pub(super) fn forget_turns(&mut self, turns: Vec<Seq>, now: Instant) {
        for seq in turns {
            self.ledger.forget_turn(seq, now);
        }
    }

    /// Ends a job that was taken with an error.
    pub(super) fn fail(&mut self, job: Job, error: &RequestError, now: Instant) {
        self.unstored.remove(&job.key);
        self.count_refusal(&job.id, error);
        self.end_stream(&job);
        let json = error_json(&job.id, error).into();
        self.settle(Ended::from(job), json, None, now);
    }
}

/// What is left of a prompt that has its answer.
pub(super) struct Ended {
    pub(super) seq: Seq,
    pub(super) name: Name,
    pub(super) mark: DeliveryMark,
    pub(super) reply: ReplyTo,
    /// Messages to acknowledge when the broker has the answer.
    pub(super) completes: Vec<DeliveryId>,
}

impl From<Job> for Ended {
    fn from(job: Job) -> Self {
        Self {
            seq: job.key.seq(),
            name: job.name(),
            mark: job.mark,
            reply: job.reply,
            completes: job.deliveries,
        }
    }
}
