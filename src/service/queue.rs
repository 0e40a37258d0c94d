//! The prompts that wait, as plain data: admit, refuse, expire, cancel, and whose turn it is. No channel, no clock.
//!
//! Three priorities, the higher first. Within one, clients take turns, and each client's prompts keep their order;
//! only a prompt that may not run yet (another turn of its session is running) lets those behind it pass. What was
//! taken in is never thrown out for another: a tenth of the room is kept for high priority instead.
//!
//! Invariants (property test below): never more than the limits; nothing is lost; the order of each client's prompts
//! of one priority is kept.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::job::{Job, JobKey};
use super::options::QueueLimits;
use super::priority::Priority;

/// Prompts in the order in which they get their turn.
#[derive(Debug)]
pub(super) struct Queue {
    high: Ring,
    normal: Ring,
    low: Ring,
    jobs: usize,
    bytes: usize,
    limits: QueueLimits,
}

/// Why a prompt cannot wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{jobs} prompts of {bytes} bytes wait, the limits are {jobs_max} and {bytes_max}{}", note(*is_all))]
pub(super) struct QueueFull {
    jobs: usize,
    bytes: usize,
    jobs_max: usize,
    bytes_max: usize,
    is_all: bool,
}

fn note(is_all: bool) -> &'static str {
    if is_all {
        ""
    } else {
        "; the rest is kept for high priority"
    }
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            high: Ring::default(),
            normal: Ring::default(),
            low: Ring::default(),
            jobs: 0,
            bytes: 0,
            limits,
        }
    }

    /// Whether there is room for `job`.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn check(&self, job: &Job) -> Result<(), QueueFull> {
        let is_high = job.request.priority == Priority::High;
        let (jobs_max, bytes_max) = self.room(is_high);
        let bytes = self.bytes + job.payload_bytes;
        if self.jobs < jobs_max && bytes <= bytes_max {
            return Ok(());
        }
        let limits = (self.limits.jobs_max, self.limits.bytes_max);
        Err(QueueFull {
            jobs: self.jobs,
            bytes: self.bytes,
            jobs_max,
            bytes_max,
            is_all: (jobs_max, bytes_max) == limits,
        })
    }

    /// Takes `job` in, room or not, behind the others of its client and priority.
    pub(super) fn push(&mut self, job: Job) {
        self.bytes += job.payload_bytes;
        self.jobs += 1;
        self.ring(job.request.priority).push(job);
    }

    /// Takes out the jobs of these keys.
    pub(super) fn take_keys(&mut self, keys: &[JobKey]) -> Vec<Job> {
        self.take(|job| keys.contains(&job.key))
    }

    /// The job called `id`.
    #[cfg(test)]
    pub(super) fn peek(&self, id: &str) -> Option<&Job> {
        self.rings()
            .into_iter()
            .flat_map(Ring::jobs)
            .find(|job| job.id == id)
    }

    /// Most jobs and bytes: all of them for high priority, nine tenths for the others, but always one job.
    fn room(&self, is_high: bool) -> (usize, usize) {
        let QueueLimits {
            jobs_max,
            bytes_max,
        } = self.limits;
        if is_high {
            return (jobs_max, bytes_max);
        }
        let jobs_kept = (jobs_max / 10).max(1);
        let bytes_kept = if self.jobs == 0 { 0 } else { bytes_max / 10 };
        (
            (jobs_max.saturating_sub(jobs_kept)).max(1),
            bytes_max - bytes_kept,
        )
    }

    fn ring(&mut self, priority: Priority) -> &mut Ring {
        match priority {
            Priority::High => &mut self.high,
            Priority::Normal => &mut self.normal,
            Priority::Low => &mut self.low,
        }
    }

    fn rings(&self) -> [&Ring; 3] {
        [&self.high, &self.normal, &self.low]
    }

    fn rings_mut(&mut self) -> [&mut Ring; 3] {
        [&mut self.high, &mut self.normal, &mut self.low]
    }

    /// Takes the next job whose turn it is, of those that may run.
    pub(super) fn next(&mut self, mut may_run: impl FnMut(&Job) -> bool) -> Option<Job> {
        let job = self
            .rings_mut()
            .into_iter()
            .find_map(|ring| ring.next(&mut may_run))?;
        self.jobs -= 1;
        self.bytes -= job.payload_bytes;
        Some(job)
    }

    /// Takes out the jobs that are too late.
    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<Job> {
        self.take(|job| job.is_expired(now))
    }

    /// Takes out the jobs called `id`.
    pub(super) fn take_called(&mut self, id: &str) -> Vec<Job> {
        self.take(|job| job.id == id)
    }

    /// Takes out all jobs.
    pub(super) fn take_all(&mut self) -> Vec<Job> {
        self.take(|_| true)
    }

    /// Takes out the jobs that are wanted, in the order they came.
    fn take(&mut self, mut wanted: impl FnMut(&Job) -> bool) -> Vec<Job> {
        let mut taken = Vec::new();
        for ring in self.rings_mut() {
            ring.take(&mut wanted, &mut taken);
        }
        taken.sort_by_key(|job| job.key);
        self.jobs -= taken.len();
        self.bytes -= taken.iter().map(|job| job.payload_bytes).sum::<usize>();
        taken
    }

    /// The job that answers the same asker's same name.
    pub(super) fn find(&mut self, topic: Option<&str>, id: &str) -> Option<&mut Job> {
        self.rings_mut()
            .into_iter()
            .flat_map(Ring::jobs_mut)
            .find(|job| job.is_called(topic, id))
    }

    /// How many jobs get their turn before the one called `id`, as things stand; none where none is called so.
    #[must_use]
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        let mut before = 0;
        for ring in self.rings() {
            if let Some(position) = ring.position(id) {
                return Some(before + position);
            }
            before += ring.jobs().count();
        }
        None
    }

    /// Number of jobs.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.jobs
    }

    /// Bytes of their payloads.
    #[must_use]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// How long a job with `before` others before it waits, where `lanes` are answered at once and each takes `mean`.
