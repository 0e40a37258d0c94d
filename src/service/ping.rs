//! A ping comes back at once, without queue or model, so that a client can tell a slow model from a slow way to it.

use super::mqtt::{Message, Publication};
use super::options::Options;

/// What goes back: the same payload, to the response topic where there is one. A topic that answers may not go to, or
/// more than a prompt may have, is not answered: an error would be one more thing to be made to send.
pub(super) fn pong(message: &Message, options: &Options) -> Option<Publication> {
    if message.payload.len() > options.requests.payload_bytes_max {
        let bytes = message.payload.len();
        tracing::debug!(bytes, "A ping longer than a prompt may be was ignored.");
        return None;
    }
    let pong = Publication::text(options.mqtt.topics.pong(), message.payload.clone());
    back(message, pong, options)
}

/// `publication`, for the one who sent `message`: to the response topic where there is one. Nothing where answers may
/// not go there.
pub(super) fn back(
    message: &Message,
    publication: Publication,
    options: &Options,
) -> Option<Publication> {
    let (topics, allowed) = (&options.mqtt.topics, &options.mqtt.reply_topics_allowed);
    let topic = match &message.response_topic {
        None => publication.topic,
        Some(topic) => {
            if let Err(error) = topics.check_reply(topic, allowed) {
                tracing::debug!(%error, from = message.topic, "A message was ignored.");
                return None;
            }
            topic.clone()
        }
    };
    Some(Publication {
        topic,
        correlation: message.correlation.clone(),
        user_properties: message.user_properties.clone(),
        ..publication
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ping(payload: &'static [u8], response_topic: Option<&str>) -> Message {
        Message {
            topic: "thinkd/thinkd/ping".to_owned(),
            payload: payload.into(),
            packet_id: None,
            is_repeat: false,
            is_retained: false,
            response_topic: response_topic.map(str::to_owned),
            correlation: Some("c".into()),
            user_properties: Vec::new(),
            expiry: None,
        }
    }

    #[test]
    fn the_payload_comes_back_where_it_is_wanted() {
        let options = Options::default();
        for (response_topic, topic) in [(None, "thinkd/thinkd/pong"), (Some("me/pong"), "me/pong")]
        {
            let pong = pong(&ping(b"\x00\xff", response_topic), &options).unwrap();
            assert_eq!(
                (pong.topic.as_str(), &pong.payload[..]),
                (topic, &b"\x00\xff"[..])
            );
            assert_eq!(pong.correlation.as_deref(), Some(&b"c"[..]));
        }
    }

    #[test]
    fn nobody_is_pinged_through_us() {
        let mut options = Options::default();
        for topic in [
            "thinkd/other/ping",
            "thinkd/other/ask",
            "thinkd/thinkd/state",
            "a/#",
        ] {
            assert_eq!(pong(&ping(b"x", Some(topic)), &options), None, "{topic}");
        }
        options.requests.payload_bytes_max = 1;
        assert_eq!(pong(&ping(b"xx", None), &options), None);
    }
}
