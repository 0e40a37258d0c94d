//! The front desk: messages in, orders for the worker, answers out. A state machine without I/O or clock.
//!
//! What survives what, in this form: a prompt that came with quality of service 1 is acknowledged when the broker has
//! its answer (or at once when it is refused), so a crash of the daemon makes the broker send it again to the next one.
//! Within one process no such repetition is computed twice, and an id that was answered gets the same answer again as
//! long as it is remembered ([`super::Options::answered`]). What is only in memory (that remembrance, prompts sent with
//! quality of service 0) dies with the process.

mod intake;
mod outcome;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answered::Answered;
use super::error::{Code, RequestError};
use super::inbox::{DeliveryId, Inbox, Received};
use super::job::Job;
use super::mqtt::{Inbound, Message, Publication, Topics};
use super::options::Options;
use super::outbox::{OutKey, Outbox};
use super::queue::Queue;
use super::sessions::Sessions;
use super::status::{Counts, QueueStatus, Snapshot};
use super::stream::Stream;
use super::worker::{JobControl, WorkOrder, Worker, WorkerEvent};

/// The job that is being answered.
#[derive(Debug)]
struct Running {
    job: Job,
    control: Arc<JobControl>,
    stream: Option<Stream>,
    started: Instant,
}

/// All that the service knows.
#[derive(Debug)]
pub(super) struct Desk {
    options: Options,
    queue: Queue,
    sessions: Sessions,
    running: Option<Running>,
    answered: Answered,
    pub(super) inbox: Inbox,
    pub(super) outbox: Outbox,
    /// To be sent once, lost where there is no connection.
    pub(super) ephemeral: Vec<Publication>,
    pub(super) counts: Counts,
    /// Largest packet the broker takes.
    packet_bytes_max: usize,
    is_draining: bool,
    last_key: u64,
    tokens_per_s: f64,
    mean_job: Option<Duration>,
}

