//! Attention in blocks against a plain evaluation in f64, and that no answer depends on what it is computed with.

use std::ops::Range;

use half::f16;
use proptest::prelude::*;

use super::cached::{Block, KINDS, Kind, quantized};
use super::data::Random;
use super::{assert_within, bits};
use crate::kernels::table::Kernels;
use crate::kernels::{
    AttentionBlock, AttentionScratch, AttentionState, BLOCK_TOKENS, pack_query, queries_len, set,
};

/// Error of one element of an answer, where keys and queries are at most 1, relative to the largest value.
const ATTENTION_MAX_ERROR: f64 = 2e-5;

/// Tokens of a run against a context.
#[derive(Debug, Clone, Copy)]
struct Case {
    kind: Kind,
    group: usize,
    head_dim: usize,
    /// Tokens before the run, and in it.
    past: usize,
    tokens: usize,
    window: usize,
    softcap: f32,
    seed: u64,
}

/// A context of one key-value head in blocks, as each kind keeps it, and what its elements are worth.
struct Context {
    blocks: Vec<Block>,
    /// `[tokens][head_dim]`.
    keys: Vec<f64>,
    values: Vec<f64>,
    /// `[run's tokens · group][head_dim]`.
    queries: Vec<f32>,
}

fn scratch(head_dim: usize) -> AttentionScratch {
    let mut scratch = AttentionScratch::default();
    scratch.reserve(head_dim);
    scratch
}

impl Case {
    fn context(&self) -> Context {
        let mut random = Random::new(self.seed);
        let dim = self.head_dim;
        let all = self.past + self.tokens;
        let [keys, values] = [0; 2].map(|_| random.floats(all * dim));
        let blocks = keys
            .chunks(BLOCK_TOKENS * dim)
            .zip(values.chunks(BLOCK_TOKENS * dim))
            .map(|(keys, values)| Block::new(keys, values, dim))
            .collect();
        let worth = |rows: &[f32]| -> Vec<f64> {
            let rows = rows.chunks_exact(dim);
            rows.flat_map(|row| self.worth(row)).collect()
        };
        Context {
            blocks,
            keys: worth(&keys),
            values: worth(&values),
            queries: random.floats(self.tokens * self.group * dim),
        }
    }

    fn worth(&self, row: &[f32]) -> Vec<f64> {
        let (quants, scale) = quantized(row);
        let worth = |(x, quant): (&f32, i8)| match self.kind {
            Kind::F32 => f64::from(*x),
            Kind::F16 => f16::from_f32(*x).to_f64(),
            Kind::Int8 => f64::from(quant) * f64::from(scale),
        };
        row.iter().zip(quants).map(worth).collect()
    }

    fn scale(&self) -> f32 {
        3.0 / (self.head_dim as f32).sqrt()
    }

    /// The answers of the queries of `tokens` of the run, `[tokens · group][head_dim]`, `group` heads at a time
    /// from head `head` on.
    fn answers(
        &self,
        set: &Kernels,
        context: &Context,
        tokens: Range<usize>,
        heads: Range<usize>,
        split: bool,
    ) -> Vec<f32> {
        let (dim, group) = (self.head_dim, heads.len());
        let rows = tokens.len() * group;
        let mut queries = vec![0.0; queries_len(rows, dim)];
        for (i, token) in tokens.clone().enumerate() {
            for head in heads.clone() {
                let query = &context.queries[(token * self.group + head) * dim..][..dim];
                let row = i * group + head - heads.start;
                pack_query(query, self.scale(), row, &mut queries);
            }
        }
        let mut scratch = scratch(dim);
        let mut floats = vec![f32::NAN; AttentionState::len(rows, dim)];
        let mut state = AttentionState::of(&mut floats, rows);
        state.clear();
        let all = self.past + self.tokens;
        for (i, block) in context.blocks.iter().enumerate() {
            let block = AttentionBlock {
                queries: &queries,
                rows,
                group,
                head_dim: dim,
                position: self.past + tokens.start,
                window: self.window,
                softcap: self.softcap,
                tokens: i * BLOCK_TOKENS..all.min((i + 1) * BLOCK_TOKENS),
                key_values: block.key_values(self.kind),
            };
            if split {
                let mut floats = vec![f32::NAN; AttentionState::len(rows, dim)];
                let mut part = AttentionState::of(&mut floats, rows);
                part.clear();
                set.attend(&block, &mut scratch, &mut part);
                set.merge_attention(&mut state, &part);
            } else {
                set.attend(&block, &mut scratch, &mut state);
            }
        }
        let mut out = vec![f32::NAN; rows * dim];
        for (row, out) in out.chunks_exact_mut(dim).enumerate() {
            state.answer(row, out);
        }
        out
    }

    fn exact(&self, context: &Context) -> Vec<f64> {
        let dim = self.head_dim;
        let rows = context.queries.chunks_exact(dim).enumerate();
        let answer = |(row, query): (usize, &[f32])| {
            let end = self.past + row / self.group + 1;
            let start = end.saturating_sub(self.window);
            let weights: Vec<f64> = (start..end)
                .map(|token| {
                    let key = &context.keys[token * dim..][..dim];
                    let products = query.iter().zip(key).map(|(q, k)| f64::from(*q) * k);
                    let score = products.sum::<f64>() * f64::from(self.scale());
                    let cap = f64::from(self.softcap);
                    if cap > 0.0 {
                        cap * (score / cap).tanh()
                    } else {
                        score
                    }
                    .exp()
                })
                .collect();
            let sum: f64 = weights.iter().sum();
            let column = |d| {
                let tokens = (start..end).zip(&weights);
                let products = tokens.map(|(token, w)| w * context.values[token * dim + d]);
                products.sum::<f64>() / sum
            };
            (0..dim).map(column).collect::<Vec<f64>>()
        };
        rows.flat_map(answer).collect()
    }

