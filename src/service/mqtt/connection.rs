//! The client's event loop: connect, subscribe on every acknowledgement, hand over what comes, wait, connect again.
//!
//! The rules that keep rumqttc from losing anything, all of them here:
//! a fresh client for every connection, since a reused one can lose or mix up what was in flight; only `try_` calls,
//! since its channel is bounded and awaiting it here would wait for ourselves; every poll has a time limit, since a
//! blocked write stops its keep-alive; receive maximum and packet size always sent; no topic alias; quality of service
//! 2 never used; a poll is never cancelled but by the time limit, after which the connection is thrown away.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnectProperties, Filter, LastWill, Packet, PubAckReason, Publish, PublishProperties,
    RetainForwardRule, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, StateError};
use rumqttc::{NetworkOptions, Outgoing, Transport, v5::mqttbytes};
use tokio::sync::mpsc;

use super::backoff::Backoff;
use super::message::{Message, Publication};
use super::options::Options;
use super::topics::Inbox;
use crate::service::outbox::OutKey;

/// Answers in flight at the broker.
const IN_FLIGHT_MAX: u16 = 64;

/// A connection that held this long was a good one: the waits begin anew after it.
const STABLE: Duration = Duration::from_secs(10);

/// How long the broker may take to close a connection after a goodbye.
const CLOSING: Duration = Duration::from_secs(1);

/// However long nothing was heard, what has come by now is read first.
const POLL_LEAST: Duration = Duration::from_millis(100);

const CLOSED: &str = "the broker closed the connection";

/// What happens to the connection.
#[derive(Debug)]
pub(crate) enum ConnectionEvent {
    /// There is one.
    Connected { link: Link, has_session: bool },
    /// It hears what is sent to us.
    Subscribed,
    /// Something came.
    Message(Message),
    /// A message went out under this number.
    Sent(u16),
    /// The broker has the message, or refuses it.
    Acknowledged {
        packet_id: u16,
        refused: Option<String>,
    },
    /// There is none (any more); the next attempt follows.
    Disconnected { reason: String, retry_in: Duration },
}

/// What a connection can be asked to do; useless after it.
#[derive(Debug)]
pub(crate) struct Link {
    client: AsyncClient,
    packet_bytes_max: usize,
    /// Handed to the client, in order; what is none is nobody's business when acknowledged.
    submitted: VecDeque<Option<OutKey>>,
    in_flight: HashMap<u16, OutKey>,
}

/// The client takes no more now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Link {
    /// Whether the broker takes a packet of this size.
    pub(crate) fn fits(&self, publication: &Publication) -> bool {
        publication.packet_bytes() <= self.packet_bytes_max
    }

    /// Largest packet the broker takes.
    pub(crate) fn packet_bytes_max(&self) -> usize {
        self.packet_bytes_max
    }

    /// Publishes with quality of service 1.
    pub(crate) fn publish(
        &mut self,
        publication: &Publication,
        key: Option<OutKey>,
    ) -> Result<(), Full> {
        self.send(publication, QoS::AtLeastOnce)?;
        self.submitted.push_back(key);
        Ok(())
    }

    /// Publishes with quality of service 0; may be lost.
    pub(crate) fn publish_once(&self, publication: &Publication) -> Result<(), Full> {
        self.send(publication, QoS::AtMostOnce)
    }

    fn send(&self, publication: &Publication, qos: QoS) -> Result<(), Full> {
        let Publication {
            topic,
            payload,
            is_retained,
            correlation,
            user_properties,
            ..
        } = publication;
        // What came as a ping goes back as it is, text or not.
        let is_text = publication.is_json || std::str::from_utf8(payload).is_ok();
        let properties = PublishProperties {
            payload_format_indicator: is_text.then_some(1),
            content_type: is_text.then(|| publication.content_type().to_owned()),
            correlation_data: correlation.clone(),
            user_properties: user_properties.clone(),
            ..PublishProperties::default()
        };
        let (topic, payload, retain) = (topic.as_str(), payload.clone(), *is_retained);
        let sent = self
            .client
            .try_publish_with_properties(topic, qos, retain, payload, properties);
        sent.map_err(|_| Full)
    }

    /// Acknowledges the message of this number.
    pub(crate) fn acknowledge(&self, packet_id: u16) -> Result<(), Full> {
        let named = Publish {
            pkid: packet_id,
            qos: QoS::AtLeastOnce,
            ..Publish::default()
        };
        self.client.try_ack(&named).map_err(|_| Full)
    }

    /// The oldest message handed over went out under this number.
    pub(crate) fn sent(&mut self, packet_id: u16) {
        if let Some(Some(key)) = self.submitted.pop_front() {
            self.in_flight.insert(packet_id, key);
        }
    }

    /// The broker has answered for this number: whose message that was.
    pub(crate) fn acknowledged(&mut self, packet_id: u16) -> Option<OutKey> {
        self.in_flight.remove(&packet_id)
    }

    /// Says goodbye after all that was handed over; the event loop ends then.
    pub(crate) fn close(&self) -> Result<(), Full> {
        self.client.try_disconnect().map_err(|_| Full)
    }
}

