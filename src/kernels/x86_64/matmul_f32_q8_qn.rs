//! The product with int8 activations: four columns at a time, one lane of a 128-bit register each.
//!
//! ```text
//! one row of x    nibbles of a block ──▶ 8 partial sums a column ──▶ 4 columns side by side ──▶ f32
//! more rows       a stretch of blocks of 4 columns is unpacked to bytes once, then met by every row
//! ```
//!
//! `vpmaddubsw` adds two products in 16 bits: 2 · 15 · 127 fits, 2 · 255 · 127 does not. So 8-bit weights are
//! widened first (AVX2), or take `vpdpbusd`, which adds four products in 32 bits.
//! Nothing is fused or reordered in f32: the bits are those of `scalar`.

use std::arch::x86_64::*;

use crate::kernels::block_matrix::BlockMatrix;
use crate::kernels::columns::ColumnsMut;
use crate::kernels::q8::Q8Rows;
use crate::kernels::tile::{COLUMNS, Factors, STRETCH, unpack};

/// Makes a module with the product for one way to multiply: `accumulate` adds the products of 32 unsigned quants
/// of BITS bits and 32 activations to 8 sums.
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
                                unpack::<BITS, BLOCK>(packed, w.flip(), quants);
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
                                _mm_setzero_ps()
                            } else {
                                load_some(out)
                            };
                            let sum = if many {
                                let quants = quants.each_ref().map(|quants| &quants[..]);
                                stretch::<BITS, BLOCK, false>(&row, quants, 0, &factors, so_far)
                            } else {
                                stretch::<BITS, BLOCK, true>(
                                    &row,
                                    packed,
                                    w.flip(),
                                    &factors,
                                    so_far,
                                )
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
                mut sum: __m128,
            ) -> __m128 {
                let flip = _mm256_set1_epi8(flip.cast_signed());
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
                    let dots = _mm_cvtepi32_ps(sum_each(dot(0), dot(1), dot(2), dot(3)));
                    let zero_points = load_four(&factors.zero_points[b]);
                    let shift = _mm_mul_ps(zero_points, _mm_set1_ps(row.sums[b]));
                    let scales = load_four(&factors.scales[b]);
                    let scales = _mm_mul_ps(_mm_set1_ps(row.scales[b]), scales);
                    sum = _mm_add_ps(sum, _mm_mul_ps(scales, _mm_sub_ps(dots, shift)));
                }
                sum
            }

            /// Eight sums that together are the dot product of one block.
            #[inline]
            #[target_feature(enable = $features)]
            fn dot_of_nibbles<const BLOCK: usize>(
                packed: &[u8],
                activations: &[i8],
                flip: __m256i,
            ) -> __m256i {
                let mask = _mm256_set1_epi8(0xF);
                let mut sum = _mm256_setzero_si256();
                if BLOCK == 16 {
                    let packed = _mm_xor_si128(load_8(packed), _mm256_castsi256_si128(flip));
                    let both = _mm_unpacklo_epi64(packed, _mm_srli_epi16::<4>(packed));
                    let quants = _mm256_and_si256(_mm256_zextsi128_si256(both), mask);
                    return $accumulate::<4>(sum, quants, load_16(activations.as_chunks().0));
                }
                if BLOCK == 32 {
                    let packed = _mm256_castsi256_si128(load_16(packed.as_chunks().0));
                    let packed = _mm_xor_si128(packed, _mm256_castsi256_si128(flip));
                    let both = _mm256_set_m128i(_mm_srli_epi16::<4>(packed), packed);
                    let quants = _mm256_and_si256(both, mask);
                    return $accumulate::<4>(sum, quants, load_32(&activations.as_chunks().0[0]));
                }
                let (low, high) = activations.split_at(BLOCK / 2);
                let (low, high) = (low.as_chunks().0, high.as_chunks().0);
                for ((packed, low), high) in packed.as_chunks().0.iter().zip(low).zip(high) {
                    let packed = _mm256_xor_si256(load_32(packed), flip);
                    let quants = _mm256_and_si256(packed, mask);
                    sum = $accumulate::<4>(sum, quants, load_32(low));
                    let quants = _mm256_and_si256(_mm256_srli_epi16::<4>(packed), mask);
                    sum = $accumulate::<4>(sum, quants, load_32(high));
                }
                sum
            }

            /// As [`dot_of_nibbles`] for quants that have a byte each.
            #[inline]
            #[target_feature(enable = $features)]
            fn dot_of_bytes<const BITS: usize>(
                quants: &[u8],
                activations: &[i8],
                flip: __m256i,
            ) -> __m256i {
                let mut sum = _mm256_setzero_si256();
                let (quants, quants_rest) = quants.as_chunks();
                let (activations, activations_rest) = activations.as_chunks();
                for (quants, activations) in quants.iter().zip(activations) {
                    let quants = _mm256_xor_si256(load_32(quants), flip);
                    sum = $accumulate::<BITS>(sum, quants, load_32(activations));
                }
                if !quants_rest.is_empty() {
                    // Half of this is beyond the block: activations of 0.
                    let quants = _mm256_xor_si256(load_16(quants_rest.as_chunks().0), flip);
                    let activations = load_16(activations_rest.as_chunks().0);
                    sum = $accumulate::<BITS>(sum, quants, activations);
                }
                sum
            }
        }
    };
}

