//! A client that asks one thing at a time and keeps all that it hears, and when.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, Publish};
use rumqttc::v5::{Client, Event};

use crate::asker::{Outcome, Plan, connect, kept, now};
use crate::daemon::DEVICE;

pub(crate) struct Ear {
    client: Client,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
pub(crate) struct Heard {
    is_listening: bool,
    /// Where the daemon stands by its own word.
    pub(crate) state: String,
    /// The last status document.
    pub(crate) status: serde_json::Value,
    pub(crate) outcome: Outcome,
}

impl Heard {
    fn take(&mut self, publish: &Publish) {
        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
        if topic == format!("thinkd/{DEVICE}/state") {
            self.state = String::from_utf8_lossy(&publish.payload).into_owned();
        } else if topic == format!("thinkd/{DEVICE}/status") {
            self.status = serde_json::from_slice(&publish.payload).unwrap();
        } else {
            self.outcome.take(&publish.payload, now());
        }
    }

    /// Whether `id` has an answer that is none of those refusals after which it may be asked again.
    pub(crate) fn is_answered(&self, id: &str) -> bool {
        let answers = self.outcome.answers.get(id);
        answers.is_some_and(|answers| kept(answers).next().is_some())
    }

    /// How many answers to `id` came.
    pub(crate) fn answers(&self, id: &str) -> usize {
        self.outcome.answers.get(id).map_or(0, Vec::len)
    }
}

impl Ear {
    /// Listens for answers at `topic`, and for the daemon's state and status.
    pub(crate) fn at(port: u16, name: &str, topic: &str) -> Self {
        let (client, mut connection) = connect(port, name);
        let heard = Arc::new(Mutex::new(Heard::default()));
        let topics = [
            topic.to_owned(),
            format!("thinkd/{DEVICE}/state"),
            format!("thinkd/{DEVICE}/status"),
        ];
        let (subscriber, into) = (client.clone(), Arc::clone(&heard));
        std::thread::spawn(move || {
            // Until the ear is dropped.
            while Arc::strong_count(&into) > 1 {
                match connection.recv_timeout(Duration::from_millis(100)) {
                    Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                        let filters = topics.iter().cloned();
                        subscriber
                            .try_subscribe_many(filters.map(|at| Filter::new(at, QoS::AtLeastOnce)))
                            .ok();
                    }
                    Ok(Ok(Event::Incoming(Packet::SubAck(_)))) => {
                        into.lock().unwrap().is_listening = true;
                    }
                    Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                        into.lock().unwrap().take(&publish);
                    }
                    Ok(Err(_)) => std::thread::sleep(Duration::from_millis(50)),
                    _ => {}
                }
            }
        });
        let ear = Self { client, heard };
        ear.wait("the subscription", |heard| heard.is_listening);
        ear
    }

    /// Asks the daemon the question of `plan` called `id`.
    pub(crate) fn ask(&self, plan: &Plan, id: &str) {
        let mut heard = self.heard();
        if !heard.outcome.asked.iter().any(|asked| asked == id) {
            heard.outcome.asked.push(id.to_owned());
        }
        drop(heard);
        let topic = format!("thinkd/{DEVICE}/ask");
        self.publish(&topic, QoS::AtLeastOnce, plan.payload(id).into_bytes());
    }

    pub(crate) fn publish(&self, topic: &str, qos: QoS, payload: Vec<u8>) {
        self.client.publish(topic, qos, false, payload).unwrap();
    }

    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }

    /// Waits until `wanted` holds for what was heard.
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&Heard) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !wanted(&self.heard()) {
            if Instant::now() > deadline {
                let heard = self.heard();
                let (state, lost) = (&heard.state, heard.outcome.lost());
                panic!("{what} did not come; the state is {state:?}, without answer are {lost:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until each of `ids` has had `count` answers.
    pub(crate) fn wait_for_answers(&self, ids: &[String], count: usize) {
        self.wait("an answer", |heard| {
            ids.iter().all(|id| heard.answers(id) >= count)
        });
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        std::mem::take(&mut self.heard().outcome)
    }
}
