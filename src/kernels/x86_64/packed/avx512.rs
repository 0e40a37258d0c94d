//! The packed product with `vpdpbusd` on 512-bit registers: 32 columns, two registers of 16, from one stream.
//!
//! ```text
//! one row     high · 16 = raw − low, so the raw bytes are multiplied as they are and no nibble is shifted
//! more rows   nibbles are unpacked in registers, once for all rows of a group: 6 rows · 32 columns of sums
//! ```
//!
//! A group's sums stay in registers through all of k.

use std::arch::x86_64::*;
use std::ops::Range;

use super::{
    BIAS, BIAS_17, CHUNK_BYTES, SCALE, SUM, X_BYTES, XBlock, float, groups, prefetch, word,
};
use crate::kernels::columns::ColumnsMut;
use crate::kernels::packed::{Layout, PackedMatrix, Q8Panels};

/// Rows of a group: 12 registers of integer sums, 12 of float sums, 8 for all else.
pub(in super::super) const GROUP: usize = 6;

const COLUMNS: usize = Layout::Columns32.columns();
/// Bytes of the factors of a group of blocks.
const FACTORS: usize = COLUMNS * 2;
/// Bytes of a tile's block without zero points, and with them.
const PLAIN: usize = COLUMNS * 17;
const WITH_OFFSETS: usize = COLUMNS * 18;
/// Where the parts begin that follow the quants.
const CODES: usize = COLUMNS * 16;
const OFFSETS: usize = COLUMNS * 17;

/// Sums of 32 columns.
type Sums = [__m512; 2];

/// See `Kernels::matmul_f32_q8_packed`.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl,avx512vnni")]
pub(in super::super) fn matmul(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>) {
    if w.shape().zero_points {
        product::<WITH_OFFSETS>(x, w, out);
    } else {
        product::<PLAIN>(x, w, out);
    }
}

#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl,avx512vnni")]
fn product<const BYTES: usize>(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>) {
    match out.rows() {
        0 => {}
        1 => few::<1, BYTES>(x, w, out),
        2 => few::<2, BYTES>(x, w, out),
        3 => few::<3, BYTES>(x, w, out),
        4 => few::<4, BYTES>(x, w, out),
        5 => few::<5, BYTES>(x, w, out),
        _ => many::<BYTES>(x, w, out),
    }
}

/// The product with one group of ROWS rows.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl,avx512vnni")]
fn few<const ROWS: usize, const BYTES: usize>(
    x: &Q8Panels,
    w: &PackedMatrix<'_>,
    out: &mut ColumnsMut<'_>,
) {
    let tiles = tiles(out);
    for tile in tiles.clone() {
        let place = (tile - tiles.start) * COLUMNS;
        let tile = w.tiles(tile..tile + 1);
        let (x, _) = x.group(0).as_chunks::<X_BYTES>();
        if ROWS == 1 {
            store([gemv::<BYTES>(tile, x)], w.output_scale(), out, 0, place);
        } else {
            let (x, _) = x.as_chunks::<ROWS>();
            let sums = gemm::<ROWS, ROWS, BYTES>(tile, x);
            store(sums, w.output_scale(), out, 0, place);
        }
    }
}

/// The product with groups of GROUP rows, the last of which may be fewer.
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl,avx512vnni")]
fn many<const BYTES: usize>(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>) {
    let tiles = tiles(out);
    let (rows, scale) = (out.rows(), w.output_scale());
    let groups = rows.div_ceil(GROUP);
    let step = (CHUNK_BYTES / (w.shape().blocks() * GROUP * X_BYTES)).max(1);
    for first in (0..groups).step_by(step) {
        for tile in tiles.clone() {
            let place = (tile - tiles.start) * COLUMNS;
            let tile = w.tiles(tile..tile + 1);
            for group in first..groups.min(first + step) {
                let (x, _) = x.group(group).as_chunks::<X_BYTES>();
                let (x, _) = x.as_chunks::<GROUP>();
                let row = group * GROUP;
                match rows - row {
                    1 => store(gemm::<1, GROUP, BYTES>(tile, x), scale, out, row, place),
                    2 => store(gemm::<2, GROUP, BYTES>(tile, x), scale, out, row, place),
                    3 => store(gemm::<3, GROUP, BYTES>(tile, x), scale, out, row, place),
                    4 => store(gemm::<4, GROUP, BYTES>(tile, x), scale, out, row, place),
                    5 => store(gemm::<5, GROUP, BYTES>(tile, x), scale, out, row, place),
                    _ => store(gemm::<GROUP, GROUP, BYTES>(tile, x), scale, out, row, place),
                }
            }
        }
    }
}

/// The tiles that `out` covers.
fn tiles(out: &ColumnsMut<'_>) -> Range<usize> {
    let columns = out.columns();
    columns.start / COLUMNS..columns.end.div_ceil(COLUMNS)
}

