//! Queries against one block of tokens, one after the other.

use half::f16;

use crate::kernels::attention::{
    AttentionBlock, AttentionScratch, AttentionState, KeyValues, QUERY_TILE, TOKEN_TILE, row_len,
};
use crate::kernels::exp::exp;

pub(super) fn attend(
    block: &AttentionBlock<'_>,
    scratch: &mut AttentionScratch,
    state: &mut AttentionState<'_>,
) {
    let len = row_len(block.head_dim);
    for row in 0..block.rows {
        let visible = block.visible(row);
        let weights = &mut scratch.scores[0][..visible.len()];
        for (weight, token) in weights.iter_mut().zip(visible.clone()) {
            *weight = cap(score(block, row, token), block.softcap);
        }
        let largest = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        let weighted = &mut scratch.weighted[..len];
        weighted.fill(0.0);
        for (weight, token) in weights.iter().zip(visible) {
            let weight = exp(weight - largest);
            sum += weight;
            for (d, weighted) in weighted.iter_mut().enumerate() {
                *weighted += weight * value(block, token * len + d, token);
            }
        }
        state.merge_row(row, largest, sum, weighted);
    }
}

pub(super) fn merge(state: &mut AttentionState<'_>, later: &AttentionState<'_>) {
    crate::kernels::attention::merge(state, later);
}

pub(super) fn narrow(x: &[f32], out: &mut [f16]) {
    let limit = f16::MAX.to_f32();
    for (out, x) in out.iter_mut().zip(x) {
        *out = f16::from_f32(x.clamp(-limit, limit));
    }
}

fn score(block: &AttentionBlock<'_>, row: usize, token: usize) -> f32 {
    let dim = block.head_dim;
    let query = &block.queries[row / QUERY_TILE * dim * QUERY_TILE + row % QUERY_TILE..];
    let place = token / TOKEN_TILE * dim * TOKEN_TILE + token % TOKEN_TILE;
    let products = (0..dim).map(|d| query[d * QUERY_TILE] * key(block, place + d * TOKEN_TILE));
    let sum: f32 = products.sum();
    match block.key_values {
        KeyValues::Int8 { key_scales, .. } => sum * key_scales[token],
        _ => sum,
    }
}

fn key(block: &AttentionBlock<'_>, place: usize) -> f32 {
    match block.key_values {
        KeyValues::F32 { keys, .. } => keys[place],
        KeyValues::F16 { keys, .. } => keys[place].to_f32(),
        KeyValues::Int8 { keys, .. } => f32::from(keys[place]),
    }
}

fn value(block: &AttentionBlock<'_>, place: usize, token: usize) -> f32 {
    match block.key_values {
        KeyValues::F32 { values, .. } => values[place],
        KeyValues::F16 { values, .. } => values[place].to_f32(),
        KeyValues::Int8 {
            values,
            value_scales,
            ..
        } => f32::from(values[place]) * value_scales[token],
    }
}

/// Bends a score so that it is not beyond `softcap`, where that is above 0.
fn cap(score: f32, softcap: f32) -> f32 {
    if softcap > 0.0 {
        softcap * (score / softcap).tanh()
    } else {
        score
    }
}
