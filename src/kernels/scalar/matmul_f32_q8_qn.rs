//! The product with int8 activations. This file defines the bits that every set gives.

use crate::kernels::block_matrix::{BLOCK_SIZE_MAX, BlockMatrix};
use crate::kernels::columns::ColumnsMut;
use crate::kernels::q8::Q8Rows;

pub(super) fn matmul_f32_q8_qn(x: &Q8Rows, w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>) {
    let shape = w.shape();
    let mut quants = [0; BLOCK_SIZE_MAX];
    let quants = &mut quants[..shape.block_size];
    for (j, column) in out.columns().enumerate() {
        for i in 0..out.rows() {
            out.row(i)[j] = 0.0;
        }
        for block in 0..shape.blocks() {
            unpack(w, column, block, quants);
            let (scale, zero_point) = (w.scale(column, block), w.zero_point(column, block));
            for i in 0..out.rows() {
                let activations = &x.row_quants(i)[block * shape.block_size..];
                let dot = dot(activations, quants);
                // All three are integers under 2^24 where the zero point is one: nothing is rounded here.
                let centered = dot as f32 - zero_point * x.row_sums(i)[block];
                out.row(i)[j] += (x.row_scales(i)[block] * scale) * centered;
            }
        }
    }
}

/// At most 256 · 127 · 255 < 2^24 in size.
fn dot(activations: &[i8], quants: &[u8]) -> i32 {
    activations
        .iter()
        .zip(quants)
        .map(|(&a, &q)| i32::from(a) * i32::from(q))
        .sum()
}

/// Unsigned quants of one block in the order of [`Q8Rows`].
fn unpack(w: &BlockMatrix<'_>, row: usize, block: usize, quants: &mut [u8]) {
    let shape = w.shape();
    let bytes = &w.row_quants(row)[block * shape.block_bytes()..][..shape.block_bytes()];
    if shape.bits == 8 {
        for (quant, byte) in quants.iter_mut().zip(bytes) {
            *quant = byte ^ w.flip();
        }
    } else {
        let (low, high) = quants.split_at_mut(bytes.len());
        for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
            (*low, *high) = ((byte ^ w.flip()) & 0xF, (byte ^ w.flip()) >> 4);
        }
    }
}
