//! The front desk: messages in, orders for the worker, answers out. A state machine without I/O or clock.
//!
//! What survives what: a prompt is stored before it is acknowledged, and its answer is stored before it is sent
//! ([`super::store`]), so both outlive the daemon. What waits for the store is in the ledger. A prompt for which there is
//! no room waits unacknowledged in the hall, as many as the broker may have in flight; all others wait at the broker.
//! A request that is refused is acknowledged at once, and is stored nowhere. Where nothing is stored
//! ([`Options::store_directory`]), a prompt is acknowledged when the broker has its answer.

mod hall;
mod intake;
mod outcome;
mod position;
mod restore;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answered::Answered;
use super::answerer::AnswerError;
use super::clock::Clock;
use super::error::{Code, RequestError};
use super::fingerprint::fingerprint;
use super::inbox::{DeliveryId, Inbox, Received};
use super::job::{Job, JobKey};
use super::ledger::{Ledger, Release};
use super::measured::Measured;
use super::mqtt::{Inbound, Message, Publication, Topics};
use super::options::Options;
use super::outbox::{OutKey, Outbox};
use super::ping::pong;
use super::queue::Queue;
use super::rates::Rates;
use super::sessions::Sessions;
use super::status::{Counts, QueueStatus, Snapshot};
use super::store::{Batch, DeliveryMark, Seq, StoreEvent};
use super::stream::Stream;
use super::worker::{JobControl, WorkOrder, Worker, WorkerEvent};
use crate::engine::Completion;

/// The job that is being answered.
#[derive(Debug)]
struct Running {
    job: Job,
    control: Arc<JobControl>,
    stream: Option<Stream>,
    started: Instant,
    /// What came of it, while an earlier prompt of the same asker is still under way.
    result: Option<Result<Completion, AnswerError>>,
}

/// All that the service knows.
#[derive(Debug)]
pub(super) struct Desk {
    options: Options,
    queue: Queue,
    rates: Rates,
    /// Prompts without room, not acknowledged and not stored.
    hall: Vec<Job>,
    /// Jobs of the queue that are not on disk yet.
    unstored: HashSet<JobKey>,
    /// Jobs that were begun so often without an end that they may be what ends the daemon: each runs alone.
    suspects: HashSet<JobKey>,
    running: Vec<Running>,
    sessions: Sessions,
    answered: Answered,
    pub(super) ledger: Ledger,
    /// Answers that need not be known any more once they are delivered.
    forgettable: HashSet<Seq>,
    pub(super) inbox: Inbox,
    pub(super) outbox: Outbox,
    /// To be sent once, lost where there is no connection.
    pub(super) ephemeral: Vec<Publication>,
    pub(super) counts: Counts,
    /// What answers took.
    pub(super) measured: Measured,
    /// To be sent again: what Home Assistant is to know of us.
    pub(super) is_introduction_wanted: bool,
    /// Largest packet the broker takes.
    packet_bytes_max: usize,
    is_draining: bool,
    is_cut_short: bool,
    last_key: u64,
    clock: Clock,
    mean_job: Option<Duration>,
    /// Prompts that the worker answers at once.
    streams: usize,
}

