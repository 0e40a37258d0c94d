//! Token ids become text as they come, in whole characters.
//!
//! A token may end inside a character, and a decoder may write a token differently at the start of a text. So the
//! last tokens told are decoded again in front of the new ones and the difference is the new text; what ends in
//! U+FFFD waits for the rest of its character. The cost of a token does not grow with the text. A model that writes
//! a true U+FFFD has it told late, or not at all where it is the last.

use std::sync::Arc;

use crate::model::{ModelError, TokenText};

/// Turns the tokens of one answer into text.
pub(super) struct TextStream {
    text: Arc<dyn TokenText>,
    /// Tokens told, the last few, then tokens not told.
    tokens: Vec<u32>,
    told: usize,
    /// Length of the told tokens' text, once it is known.
    told_bytes: Option<usize>,
}

/// What a token would make known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peeked {
    /// This text; may be empty.
    Text(String),
    /// Nothing yet: it ends within a character, with this text before that.
    Unfinished(String),
}

/// Tokens that wait for the end of a character. A character has four bytes at most; what waits longer is no text.
const WAITING_TOKENS_MAX: usize = 8;

const REPLACEMENT: char = '\u{FFFD}';

impl TextStream {
    pub(super) fn new(text: Arc<dyn TokenText>) -> Self {
        Self {
            text,
            tokens: Vec::new(),
            told: 0,
            told_bytes: None,
        }
    }

    /// What [`Self::push`] would make of `token`.
    pub(super) fn peek(&mut self, token: u32) -> Result<Peeked, ModelError> {
        self.tokens.push(token);
        let fresh = self.waiting_text();
        let waits = self.may_wait();
        self.tokens.pop();
        let mut fresh = fresh?;
        if fresh.ends_with(REPLACEMENT) && waits {
            // Beside what waits already, a token without text looks as one that goes on with it.
            if self.told < self.tokens.len() && self.text.decode(&[token])?.is_empty() {
                return Ok(Peeked::Text(String::new()));
            }
            fresh.truncate(fresh.trim_end_matches(REPLACEMENT).len());
            return Ok(Peeked::Unfinished(fresh));
        }
        Ok(Peeked::Text(fresh))
    }

    /// The text known now that it was not before; may be empty.
    pub(super) fn push(&mut self, token: u32) -> Result<String, ModelError> {
        self.tokens.push(token);
        let fresh = self.waiting_text()?;
        if fresh.is_empty() {
            self.tokens.pop();
            return Ok(fresh);
        }
        if fresh.ends_with(REPLACEMENT) {
            if self.may_wait() {
                return Ok(String::new());
            }
            // Bytes that are no character must not meet the next tokens.
            self.start_anew();
            return Ok(fresh);
        }
        self.tokens.drain(..self.told);
        self.told = self.tokens.len();
        self.told_bytes = None;
        Ok(fresh)
    }

    /// The text that was waiting, without its unfinished character. What comes next starts anew.
    pub(super) fn flush(&mut self) -> Result<String, ModelError> {
        let mut fresh = self.waiting_text()?;
        fresh.truncate(fresh.trim_end_matches(REPLACEMENT).len());
        if self.told < self.tokens.len() {
            self.start_anew();
        }
        Ok(fresh)
    }

    fn start_anew(&mut self) {
        self.tokens.clear();
        self.told = 0;
        self.told_bytes = None;
    }

    /// Whether an unfinished character may be waited for.
    fn may_wait(&self) -> bool {
        self.tokens.len() - self.told < WAITING_TOKENS_MAX
    }

