//! The model's `tokenizer.json`: text to token ids and back.

mod byte_pairs;
mod byte_pairs_file;
mod index;
mod texts;

use std::collections::HashSet;
use std::path::Path;

use serde::de::DeserializeOwned;
use tokenizers::{
    AddedToken, DecoderWrapper, Model, ModelWrapper, NormalizerWrapper, PostProcessorWrapper,
    PreTokenizerWrapper, TokenizerImpl,
};
use tracing::debug;

use super::{ModelError, TokenText};
use byte_pairs::BytePairs;

/// A tokenizer in the format of Hugging Face's `tokenizers`.
pub struct Tokenizer {
    form: Box<dyn Form>,
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
        let form = read(path).map_err(|error| ModelError::File {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let mut silent_ids = HashSet::new();
        let mut control_texts = Vec::new();
        for (id, token) in form.added_tokens() {
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
            form,
            silent_ids,
            control_texts,
        })
    }
}

fn read(path: &Path) -> tokenizers::Result<Box<dyn Form>> {
    let json = std::fs::read(path)?;
    Ok(match parse::<BytePairs>(&json) {
        Ok(plain) => Box::new(plain),
        Err(reason) => {
            let general = parse::<ModelWrapper>(&json)?;
            let reason = reason.to_string();
            debug!(reason, "A tokenizer that takes more memory than most.");
            Box::new(general)
        }
    })
}

fn parse<M: Model + DeserializeOwned>(json: &[u8]) -> tokenizers::Result<WithModel<M>> {
    let mut tokenizer: WithModel<M> = serde_json::from_slice(json)?;
    tokenizer.with_truncation(None)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// A tokenizer with the usual parts round a model of its own.
type WithModel<M> =
    TokenizerImpl<M, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// A tokenizer with any model.
trait Form: Send + Sync {
    fn encode(&self, text: &str) -> tokenizers::Result<Vec<u32>>;
    fn decode(&self, ids: &[u32]) -> tokenizers::Result<String>;
    fn token_id(&self, text: &str) -> Option<u32>;
    fn tokens(&self) -> usize;
    fn added_tokens(&self) -> Vec<(u32, AddedToken)>;
}

impl<M: Model + Send + Sync> Form for WithModel<M> {
    fn encode(&self, text: &str) -> tokenizers::Result<Vec<u32>> {
        Ok(self.encode_fast(text, false)?.get_ids().to_vec())
    }

    fn decode(&self, ids: &[u32]) -> tokenizers::Result<String> {
        Self::decode(self, ids, false)
    }

    fn token_id(&self, text: &str) -> Option<u32> {
        self.token_to_id(text)
    }

    fn tokens(&self) -> usize {
        self.get_vocab_size(true)
    }

    fn added_tokens(&self) -> Vec<(u32, AddedToken)> {
        self.get_added_tokens_decoder().into_iter().collect()
    }
}

/// Whether an added token's text is a mark (`<…>`, `[…]`) rather than a word or a run of spaces.
fn is_markup(text: &str) -> bool {
    (text.starts_with('<') && text.ends_with('>')) || (text.starts_with('[') && text.ends_with(']'))
}

impl TokenText for Tokenizer {
    fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let ids = self.form.encode(text);
        ids.map_err(|error| ModelError::Tokenizer(error.to_string()))
    }

    /// Ids past the tokenizer's end have no text: models pad their vocabulary to a round number.
    fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        let visible: Vec<u32> = tokens
            .iter()
            .copied()
            .filter(|id| !self.silent_ids.contains(id))
            .collect();
        self.form
            .decode(&visible)
            .map_err(|error| ModelError::Tokenizer(error.to_string()))
    }

    fn token_id(&self, text: &str) -> Option<u32> {
        self.form.token_id(text)
    }

    fn control_texts(&self) -> Vec<String> {
        self.control_texts.clone()
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer")
            .field("tokens", &self.form.tokens())
            .field("control_texts", &self.control_texts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

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

    type BothForms = (WithModel<BytePairs>, WithModel<ModelWrapper>);

    /// The shipped model's tokenizer, as this module reads it and as the `tokenizers` crate does.
    static BOTH_FORMS: LazyLock<BothForms> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let json = std::fs::read(root.join("models/thinkd-mini/tokenizer.json")).unwrap();
        (parse(&json).unwrap(), parse(&json).unwrap())
    });

    proptest::proptest! {
        #[test]
        fn plain_byte_pairs_encode_and_decode_as_in_the_general_form(
            text in "([a-z]{1,9}|[ \n]{1,3}|\\PC|<think>|[0-9.,:°C-]{1,5}|é|\u{301}|the |average ){0,40}",
            ids in proptest::collection::vec(0u32..1100, 0..40),
        ) {
            let (plain, general) = &*BOTH_FORMS;
            let tokens = Form::encode(plain, &text).unwrap();
            proptest::prop_assert_eq!(&tokens, &Form::encode(general, &text).unwrap());
            for ids in [tokens, ids] {
                let text = Form::decode(plain, &ids).unwrap();
                proptest::prop_assert_eq!(text, Form::decode(general, &ids).unwrap());
            }
        }
    }

    #[test]
    fn both_forms_have_the_same_tokens() {
        let (plain, general) = &*BOTH_FORMS;
        assert_eq!(plain.tokens(), general.tokens());
        assert_eq!(plain.get_vocab(true), general.get_vocab(true));
        let sorted = |form: &dyn Form| {
            let mut tokens = form.added_tokens();
            tokens.sort_by_key(|(id, _)| *id);
            tokens
        };
        assert_eq!(sorted(plain), sorted(general));
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