impl Desk {
    pub(super) fn new(options: &Options, clock: Clock) -> Self {
        Self {
            options: options.clone(),
            queue: Queue::new(options.queue),
            rates: Rates::new(options.prompts_per_minute_max),
            hall: Vec::new(),
            unstored: HashSet::new(),
            suspects: HashSet::new(),
            running: Vec::new(),
            sessions: Sessions::new(options.sessions),
            answered: Answered::new(options.answered),
            ledger: Ledger::new(options.is_stored()),
            forgettable: HashSet::new(),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            ephemeral: Vec::new(),
            counts: Counts::default(),
            measured: Measured::default(),
            is_introduction_wanted: false,
            packet_bytes_max: usize::MAX,
            is_draining: false,
            is_cut_short: false,
            last_key: 0,
            clock,
            mean_job: None,
            streams: 1,
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
        self.drop_ephemeral();
    }

    /// Nothing of what is sent once can be sent.
    pub(super) fn drop_ephemeral(&mut self) {
        for publication in std::mem::take(&mut self.ephemeral) {
            self.was_dropped(&publication);
        }
    }

    /// What is sent once was not: a stream whose chunk it is goes on no more.
    pub(super) fn was_dropped(&mut self, publication: &Publication) {
        let streams = self
            .running
            .iter_mut()
            .filter_map(|running| running.stream.as_mut());
        for stream in streams.filter(|stream| stream.topic() == publication.topic) {
            stream.lost_one();
        }
    }

    /// The broker has a message of ours, or says why it will not have it.
    pub(super) fn acknowledged(&mut self, key: OutKey, refused: Option<&str>, now: Instant) {
        if let Some(reason) = refused {
            self.counts.undeliverable += 1;
            tracing::warn!(reason, "The broker refuses an answer.");
        }
        let done = self.outbox.acknowledged(key);
        for delivery in done.completes {
            self.inbox.done(delivery);
        }
        match done.delivers {
            Some(seq) if self.forgettable.remove(&seq) => self.ledger.forget(seq, now),
            Some(seq) => self.ledger.delivered(seq, now),
            None => {}
        }
    }

    /// What is to be written now, if anything.
    pub(super) fn next_batch(&mut self, now: Instant) -> Option<Batch> {
        let is_ending = self.is_draining && !self.is_busy();
        self.ledger.next_batch(now, is_ending)
    }

    /// Takes what the store tells; why it can go on no more.
    pub(super) fn store_event(&mut self, event: StoreEvent) -> Result<(), String> {
        match event {
            StoreEvent::Committed(number) => {
                let released = self.ledger.committed(number);
                released
                    .into_iter()
                    .for_each(|release| self.release(release));
            }
            StoreEvent::Full(batch) => self.storage_full(batch),
            StoreEvent::Failed(reason) => return Err(reason),
        }
        Ok(())
    }

    /// Does what waited for the store.
    fn release(&mut self, release: Release) {
        match release {
            Release::Acknowledge(delivery) => self.inbox.done(delivery),
            Release::Start(key) => {
                self.unstored.remove(&key);
            }
            Release::Publish(key) => self.outbox.release(key),
        }
    }

    /// Lets `release` wait for all that was done so far.
    fn when_stored(&mut self, release: Release) {
        if let Some(release) = self.ledger.after_all(release) {
            self.release(release);
        }
    }

    /// The prompts of the batch cannot be kept: they are refused.
    fn storage_full(&mut self, batch: Batch) {
        let (refused, released) = self.ledger.refused(batch);
        released
            .into_iter()
            .for_each(|release| self.release(release));
        let keys: Vec<JobKey> = refused.iter().map(|seq| JobKey(seq.0)).collect();
        let mut error = RequestError::new(
            Code::StorageFull,
            "the board's disk has no room for another prompt",
        );
        error.retry_after_s = Some(60);
        for job in self.queue.take_keys(&keys) {
            self.refuse_job(&job, &error);
        }
    }

    /// Takes what came.
    pub(super) fn message(&mut self, message: Message, now: Instant) {
        let fingerprint = fingerprint(&[
            message.topic.as_bytes(),
            &message.payload,
            message.correlation.as_deref().unwrap_or_default(),
        ]);
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
            Some(Inbound::Ask(client)) => {
                let mark = DeliveryMark {
                    packet_id: message.packet_id.unwrap_or_default(),
                    fingerprint,
                };
                self.ask(&message, client, (delivery, mark), now);
            }
            Some(Inbound::Cancel) => {
                self.done(delivery);
                self.cancel(&message, now);
            }
            Some(Inbound::Ping) => {
                self.done(delivery);
                let pong = pong(&message, &self.options);
                self.ephemeral.extend(pong);
            }
            Some(Inbound::Position) => {
                self.done(delivery);
                self.tell_position(&message);
            }
            Some(Inbound::HomeAssistant) => {
                self.done(delivery);
                self.is_introduction_wanted |= message.payload == "online";
            }
            None => self.done(delivery),
        }
    }

