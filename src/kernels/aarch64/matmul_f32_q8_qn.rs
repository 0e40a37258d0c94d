//! The product with int8 activations: four columns at a time, one lane of a register each.
//!
//! ```text
//! one row of x    nibbles of a block ──▶ 4 partial sums a column ──▶ 4 columns side by side ──▶ f32
//! more rows       a stretch of blocks of 4 columns is unpacked to bytes once, then met by every row
//! ```
//!
//! Both ways to multiply take signed bytes. 4-bit quants, 0 to 15, are; of 8-bit quants 128 is taken off here and
//! given back as 128 · Σ activations, an integer. NEON alone adds products in 16 bits before it widens: four of
//! 4 bits (4 · 15 · 127) or two of 8 bits (2 · 128 · 127 = 32512) fit.
//! Nothing is fused or reordered in f32: the bits are those of `scalar`.

use std::arch::aarch64::*;
use std::arch::asm;

use crate::kernels::block_matrix::BlockMatrix;
use crate::kernels::columns::ColumnsMut;
use crate::kernels::q8::Q8Rows;
use crate::kernels::tile::{COLUMNS, Factors, STRETCH, unpack};

/// Makes a module with the product for one way to multiply: `accumulate` adds the products of 32 signed quants
/// and 32 activations to 4 sums; BITS says how large the quants may be.
macro_rules! product {
    ($module:ident, $features:literal, $accumulate:ident) => {
        pub(super) mod $module {
            use super::*;

            /// See `Kernels::matmul_f32_q8_qn`.
            #[target_feature(enable = $features)]
            pub(in super::super) fn matmul(
                x: &Q8Rows,
                w: &BlockMatrix<'_>,
                out: &mut ColumnsMut<'_>,
            ) {
                match (w.shape().bits, w.shape().block_size) {
                    (4, 16) => columns::<4, 16>(x, w, out),
                    (4, 32) => columns::<4, 32>(x, w, out),
                    (4, 64) => columns::<4, 64>(x, w, out),
                    (4, 128) => columns::<4, 128>(x, w, out),
                    (4, _) => columns::<4, 256>(x, w, out),
                    (_, 16) => columns::<8, 16>(x, w, out),
                    (_, 32) => columns::<8, 32>(x, w, out),
                    (_, 64) => columns::<8, 64>(x, w, out),
                    (_, 128) => columns::<8, 128>(x, w, out),
                    (..) => columns::<8, 256>(x, w, out),
                }
            }

            #[target_feature(enable = $features)]
            fn columns<const BITS: usize, const BLOCK: usize>(
                x: &Q8Rows,
                w: &BlockMatrix<'_>,
                out: &mut ColumnsMut<'_>,
            ) {
                let range = out.columns();
                let (blocks, bytes) = (w.shape().blocks(), BLOCK * BITS / 8);
                let flip = if BITS == 8 { w.flip() ^ 0x80 } else { w.flip() };
                let mut factors = Factors::of(w);
                let mut quants = [[0; STRETCH]; COLUMNS];
                for first in range.clone().step_by(COLUMNS) {
                    let columns = std::array::from_fn(|c| (first + c).min(range.end - 1));
                    let place = first - range.start..range.end.min(first + COLUMNS) - range.start;
                    for start in (0..blocks).step_by(STRETCH / BLOCK) {
                        let end = blocks.min(start + STRETCH / BLOCK);
                        factors.read(w, columns, start..end);
                        let packed =
                            columns.map(|column| &w.row_quants(column)[start * bytes..end * bytes]);
                        let many = out.rows() > 1;
                        if many {
                            for (quants, packed) in quants.iter_mut().zip(packed) {
                                unpack::<BITS, BLOCK>(packed, flip, quants);
                            }
                        }
                        for i in 0..out.rows() {
                            let row = Row {
                                quants: &x.row_quants(i)[start * BLOCK..end * BLOCK],
                                scales: &x.row_scales(i)[start..end],
                                sums: &x.row_sums(i)[start..end],
                            };
                            let out = &mut out.row(i)[place.clone()];
                            let so_far = if start == 0 {
                                vdupq_n_f32(0.0)
                            } else {
                                load_some(out)
                            };
                            let sum = if many {
                                let quants = quants.each_ref().map(|quants| &quants[..]);
                                stretch::<BITS, BLOCK, false>(&row, quants, 0, &factors, so_far)
                            } else {
                                stretch::<BITS, BLOCK, true>(&row, packed, flip, &factors, so_far)
                            };
                            store_some(sum, out);
                        }
                    }
                }
            }

            /// Adds the blocks of one stretch of four columns to `sum`, one after the other.
            #[inline]
            #[target_feature(enable = $features)]
            fn stretch<const BITS: usize, const BLOCK: usize, const PACKED: bool>(
                row: &Row<'_>,
                quants: [&[u8]; COLUMNS],
                flip: u8,
                factors: &Factors,
                mut sum: float32x4_t,
            ) -> float32x4_t {
                let flip = vdupq_n_u8(flip);
                let bytes = if PACKED { BLOCK * BITS / 8 } else { BLOCK };
                for (b, activations) in row.quants.chunks_exact(BLOCK).enumerate() {
                    let dot = |column: usize| {
                        let quants = &quants[column][b * bytes..][..bytes];
                        if PACKED && BITS == 4 {
                            dot_of_nibbles::<BLOCK>(quants, activations, flip)
                        } else {
                            dot_of_bytes::<BITS>(quants, activations, flip)
                        }
                    };
                    let mut dots = sum_each(dot(0), dot(1), dot(2), dot(3));
                    if BITS == 8 {
                        dots = vaddq_s32(dots, vdupq_n_s32(row.sums[b] as i32 * 128));
                    }
                    let shift = vmulq_n_f32(load_four(&factors.zero_points[b]), row.sums[b]);
                    let scales = vmulq_n_f32(load_four(&factors.scales[b]), row.scales[b]);
                    let centered = vsubq_f32(vcvtq_f32_s32(dots), shift);
                    sum = vaddq_f32(sum, vmulq_f32(scales, centered));
                }
                sum
            }

            /// Four sums that together are the dot product of one block.
            #[inline]
            #[target_feature(enable = $features)]
            fn dot_of_nibbles<const BLOCK: usize>(
                packed: &[u8],
                activations: &[i8],
                flip: uint8x16_t,
            ) -> int32x4_t {
                let mut sum = vdupq_n_s32(0);
                if BLOCK == 16 {
                    let packed = veor_u8(load_8(packed), vget_low_u8(flip));
                    let low = vand_u8(packed, vdup_n_u8(0xF));
                    let quants = [vcombine_u8(low, vshr_n_u8::<4>(packed)), vdupq_n_u8(0)];
                    let activations = load_16(&activations.as_chunks().0[0]);
                    return $accumulate::<4>(sum, quants, [activations, vdupq_n_u8(0)]);
                }
                let (low, high) = activations.split_at(BLOCK / 2);
                let (low, high) = (low.as_chunks().0, high.as_chunks().0);
                for ((packed, low), high) in packed.as_chunks().0.iter().zip(low).zip(high) {
                    let packed = veorq_u8(load_16(packed), flip);
                    let quants = [vandq_u8(packed, vdupq_n_u8(0xF)), vshrq_n_u8::<4>(packed)];
                    sum = $accumulate::<4>(sum, quants, [load_16(low), load_16(high)]);
                }
                sum
            }

            /// As [`dot_of_nibbles`] for quants that have a byte each.
            #[inline]
            #[target_feature(enable = $features)]
            fn dot_of_bytes<const BITS: usize>(
                quants: &[u8],
                activations: &[i8],
                flip: uint8x16_t,
            ) -> int32x4_t {
                let mut sum = vdupq_n_s32(0);
                let load = |half: &[u8; 16]| veorq_u8(load_16(half), flip);
                let (quants, quants_rest) = quants.as_chunks::<16>().0.as_chunks::<2>();
                let (activations, activations_rest) =
                    activations.as_chunks::<16>().0.as_chunks::<2>();
                for ([q0, q1], [x0, x1]) in quants.iter().zip(activations) {
                    sum =
                        $accumulate::<BITS>(sum, [load(q0), load(q1)], [load_16(x0), load_16(x1)]);
                }
                for (quants, activations) in quants_rest.iter().zip(activations_rest) {
                    let zeros = vdupq_n_u8(0);
                    let activations = load_16(activations);
                    sum = $accumulate::<BITS>(sum, [load(quants), zeros], [activations, zeros]);
                }
                sum
            }
        }
    };
}

