//! The prompts that wait, as plain data: admit, refuse, expire, cancel. No channel, no clock of its own.

use std::collections::VecDeque;
use std::time::Instant;

use super::job::{Job, JobKey};
use super::options::QueueLimits;

/// Prompts in the order they came.
#[derive(Debug)]
pub(super) struct Queue {
    jobs: VecDeque<Job>,
    bytes: usize,
    limits: QueueLimits,
}

/// Why a prompt cannot wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{jobs} prompts of {bytes} bytes wait, the limits are {} and {}", limits.jobs_max, limits.bytes_max)]
pub(super) struct QueueFull {
    jobs: usize,
    bytes: usize,
    limits: QueueLimits,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            jobs: VecDeque::new(),
            bytes: 0,
            limits,
        }
    }

    /// Takes `job` in, at the end.
    ///
    /// # Errors
    /// If there is no room; the job comes back.
    pub(super) fn admit(&mut self, job: Job) -> Result<(), (Box<Job>, QueueFull)> {
        let bytes = self.bytes + job.payload_bytes;
        if self.jobs.len() >= self.limits.jobs_max || bytes > self.limits.bytes_max {
            return Err((Box::new(job), self.full()));
        }
        self.bytes = bytes;
        self.jobs.push_back(job);
        Ok(())
    }

    /// What is said where there is no room.
    pub(super) fn full(&self) -> QueueFull {
        let (jobs, bytes, limits) = (self.jobs.len(), self.bytes, self.limits);
        QueueFull {
            jobs,
            bytes,
            limits,
        }
    }

    /// Takes in, at the end, what was taken by an earlier process: there is always room for it.
    pub(super) fn restore(&mut self, job: Job) {
        self.bytes += job.payload_bytes;
        self.jobs.push_back(job);
    }

    /// Takes the next job that is ready.
    pub(super) fn next(&mut self, is_ready: impl Fn(&Job) -> bool) -> Option<Job> {
        let index = self.jobs.iter().position(is_ready)?;
        let job = self.jobs.remove(index)?;
        self.bytes -= job.payload_bytes;
        Some(job)
    }

    /// Takes out the jobs of these keys.
    pub(super) fn take_keys(&mut self, keys: &[JobKey]) -> Vec<Job> {
        self.take(|job| keys.contains(&job.key))
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

    fn take(&mut self, mut wanted: impl FnMut(&Job) -> bool) -> Vec<Job> {
        let (taken, kept) = self
            .jobs
            .drain(..)
            .partition::<Vec<_>, _>(|job| wanted(job));
        self.jobs = kept.into();
        self.bytes -= taken.iter().map(|job| job.payload_bytes).sum::<usize>();
        taken
    }

    /// The job called `id`.
    #[cfg(test)]
    pub(super) fn peek(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// The job that answers the same asker's same name.
    pub(super) fn find(&mut self, topic: Option<&str>, id: &str) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.is_called(topic, id))
    }

    /// Number of jobs.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Bytes of their payloads.
    #[must_use]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::service::job::{JobKey, ReplyTo};
    use crate::service::mqtt::{RequestRules, parse};

    fn job(id: &str, payload_bytes: usize) -> Job {
        Job {
            key: JobKey(0),
            id: id.to_owned(),
            is_named: true,
            reply: ReplyTo {
                topic: None,
                correlation: None,
            },
            request: parse(b"q", &RequestRules::default()).unwrap(),
            payload_hash: 0,
            payload: bytes::Bytes::new(),
            payload_bytes,
            arrived: Instant::now(),
            deliveries: Vec::new(),
            mark: crate::service::store::DeliveryMark::default(),
        }
    }

    fn queue() -> Queue {
        Queue::new(QueueLimits {
            jobs_max: 3,
            bytes_max: 100,
        })
    }

    fn ids(jobs: &[Job]) -> Vec<&str> {
        jobs.iter().map(|job| job.id.as_str()).collect()
    }

    #[test]
    fn gives_back_in_the_order_of_arrival() {
        let mut queue = queue();
        for id in ["a", "b"] {
            queue.admit(job(id, 1)).unwrap();
        }
        assert_eq!(queue.next(|_| true).unwrap().id, "a");
        assert_eq!(queue.next(|_| true).unwrap().id, "b");
        assert!(queue.next(|_| true).is_none());
    }

    #[test]
    fn refuses_over_either_limit_and_says_both() {
        let mut queue = queue();
        queue.admit(job("a", 60)).unwrap();
        let (refused, full) = queue.admit(job("b", 41)).unwrap_err();
        assert_eq!(refused.id, "b");
        assert_eq!(
            full.to_string(),
            "1 prompts of 60 bytes wait, the limits are 3 and 100"
        );
        queue.admit(job("b", 1)).unwrap();
        queue.admit(job("c", 1)).unwrap();
        assert!(queue.admit(job("d", 1)).is_err());
        queue.next(|_| true).unwrap();
        assert!(queue.admit(job("d", 98)).is_ok(), "room is given back");
    }

    #[test]
    fn takes_out_the_cancelled_and_the_late() {
        let mut queue = queue();
        let mut late = job("late", 1);
        late.request.deadline = Some(Duration::from_secs(1));
        for job in [job("a", 1), late, job("b", 1)] {
            queue.admit(job).unwrap();
        }
        assert!(queue.take_expired(Instant::now()).is_empty());
        assert_eq!(
            ids(&queue.take_expired(Instant::now() + Duration::from_secs(2))),
            ["late"]
        );
        assert_eq!(ids(&queue.take_called("b")), ["b"]);
        assert_eq!(ids(&queue.take_all()), ["a"]);
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }
}
