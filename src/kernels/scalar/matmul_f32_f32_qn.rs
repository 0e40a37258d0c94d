//! The product with f32 activations, the strict reference mode.

use super::dequantize_qn::dequantize_block;
use crate::kernels::block_matrix::{BLOCK_SIZE_MAX, BlockMatrix};
use crate::kernels::columns::ColumnsMut;

pub(super) fn matmul_f32_f32_qn(x: &[f32], w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>) {
    let shape = w.shape();
    let mut weights = [0.0; BLOCK_SIZE_MAX];
    for (j, column) in out.columns().enumerate() {
        for i in 0..out.rows() {
            out.row(i)[j] = 0.0;
        }
        for block in 0..shape.blocks() {
            let start = block * shape.block_size;
            let length = shape.block_size.min(shape.k - start);
            dequantize_block(w, column, block, &mut weights[..length]);
            for i in 0..out.rows() {
                let x = &x[i * shape.k + start..][..length];
                out.row(i)[j] += x.iter().zip(&weights).map(|(x, w)| x * w).sum::<f32>();
            }
        }
    }
}
