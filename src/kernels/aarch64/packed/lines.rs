//! Blocks of weights and activations seen as lines: 16 bytes, one register each.

use std::arch::aarch64::*;

/// What a register holds.
pub(super) type Line = [u8; 16];

/// Line `i` of a block.
///
/// # Panics
/// If there is none; with a number known to the compiler nothing is left of the check.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load<const BYTES: usize>(block: &[u8; BYTES], i: usize) -> uint8x16_t {
    let line: &Line = &block.as_chunks().0[i];
    // SAFETY: the 16 bytes are there, and this load takes any alignment.
    unsafe { vld1q_u8(line.as_ptr()) }
}

/// The 8 bytes at the end of a block, sign extended: the offsets of a tile's columns.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_offsets<const BYTES: usize>(block: &[u8; BYTES]) -> int16x8_t {
    let bytes = &block[BYTES - 8..];
    // SAFETY: the 8 bytes are there, and this load takes any alignment.
    vmovl_s8(unsafe { vld1_s8(bytes.as_ptr().cast()) })
}

/// Line `i` of a block: eight f16 as f32.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_scales<const BYTES: usize>(block: &[u8; BYTES], i: usize) -> [float32x4_t; 2] {
    let scales = vreinterpretq_f16_u8(load(block, i));
    [
        vcvt_f32_f16(vget_low_f16(scales)),
        vcvt_high_f32_f16(scales),
    ]
}

/// Eight 16-bit integers as a line.
#[inline]
pub(super) fn shorts(shorts: [i16; 8]) -> Line {
    let mut line = [0; 16];
    for (bytes, short) in line.as_chunks_mut().0.iter_mut().zip(shorts) {
        *bytes = short.to_le_bytes();
    }
    line
}

/// Four words as a line.
#[inline]
pub(super) fn words(words: [u32; 4]) -> Line {
    let mut line = [0; 16];
    for (bytes, word) in line.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    line
}

/// Four floats as a line.
#[inline]
pub(super) fn floats(floats: [f32; 4]) -> Line {
    words(floats.map(f32::to_bits))
}
