//! What is kept of a prompt and of its answer, as bytes: a checksum, then JSON.
//!
//! JSON, so that a later version reads what an earlier one wrote, and a person can too. The database sums its pages
//! itself; the checksum here keeps a record that was damaged all the same from being taken for another.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::engine::Message;
use crate::service::fingerprint::fingerprint;

/// Names one prompt for as long as the store knows it; a later prompt has a larger number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Seq(pub(crate) u64);

/// A prompt that was taken and is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PromptRecord {
    pub(crate) seq: Seq,
    pub(crate) name: Name,
    /// What was published, to be read again by the rules of the day.
    pub(crate) payload: String,
    /// Who asked, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    /// When it came, milliseconds since 1970 by the board's clock.
    pub(crate) arrived_ms: u64,
    /// How long it may take from then on, where there is a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deadline_ms: Option<u64>,
    #[serde(default)]
    pub(crate) delivery: DeliveryMark,
}

/// A prompt that has its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnswerRecord {
    pub(crate) seq: Seq,
    pub(crate) name: Name,
    /// The answer or the error, as it is published.
    pub(crate) answer: String,
    /// The bare text, where it is published too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// When it was stored, milliseconds since 1970 by the board's clock.
    pub(crate) answered_ms: u64,
    /// Whether the broker has not confirmed it yet.
    pub(crate) is_owed: bool,
    #[serde(default)]
    pub(crate) delivery: DeliveryMark,
}

/// A turn of a session, for those that follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TurnRecord {
    /// The prompt's.
    pub(crate) seq: Seq,
    /// Whose session it is, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    pub(crate) session: String,
    /// What the model was told first in this session, as of this turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<String>,
    /// What was asked, and the answer.
    pub(crate) messages: Vec<Message>,
    /// When it was answered, milliseconds since 1970 by the board's clock.
    pub(crate) answered_ms: u64,
}

/// What a prompt is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Name {
    pub(crate) id: String,
    /// Whether the asker chose the id.
    pub(crate) is_named: bool,
    /// The response topic, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    /// The correlation data.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "hexadecimal")]
    pub(crate) correlation: Option<Vec<u8>>,
    /// The user properties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) user_properties: Vec<(String, String)>,
    /// Tells whether the same was asked again.
    pub(crate) payload_hash: u64,
}

/// What tells the broker's repetition of a message from a new one with the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct DeliveryMark {
    /// The packet's number; 0 is none.
    pub(crate) packet_id: u16,
    pub(crate) fingerprint: u64,
}

mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "serde wants it so")]
    pub(super) fn serialize<S: Serializer>(
        data: &Option<Vec<u8>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let digits = |data: &Vec<u8>| {
            data.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        to.serialize_str(&data.as_ref().map(digits).unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let digits = String::deserialize(from)?;
        let byte = |at: usize| {
            let pair = digits.get(at..at + 2);
            let value = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
            value.ok_or_else(|| D::Error::custom("correlation is not hexadecimal"))
        };
        (0..digits.len())
            .step_by(2)
            .map(byte)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

/// A record as bytes.
#[must_use]
pub(super) fn encode(record: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(record).expect("strings and numbers are always JSON");
    let mut bytes = fingerprint(&[&json]).to_le_bytes().to_vec();
    bytes.extend(json);
    bytes
}

/// The record of `bytes`; why not, where it is damaged.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let (sum, json) = bytes
        .split_first_chunk::<8>()
        .ok_or_else(|| format!("it has {} bytes", bytes.len()))?;
    if fingerprint(&[json]).to_le_bytes() != *sum {
        return Err("its checksum is wrong".to_owned());
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::Role;

    pub(in crate::service::store) fn prompt(seq: u64) -> PromptRecord {
        PromptRecord {
            seq: Seq(seq),
            name: Name {
                id: format!("k{seq}"),
                is_named: true,
                topic: Some("my/topic".to_owned()),
                correlation: Some(vec![0, 255, 16]),
                user_properties: vec![("site".to_owned(), "cellar".to_owned())],
                payload_hash: u64::MAX,
            },
            payload: "Où est-ce ?\n".to_owned(),
            client: None,
            arrived_ms: 1_700_000_000_000,
            deadline_ms: Some(5),
            delivery: DeliveryMark {
                packet_id: 7,
                fingerprint: 9,
            },
        }
    }

    pub(in crate::service::store) fn answer(seq: u64) -> AnswerRecord {
        let PromptRecord {
            seq,
            name,
            delivery,
            ..
        } = prompt(seq);
        AnswerRecord {
            seq,
            name,
            answer: format!(r#"{{"id":"k{}"}}"#, seq.0),
            text: None,
            answered_ms: 1_700_000_000_001,
            is_owed: true,
            delivery,
        }
    }

    pub(in crate::service::store) fn turn(seq: u64) -> TurnRecord {
        let message = |role, content: &str| Message {
            role,
            content: content.to_owned(),
        };
        TurnRecord {
            seq: Seq(seq),
            client: Some("panel".to_owned()),
            session: "kitchen".to_owned(),
            system: None,
            messages: vec![
                message(Role::User, "q"),
                message(Role::Assistant, "Réponse\n"),
            ],
            answered_ms: 1_700_000_000_001,
        }
    }

    #[test]
    fn comes_back_as_it_was() {
        let mut record = prompt(1);
        assert_eq!(decode(&encode(&record)), Ok(record.clone()));
        record.name.correlation = None;
        record.name.topic = None;
        record.deadline_ms = None;
        assert_eq!(decode(&encode(&record)), Ok(record));
        assert_eq!(decode(&encode(&answer(1))), Ok(answer(1)));
        assert_eq!(decode(&encode(&turn(1))), Ok(turn(1)));
    }

    #[test]
    fn any_damaged_byte_is_noticed() {
        let whole = encode(&answer(3));
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(decode::<AnswerRecord>(&damaged).is_err(), "byte {at}");
            assert!(decode::<AnswerRecord>(&whole[..at]).is_err(), "{at} bytes");
        }
    }
}
