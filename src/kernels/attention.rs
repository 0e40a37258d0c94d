//! Attention in blocks of tokens: the shapes, and the state that blocks are merged into one after the other.
//!
//! The queries of all heads that share a key-value head are taken together, so that a key is loaded and widened
//! once for all of them. A block covers [`BLOCK_TOKENS`] tokens, counted from position 0. Its part of the softmax
//! is computed whole and then merged into an [`AttentionState`]; blocks are merged first to last. So the answer
//! depends neither on how many queries are computed together nor on which thread computes which block.
//!
//! Invariant: the sums of one score run over the head's elements first to last, those of an answer over the
//! tokens first to last; a token that a query does not see adds exactly 0.

mod row;
mod tile;
pub(super) mod vector;

use std::ops::Range;

use half::f16;

use super::Kernels;

pub(super) use tile::attend;

/// Tokens of a block.
pub const BLOCK_TOKENS: usize = 256;
/// Tokens whose keys lie side by side: element d of all of them, then element d + 1.
pub const TOKEN_TILE: usize = 16;
/// Queries that lie side by side in the same way.
pub const QUERY_TILE: usize = 12;

/// Floats of one query or answer, and elements of one value, with padding: `head_dim` rounded up.
#[must_use]
pub const fn row_len(head_dim: usize) -> usize {
    head_dim.next_multiple_of(TOKEN_TILE)
}

/// Keys and values of one key-value head for the tokens of one block, from the block's first on.
///
/// Keys are `[tiles][head_dim][TOKEN_TILE]`, values `[tokens][row_len(head_dim)]`, scales `[tiles · TOKEN_TILE]`
/// with one scale a token. What lies past the last token is not used.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields are what the type says")]
pub enum KeyValues<'a> {
    /// Single precision.
    F32 { keys: &'a [f32], values: &'a [f32] },
    /// Half precision.
    F16 { keys: &'a [f16], values: &'a [f16] },
    /// Integers times the scale of their token.
    Int8 {
        keys: &'a [i8],
        key_scales: &'a [f32],
        values: &'a [i8],
        value_scales: &'a [f32],
    },
}

/// Queries against one block of tokens.
#[derive(Debug, Clone)]
pub struct AttentionBlock<'a> {
    /// As [`pack_query`] leaves them: rotated, and scaled by what every score is to be multiplied by.
    pub queries: &'a [f32],
    /// Number of queries: `group` of each token, then those of the next token.
    pub rows: usize,
    /// Heads that share the key-value head.
    pub group: usize,
    /// Elements of a query, a key and a value.
    pub head_dim: usize,
    /// Position of the queries' first token.
    pub position: usize,
    /// Tokens a query looks back on, itself included; `usize::MAX` for all.
    pub window: usize,
    /// Where above 0: every score `s` becomes `softcap · tanh(s / softcap)`.
    pub softcap: f32,
    /// Positions of the block's tokens; at most [`BLOCK_TOKENS`].
    pub tokens: Range<usize>,
    /// Keys and values of `tokens`.
    pub key_values: KeyValues<'a>,
}

impl AttentionBlock<'_> {
    /// Which tokens query `row` sees, counted from the block's first.
    pub(super) fn visible(&self, row: usize) -> Range<usize> {
        let end = self.position + row / self.group + 1;
        let start = end.saturating_sub(self.window).max(self.tokens.start);
        let end = end.clamp(self.tokens.start, self.tokens.end);
        start.min(end) - self.tokens.start..end - self.tokens.start
    }

    /// Tokens that any of the queries sees.
    fn seen(&self, rows: &Range<usize>) -> Range<usize> {
        self.visible(rows.start).start..self.visible(rows.end - 1).end
    }

    fn check(&self, state: &AttentionState<'_>) {
        let (count, dim) = (self.tokens.len(), self.head_dim);
        assert!(count <= BLOCK_TOKENS && self.group > 0, "{self:?}");
        assert!(self.queries.len() >= queries_len(self.rows, dim), "queries");
        let padded = count.next_multiple_of(TOKEN_TILE);
        let (keys, values, scales) = match self.key_values {
            KeyValues::F32 { keys, values } => (keys.len(), values.len(), padded),
            KeyValues::F16 { keys, values } => (keys.len(), values.len(), padded),
            KeyValues::Int8 {
                keys,
                key_scales,
                values,
                value_scales,
            } => {
                let scales = key_scales.len().min(value_scales.len());
                (keys.len(), values.len(), scales)
            }
        };
        assert!(keys >= padded * dim, "{keys} elements of keys");
        assert!(
            values >= count * row_len(dim),
            "{values} elements of values"
        );
        assert!(scales >= padded, "{scales} scales");
        assert_eq!(state.rows(), self.rows, "rows of the state");
        assert_eq!(
            state.weighted.len(),
            self.rows * row_len(dim),
            "state of {dim}"
        );
    }
}

/// Floats that the packed form of `rows` queries takes.
#[must_use]
pub const fn queries_len(rows: usize, head_dim: usize) -> usize {
    rows.next_multiple_of(QUERY_TILE) * head_dim
}

/// Puts query `row`, multiplied by `scale`, into its place among packed queries.
///
/// Packed, queries are `[tiles][head_dim][QUERY_TILE]`.
///
/// # Panics
/// If `packed` is shorter than [`queries_len`] says.
pub fn pack_query(query: &[f32], scale: f32, row: usize, packed: &mut [f32]) {
    let (tile, place) = (row / QUERY_TILE, row % QUERY_TILE);
    let tile = &mut packed[tile * query.len() * QUERY_TILE..][..query.len() * QUERY_TILE];
    for (tile, query) in tile.as_chunks_mut::<QUERY_TILE>().0.iter_mut().zip(query) {
        tile[place] = query * scale;
    }
}

