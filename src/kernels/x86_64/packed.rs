//! What the packed products of x86-64 share: activations as they lie in a panel, and how they get there.
//!
//! ```text
//! panel   [blocks][rows of the group] activations of one block
//! block   quants [32] i8, bias i32 = −8 · sum, scale f32, bias · 17 i32, sum f32        sum = Σ quants
//! ```
//!
//! A dot product starts at the bias, because weights are unsigned with 8 in their middle.

pub(super) mod avx512;
pub(super) mod columns8;
mod quantize;

use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};

use crate::kernels::packed::{BLOCK, GROUP_BLOCKS, PanelFormat};

pub(super) use quantize::quantize;

/// Bytes of one row's activations of one block.
const X_BYTES: usize = BLOCK + 16;
/// Bytes of activations that one tile after the other meets, unless a single group has more: about what a second
/// cache holds. All tiles are read anew for each such chunk of rows, so fewer bytes cost more than they save.
const CHUNK_BYTES: usize = 512 << 10;
/// Where the parts begin that follow the quants.
const BIAS: usize = BLOCK;
const SCALE: usize = BLOCK + 4;
const BIAS_17: usize = BLOCK + 8;
const SUM: usize = BLOCK + 12;

/// How far ahead of their use weights are asked for.
const AHEAD: usize = 4096;

/// Activations of one block of one row.
type XBlock = [u8; X_BYTES];

/// A group of `rows` rows. Few rows make a small group, because all of it is read for every tile.
pub(super) const fn format(rows: usize) -> PanelFormat {
    PanelFormat {
        rows,
        block_bytes: rows * X_BYTES,
    }
}

/// Four bytes of a block as one integer, the way registers hold them.
#[inline(always)]
fn word(block: &XBlock, at: usize) -> i32 {
    i32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

#[inline(always)]
fn float(block: &XBlock, at: usize) -> f32 {
    f32::from_bits(word(block, at).cast_unsigned())
}

/// The groups of a tile's blocks that share factors: FACTORS bytes of these, then blocks of BYTES, with the
/// activations that meet them; `x` has those of all the tile's blocks, or more.
#[inline(always)]
fn groups<'a, const FACTORS: usize, const BYTES: usize, X>(
    tile: &'a [u8],
    x: &'a [X],
) -> impl Iterator<Item = (&'a [u8; FACTORS], &'a [[u8; BYTES]], &'a [X])> {
    let groups = tile.chunks(FACTORS + GROUP_BLOCKS * BYTES);
    groups.zip(x.chunks(GROUP_BLOCKS)).filter_map(|(group, x)| {
        let (factors, blocks) = group.split_first_chunk()?;
        Some((factors, blocks.as_chunks().0, x))
    })
}

/// Asks for one line of a block that is to come, into the second cache.
///
/// The processor's own prefetcher then asks for its neighbours. All lines from here would be slower: only few can be
/// on their way at a time, and those that are needed now would wait.
#[inline(always)]
fn prefetch<const BYTES: usize>(w: &[u8; BYTES]) {
    let ahead = w.as_ptr().wrapping_add(AHEAD);
    // SAFETY: every x86-64 has this instruction, and it faults nowhere.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(ahead.cast()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{ColumnsMut, Kernels, PackedMatrix, PackedShape, Q8Panels};

    const ROWS: usize = 80;
    const SHAPE: PackedShape = PackedShape {
        n: 40,
        k: 8960,
        zero_points: true,
    };

    fn product(set: &Kernels, rows: usize, x: &[f32], w: &PackedMatrix<'_>) -> Vec<f32> {
        let mut panels = Q8Panels::new();
        set.resize_panels(&mut panels, rows, SHAPE.k);
        for mut group in panels.groups_mut() {
            let rows = group.rows();
            let x = &x[rows.start * SHAPE.k..rows.end * SHAPE.k];
            set.quantize_panel(x, &mut group);
        }
        let mut out = vec![f32::NAN; rows * SHAPE.n];
        let mut columns = ColumnsMut::whole(&mut out, rows, SHAPE.n);
        set.matmul_f32_q8_packed(&panels, w, &mut columns);
        out
    }

    #[test]
    fn rows_of_several_chunks_agree_with_each_alone() {
        const { assert!(ROWS * X_BYTES * SHAPE.k / BLOCK > 2 * CHUNK_BYTES) };
        let x: Vec<f32> = (0..ROWS * SHAPE.k)
            .map(|i| ((i * 37 % 251) as f32 - 125.0) / 50.0)
            .collect();
        for set in super::super::supported() {
            // Any bytes are quants and offsets, and these are scales that are numbers, too.
            let bytes: Vec<u8> = (0..SHAPE.bytes(set.layout()))
                .map(|i| (i * 31 % 113) as u8)
                .collect();
            let w = PackedMatrix::new(set.layout(), SHAPE, 0.5, &bytes).unwrap();
            let together = product(&set, ROWS, &x, &w);
            for (row, x) in x.chunks_exact(SHAPE.k).enumerate() {
                let alone = product(&set, 1, x, &w);
                let found = &together[row * SHAPE.n..][..SHAPE.n];
                assert!(alone.iter().all(|y| y.is_finite()), "{} {row}", set.name());
                assert_eq!(found, alone, "{} {row}", set.name());
            }
        }
    }
}
