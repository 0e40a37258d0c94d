//! The packed product on 256-bit registers, eight columns each, in two ways to multiply.
//!
//! ```text
//! avx2       vpmaddubsw    pairs of products in 16 bits: 8 · 2 · 15 · 127 = 30480 fits, so a block is summed there
//! avxvnni    vpdpbusd      four products in 32 bits
//! ```
//!
//! Nibbles are unpacked in registers, once for all rows of a group; a group's sums stay there through all of k.
//! Unpacking a stretch of tiles to memory for all rows was no faster.

use std::arch::x86_64::*;

use super::{BIAS, CHUNK_BYTES, SCALE, SUM, X_BYTES, XBlock, float, prefetch, word};
use crate::kernels::columns::ColumnsMut;
use crate::kernels::packed::{Layout, PackedMatrix, Q8Panels};

/// Rows of a group: 4 registers of integer sums, 4 of float sums, 8 for all else.
pub(in super::super) const GROUP: usize = 4;

const COLUMNS: usize = Layout::Columns8.columns();
/// Bytes of a tile's block without zero points, and with them.
const PLAIN: usize = COLUMNS * 18;
const WITH_OFFSETS: usize = COLUMNS * 19;
/// Where the parts begin that follow the quants.
const SCALES: usize = COLUMNS * 16;
const OFFSETS: usize = COLUMNS * 18;

/// Makes a module with the product for one way to multiply; `way` is one of the modules below.
macro_rules! product {
    ($module:ident, $features:literal, $way:ident) => {
        pub(in super::super) mod $module {
            use super::*;

            /// See `Kernels::matmul_f32_q8_packed`.
            #[target_feature(enable = $features)]
            pub(in super::super::super) fn matmul(
                x: &Q8Panels,
                w: &PackedMatrix<'_>,
                out: &mut ColumnsMut<'_>,
            ) {
                if w.shape().zero_points {
                    grouped::<WITH_OFFSETS>(x, w, out);
                } else {
                    grouped::<PLAIN>(x, w, out);
                }
            }

            #[target_feature(enable = $features)]
            fn grouped<const BYTES: usize>(
                x: &Q8Panels,
                w: &PackedMatrix<'_>,
                out: &mut ColumnsMut<'_>,
            ) {
                match out.rows() {
                    1 => product::<1, BYTES>(x, w, out),
                    2 => product::<2, BYTES>(x, w, out),
                    3 => product::<3, BYTES>(x, w, out),
                    _ => product::<GROUP, BYTES>(x, w, out),
                }
            }

            /// The product with groups of OF rows.
            #[target_feature(enable = $features)]
            fn product<const OF: usize, const BYTES: usize>(
                x: &Q8Panels,
                w: &PackedMatrix<'_>,
                out: &mut ColumnsMut<'_>,
            ) {
                let columns = out.columns();
                let tiles = columns.start / COLUMNS..columns.end.div_ceil(COLUMNS);
                let step = (CHUNK_BYTES / (w.shape().blocks() * OF * X_BYTES)).max(1) * OF;
                let (rows, scale) = (out.rows(), w.output_scale());
                for first in (0..rows).step_by(step) {
                    for tile in tiles.clone() {
                        let place = (tile - tiles.start) * COLUMNS;
                        let (tile, _) = w.tiles(tile..tile + 1).as_chunks::<BYTES>();
                        for row in (first..rows.min(first + step)).step_by(OF) {
                            let (x, _) = x.group(row / OF).as_chunks::<X_BYTES>();
                            let (x, _) = x.as_chunks::<OF>();
                            match OF.min(rows - row) {
                                1 => store(few::<1, OF, BYTES>(tile, x), scale, out, row, place),
                                2 => store(few::<2, OF, BYTES>(tile, x), scale, out, row, place),
                                3 => store(few::<3, OF, BYTES>(tile, x), scale, out, row, place),
                                _ => store(few::<OF, OF, BYTES>(tile, x), scale, out, row, place),
                            }
                        }
                    }
                }
            }

            /// A tile times the first ROWS of OF rows.
            #[inline]
            #[target_feature(enable = $features)]
            fn few<const ROWS: usize, const OF: usize, const BYTES: usize>(
                tile: &[[u8; BYTES]],
                x: &[[XBlock; OF]],
            ) -> [__m256; ROWS] {
                let mask = _mm256_set1_epi8(0xF);
                let mut sums = [_mm256_setzero_ps(); ROWS];
                for (w, x) in tile.iter().zip(x) {
                    prefetch(w);
                    let mut dots: [__m256i; ROWS] =
                        std::array::from_fn(|row| $way::start(word(&x[row], BIAS)));
                    for g in 0..4 {
                        let bytes = load(w, g);
                        let low = _mm256_and_si256(bytes, mask);
                        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask);
                        for row in 0..ROWS {
                            let x_low = _mm256_set1_epi32(word(&x[row], 4 * g));
                            let x_high = _mm256_set1_epi32(word(&x[row], 16 + 4 * g));
                            let dot = $way::add(dots[row], low, x_low);
                            dots[row] = $way::add(dot, high, x_high);
                        }
                    }
                    let factors = Factors::read(w);
                    for row in 0..ROWS {
                        let dot = $way::end(dots[row], word(&x[row], BIAS));
                        sums[row] = factors.add(dot, &x[row], sums[row]);
                    }
                }
                sums
            }
        }
    };
}

