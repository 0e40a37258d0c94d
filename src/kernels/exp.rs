//! The exponential function, the same bits on every machine, in steps that a compiler can put on vector lanes.

/// Smallest argument whose exponential is a normal number; below it the result is 0.
const ARGUMENT_MIN: f32 = -87.336;
/// Largest argument; above it the result stays what it is here, about 2.3e38.
const ARGUMENT_MAX: f32 = 88.37;
/// ln 2 in two parts; products of the first with integers up to 2^9 are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 · 2^23: added to a small number it leaves its nearest integer in the low bits.
const ROUNDING: f32 = 12_582_912.0;

/// Computes `e^x` within 2 units in the last place; infinite where never, NaN where `x` is.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let clamped = if x < ARGUMENT_MIN { ARGUMENT_MIN } else { x };
    let clamped = if clamped > ARGUMENT_MAX {
        ARGUMENT_MAX
    } else {
        clamped
    };
    // x = n · ln 2 + r with |r| <= ln 2 / 2.
    let rounded = clamped * std::f32::consts::LOG2_E + ROUNDING;
    let n = rounded - ROUNDING;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    // The series of e^r to the seventh power; what is left off is under 6e-9.
    let mut series = 1.0 / 5040.0;
    for coefficient in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = series * r + coefficient;
    }
    let power_of_two = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    if x < ARGUMENT_MIN {
        0.0
    } else {
        series * power_of_two
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_within_two_units_in_the_last_place() {
        for step in -87_000..88_000 {
            let x = step as f32 * 1e-3;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(
                error <= 2.0 * f64::from(f32::EPSILON),
                "x {x} error {error:e}"
            );
        }
    }

    #[test]
    fn ends_are_zero_one_large_and_nan() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-1e6), 0.0);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::INFINITY) > 2e38);
        assert!(exp(f32::NAN).is_nan());
    }
}