    fn done(&mut self, delivery: Option<DeliveryId>) {
        if let Some(delivery) = delivery {
            self.inbox.done(delivery);
        }
    }

    fn cancel(&mut self, message: &Message, now: Instant) {
        let wanted = String::from_utf8_lossy(&message.payload).trim().to_owned();
        let is_all = wanted == "all";
        let is_meant = |job: &Job| is_all || job.id == wanted;
        let hall = self.take_from_hall(is_meant);
        let waiting = if is_all {
            self.queue.take_all()
        } else {
            self.queue.take_called(&wanted)
        };
        tracing::info!(job.id = %wanted.chars().take(128).collect::<String>(), waiting = hall.len() + waiting.len(), "Cancelled.");
        let error = RequestError::new(Code::Cancelled, "it was cancelled while it waited");
        hall.iter().for_each(|job| self.refuse_job(job, &error));
        waiting
            .into_iter()
            .for_each(|job| self.fail(job, &error, now));
        for running in self.running.iter().filter(|running| is_meant(&running.job)) {
            running.control.cancel();
        }
    }

    /// The next order, where the worker can do more and something waits.
    pub(super) fn next_order(&mut self, worker: &Worker, now: Instant) -> Option<WorkOrder> {
        self.refuse_expired(now);
        self.enter_from_hall(now);
        if self.is_draining {
            return None;
        }
        self.streams = worker.streams();
        let job = self.next_job()?;
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
            priority: job.request.priority,
            generation,
            wants_pieces: stream.is_some(),
            control: Arc::clone(&control),
        };
        self.running.push(Running {
            job,
            control,
            stream,
            started: now,
            result: None,
        });
        Some(order)
    }

    /// The next job for the worker. Where all its streams are taken, only one that is more urgent than one under
    /// way, which is put aside for it. One turn of a session at a time, and a suspect alone.
    fn next_job(&mut self) -> Option<Job> {
        let is_suspect = |job: &Job| self.suspects.contains(&job.key);
        if self.running.iter().any(|running| is_suspect(&running.job)) {
            return None;
        }
        let is_quiet = self.running.is_empty();
        let mut waits_for_quiet = false;
        let working = self
            .running
            .iter()
            .filter(|running| running.result.is_none());
        let is_full = working.clone().count() >= self.streams;
        let least = working.map(|running| running.job.request.priority).min();
        let sessions: Vec<_> = self
            .running
            .iter()
            .filter_map(|running| running.job.session())
            .collect();
        let unstored = &self.unstored;
        self.queue.next(|job| {
            let is_urgent = !is_full || least.is_some_and(|least| job.request.priority > least);
            let waits = || {
                job.session()
                    .is_some_and(|session| sessions.contains(&session))
            };
            let has_turn = is_urgent && !unstored.contains(&job.key) && !waits();
            waits_for_quiet |= has_turn && !is_quiet && is_suspect(job);
            has_turn && !waits_for_quiet
        })
    }

    fn refuse_expired(&mut self, now: Instant) {
        let late = |job: &Job| {
            let waited = job.age(now).as_secs();
            let detail = format!("it waited {waited} s and did not get its turn in time");
            RequestError::new(Code::Expired, detail)
        };
        for job in self.take_from_hall(|job| job.is_expired(now)) {
            self.refuse_job(&job, &late(&job));
        }
        for job in self.queue.take_expired(now) {
            let error = late(&job);
            self.fail(job, &error, now);
        }
    }

    /// Takes what the worker tells.
    pub(super) fn worker_event(&mut self, event: WorkerEvent, now: Instant) {
        match event {
            WorkerEvent::Piece(key, kind, text) => {
                let running = self
                    .running
                    .iter_mut()
                    .find(|running| running.job.key == key);
                if let Some(stream) = running.and_then(|running| running.stream.as_mut()) {
                    self.ephemeral.extend(stream.push(kind, &text, now));
                }
            }
            WorkerEvent::Finished(key, result) => {
                let running = self
                    .running
                    .iter_mut()
                    .find(|running| running.job.key == key);
                if let Some(running) = running {
                    running.result = Some(result);
                    self.finish_in_order(now);
                }
            }
            WorkerEvent::Paused(key) => {
                tracing::info!(job = key.0, "Put aside for a more urgent prompt.");
            }
            WorkerEvent::Resumed(key) => tracing::info!(job = key.0, "Goes on."),
            WorkerEvent::Lost(_) => {}
        }
    }

    /// Ends the jobs that are done and whose asker has nothing earlier under way: answers come in the order of prompts.
    fn finish_in_order(&mut self, now: Instant) {
        let is_due = |index: usize, all: &[Running]| {
            let job = &all[index].job;
            let is_earlier = |other: &Running| {
                other.result.is_none()
                    && other.job.key < job.key
                    && other.job.asker() == job.asker()
                    && other.job.request.priority >= job.request.priority
            };
            all[index].result.is_some() && !all.iter().any(is_earlier)
        };
        loop {
            // The earliest first.
            let due = (0..self.running.len()).filter(|&index| is_due(index, &self.running));
            let Some(index) = due.min_by_key(|&index| self.running[index].job.key) else {
                return;
            };
            let mut running = self.running.remove(index);
            if let Some(result) = running.result.take() {
                self.finished(running, result, now);
            }
        }
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Instant) {
        self.refuse_expired(now);
        let silent = self.sessions.expire(now);
        self.forget_turns(silent, now);
        let streams = self
            .running
            .iter_mut()
            .filter_map(|running| running.stream.as_mut());
        self.ephemeral
            .extend(streams.filter_map(|stream| stream.tick(now)));
        self.forget_old_answers(now);
    }

    fn forget_old_answers(&mut self, now: Instant) {
        for seq in self.answered.forget(now) {
            if self.outbox.owes(seq) {
                self.forgettable.insert(seq);
            } else {
                self.ledger.forget(seq, now);
            }
        }
    }

    /// Takes nothing new any more. What is stored is answered after the next start; what is not is refused where the
    /// broker does not keep it.
    pub(super) fn drain(&mut self, now: Instant) {
        self.is_draining = true;
        let error = RequestError::new(Code::ModelUnavailable, "the daemon is stopping");
        let is_volatile = self.options.mqtt.is_volatile;
        let is_lost = |job: &Job| job.deliveries.is_empty() || is_volatile;
        let hall = self.take_from_hall(|_| true);
        for job in hall.iter().filter(|job| is_lost(job)) {
            self.refuse_job(job, &error);
        }
        if !self.options.is_stored() {
            for job in self.queue.take_all().into_iter().filter(is_lost) {
                self.fail(job, &error, now);
            }
        }
    }

    /// Cuts the answers under way short.
    pub(super) fn cut_short(&mut self) {
        self.is_cut_short = true;
        self.running
            .iter()
            .for_each(|running| running.control.cancel());
    }

    /// Whether an answer is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether all is written, and the broker has all it is owed: answers, and our word for what they answer.
    pub(super) fn is_settled(&self) -> bool {
        self.outbox.is_empty() && !self.inbox.has_work() && self.ledger.is_settled()
    }

    /// What is done now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let job = self.running.first().map(|running| running.job.id.clone());
        let state = match (self.is_draining, &job) {
            (true, _) => "stopping",
            (false, Some(_)) => "busy",
            (false, None) => "idle",
        };
        let (jobs, bytes) = (self.queue.len() + self.hall.len(), self.queue.bytes());
        let queue = QueueStatus {
            jobs,
            jobs_max: self.options.queue.jobs_max,
            bytes,
        };
        Snapshot {
            state,
            job,
            queue,
            streams: self.running.len(),
            tokens_per_s: self.measured.tokens_per_s,
            first_token_ms: self.measured.first_token_ms,
            counts: self.counts,
        }
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;