    fn waiting_text(&mut self) -> Result<String, ModelError> {
        let before = match self.told_bytes {
            Some(bytes) => bytes,
            None => self.text.decode(&self.tokens[..self.told])?.len(),
        };
        self.told_bytes = Some(before);
        let mut all = self.text.decode(&self.tokens)?;
        // Not a prefix only where a decoder rewrites what it has told; then the lengths still say what is new.
        let start = (before..=all.len()).find(|at| all.is_char_boundary(*at));
        Ok(start.map_or_else(String::new, |start| all.split_off(start)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::{BOS, ByteTokenizer, USER};

    fn stream(tokens: &[u32]) -> String {
        let mut stream = TextStream::new(Arc::new(ByteTokenizer));
        let mut text = String::new();
        for token in tokens {
            text.push_str(&stream.push(*token).unwrap());
        }
        text + &stream.flush().unwrap()
    }

    #[test]
    fn waits_for_the_end_of_a_character() {
        let mut stream = TextStream::new(Arc::new(ByteTokenizer));
        let told = ByteTokenizer
            .encode("é🦙")
            .unwrap()
            .into_iter()
            .map(|token| stream.push(token).unwrap());
        assert_eq!(told.collect::<Vec<_>>(), ["", "é", "", "", "", "🦙"]);
    }

    #[test]
    fn a_look_ahead_tells_what_comes_and_changes_nothing() {
        let mut stream = TextStream::new(Arc::new(ByteTokenizer));
        let peeked: Vec<_> = [0x61, 0xC3, USER]
            .map(|token| stream.peek(token).unwrap())
            .into();
        let text = |text: &str| Peeked::Text(text.to_owned());
        let unfinished = Peeked::Unfinished(String::new());
        assert_eq!(peeked, [text("a"), unfinished.clone(), text("")]);
        assert_eq!(stream.push(0xC3).unwrap(), "");
        assert_eq!(stream.peek(0xA9).unwrap(), text("é"));
        assert_eq!(stream.peek(0xC3).unwrap(), unfinished);
        assert_eq!(stream.peek(USER).unwrap(), text(""));
        assert_eq!(stream.push(0xA9).unwrap(), "é");
        assert_eq!(stream.peek(0x61).unwrap(), text("a"));
    }

    #[test]
    fn drops_an_unfinished_character_at_the_end() {
        assert_eq!(stream(&[0x61, 0xF0, 0x9F]), "a");
    }

    #[test]
    fn goes_on_after_bytes_that_are_no_character() {
        let tokens = [vec![0x61], vec![0xFF; 20], vec![0x62, 0xC3, 0xA9]].concat();
        let text = stream(&tokens);
        assert!(text.starts_with('a') && text.ends_with("bé"), "{text:?}");
    }

    #[test]
    fn decodes_a_bounded_number_of_tokens_for_each() {
        #[derive(Default)]
        struct Counting(AtomicUsize);
        impl TokenText for Counting {
            fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
                ByteTokenizer.encode(text)
            }
            fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
                self.0.fetch_max(tokens.len(), Ordering::Relaxed);
                ByteTokenizer.decode(tokens)
            }
            fn token_id(&self, text: &str) -> Option<u32> {
                ByteTokenizer.token_id(text)
            }
            fn control_texts(&self) -> Vec<String> {
                ByteTokenizer.control_texts()
            }
        }
        for tokens in [[0x61; 200], [USER; 200], [0xFF; 200]] {
            let counting = Arc::new(Counting::default());
            let mut stream = TextStream::new(Arc::clone(&counting) as Arc<dyn TokenText>);
            for token in tokens {
                stream.push(token).unwrap();
            }
            assert!(counting.0.load(Ordering::Relaxed) <= 2 * WAITING_TOKENS_MAX);
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "\\PC{0,20}", silent in 0_usize..20) {
            let text = text.replace(REPLACEMENT, "");
            let mut tokens = ByteTokenizer.encode(&text).unwrap();
            tokens.retain(|token| *token < BOS);
            let whole = ByteTokenizer.decode(&tokens).unwrap();
            let at = silent.min(tokens.len());
            let boundary = (at..=tokens.len()).find(|at| whole.is_char_boundary(*at));
            let at = boundary.unwrap_or(0);
            tokens.splice(at..at, vec![USER; silent]);
            prop_assert_eq!(stream(&tokens), whole);
        }
    }
}
