//! The messages that are not yet acknowledged, as plain data.
//!
//! A message is acknowledged when it is done with, and MQTT wants acknowledgements in the order of arrival: a message
//! that is done waits for those before it. When the connection is lost the broker sends again what was not acknowledged,
//! and what was acknowledged but did not reach it; [`Inbox::receive`] knows both again, so that no prompt is computed
//! twice.

use std::collections::VecDeque;

use super::store::DeliveryMark;

/// Names one message that came with quality of service 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DeliveryId(u64);

/// What a message is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    /// Never seen.
    New(DeliveryId),
    /// Seen on an earlier connection, and being worked on or done.
    Again,
}

#[derive(Debug)]
struct Slot {
    id: DeliveryId,
    packet_id: u16,
    fingerprint: u64,
    is_done: bool,
}

/// Messages that are remembered after their acknowledgement: twice what a broker may have in flight by default.
const RECENT_MAX: usize = 128;

/// The messages of this connection and the one before that await acknowledgement.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    open: VecDeque<Slot>,
    /// Of earlier connections, in order; what comes again first is among them.
    orphans: VecDeque<Slot>,
    /// The last that were acknowledged, oldest first; the broker may not know of it.
    recent: VecDeque<DeliveryMark>,
    next_id: u64,
}

impl Inbox {
    /// Takes note of a message. `fingerprint` tells messages apart by content; `is_repeat` is the broker's own word.
    pub(super) fn receive(
        &mut self,
        packet_id: u16,
        fingerprint: u64,
        is_repeat: bool,
    ) -> Received {
        let known = self
            .orphans
            .iter()
            .position(|slot| slot.fingerprint == fingerprint);
        if let Some(slot) = known.and_then(|index| self.orphans.remove(index)) {
            self.open.push_back(Slot { packet_id, ..slot });
            return Received::Again;
        }
        let mark = DeliveryMark {
            packet_id,
            fingerprint,
        };
        let is_late = is_repeat && self.recent.contains(&mark);
        if !is_repeat {
            // Brokers send again first and new things after: what has not come by now will not come.
            self.orphans.clear();
        }
        let id = DeliveryId(self.next_id);
        self.next_id += 1;
        self.open.push_back(Slot {
            id,
            packet_id,
            fingerprint,
            is_done: is_late,
        });
        if is_late {
            return Received::Again;
        }
        Received::New(id)
    }

    /// A message that was taken before this process began, and may or may not have been acknowledged.
    pub(super) fn remember(&mut self, mark: DeliveryMark) {
        self.recent.push_back(mark);
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
    }

    /// The message can be acknowledged.
    pub(super) fn done(&mut self, id: DeliveryId) {
        let mut slots = self.open.iter_mut().chain(self.orphans.iter_mut());
        if let Some(slot) = slots.find(|slot| slot.id == id) {
            slot.is_done = true;
        }
    }

    /// Acknowledges what can be, in order, until `acknowledge` fails.
    pub(super) fn pump<E>(&mut self, mut acknowledge: impl FnMut(u16) -> Result<(), E>) {
        while let Some(first) = self.open.front().filter(|slot| slot.is_done) {
            if acknowledge(first.packet_id).is_err() {
                return;
            }
            let mark = DeliveryMark {
                packet_id: first.packet_id,
                fingerprint: first.fingerprint,
            };
            self.open.pop_front();
            self.remember(mark);
        }
    }

    /// The connection is gone: nothing of it can be acknowledged any more.
    pub(super) fn disconnected(&mut self) {
        self.orphans.append(&mut self.open);
    }

    /// A connection is there; without the old session nothing comes again.
    pub(super) fn connected(&mut self, has_session: bool) {
        if !has_session {
            self.orphans.clear();
            self.recent.clear();
        }
    }