product!(avx2, "avx2", accumulate_avx2);
product!(vnni, "avx2,avx512f,avx512vl,avx512vnni", accumulate_vnni);

/// A stretch of one row of activations.
struct Row<'a> {
    quants: &'a [i8],
    scales: &'a [f32],
    sums: &'a [f32],
}

#[inline]
#[target_feature(enable = "avx2")]
fn accumulate_avx2<const BITS: usize>(sum: __m256i, quants: __m256i, x: __m256i) -> __m256i {
    let products = if BITS == 4 {
        _mm256_madd_epi16(_mm256_maddubs_epi16(quants, x), _mm256_set1_epi16(1))
    } else {
        let low = _mm256_madd_epi16(
            _mm256_cvtepu8_epi16(_mm256_castsi256_si128(quants)),
            _mm256_cvtepi8_epi16(_mm256_castsi256_si128(x)),
        );
        let high = _mm256_madd_epi16(
            _mm256_cvtepu8_epi16(_mm256_extracti128_si256::<1>(quants)),
            _mm256_cvtepi8_epi16(_mm256_extracti128_si256::<1>(x)),
        );
        _mm256_add_epi32(low, high)
    };
    _mm256_add_epi32(sum, products)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
fn accumulate_vnni<const BITS: usize>(sum: __m256i, quants: __m256i, x: __m256i) -> __m256i {
    _mm256_dpbusd_epi32(sum, quants, x)
}

/// The sum of each of four vectors, in order.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_each(a: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m128i {
    let sums = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    _mm_add_epi32(
        _mm256_castsi256_si128(sums),
        _mm256_extracti128_si256::<1>(sums),
    )
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_32<T: Byte>(bytes: &[T; 32]) -> __m256i {
    // SAFETY: the 32 bytes are there, and this load takes any alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// The first of `bytes`, and 0 in the upper half.
#[inline]
#[target_feature(enable = "avx2")]
fn load_16<T: Byte>(bytes: &[[T; 16]]) -> __m256i {
    // SAFETY: indexing has made sure of 16 bytes, and this load takes any alignment.
    _mm256_zextsi128_si256(unsafe { _mm_loadu_si128(bytes[0].as_ptr().cast()) })
}

/// The first 8 of `bytes`, and 0 in the upper half.
#[inline]
#[target_feature(enable = "avx2")]
fn load_8(bytes: &[u8]) -> __m128i {
    let bytes = &bytes[..8];
    // SAFETY: the 8 bytes are there, and this load takes any alignment.
    unsafe { _mm_loadl_epi64(bytes.as_ptr().cast()) }
}

/// What a vector of bytes is loaded from.
trait Byte {}
impl Byte for u8 {}
impl Byte for i8 {}

#[inline]
#[target_feature(enable = "avx2")]
fn load_four(floats: &[f32; COLUMNS]) -> __m128 {
    // SAFETY: the 4 floats are there, and this load takes any alignment.
    unsafe { _mm_loadu_ps(floats.as_ptr()) }
}

/// At most four floats, and 0 after them.
#[inline]
#[target_feature(enable = "avx2")]
fn load_some(floats: &[f32]) -> __m128 {
    let mut four = [0.0; COLUMNS];
    four[..floats.len()].copy_from_slice(floats);
    load_four(&four)
}

/// Stores the first lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn store_some(lanes: __m128, floats: &mut [f32]) {
    let mut four = [0.0; COLUMNS];
    // SAFETY: there is room for 4 floats, and this store takes any alignment.
    unsafe { _mm_storeu_ps(four.as_mut_ptr(), lanes) };
    floats.copy_from_slice(&four[..floats.len()]);
}
