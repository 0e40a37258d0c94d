//! An MQTT 5 client that a test drives step by step.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rumqttc::NetworkOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Packet, Publish, PublishProperties};
use rumqttc::v5::{Client, Event, MqttOptions};
use serde_json::Value;

use super::daemon::topics;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct TestClient {
    client: Client,
    events: Receiver<Packet>,
    /// Came while something else was waited for.
    seen: Vec<Publish>,
}

impl TestClient {
    /// Connects and subscribes to everything there is.
    pub(crate) fn connect(port: u16) -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut options = MqttOptions::new(format!("test-{number}"), "127.0.0.1", port);
        options.set_outgoing_inflight_upper_limit(64);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        let properties = ConnectProperties {
            receive_maximum: Some(1000),
            max_packet_size: Some(16 * 1024 * 1024),
            ..ConnectProperties::new()
        };
        options.set_connect_properties(properties);
        let (client, mut connection) = Client::new(options, 64);
        let (tell, events) = channel();
        std::thread::spawn(move || {
            for event in connection.iter().map_while(Result::ok) {
                if let Event::Incoming(packet) = event
                    && tell.send(packet).is_err()
                {
                    return;
                }
            }
        });
        client.subscribe("#", QoS::AtLeastOnce).unwrap();
        let mut client = Self {
            client,
            events,
            seen: Vec::new(),
        };
        client.packet("subscription", |packet| matches!(packet, Packet::SubAck(_)));
        client
    }

    fn packet(&mut self, what: &str, wanted: impl Fn(&Packet) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let packet = self.next(deadline, what);
            if wanted(&packet) {
                return;
            }
            if let Packet::Publish(publish) = packet {
                self.seen.push(publish);
            }
        }
    }

    fn next(&self, deadline: Instant, what: &str) -> Packet {
        let left = deadline.saturating_duration_since(Instant::now());
        self.events
            .recv_timeout(left)
            .unwrap_or_else(|_| panic!("{what} did not come"))
    }

    pub(crate) fn publish(&self, topic: &str, payload: impl AsRef<[u8]>) {
        self.publish_with(topic, payload, PublishProperties::default());
    }

    pub(crate) fn publish_with(
        &self,
        topic: &str,
        payload: impl AsRef<[u8]>,
        properties: PublishProperties,
    ) {
        let payload = payload.as_ref().to_vec();
        self.client
            .publish_with_properties(topic, QoS::AtLeastOnce, false, payload, properties)
            .unwrap();
    }

    /// Asks the tests' daemon with quality of service 0: nobody keeps the prompt.
    pub(crate) fn ask_once(&self, payload: &str) {
        self.client
            .publish(topics().ask(), QoS::AtMostOnce, false, payload.to_owned())
            .unwrap();
    }

    /// Asks the tests' daemon.
    pub(crate) fn ask(&self, payload: impl AsRef<[u8]>) {
        self.publish(&topics().ask(), payload);
    }

    /// Waits for a message for which `wanted` holds; others are kept for later.
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&Publish) -> bool) -> Publish {
        if let Some(index) = self.seen.iter().position(&wanted) {
            return self.seen.remove(index);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Packet::Publish(publish) = self.next(deadline, what) {
                if wanted(&publish) {
                    return publish;
                }
                self.seen.push(publish);
            }
        }
    }

    /// Waits for the next message on `topic`.
    pub(crate) fn message(&mut self, topic: &str) -> Publish {
        self.wait(&format!("a message on {topic}"), |publish| {
            publish.topic == topic.as_bytes()
        })
    }

    /// Waits for the next JSON document on `topic`.
    pub(crate) fn json(&mut self, topic: &str) -> Value {
        serde_json::from_slice(&self.message(topic).payload).unwrap()
    }

    /// Waits for the next answer or error on the answer topic.
    pub(crate) fn answer(&mut self) -> Value {
        self.json(&topics().answer())
    }

    /// Waits for the answer or error called `id`, on whichever topic.
    pub(crate) fn answer_to(&mut self, id: &str) -> Value {
        let read = |publish: &Publish| serde_json::from_slice::<Value>(&publish.payload).ok();
        let publish = self.wait(&format!("an answer to {id}"), |publish| {
            read(publish).is_some_and(|json| json["id"] == id && json["status"].is_string())
        });
        read(&publish).unwrap()
    }

    /// Waits until the daemon's state is `state`.
    pub(crate) fn state(&mut self, state: &str) {
        self.wait(&format!("state {state}"), |publish| {
            publish.topic == topics().state().as_bytes() && publish.payload == state.as_bytes()
        });
    }

    /// Messages on `topic` so far, those that were not waited for.
    pub(crate) fn unread(&mut self, topic: &str) -> Vec<Publish> {
        while let Ok(packet) = self.events.try_recv() {
            if let Packet::Publish(publish) = packet {
                self.seen.push(publish);
            }
        }
        self.seen
            .iter()
            .filter(|publish| publish.topic == topic.as_bytes())
            .cloned()
            .collect()
    }
}

/// The text of an answer.
pub(crate) fn text(answer: &Value) -> &str {
    answer["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no answer: {answer}"))
}

/// The code of an error.
pub(crate) fn code(answer: &Value) -> &str {
    answer["error"]["code"]
        .as_str()
        .unwrap_or_else(|| panic!("no error: {answer}"))
}
