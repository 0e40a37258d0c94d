//! One row of activations: each tile of the weights is read once, in order, and multiplied as it lies there.
//!
//! ```text
//! dotprod   a byte is 16 · high + low: Σ low from the masked nibbles, 16 · Σ high = Σ byte - Σ low
//! neon      16-bit sums of 4 products a lane, added pairwise until a tile's 8 columns are left
//! ```
//!
//! For the dot product a compiler finds a good order of instructions. For NEON alone it does not, where one pipe
//! multiplies and the other must be kept from its place: that loop is in assembler.
//!
//! Offsets of zero points are added to the sums of a block as `offset · Σ activations`, an integer.

use std::arch::aarch64::*;
use std::arch::{asm, global_asm};

use super::lines::{load, load_offsets, load_scales};
use super::rows::{DOTPROD_ROW_BLOCK, NEON_ROW_BLOCK};
use super::{COLUMNS, STARTS, TILE_BLOCK, TILE_BLOCK_WITH_OFFSETS};
use crate::kernels::columns::ColumnsMut;
use crate::kernels::packed::{PackedMatrix, Q8Panels};

global_asm!(include_str!("gemv_neon.s"), options(raw));

macro_rules! inner_loops {
    ($($name:ident)*) => {
        unsafe extern "C" {$(
            fn $name(
                tile: *const u8,
                x: *const u8,
                blocks: usize,
                starts: &[f32; 8],
                sums: &mut [f32; COLUMNS],
            );
        )*}
    };
}

// Write the sums of a tile's columns: of blocks without and with offsets.
inner_loops!(thinkd_gemv_neon thinkd_gemv_neon_offsets);

/// Line of a tile's block where the scales are, after those of the quants.
const SCALES: usize = 8;

/// Makes the product of one row from that with one tile.
macro_rules! product {
    ($name:ident, $features:literal, $tile:ident) => {
        #[target_feature(enable = $features)]
        pub(super) fn $name(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>) {
            let columns = out.columns();
            let tiles = w.tiles(columns.start / COLUMNS..columns.end.div_ceil(COLUMNS));
            let tiles = tiles.chunks_exact(w.shape().tile_bytes(w.layout()));
            let x = &x.group(0).as_chunks().0[..w.shape().blocks()];
            for (tile, out) in tiles.zip(out.row(0).chunks_mut(COLUMNS)) {
                let sums = if w.shape().zero_points {
                    $tile::<TILE_BLOCK_WITH_OFFSETS>(tile.as_chunks().0, x)
                } else {
                    $tile::<TILE_BLOCK>(tile.as_chunks().0, x)
                };
                store(sums.map(|sum| vmulq_n_f32(sum, w.output_scale())), out);
            }
        }
    };
}

product!(dotprod, "neon,dotprod", gemv_dotprod_tile);
product!(neon, "neon", gemv_neon_tile);

/// The sums of the columns of one tile in `Layout::Pairs8`.
#[inline(never)]
#[target_feature(enable = "neon,dotprod")]
fn gemv_dotprod_tile<const BYTES: usize>(
    tile: &[[u8; BYTES]],
    x: &[[u8; DOTPROD_ROW_BLOCK]],
) -> [float32x4_t; 2] {
    let mut sums = [vdupq_n_f32(0.0); 2];
    for (w, x) in tile.iter().zip(x) {
        let quants = [load(x, 0), load(x, 1)];
        let mut both = vreinterpretq_s32_u8(load(x, 2));
        let mut low = vreinterpretq_s32_u8(load(x, 3));
        macro_rules! four_elements {
            ($($i:literal)*) => {$(
                let bytes = load(w, $i);
                both = sdot::<{ $i % 4 }>(both, bytes, quants[$i / 4]);
                low = sdot::<{ $i % 4 }>(low, vandq_u8(bytes, vdupq_n_u8(0xF)), quants[$i / 4]);
            )*};
        }
        four_elements!(0 1 2 3 4 5 6 7);
        let mut high = vsubq_s32(both, low); // M + 16 · Σ high
        let factors = load(x, 6);
        if BYTES == TILE_BLOCK_WITH_OFFSETS {
            let (offsets, factors) = (load_offsets(w), vreinterpretq_s16_u8(factors));
            let sixteen = vshlq_n_s16::<4>(offsets);
            high = vmlal_laneq_s16::<4>(high, vget_low_s16(sixteen), factors);
            low = vmlal_laneq_s16::<4>(low, vget_high_s16(offsets), factors);
        }
        let factors = vreinterpretq_f32_u8(factors);
        let (c_low, c_high) = (as_floats(load(x, 4)), as_floats(load(x, 5)));
        let high = vfmaq_laneq_f32::<1>(c_high, vreinterpretq_f32_s32(high), factors);
        let low = vfmaq_laneq_f32::<0>(c_low, vreinterpretq_f32_s32(low), factors);
        let scales = load_scales(w, SCALES);
        sums[0] = vfmaq_f32(sums[0], high, scales[0]);
        sums[1] = vfmaq_f32(sums[1], low, scales[1]);
    }
    sums
}

/// The sums of the columns of one tile in `Layout::Rows8`.
#[inline]
#[target_feature(enable = "neon")]
fn gemv_neon_tile<const BYTES: usize>(
    tile: &[[u8; BYTES]],
    x: &[[u8; NEON_ROW_BLOCK]],
) -> [float32x4_t; 2] {
    let blocks = tile.len();
    assert_eq!(blocks, x.len(), "blocks of activations");
    let multiply = if BYTES == TILE_BLOCK_WITH_OFFSETS {
        thinkd_gemv_neon_offsets
    } else {
        thinkd_gemv_neon
    };
    let mut sums = [0.0; COLUMNS];
    // SAFETY: both are as many blocks, and at least one, because no matrix has rows of length 0.
    unsafe {
        multiply(
            tile.as_ptr().cast(),
            x.as_ptr().cast(),
            blocks,
            &STARTS,
            &mut sums,
        );
        [vld1q_f32(sums.as_ptr()), vld1q_f32(sums[4..].as_ptr())]
    }
}

/// Adds to each lane the products of its four bytes with the four of lane `LANE` of `x`, all signed.
///
/// Rust 1.95 has no stable intrinsic for it.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot<const LANE: usize>(mut sum: int32x4_t, bytes: uint8x16_t, x: uint8x16_t) -> int32x4_t {
    // SAFETY: touches these registers alone; the CPU has the instruction where this function may be called.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {bytes:v}.16b, {x:v}.4b[{lane}]",
            sum = inout(vreg) sum,
            bytes = in(vreg) bytes,
            x = in(vreg) x,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

#[inline]
#[target_feature(enable = "neon")]
fn as_floats(line: uint8x16_t) -> float32x4_t {
    vreinterpretq_f32_u8(line)
}

/// Stores the first of eight floats, as many as there is room for.
#[inline]
#[target_feature(enable = "neon")]
fn store([first, second]: [float32x4_t; 2], out: &mut [f32]) {
    let store_all = |out: &mut [f32; COLUMNS]| {
        // SAFETY: there is room for 8 floats.
        unsafe {
            vst1q_f32(out.as_mut_ptr(), first);
            vst1q_f32(out[4..].as_mut_ptr(), second);
        }
    };
    if let Ok(out) = out.try_into() {
        store_all(out);
    } else {
        let mut all = [0.0; COLUMNS];
        store_all(&mut all);
        out.copy_from_slice(&all[..out.len()]);
    }
}