product!(neon, "neon", accumulate_neon);
product!(dotprod, "neon,dotprod", accumulate_dotprod);

/// A stretch of one row of activations.
struct Row<'a> {
    quants: &'a [i8],
    scales: &'a [f32],
    sums: &'a [f32],
}

#[inline]
#[target_feature(enable = "neon")]
fn accumulate_neon<const BITS: usize>(
    sum: int32x4_t,
    quants: [uint8x16_t; 2],
    x: [uint8x16_t; 2],
) -> int32x4_t {
    let [q0, q1] = quants.map(|quants| vreinterpretq_s8_u8(quants));
    let [x0, x1] = x.map(|x| vreinterpretq_s8_u8(x));
    let first = vmlal_high_s8(vmull_s8(vget_low_s8(q0), vget_low_s8(x0)), q0, x0);
    if BITS == 4 {
        let both = vmlal_high_s8(vmlal_s8(first, vget_low_s8(q1), vget_low_s8(x1)), q1, x1);
        return vpadalq_s16(sum, both);
    }
    let second = vmlal_high_s8(vmull_s8(vget_low_s8(q1), vget_low_s8(x1)), q1, x1);
    vpadalq_s16(vpadalq_s16(sum, first), second)
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn accumulate_dotprod<const BITS: usize>(
    sum: int32x4_t,
    quants: [uint8x16_t; 2],
    x: [uint8x16_t; 2],
) -> int32x4_t {
    sdot(sdot(sum, quants[0], x[0]), quants[1], x[1])
}

/// Adds to each lane the products of the four pairs of signed bytes that lie in it.
///
/// Rust 1.95 has no stable intrinsic for it.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(mut sum: int32x4_t, quants: uint8x16_t, x: uint8x16_t) -> int32x4_t {
    // SAFETY: touches these registers alone; the CPU has the instruction where this function may be called.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {quants:v}.16b, {x:v}.16b",
            sum = inout(vreg) sum,
            quants = in(vreg) quants,
            x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// The sum of each of four vectors, in order.
#[inline]
#[target_feature(enable = "neon")]
fn sum_each(a: int32x4_t, b: int32x4_t, c: int32x4_t, d: int32x4_t) -> int32x4_t {
    vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d))
}