/// Keeps a connection for ever, until it is closed by [`Link::close`] or nobody listens.
pub(crate) async fn keep(options: Options, events: mpsc::Sender<ConnectionEvent>) {
    let mut backoff = Backoff::new(options.backoff);
    let mut oversize_losses = 0;
    loop {
        let begun = Instant::now();
        // A message larger than we take, from a broker that ignores our limit, would come again for ever.
        let clean_start = oversize_losses >= 2;
        let Err(lost) = connection(&options, clean_start, &events).await else {
            return;
        };
        oversize_losses = if lost.is_oversize && !clean_start {
            oversize_losses + 1
        } else {
            0
        };
        if lost.is_oversize {
            let limit = options.packet_bytes_max;
            tracing::error!(
                limit,
                "The broker sent a packet over our limit; repeated, its queue is dropped."
            );
        }
        if begun.elapsed() >= STABLE {
            backoff.reset();
        }
        let retry_in = backoff.wait();
        let told = ConnectionEvent::Disconnected {
            reason: lost.reason,
            retry_in,
        };
        if events.send(told).await.is_err() {
            return;
        }
        tokio::time::sleep(retry_in).await;
    }
}

/// Why a connection ended.
struct Lost {
    reason: String,
    is_oversize: bool,
}

impl Lost {
    fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_oversize: false,
        }
    }

    /// The same where the broker had not answered yet. One of MQTT 3.1.1 closes the connection then, or answers in a way
    /// that is too short for MQTT 5 and closes it.
    fn untaken(mut self) -> Self {
        if self.reason == CLOSED {
            self.reason
                .push_str(" before it took us; it has to speak MQTT 5, on a port for MQTT");
        }
        self
    }
}

/// One connection, from its beginning to its loss; `Ok` where it was closed.
async fn connection(
    options: &Options,
    clean_start: bool,
    events: &mpsc::Sender<ConnectionEvent>,
) -> Result<(), Lost> {
    let capacity = 2 * usize::from(options.receive_max) + usize::from(IN_FLIGHT_MAX) + 16;
    let mut client_options = client_options(options, clean_start);
    client_options.set_last_will(LastWill::new(
        options.topics.state(),
        "offline",
        QoS::AtLeastOnce,
        true,
        None,
    ));
    let (client, mut event_loop) = AsyncClient::new(client_options, capacity);
    // A live broker answers the ping of every keep-alive. What goes out says nothing: a dead wire takes it too.
    let silence_max = options.keep_alive.mul_f64(2.4);
    let mut heard = Instant::now();
    let mut is_taken = false;
    loop {
        let left = silence_max.saturating_sub(heard.elapsed());
        let polled = poll(&mut event_loop, left.max(POLL_LEAST)).await;
        let event = polled.map_err(|lost| if is_taken { lost } else { lost.untaken() })?;
        if matches!(event, Event::Incoming(_)) {
            is_taken = true;
            heard = Instant::now();
        }
        let told = match event {
            Event::Incoming(Packet::ConnAck(ack)) => connected(options, client.clone(), &ack)?,
            Event::Incoming(Packet::SubAck(ack)) => {
                subscribed(&options.topics.inboxes(), &ack.return_codes)?;
                ConnectionEvent::Subscribed
            }
            Event::Incoming(Packet::Publish(publish)) => match message(publish) {
                Some(message) => ConnectionEvent::Message(message),
                None => continue,
            },
            Event::Incoming(Packet::PubAck(ack)) => {
                let is_taken = matches!(
                    ack.reason,
                    PubAckReason::Success | PubAckReason::NoMatchingSubscribers
                );
                let refused = (!is_taken).then(|| format!("{:?}", ack.reason));
                ConnectionEvent::Acknowledged {
                    packet_id: ack.pkid,
                    refused,
                }
            }
            Event::Outgoing(Outgoing::Publish(packet_id)) if packet_id != 0 => {
                ConnectionEvent::Sent(packet_id)
            }
            Event::Outgoing(Outgoing::Disconnect) => {
                until_closed(&mut event_loop).await;
                return Ok(());
            }
            _ => continue,
        };
        if events.send(told).await.is_err() {
            return Ok(());
        }
    }
}

