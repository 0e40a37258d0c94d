//! Prompts in: what they are called, where their answers go, whether they are known, whether there is room.

use std::time::{Duration, Instant};

use super::super::answered::Known;
use super::super::error::{Code, RequestError};
use super::super::fingerprint::fingerprint;
use super::super::inbox::DeliveryId;
use super::super::job::{Job, JobKey, ReplyTo};
use super::super::ledger::Release;
use super::super::mqtt::{self, Message, Refusal, Request, is_level, milliseconds};
use super::super::queue::QueueFull;
use super::super::store::{DeliveryMark, PromptRecord};
use super::Desk;

impl Desk {
    /// Takes a prompt, or refuses it; `client` is the name its topic gives.
    pub(super) fn ask(
        &mut self,
        message: &Message,
        client: Option<&str>,
        (delivery, mark): (Option<DeliveryId>, DeliveryMark),
        now: Instant,
    ) {
        if self.is_draining && delivery.is_some() && !self.options.mqtt.is_volatile {
            return; // Not acknowledged: the broker keeps it for the next start.
        }
        let misnamed = client.and_then(|name| mqtt::check_client(name).err());
        let parsed = mqtt::parse_from(client, &message.payload, &self.options.requests);
        let (id, reply_to) = match &parsed {
            Ok(Request { id, reply_to, .. }) => (id, reply_to),
            Err(refusal) => (&refusal.id, &refusal.reply_to),
        };
        let (id, is_named) = self.name(id.clone(), message);
        let (reply, misdirected) = self.reply(reply_to.clone(), message);
        let misnamed = misnamed.map(|error| RequestError::bad_request(error.to_string()));
        let parsed = match misnamed.or(misdirected) {
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
            publisher: client.map(str::to_owned),
            request,
            payload_hash: fingerprint(&[&message.payload]),
            payload: message.payload.clone(),
            payload_bytes: message.payload.len(),
            arrived: now,
            deliveries: delivery.into_iter().collect(),
            mark,
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
                format!("{name}-{:016x}", fingerprint(&[data]))
            })
        };
        match id.or_else(from_correlation) {
            Some(id) => (id, true),
            None => (
                format!("{:x}-{:x}", self.clock.started_ms(), self.last_key),
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
        let allowed = &self.options.mqtt.reply_topics_allowed;
        let checked = topic
            .as_deref()
            .map_or(Ok(()), |topic| self.topics().check_reply(topic, allowed));
        let error = checked.err();
        let error = error.map(|error| RequestError::bad_request(error.to_string()));
        let reply = ReplyTo {
            topic: topic.filter(|_| error.is_none()),
            correlation: message.correlation.clone(),
            user_properties: message.user_properties.clone(),
        };
        (reply, error)
    }

    fn admit(&mut self, mut job: Job, now: Instant) {
        if self.is_draining {
            let error = RequestError::new(Code::ModelUnavailable, "the daemon is stopping");
            return self.refuse_job(&job, &error);
        }
        if job.is_named && self.is_known(&mut job) {
            return;
        }
        if let Err(wait) = self.rates.take(job.asker(), now) {
            let most = self.options.prompts_per_minute_max.unwrap_or_default();
            let detail = format!("this client may ask {most} times a minute");
            let mut error = RequestError::new(Code::Throttled, detail);
            error.retry_after_s = Some(wait.as_secs() + 1);
            return self.refuse_job(&job, &error);
        }
        let is_held_by_broker = !job.deliveries.is_empty();
        // Whoever came first enters first, but for what is more urgent.
        let is_urgent = |first: &Job| first.request.priority >= job.request.priority;
        if is_held_by_broker
            && self.hall.iter().any(is_urgent)
            && self.has_room_in_hall(job.payload_bytes)
        {
            self.hall.push(job);
            return;
        }
        if let Err((job, full)) = self.enqueue(job, now) {
            if is_held_by_broker && self.has_room_in_hall(job.payload_bytes) {
                self.hall.push(*job);
                return;
            }
            let mut error = RequestError::new(Code::QueueFull, full.to_string());
            error.retry_after_s = Some(self.retry_after_s());
            self.refuse_job(&job, &error);
        }
    }

    /// Takes a job in where there is room; what it came with is acknowledged, and it may start, once it is stored.
    pub(super) fn enqueue(
        &mut self,
        mut job: Job,
        now: Instant,
    ) -> Result<(), (Box<Job>, QueueFull)> {
        if let Err(full) = self.queue.check(&job) {
            return Err((Box::new(job), full));
        }
        self.counts.prompts += 1;
        tracing::info!(
            job.id = %job.id, bytes = job.payload_bytes, waiting = self.queue.len() + 1,
            waited_ms = milliseconds(job.age(now)), "Prompt taken."
        );
        self.ledger.take(PromptRecord {
            seq: job.key.seq(),
            name: job.name(),
            payload: String::from_utf8_lossy(&job.payload).into_owned(),
            client: job.publisher.clone(),
            arrived_ms: self.clock.unix_ms(job.arrived),
            deadline_ms: job.request.deadline.map(milliseconds),
            delivery: job.mark,
        });
        self.unstored.insert(job.key);
        self.when_stored(Release::Start(job.key));
        // Where nothing is stored, the broker keeps the prompt until it has the answer.
        if self.options.is_stored() {
            for delivery in job.deliveries.drain(..) {
                self.when_stored(Release::Acknowledge(delivery));
            }
        }
        self.queue.push(job);
        Ok(())
    }

    /// Whether `job` was asked before under its name, in which case it is seen to.
    fn is_known(&mut self, job: &mut Job) -> bool {
        let topic = job.reply.topic.clone();
        let is_stored = self.options.is_stored();
        let conflict = if let Some((first, in_hall)) = self.first_called(topic.as_deref(), &job.id)
        {
            if first.payload_hash == job.payload_hash {
                if in_hall || !is_stored {
                    // They are acknowledged together.
                    first.deliveries.append(&mut job.deliveries);
                }
                self.counts.duplicates += 1;
                for delivery in job.deliveries.drain(..) {
                    self.when_stored(Release::Acknowledge(delivery));
                }
                return true;
            }
            "another prompt with this id is being answered"
        } else {
            match self
                .answered
                .find(topic.as_deref(), &job.id, job.payload_hash)
            {
                None => return false,
                Some(Known::Same(answer)) => {
                    self.counts.duplicates += 1;
                    let completes = std::mem::take(&mut job.deliveries);
                    self.send(&job.reply, answer, completes);
                    return true;
                }
                Some(Known::Other) => "another prompt with this id was answered",
            }
        };
        self.refuse_job(job, &RequestError::new(Code::Conflict, conflict));
        true
    }

    /// The job under this name that has no answer yet, and whether it waits in the hall.
    fn first_called(&mut self, topic: Option<&str>, id: &str) -> Option<(&mut Job, bool)> {
        let running = self
            .running
            .iter_mut()
            .map(|running| (&mut running.job, false));
        let hall = self.hall.iter_mut().map(|job| (job, true));
        let queued = self.queue.find(topic, id).map(|job| (job, false));
        let mut all = running.chain(hall).chain(queued);
        all.find(|(job, _)| job.is_called(topic, id))
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
