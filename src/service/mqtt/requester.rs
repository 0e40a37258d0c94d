//! The other side: publishes prompts and reads the answers as they come. Blocking; for `ask`, the demo and tests.
//!
//! One thread of its own turns the client's event loop and ends with it; a lost connection is an error, not a retry.

use std::hash::{BuildHasher, RandomState};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rumqttc::Transport;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{ConnectProperties, Packet, PubAckReason, PublishProperties};
use rumqttc::v5::{AsyncClient, ClientError, Event, EventLoop, MqttOptions};

use super::answer::{ChunkKind, read_chunk, read_outcome};
use super::connection::{lost_reason, without_delay};
use super::question::{Question, Reply, RequesterError, RequesterOptions};
use super::topics::Topics;

/// How long a daemon's retained state may take to arrive; without one there is no daemon.
const STATE_WAIT: Duration = Duration::from_secs(3);

/// Largest packet taken.
const PACKET_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// Calls that may wait for the client's event loop.
const CALLS_MAX: usize = 64;

/// What the event loop's thread tells.
enum Told {
    Connected,
    Subscribed,
    /// The broker has our prompt; whether nobody is subscribed to it.
    Published {
        to_nobody: bool,
    },
    Message {
        topic: String,
        payload: Vec<u8>,
    },
    Lost(String),
}

/// A connection to ask over.
#[derive(Debug)]
pub struct Requester {
    client: AsyncClient,
    told: Receiver<Told>,
    topics: Topics,
    reply_topic: String,
    name: String,
    asked: u64,
    /// The daemon's state, once it is known.
    state: Option<String>,
    answer_timeout: Duration,
}

impl Requester {
    /// Connects and waits until answers can be heard.
    ///
    /// # Errors
    /// If there is no broker, it refuses, or it does not answer in time.
    pub fn connect(options: &RequesterOptions) -> Result<Self, RequesterError> {
        let address = format!("{}:{}", options.host, options.port);
        let failed = |reason: String| RequesterError::Connect {
            address: address.clone(),
            reason,
        };
        let name = format!(
            "ask-{:016x}",
            RandomState::new().hash_one(std::process::id())
        );
        let (client, event_loop) = AsyncClient::new(client_options(options, &name), CALLS_MAX);
        let (tell, told) = channel();
        std::thread::Builder::new()
            .name("requester".to_owned())
            .spawn(move || turn(event_loop, &tell))
            .map_err(|error| failed(error.to_string()))?;
        let (topics, answer_timeout) = (options.topics.clone(), options.answer_timeout);
        let reply_topic = topics.reply(&name);
        let mut requester = Self {
            client,
            told,
            topics,
            reply_topic,
            name,
            asked: 0,
            state: None,
            answer_timeout,
        };
        requester.open(options.connect_timeout).map_err(failed)?;
        Ok(requester)
    }

    fn open(&mut self, timeout: Duration) -> Result<(), String> {
        let deadline = Instant::now() + timeout;
        let mut subscriptions = 0;
        while subscriptions < 2 {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.told.recv_timeout(left) {
                Ok(Told::Connected) => {
                    for topic in [self.reply_topic.clone(), self.topics.state()] {
                        let subscribed = self.client.try_subscribe(topic, QoS::AtLeastOnce);
                        subscribed.map_err(|error| error.to_string())?;
                    }
                }
                Ok(Told::Subscribed) => subscriptions += 1,
                Ok(Told::Message { topic, payload }) => self.note_state(&topic, &payload),
                Ok(Told::Published { .. }) => {}
                Ok(Told::Lost(reason)) => return Err(reason),
                Err(RecvTimeoutError::Timeout) => return Err("it does not answer".to_owned()),
                Err(RecvTimeoutError::Disconnected) => return Err("the client ended".to_owned()),
            }
        }
        Ok(())
    }