/// Publishes one message under our name and leaves, without a last will that could speak after it. What waits for us at
/// the broker goes on waiting.
pub(crate) async fn publish_alone(
    options: &Options,
    publication: &Publication,
) -> Result<(), String> {
    let (client, mut event_loop) = AsyncClient::new(client_options(options, false), 4);
    let mut link = Link {
        client,
        packet_bytes_max: usize::MAX,
        submitted: VecDeque::new(),
        in_flight: HashMap::new(),
    };
    loop {
        let event = poll(&mut event_loop, options.keep_alive)
            .await
            .map_err(|lost| lost.reason)?;
        let done = match event {
            Event::Incoming(Packet::ConnAck(_)) => link.publish(publication, None),
            Event::Incoming(Packet::PubAck(_)) => link.close(),
            Event::Outgoing(Outgoing::Disconnect) => {
                until_closed(&mut event_loop).await;
                return Ok(());
            }
            _ => Ok(()),
        };
        done.map_err(|Full| "the client takes nothing".to_owned())?;
    }
}

/// Waits until the broker closes the connection, as it does after a goodbye. Closed on our side with something in it that
/// was not read, it would be reset, and a broker that finds it so may let the last will speak after all.
async fn until_closed(event_loop: &mut EventLoop) {
    let closed = async { while event_loop.poll().await.is_ok() {} };
    tokio::time::timeout(CLOSING, closed).await.ok();
}

async fn poll(event_loop: &mut EventLoop, patience: Duration) -> Result<Event, Lost> {
    match tokio::time::timeout(patience, event_loop.poll()).await {
        Ok(Ok(event)) => Ok(event),
        Ok(Err(error)) => Err(lost(&error)),
        Err(_) => Err(Lost::because(
            "nothing came from the broker for 2.4 times the keep-alive",
        )),
    }
}

fn lost(error: &ConnectionError) -> Lost {
    let is_oversize = matches!(
        error,
        ConnectionError::MqttState(StateError::Deserialization(
            mqttbytes::Error::PayloadSizeLimitExceeded { .. }
        ))
    );
    Lost {
        reason: lost_reason(error),
        is_oversize,
    }
}

/// Why there is no connection, in words that say what to do where that is known.
pub(super) fn lost_reason(error: &ConnectionError) -> String {
    match error {
        ConnectionError::Io(error) => error.to_string(),
        ConnectionError::Tls(error) => tls_reason(&error.to_string()),
        ConnectionError::ConnectionRefused(code) => format!("the broker refuses us: {code:?}"),
        ConnectionError::Timeout(_) => "the broker does not answer".to_owned(),
        ConnectionError::MqttState(StateError::ConnectionAborted) => CLOSED.to_owned(),
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            "the broker does not answer pings".to_owned()
        }
        other => other.to_string(),
    }
}

/// What went wrong with TLS, and which setting it is about.
fn tls_reason(error: &str) -> String {
    let error = error.strip_prefix("I/O: ").unwrap_or(error);
    let advice = if error.contains("UnknownIssuer") {
        "; mqtt.ca_file names the authority to trust"
    } else if error.contains("not valid for name") || error.contains("NotValidForName") {
        "; mqtt.server_name names what the certificate is issued for"
    } else if error.contains("Expired") || error.contains("NotValidYet") {
        "; the board's clock may be wrong"
    } else if error.contains("corrupt message") || error.contains("InvalidContentType") {
        "; is this port one for TLS?"
    } else {
        ""
    };
    format!("TLS: {error}{advice}")
}

/// Subscribes, and gives what others need of the new connection.
fn connected(
    options: &Options,
    client: AsyncClient,
    ack: &ConnAck,
) -> Result<ConnectionEvent, Lost> {
    let properties = ack.properties.as_ref();
    let max_qos = properties.and_then(|properties| properties.max_qos);
    let shared = properties.and_then(|properties| properties.shared_subscription_available);
    if let Some(reason) = unfit(max_qos, shared, options.topics.group().is_some()) {
        return Err(Lost::because(reason));
    }
    let filters = options.topics.inboxes().into_iter().map(|inbox| {
        let qos = if inbox.is_acknowledged {
            QoS::AtLeastOnce
        } else {
            QoS::AtMostOnce
        };
        Filter {
            retain_forward_rule: RetainForwardRule::Never,
            ..Filter::new(inbox.filter, qos)
        }
    });
    client
        .try_subscribe_many(filters)
        .map_err(|error| Lost::because(format!("cannot subscribe: {error}")))?;
    let packet_bytes_max = properties.and_then(|properties| properties.max_packet_size);
    let link = Link {
        client,
        packet_bytes_max: packet_bytes_max.map_or(usize::MAX, |bytes| bytes as usize),
        submitted: VecDeque::new(),
        in_flight: HashMap::new(),
    };
    Ok(ConnectionEvent::Connected {
        link,
        has_session: ack.session_present,
    })
}