///
/// On the average half of each answer under way is still to come.
#[must_use]
pub(super) fn wait_estimate(before: usize, lanes: usize, mean: Duration) -> Duration {
    let lanes = lanes.max(1);
    let rounds = u32::try_from(before / lanes).unwrap_or(u32::MAX);
    mean.saturating_mul(rounds).saturating_add(mean / 2)
}

/// The jobs of one priority: clients that take turns, the next in front.
#[derive(Debug, Default)]
struct Ring {
    clients: VecDeque<VecDeque<Job>>,
}

impl Ring {
    fn push(&mut self, job: Job) {
        // A client without jobs is not kept, so every client has a first one.
        let same = |jobs: &&mut VecDeque<Job>| {
            jobs.front()
                .is_some_and(|other| other.asker() == job.asker())
        };
        match self.clients.iter_mut().find(same) {
            Some(jobs) => jobs.push_back(job),
            None => self.clients.push_back(VecDeque::from([job])),
        }
    }

    fn next(&mut self, may_run: &mut impl FnMut(&Job) -> bool) -> Option<Job> {
        for turn in 0..self.clients.len() {
            let Some(place) = self.clients[turn].iter().position(&mut *may_run) else {
                continue;
            };
            let mut jobs = self.clients.remove(turn)?;
            let job = jobs.remove(place);
            if !jobs.is_empty() {
                self.clients.push_back(jobs);
            }
            return job;
        }
        None
    }

    fn take(&mut self, wanted: &mut impl FnMut(&Job) -> bool, taken: &mut Vec<Job>) {
        for jobs in &mut self.clients {
            let (out, kept) = jobs.drain(..).partition::<Vec<_>, _>(&mut *wanted);
            taken.extend(out);
            *jobs = kept.into();
        }
        self.clients.retain(|jobs| !jobs.is_empty());
    }

    /// How many of its jobs get their turn before the one called `id`.
    fn position(&self, id: &str) -> Option<usize> {
        let place = |jobs: &VecDeque<Job>| jobs.iter().position(|job| job.id == id);
        let (turn, round) = self
            .clients
            .iter()
            .enumerate()
            .find_map(|(turn, jobs)| place(jobs).map(|round| (turn, round)))?;
        let before = self.clients.iter().enumerate().map(|(other, jobs)| {
            // Those in front of it in the ring have had one turn more.
            let turns = if other < turn { round + 1 } else { round };
            turns.min(jobs.len())
        });
        Some(before.sum())
    }

    fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.clients.iter().flatten()
    }

    fn jobs_mut(&mut self) -> impl Iterator<Item = &mut Job> {
        self.clients.iter_mut().flatten()
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