    fn check(&self) {
        let context = self.context();
        let exact = self.exact(&context);
        let bounds = vec![ATTENTION_MAX_ERROR; exact.len()];
        for set in set::supported() {
            let case = (set.name(), self);
            let found = self.answers(&set, &context, 0..self.tokens, 0..self.group, false);
            assert_within(&found, &exact, &bounds, &case);
            let split = self.answers(&set, &context, 0..self.tokens, 0..self.group, true);
            assert_eq!(bits(&found), bits(&split), "block by block: {case:?}");
            for token in [0, self.tokens - 1] {
                let alone = self.answers(&set, &context, token..token + 1, 0..self.group, false);
                let rows = &found[token * self.group * self.head_dim..][..alone.len()];
                assert_eq!(bits(rows), bits(&alone), "token {token} alone: {case:?}");
                let head = self.group - 1;
                let alone = self.answers(&set, &context, token..token + 1, head..head + 1, true);
                let row = &rows[head * self.head_dim..];
                assert_eq!(bits(row), bits(&alone), "one query alone: {case:?}");
            }
        }
    }
}

const PLAIN: Case = Case {
    kind: Kind::F16,
    group: 6,
    head_dim: 32,
    past: 0,
    tokens: 1,
    window: usize::MAX,
    softcap: 0.0,
    seed: 1,
};

#[test]
fn agrees_at_every_group_and_head() {
    for kind in KINDS {
        for group in 1..=13 {
            let (past, tokens) = (group * 3, 1 + group % 3);
            Case {
                kind,
                group,
                past,
                tokens,
                ..PLAIN
            }
            .check();
        }
        for head_dim in [1, 8, 15, 16, 17, 64, 80, 96, 128, 256] {
            Case {
                kind,
                head_dim,
                past: 37,
                tokens: 2,
                ..PLAIN
            }
            .check();
        }
    }
}

#[test]
fn agrees_at_the_edges_of_tiles_and_blocks() {
    for kind in KINDS {
        for past in [0, 1, 14, 15, 16, 31, 63, 64, 254, 255, 256, 257, 511, 520] {
            for tokens in [1, 2, 5, 17] {
                Case {
                    kind,
                    past,
                    tokens,
                    head_dim: 16,
                    ..PLAIN
                }
                .check();
            }
        }
    }
}

#[test]
fn agrees_with_windows_and_bent_scores() {
    for kind in KINDS {
        for window in [1, 2, 16, 17, 100, 300] {
            for past in [0, 20, 255, 300, 600] {
                let softcap = if window % 2 == 0 { 2.0 } else { 0.0 };
                Case {
                    kind,
                    past,
                    tokens: 4,
                    window,
                    softcap,
                    ..PLAIN
                }
                .check();
            }
        }
    }
}

#[test]
fn large_scores_do_not_overflow() {
    for set in set::supported() {
        let case = Case { past: 300, ..PLAIN };
        let mut context = case.context();
        context.queries.iter_mut().for_each(|x| *x *= 1e6);
        let answer = case.answers(&set, &context, 0..1, 0..case.group, true);
        assert!(answer.iter().all(|x| x.abs() <= 1.0), "{}", set.name());
    }
}

#[test]
fn a_query_that_sees_no_token_answers_zero() {
    let block = Block::new(&[0.5; 32], &[0.5; 32], 16);
    for set in set::supported() {
        let mut scratch = scratch(16);
        let queries = vec![1.0; queries_len(2, 16)];
        let mut floats = vec![f32::NAN; AttentionState::len(2, 16)];
        let mut state = AttentionState::of(&mut floats, 2);
        state.clear();
        let block = AttentionBlock {
            queries: &queries,
            rows: 2,
            group: 1,
            head_dim: 16,
            position: 4,
            window: usize::MAX,
            softcap: 0.0,
            tokens: 5..7,
            key_values: block.key_values(Kind::F16),
        };
        set.attend(&block, &mut scratch, &mut state);
        let mut out = [f32::NAN; 16];
        state.answer(0, &mut out);
        assert_eq!(out, [0.0; 16], "{}", set.name());
        state.answer(1, &mut out);
        assert_eq!(out, [0.5; 16], "{}", set.name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(target_arch = "x86_64") { 40 } else { 10 }))]

    #[test]
    fn random_shapes_agree_in_every_set(
        kind in prop::sample::select(&KINDS[..]),
        group in 1..14_usize,
        head_dim in 1..140_usize,
        past in 0..600_usize,
        tokens in 1..20_usize,
        window in prop::sample::select(vec![3, 70, usize::MAX]),
        softcap in prop::sample::select(vec![0.0, 1.5]),
        seed: u64,
    ) {
        Case { kind, group, head_dim, past, tokens, window, softcap, seed }.check();
    }
}
