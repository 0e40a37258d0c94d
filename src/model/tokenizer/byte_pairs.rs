//! Byte-pair encoding in a tenth of the memory that `tokenizers` takes for it.
//!
//! That crate keeps hash tables of strings, 95 MB for a vocabulary of 150,000 tokens. Here the tokens' texts are one
//! string, and tables hold numbers: 6 MB. Everything else of a `tokenizer.json` (normalizing, splitting, added
//! tokens, decoding) stays with the crate, for which this is a [`Model`]. Encodes exactly as its own `BPE` does.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use tokenizers::models::bpe::BpeTrainer;
use tokenizers::{Model, Token};

use super::byte_pairs_file::BytePairsFile;
use super::index::{Index, hash_pair, hash_text};
use super::texts::Texts;

/// A vocabulary, and which pairs of its tokens are joined to which.
#[derive(Debug)]
pub(super) struct BytePairs {
    /// Texts of the tokens, by id.
    texts: Texts,
    ids: Index,
    /// What is joined, by rank: pairs of lower rank first.
    joins: Vec<Join>,
    ranks: Index,
    /// A piece that is a token is not taken apart.
    whole_pieces: bool,
}

/// Two tokens and what they become, by their ids.
#[derive(Debug, Clone, Copy)]
struct Join {
    left: u32,
    right: u32,
    joined: u32,
}

impl BytePairs {
    /// What a file says; the reason where it needs a token that it has not.
    fn new(file: BytePairsFile) -> Result<Self, String> {
        let BytePairsFile {
            texts,
            merges,
            whole_pieces,
        } = file;
        let mut ids = Index::new(texts.len());
        for id in 0..texts.len() {
            let text = texts.get(id);
            ids.insert(hash_text(text), id as u32, |other| {
                texts.get(other as usize) == text
            });
        }
        let count = merges.len() / 2;
        let mut model = Self {
            texts,
            ids,
            joins: Vec::with_capacity(count),
            ranks: Index::new(count),
            whole_pieces,
        };
        let mut joined = String::new();
        for rank in 0..count {
            let (left, right) = (merges.get(2 * rank), merges.get(2 * rank + 1));
            joined.clear();
            joined.push_str(left);
            joined.push_str(right);
            model.push_join(left, right, &joined)?;
        }
        Ok(model)
    }

    fn push_join(&mut self, left: &str, right: &str, joined: &str) -> Result<(), String> {
        let id = |text| {
            let missing = || format!("the pair {left:?}, {right:?} needs a token {text:?}");
            self.find(text).ok_or_else(missing)
        };
        let join = Join {
            left: id(left)?,
            right: id(right)?,
            joined: id(joined)?,
        };
        let rank = self.joins.len() as u32;
        self.joins.push(join);
        let joins = &self.joins;
        // Of a pair that stands twice, the last counts.
        self.ranks
            .insert(hash_pair(join.left, join.right), rank, |other| {
                let other = joins[other as usize];
                (other.left, other.right) == (join.left, join.right)
            });
        Ok(())
    }

    /// The token written `text`.
    fn find(&self, text: &str) -> Option<u32> {
        let is_it = |id| self.texts.get(id as usize) == text;
        self.ids.find(hash_text(text), is_it)
    }

    /// Rank of a pair, and what it becomes.
    fn join(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        let is_it = |rank| {
            let join = self.joins[rank as usize];
            (join.left, join.right) == (left, right)
        };
        let rank = self.ranks.find(hash_pair(left, right), is_it)?;
        Some((rank, self.joins[rank as usize].joined))
    }

