//! Sixteen floats in four registers of NEON.

use std::arch::aarch64::*;
use std::arch::asm;

use half::f16;

use crate::kernels::attention::QUERY_TILE;
use crate::kernels::attention::vector::{LANES, Vector};

/// Proof that this CPU has NEON.
#[derive(Clone, Copy)]
pub(super) struct Neon(());

impl Neon {
    /// # Safety
    /// The CPU has `neon`.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Neon {
    /// Adds `four[I]` times `y`. Four factors share a register and each is multiplied from its lane, so that none
    /// has to be spread over a register of its own.
    #[inline(always)]
    fn add_lane<const T: usize, const I: i32>(
        self,
        four: &[f32; 4],
        y: &[[float32x4_t; 4]; T],
        sums: &mut [[float32x4_t; 4]; T],
    ) {
        // SAFETY: `self` shows that the CPU has NEON; `four` is four floats.
        let four = unsafe { vld1q_f32(four.as_ptr()) };
        for (sums, y) in sums.iter_mut().zip(y) {
            for (sum, y) in sums.iter_mut().zip(y) {
                // SAFETY: as above.
                *sum = unsafe { vfmaq_laneq_f32::<I>(*sum, *y, four) };
            }
        }
    }
}

impl Vector for Neon {
    type Lanes = [float32x4_t; 4];

    const WIDE: bool = false;
    const BY_FOUR: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> [float32x4_t; 4] {
        // SAFETY: `self` shows that the CPU has NEON.
        unsafe { [vdupq_n_f32(x); 4] }
    }

    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> [float32x4_t; 4] {
        let x = x.as_ptr();
        // SAFETY: as in `splat`; x is four times four floats.
        unsafe {
            [
                vld1q_f32(x),
                vld1q_f32(x.add(4)),
                vld1q_f32(x.add(8)),
                vld1q_f32(x.add(12)),
            ]
        }
    }

    #[inline(always)]
    fn load_f16(self, x: &[f16; LANES]) -> [float32x4_t; 4] {
        let x: *const u16 = x.as_ptr().cast();
        // SAFETY: as in `splat`; x is twice eight halves. Widening halves is part of the first NEON.
        unsafe {
            let low = vreinterpretq_f16_u16(vld1q_u16(x));
            let high = vreinterpretq_f16_u16(vld1q_u16(x.add(8)));
            [
                vcvt_f32_f16(vget_low_f16(low)),
                vcvt_high_f32_f16(low),
                vcvt_f32_f16(vget_low_f16(high)),
                vcvt_high_f32_f16(high),
            ]
        }
    }

    #[inline(always)]
    fn load_i8(self, x: &[i8; LANES]) -> [float32x4_t; 4] {
        // SAFETY: as in `splat`; x is 16 bytes.
        unsafe {
            let x = vld1q_s8(x.as_ptr());
            let (low, high) = (vmovl_s8(vget_low_s8(x)), vmovl_high_s8(x));
            [
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                vcvtq_f32_s32(vmovl_high_s16(low)),
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                vcvtq_f32_s32(vmovl_high_s16(high)),
            ]
        }
    }

    #[inline(always)]
    fn store(self, x: [float32x4_t; 4], out: &mut [f32; LANES]) {
        let out = out.as_mut_ptr();
        // SAFETY: as in `splat`; `out` is four times four floats.
        unsafe {
            vst1q_f32(out, x[0]);
            vst1q_f32(out.add(4), x[1]);
            vst1q_f32(out.add(8), x[2]);
            vst1q_f32(out.add(12), x[3]);
        }
    }

    #[inline(always)]
    fn store_f16(self, x: [float32x4_t; 4], out: &mut [f16; LANES]) {
        let out: *mut u16 = out.as_mut_ptr().cast();
        // SAFETY: as in `splat`; `out` is four times four halves.
        unsafe {
            vst1_u16(out, vreinterpret_u16_f16(vcvt_f16_f32(x[0])));
            vst1_u16(out.add(4), vreinterpret_u16_f16(vcvt_f16_f32(x[1])));
            vst1_u16(out.add(8), vreinterpret_u16_f16(vcvt_f16_f32(x[2])));
            vst1_u16(out.add(12), vreinterpret_u16_f16(vcvt_f16_f32(x[3])));
        }
    }

    #[inline(always)]
    fn multiply_add(
        self,
        x: [float32x4_t; 4],
        y: [float32x4_t; 4],
        sum: [float32x4_t; 4],
    ) -> [float32x4_t; 4] {
        // SAFETY: as in `splat`.
        unsafe {
            [
                vfmaq_f32(sum[0], x[0], y[0]),
                vfmaq_f32(sum[1], x[1], y[1]),
                vfmaq_f32(sum[2], x[2], y[2]),
                vfmaq_f32(sum[3], x[3], y[3]),
            ]
        }
    }

    #[inline(always)]
    fn add_one_of_four<const R: usize, const T: usize, const I: i32>(
        self,
        x: [&[f32; 4]; R],
        y: &[[float32x4_t; 4]; T],
        sums: &mut [[[float32x4_t; 4]; T]; R],
    ) {
        for (x, sums) in x.into_iter().zip(sums) {
            self.add_lane::<T, I>(x, y, sums);
        }
    }

    #[inline(always)]
    fn add_products<const R: usize, const T: usize, const F: usize>(
        self,
        x: &[f32; QUERY_TILE],
        y: &[[float32x4_t; 4]; T],
        sums: &mut [[[float32x4_t; 4]; T]; R],
    ) {
        for r in 0..R {
            let four = &x.as_chunks::<4>().0[(F + r) / 4];
            match (F + r) % 4 {
                0 => self.add_lane::<T, 0>(four, y, &mut sums[r]),
                1 => self.add_lane::<T, 1>(four, y, &mut sums[r]),
                2 => self.add_lane::<T, 2>(four, y, &mut sums[r]),
                _ => self.add_lane::<T, 3>(four, y, &mut sums[r]),
            }
        }
    }

    #[inline(always)]
    fn prefetch<E>(self, place: *const E) {
        // SAFETY: it never faults, and changes nothing but the cache.
        unsafe {
            asm!("prfm pldl1keep, [{}]", in(reg) place, options(readonly, nostack, preserves_flags));
        }
    }
}
