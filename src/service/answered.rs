//! The last answers, for those who ask again with the same id. Bounded by number, bytes and age; lost with the process.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::options::AnsweredLimits;

/// One answer given.
#[derive(Debug)]
struct Given {
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

    /// Keeps an answer, and lets go of the oldest where there is no room.
    pub(super) fn keep(
        &mut self,
        (topic, id): (Option<&str>, &str),
        payload_hash: u64,
        answer: Bytes,
        now: Instant,
    ) {
        self.bytes += answer.len();
        let (topic, id) = (topic.map(str::to_owned), id.to_owned());
        self.given.push_back(Given {
            topic,
            id,
            payload_hash,
            answer,
            at: now,
        });
        self.forget(now);
    }

    /// What is known of the name `id` of the asker at `topic`.
    pub(super) fn find(
        &mut self,
        topic: Option<&str>,
        id: &str,
        payload_hash: u64,
        now: Instant,
    ) -> Option<Known> {
        self.forget(now);
        let is_it = |given: &&Given| given.id == id && given.topic.as_deref() == topic;
        let given = self.given.iter().rev().find(is_it)?;
        Some(if given.payload_hash == payload_hash {
            Known::Same(given.answer.clone())
        } else {
            Known::Other
        })
    }

    fn forget(&mut self, now: Instant) {
        let AnsweredLimits {
            answers_max,
            bytes_max,
            age_max,
        } = self.limits;
        while let Some(oldest) = self.given.front() {
            let is_old = now.saturating_duration_since(oldest.at) > age_max;
            if !is_old && self.given.len() <= answers_max && self.bytes <= bytes_max {
                return;
            }
            self.bytes -= oldest.answer.len();
            self.given.pop_front();
        }
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
        let now = Instant::now();
        let mut answered = answered();
        answered.keep((None, "k"), 1, Bytes::from_static(b"a"), now);
        assert_eq!(
            answered.find(None, "k", 1, now),
            Some(Known::Same(Bytes::from_static(b"a")))
        );
        assert_eq!(answered.find(None, "k", 2, now), Some(Known::Other));
        assert_eq!(
            answered.find(Some("t"), "k", 1, now),
            None,
            "another asker's name"
        );
        assert_eq!(answered.find(None, "j", 1, now), None);
    }

    #[test]
    fn lets_go_of_the_oldest_over_each_limit() {
        let now = Instant::now();
        for (count, bytes, later, kept) in
            [(3, 1, 0, 2), (2, 6, 0, 1), (2, 1, 61, 0), (1, 11, 0, 0)]
        {
            let mut answered = answered();
            for index in 0..count {
                answered.keep((None, &index.to_string()), 0, vec![0; bytes].into(), now);
            }
            answered.find(None, "", 0, now + Duration::from_secs(later));
            assert_eq!(
                answered.given.len(),
                kept,
                "{count} answers of {bytes} bytes, {later} s later"
            );
        }
    }
}
