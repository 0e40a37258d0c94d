//! The model's `tokenizer.json`: text to token ids and back.

use std::collections::HashSet;
use std::path::Path;

use super::{ModelError, TokenText};

/// A tokenizer in the format of Hugging Face's `tokenizers`.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    silent_ids: HashSet<u32>,
    control_texts: Vec<String>,
}

/// Added tokens that stay visible when decoding, even where an export flags them as special.
const THINK_TAGS: [&str; 4] = ["<think>", "</think>", "<thinking>", "</thinking>"];

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// Truncation and padding the file may ask for are switched off: a prompt is never cut in silence.
    ///
    /// # Errors
    /// If the file cannot be read or is not a tokenizer.
    pub fn from_file(path: &Path) -> Result<Self, ModelError> {
        let fault = |error: tokenizers::Error| ModelError::File {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let mut inner = tokenizers::Tokenizer::from_file(path).map_err(fault)?;
        inner.with_truncation(None).map_err(fault)?;
        inner.with_padding(None);

        let mut silent_ids = HashSet::new();
        let mut control_texts = Vec::new();
        for (id, token) in inner.get_added_tokens_decoder() {
            let is_think_tag = THINK_TAGS.contains(&token.content.as_str());
            if token.special && !is_think_tag {
                silent_ids.insert(id);
            }
            if token.special || is_think_tag || is_markup(&token.content) {
                control_texts.push(token.content);
            }
        }
        control_texts.sort();
        Ok(Self {
            inner,
            silent_ids,
            control_texts,
        })
    }
}

/// Whether an added token's text is a mark (`<…>`, `[…]`) rather than a word or a run of spaces.
fn is_markup(text: &str) -> bool {
    (text.starts_with('<') && text.ends_with('>')) || (text.starts_with('[') && text.ends_with(']'))
}

impl TokenText for Tokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self.inner.encode_fast(text, false);
        let encoding = encoding.map_err(|error| ModelError::Tokenizer(error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Ids past the tokenizer's end have no text: models pad their vocabulary to a round number.
    fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        let visible: Vec<u32> = tokens
            .iter()
            .copied()
            .filter(|id| !self.silent_ids.contains(id))
            .collect();
        self.inner
            .decode(&visible, false)
            .map_err(|error| ModelError::Tokenizer(error.to_string()))
    }

    fn token_id(&self, text: &str) -> Option<u32> {
        self.inner.token_to_id(text)
    }

    fn control_texts(&self) -> Vec<String> {
        self.control_texts.clone()
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer")
            .field("tokens", &self.inner.get_vocab_size(true))
            .field("control_texts", &self.control_texts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four words; a truncation to one token and a padding to eight, which must have no effect.
    const WORDS: &str = r#"{
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
                    "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"},
        "added_tokens": [
            {"id": 4, "content": "<pad>", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true},
            {"id": 5, "content": "<think>", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true},
            {"id": 6, "content": "<tool>", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": false},
            {"id": 7, "content": "celsius", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": false}
        ],
        "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null,
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"?": 0, "is": 1, "it": 2, "hot": 3}, "unk_token": "?"}
    }"#;

    fn words() -> Tokenizer {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokenizer.json");
        std::fs::write(&path, WORDS).unwrap();
        Tokenizer::from_file(&path).unwrap()
    }

    #[test]
    fn ignores_truncation_and_padding_of_the_file() {
        assert_eq!(words().encode("is it hot").unwrap(), [1, 2, 3]);
    }

    #[test]
    fn special_tokens_are_silent_but_think_tags_are_not() {
        assert_eq!(
            words().decode(&[4, 5, 1, 4, 7]).unwrap(),
            "<think> is celsius"
        );
    }

    #[test]
    fn ids_of_a_padded_vocabulary_have_no_text() {
        assert_eq!(words().decode(&[1, 4000, 3]).unwrap(), "is hot");
    }

    #[test]
    fn marks_are_control_texts_and_words_are_not() {
        assert_eq!(words().control_texts(), ["<pad>", "<think>", "<tool>"]);
    }

    #[test]
    fn names_the_file_that_is_no_tokenizer() {
        let error = Tokenizer::from_file(Path::new("absent/tokenizer.json")).unwrap_err();
        assert!(
            error.to_string().contains("absent/tokenizer.json"),
            "{error}"
        );
    }
}
