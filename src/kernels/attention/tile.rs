//! One block of tokens for a few queries at a time, over sixteen lanes of whatever vectors a set has.
//!
//! Scores: a lane is a token, so a score is one chain of additions over the head's elements and no lanes are
//! summed. Answers: a lane is an element of the head, the chain runs over the tokens. Both keep a tile of sums in
//! registers, queries times lanes.

use std::ops::Range;

use super::row::Row;
use super::vector::{Element, LANES, Vector};
use super::{
    AttentionBlock, AttentionScratch, AttentionState, BLOCK_TOKENS, KeyValues, QUERY_TILE, row_len,
};

/// Tokens whose values are read for all of a head's elements before the next: they stay in the first cache.
const VALUE_CHUNK: usize = 32;

/// Scores or probabilities of the queries of one tile.
type Scores = [[f32; BLOCK_TOKENS]];

/// Keys and values of one type, and the scales of their tokens where they have any.
#[derive(Clone, Copy)]
struct Cached<'a, E> {
    keys: &'a [[E; LANES]],
    values: &'a [E],
    scales: Option<(&'a [f32], &'a [f32])>,
}

impl<'a, E> Cached<'a, E> {
    fn new(keys: &'a [E], values: &'a [E], scales: Option<(&'a [f32], &'a [f32])>) -> Self {
        Self {
            keys: keys.as_chunks().0,
            values,
            scales,
        }
    }
}

/// What is read after this, and so is asked for meanwhile: only the first tile of queries finds its keys and values
/// in memory, and there the sums do not take long enough for the CPU to look ahead by itself.
#[derive(Clone, Copy)]
struct Ahead<E> {
    place: *const E,
    /// Elements from one request to the next; 0 where there is nothing to ask for.
    step: usize,
}

impl<E> Ahead<E> {
    /// What comes `count` elements after the start of `elements`, where `wanted`.
    fn of(elements: &[E], count: usize, wanted: bool) -> Self {
        Self {
            place: elements.as_ptr().wrapping_add(count),
            step: if wanted { LANES } else { 0 },
        }
    }

    /// Asks for sixteen elements, `count` times sixteen further on.
    #[inline(always)]
    fn ask<V: Vector>(self, vector: V, count: usize) {
        vector.prefetch(self.place.wrapping_add(count * self.step));
    }
}

/// Merges one block into `state`: [`crate::kernels::Kernels::attend`] for one set.
#[inline(always)]
pub(in crate::kernels) fn attend<V: Vector>(
    vector: V,
    block: &AttentionBlock<'_>,
    scratch: &mut AttentionScratch,
    state: &mut AttentionState<'_>,
) {
    match block.key_values {
        KeyValues::F32 { keys, values } => {
            let cached = Cached::new(keys, values, None);
            attend_to(vector, block, cached, scratch, state);
        }
        KeyValues::F16 { keys, values } => {
            let cached = Cached::new(keys, values, None);
            attend_to(vector, block, cached, scratch, state);
        }
        KeyValues::Int8 {
            keys,
            key_scales,
            values,
            value_scales,
        } => {
            let cached = Cached::new(keys, values, Some((key_scales, value_scales)));
            attend_to(vector, block, cached, scratch, state);
        }
    }
}

#[inline(always)]
fn attend_to<V: Vector, E: Element>(
    vector: V,
    block: &AttentionBlock<'_>,
    cached: Cached<'_, E>,
    scratch: &mut AttentionScratch,
    state: &mut AttentionState<'_>,
) {
    let row_len = row_len(block.head_dim);
    let queries = block.queries.as_chunks::<QUERY_TILE>().0;
    for (tile, first) in (0..block.rows).step_by(QUERY_TILE).enumerate() {
        let rows = first..block.rows.min(first + QUERY_TILE);
        let seen = block.seen(&rows);
        if seen.is_empty() {
            continue;
        }
        let queries = &queries[tile * block.head_dim..][..block.head_dim];
        let weighted = &mut scratch.weighted[..QUERY_TILE * row_len];
        score_rows(
            vector,
            queries,
            (cached, &seen),
            (rows.len(), tile == 0),
            &mut scratch.scores,
        );
        let mut parts = [(0.0, 0.0); QUERY_TILE];
        for ((part, row), scores) in parts.iter_mut().zip(rows.clone()).zip(&mut scratch.scores) {
            let scores = Row {
                scores,
                seen: seen.clone(),
                visible: block.visible(row),
            };
            *part = scores.soften(block.softcap, cached.scales);
        }
        weighted.fill(0.0);
        let keys = cached.keys.as_flattened();
        let full = block.tokens.len() == BLOCK_TOKENS;
        let values = Values {
            rows: cached.values,
            row_len,
            next_keys: Ahead::of(keys, BLOCK_TOKENS * block.head_dim, full && tile == 0),
        };
        let scores = (&scratch.scores[..], rows.len());
        weigh_rows(vector, values, &seen, scores, weighted);
        for ((row, part), weighted) in rows.zip(parts).zip(weighted.chunks_exact(row_len)) {
            state.merge_row(row, part.0, part.1, weighted);
        }
    }
}

