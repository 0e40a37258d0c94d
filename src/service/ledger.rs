//! What has to be on disk before the desk may go on, as plain data: no file, no clock.
//!
//! Changes are collected while the store writes the batch before them, so that a slow disk gets few and large batches.
//! What waits for a change is told by [`Ledger::committed`]. That an answer was delivered can wait for the next batch
//! or some seconds: told late, it only makes the answer come twice after a crash.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::inbox::DeliveryId;
use super::job::JobKey;
use super::outbox::OutKey;
use super::store::{AnswerRecord, Batch, Change, PromptRecord, Seq, TurnRecord};

/// How long deliveries may wait to be written.
const LAZY_MAX: Duration = Duration::from_secs(5);

/// What may be done once a batch is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// The message may be acknowledged.
    Acknowledge(DeliveryId),
    /// The prompt may be computed.
    Start(JobKey),
    /// The answer may be sent.
    Publish(OutKey),
}

/// The changes that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whether there is a store at all.
    is_on: bool,
    urgent: Vec<Change>,
    lazy: Vec<Change>,
    lazy_since: Option<Instant>,
    /// The batch that is being written.
    under_way: Option<u64>,
    last_number: u64,
    waiting: VecDeque<(u64, Release)>,
}

impl Ledger {
    /// Nothing to write yet; without a store there never is.
    pub(super) fn new(is_on: bool) -> Self {
        Self {
            is_on,
            ..Self::default()
        }
    }

    /// A prompt was taken.
    pub(super) fn take(&mut self, record: PromptRecord) {
        if self.is_on {
            self.urgent.push(Change::Take(record));
        }
    }

    /// A prompt has its answer.
    pub(super) fn settle(&mut self, record: AnswerRecord) {
        if self.is_on {
            self.urgent.push(Change::Settle(record));
        }
    }

    /// A session goes on from a turn; told together with its answer.
    pub(super) fn remember(&mut self, record: TurnRecord) {
        if self.is_on {
            self.urgent.push(Change::Remember(record));
        }
    }

    /// A session needs a turn no more.
    pub(super) fn forget_turn(&mut self, seq: Seq, now: Instant) {
        self.lazily(Change::ForgetTurn(seq), now);
    }

    /// The broker has an answer.
    pub(super) fn delivered(&mut self, seq: Seq, now: Instant) {
        self.lazily(Change::Delivered(seq), now);
    }

    /// An answer need not be known any more.
    pub(super) fn forget(&mut self, seq: Seq, now: Instant) {
        self.lazily(Change::Forget(seq), now);
    }

    fn lazily(&mut self, change: Change, now: Instant) {
        if self.is_on {
            self.lazy.push(change);
            self.lazy_since.get_or_insert(now);
        }
    }

    /// Holds `release` until all changes so far are committed; gives it back where they are.
    #[must_use]
    pub(super) fn after_all(&mut self, release: Release) -> Option<Release> {
        if !self.urgent.is_empty() {
            self.waiting.push_back((self.last_number + 1, release));
        } else if let Some(number) = self.under_way {
            self.waiting.push_back((number, release));
        } else {
            return Some(release);
        }
        None
    }

    /// The next batch, where something is to be written and nothing is being written; `hurry` leaves nothing for later.
    pub(super) fn next_batch(&mut self, now: Instant, hurry: bool) -> Option<Batch> {
        let is_late = self
            .lazy_since
            .is_some_and(|since| now.saturating_duration_since(since) >= LAZY_MAX);
        let is_due = !self.urgent.is_empty() || !self.lazy.is_empty() && (is_late || hurry);
        if self.under_way.is_some() || !is_due {
            return None;
        }
        let mut changes = std::mem::take(&mut self.urgent);
        changes.append(&mut self.lazy);
        self.lazy_since = None;
        self.last_number += 1;
        self.under_way = Some(self.last_number);
        Some(Batch {
            number: self.last_number,
            changes,
        })
    }

    /// The batch is on disk: what may be done now, in order.
    pub(super) fn committed(&mut self, number: u64) -> Vec<Release> {
        self.under_way.take_if(|under_way| *under_way == number);
        let done = self
            .waiting
            .partition_point(|(wanted, _)| *wanted <= number);
        self.waiting
            .drain(..done)
            .map(|(_, release)| release)
            .collect()
    }

    /// There was no room for the batch: gives its prompts, and what waits for nothing any more; all but the prompts is to
    /// be written again.
    pub(super) fn refused(&mut self, batch: Batch) -> (Vec<Seq>, Vec<Release>) {
        self.under_way
            .take_if(|under_way| *under_way == batch.number);
        let mut refused = Vec::new();
        let mut again = Vec::new();
        for change in batch.changes {
            match change {
                Change::Take(record) => refused.push(record.seq),
                other => again.push(other),
            }
        }
        // A prompt that was refused and already settled in the same breath stays refused only.
        again.retain(
            |change| !matches!(change, Change::Settle(record) if refused.contains(&record.seq)),
        );
        again.append(&mut self.urgent);
        self.urgent = again;
        let is_free = |number: u64, release: &Release| {
            let is_of_a_prompt = !matches!(release, Release::Publish(_));
            self.urgent.is_empty() || number == batch.number && is_of_a_prompt
        };
        let (free, waiting) = self
            .waiting
            .drain(..)
            .partition::<Vec<_>, _>(|(number, release)| is_free(*number, release));
        self.waiting = waiting
            .into_iter()
            .map(|(number, release)| (number.max(batch.number + 1), release))
            .collect();
        let released = free.into_iter().map(|(_, release)| release).collect();
        (refused, released)
    }

