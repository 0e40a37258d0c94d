//! Keys and values of a block, as every kind of cache keeps them.

use half::f16;

use crate::kernels::{BLOCK_TOKENS, KeyValues, TOKEN_TILE, row_len, scalar};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    F32,
    F16,
    Int8,
}

pub(super) const KINDS: [Kind; 3] = [Kind::F32, Kind::F16, Kind::Int8];

/// Everything past the last token is NaN.
pub(super) struct Block {
    keys: Vec<f32>,
    values: Vec<f32>,
    halves: [Vec<f16>; 2],
    quants: [Vec<i8>; 2],
    scales: [Vec<f32>; 2],
}

impl Block {
    pub(super) fn new(keys: &[f32], values: &[f32], head_dim: usize) -> Self {
        let len = row_len(head_dim);
        let mut block = Self {
            keys: vec![f32::NAN; BLOCK_TOKENS * head_dim],
            values: vec![f32::NAN; BLOCK_TOKENS * len],
            halves: [
                vec![f16::NAN; BLOCK_TOKENS * head_dim],
                vec![f16::NAN; BLOCK_TOKENS * len],
            ],
            quants: [
                vec![99; BLOCK_TOKENS * head_dim],
                vec![99; BLOCK_TOKENS * len],
            ],
            scales: [vec![f32::NAN; BLOCK_TOKENS], vec![f32::NAN; BLOCK_TOKENS]],
        };
        let rows = keys
            .chunks_exact(head_dim)
            .zip(values.chunks_exact(head_dim));
        for (token, (key, value)) in rows.enumerate() {
            let (key_quants, key_scale) = quantized(key);
            let (value_quants, value_scale) = quantized(value);
            block.scales[0][token] = key_scale;
            block.scales[1][token] = value_scale;
            for d in 0..head_dim {
                let place = (token / TOKEN_TILE * head_dim + d) * TOKEN_TILE + token % TOKEN_TILE;
                block.keys[place] = key[d];
                block.halves[0][place] = f16::from_f32(key[d]);
                block.quants[0][place] = key_quants[d];
            }
            for d in 0..len {
                let place = token * len + d;
                block.values[place] = value.get(d).copied().unwrap_or(0.0);
                block.halves[1][place] = f16::from_f32(block.values[place]);
                block.quants[1][place] = value_quants.get(d).copied().unwrap_or(0);
            }
        }
        block
    }

    pub(super) fn key_values(&self, kind: Kind) -> KeyValues<'_> {
        match kind {
            Kind::F32 => KeyValues::F32 {
                keys: &self.keys,
                values: &self.values,
            },
            Kind::F16 => KeyValues::F16 {
                keys: &self.halves[0],
                values: &self.halves[1],
            },
            Kind::Int8 => KeyValues::Int8 {
                keys: &self.quants[0],
                key_scales: &self.scales[0],
                values: &self.quants[1],
                value_scales: &self.scales[1],
            },
        }
    }
}

pub(super) fn quantized(row: &[f32]) -> (Vec<i8>, f32) {
    let mut quants = vec![0; row.len()];
    let scale = scalar::KERNELS.quantize_row(row, &mut quants);
    (quants, scale)
}
