//! Activations to int8, 32 at a time; the bits are those of `scalar::packed::quantize_block`.

use std::arch::x86_64::*;

use super::{BIAS, BIAS_17, SCALE, SUM, X_BYTES, XBlock};
use crate::kernels::packed::{BLOCK, LARGEST_MIN, PanelRows, Q8PanelMut};
use crate::kernels::scalar::quantize_block;

/// See `Kernels::quantize_panel`.
#[target_feature(enable = "avx2")]
pub(in super::super) fn quantize(rows: &PanelRows<'_>, panel: &mut Q8PanelMut<'_>) {
    let group = panel.format.rows;
    let (blocks, _) = panel.bytes().as_chunks_mut::<X_BYTES>();
    for row in 0..group {
        let x = rows.row(row);
        let (whole, rest) = x.as_chunks::<BLOCK>();
        let mut places = blocks[row..].iter_mut().step_by(group);
        for (x, place) in whole.iter().zip(&mut places) {
            quantize_whole(x, place);
        }
        if !rest.is_empty()
            && let Some(place) = places.next()
        {
            quantize_some(rest, place);
        }
        // Rows that only fill up the group.
        places.for_each(|place| place.fill(0));
    }
}

/// Writes one block.
#[inline]
#[target_feature(enable = "avx2")]
fn quantize_whole(x: &[f32; BLOCK], place: &mut XBlock) {
    let floats: [__m256; 4] = std::array::from_fn(|i| {
        // SAFETY: i < 4, and 4 · 8 floats are there; this load takes any alignment.
        unsafe { _mm256_loadu_ps(x.as_ptr().add(8 * i)) }
    });
    let largest = largest_magnitude(&floats);
    let bits = _mm_cvtsi128_si32(largest).cast_unsigned();
    if !(LARGEST_MIN.to_bits()..f32::INFINITY.to_bits()).contains(&bits) {
        return quantize_some(x, place);
    }
    // Both quotients in one division: 127 / largest, largest / 127.
    let (largest, end) = (_mm_castsi128_ps(largest), _mm_set1_ps(127.0));
    let quotients = _mm_div_ps(
        _mm_blend_ps::<0b0010>(end, largest),
        _mm_blend_ps::<0b0010>(largest, end),
    );
    let per_unit = _mm256_broadcastss_ps(quotients);
    let scale = _mm_and_si128(_mm_castps_si128(quotients), _mm_set1_epi32(!3));
    let [a, b, c, d] = floats.map(|x| _mm256_cvtps_epi32(_mm256_mul_ps(x, per_unit)));
    let (low, high) = (_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    // Packing works in halves: groups of four come out in the order a b c d | a b c d.
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    let quants = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
    let sum = sum_of_words(_mm256_add_epi16(low, high));
    let biases = _mm_mullo_epi32(sum, _mm_setr_epi32(-8, 0, -8 * 17, 0));
    let biases_and_scale = _mm_blend_epi32::<0b0010>(biases, scale);
    let sum = _mm_castps_si128(_mm_cvtepi32_ps(sum));
    let factors = _mm_blend_epi32::<0b1000>(biases_and_scale, sum);
    let (quants_place, factors_place) = place.split_at_mut(BLOCK);
    // SAFETY: 32 and 16 bytes are there; these stores take any alignment.
    unsafe {
        _mm256_storeu_si256(quants_place.as_mut_ptr().cast(), quants);
        _mm_storeu_si128(factors_place.as_mut_ptr().cast(), factors);
    }
}

/// The largest of the bits of magnitudes, which puts NaN above all, four times.
#[inline]
#[target_feature(enable = "avx2")]
fn largest_magnitude(floats: &[__m256; 4]) -> __m128i {
    let magnitude = _mm256_set1_epi32(i32::MAX);
    let [a, b, c, d] = floats.map(|x| _mm256_and_si256(_mm256_castps_si256(x), magnitude));
    let eight = _mm256_max_epi32(_mm256_max_epi32(a, b), _mm256_max_epi32(c, d));
    let upper = _mm256_extracti128_si256::<1>(eight);
    let four = _mm_max_epi32(_mm256_castsi256_si128(eight), upper);
    let two = _mm_max_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_max_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two))
}

/// The sum of 16 signed words, four times.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_words(words: __m256i) -> __m128i {
    let eight = _mm256_madd_epi16(words, _mm256_set1_epi16(1));
    let upper = _mm256_extracti128_si256::<1>(eight);
    let four = _mm_add_epi32(_mm256_castsi256_si128(eight), upper);
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two))
}

/// A block that is short, nearly 0 or not finite.
#[cold]
fn quantize_some(x: &[f32], place: &mut XBlock) {
    let block = quantize_block(x);
    for (byte, quant) in place.iter_mut().zip(block.quants) {
        *byte = quant.cast_unsigned();
    }
    place[BIAS..SCALE].copy_from_slice(&(-8 * block.sum).to_le_bytes());
    place[SCALE..BIAS_17].copy_from_slice(&block.scale.to_le_bytes());
    place[BIAS_17..SUM].copy_from_slice(&(-8 * 17 * block.sum).to_le_bytes());
    place[SUM..].copy_from_slice(&(block.sum as f32).to_le_bytes()); // under 2^12: exact
}