    /// Whether a message can be acknowledged now.
    #[must_use]
    pub(super) fn has_work(&self) -> bool {
        self.open.front().is_some_and(|slot| slot.is_done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acknowledged(inbox: &mut Inbox) -> Vec<u16> {
        let mut packet_ids = Vec::new();
        inbox.pump(|packet_id| {
            packet_ids.push(packet_id);
            Ok::<_, ()>(())
        });
        packet_ids
    }

    fn new_id(received: Received) -> DeliveryId {
        match received {
            Received::New(id) => id,
            Received::Again => panic!("the message is new"),
        }
    }

    #[test]
    fn acknowledges_in_the_order_of_arrival() {
        let mut inbox = Inbox::default();
        let [a, b, c] = [(1, 11), (2, 22), (3, 33)]
            .map(|(packet_id, print)| new_id(inbox.receive(packet_id, print, false)));
        inbox.done(b);
        assert_eq!(acknowledged(&mut inbox), [0_u16; 0]);
        inbox.done(a);
        assert_eq!(acknowledged(&mut inbox), [1, 2]);
        inbox.done(c);
        assert_eq!(acknowledged(&mut inbox), [3]);
        assert!(inbox.open.is_empty());
    }

    #[test]
    fn what_cannot_be_sent_is_kept() {
        let mut inbox = Inbox::default();
        let a = new_id(inbox.receive(1, 11, false));
        inbox.done(a);
        inbox.pump(|_| Err(()));
        assert!(inbox.has_work());
        assert_eq!(acknowledged(&mut inbox), [1]);
    }

    #[test]
    fn knows_again_what_the_broker_repeats() {
        let mut inbox = Inbox::default();
        let a = new_id(inbox.receive(1, 11, false));
        let b = new_id(inbox.receive(2, 22, false));
        inbox.disconnected();
        inbox.done(b);
        inbox.connected(true);
        assert_eq!(inbox.receive(7, 11, true), Received::Again);
        assert_eq!(inbox.receive(8, 22, true), Received::Again);
        assert_eq!(acknowledged(&mut inbox), [0_u16; 0]);
        inbox.done(a);
        assert_eq!(acknowledged(&mut inbox), [7, 8]);
    }

    #[test]
    fn the_same_text_sent_anew_is_new() {
        let mut inbox = Inbox::default();
        new_id(inbox.receive(1, 11, false));
        inbox.disconnected();
        inbox.connected(true);
        assert_eq!(
            inbox.receive(1, 11, false),
            Received::Again,
            "some brokers do not mark repeats"
        );
        new_id(inbox.receive(2, 11, false));
    }

    #[test]
    fn knows_again_what_it_acknowledged_in_vain() {
        let mut inbox = Inbox::default();
        let a = new_id(inbox.receive(1, 11, false));
        inbox.done(a);
        assert_eq!(acknowledged(&mut inbox), [1]);
        inbox.disconnected();
        inbox.connected(true);
        assert_eq!(inbox.receive(1, 11, true), Received::Again);
        assert_eq!(acknowledged(&mut inbox), [1], "at once");
        new_id(inbox.receive(2, 11, true));
        new_id(inbox.receive(1, 11, false));
    }

    #[test]
    fn knows_again_what_an_earlier_process_took() {
        let mut inbox = Inbox::default();
        inbox.remember(DeliveryMark {
            packet_id: 3,
            fingerprint: 33,
        });
        inbox.connected(true);
        assert_eq!(inbox.receive(3, 33, true), Received::Again);
        assert_eq!(acknowledged(&mut inbox), [3]);
    }

    #[test]
    fn a_lost_session_repeats_nothing() {
        let mut inbox = Inbox::default();
        new_id(inbox.receive(1, 11, false));
        inbox.disconnected();
        inbox.connected(false);
        new_id(inbox.receive(1, 11, false));
    }

    #[test]
    fn what_did_not_come_again_first_is_forgotten() {
        let mut inbox = Inbox::default();
        new_id(inbox.receive(1, 11, false));
        inbox.disconnected();
        inbox.connected(true);
        new_id(inbox.receive(1, 99, false));
        new_id(inbox.receive(2, 11, false));
    }
}
