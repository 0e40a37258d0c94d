//! The answers the broker has not yet acknowledged, as plain data; they are sent again on every new connection.

use std::collections::VecDeque;

use super::inbox::DeliveryId;
use super::mqtt::Publication;

/// Names one message to be sent with quality of service 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OutKey(u64);

#[derive(Debug)]
struct Entry {
    key: OutKey,
    publication: Publication,
    /// Done with once the broker has this.
    completes: Vec<DeliveryId>,
    is_sent: bool,
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
        let key = OutKey(self.next_key);
        self.next_key += 1;
        self.entries.push_back(Entry {
            key,
            publication,
            completes,
            is_sent: false,
        });
    }

    /// Sends what was not sent on this connection, in order, until `publish` fails.
    pub(super) fn pump<E>(
        &mut self,
        mut publish: impl FnMut(OutKey, &Publication) -> Result<(), E>,
    ) {
        for entry in self.entries.iter_mut().filter(|entry| !entry.is_sent) {
            if publish(entry.key, &entry.publication).is_err() {
                return;
            }
            entry.is_sent = true;
        }
    }

    /// The broker has the message; gives what is done with thereby.
    pub(super) fn acknowledged(&mut self, key: OutKey) -> Vec<DeliveryId> {
        let index = self.entries.iter().position(|entry| entry.key == key);
        index
            .and_then(|index| self.entries.remove(index))
            .map_or_else(Vec::new, |e| e.completes)
    }

    /// The connection is gone: all that is owed is to be sent again.
    pub(super) fn disconnected(&mut self) {
        self.entries
            .iter_mut()
            .for_each(|entry| entry.is_sent = false);
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
        assert_eq!(outbox.acknowledged(key), [delivery]);
        assert_eq!(outbox.acknowledged(key), [], "only once");
    }
}
