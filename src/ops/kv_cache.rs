//! The keys and values that an attention operator keeps between runs.

use std::ops::Range;

use ndarray::{Array3, Axis, s};
#[cfg(test)]
use tract_onnx::tract_core::model::TypedSimpleState;

use super::Runtime;

/// Keys and values of one layer, `[kv_heads, context_tokens, head_dim]` each, allocated once.
#[derive(Debug, Clone)]
pub(super) struct KvCache {
    keys: Array3<f32>,
    values: Array3<f32>,
    /// Rotated queries of the run, `[S, heads · head_dim]`; kept for their memory.
    pub(super) queries: Vec<f32>,
    /// Scores of one query, for each thread.
    pub(super) scores: Vec<Vec<f32>>,
}

impl KvCache {
    /// An empty cache for `runtime.context_tokens` tokens.
    pub(super) fn new(kv_heads: usize, head_dim: usize, runtime: &Runtime) -> Self {
        // Zeroed memory that the system hands out page by page as the context grows.
        let shape = (kv_heads, runtime.context_tokens, head_dim);
        Self {
            keys: Array3::zeros(shape),
            values: Array3::zeros(shape),
            queries: Vec::new(),
            scores: vec![Vec::new(); runtime.threads.count()],
        }
    }

    /// Tokens there is room for.
    pub(super) fn context_tokens(&self) -> usize {
        self.keys.len_of(Axis(1))
    }

    /// Keys of tokens `range` of one head, `[range.len(), head_dim]`.
    pub(super) fn keys(&self, head: usize, range: Range<usize>) -> &[f32] {
        tokens_of(&self.keys, head, range)
    }

    /// Values of tokens `range` of one head, `[range.len(), head_dim]`.
    pub(super) fn values(&self, head: usize, range: Range<usize>) -> &[f32] {
        tokens_of(&self.values, head, range)
    }

    /// Where the key of one token of one head goes, `[head_dim]`.
    pub(super) fn key_mut(&mut self, head: usize, token: usize) -> &mut [f32] {
        slot(&mut self.keys, head, token)
    }

    /// Where the value of one token of one head goes, `[head_dim]`.
    pub(super) fn value_mut(&mut self, head: usize, token: usize) -> &mut [f32] {
        slot(&mut self.values, head, token)
    }
}

/// Tokens `range` of one head of a cache, `[range.len(), head_dim]`.
fn tokens_of(cache: &Array3<f32>, head: usize, range: Range<usize>) -> &[f32] {
    let tokens = cache.slice(s![head, range, ..]);
    tokens
        .to_slice()
        .expect("the tokens of a head lie one after the other")
}

/// Where one token of one head goes, `[head_dim]`.
fn slot(cache: &mut Array3<f32>, head: usize, token: usize) -> &mut [f32] {
    let row = cache.slice_mut(s![head, token, ..]);
    row.into_slice().expect("a head's token is contiguous")
}

/// Puts keys and values, `[kv_heads][past_tokens][head_dim]`, into every cache of `state`.
#[cfg(test)]
pub(crate) fn restore_caches(
    state: &mut TypedSimpleState,
    keys: &[f32],
    values: &[f32],
    past_tokens: usize,
) {
    for cache in state.op_states.iter_mut().flatten() {
        let Some(cache) = cache.downcast_mut::<KvCache>() else {
            continue;
        };
        let head_dim = cache.keys.len_of(Axis(2));
        for (index, row) in keys.chunks_exact(head_dim).enumerate() {
            let (head, token) = (index / past_tokens, index % past_tokens);
            cache.key_mut(head, token).copy_from_slice(row);
            let value = &values[index * head_dim..][..head_dim];
            cache.value_mut(head, token).copy_from_slice(value);
        }
    }
}