    /// The symbols that a piece of text becomes.
    fn symbols(&self, piece: &str) -> Vec<Symbol> {
        if self.whole_pieces
            && let Some(id) = self.find(piece)
        {
            return vec![Symbol {
                id,
                bytes: piece.len(),
                previous: NONE,
                next: NONE,
            }];
        }
        let mut symbols: Vec<Symbol> = Vec::with_capacity(piece.len());
        let mut character = [0; 4];
        for c in piece.chars() {
            // What is not in the vocabulary has no token, where no unknown token is named.
            if let Some(id) = self.find(c.encode_utf8(&mut character)) {
                let place = symbols.len();
                symbols.push(Symbol {
                    id,
                    bytes: c.len_utf8(),
                    previous: place.wrapping_sub(1),
                    next: place + 1,
                });
            }
        }
        if let Some(last) = symbols.last_mut() {
            last.next = NONE;
        }
        self.join_all(&mut symbols);
        symbols.retain(|symbol| symbol.bytes > 0);
        symbols
    }

    /// Joins neighbours until no pair of them can be, the lowest rank first, and of one rank the leftmost.
    fn join_all(&self, symbols: &mut [Symbol]) {
        let mut open = BinaryHeap::with_capacity(symbols.len());
        for (place, two) in symbols.windows(2).enumerate() {
            if let Some((rank, id)) = self.join(two[0].id, two[1].id) {
                open.push(Reverse((rank, place, id)));
            }
        }
        while let Some(Reverse((_, place, id))) = open.pop() {
            let left = symbols[place];
            if left.bytes == 0 || left.next == NONE {
                continue;
            }
            let right = symbols[left.next];
            // One of the two may have been joined with another since.
            if self
                .join(left.id, right.id)
                .is_none_or(|(_, now)| now != id)
            {
                continue;
            }
            symbols[left.next].bytes = 0;
            symbols[place] = Symbol {
                id,
                bytes: left.bytes + right.bytes,
                previous: left.previous,
                next: right.next,
            };
            if right.next != NONE {
                symbols[right.next].previous = place;
                if let Some((rank, id)) = self.join(id, symbols[right.next].id) {
                    open.push(Reverse((rank, place, id)));
                }
            }
            if left.previous != NONE
                && let Some((rank, id)) = self.join(symbols[left.previous].id, id)
            {
                open.push(Reverse((rank, left.previous, id)));
            }
        }
    }
}

/// A token on its way to becoming a longer one.
#[derive(Debug, Clone, Copy)]
struct Symbol {
    id: u32,
    /// Length of its text in bytes; 0 when it has become part of the one before.
    bytes: usize,
    /// Places of its neighbours, or [`NONE`].
    previous: usize,
    next: usize,
}

/// No neighbour.
const NONE: usize = usize::MAX;

impl<'de> Deserialize<'de> for BytePairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = BytePairsFile::deserialize(deserializer)?;
        Self::new(file).map_err(serde::de::Error::custom)
    }
}

impl Model for BytePairs {
    type Trainer = BpeTrainer;

    fn tokenize(&self, sequence: &str) -> tokenizers::Result<Vec<Token>> {
        let mut start = 0;
        let token = |symbol: Symbol| {
            let offsets = (start, start + symbol.bytes);
            start = offsets.1;
            Token::new(
                symbol.id,
                self.texts.get(symbol.id as usize).to_owned(),
                offsets,
            )
        };
        Ok(self.symbols(sequence).into_iter().map(token).collect())
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.find(token)
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        let id = id as usize;
        (id < self.texts.len()).then(|| self.texts.get(id).to_owned())
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        let texts = (0..self.texts.len()).map(|id| self.texts.get(id).to_owned());
        texts.zip(0..).collect()
    }

    fn get_vocab_size(&self) -> usize {
        self.texts.len()
    }

    fn save(&self, _folder: &Path, _prefix: Option<&str>) -> tokenizers::Result<Vec<PathBuf>> {
        Err("a loaded vocabulary is not saved again".into())
    }