/// One tile times one row.
#[inline]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl,avx512vnni")]
fn gemv<const BYTES: usize>(tile: &[u8], x: &[XBlock]) -> Sums {
    let mask = _mm512_set1_epi8(0xF);
    let mut sums = [_mm512_setzero_ps(); 2];
    for (factors, blocks, x) in groups::<FACTORS, BYTES, _>(tile, x) {
        let factors = Factors::read(factors);
        for (w, x) in blocks.iter().zip(x) {
            prefetch(w);
            let mut low = _mm512_set1_epi32(word(x, BIAS));
            let mut raw = _mm512_set1_epi32(word(x, BIAS_17));
            for g in 0..8 {
                let bytes = load(w, g);
                let x = _mm512_set1_epi32(word(x, 4 * g));
                low = _mm512_dpbusd_epi32(low, _mm512_and_si512(bytes, mask), x);
                raw = _mm512_dpbusd_epi32(raw, bytes, x);
            }
            let high = _mm512_srai_epi32::<4>(_mm512_sub_epi32(raw, low));
            sums = add_block([low, high], x, &factors.scales_of(w), sums);
        }
    }
    sums
}

/// One tile times the first ROWS of OF rows.
#[inline]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl,avx512vnni")]
fn gemm<const ROWS: usize, const OF: usize, const BYTES: usize>(
    tile: &[u8],
    x: &[[XBlock; OF]],
) -> [Sums; ROWS] {
    let mask = _mm512_set1_epi8(0xF);
    let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
    for (factors, blocks, x) in groups::<FACTORS, BYTES, _>(tile, x) {
        let factors = Factors::read(factors);
        for (w, x) in blocks.iter().zip(x) {
            prefetch(w);
            let mut dots: [[__m512i; 2]; ROWS] =
                std::array::from_fn(|row| [_mm512_set1_epi32(word(&x[row], BIAS)); 2]);
            for g in 0..8 {
                let bytes = load(w, g);
                let low = _mm512_and_si512(bytes, mask);
                let high = _mm512_and_si512(_mm512_srli_epi32::<4>(bytes), mask);
                for row in 0..ROWS {
                    let x = _mm512_set1_epi32(word(&x[row], 4 * g));
                    dots[row][0] = _mm512_dpbusd_epi32(dots[row][0], low, x);
                    dots[row][1] = _mm512_dpbusd_epi32(dots[row][1], high, x);
                }
            }
            let scales = factors.scales_of(w);
            for row in 0..ROWS {
                sums[row] = add_block(dots[row], &x[row], &scales, sums[row]);
            }
        }
    }
    sums
}

/// What the codes of a group of blocks of 32 columns are multiplied with.
struct Factors([__m512; 2]);

/// Scales and offsets of a block of 32 columns.
struct Scales {
    scales: [__m512; 2],
    /// Only where the matrix has zero points.
    offsets: Option<[__m512; 2]>,
}

impl Factors {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn read(bytes: &[u8; FACTORS]) -> Self {
        let (halves, _) = bytes.as_chunks::<32>();
        Self(std::array::from_fn(|i| {
            // SAFETY: the 32 bytes are there, and this load takes any alignment.
            _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(halves[i].as_ptr().cast()) })
        }))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn scales_of<const BYTES: usize>(&self, w: &[u8; BYTES]) -> Scales {
        let codes = integers(&w[CODES..OFFSETS]);
        Scales {
            scales: std::array::from_fn(|i| _mm512_mul_ps(codes[i], self.0[i])),
            offsets: (BYTES == WITH_OFFSETS).then(|| integers(&w[OFFSETS..])),
        }
    }
}

/// Signed bytes as floats.
#[inline]
#[target_feature(enable = "avx512f")]
fn integers(bytes: &[u8]) -> [__m512; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    std::array::from_fn(|i| {
        // SAFETY: the 16 bytes are there, and this load takes any alignment.
        let bytes = unsafe { _mm_loadu_si128(halves[i].as_ptr().cast()) };
        _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))
    })
}

/// Adds the product of one block to `sums`; `dots` are those of quants less 8.
#[inline]
#[target_feature(enable = "avx512f")]
fn add_block(dots: [__m512i; 2], x: &XBlock, scales: &Scales, sums: Sums) -> Sums {
    let scale = _mm512_set1_ps(float(x, SCALE));
    std::array::from_fn(|i| {
        let mut centered = _mm512_cvtepi32_ps(dots[i]);
        if let Some(offsets) = scales.offsets {
            // Integers under 2^17 all the way: exact.
            centered = _mm512_fmadd_ps(offsets[i], _mm512_set1_ps(float(x, SUM)), centered);
        }
        _mm512_fmadd_ps(_mm512_mul_ps(centered, scale), scales.scales[i], sums[i])
    })
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load<const BYTES: usize>(w: &[u8; BYTES], g: usize) -> __m512i {
    let bytes = &w[64 * g..64 * g + 64];
    // SAFETY: the 64 bytes are there, and this load takes any alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Writes the sums of rows from `row` on to the columns from `place` on, those that are there.
#[inline]
#[target_feature(enable = "avx512f")]
fn store<const ROWS: usize>(
    sums: [Sums; ROWS],
    output_scale: f32,
    out: &mut ColumnsMut<'_>,
    row: usize,
    place: usize,
) {
    let scale = _mm512_set1_ps(output_scale);
    for (i, sums) in sums.into_iter().enumerate() {
        let out = &mut out.row(row + i)[place..];
        let count = out.len().min(COLUMNS);
        let lanes = (1_u64 << count) - 1;
        for (half, sum) in sums.into_iter().enumerate() {
            let lanes = (lanes >> (16 * half)) as u16;
            // SAFETY: only lanes below `count` are written, and so many floats are there.
            unsafe {
                let place = out.as_mut_ptr().wrapping_add(16 * half);
                _mm512_mask_storeu_ps(place, lanes, _mm512_mul_ps(sum, scale));
            }
        }
    }
}
