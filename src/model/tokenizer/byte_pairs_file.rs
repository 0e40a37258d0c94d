//! The `model` of a `tokenizer.json`, read without building what it holds first.
//!
//! Only plain byte-pair encoding is taken, the one of all models that thinkd is for; whatever else a file may ask for
//! is refused here and left to the `tokenizers` crate.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::texts::Texts;

/// What a file says of byte-pair encoding.
#[derive(Debug)]
pub(super) struct BytePairsFile {
    /// Texts of the tokens, by id.
    pub(super) texts: Texts,
    /// The pairs that are joined, left and right one after the other, the first pair first.
    pub(super) merges: Texts,
    /// A piece of text that is a token is not taken apart.
    pub(super) whole_pieces: bool,
}

impl<'de> Deserialize<'de> for BytePairsFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let plain = fields.kind == "BPE"
            && fields.dropout.is_none()
            && fields.unk_token.is_none()
            && fields.continuing_subword_prefix.is_none_or(str::is_empty)
            && fields.end_of_word_suffix.is_none_or(str::is_empty)
            && !fields.byte_fallback;
        if !plain {
            return Err(D::Error::custom("not plain byte-pair encoding"));
        }
        Ok(Self {
            texts: fields.vocab.0,
            merges: fields.merges.0,
            whole_pieces: fields.ignore_merges,
        })
    }
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(default)]
    dropout: Option<f32>,
    #[serde(default)]
    unk_token: Option<&'a str>,
    #[serde(default)]
    continuing_subword_prefix: Option<&'a str>,
    #[serde(default)]
    end_of_word_suffix: Option<&'a str>,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    vocab: Vocab,
    merges: Merges,
}

/// Tokens by id, from a map of texts to ids.
struct Vocab(Texts);

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VocabVisitor)
    }
}

struct VocabVisitor;

impl<'de> Visitor<'de> for VocabVisitor {
    type Value = Vocab;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of texts to ids")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
        let mut texts = Texts::default();
        let mut ids = Vec::new();
        while map.next_key_seed(PushText(&mut texts))?.is_some() {
            ids.push(map.next_value::<u32>()?);
        }
        // Number of the text that has each id.
        let mut order = vec![u32::MAX; ids.len()];
        for (&id, number) in ids.iter().zip(0..) {
            match order.get_mut(id as usize) {
                Some(place) if *place == u32::MAX => *place = number,
                _ => return Err(A::Error::custom("ids with gaps between them")),
            }
        }
        Ok(Vocab(texts.reordered(&order)))
    }
}

/// The pairs that are joined.
struct Merges(Texts);

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(MergesVisitor)
    }
}

struct MergesVisitor;

impl<'de> Visitor<'de> for MergesVisitor {
    type Value = Merges;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of pairs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Merges, A::Error> {
        let mut texts = Texts::default();
        while list.next_element_seed(PushPair(&mut texts))?.is_some() {}
        Ok(Merges(texts))
    }
}

/// Adds a text.
struct PushText<'a>(&'a mut Texts);

impl<'de> DeserializeSeed<'de> for PushText<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for PushText<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        push(self.0, text)
    }
}

/// Adds both halves of a pair: `["a", "b"]`, or `"a b"` in older files.
struct PushPair<'a>(&'a mut Texts);

impl<'de> DeserializeSeed<'de> for PushPair<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PushPair<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match text.split_once(' ') {
            Some((left, right)) if !right.contains(' ') && !left.starts_with("#version") => {
                push(self.0, left)?;
                push(self.0, right)
            }
            _ => Err(E::custom(format!("the pair {text:?}"))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for _ in 0..2 {
            if list.next_element_seed(PushText(self.0))?.is_none() {
                return Err(A::Error::custom("half a pair"));
            }
        }
        match list.next_element::<String>()? {
            None => Ok(()),
            Some(third) => Err(A::Error::custom(format!("{third:?} in a pair"))),
        }
    }
}

fn push<E: Error>(texts: &mut Texts, text: &str) -> Result<(), E> {
    let fits = texts.push(text);
    fits.then_some(()).ok_or_else(|| E::custom("too much text"))
}