    fn get_trainer(&self) -> BpeTrainer {
        BpeTrainer::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters and what they are joined to, with the keys of a file's `model`.
    fn file(vocab: &str, merges: &str, more: &str) -> Result<BytePairs, serde_json::Error> {
        serde_json::from_str(&format!(
            r#"{{"type": "BPE", {more} "vocab": {{{vocab}}}, "merges": [{merges}]}}"#
        ))
    }

    const LETTERS: &str = r#""b": 1, "a": 0, "c": 2, "ab": 3, "bc": 4, "abc": 5"#;

    fn ids(model: &BytePairs, piece: &str) -> Vec<u32> {
        let tokens = model.tokenize(piece).unwrap();
        let texts: Vec<_> = tokens
            .iter()
            .map(|t| model.id_to_token(t.id).unwrap())
            .collect();
        let own: Vec<_> = tokens.iter().map(|t| t.value.clone()).collect();
        assert_eq!(texts, own);
        tokens.iter().map(|t| t.id).collect()
    }

    #[test]
    fn joins_the_lowest_rank_first_and_of_one_rank_the_leftmost() {
        let merges = r#"["b", "c"], ["a", "b"], ["a", "bc"]"#;
        let model = file(LETTERS, merges, "").unwrap();
        assert_eq!(ids(&model, "abc"), [5]);
        assert_eq!(ids(&model, "ababc"), [3, 5]);
        assert_eq!(ids(&model, "cba"), [2, 1, 0]);
        assert!(ids(&model, "").is_empty());
        let other = file(LETTERS, r#""a b", "b c", "a bc""#, "").unwrap();
        assert_eq!(ids(&other, "abc"), [3, 2]);
    }

    #[test]
    fn a_whole_piece_is_a_token_only_where_the_file_says_so() {
        let apart = file(LETTERS, r#"["a", "b"]"#, "").unwrap();
        assert_eq!(ids(&apart, "abc"), [3, 2]);
        let whole = file(LETTERS, r#"["a", "b"]"#, r#""ignore_merges": true,"#).unwrap();
        assert_eq!(ids(&whole, "abc"), [5]);
        assert_eq!(ids(&whole, "abcc"), [3, 2, 2]);
    }

    #[test]
    fn of_a_pair_that_stands_twice_the_last_counts() {
        let model = file(LETTERS, r#"["a", "b"], ["b", "c"], ["a", "b"]"#, "").unwrap();
        assert_eq!(ids(&model, "abc"), [0, 4]);
    }

    #[test]
    fn a_character_without_a_token_is_left_out() {
        let model = file(LETTERS, r#"["a", "b"]"#, "").unwrap();
        assert_eq!(ids(&model, "aébx"), [3]);
    }

    #[test]
    fn a_long_piece_takes_no_longer_than_its_length_asks_for() {
        let model = file(LETTERS, r#"["a", "b"], ["ab", "c"]"#, "").unwrap();
        let piece = "abc".repeat(100_000);
        assert_eq!(ids(&model, &piece), vec![5; 100_000]);
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_general_form() {
        for more in [
            r#""unk_token": "a","#,
            r#""dropout": 0.1,"#,
            r###""continuing_subword_prefix": "##","###,
            r#""end_of_word_suffix": "</w>","#,
            r#""byte_fallback": true,"#,
        ] {
            assert!(file(LETTERS, "", more).is_err(), "{more}");
        }
        for (vocab, merges) in [
            (LETTERS, r#"["a", "x"]"#),
            (LETTERS, r#"["b", "a"]"#),
            (LETTERS, r#"["a", "b", "c"]"#),
            (LETTERS, r#"["a"]"#),
            (LETTERS, r#""a b c""#),
            (LETTERS, r#""ab""#),
            (r#""a": 0, "b": 2"#, ""),
            (r#""a": 0, "b": 0"#, ""),
            (r#""a": -1"#, ""),
        ] {
            assert!(file(vocab, merges, "").is_err(), "{vocab} {merges}");
        }
        let empty = r#""continuing_subword_prefix": "", "end_of_word_suffix": null,"#;
        assert!(file(LETTERS, "", empty).is_ok());
    }
}
