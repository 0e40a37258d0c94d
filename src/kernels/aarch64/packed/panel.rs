//! Weights unpacked to int8, once for many rows: panels in the order in which a product's inner loop reads them.
//!
//! ```text
//! dotprod   block   quants [8 of k/4][8 columns][4],  scales [8]
//! i8mm      block   quants [4 of k/8][8 columns][8],  scales [4 pairs of columns] s, t, s, t
//! neon      block   [2 halves of the columns]  quants [4][32],  scales [4]
//! ```
//!
//! Quants are `w - 8 + offset`, from -15 to 15: zero points are done with here. Scales are f32.

use std::arch::aarch64::*;
use std::mem::MaybeUninit;

use super::lines::{Line, load, load_offsets, load_scales};
use super::{COLUMNS, TILE_BLOCK, TILE_BLOCK_WITH_OFFSETS};
use crate::kernels::packed::BLOCK;

/// Bytes of a tile's block: quants and f32 scales.
pub(super) const BLOCK_BYTES: usize = COLUMNS * (BLOCK + 4);
/// The same where every scale stands twice.
pub(super) const I8MM_BLOCK_BYTES: usize = BLOCK_BYTES + COLUMNS * 4;

/// Bytes of a line.
const LINE: usize = size_of::<Line>();
/// What an unsigned quant that stands for zero is.
const MIDDLE: i8 = 8;
/// Line of a tile's block where the scales are, after those of the quants.
const SCALES: usize = 8;

/// Bytes of a panel, to be written.
pub(super) type Panel = [MaybeUninit<u8>];

/// Unpacks a block of a tile in `Layout::Pairs8` for the dot product.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn unpack_dotprod<const BYTES: usize>(block: &[u8; BYTES], panel: &mut Panel) {
    let panel: &mut [Place; BLOCK_BYTES / LINE] = places(panel);
    let offsets = offsets_of_pairs(block);
    for (i, places) in panel.as_chunks_mut::<2>().0[..8].iter_mut().enumerate() {
        let [high, low] = pairs(load(block, i), offsets);
        store(&mut places[0], high);
        store(&mut places[1], low);
    }
    let [high, low] = load_scales(block, SCALES);
    store(&mut panel[16], vreinterpretq_s8_f32(high));
    store(&mut panel[17], vreinterpretq_s8_f32(low));
}

/// Unpacks a block of a tile in `Layout::Pairs8` for the matrix product.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn unpack_i8mm<const BYTES: usize>(block: &[u8; BYTES], panel: &mut Panel) {
    let panel: &mut [Place; I8MM_BLOCK_BYTES / LINE] = places(panel);
    let offsets = offsets_of_pairs(block);
    for (i, places) in panel.as_chunks_mut::<4>().0[..4].iter_mut().enumerate() {
        let first = pairs(load(block, 2 * i), offsets);
        let second = pairs(load(block, 2 * i + 1), offsets);
        for (places, (a, b)) in places
            .chunks_exact_mut(2)
            .zip(first.into_iter().zip(second))
        {
            let (a, b) = (vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b));
            store(&mut places[0], vreinterpretq_s8_s32(vzip1q_s32(a, b)));
            store(&mut places[1], vreinterpretq_s8_s32(vzip2q_s32(a, b)));
        }
    }
    for (half, scales) in load_scales(block, SCALES).into_iter().enumerate() {
        let twice = |pair| vreinterpretq_s8_f32(vcombine_f32(pair, pair));
        store(&mut panel[16 + 2 * half], twice(vget_low_f32(scales)));
        store(&mut panel[17 + 2 * half], twice(vget_high_f32(scales)));
    }
}

/// Unpacks a block of a tile in `Layout::Rows8` for NEON alone.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn unpack_neon<const BYTES: usize>(block: &[u8; BYTES], panel: &mut Panel) {
    let panel: &mut [Place; BLOCK_BYTES / LINE] = places(panel);
    let scales = load_scales(block, SCALES);
    for (half, panel) in panel.as_chunks_mut::<9>().0.iter_mut().enumerate() {
        for (j, places) in panel.as_chunks_mut::<2>().0[..4].iter_mut().enumerate() {
            let column = half * COLUMNS / 2 + j;
            let offset = offset_of_column(block, column);
            let bytes = load(block, column);
            let low = vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(0xF)));
            let high = vreinterpretq_s8_u8(vshrq_n_u8::<4>(bytes));
            store(&mut places[0], vaddq_s8(low, offset));
            store(&mut places[1], vaddq_s8(high, offset));
        }
        store(&mut panel[8], vreinterpretq_s8_f32(scales[half]));
    }
}

/// What the columns of the high and the low nibbles are short of: the offset, and what makes a nibble signed.
#[inline]
#[target_feature(enable = "neon")]
fn offsets_of_pairs<const BYTES: usize>(block: &[u8; BYTES]) -> [int8x16_t; 2] {
    if BYTES != TILE_BLOCK_WITH_OFFSETS {
        return [vdupq_n_s8(0), vdupq_n_s8(-MIDDLE)];
    }
    let offsets = vmovn_s16(load_offsets(block));
    let twice = vcombine_s8(vzip1_s8(offsets, offsets), vzip2_s8(offsets, offsets));
    let (high, low) = (vzip1q_s8(twice, twice), vzip2q_s8(twice, twice));
    [high, vsubq_s8(low, vdupq_n_s8(MIDDLE))]
}

/// The quants of a line of `Layout::Pairs8`: of the columns in the high nibbles, of those in the low ones.
#[inline]
#[target_feature(enable = "neon")]
fn pairs(bytes: uint8x16_t, [high, low]: [int8x16_t; 2]) -> [int8x16_t; 2] {
    let nibbles = vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(0xF)));
    let signed = vshrq_n_s8::<4>(vreinterpretq_s8_u8(bytes));
    [vaddq_s8(signed, high), vaddq_s8(nibbles, low)]
}

/// What the quants of a column in `Layout::Rows8` are short of.
#[inline]
#[target_feature(enable = "neon")]
fn offset_of_column<const BYTES: usize>(block: &[u8; BYTES], column: usize) -> int8x16_t {
    if BYTES == TILE_BLOCK_WITH_OFFSETS {
        vdupq_n_s8((block[TILE_BLOCK + column] as i8).wrapping_sub(MIDDLE))
    } else {
        vdupq_n_s8(-MIDDLE)
    }
}

/// Room for a line.
type Place = [MaybeUninit<u8>; LINE];

/// A block of the panel, line by line.
#[inline]
fn places<const LINES: usize>(block: &mut Panel) -> &mut [Place; LINES] {
    let places = block.as_chunks_mut().0;
    places.first_chunk_mut().expect("a whole block")
}

#[inline]
#[target_feature(enable = "neon")]
fn store(place: &mut Place, line: int8x16_t) {
    // SAFETY: there is room for 16 bytes.
    unsafe { vst1q_s8(place.as_mut_ptr().cast(), line) }
}