/// Calls `$run` for tiles of the queries that fit the registers, `$rows` in all: `R` queries from `F` on, and `T`
/// times sixteen lanes. Queries past the last are there, as padding.
macro_rules! in_tiles {
    ($vector:ident, $rows:expr, |$r:ident, $t:ident, $f:ident| $run:expr) => {{
        macro_rules! tile {
            ($R:literal, $T:literal, $F:literal) => {{
                const $r: usize = $R;
                const $t: usize = $T;
                const $f: usize = $F;
                $run;
            }};
        }
        match $rows {
            1 if $vector::WIDE => tile!(1, 8, 0),
            2 if $vector::WIDE => tile!(2, 4, 0),
            3 if $vector::WIDE => tile!(3, 4, 0),
            4 if $vector::WIDE => tile!(4, 4, 0),
            5 | 6 if $vector::WIDE => tile!(6, 4, 0),
            7 | 8 if $vector::WIDE => tile!(8, 2, 0),
            _ if $vector::WIDE => tile!(12, 2, 0),
            1 => tile!(1, 2, 0),
            2 => tile!(2, 1, 0),
            3 => tile!(3, 1, 0),
            4 => tile!(4, 1, 0),
            rows => {
                tile!(6, 1, 0);
                match rows.saturating_sub(6) {
                    0 => {}
                    1 => tile!(1, 2, 6),
                    2 => tile!(2, 1, 6),
                    3 | 4 => tile!(4, 1, 6),
                    _ => tile!(6, 1, 6),
                }
            }
        }
    }};
}

/// Scores of the first `rows` queries for all tiles of tokens that `seen` touches.
#[inline(always)]
fn score_rows<V: Vector, E: Element>(
    vector: V,
    queries: &[[f32; QUERY_TILE]],
    (cached, seen): (Cached<'_, E>, &Range<usize>),
    (rows, is_first): (usize, bool),
    scores: &mut Scores,
) {
    let row_len = row_len(queries.len());
    let tiles = seen.start / LANES..seen.end.div_ceil(LANES);
    in_tiles!(V, rows, |R, T, F| {
        let mut tile = tiles.start;
        while tile + T <= tiles.end {
            let values = Ahead::of(cached.values, tile * LANES * row_len, is_first);
            let cached = (cached.keys, values);
            score::<V, E, R, T, F>(vector, queries, cached, tile, scores);
            tile += T;
        }
        while tile < tiles.end {
            let values = Ahead::of(cached.values, tile * LANES * row_len, is_first);
            let cached = (cached.keys, values);
            score::<V, E, R, 1, F>(vector, queries, cached, tile, scores);
            tile += 1;
        }
    });
}

/// Scores of R queries from F on for T tiles of tokens.
#[inline(always)]
fn score<V: Vector, E: Element, const R: usize, const T: usize, const F: usize>(
    vector: V,
    queries: &[[f32; QUERY_TILE]],
    (keys, values): (&[[E; LANES]], Ahead<E>),
    tile: usize,
    scores: &mut Scores,
) {
    let dim = queries.len();
    let mut tiles = [keys; T];
    for (t, keys_of) in tiles.iter_mut().enumerate() {
        *keys_of = &keys[(tile + t) * dim..][..dim];
    }
    let mut sums = [[vector.splat(0.0); T]; R];
    for (d, query) in queries.iter().enumerate() {
        let mut key = [vector.splat(0.0); T];
        for t in 0..T {
            key[t] = E::load(vector, &tiles[t][d]);
            values.ask(vector, d * T + t);
        }
        vector.add_products::<R, T, F>(query, &key, &mut sums);
    }
    for (scores, sums) in scores[F..][..R].iter_mut().zip(sums) {
        let places = &mut scores.as_chunks_mut().0[tile..][..T];
        for (place, sum) in places.iter_mut().zip(sums) {
            vector.store(sum, place);
        }
    }
}

/// Values of a block, `[tokens][row_len]`.
#[derive(Clone, Copy)]
struct Values<'a, E> {
    rows: &'a [E],
    row_len: usize,
    next_keys: Ahead<E>,
}