/// What the blocks so far come to: for each query the largest score, the sum of `exp(score - largest)`, and the
/// values weighted by the same, `[rows][row_len(head_dim)]`.
#[derive(Debug)]
pub struct AttentionState<'a> {
    largest: &'a mut [f32],
    sum: &'a mut [f32],
    weighted: &'a mut [f32],
}

impl<'a> AttentionState<'a> {
    /// Floats a state takes.
    #[must_use]
    pub const fn len(rows: usize, head_dim: usize) -> usize {
        rows * (2 + row_len(head_dim))
    }

    /// The state that `floats` holds.
    ///
    /// # Panics
    /// If `floats` is not of length [`AttentionState::len`] of `rows` and some `head_dim`.
    #[must_use]
    pub fn of(floats: &'a mut [f32], rows: usize) -> Self {
        let (largest, rest) = floats.split_at_mut(rows);
        let (sum, weighted) = rest.split_at_mut(rows);
        assert!(weighted.len().is_multiple_of(rows.max(1)), "state's length");
        Self {
            largest,
            sum,
            weighted,
        }
    }

    /// Back to no block.
    pub fn clear(&mut self) {
        self.largest.fill(f32::NEG_INFINITY);
        self.sum.fill(0.0);
        self.weighted.fill(0.0);
    }

    /// Number of queries.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.largest.len()
    }

    /// Writes the answer to query `row`, without the padding; 0 where it saw no token.
    ///
    /// # Panics
    /// If there is no such row, or `out` is longer than a row.
    pub fn answer(&self, row: usize, out: &mut [f32]) {
        let len = self.weighted.len() / self.rows();
        let sum = self.sum[row];
        let factor = if sum == 0.0 { 0.0 } else { 1.0 / sum };
        let weighted = &self.weighted[row * len..][..out.len()];
        for (out, weighted) in out.iter_mut().zip(weighted) {
            *out = weighted * factor;
        }
    }

    /// Adds a later block's part of one query.
    #[inline(always)]
    pub(super) fn merge_row(&mut self, row: usize, largest: f32, sum: f32, weighted: &[f32]) {
        let own = &mut self.weighted[row * weighted.len()..][..weighted.len()];
        let before = self.largest[row];
        let both = if largest > before { largest } else { before };
        let [keep, add] = [before, largest].map(|part| {
            // Also where both are minus infinity, whose difference would be NaN.
            if part == both {
                1.0
            } else {
                super::exp::exp(part - both)
            }
        });
        self.largest[row] = both;
        self.sum[row] = self.sum[row] * keep + sum * add;
        for (own, weighted) in own.iter_mut().zip(weighted) {
            *own = *own * keep + weighted * add;
        }
    }
}

/// Adds the state of later blocks to that of earlier ones.
#[inline(always)]
pub(super) fn merge(state: &mut AttentionState<'_>, later: &AttentionState<'_>) {
    let len = later.weighted.len() / later.rows().max(1);
    for (row, weighted) in later.weighted.chunks_exact(len.max(1)).enumerate() {
        state.merge_row(row, later.largest[row], later.sum[row], weighted);
    }
}

/// Room for one call of [`Kernels::attend`], kept for its memory.
#[derive(Debug, Clone, Default)]
pub struct AttentionScratch {
    /// Scores, then probabilities.
    pub(super) scores: Vec<[f32; BLOCK_TOKENS]>,
    /// `[QUERY_TILE][row_len(head_dim)]`.
    pub(super) weighted: Vec<f32>,
}

impl AttentionScratch {
    /// Makes room for heads of `head_dim`.
    pub fn reserve(&mut self, head_dim: usize) {
        self.scores.resize(QUERY_TILE, [0.0; BLOCK_TOKENS]);
        self.weighted.resize(QUERY_TILE * row_len(head_dim), 0.0);
    }
}

impl Kernels {
    /// Merges one block of tokens into `state`, which holds the blocks before it.
    ///
    /// # Panics
    /// If a length in `block` disagrees with its other fields or with `state`, or `scratch` has no room for its
    /// `head_dim`.
    pub fn attend(
        &self,
        block: &AttentionBlock<'_>,
        scratch: &mut AttentionScratch,
        state: &mut AttentionState<'_>,
    ) {
        block.check(state);
        assert!(
            scratch.scores.len() == QUERY_TILE
                && scratch.weighted.len() >= QUERY_TILE * row_len(block.head_dim),
            "scratch"
        );
        (self.attend)(block, scratch, state);
    }

    /// Adds to `state` what `later` blocks came to, as if they had been merged one after the other.
    ///
    /// That is so where `later` holds one block.
    ///
    /// # Panics
    /// If the two differ in shape.
    pub fn merge_attention(&self, state: &mut AttentionState<'_>, later: &AttentionState<'_>) {
        assert_eq!(state.rows(), later.rows(), "rows of two states");
        assert_eq!(state.weighted.len(), later.weighted.len(), "two states");
        (self.merge_attention)(state, later);
    }

    /// Rounds to half precision; what is beyond its range becomes its largest number of that sign.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn narrow(&self, x: &[f32], out: &mut [f16]) {
        assert_eq!(x.len(), out.len(), "lengths differ");
        (self.narrow)(x, out);
    }
}
