//! Which workers to leave out for a while because their core is taken by other work: they held up the caller, or they
//! were put on its core, which they then take from it.
//!
//! A worker whose core is taken in the middle of a chunk is missed for a time slice of the other process, some
//! milliseconds, in which the caller could have done its work many times over. Once in a while that costs less than
//! doing without the worker: an idle virtual machine loses a core for 2 ms some four times a second, and leaving the
//! worker out for 35 ms each time took a sixth of the speed. So a worker is forgiven as long as it was of use for
//! many times what it cost; else it is left out for a multiple of what was lost, longer each time it holds up again
//! soon after its return. Plain arithmetic on nanoseconds: no clock of its own.

/// When a worker counts as held up, and for how long it is left out. Times are nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// A wait up to this is none: no time slice is so short.
    pub(super) wait_min: u64,
    /// A wait up to this many of the caller's own chunks is none: the worker had just begun its last.
    pub(super) wait_chunks: u64,
    /// A worker that was of use for so many times what it lost since it last held up is forgiven.
    pub(super) presence_per_loss: u64,
    /// The absence for each unit of time lost; one part in so many is lost at most.
    pub(super) absence_per_loss: u64,
    /// Shortest absence.
    pub(super) absence_min: u64,
    /// Longest absence.
    pub(super) absence_max: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            wait_min: 150_000,
            wait_chunks: 4,
            presence_per_loss: 8,
            absence_per_loss: 20,
            absence_min: 2_000_000,
            absence_max: 2_000_000_000,
        }
    }
}

/// What is remembered of one worker.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attendance {
    /// Length of the last absence.
    absence: u64,
    /// When it was over, or was to be.
    returned: u64,
    /// Since when it was of use: its last hold-up or return.
    since: u64,
}

impl Attendance {
    /// Takes note that the caller waited for the worker from `joined` to `left`, where a chunk takes the caller
    /// `chunk`; returns until when the worker is to be left out, if it is.
    pub(super) fn waited(
        &mut self,
        rules: &Rules,
        chunk: u64,
        joined: u64,
        left: u64,
    ) -> Option<u64> {
        let lost = left.saturating_sub(joined);
        if lost <= rules.wait_min.max(chunk.saturating_mul(rules.wait_chunks)) {
            return None;
        }
        let present = joined.saturating_sub(self.since);
        self.since = left;
        if present >= lost.saturating_mul(rules.presence_per_loss) {
            return None;
        }
        Some(self.absent(rules, lost, left))
    }

    /// Takes note that the worker was on the caller's core at `now`; returns until when it is to be left out.
    pub(super) fn in_the_way(&mut self, rules: &Rules, now: u64) -> u64 {
        self.absent(rules, 0, now)
    }

    fn absent(&mut self, rules: &Rules, lost: u64, left: u64) -> u64 {
        let mut absence = lost.saturating_mul(rules.absence_per_loss);
        let present = left.saturating_sub(self.returned);
        if present < self.absence {
            absence = absence.max(self.absence.saturating_mul(2));
        }
        self.absence = absence.clamp(rules.absence_min, rules.absence_max);
        self.returned = left.saturating_add(self.absence);
        self.since = self.returned;
        self.returned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const RULES: Rules = Rules {
        wait_min: MS,
        wait_chunks: 4,
        presence_per_loss: 8,
        absence_per_loss: 10,
        absence_min: 20 * MS,
        absence_max: 300 * MS,
    };

    fn present_since(since: u64) -> Attendance {
        Attendance {
            since,
            ..Attendance::default()
        }
    }

    #[test]
    fn a_short_wait_is_none_and_what_is_short_depends_on_the_chunks() {
        let mut worker = Attendance::default();
        assert_eq!(worker.waited(&RULES, 0, 50 * MS, 50 * MS), None);
        assert_eq!(worker.waited(&RULES, 0, 50 * MS, 51 * MS), None);
        assert_eq!(worker.waited(&RULES, 2 * MS, 50 * MS, 58 * MS), None);
        // It left before the caller came.
        assert_eq!(worker.waited(&RULES, 0, 50 * MS, 40 * MS), None);
        let mut worker = present_since(49 * MS);
        assert!(worker.waited(&RULES, MS / 2, 50 * MS, 58 * MS).is_some());
    }

    #[test]
    fn a_hold_up_is_forgiven_after_a_presence_of_many_times_what_it_cost() {
        let mut worker = Attendance::default();
        let mut now = 0;
        for _ in 0..5 {
            now += 16 * MS;
            assert_eq!(worker.waited(&RULES, 0, now, now + 2 * MS), None);
            now += 2 * MS;
        }
        // Presence counts from the last hold-up on: it was of use for 15 ms since, not for all that came before.
        now += 15 * MS;
        let until = worker.waited(&RULES, 0, now, now + 2 * MS).unwrap();
        assert_eq!(until, now + 22 * MS);
        // And from the return on, not from the hold-up before the absence.
        now = until + 15 * MS;
        assert!(worker.waited(&RULES, 0, now, now + 2 * MS).is_some());
    }

    #[test]
    fn an_absence_is_a_multiple_of_the_loss_within_its_limits() {
        for (lost, absence) in [(2, 20), (3, 30), (29, 290), (31, 300), (100_000, 300)] {
            let mut worker = present_since(990 * MS);
            let until = worker.waited(&RULES, 0, 1000 * MS, (1000 + lost) * MS);
            assert_eq!(until, Some((1000 + lost + absence) * MS), "{lost}");
        }
        let mut worker = present_since(5 * MS);
        let until = worker.waited(&RULES, 0, 10 * MS, 10 * MS + MS * 3 / 2);
        assert_eq!(until, Some(10 * MS + MS * 3 / 2 + 20 * MS));
    }

    #[test]
    fn absences_grow_while_it_holds_up_soon_after_its_return_and_start_anew_later() {
        let mut worker = present_since(990 * MS);
        let mut now = 1000 * MS;
        for absence in [40, 80, 160, 300, 300] {
            let left = now + 4 * MS;
            let until = worker.waited(&RULES, 0, now, left).unwrap();
            assert_eq!(until - left, absence * MS);
            now = until + 10 * MS;
        }
        // Back, and little trouble for as long as it was away.
        let left = now + 290 * MS;
        assert_eq!(worker.waited(&RULES, 0, left - 4 * MS, left), None);
        let left = left + 30 * MS;
        let until = worker.waited(&RULES, 0, left - 4 * MS, left).unwrap();
        assert_eq!(until - left, 40 * MS);
    }

    #[test]
    fn who_is_in_the_way_is_left_out_shortly_and_longer_each_time() {
        let mut worker = Attendance::default();
        let mut now = 1000 * MS;
        for absence in [20, 40, 80, 160, 300, 300] {
            let until = worker.in_the_way(&RULES, now);
            assert_eq!(until - now, absence * MS);
            now = until + MS;
        }
        assert_eq!(worker.in_the_way(&RULES, now + 400 * MS), now + 420 * MS);
    }

    #[test]
    fn no_time_overflows() {
        let mut worker = Attendance::default();
        for _ in 0..3 {
            worker.since = 0;
            let until = worker.waited(&RULES, u64::MAX / 8, 0, u64::MAX);
            assert_eq!(until, Some(u64::MAX));
        }
    }
}
