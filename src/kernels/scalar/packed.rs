//! The product with packed weights. This file defines the bits that every set gives, whatever its layout.
//!
//! Per block: `dot = Σ quant of x · (quant of w − 8)`, `centered = dot + offset · Σ quant of x`, both exact; then
//! `sum = fma(centered · scale of x, scale of w, sum)` in f32, blocks from first to last; at the end
//! `sum · output_scale`.

use crate::kernels::columns::ColumnsMut;
use crate::kernels::packed::{
    BLOCK, LARGEST_MIN, Layout, PackedMatrix, PanelFormat, PanelRows, Q8PanelMut, Q8Panels,
};

/// One row alone: quants, then the scale, then the sum of the quants.
pub(super) const ROW: PanelFormat = PanelFormat {
    rows: 1,
    block_bytes: BLOCK + 8,
};

/// Largest magnitude of a quant; -128 is never used.
const QUANT_MAX: f32 = 127.0;

/// One block of activations, quantized.
pub(in crate::kernels) struct Q8Block {
    pub(in crate::kernels) quants: [i8; BLOCK],
    pub(in crate::kernels) scale: f32,
    pub(in crate::kernels) sum: i32,
}

/// Quantizes at most 32 activations; what is missing counts as 0.
pub(in crate::kernels) fn quantize_block(x: &[f32]) -> Q8Block {
    // The bits of magnitudes sort as the magnitudes do, infinities and NaN last: neither gets lost.
    let largest = f32::from_bits(x.iter().map(|x| x.abs().to_bits()).max().unwrap_or(0));
    let mut block = Q8Block {
        quants: [0; BLOCK],
        scale: 0.0,
        sum: 0,
    };
    if largest < LARGEST_MIN {
        return block;
    }
    let per_unit = QUANT_MAX / largest;
    block.scale = f32::from_bits((largest / QUANT_MAX).to_bits() & !3);
    for (quant, x) in block.quants.iter_mut().zip(x) {
        *quant = (x * per_unit).round_ties_even() as i8; // at most 127 in size; NaN becomes 0
        block.sum += i32::from(*quant);
    }
    block
}

pub(super) fn quantize(rows: &PanelRows<'_>, panel: &mut Q8PanelMut<'_>) {
    let blocks = panel.bytes().chunks_exact_mut(ROW.block_bytes);
    for (block, x) in blocks.zip(rows.row(0).chunks(BLOCK)) {
        let quantized = quantize_block(x);
        let (quants, factors) = block.split_at_mut(BLOCK);
        for (byte, quant) in quants.iter_mut().zip(quantized.quants) {
            *byte = quant as u8;
        }
        factors[..4].copy_from_slice(&quantized.scale.to_le_bytes());
        factors[4..].copy_from_slice(&quantized.sum.to_le_bytes());
    }
}

pub(super) fn matmul(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>) {
    let layout = w.layout();
    let columns = layout.columns();
    let range = out.columns();
    let places = layout.places();
    let mut quants = [[0; BLOCK]; Layout::COLUMNS_MAX];
    for row in 0..out.rows() {
        out.row(row).fill(0.0);
    }
    for tile in range.start / columns..range.end.div_ceil(columns) {
        let tile_columns = tile * columns..range.end.min((tile + 1) * columns);
        for (block, bytes) in w.tile_blocks(tile).enumerate() {
            for (byte, [low, high]) in bytes.quants.iter().zip(&places) {
                let byte = byte ^ layout.flip();
                quants[usize::from(low.0)][usize::from(low.1)] = (byte & 0xF) as i8 - 8;
                quants[usize::from(high.0)][usize::from(high.1)] = (byte >> 4) as i8 - 8;
            }
            for row in 0..out.rows() {
                let activations = &x.group(row)[block * ROW.block_bytes..][..ROW.block_bytes];
                let row = &mut out.row(row)[tile_columns.start - range.start..];
                for (column, sum) in row[..tile_columns.len()].iter_mut().enumerate() {
                    let scale = bytes.scale(column);
                    let offset = bytes.offset(column);
                    *sum = add_block(activations, &quants[column], (scale, offset), *sum);
                }
            }
        }
    }
    for row in 0..out.rows() {
        for sum in out.row(row) {
            *sum *= w.output_scale();
        }
    }
}

/// Adds the product of one block to `sum`.
fn add_block(
    activations: &[u8],
    quants: &[i8; BLOCK],
    (scale_w, offset): (f32, i8),
    sum: f32,
) -> f32 {
    let word = |at: usize| std::array::from_fn(|i| activations[at + i]);
    let scale_x = f32::from_le_bytes(word(BLOCK));
    let sum_x = i32::from_le_bytes(word(BLOCK + 4));
    let dot: i32 = activations
        .iter()
        .zip(quants)
        .map(|(&x, &w)| i32::from(x as i8) * i32::from(w))
        .sum();
    let centered = (dot + i32::from(offset) * sum_x) as f32; // under 2^17: exact
    (centered * scale_x).mul_add(scale_w, sum)
}