impl Desk {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            queue: Queue::new(options.queue),
            sessions: Sessions::new(options.sessions),
            running: None,
            answered: Answered::new(options.answered),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            ephemeral: Vec::new(),
            counts: Counts::default(),
            packet_bytes_max: usize::MAX,
            is_draining: false,
            last_key: 0,
            tokens_per_s: 0.0,
            mean_job: None,
        }
    }

    fn topics(&self) -> &Topics {
        &self.options.mqtt.topics
    }

    /// A connection is there.
    pub(super) fn connected(&mut self, has_session: bool, packet_bytes_max: usize) {
        self.inbox.connected(has_session);
        self.packet_bytes_max = packet_bytes_max;
    }

    /// There is no connection any more.
    pub(super) fn disconnected(&mut self) {
        self.inbox.disconnected();
        self.outbox.disconnected();
        self.ephemeral.clear();
    }

    /// The broker has a message of ours, or says why it will not have it.
    pub(super) fn acknowledged(&mut self, key: OutKey, refused: Option<&str>) {
        if let Some(reason) = refused {
            self.counts.undeliverable += 1;
            tracing::warn!(reason, "The broker refuses an answer.");
        }
        for delivery in self.outbox.acknowledged(key) {
            self.inbox.done(delivery);
        }
    }

    /// Takes what came.
    pub(super) fn message(&mut self, message: Message, now: Instant) {
        let fingerprint = hash(&(&message.topic, &message.payload, &message.correlation));
        let delivery = match message.packet_id {
            None => None,
            Some(packet_id) => {
                match self
                    .inbox
                    .receive(packet_id, fingerprint, message.is_repeat)
                {
                    Received::New(delivery) => Some(delivery),
                    Received::Again => {
                        self.counts.duplicates += 1;
                        return;
                    }
                }
            }
        };
        match self.topics().parse(&message.topic) {
            // What the broker kept from earlier would be asked again at every start.
            _ if message.is_retained => {
                tracing::warn!(topic = message.topic, "A retained message was ignored.");
                self.done(delivery);
            }
            Some(Inbound::Ask(client)) => self.ask(&message, client, delivery, now),
            Some(Inbound::Cancel) => {
                self.done(delivery);
                self.cancel(&message);
            }
            None => self.done(delivery),
        }
    }

    fn done(&mut self, delivery: Option<DeliveryId>) {
        if let Some(delivery) = delivery {
            self.inbox.done(delivery);
        }
    }

    fn cancel(&mut self, message: &Message) {
        let wanted = String::from_utf8_lossy(&message.payload).trim().to_owned();
        let is_all = wanted == "all";
        let waiting = if is_all {
            self.queue.take_all()
        } else {
            self.queue.take_called(&wanted)
        };
        tracing::info!(job.id = %wanted.chars().take(128).collect::<String>(), waiting = waiting.len(), "Cancelled.");
        for job in waiting {
            let detail = "it was cancelled while it waited";
            self.refuse_job(&job, &RequestError::new(Code::Cancelled, detail));
        }
        if let Some(running) = self
            .running
            .as_ref()
            .filter(|running| is_all || running.job.id == wanted)
        {
            running.control.cancel();
        }
    }

    /// The next order, where the worker has nothing to do and something waits.
    pub(super) fn next_order(&mut self, worker: &Worker, now: Instant) -> Option<WorkOrder> {
        self.refuse_expired(now);
        if self.running.is_some() || self.is_draining {
            return None;
        }
        // One prompt runs at a time, so no other turn of any session does.
        let job = self.queue.next(|_| true)?;
        let mut generation = job.request.generation.clone();
        if let Some(session) = job.session() {
            let (turn, brings_system) = (&generation.messages, job.request.brings_system);
            generation.messages = self.sessions.compose(&session, turn, brings_system, now);
        }
        let control = worker.control(job.deadline());
        let stream = job.request.stream.then(|| {
            Stream::new(
                self.topics().stream(&job.id),
                job.id.clone(),
                job.request.think,
                now,
            )
        });
        let order = WorkOrder {
            key: job.key,
            generation,
            wants_pieces: stream.is_some(),
            control: Arc::clone(&control),
        };
        self.running = Some(Running {
            job,
            control,
            stream,
            started: now,
        });
        Some(order)
    }

    fn refuse_expired(&mut self, now: Instant) {
        for job in self.queue.take_expired(now) {
            let waited = job.age(now).as_secs();
            let detail = format!("it waited {waited} s and did not get its turn in time");
            self.refuse_job(&job, &RequestError::new(Code::Expired, detail));
        }
    }

    /// Takes what the worker tells.
    pub(super) fn worker_event(&mut self, event: WorkerEvent, now: Instant) {
        match event {
            WorkerEvent::Piece(key, kind, text) => {
                let running = self
                    .running
                    .as_mut()
                    .filter(|running| running.job.key == key);
                if let Some(stream) = running.and_then(|running| running.stream.as_mut()) {
                    self.ephemeral.extend(stream.push(kind, &text, now));
                }
            }
            WorkerEvent::Finished(key, result) => {
                if let Some(running) = self.running.take_if(|running| running.job.key == key) {
                    self.finished(running, result, now);
                }
            }
            WorkerEvent::Lost(_) => {}
        }
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Instant) {
        self.refuse_expired(now);
        self.sessions.expire(now);
        if let Some(stream) = self
            .running
            .as_mut()
            .and_then(|running| running.stream.as_mut())
        {
            self.ephemeral.extend(stream.tick(now));
        }
    }

    /// Takes nothing new any more. What waits stays with the broker, where it keeps it; it is refused otherwise.
    pub(super) fn drain(&mut self) {
        self.is_draining = true;
        for job in self.queue.take_all() {
            if job.deliveries.is_empty() || self.options.mqtt.is_volatile {
                let error = RequestError::new(Code::ModelUnavailable, "the daemon is stopping");
                self.refuse_job(&job, &error);
            }
        }
    }

    /// Cuts the answer under way short.
    pub(super) fn cut_short(&self) {
        if let Some(running) = &self.running {
            running.control.cancel();
        }
    }

    /// Whether an answer is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    /// Whether the broker has all it is owed: answers, and our word for what they answer.
    pub(super) fn is_settled(&self) -> bool {
        self.outbox.is_empty() && !self.inbox.has_work()
    }

    /// What is done now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let job = self.running.as_ref().map(|running| running.job.id.clone());
        let state = match (self.is_draining, &job) {
            (true, _) => "stopping",
            (false, Some(_)) => "busy",
            (false, None) => "idle",
        };
        let (jobs, bytes) = (self.queue.len(), self.queue.bytes());
        let queue = QueueStatus {
            jobs,
            jobs_max: self.options.queue.jobs_max,
            bytes,
        };
        Snapshot {
            state,
            job,
            queue,
            tokens_per_s: self.tokens_per_s,
            counts: self.counts,
        }
    }
}

/// Tells contents apart within this process.
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
