//! One row of integers and its scale, for a key or a value in the cache.

pub(super) fn quantize_row(x: &[f32], quants: &mut [i8]) -> f32 {
    // Bits of floats without sign are in the floats' order, and NaN comes after all: it is not lost.
    let largest = x.iter().map(|x| x.abs().to_bits()).max().unwrap_or(0);
    let largest = f32::from_bits(largest);
    let per_unit = 127.0 / largest;
    for (quant, x) in quants.iter_mut().zip(x) {
        *quant = if per_unit == f32::INFINITY {
            0
        } else {
            (x * per_unit).round_ties_even() as i8
        };
    }
    largest / 127.0
}
