//! READY, STATUS, WATCHDOG and STOPPING over the notify socket; nothing where there is none.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::worker::Pulse;

/// How much longer a start may take after each sign of life while a model loads.
const LOADING_EXTENSION: Duration = Duration::from_secs(30);

/// Asks for more time to start; to be called every few seconds while the model loads.
pub fn loading() {
    let micros = u32::try_from(LOADING_EXTENSION.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Status("loading the model"),
        NotifyState::ExtendTimeoutUsec(micros),
    ]);
}

/// The start is over.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The stop has begun and may take this long.
pub(super) fn stopping(longest: Duration) {
    let micros = u32::try_from(longest.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Stopping,
        NotifyState::ExtendTimeoutUsec(micros),
    ]);
}

/// What `systemctl status` shows.
pub(super) fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "The service manager did not hear us.");
    }
}

/// Feeds the watchdog as long as the loop turns and the worker shows life; never on time alone.
#[derive(Debug)]
pub(super) struct Watchdog {
    every: Option<Duration>,
    next: Instant,
    last_beats: Option<u64>,
}

impl Watchdog {
    /// Fed three times in the period the service manager has set; never where it has set none.
    pub(super) fn new(now: Instant) -> Self {
        Self::with_period(sd_notify::watchdog_enabled(), now)
    }

    fn with_period(period: Option<Duration>, now: Instant) -> Self {
        Self {
            every: period.map(|period| period / 3),
            next: now,
            last_beats: None,
        }
    }

    /// How long the loop may take for a turn without missing a feeding.
    pub(super) fn turn_max(&self) -> Duration {
        self.every.unwrap_or(Duration::MAX)
    }

    /// To be called on every turn of the loop.
    pub(super) fn turn(&mut self, pulse: &Pulse, now: Instant) {
        let (beats, is_busy) = pulse.read();
        if self.is_fed(beats, is_busy, now) {
            tell(&[NotifyState::Watchdog]);
        }
    }

    fn is_fed(&mut self, beats: u64, is_busy: bool, now: Instant) -> bool {
        let Some(every) = self.every.filter(|_| self.next <= now) else {
            return false;
        };
        self.next = now + every;
        let is_alive = !is_busy || self.last_beats != Some(beats);
        self.last_beats = Some(beats);
        is_alive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_hangs_starves_the_watchdog() {
        let start = Instant::now();
        let mut watchdog = Watchdog::with_period(Some(Duration::from_secs(30)), start);
        for (seconds, beats, is_busy, is_fed) in [
            (0, 0, false, true),
            (5, 0, false, false),
            (10, 0, false, true),
            (20, 1, true, true),
            (30, 2, true, true),
            (40, 2, true, false),
            (50, 2, true, false),
            (60, 2, false, true),
        ] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(
                watchdog.is_fed(beats, is_busy, now),
                is_fed,
                "after {seconds} s"
            );
        }
    }

    #[test]
    fn without_a_watchdog_nothing_is_fed() {
        let now = Instant::now();
        assert!(!Watchdog::with_period(None, now).is_fed(0, false, now));
    }
}
