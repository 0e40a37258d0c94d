//! Sixteen floats in one register of AVX-512, or in two of AVX.

use std::arch::x86_64::*;

use half::f16;

use crate::kernels::attention::vector::{LANES, Vector};

/// Proof that this CPU has AVX-512 F.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    /// # Safety
    /// The CPU has `avx512f`.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Vector for Avx512 {
    type Lanes = __m512;

    const WIDE: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: `self` shows that the CPU has AVX-512 F.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> __m512 {
        // SAFETY: as in `splat`; x is sixteen floats.
        unsafe { _mm512_loadu_ps(x.as_ptr()) }
    }

    #[inline(always)]
    fn load_f16(self, x: &[f16; LANES]) -> __m512 {
        // SAFETY: as in `splat`; x is 32 bytes.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(x.as_ptr().cast())) }
    }

    #[inline(always)]
    fn load_i8(self, x: &[i8; LANES]) -> __m512 {
        // SAFETY: as in `splat`; x is 16 bytes.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(x.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn store(self, x: __m512, out: &mut [f32; LANES]) {
        // SAFETY: as in `splat`; `out` is sixteen floats.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn store_f16(self, x: __m512, out: &mut [f16; LANES]) {
        // SAFETY: as in `splat`; `out` is 32 bytes.
        unsafe {
            let halves = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x);
            _mm256_storeu_si256(out.as_mut_ptr().cast(), halves);
        }
    }

    #[inline(always)]
    fn multiply_add(self, x: __m512, y: __m512, sum: __m512) -> __m512 {
        // SAFETY: as in `splat`.
        unsafe { _mm512_fmadd_ps(x, y, sum) }
    }

    #[inline(always)]
    fn prefetch<E>(self, place: *const E) {
        // SAFETY: every x86-64 has it, and it never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(place.cast()) }
    }
}

/// Proof that this CPU has AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The CPU has `avx2`, `fma` and `f16c`.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Vector for Avx2 {
    type Lanes = [__m256; 2];

    const WIDE: bool = false;

    #[inline(always)]
    fn splat(self, x: f32) -> [__m256; 2] {
        // SAFETY: `self` shows that the CPU has AVX2, FMA and F16C.
        unsafe { [_mm256_set1_ps(x); 2] }
    }

    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> [__m256; 2] {
        // SAFETY: as in `splat`; x is twice eight floats.
        unsafe {
            [
                _mm256_loadu_ps(x.as_ptr()),
                _mm256_loadu_ps(x[8..].as_ptr()),
            ]
        }
    }

    #[inline(always)]
    fn load_f16(self, x: &[f16; LANES]) -> [__m256; 2] {
        // SAFETY: as in `splat`; x is twice 16 bytes.
        unsafe {
            [
                _mm256_cvtph_ps(_mm_loadu_si128(x.as_ptr().cast())),
                _mm256_cvtph_ps(_mm_loadu_si128(x[8..].as_ptr().cast())),
            ]
        }
    }

    #[inline(always)]
    fn load_i8(self, x: &[i8; LANES]) -> [__m256; 2] {
        // SAFETY: as in `splat`; x is twice 8 bytes.
        unsafe {
            let low = _mm_loadl_epi64(x.as_ptr().cast());
            let high = _mm_loadl_epi64(x[8..].as_ptr().cast());
            [
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(low)),
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high)),
            ]
        }
    }

    #[inline(always)]
    fn store(self, x: [__m256; 2], out: &mut [f32; LANES]) {
        // SAFETY: as in `splat`; `out` is twice eight floats.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr(), x[0]);
            _mm256_storeu_ps(out[8..].as_mut_ptr(), x[1]);
        }
    }

    #[inline(always)]
    fn store_f16(self, x: [__m256; 2], out: &mut [f16; LANES]) {
        // SAFETY: as in `splat`; `out` is twice 16 bytes.
        unsafe {
            let low = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[0]);
            let high = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[1]);
            _mm_storeu_si128(out.as_mut_ptr().cast(), low);
            _mm_storeu_si128(out[8..].as_mut_ptr().cast(), high);
        }
    }

    #[inline(always)]
    fn multiply_add(self, x: [__m256; 2], y: [__m256; 2], sum: [__m256; 2]) -> [__m256; 2] {
        // SAFETY: as in `splat`.
        unsafe {
            [
                _mm256_fmadd_ps(x[0], y[0], sum[0]),
                _mm256_fmadd_ps(x[1], y[1], sum[1]),
            ]
        }
    }

    #[inline(always)]
    fn prefetch<E>(self, place: *const E) {
        // SAFETY: every x86-64 has it, and it never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(place.cast()) }
    }
}
