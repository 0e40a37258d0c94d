//! The wire format of the embedded broker: both versions of MQTT on one port, and a fence round the broker.
//!
//! rumqttd asks for one protocol a port; this one looks at each connection's first packet. It also keeps out what would
//! make the broker panic or go astray, so that no client can take it from the others.

use bytes::{Buf, BytesMut};
use rumqttd::protocol::v4::V4;
use rumqttd::protocol::v5::V5;
use rumqttd::protocol::{ConnAckProperties, Connect, Error, Packet, Protocol};

use crate::service::mqtt::is_filter;

/// Speaks the version of MQTT that the client's first packet asks for, and lets nothing through that harms the broker.
#[derive(Debug, Clone)]
pub(super) struct EitherVersion {
    version: Option<Version>,
    packet_bytes_max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V4,
    V5,
}

impl Protocol for EitherVersion {
    fn read_mut(&mut self, stream: &mut BytesMut, max_size: usize) -> Result<Packet, Error> {
        let version = match self.version {
            Some(version) => version,
            None => *self.version.insert(version_of_connect(stream)?),
        };
        let packet = match version {
            Version::V4 => V4.read_mut(stream, max_size)?,
            Version::V5 => V5.read_mut(stream, max_size)?,
        };
        fence_in(packet)
    }

    fn write(&self, packet: Packet, buffer: &mut BytesMut) -> Result<usize, Error> {
        match self.version {
            Some(Version::V4) => V4.write(without_properties(packet), buffer),
            Some(Version::V5) | None => V5.write(self.introduced(packet), buffer),
        }
    }
}

impl EitherVersion {
    /// For a broker that takes packets up to this size.
    pub(super) fn new(packet_bytes_max: u32) -> Self {
        Self {
            version: None,
            packet_bytes_max,
        }
    }

    /// Tells a new client our limits.
    fn introduced(&self, packet: Packet) -> Packet {
        let Packet::ConnAck(ack, properties) = packet else {
            return packet;
        };
        let properties = ConnAckProperties {
            max_packet_size: Some(self.packet_bytes_max),
            topic_alias_max: None,
            shared_subscription_available: Some(0),
            ..properties.unwrap_or_default()
        };
        Packet::ConnAck(ack, Some(properties))
    }
}

/// The protocol level of a CONNECT packet, which stands after its length and the protocol's name.
fn version_of_connect(stream: &BytesMut) -> Result<Version, Error> {
    let mut bytes = &stream[..];
    let missing = |bytes: &[u8], wanted: usize| Err(Error::InsufficientBytes(wanted - bytes.len()));
    if bytes.len() < 2 {
        return missing(bytes, 2);
    }
    let kind = bytes.get_u8() >> 4;
    if kind != 1 {
        return Err(Error::InvalidPacketType(kind));
    }
    let length_bytes = match bytes.iter().take(4).position(|byte| byte & 0x80 == 0) {
        Some(last) => last + 1,
        None if bytes.len() < 4 => return missing(&[], 1),
        None => return Err(Error::MalformedRemainingLength),
    };
    bytes.advance(length_bytes);
    const HEAD_BYTES: usize = 7; // two of length, "MQTT", one of level
    if bytes.len() < HEAD_BYTES {
        return missing(bytes, HEAD_BYTES);
    }
    match (&bytes[..6], bytes[6]) {
        (b"\0\x04MQTT", 4) => Ok(Version::V4),
        (b"\0\x04MQTT", 5) => Ok(Version::V5),
        (b"\0\x04MQTT", level) => Err(Error::InvalidProtocolLevel(level)),
        _ => Err(Error::InvalidProtocol),
    }
}

