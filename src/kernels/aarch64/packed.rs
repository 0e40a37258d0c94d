//! The product with packed weights on 64-bit ARM: one row streams the weights, several share them unpacked.
//!
//! ```text
//! one row       tile ──▶ 8 dot products a block, straight from the nibbles                         gemv
//! more rows     stretch of a few tiles ──▶ int8 panel in the first cache ──▶ 4 rows at a time       panel, gemm
//! ```
//!
//! No integer is converted to a float anywhere: sums start at the bits of [`MAGIC`], so that their bits, read as a
//! float, are 1.5 · 2^23 + sum. Then `fma(1.5 · 2^23 + sum, scale, -1.5 · 2^23 · scale)` is `sum · scale`, rounded
//! once, as the definition in `scalar::packed` has it: the product is exact, because the two lowest bits of a scale
//! of activations are clear, and sums stay under 2^22.

mod gemm;
mod gemv;
mod lines;
mod panel;
mod rows;

use crate::kernels::columns::ColumnsMut;
use crate::kernels::packed::{Layout, PackedMatrix, Q8Panels};
use crate::kernels::table::PackedKernels;

/// 1.5 · 2^23.
const MAGIC: f32 = 12_582_912.0;
/// What integer sums start at, as two registers hold it.
static STARTS: [f32; 8] = [MAGIC; 8];
/// Columns of a tile, in both layouts.
const COLUMNS: usize = 8;
/// Rows of a group, in all forms of several rows.
const ROWS: usize = 4;

/// Weights in a tile's block: 16 bytes of quants a column and 2 of scale.
const TILE_BLOCK: usize = COLUMNS * (16 + 2);
/// The same where the matrix has zero points: one more byte a column.
const TILE_BLOCK_WITH_OFFSETS: usize = TILE_BLOCK + COLUMNS;

/// Of the set `neon`.
pub(super) const NEON: PackedKernels = PackedKernels {
    layout: Layout::Rows8,
    format: |rows| {
        if rows == 1 {
            rows::NEON_ROW
        } else {
            rows::GROUP
        }
    },
    quantize: rows::quantize_neon,
    matmul: matmul_neon,
};

/// Of the set `neon+dotprod`.
pub(super) const DOTPROD: PackedKernels = PackedKernels {
    layout: Layout::Pairs8,
    format: |rows| {
        if rows == 1 {
            rows::DOTPROD_ROW
        } else {
            rows::GROUP
        }
    },
    quantize: rows::quantize_dotprod,
    matmul: matmul_dotprod,
};

/// Of the set `neon+i8mm`.
pub(super) const I8MM: PackedKernels = PackedKernels {
    format: |rows| {
        if rows == 1 {
            rows::DOTPROD_ROW
        } else {
            rows::I8MM_GROUP
        }
    },
    quantize: rows::quantize_i8mm,
    matmul: matmul_i8mm,
    ..DOTPROD
};

fn matmul_neon(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>) {
    // SAFETY: only a set of `supported` leads here, after it has seen "neon" on this CPU.
    unsafe {
        if out.rows() == 1 {
            gemv::neon(x, w, out);
        } else {
            gemm::matmul::<gemm::Neon>(x, w, out);
        }
    }
}

fn matmul_dotprod(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>) {
    // SAFETY: only a set of `supported` leads here, after it has seen "dotprod" on this CPU.
    unsafe {
        if out.rows() == 1 {
            gemv::dotprod(x, w, out);
        } else {
            gemm::matmul::<gemm::Dotprod>(x, w, out);
        }
    }
}

fn matmul_i8mm(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>) {
    // SAFETY: only a set of `supported` leads here, after it has seen "dotprod" and "i8mm" on this CPU.
    unsafe {
        if out.rows() == 1 {
            gemv::dotprod(x, w, out);
        } else {
            gemm::matmul::<gemm::I8mm>(x, w, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::packed::PackedShape;
    use crate::kernels::table::Kernels;

    /// A few tiles, the last with columns missing; more blocks than a stretch, the last with elements missing.
    const SHAPE: PackedShape = PackedShape {
        n: 44,
        k: 1607,
        zero_points: true,
    };

    /// Bytes that look random, among them scales of both signs from 2 to 4 and offsets from -7 to 8.
    fn weights(layout: Layout) -> Vec<u8> {
        let mut state = 1_u32;
        let mut bytes = vec![0; SHAPE.bytes(layout)];
        for block in bytes.chunks_exact_mut(TILE_BLOCK_WITH_OFFSETS) {
            for (i, byte) in block.iter_mut().enumerate() {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let random = (state >> 24) as u8;
                *byte = match i {
                    0..128 => random,
                    128..TILE_BLOCK => 0x40 | random & if i % 2 == 0 { 0xFF } else { 0x83 },
                    _ => (random % 16).wrapping_sub(7),
                };
            }
        }
        bytes
    }

    fn product(set: Kernels, w: &PackedMatrix<'_>, rows: usize, x: &[f32]) -> Vec<u32> {
        let mut panels = Q8Panels::new();
        set.resize_panels(&mut panels, rows, SHAPE.k);
        for mut group in panels.groups_mut() {
            let rows = group.rows();
            set.quantize_panel(&x[rows.start * SHAPE.k..rows.end * SHAPE.k], &mut group);
        }
        let mut out = vec![f32::NAN; rows * SHAPE.n];
        let mut columns = ColumnsMut::whole(&mut out, rows, SHAPE.n);
        set.matmul_f32_q8_packed(&panels, w, &mut columns);
        out.into_iter().map(f32::to_bits).collect()
    }

    /// More rows than those whose activations stay in the second cache, which the tests of every set have not.
    #[test]
    fn many_rows_give_the_bits_of_each_alone() {
        for set in crate::kernels::aarch64::supported() {
            let bytes = weights(set.layout());
            let w = PackedMatrix::new(set.layout(), SHAPE, 0.5, &bytes).expect("a fitting shape");
            let rows = 131;
            let x: Vec<f32> = (0..rows * SHAPE.k)
                .map(|i| ((i * i + i / 7) % 1001) as f32 - 500.0)
                .collect();
            let together = product(set, &w, rows, &x);
            for (row, x) in x.chunks_exact(SHAPE.k).enumerate() {
                let together = &together[row * SHAPE.n..][..SHAPE.n];
                assert_eq!(product(set, &w, 1, x), together, "{} row {row}", set.name());
            }
        }
    }
}
