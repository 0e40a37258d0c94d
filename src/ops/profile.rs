//! How long operators compute, for telling what the plan around them costs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time spent inside operators while it counts.
#[derive(Debug, Default)]
pub struct Profile {
    counts: AtomicBool,
    nanoseconds: AtomicU64,
    calls: AtomicU64,
}

/// What a [`Profile`] counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelTime {
    /// Time inside operators.
    pub inside: Duration,
    /// Operators run; each takes two looks at the clock.
    pub calls: u32,
}

impl Profile {
    /// Runs `work` and adds the time it took, if it counts.
    pub(super) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        if !self.counts.load(Ordering::Relaxed) {
            return work();
        }
        let start = Instant::now();
        let done = work();
        let elapsed = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(elapsed, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
        done
    }

    /// Begins to count.
    pub fn start(&self) {
        self.stop();
        self.counts.store(true, Ordering::Relaxed);
    }

    /// Ends counting; what there was since the start.
    pub fn stop(&self) -> KernelTime {
        self.counts.store(false, Ordering::Relaxed);
        let calls = self.calls.swap(0, Ordering::Relaxed);
        KernelTime {
            inside: Duration::from_nanos(self.nanoseconds.swap(0, Ordering::Relaxed)),
            calls: u32::try_from(calls).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_between_start_and_stop() {
        let profile = Profile::default();
        let pause = Duration::from_millis(2);
        let work = || profile.time(|| std::thread::sleep(pause));
        work();
        profile.start();
        work();
        work();
        let counted = profile.stop();
        assert!(counted.inside >= 2 * pause);
        assert_eq!(counted.calls, 2);
        work();
        assert_eq!(profile.stop().calls, 0);
    }
}