    /// Whether nothing is left to write.
    #[must_use]
    pub(super) fn is_settled(&self) -> bool {
        self.under_way.is_none() && self.urgent.is_empty() && self.lazy.is_empty()
    }

    /// Whether something is being written, or waits for that.
    #[must_use]
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.is_some() || !self.urgent.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::store::{DeliveryMark, Name};

    fn name() -> Name {
        Name {
            id: "k".to_owned(),
            is_named: true,
            topic: None,
            correlation: None,
            user_properties: Vec::new(),
            payload_hash: 0,
        }
    }

    fn prompt(seq: u64) -> PromptRecord {
        PromptRecord {
            seq: Seq(seq),
            name: name(),
            payload: String::new(),
            client: None,
            arrived_ms: 0,
            deadline_ms: None,
            delivery: DeliveryMark::default(),
        }
    }

    fn answer(seq: u64) -> AnswerRecord {
        AnswerRecord {
            seq: Seq(seq),
            name: name(),
            answer: String::new(),
            text: None,
            answered_ms: 0,
            is_owed: true,
            delivery: DeliveryMark::default(),
        }
    }

    fn start(key: u64) -> Release {
        Release::Start(JobKey(key))
    }

    #[test]
    fn what_waits_is_released_by_the_batch_it_waits_for() {
        let now = Instant::now();
        let mut ledger = Ledger::new(true);
        assert_eq!(
            ledger.after_all(start(0)),
            Some(start(0)),
            "nothing to wait for"
        );
        ledger.take(prompt(1));
        assert_eq!(ledger.after_all(start(1)), None);
        let first = ledger.next_batch(now, false).unwrap();
        assert_eq!(first.changes, [Change::Take(prompt(1))]);
        ledger.take(prompt(2));
        assert_eq!(ledger.after_all(start(2)), None);
        assert_eq!(ledger.next_batch(now, true), None, "one at a time");
        assert_eq!(ledger.committed(first.number), [start(1)]);
        let second = ledger.next_batch(now, false).unwrap();
        assert_eq!(
            ledger.after_all(start(3)),
            None,
            "waits for what is under way"
        );
        assert_eq!(ledger.committed(second.number), [start(2), start(3)]);
        assert!(ledger.is_settled());
    }

    #[test]
    fn without_a_store_nothing_waits() {
        let now = Instant::now();
        let mut ledger = Ledger::new(false);
        ledger.take(prompt(1));
        ledger.settle(answer(1));
        ledger.delivered(Seq(1), now);
        assert_eq!(ledger.after_all(start(1)), Some(start(1)));
        assert_eq!(ledger.next_batch(now, true), None);
        assert!(ledger.is_settled());
    }

    #[test]
    fn deliveries_wait_for_company_but_not_for_long() {
        let now = Instant::now();
        let mut ledger = Ledger::new(true);
        ledger.delivered(Seq(1), now);
        assert_eq!(ledger.next_batch(now, false), None);
        assert!(!ledger.is_settled() && !ledger.is_busy());
        ledger.take(prompt(2));
        let batch = ledger.next_batch(now, false).unwrap();
        assert_eq!(
            batch.changes,
            [Change::Take(prompt(2)), Change::Delivered(Seq(1))]
        );
        ledger.committed(batch.number);
        ledger.forget(Seq(1), now);
        assert_eq!(ledger.next_batch(now + LAZY_MAX / 2, false), None);
        assert!(ledger.next_batch(now + LAZY_MAX, false).is_some());
        ledger.committed(2);
        ledger.delivered(Seq(2), now);
        assert!(ledger.next_batch(now, true).is_some(), "in a hurry");
    }

    #[test]
    fn a_full_disk_refuses_prompts_and_keeps_all_else() {
        let now = Instant::now();
        let mut ledger = Ledger::new(true);
        ledger.settle(answer(1));
        ledger.take(prompt(2));
        assert_eq!(ledger.after_all(start(2)), None);
        let batch = ledger.next_batch(now, false).unwrap();
        ledger.settle(answer(3));
        let (refused, released) = ledger.refused(batch);
        assert_eq!((refused, released), (vec![Seq(2)], vec![start(2)]));
        let again = ledger.next_batch(now, false).unwrap();
        assert_eq!(
            again.changes,
            [Change::Settle(answer(1)), Change::Settle(answer(3))]
        );
    }

    #[test]
    fn a_full_disk_holds_back_nothing_that_waits_for_what_is_not_written() {
        let now = Instant::now();
        let mut ledger = Ledger::new(true);
        ledger.take(prompt(1));
        ledger.settle(answer(1));
        let publish = Release::Publish(OutKey(1));
        assert_eq!(ledger.after_all(publish), None);
        let batch = ledger.next_batch(now, false).unwrap();
        assert_eq!(ledger.refused(batch), (vec![Seq(1)], vec![publish]));
        assert!(ledger.is_settled());
    }
}
