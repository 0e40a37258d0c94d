//! The hall: prompts for which the queue has no room. They are not acknowledged, so the broker still has them, and it
//! holds back all that come after as many as it may have in flight.
//!
//! Not every broker does: the embedded one knows no such limit, and mosquitto 2.0.11, Debian 12's, sends all it has once
//! something was acknowledged. So there is room for more than they may send.

use std::time::Instant;

use super::super::job::Job;
use super::Desk;

/// How many times as many as a broker may send may wait, where their bytes fit into what the queue may have.
const OVERRUN: usize = 16;

impl Desk {
    /// Whether one more prompt, of so many bytes, may wait here.
    pub(super) fn has_room_in_hall(&self, bytes: usize) -> bool {
        let receive_max = usize::from(self.options.mqtt.receive_max());
        if self.hall.len() < receive_max {
            return true;
        }
        let waiting: usize = self.hall.iter().map(|job| job.payload_bytes).sum();
        self.hall.len() < OVERRUN * receive_max && waiting + bytes <= self.options.queue.bytes_max
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
