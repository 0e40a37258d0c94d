//! Sixteen floats side by side on whatever registers a set has.

use half::f16;

use super::QUERY_TILE;

/// Floats of [`Vector::Lanes`].
pub(in crate::kernels) const LANES: usize = 16;

/// Arithmetic on sixteen floats. A value of the implementing type is the proof that the CPU has the registers:
/// it can only be made by `unsafe` code that has asked.
///
/// All methods must be inlined into a function with the target features, or they are slow.
pub(in crate::kernels) trait Vector: Copy {
    /// Sixteen floats.
    type Lanes: Copy;

    /// Whether there are registers for twelve rows of two, or six of four; else for six of one.
    const WIDE: bool;

    /// Whether four factors from one register are cheaper than four broadcast from memory.
    const BY_FOUR: bool = false;

    /// Sixteen times `x`.
    fn splat(self, x: f32) -> Self::Lanes;

    /// Reads sixteen floats.
    fn load(self, x: &[f32; LANES]) -> Self::Lanes;

    /// Reads and widens.
    fn load_f16(self, x: &[f16; LANES]) -> Self::Lanes;

    /// Reads and converts.
    fn load_i8(self, x: &[i8; LANES]) -> Self::Lanes;

    /// Writes sixteen floats.
    fn store(self, x: Self::Lanes, out: &mut [f32; LANES]);

    /// Rounds and writes; beyond the range of f16 the result is infinite.
    fn store_f16(self, x: Self::Lanes, out: &mut [f16; LANES]);

    /// `x · y + sum`, rounded once.
    fn multiply_add(self, x: Self::Lanes, y: Self::Lanes, sum: Self::Lanes) -> Self::Lanes;

    /// Adds `x[r] · y[t]` to `sums[r][t]`.
    #[inline(always)]
    fn add_one<const R: usize, const T: usize>(
        self,
        x: [f32; R],
        y: &[Self::Lanes; T],
        sums: &mut [[Self::Lanes; T]; R],
    ) {
        for r in 0..R {
            let x = self.splat(x[r]);
            for t in 0..T {
                sums[r][t] = self.multiply_add(x, y[t], sums[r][t]);
            }
        }
    }

    /// Adds `x[r][I] · y[t]` to `sums[r][t]`.
    #[inline(always)]
    fn add_one_of_four<const R: usize, const T: usize, const I: i32>(
        self,
        x: [&[f32; 4]; R],
        y: &[Self::Lanes; T],
        sums: &mut [[Self::Lanes; T]; R],
    ) {
        self.add_one(x.map(|x| x[I as usize]), y, sums);
    }

    /// Adds `x[F + r] · y[t]` to `sums[r][t]`.
    #[inline(always)]
    fn add_products<const R: usize, const T: usize, const F: usize>(
        self,
        x: &[f32; QUERY_TILE],
        y: &[Self::Lanes; T],
        sums: &mut [[Self::Lanes; T]; R],
    ) {
        for r in 0..R {
            let x = self.splat(x[F + r]);
            for t in 0..T {
                sums[r][t] = self.multiply_add(x, y[t], sums[r][t]);
            }
        }
    }

    /// Asks for the cache line at `place`, which need not be memory at all.
    fn prefetch<E>(self, place: *const E);
}

/// What keys and values are kept as.
pub(in crate::kernels) trait Element: Copy {
    /// Reads sixteen as floats.
    fn load<V: Vector>(vector: V, x: &[Self; LANES]) -> V::Lanes;
}

impl Element for f32 {
    #[inline(always)]
    fn load<V: Vector>(vector: V, x: &[Self; LANES]) -> V::Lanes {
        vector.load(x)
    }
}

impl Element for f16 {
    #[inline(always)]
    fn load<V: Vector>(vector: V, x: &[Self; LANES]) -> V::Lanes {
        vector.load_f16(x)
    }
}

impl Element for i8 {
    #[inline(always)]
    fn load<V: Vector>(vector: V, x: &[Self; LANES]) -> V::Lanes {
        vector.load_i8(x)
    }
}

/// Rounds to half precision; what is beyond its range becomes its largest number of that sign.
#[inline(always)]
pub(in crate::kernels) fn narrow<V: Vector>(vector: V, x: &[f32], out: &mut [f16]) {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let (outs, out_rest) = out.as_chunks_mut::<LANES>();
    for (x, out) in chunks.iter().zip(outs) {
        narrow_lanes(vector, x, out);
    }
    if !rest.is_empty() {
        let (mut x, mut out) = ([0.0; LANES], [f16::ZERO; LANES]);
        x[..rest.len()].copy_from_slice(rest);
        narrow_lanes(vector, &x, &mut out);
        out_rest.copy_from_slice(&out[..rest.len()]);
    }
}

#[inline(always)]
fn narrow_lanes<V: Vector>(vector: V, x: &[f32; LANES], out: &mut [f16; LANES]) {
    let mut within = *x;
    for x in &mut within {
        *x = x.clamp(-F16_MAX, F16_MAX);
    }
    vector.store_f16(vector.load(&within), out);
}

/// Largest number of half precision.
const F16_MAX: f32 = 65_504.0;
