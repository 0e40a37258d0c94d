//! What answers took: tokens, and distributions of times.

use super::mqtt::Answer;

/// What all answers together took, and the last one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Measured {
    /// Tokens a second of the last answer.
    pub(super) tokens_per_s: f64,
    /// From its turn to its first token.
    pub(super) first_token_ms: Option<u64>,
    /// Tokens of prompts.
    pub(super) prompt_tokens: u64,
    /// Tokens of thoughts.
    pub(super) thought_tokens: u64,
    /// Tokens of answers.
    pub(super) answer_tokens: u64,
    /// Seconds from turns to first tokens.
    pub(super) first_token_s: Histogram,
    /// Seconds from arrivals to turns.
    pub(super) queue_s: Histogram,
    /// Seconds from arrivals to ends.
    pub(super) total_s: Histogram,
}

impl Measured {
    /// Counts an answer in.
    pub(super) fn answered(&mut self, answer: &Answer) {
        let (usage, timing) = (answer.usage, answer.timing);
        self.tokens_per_s = timing.tokens_per_s;
        self.first_token_ms = Some(timing.first_token_ms);
        self.prompt_tokens += usage.prompt as u64;
        self.thought_tokens += usage.thought as u64;
        self.answer_tokens += usage.answer as u64;
        for (histogram, milliseconds) in [
            (&mut self.first_token_s, timing.first_token_ms),
            (&mut self.queue_s, timing.queue_ms),
            (&mut self.total_s, timing.total_ms),
        ] {
            histogram.observe(std::time::Duration::from_millis(milliseconds).as_secs_f64());
        }
    }
}

/// How many values are at most as large as each of some bounds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Histogram {
    counts: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

/// Seconds: from a small model's first token to a long thought on a slow board.
const BOUNDS: [f64; 12] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0,
];

impl Histogram {
    /// Counts a value in.
    pub(super) fn observe(&mut self, value: f64) {
        if let Some(index) = BOUNDS.iter().position(|&bound| value <= bound) {
            self.counts[index] += 1;
        }
        self.count += 1;
        self.sum += value;
    }

    /// Each bound with the number of values up to it.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let counts = self.counts.into_iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        });
        BOUNDS.into_iter().zip(counts)
    }

    /// Number of values.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub(super) fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_under_every_bound_that_holds_it() {
        let mut histogram = Histogram::default();
        for value in [0.05, 0.3, 4000.0] {
            histogram.observe(value);
        }
        let counts: Vec<u64> = histogram.cumulative().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!((histogram.count(), histogram.sum()), (3, 4000.35));
    }
}
