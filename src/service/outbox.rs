//! The answers the broker has not yet acknowledged, as plain data; they are sent again on every new connection. An
//! answer that is to be stored first is held until it is, and those behind it wait with it.

use std::collections::VecDeque;

use super::inbox::DeliveryId;
use super::mqtt::Publication;
use super::store::Seq;

/// Names one message to be sent with quality of service 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OutKey(pub(super) u64);

impl OutKey {
    /// What is said after all that is owed; no answer is called so.
    pub(super) const LAST: Self = Self(u64::MAX);
}

#[derive(Debug)]
struct Entry {
    key: OutKey,
    publication: Publication,
    /// Done with once the broker has this.
    completes: Vec<DeliveryId>,
    /// The answer that is delivered thereby.
    delivers: Option<Seq>,
    is_held: bool,
    is_sent: bool,
}

/// What is done with when the broker has a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// These messages can be acknowledged.
    pub(super) completes: Vec<DeliveryId>,
    /// This answer is delivered.
    pub(super) delivers: Option<Seq>,
}

/// The messages that are owed, in order.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: VecDeque<Entry>,
    next_key: u64,
}

impl Outbox {
    /// Owes `publication`; when the broker has it, the messages `completes` are done with.
    pub(super) fn push(&mut self, publication: Publication, completes: Vec<DeliveryId>) {
        self.add(publication, completes, None, false);
    }

    /// Owes the answer `seq`, and sends it once it is released if `is_held`; otherwise as [`Self::push`].
    pub(super) fn push_answer(
        &mut self,
        publication: Publication,
        completes: Vec<DeliveryId>,
        seq: Seq,
        is_held: bool,
    ) -> OutKey {
        self.add(publication, completes, Some(seq), is_held)
    }

    fn add(
        &mut self,
        publication: Publication,
        completes: Vec<DeliveryId>,
        delivers: Option<Seq>,
        is_held: bool,
    ) -> OutKey {
        let key = OutKey(self.next_key);
        self.next_key += 1;
        self.entries.push_back(Entry {
            key,
            publication,
            completes,
            delivers,
            is_held,
            is_sent: false,
        });
        key
    }

    /// Lets a message go that was held.
    pub(super) fn release(&mut self, key: OutKey) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            entry.is_held = false;
        }
    }

    /// Sends what was not sent on this connection, in order, up to the first that is held or until `publish` fails.
    pub(super) fn pump<E>(
        &mut self,
        mut publish: impl FnMut(OutKey, &Publication) -> Result<(), E>,
    ) {
        let free = self.entries.iter_mut().take_while(|entry| !entry.is_held);
        for entry in free.filter(|entry| !entry.is_sent) {
            if publish(entry.key, &entry.publication).is_err() {
                return;
            }
            entry.is_sent = true;
        }
    }

    /// The broker has the message; gives what is done with thereby.
    pub(super) fn acknowledged(&mut self, key: OutKey) -> Done {
        let index = self.entries.iter().position(|entry| entry.key == key);
        let entry = index.and_then(|index| self.entries.remove(index));
        entry.map_or_else(Done::default, |entry| Done {
            completes: entry.completes,
            delivers: entry.delivers,
        })
    }

    /// The connection is gone: all that is owed is to be sent again.
    pub(super) fn disconnected(&mut self) {
        self.entries
            .iter_mut()
            .for_each(|entry| entry.is_sent = false);
    }

    /// Whether the answer `seq` is owed.
    #[must_use]
    pub(super) fn owes(&self, seq: Seq) -> bool {
        self.entries.iter().any(|entry| entry.delivers == Some(seq))
    }

    /// Whether nothing is owed.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox() -> Outbox {
        let mut outbox = Outbox::default();
        for topic in ["a", "b"] {
            outbox.push(
                Publication::answer(topic.to_owned(), b"x".to_vec()),
                Vec::new(),
            );
        }
        outbox
    }

    fn sent(outbox: &mut Outbox, room: usize) -> Vec<(OutKey, String)> {
        let mut sent = Vec::new();
        outbox.pump(|key, publication| {
            if sent.len() == room {
                return Err(());
            }
            sent.push((key, publication.topic.clone()));
            Ok(())
        });
        sent
    }

    fn topics(sent: &[(OutKey, String)]) -> Vec<&str> {
        sent.iter().map(|(_, topic)| topic.as_str()).collect()
    }

    #[test]
    fn sends_once_a_connection_and_goes_on_where_there_was_no_room() {
        let mut outbox = outbox();
        assert_eq!(topics(&sent(&mut outbox, 1)), ["a"]);
        assert_eq!(topics(&sent(&mut outbox, 9)), ["b"]);
        assert_eq!(topics(&sent(&mut outbox, 9)), [""; 0]);
        assert!(!outbox.is_empty());
    }

    #[test]
    fn keeps_what_the_broker_has_not_acknowledged() {
        let mut outbox = outbox();
        let keys = sent(&mut outbox, 9);
        outbox.acknowledged(keys[0].0);
        outbox.disconnected();
        assert_eq!(topics(&sent(&mut outbox, 9)), ["b"]);
        outbox.acknowledged(keys[1].0);
        assert!(outbox.is_empty());
    }

    #[test]
    fn an_acknowledgement_completes_what_it_answers() {
        let mut inbox = crate::service::inbox::Inbox::default();
        let crate::service::inbox::Received::New(delivery) = inbox.receive(1, 1, false) else {
            panic!("the message is new")
        };
        let mut outbox = Outbox::default();
        outbox.push(
            Publication::answer("a".to_owned(), Vec::new()),
            vec![delivery],
        );
        let key = sent(&mut outbox, 1)[0].0;
        assert_eq!(outbox.acknowledged(key).completes, [delivery]);
        assert_eq!(outbox.acknowledged(key), Done::default(), "only once");
    }

    #[test]
    fn what_is_held_waits_and_so_does_what_comes_after_it() {
        let mut outbox = outbox();
        let answer = Publication::answer("c".to_owned(), Vec::new());
        let key = outbox.push_answer(answer, Vec::new(), Seq(5), true);
        outbox.push(Publication::answer("d".to_owned(), Vec::new()), Vec::new());
        assert_eq!(topics(&sent(&mut outbox, 9)), ["a", "b"]);
        outbox.release(key);
        assert_eq!(topics(&sent(&mut outbox, 9)), ["c", "d"]);
        assert_eq!(outbox.acknowledged(key).delivers, Some(Seq(5)));
    }
}
