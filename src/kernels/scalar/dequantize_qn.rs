//! Rows of a block matrix as f32.

use crate::kernels::block_matrix::BlockMatrix;

pub(super) fn dequantize_qn(w: &BlockMatrix<'_>, row: usize, out: &mut [f32]) {
    for (block, out) in out.chunks_mut(w.shape().block_size).enumerate() {
        dequantize_block(w, row, block, out);
    }
}

/// Writes the first elements of one block.
pub(super) fn dequantize_block(w: &BlockMatrix<'_>, row: usize, block: usize, out: &mut [f32]) {
    let shape = w.shape();
    let bytes = &w.row_quants(row)[block * shape.block_bytes()..];
    let (scale, zero_point, flip) = (w.scale(row, block), w.zero_point(row, block), w.flip());
    for (i, out) in out.iter_mut().enumerate() {
        let quant = match shape.bits {
            8 => bytes[i] ^ flip,
            _ => ((bytes[i / 2] ^ flip) >> (i % 2 * 4)) & 0xF,
        };
        *out = (f32::from(quant) - zero_point) * scale;
    }
}