/// What a vector of bytes is loaded from.
trait Byte {}
impl Byte for u8 {}
impl Byte for i8 {}

#[inline]
#[target_feature(enable = "neon")]
fn load_16<T: Byte>(bytes: &[T; 16]) -> uint8x16_t {
    // SAFETY: the 16 bytes are there, and this load takes any alignment.
    unsafe { vld1q_u8(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_8(bytes: &[u8]) -> uint8x8_t {
    let bytes = &bytes[..8];
    // SAFETY: the 8 bytes are there, and this load takes any alignment.
    unsafe { vld1_u8(bytes.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_four(floats: &[f32; COLUMNS]) -> float32x4_t {
    // SAFETY: the 4 floats are there.
    unsafe { vld1q_f32(floats.as_ptr()) }
}

/// At most four floats, and 0 after them.
#[inline]
#[target_feature(enable = "neon")]
fn load_some(floats: &[f32]) -> float32x4_t {
    let mut four = [0.0; COLUMNS];
    four[..floats.len()].copy_from_slice(floats);
    load_four(&four)
}

/// Stores the first lanes.
#[inline]
#[target_feature(enable = "neon")]
fn store_some(lanes: float32x4_t, floats: &mut [f32]) {
    let mut four = [0.0; COLUMNS];
    // SAFETY: there is room for 4 floats.
    unsafe { vst1q_f32(four.as_mut_ptr(), lanes) };
    floats.copy_from_slice(&four[..floats.len()]);
}
