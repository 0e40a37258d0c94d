//! One run of the attention operator: rotate and keep, then attend, both split over the threads.
//!
//! Queries go in blocks of a few tokens. Where there are enough blocks for all threads, one thread computes a block
//! against all the tokens it sees; else each block of keys is a piece of work of its own, and what they come to is
//! merged afterwards. Both add the same numbers in the same order.

mod pieces;
#[cfg(test)]
mod tests;

use std::sync::Mutex;

use tract_onnx::tract_hir::internal::*;

use super::{GroupQueryAttention, Parts, Projections};
use crate::kernels::{AttentionScratch, BLOCK_TOKENS, pack_query, queries_len};
use crate::ops::kv_cache::{HeadMut, KvCache, RoundedKey};
use crate::ops::rotary_embedding::Angles;
use crate::ops::{Runtime, Segment};
use pieces::Attending;

/// Queries of a block, about: eight tiles of twelve.
const BLOCK_QUERIES: usize = 96;
/// Tokens of a block of queries.
const BLOCK_TOKENS_MIN: usize = 8;
const BLOCK_TOKENS_MAX: usize = 32;
/// Multiplications that take less time than other threads take to come: about 5 µs.
const WORK_ALONE: usize = 200_000;
/// Tokens of a segment from which on threads help to rotate and keep them.
const STORE_TOGETHER: usize = 16;

/// What a run computes in; kept for its memory.
#[derive(Debug, Default)]
pub(in crate::ops) struct Scratch {
    /// Packed queries, `[kv_heads][blocks of queries]`.
    queries: Vec<f32>,
    blocks: Vec<QueryBlock>,
    /// What blocks of keys come to, where they are computed apart.
    states: Vec<f32>,
    /// For each key-value head.
    rows: Vec<RowScratch>,
    /// For each thread.
    workers: Vec<Mutex<Worker>>,
}

#[derive(Debug, Default)]
struct RowScratch {
    row: Vec<f32>,
    rounded: RoundedKey,
    angles: Option<Angles>,
}

#[derive(Debug, Default)]
struct Worker {
    scratch: AttentionScratch,
    state: Vec<f32>,
}

/// Some tokens of a segment, whose queries are computed together.
#[derive(Debug, Clone, Copy)]
struct QueryBlock {
    lane: usize,
    /// Row of the run where it begins.
    row: usize,
    tokens: usize,
    /// Position of the first token.
    position: usize,
    /// Where its packed queries begin among those of a head.
    queries: usize,
}

impl GroupQueryAttention {
    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    fn query_block_tokens(&self) -> usize {
        (BLOCK_QUERIES / self.group()).clamp(BLOCK_TOKENS_MIN, BLOCK_TOKENS_MAX)
    }

    /// Blocks of keys that a block of queries sees.
    fn key_blocks(&self, block: &QueryBlock) -> std::ops::Range<usize> {
        let first = match self.window_tokens {
            Some(window) => (block.position + 1).saturating_sub(window),
            None => 0,
        };
        first / BLOCK_TOKENS..(block.position + block.tokens).div_ceil(BLOCK_TOKENS)
    }

    /// Multiplications of a block of queries, about.
    fn work(&self, block: &QueryBlock) -> usize {
        let keys = self.key_blocks(block).len() * BLOCK_TOKENS;
        let seen = keys.min(block.position + block.tokens);
        2 * block.tokens * self.heads * self.head_dim * seen
    }

    /// Fills `blocks` and returns the floats that the packed queries of one head take.
    fn plan(&self, segments: &[Segment], blocks: &mut Vec<QueryBlock>) -> usize {
        blocks.clear();
        let (mut row, mut queries) = (0, 0);
        for segment in segments {
            let mut done = 0;
            while done < segment.tokens {
                let tokens = self.query_block_tokens().min(segment.tokens - done);
                blocks.push(QueryBlock {
                    lane: segment.lane,
                    row,
                    tokens,
                    position: segment.past_tokens + done,
                    queries,
                });
                queries += queries_len(tokens * self.group(), self.head_dim);
                row += tokens;
                done += tokens;
            }
        }
        queries
    }

    /// Computes the run's rows of `out`, `[tokens, heads · head_dim]`, and keeps its keys and values.
    pub(super) fn run(
        &self,
        cache: &mut KvCache,
        run: &Projections<'_>,
        segments: &[Segment],
        out: &mut [f32],
    ) -> TractResult<()> {
        let parts = self.bound.get()?;
        let mut scratch = crate::ops::lock(&parts.runtime.scratch.attention);
        let scratch = &mut *scratch;
        let per_head = self.plan(segments, &mut scratch.blocks);
        if per_head > 0 {
            scratch.queries.resize(self.kv_heads * per_head, 0.0);
            scratch.rows.resize_with(self.kv_heads, RowScratch::default);
            let threads = parts.runtime.threads.count();
            scratch.workers.resize_with(threads, Mutex::default);
            self.store(parts, cache, run, scratch);
            self.attend(&parts.runtime, cache, scratch, out);
        }
        Ok(())
    }