product!(avx2, "avx2,fma,f16c", in_16_bits);
product!(avxvnni, "avx2,fma,f16c,avxvnni", in_32_bits);
// The same instruction, encoded for processors that have it with AVX-512: those can test `avxvnni`'s code.
#[cfg(test)]
product!(
    avx512vl,
    "avx2,fma,f16c,avx512f,avx512vl,avx512vnni",
    in_32_bits_evex
);

/// Sums of products of a block, in 16 bits.
mod in_16_bits {
    use super::*;

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn start(_bias: i32) -> __m256i {
        _mm256_setzero_si256()
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn add(sum: __m256i, quants: __m256i, x: __m256i) -> __m256i {
        _mm256_add_epi16(sum, _mm256_maddubs_epi16(quants, x))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn end(sum: __m256i, bias: i32) -> __m256i {
        _mm256_add_epi32(
            _mm256_madd_epi16(sum, _mm256_set1_epi16(1)),
            _mm256_set1_epi32(bias),
        )
    }
}

/// Makes a module with sums of products of a block in 32 bits, by one of the encodings of `vpdpbusd`.
macro_rules! in_32_bits {
    ($module:ident, $features:literal, $instruction:ident) => {
        mod $module {
            use super::*;

            #[inline]
            #[target_feature(enable = "avx2")]
            pub(super) fn start(bias: i32) -> __m256i {
                _mm256_set1_epi32(bias)
            }

            #[inline]
            #[target_feature(enable = $features)]
            pub(super) fn add(sum: __m256i, quants: __m256i, x: __m256i) -> __m256i {
                $instruction(sum, quants, x)
            }

            #[inline]
            #[target_feature(enable = "avx2")]
            pub(super) fn end(sum: __m256i, _bias: i32) -> __m256i {
                sum
            }
        }
    };
}

in_32_bits!(in_32_bits, "avxvnni", _mm256_dpbusd_avx_epi32);
#[cfg(test)]
in_32_bits!(in_32_bits_evex, "avx512vl,avx512vnni", _mm256_dpbusd_epi32);

/// Scales and offsets of a block of 8 columns, which has BYTES.
#[derive(Clone, Copy)]
struct Factors<const BYTES: usize> {
    scales: __m256,
    /// 0 and not used where the matrix has no zero points.
    offsets: __m256,
}

impl<const BYTES: usize> Factors<BYTES> {
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    fn read(w: &[u8; BYTES]) -> Self {
        let bytes = &w[SCALES..OFFSETS];
        // SAFETY: the 16 bytes are there, and this load takes any alignment.
        let scales = _mm256_cvtph_ps(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) });
        let mut offsets = _mm256_setzero_ps();
        if BYTES == WITH_OFFSETS {
            let bytes = &w[OFFSETS..OFFSETS + COLUMNS];
            // SAFETY: the 8 bytes are there, and this load takes any alignment.
            let bytes = unsafe { _mm_loadl_epi64(bytes.as_ptr().cast()) };
            offsets = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
        }
        Self { scales, offsets }
    }

    /// Adds the product of the block to `sum`; `dot` is that of quants less 8.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn add(&self, dot: __m256i, x: &XBlock, sum: __m256) -> __m256 {
        let mut centered = _mm256_cvtepi32_ps(dot);
        if BYTES == WITH_OFFSETS {
            // Integers under 2^17 all the way: exact.
            centered = _mm256_fmadd_ps(self.offsets, _mm256_set1_ps(float(x, SUM)), centered);
        }
        let scaled = _mm256_mul_ps(centered, _mm256_set1_ps(float(x, SCALE)));
        _mm256_fmadd_ps(scaled, self.scales, sum)
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load<const BYTES: usize>(w: &[u8; BYTES], g: usize) -> __m256i {
    let bytes = &w[32 * g..32 * g + 32];
    // SAFETY: the 32 bytes are there, and this load takes any alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Writes the sums of rows from `row` on to the columns from `place` on, those that are there.
#[inline]
#[target_feature(enable = "avx2")]
fn store<const ROWS: usize>(
    sums: [__m256; ROWS],
    output_scale: f32,
    out: &mut ColumnsMut<'_>,
    row: usize,
    place: usize,
) {
    for (i, sum) in sums.into_iter().enumerate() {
        let mut eight = [0.0; COLUMNS];
        let scaled = _mm256_mul_ps(sum, _mm256_set1_ps(output_scale));
        // SAFETY: there is room for 8 floats, and this store takes any alignment.
        unsafe { _mm256_storeu_ps(eight.as_mut_ptr(), scaled) };
        for (out, sum) in out.row(row + i)[place..].iter_mut().zip(eight) {
            *out = sum;
        }
    }
}
