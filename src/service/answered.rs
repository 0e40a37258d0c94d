//! The last answers, for those who ask again with the same id. Bounded by number, bytes and age; the store keeps the same.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::options::AnsweredLimits;
use super::store::Seq;

/// One answer given.
#[derive(Debug)]
struct Given {
    seq: Seq,
    topic: Option<String>,
    id: String,
    payload_hash: u64,
    answer: Bytes,
    at: Instant,
}

/// What is known of an id.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The same was asked; this was the answer.
    Same(Bytes),
    /// Something else was asked under this id.
    Other,
}

/// The last answers, oldest first.
#[derive(Debug)]
pub(super) struct Answered {
    given: VecDeque<Given>,
    bytes: usize,
    limits: AnsweredLimits,
}

impl Answered {
    /// Nothing was answered yet.
    #[must_use]
    pub(super) fn new(limits: AnsweredLimits) -> Self {
        Self {
            given: VecDeque::new(),
            bytes: 0,
            limits,
        }
    }

    /// Keeps the answer `seq`.
    pub(super) fn keep(
        &mut self,
        seq: Seq,
        (topic, id): (Option<&str>, &str),
        payload_hash: u64,
        answer: Bytes,
        at: Instant,
    ) {
        self.bytes += answer.len();
        let (topic, id) = (topic.map(str::to_owned), id.to_owned());
        self.given.push_back(Given {
            seq,
            topic,
            id,
            payload_hash,
            answer,
            at,
        });
    }

    /// What is known of the name `id` of the asker at `topic`.
    pub(super) fn find(&self, topic: Option<&str>, id: &str, payload_hash: u64) -> Option<Known> {
        let is_it = |given: &&Given| given.id == id && given.topic.as_deref() == topic;
        let given = self.given.iter().rev().find(is_it)?;
        Some(if given.payload_hash == payload_hash {
            Known::Same(given.answer.clone())
        } else {
            Known::Other
        })
    }

    /// Whether somebody's prompt called `id` was answered.
    #[must_use]
    pub(super) fn has(&self, id: &str) -> bool {
        self.given.iter().any(|given| given.id == id)
    }

    /// Lets go of the oldest where there are too many, too large or too old ones; gives which.
    pub(super) fn forget(&mut self, now: Instant) -> Vec<Seq> {
        let AnsweredLimits {
            answers_max,
            bytes_max,
            age_max,
        } = self.limits;
        let mut forgotten = Vec::new();
        while let Some(oldest) = self.given.front() {
            let is_old = now.saturating_duration_since(oldest.at) > age_max;
            if !is_old && self.given.len() <= answers_max && self.bytes <= bytes_max {
                break;
            }
            self.bytes -= oldest.answer.len();
            forgotten.push(oldest.seq);
            self.given.pop_front();
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answered() -> Answered {
        let age_max = Duration::from_secs(60);
        Answered::new(AnsweredLimits {
            answers_max: 2,
            bytes_max: 10,
            age_max,
        })
    }

    #[test]
    fn tells_the_same_question_from_another() {
        let mut answered = answered();
        answered.keep(
            Seq(1),
            (None, "k"),
            1,
            Bytes::from_static(b"a"),
            Instant::now(),
        );
        assert_eq!(
            answered.find(None, "k", 1),
            Some(Known::Same(Bytes::from_static(b"a")))
        );
        assert_eq!(answered.find(None, "k", 2), Some(Known::Other));
        assert_eq!(
            answered.find(Some("t"), "k", 1),
            None,
            "another asker's name"
        );
        assert_eq!(answered.find(None, "j", 1), None);
    }

    #[test]
    fn lets_go_of_the_oldest_over_each_limit() {
        let now = Instant::now();
        for (count, bytes, later, kept) in
            [(3, 1, 0, 2), (2, 6, 0, 1), (2, 1, 61, 0), (1, 11, 0, 0)]
        {
            let mut answered = answered();
            for index in 0..count {
                let name = index.to_string();
                answered.keep(Seq(index), (None, &name), 0, vec![0; bytes].into(), now);
            }
            let forgotten = answered.forget(now + Duration::from_secs(later));
            assert_eq!(
                answered.given.len(),
                kept,
                "{count} answers of {bytes} bytes, {later} s later"
            );
            assert!(
                forgotten
                    .into_iter()
                    .map(|seq| seq.0)
                    .eq(0..count - kept as u64)
            );
        }
    }
}
