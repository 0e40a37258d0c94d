//! The hall: prompts for which the queue has no room. They are not acknowledged, so the broker still has them, and it
//! holds back all that come after as many as it may have in flight.

use std::time::Instant;

use super::super::job::Job;
use super::Desk;

impl Desk {
    /// Whether one more prompt may wait here.
    pub(super) fn has_room_in_hall(&self) -> bool {
        self.hall.len() < usize::from(self.options.mqtt.receive_max())
    }

    /// Takes out the jobs that are `wanted`.
    pub(super) fn take_from_hall(&mut self, wanted: impl Fn(&Job) -> bool) -> Vec<Job> {
        let (taken, kept) = self.hall.drain(..).partition(wanted);
        self.hall = kept;
        taken
    }

    /// Lets those in for whom there is room now, first come first served.
    pub(super) fn enter_from_hall(&mut self, now: Instant) {
        if self.is_draining || self.hall.is_empty() {
            return;
        }
        for job in std::mem::take(&mut self.hall) {
            if let Err((job, _)) = self.enqueue(job, now) {
                self.hall.push(*job);
            }
        }
    }
}
