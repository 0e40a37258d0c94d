//! Prompts in: what they are called, where their answers go, whether they are known, whether there is room.

use std::time::{Duration, Instant};

use super::super::answered::Known;
use super::super::error::{Code, RequestError};
use super::super::inbox::DeliveryId;
use super::super::job::{Job, JobKey, ReplyTo};
use super::super::mqtt::{self, Message, Refusal, Request, is_level};
use super::{Desk, hash};

impl Desk {
    /// Takes a prompt, or refuses it; `client` is the name its topic gives.
    pub(super) fn ask(
        &mut self,
        message: &Message,
        client: Option<&str>,
        delivery: Option<DeliveryId>,
        now: Instant,
    ) {
        if self.is_draining && delivery.is_some() && !self.options.mqtt.is_volatile {
            return; // Not acknowledged: the broker keeps it for the next start.
        }
        let parsed = mqtt::parse_from(client, &message.payload, &self.options.requests);
        let (id, reply_to) = match &parsed {
            Ok(Request { id, reply_to, .. }) => (id, reply_to),
            Err(refusal) => (&refusal.id, &refusal.reply_to),
        };
        let (id, is_named) = self.name(id.clone(), message);
        let (reply, misdirected) = self.reply(reply_to.clone(), message);
        let parsed = match misdirected {
            Some(error) => Err(error),
            None => parsed.map_err(|refusal: Box<Refusal>| refusal.error),
        };
        let mut request = match parsed {
            Ok(request) => request,
            Err(error) => return self.refuse(&id, &reply, delivery, &error),
        };
        if message.expiry.is_some() && request.deadline == self.options.requests.deadline {
            request.deadline = message.expiry;
        }
        let job = Job {
            key: JobKey(self.last_key),
            id,
            is_named,
            reply,
            request,
            payload_hash: hash(&message.payload),
            payload_bytes: message.payload.len(),
            arrived: now,
            deliveries: delivery.into_iter().collect(),
        };
        self.admit(job, now);
    }

    /// The payload's id, else the correlation data, else one of ours; and whether the asker chose it.
    fn name(&mut self, id: Option<String>, message: &Message) -> (String, bool) {
        self.last_key += 1;
        let from_correlation = || {
            let data = message
                .correlation
                .as_ref()
                .filter(|data| !data.is_empty())?;
            let text = std::str::from_utf8(data).ok().filter(|text| is_level(text));
            let hexadecimal = || {
                data.iter()
                    .take(32)
                    .map(|byte| format!("{byte:02x}"))
                    .collect()
            };
            let name: String = text.map_or_else(hexadecimal, str::to_owned);
            // Longer data than is shown still makes names of their own.
            Some(if text.is_some() || data.len() <= 32 {
                name
            } else {
                format!("{name}-{:016x}", hash(data))
            })
        };
        match id.or_else(from_correlation) {
            Some(id) => (id, true),
            None => (
                format!("{:x}-{:x}", std::process::id(), self.last_key),
                false,
            ),
        }
    }

    /// Where the answer goes; what is wrong with where it was wanted, in which case it goes where all answers go.
    fn reply(
        &self,
        reply_to: Option<String>,
        message: &Message,
    ) -> (ReplyTo, Option<RequestError>) {
        let topic = reply_to.or_else(|| message.response_topic.clone());
        let correlation = message.correlation.clone();
        let allowed = &self.options.mqtt.reply_topics_allowed;
        let checked = topic
            .as_deref()
            .map_or(Ok(()), |topic| self.topics().check_reply(topic, allowed));
        match checked {
            Ok(()) => (ReplyTo { topic, correlation }, None),
            Err(error) => {
                let error = RequestError::bad_request(error.to_string());
                (
                    ReplyTo {
                        topic: None,
                        correlation,
                    },
                    Some(error),
                )
            }
        }
    }

    fn admit(&mut self, mut job: Job, now: Instant) {
        if self.is_draining {
            let error = RequestError::new(Code::ModelUnavailable, "the daemon is stopping");
            return self.refuse_job(&job, &error);
        }
        if job.is_named && self.is_known(&mut job, now) {
            return;
        }
        let (id, bytes) = (job.id.clone(), job.payload_bytes);
        match self.queue.admit(job) {
            Ok(()) => {
                self.counts.prompts += 1;
                tracing::info!(job.id = %id, bytes, waiting = self.queue.len(), "Prompt taken.");
            }
            Err((job, full)) => {
                let mut error = RequestError::new(Code::QueueFull, full.to_string());
                error.retry_after_s = Some(self.retry_after_s());
                self.refuse_job(&job, &error);
            }
        }
    }

    /// Whether `job` was asked before under its name, in which case it is seen to.
    fn is_known(&mut self, job: &mut Job, now: Instant) -> bool {
        let topic = job.reply.topic.clone();
        let running = self.running.as_mut().map(|running| &mut running.job);
        let same = running.filter(|running| running.is_called(topic.as_deref(), &job.id));
        let conflict =
            if let Some(first) = same.or_else(|| self.queue.find(topic.as_deref(), &job.id)) {
                if first.payload_hash == job.payload_hash {
                    first.deliveries.append(&mut job.deliveries);
                    self.counts.duplicates += 1;
                    return true;
                }
                "another prompt with this id is being answered"
            } else {
                match self
                    .answered
                    .find(topic.as_deref(), &job.id, job.payload_hash, now)
                {
                    None => return false,
                    Some(Known::Same(answer)) => {
                        self.counts.duplicates += 1;
                        self.send(&job.reply, answer, job.deliveries.clone());
                        return true;
                    }
                    Some(Known::Other) => "another prompt with this id was answered",
                }
            };
        self.refuse_job(job, &RequestError::new(Code::Conflict, conflict));
        true
    }

    fn retry_after_s(&self) -> u64 {
        let jobs = u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        let wait = self
            .mean_job
            .unwrap_or(Duration::from_secs(10))
            .saturating_mul(jobs);
        (wait.as_secs() / 2).clamp(1, 3600)
    }
}
