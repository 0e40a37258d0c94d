//! How long to wait before the next attempt to connect.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::options::BackoffLimits;

/// Waits that double from the first to the longest, each varied so that a fleet does not come back in step.
#[derive(Debug)]
pub(super) struct Backoff {
    limits: BackoffLimits,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(limits: BackoffLimits) -> Self {
        Self {
            limits,
            next: limits.first,
        }
    }

    /// The next wait: a half to the whole of what its turn is.
    pub(super) fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.limits.most);
        // Each `RandomState` has fresh random keys.
        let random = RandomState::new().hash_one(0_u8) % 1024;
        let part = 512 + u32::try_from(random / 2).expect("at most 511");
        wait.saturating_mul(part) / 1024
    }

    /// Begins anew, after a connection that lasted.
    pub(super) fn reset(&mut self) {
        self.next = self.limits.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let (first, most) = (Duration::from_millis(250), Duration::from_secs(30));
        let mut backoff = Backoff::new(BackoffLimits { first, most });
        let mut turn = first;
        for _ in 0..20 {
            let wait = backoff.wait();
            assert!(turn / 2 <= wait && wait <= turn, "{wait:?} for {turn:?}");
            turn = (turn * 2).min(most);
        }
        backoff.reset();
        assert!(backoff.wait() <= first);
    }
}