impl<E: Element> Values<'_, E> {
    /// Elements from d on of one token, T times sixteen.
    #[inline(always)]
    fn lanes<V: Vector, const T: usize>(self, vector: V, token: usize, d: usize) -> [V::Lanes; T] {
        let place = token * self.row_len + d;
        let row = &self.rows[place..][..T * LANES];
        let mut lanes = [vector.splat(0.0); T];
        for (t, (lanes, row)) in lanes.iter_mut().zip(row.as_chunks().0).enumerate() {
            *lanes = E::load(vector, row);
            self.next_keys.ask(vector, place / LANES + t);
        }
        lanes
    }
}

/// Four by four.
#[inline(always)]
fn in_fours(scores: &[f32; BLOCK_TOKENS]) -> &[[f32; 4]; BLOCK_TOKENS / 4] {
    let fours = scores.as_chunks().0.as_array();
    fours.expect("a block is a multiple of four")
}

/// Adds to `weighted`, `[queries][row_len]`, the values of the tokens `seen`, each times its probability.
#[inline(always)]
fn weigh_rows<V: Vector, E: Element>(
    vector: V,
    values: Values<'_, E>,
    seen: &Range<usize>,
    (scores, rows): (&Scores, usize),
    weighted: &mut [f32],
) {
    for start in seen.clone().step_by(VALUE_CHUNK) {
        let tokens = start..seen.end.min(start + VALUE_CHUNK);
        in_tiles!(V, rows, |R, T, F| {
            let mut d = 0;
            while d + T * LANES <= values.row_len {
                weigh::<V, E, R, T, F>(vector, values, &tokens, d, scores, weighted);
                d += T * LANES;
            }
            while d < values.row_len {
                weigh::<V, E, R, 1, F>(vector, values, &tokens, d, scores, weighted);
                d += LANES;
            }
        });
    }
}

/// R queries from F on, T times sixteen elements from d on.
#[inline(always)]
fn weigh<V: Vector, E: Element, const R: usize, const T: usize, const F: usize>(
    vector: V,
    values: Values<'_, E>,
    tokens: &Range<usize>,
    d: usize,
    scores: &Scores,
    weighted: &mut [f32],
) {
    let row_len = values.row_len;
    let mut rows = [const { &[0.0; BLOCK_TOKENS] }; R];
    let mut sums = [[vector.splat(0.0); T]; R];
    for r in 0..R {
        rows[r] = &scores[F + r];
        let own = &weighted[(F + r) * row_len + d..][..T * LANES];
        for (sum, own) in sums[r].iter_mut().zip(own.as_chunks().0) {
            *sum = vector.load(own);
        }
    }
    let end = tokens.end.min(BLOCK_TOKENS);
    // In fours only where that helps, from the first multiple of four on; one by one before and after.
    let fours = if V::BY_FOUR && tokens.start < end {
        tokens.start.div_ceil(4)..end / 4
    } else {
        end..end
    };
    let (before, after) = if fours.is_empty() {
        (tokens.start..end, end..end)
    } else {
        (tokens.start..4 * fours.start, 4 * fours.end..end)
    };
    for token in before {
        let lanes = values.lanes::<V, T>(vector, token, d);
        vector.add_one::<R, T>(rows.map(|row| row[token]), &lanes, &mut sums);
    }
    for four in fours {
        let x = rows.map(|row| &in_fours(row)[four]);
        let lanes = values.lanes::<V, T>(vector, 4 * four, d);
        vector.add_one_of_four::<R, T, 0>(x, &lanes, &mut sums);
        let lanes = values.lanes::<V, T>(vector, 4 * four + 1, d);
        vector.add_one_of_four::<R, T, 1>(x, &lanes, &mut sums);
        let lanes = values.lanes::<V, T>(vector, 4 * four + 2, d);
        vector.add_one_of_four::<R, T, 2>(x, &lanes, &mut sums);
        let lanes = values.lanes::<V, T>(vector, 4 * four + 3, d);
        vector.add_one_of_four::<R, T, 3>(x, &lanes, &mut sums);
    }
    for token in after {
        let lanes = values.lanes::<V, T>(vector, token, d);
        vector.add_one::<R, T>(rows.map(|row| row[token]), &lanes, &mut sums);
    }
    for r in 0..R {
        let own = &mut weighted[(F + r) * row_len + d..][..T * LANES];
        for (own, sum) in own.as_chunks_mut().0.iter_mut().zip(sums[r]) {
            vector.store(sum, own);
        }
    }
}