    /// Waits until the daemon says that it is online; for one who has just started it.
    ///
    /// # Errors
    /// If it does not say so in time, or the connection is lost.
    pub fn wait_until_online(&mut self, timeout: Duration) -> Result<(), RequesterError> {
        let deadline = Instant::now() + timeout;
        let lost = |reason| Err(RequesterError::Lost { reason });
        while self.state.as_deref() != Some("online") {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.told.recv_timeout(left) {
                Ok(Told::Message { topic, payload }) => self.note_state(&topic, &payload),
                Ok(Told::Lost(reason)) => return lost(reason),
                Ok(Told::Connected | Told::Subscribed | Told::Published { .. }) => {}
                Err(RecvTimeoutError::Timeout) => return Err(self.offline()),
                Err(RecvTimeoutError::Disconnected) => return lost("the client ended".to_owned()),
            }
        }
        Ok(())
    }

    /// Asks; what comes of it is what the exchange yields.
    ///
    /// # Errors
    /// If the connection takes nothing more.
    pub fn ask(&mut self, question: &Question) -> Result<Exchange<'_>, RequesterError> {
        self.asked += 1;
        let id = format!("{}-{}", self.name, self.asked);
        let stream_topic = self.topics.stream(&id);
        let properties = PublishProperties {
            response_topic: Some(self.reply_topic.clone()),
            correlation_data: Some(id.clone().into()),
            content_type: Some("application/json".to_owned()),
            ..PublishProperties::default()
        };
        let (topic, payload) = (self.topics.ask(), question.to_json(&id));
        let lost = |error: ClientError| RequesterError::Lost {
            reason: error.to_string(),
        };
        self.client
            .try_subscribe(&stream_topic, QoS::AtMostOnce)
            .map_err(lost)?;
        self.client
            .try_publish_with_properties(topic, QoS::AtLeastOnce, false, payload, properties)
            .map_err(lost)?;
        let asked = Instant::now();
        Ok(Exchange {
            requester: self,
            id,
            stream_topic,
            asked,
            is_heard: false,
            is_over: false,
        })
    }

    fn offline(&self) -> RequesterError {
        let state = self.state.clone();
        let state = state.map_or_else(
            || "none was ever there".to_owned(),
            |state| format!("its state is {state}"),
        );
        RequesterError::Offline {
            topic: self.topics.ask(),
            state,
        }
    }

    fn note_state(&mut self, topic: &str, payload: &[u8]) {
        if topic == self.topics.state() {
            self.state = Some(String::from_utf8_lossy(payload).into_owned());
        }
    }
}

impl Drop for Requester {
    fn drop(&mut self) {
        // Without room for a goodbye the broker notices all the same.
        self.client.try_disconnect().ok();
    }
}

/// A question that was asked; yields pieces, then the whole answer or an error, then nothing.
#[derive(Debug)]
pub struct Exchange<'a> {
    requester: &'a mut Requester,
    id: String,
    stream_topic: String,
    asked: Instant,
    /// Whether anything came of it.
    is_heard: bool,
    is_over: bool,
}

