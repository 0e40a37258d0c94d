//! Answers and errors out.

use std::time::Instant;

use bytes::Bytes;

use super::super::answerer::AnswerError;
use super::super::error::{Code, RequestError};
use super::super::inbox::DeliveryId;
use super::super::job::{Job, ReplyTo};
use super::super::mqtt::{Answer, Publication, error_json, tokens_per_second};
use super::super::stream::Stream;
use super::{Desk, Running};
use crate::engine::Completion;

impl Desk {
    /// Refuses a job that did not get its turn; its message is done with at once.
    pub(super) fn refuse_job(&mut self, job: &Job, error: &RequestError) {
        let (id, reply, deliveries) = (&job.id, &job.reply, job.deliveries.clone());
        for delivery in &deliveries {
            self.inbox.done(*delivery);
        }
        self.refuse(id, reply, None, error);
        if job.request.stream {
            let now = job.arrived;
            let stream = Stream::new(self.topics().stream(id), id.clone(), job.request.think, now);
            self.ephemeral.extend(stream.finish(now));
        }
    }

    /// Refuses what did not become a job.
    pub(super) fn refuse(
        &mut self,
        id: &str,
        reply: &ReplyTo,
        delivery: Option<DeliveryId>,
        error: &RequestError,
    ) {
        self.counts.refusals += 1;
        tracing::info!(job.id = %id, code = ?error.code, detail = error.detail, "Request refused.");
        self.done(delivery);
        self.send(reply, error_json(id, error).into(), Vec::new());
    }

    /// Owes `payload` to whom it answers.
    pub(super) fn send(&mut self, reply: &ReplyTo, payload: Bytes, completes: Vec<DeliveryId>) {
        let topic = reply
            .topic
            .clone()
            .unwrap_or_else(|| self.topics().answer());
        let publication = Publication {
            correlation: reply.correlation.clone(),
            ..Publication::answer(topic, payload)
        };
        self.outbox.push(publication, completes);
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
        let took = now.saturating_duration_since(started);
        self.mean_job = Some(self.mean_job.map_or(took, |mean| (mean * 3 + took) / 4));
        match result {
            Ok(completion) => self.answer(job, &completion, started, now),
            Err(AnswerError::Refused(error)) => self.fail(&job, &error),
            Err(AnswerError::Failed(detail)) => {
                self.counts.failures += 1;
                tracing::error!(job.id = %job.id, error = detail, "The model failed.");
                self.fail(&job, &RequestError::new(Code::Internal, detail));
            }
        }
    }

    fn answer(&mut self, job: Job, completion: &Completion, started: Instant, now: Instant) {
        self.counts.answers += 1;
        self.tokens_per_s = tokens_per_second(completion);
        let queued = started.saturating_duration_since(job.arrived);
        let queue_ms = u64::try_from(queued.as_millis()).unwrap_or(u64::MAX);
        let (think, model) = (job.request.think, self.options.model.name.as_str());
        let answer = Answer::new(&job.id, completion, think, queue_ms, model);
        tracing::info!(
            job.id = %job.id, finish = ?answer.finish, tokens = answer.usage.thought + answer.usage.answer,
            seconds = job.age(now).as_secs_f64(), tokens_per_s = self.tokens_per_s, "Answer finished."
        );
        let json = Bytes::from(answer.to_json());
        let needed = Publication::answer(self.topics().answer(), json.clone()).packet_bytes();
        if needed > self.packet_bytes_max {
            let most = self.packet_bytes_max;
            let detail = format!("the answer takes {needed} bytes, the broker takes {most}");
            return self.fail(&job, &RequestError::new(Code::TooLarge, detail));
        }
        if let Some(session) = job.session() {
            let (messages, brings_system) =
                (&job.request.generation.messages, job.request.brings_system);
            let text = &completion.answer;
            self.sessions
                .record(&session, messages, brings_system, text, now);
        }
        if job.is_named {
            let name = (job.reply.topic.as_deref(), job.id.as_str());
            self.answered
                .keep(name, job.payload_hash, json.clone(), now);
        }
        if job.reply.topic.is_none() && !answer.text.is_empty() {
            let text = Publication::text(self.topics().answer_text(), answer.text.into_bytes());
            self.outbox.push(text, Vec::new());
        }
        self.send(&job.reply, json, job.deliveries);
    }

    /// An error of a job that had its turn; acknowledged when the broker has it.
    fn fail(&mut self, job: &Job, error: &RequestError) {
        self.counts.refusals += 1;
        tracing::info!(job.id = %job.id, code = ?error.code, detail = error.detail, "Request refused.");
        self.send(
            &job.reply,
            error_json(&job.id, error).into(),
            job.deliveries.clone(),
        );
    }
}