/// Lets through what the broker can bear.
fn fence_in(packet: Packet) -> Result<Packet, Error> {
    match packet {
        Packet::Connect(connect, mut properties, will, will_properties, login) => {
            // A refused name would lock all others out when it comes a second time.
            if connect.client_id.contains(['+', '$', '#', '/']) {
                tracing::warn!("A client whose id has one of + $ # / was turned away.");
                return Err(Error::IncorrectPacketFormat);
            }
            if let Some(will) = &will {
                check_topic(&will.topic)?;
            }
            let keeps_session = properties
                .as_ref()
                .map(|p| p.session_expiry_interval.unwrap_or(0) > 0);
            let connect = Connect {
                // "No keep alive" is more than the broker allows.
                keep_alive: if connect.keep_alive == 0 {
                    u16::MAX
                } else {
                    connect.keep_alive
                },
                clean_session: connect.clean_session || keeps_session == Some(false),
                ..connect
            };
            if let Some(properties) = &mut properties {
                properties.topic_alias_max = None;
            }
            Ok(Packet::Connect(
                connect,
                properties,
                will,
                will_properties,
                login,
            ))
        }
        Packet::Publish(publish, properties) => {
            check_topic(&publish.topic)?;
            Ok(Packet::Publish(publish, properties))
        }
        Packet::Subscribe(subscribe, properties) => {
            let is_borne = |path: &str| is_filter(path) && !path.starts_with('$');
            if !subscribe
                .filters
                .iter()
                .all(|filter| is_borne(&filter.path))
            {
                tracing::warn!(
                    "A client that subscribed to $share, $SYS or no filter at all was disconnected."
                );
                return Err(Error::TopicNotUtf8);
            }
            Ok(Packet::Subscribe(subscribe, properties))
        }
        other => Ok(other),
    }
}

fn check_topic(topic: &[u8]) -> Result<(), Error> {
    let text = std::str::from_utf8(topic)?;
    // The broker cuts off the first byte to look for a dollar sign.
    let is_borne = text.is_char_boundary(1) && !text.is_empty() && !text.contains(['+', '#', '\0']);
    if is_borne {
        Ok(())
    } else {
        Err(Error::TopicNotUtf8)
    }
}

/// What a client of MQTT 3.1.1 can be told.
fn without_properties(packet: Packet) -> Packet {
    match packet {
        Packet::Publish(publish, _) => Packet::Publish(publish, None),
        Packet::PubAck(ack, _) => Packet::PubAck(ack, None),
        Packet::PubRec(ack, _) => Packet::PubRec(ack, None),
        Packet::PubRel(ack, _) => Packet::PubRel(ack, None),
        Packet::PubComp(ack, _) => Packet::PubComp(ack, None),
        Packet::SubAck(ack, _) => Packet::SubAck(ack, None),
        Packet::UnsubAck(ack, _) => Packet::UnsubAck(ack, None),
        Packet::Disconnect(disconnect, _) => Packet::Disconnect(disconnect, None),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(level: u8) -> BytesMut {
        BytesMut::from(
            &[
                0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', level, 2, 0, 60, 0, 0,
            ][..],
        )
    }

    #[test]
    fn tells_the_versions_apart_by_the_first_packet() {
        assert_eq!(version_of_connect(&connect(4)), Ok(Version::V4));
        assert_eq!(version_of_connect(&connect(5)), Ok(Version::V5));
        assert_eq!(
            version_of_connect(&connect(3)),
            Err(Error::InvalidProtocolLevel(3))
        );
        let http = BytesMut::from(&b"GET / HTTP/1.1"[..]);
        assert_eq!(version_of_connect(&http), Err(Error::InvalidPacketType(4)));
    }

    #[test]
    fn waits_for_a_packet_that_comes_in_pieces() {
        let whole = connect(5);
        for length in 0..9 {
            let part = BytesMut::from(&whole[..length]);
            assert!(
                matches!(version_of_connect(&part), Err(Error::InsufficientBytes(_))),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn keeps_out_topics_that_would_end_the_broker() {
        for topic in ["", "é/x", "a/+", "#", "a\0b"] {
            assert!(check_topic(topic.as_bytes()).is_err(), "{topic:?}");
        }
        assert!(check_topic(b"\xff").is_err());
        assert!(check_topic("a/é".as_bytes()).is_ok());
    }
}