impl Exchange<'_> {
    /// The name the question goes by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Asks the daemon to stop answering; what there is by then is yielded as the answer.
    pub fn cancel(&self) {
        let (topic, id) = (self.requester.topics.cancel(), self.id.clone());
        // Without room in the client the answer just goes on.
        self.requester
            .client
            .try_publish(topic, QoS::AtLeastOnce, false, id)
            .ok();
    }

    fn wait(&mut self) -> Result<Reply, RequesterError> {
        let mut silent_since = Instant::now();
        loop {
            self.check_daemon()?;
            let left = self
                .requester
                .answer_timeout
                .saturating_sub(silent_since.elapsed());
            if left.is_zero() {
                let seconds = self.requester.answer_timeout.as_secs();
                return Err(RequesterError::Silent { seconds });
            }
            match self.requester.told.recv_timeout(left.min(STATE_WAIT)) {
                Ok(Told::Message { topic, payload }) => {
                    if let Some(reply) = self.message(&topic, &payload)? {
                        return Ok(reply);
                    }
                    silent_since = Instant::now();
                }
                Ok(Told::Published { to_nobody: true }) => return Err(self.offline()),
                Ok(Told::Lost(reason)) => return Err(RequesterError::Lost { reason }),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(RequesterError::Lost {
                        reason: "the client ended".to_owned(),
                    });
                }
            }
        }
    }

    /// Whether somebody can be expected to answer.
    fn check_daemon(&self) -> Result<(), RequesterError> {
        match &self.requester.state {
            Some(state) if state != "online" => Err(self.offline()),
            None if !self.is_heard && self.asked.elapsed() > STATE_WAIT => Err(self.offline()),
            _ => Ok(()),
        }
    }

    fn offline(&self) -> RequesterError {
        self.requester.offline()
    }

    fn message(&mut self, topic: &str, payload: &[u8]) -> Result<Option<Reply>, RequesterError> {
        let malformed = |reason| RequesterError::Malformed {
            topic: topic.to_owned(),
            reason,
        };
        if topic == self.stream_topic {
            self.is_heard = true;
            let piece = read_chunk(payload).map_err(malformed)?.1;
            return Ok(piece.map(|(kind, text)| match kind {
                ChunkKind::Thought => Reply::Thought(text),
                ChunkKind::Answer => Reply::Answer(text),
            }));
        }
        if topic == self.requester.reply_topic {
            let outcome = read_outcome(payload).map_err(malformed)?;
            return match outcome {
                Ok(answer) if answer.id == self.id => Ok(Some(Reply::Finished(Box::new(answer)))),
                Ok(_) => Ok(None), // Of a question given up before.
                Err(error) => Err(error.into()),
            };
        }
        self.requester.note_state(topic, payload);
        Ok(None)
    }
}

impl Iterator for Exchange<'_> {
    type Item = Result<Reply, RequesterError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let reply = self.wait();
        self.is_over = matches!(reply, Ok(Reply::Finished(_)) | Err(_));
        Some(reply)
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        // A subscription more does no harm.
        self.requester
            .client
            .try_unsubscribe(&self.stream_topic)
            .ok();
    }
}

fn client_options(options: &RequesterOptions, name: &str) -> MqttOptions {
    let mut client = MqttOptions::new(name, &options.host, options.port);
    let properties = ConnectProperties {
        receive_maximum: Some(64),
        max_packet_size: Some(PACKET_BYTES_MAX),
        ..ConnectProperties::new()
    };
    client
        .set_clean_start(true)
        .set_keep_alive(Duration::from_secs(30))
        .set_connection_timeout(options.connect_timeout.as_secs().max(1))
        .set_outgoing_inflight_upper_limit(16)
        .set_network_options(without_delay())
        .set_connect_properties(properties);
    if let Some(credentials) = &options.credentials {
        client.set_credentials(&credentials.username, &credentials.password);
    }
    if let Some(tls) = &options.tls {
        client.set_transport(Transport::tls_with_config(tls.configuration()));
    }
    client
}

/// Turns the event loop until the connection is over or nobody listens.
fn turn(mut event_loop: EventLoop, tell: &Sender<Told>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            // Where nobody listens any more there is nobody to tell.
            tell.send(Told::Lost(error.to_string())).ok();
            return;
        }
    };
    runtime.block_on(async {
        loop {
            let told = match event_loop.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => Told::Connected,
                Ok(Event::Incoming(Packet::SubAck(_))) => Told::Subscribed,
                Ok(Event::Incoming(Packet::PubAck(ack))) => Told::Published {
                    to_nobody: ack.reason == PubAckReason::NoMatchingSubscribers,
                },
                Ok(Event::Incoming(Packet::Publish(publish))) => Told::Message {
                    topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                    payload: publish.payload.to_vec(),
                },
                Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return,
                Ok(_) => continue,
                Err(error) => Told::Lost(lost_reason(&error)),
            };
            let is_over = matches!(told, Told::Lost(_));
            if tell.send(told).is_err() || is_over {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_is_not_there_is_named() {
        let options = RequesterOptions {
            host: "127.0.0.1".to_owned(),
            port: 1,
            credentials: None,
            tls: None,
            topics: Topics::for_device("d").unwrap(),
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(5),
        };
        let error = Requester::connect(&options).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot connect to the broker at 127.0.0.1:1: "),
            "{error}"
        );
    }
}
