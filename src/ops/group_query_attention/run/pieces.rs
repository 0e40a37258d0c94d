//! The pieces of work of a run whose keys and values are in the cache, and the threads that do them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{GroupQueryAttention, QueryBlock, Worker};
use crate::kernels::{AttentionBlock, AttentionScratch, AttentionState, BLOCK_TOKENS};
use crate::ops::Runtime;
use crate::ops::kv_cache::{KvCache, Lane};

/// A run whose keys and values are in the cache.
pub(super) struct Attending<'a> {
    pub(super) op: &'a GroupQueryAttention,
    pub(super) runtime: &'a Runtime,
    pub(super) cache: &'a KvCache,
    /// Floats of the packed queries of one key-value head.
    pub(super) per_head: usize,
    pub(super) queries: &'a [f32],
    pub(super) blocks: &'a [QueryBlock],
    pub(super) workers: &'a [Mutex<Worker>],
}

/// One block of queries and one of keys, of one head.
struct Piece<'a> {
    block: &'a QueryBlock,
    head: usize,
    keys: usize,
    state: &'a mut [f32],
}

impl Attending<'_> {
    /// All on this thread.
    pub(super) fn one_after_the_other(&self, mut out: &mut [f32]) {
        let mut worker = lock(&self.workers[0]);
        for block in self.blocks {
            self.answer(block, &mut worker, self.take_rows(block, &mut out));
        }
    }

    /// Each block of queries on some thread.
    pub(super) fn block_by_block(&self, mut out: &mut [f32]) {
        let items: Vec<_> = self
            .blocks
            .iter()
            .map(|block| (block, Mutex::new(self.take_rows(block, &mut out))))
            .collect();
        let threads = &self.runtime.threads;
        threads.run_slots(items.len(), &|item, slot| {
            let (block, out) = &items[item];
            self.answer(block, &mut lock(&self.workers[slot]), &mut lock(out));
        });
    }

    /// Each block of keys on some thread, then what they come to in their order.
    pub(super) fn apart(&self, states: &mut Vec<f32>, mut out: &mut [f32]) {
        let heads = self.op.kv_heads;
        let lens = self.blocks.iter().map(|block| {
            let keys = self.op.key_blocks(block).len();
            heads * keys * self.state_len(block)
        });
        states.resize(lens.sum(), 0.0);
        let mut pieces = Vec::new();
        let mut rest = &mut states[..];
        for block in self.blocks {
            for head in 0..heads {
                for keys in self.op.key_blocks(block) {
                    let state = rest.split_off_mut(..self.state_len(block));
                    pieces.push(Mutex::new(Piece {
                        block,
                        head,
                        keys,
                        state: state.expect("the states are as long as all together"),
                    }));
                }
            }
        }
        let threads = &self.runtime.threads;
        threads.run_slots(pieces.len(), &|piece, slot| {
            let Piece {
                block,
                head,
                keys,
                state,
            } = &mut *lock(&pieces[piece]);
            let mut state = AttentionState::of(state, self.rows(block));
            state.clear();
            let worker = &mut *lock(&self.workers[slot]);
            self.attend(block, (*head, *keys), &mut worker.scratch, &mut state);
        });
        drop(pieces);
        let mut rest = &mut states[..];
        for block in self.blocks {
            let out = self.take_rows(block, &mut out);
            for head in 0..heads {
                let mut parts = self.op.key_blocks(block).map(|_| {
                    let part = rest.split_off_mut(..self.state_len(block));
                    let part = part.expect("the states are as long as all together");
                    AttentionState::of(part, self.rows(block))
                });
                let mut state = parts.next().expect("a query sees itself");
                for part in parts {
                    self.runtime.kernels.merge_attention(&mut state, &part);
                }
                self.write(block, head, &state, out);
            }
        }
    }

    /// The answers to a block of queries, `[tokens, heads · head_dim]`.
    fn answer(&self, block: &QueryBlock, worker: &mut Worker, out: &mut [f32]) {
        worker.state.resize(self.state_len(block), 0.0);
        let mut state = AttentionState::of(&mut worker.state, self.rows(block));
        for head in 0..self.op.kv_heads {
            state.clear();
            for keys in self.op.key_blocks(block) {
                self.attend(block, (head, keys), &mut worker.scratch, &mut state);
            }
            self.write(block, head, &state, out);
        }
    }

    fn attend(
        &self,
        block: &QueryBlock,
        (head, keys): (usize, usize),
        scratch: &mut AttentionScratch,
        state: &mut AttentionState<'_>,
    ) {
        let lane = self.cache.lane(block.lane);
        let lane: &Lane = lane.expect("the run's keys have been stored");
        let end = block.position + block.tokens;
        scratch.reserve(self.op.head_dim);
        let block = AttentionBlock {
            queries: &self.queries[head * self.per_head + block.queries..],
            rows: self.rows(block),
            group: self.op.group(),
            head_dim: self.op.head_dim,
            position: block.position,
            window: self.op.window_tokens.unwrap_or(usize::MAX),
            softcap: self.op.softcap,
            tokens: keys * BLOCK_TOKENS..end.min((keys + 1) * BLOCK_TOKENS),
            key_values: lane.block(head, keys),
        };
        self.runtime.kernels.attend(&block, scratch, state);
    }

    /// Writes the answers of the group of one key-value head.
    fn write(&self, block: &QueryBlock, head: usize, state: &AttentionState<'_>, out: &mut [f32]) {
        let (dim, group) = (self.op.head_dim, self.op.group());
        for (token, out) in out.chunks_exact_mut(self.op.heads * dim).enumerate() {
            let out = &mut out[head * group * dim..][..group * dim];
            for (place, out) in out.chunks_exact_mut(dim).enumerate() {
                state.answer(token * group + place, out);
            }
        }
        debug_assert_eq!(out.len(), block.tokens * self.op.heads * dim);
    }

    /// Takes the rows of `block` from the front of `out`.
    fn take_rows<'o>(&self, block: &QueryBlock, out: &mut &'o mut [f32]) -> &'o mut [f32] {
        let len = block.tokens * self.op.heads * self.op.head_dim;
        out.split_off_mut(..len)
            .expect("the output has a row for every token")
    }

    fn rows(&self, block: &QueryBlock) -> usize {
        block.tokens * self.op.group()
    }

    fn state_len(&self, block: &QueryBlock) -> usize {
        AttentionState::len(self.rows(block), self.op.head_dim)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves nothing behind that the next run does not write anew.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