    /// Puts the run's keys and values into the cache and its queries into `scratch`, rotated.
    fn store(
        &self,
        parts: &Parts,
        cache: &mut KvCache,
        run: &Projections<'_>,
        scratch: &mut Scratch,
    ) {
        let per_head = scratch.queries.len() / self.kv_heads;
        for blocks in scratch.blocks.chunk_by(|a, b| a.lane == b.lane) {
            let tokens: usize = blocks.iter().map(|block| block.tokens).sum();
            let heads = cache.lane_mut(blocks[0].lane).heads_mut();
            let queries = scratch.queries.chunks_exact_mut(per_head);
            let items = heads.into_iter().zip(queries).zip(&mut scratch.rows);
            let store = |(head, ((mut kept, queries), rows)): (usize, _)| {
                let head = HeadRun {
                    op: self,
                    parts,
                    run,
                    head,
                };
                head.store(blocks, &mut kept, queries, rows);
            };
            if tokens < STORE_TOGETHER {
                items.enumerate().for_each(store);
            } else {
                parts.runtime.threads.run_each(items.enumerate(), store);
            }
        }
    }

    /// Every query against the tokens up to its own.
    fn attend(&self, runtime: &Runtime, cache: &KvCache, scratch: &mut Scratch, out: &mut [f32]) {
        let works = scratch.blocks.iter().map(|block| self.work(block));
        let (total, largest) = works.fold((0, 0), |(total, largest), work| {
            (total + work, work.max(largest))
        });
        let threads = runtime.threads.count();
        let attention = Attending {
            op: self,
            runtime,
            cache,
            per_head: scratch.queries.len() / self.kv_heads,
            queries: &scratch.queries,
            blocks: &scratch.blocks,
            workers: &scratch.workers,
        };
        if threads == 1 || total <= WORK_ALONE {
            attention.one_after_the_other(out);
        } else if 2 * threads * largest <= total {
            attention.block_by_block(out);
        } else {
            attention.apart(&mut scratch.states, out);
        }
    }
}

/// One key-value head of a run, before attention.
struct HeadRun<'a> {
    op: &'a GroupQueryAttention,
    parts: &'a Parts,
    run: &'a Projections<'a>,
    head: usize,
}

impl HeadRun<'_> {
    /// Keeps the head's keys and values and packs the queries of its group.
    fn store(
        &self,
        blocks: &[QueryBlock],
        kept: &mut HeadMut<'_>,
        queries: &mut [f32],
        scratch: &mut RowScratch,
    ) {
        let Self { op, run, head, .. } = *self;
        let (dim, group) = (op.head_dim, op.group());
        let kernels = &self.parts.runtime.kernels;
        scratch.row.resize(dim, 0.0);
        for block in blocks {
            for token in 0..block.tokens {
                let [q, k, v] = run.strides.map(|stride| (block.row + token) * stride);
                let position = block.position + token;
                self.read_angles(position, scratch);
                self.rotate(&run.key[k + head * dim..][..dim], scratch);
                let value = &run.value[v + head * dim..][..dim];
                kept.store(
                    kernels,
                    position,
                    (&scratch.row, value),
                    &mut scratch.rounded,
                );
                for place in 0..group {
                    let query = &run.query[q + (head * group + place) * dim..][..dim];
                    self.rotate(query, scratch);
                    let row = token * group + place;
                    pack_query(&scratch.row, op.scale, row, &mut queries[block.queries..]);
                }
            }
        }
    }

    fn read_angles(&self, position: usize, scratch: &mut RowScratch) {
        if let Some(table) = &self.parts.table {
            // Another layer may have left those of another width.
            let fits = |angles: &&mut Angles| angles.cos.len() == table.pairs();
            match scratch.angles.as_mut().filter(fits) {
                Some(angles) => table.read(position, angles),
                None => table.read(position, scratch.angles.insert(table.angles())),
            }
        }
    }

    /// Puts `x` into `scratch.row`, rotated where the operator rotates.
    fn rotate(&self, x: &[f32], scratch: &mut RowScratch) {
        scratch.row.copy_from_slice(x);
        if let (Some(rotary), Some(angles)) = (&self.op.rotary, &scratch.angles) {
            let rotation = (&*angles.cos, &*angles.sin);
            let kernels = &self.parts.runtime.kernels;
            kernels.rope(
                &mut scratch.row,
                self.op.head_dim,
                rotation,
                rotary.interleaved,
            );
        }
    }
}