/// Why a broker that says this of itself is of no use to us: its highest quality of service, and whether it has shared
/// subscriptions.
fn unfit(max_qos: Option<u8>, shared: Option<u8>, is_in_group: bool) -> Option<&'static str> {
    if max_qos == Some(0) {
        return Some("the broker knows quality of service 0 only, we need 1");
    }
    // RabbitMQ grants such a subscription all the same, to a topic that nobody publishes to.
    let needs_shared = is_in_group && shared == Some(0);
    needs_shared.then_some("the broker has no shared subscriptions, which mqtt.group needs")
}

/// Looks at what the broker says to each of our subscriptions.
fn subscribed(inboxes: &[Inbox], codes: &[SubscribeReasonCode]) -> Result<(), Lost> {
    for (inbox, code) in inboxes.iter().zip(codes) {
        if matches!(code, SubscribeReasonCode::Success(_)) {
            continue;
        }
        let filter = &inbox.filter;
        if inbox.is_needed {
            return Err(Lost::because(format!(
                "the broker refuses to subscribe us to {filter}: {code:?}"
            )));
        }
        tracing::warn!(filter, ?code, "The broker refuses a subscription.");
    }
    Ok(())
}

fn message(publish: Publish) -> Option<Message> {
    let properties = publish.properties.unwrap_or_default();
    let Ok(topic) = String::from_utf8(publish.topic.into()) else {
        tracing::warn!("A message on a topic that is not UTF-8 was dropped.");
        return None;
    };
    Some(Message {
        topic,
        payload: publish.payload,
        packet_id: (publish.qos != QoS::AtMostOnce).then_some(publish.pkid),
        is_repeat: publish.dup,
        is_retained: publish.retain,
        response_topic: properties.response_topic,
        correlation: properties.correlation_data,
        user_properties: properties.user_properties,
        expiry: properties
            .message_expiry_interval
            .map(|s| Duration::from_secs(s.into())),
    })
}

/// Small packets are sent at once: waiting to fill larger ones costs 40 ms an exchange.
pub(super) fn without_delay() -> NetworkOptions {
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network
}

fn client_options(options: &Options, clean_start: bool) -> MqttOptions {
    let mut client = MqttOptions::new(&options.client_id, &options.host, options.port);
    client
        .set_keep_alive(options.keep_alive)
        .set_clean_start(clean_start)
        .set_manual_acks(true)
        .set_connection_timeout(10)
        .set_outgoing_inflight_upper_limit(IN_FLIGHT_MAX)
        .set_network_options(without_delay());
    let mut properties = ConnectProperties::new();
    let expiry = options.session_expiry.as_secs();
    properties.session_expiry_interval = Some(u32::try_from(expiry).unwrap_or(u32::MAX));
    properties.receive_maximum = Some(options.receive_max());
    properties.max_packet_size = Some(options.packet_bytes_max);
    client.set_connect_properties(properties);
    if let Some(credentials) = &options.credentials {
        client.set_credentials(&credentials.username, &credentials.password);
    }
    if let Some(tls) = &options.tls {
        client.set_transport(Transport::tls_with_config(tls.configuration()));
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_closes_before_it_takes_us_is_said_to_have_to_speak_mqtt_5() {
        let reason = |text: &str| Lost::because(text).untaken().reason;
        assert!(reason(CLOSED).contains("MQTT 5"));
        assert_eq!(reason("connection refused"), "connection refused");
    }

    #[test]
    fn a_broker_without_shared_subscriptions_is_unfit_for_a_board_of_a_group_only() {
        let unfit = |shared, is_in_group| unfit(None, shared, is_in_group).is_some();
        assert!(unfit(Some(0), true));
        assert!(!unfit(Some(0), false));
        assert!(!unfit(Some(1), true));
        assert!(!unfit(None, true), "it is there if not denied");
    }
}
