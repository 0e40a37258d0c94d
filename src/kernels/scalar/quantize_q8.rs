//! Activations to int8. This file defines the bits that every set gives.

use crate::kernels::q8::Q8RowMut;

/// Largest magnitude of a quant; -128 is never used.
const QUANT_MAX: f32 = 127.0;

pub(super) fn quantize_q8(activations: &[f32], row: &mut Q8RowMut<'_>) {
    let blocks = row.quants.chunks_exact_mut(row.block_size);
    let factors = row.scales.iter_mut().zip(row.sums.iter_mut());
    for ((x, quants), (scale, sum)) in activations.chunks(row.block_size).zip(blocks).zip(factors) {
        let size = quants.len();
        // The bits of magnitudes sort as the magnitudes do, infinities and NaN last: neither gets lost.
        let largest = f32::from_bits(x.iter().map(|x| x.abs().to_bits()).max().unwrap_or(0));
        let per_unit = QUANT_MAX / largest;
        *scale = if per_unit == f32::INFINITY {
            0.0
        } else {
            largest / QUANT_MAX
        };
        *sum = 0.0;
        for i in 0..size {
            let x = x.get(i).copied().unwrap_or(0.0);
            let quant = if *scale == 0.0 {
                0.0
            } else {
                (x * per_unit).round_ties_even()
            };
            let place = if row.split {
                i / 2 + i % 2 * (size / 2)
            } else {
                i
            };
            quants[place] = quant as i8; // |x · per_unit| rounds to at most 127; NaN becomes 0
            *sum += f32::from(quants[place]);
        }
    }
}
