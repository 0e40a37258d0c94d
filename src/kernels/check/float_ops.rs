//! Norms, rotation, softmax, gate, and the rounding of rows for the cache.

use half::f16;
use proptest::prelude::*;

use super::data::Random;
use super::{UNIT, assert_within, others};
use crate::kernels::table::Kernels;
use crate::kernels::{scalar, set};

/// Lengths round the lanes of every set.
const LENGTHS: [usize; 14] = [0, 1, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 100, 257];
/// Error of the exponential function, relative.
const EXP_MAX_ERROR: f64 = 4.0 * UNIT;
/// Absolute error of a probability for each unit by which its score is off, and of the sum they are divided by.
const SOFTMAX_MAX_ERROR: f64 = 1e-6;
/// Error of an element of a norm, relative to the element.
const RMS_NORM_MAX_ERROR: f64 = 2e-5;
/// Error of a rotated element, relative to the length of its pair.
const ROPE_MAX_ERROR: f64 = 4.0 * UNIT;

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().copied().map(f64::from).collect()
}

fn softmax_exact(x: &[f64]) -> Vec<f64> {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let e: Vec<_> = x.iter().map(|x| (x - largest).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.into_iter().map(|e| e / sum).collect()
}

#[test]
fn softmax_agrees_and_does_not_overflow() {
    for len in LENGTHS {
        for size in [0.0, 1.0, 80.0, 1e30] {
            let x: Vec<_> = Random::new(len as u64)
                .floats(len)
                .iter()
                .map(|x| x * size)
                .collect();
            let exact = softmax_exact(&wide(&x));
            for set in set::supported() {
                let mut out = x.clone();
                set.softmax(&mut out);
                let bound = SOFTMAX_MAX_ERROR * f64::from(size).clamp(1.0, 10.0);
                assert_within(&out, &exact, &vec![bound; len], &(set.name(), len, size));
            }
        }
    }
    for set in set::supported() {
        let mut masked = [1.0, f32::NEG_INFINITY, 1.0];
        set.softmax(&mut masked);
        assert_eq!(masked, [0.5, 0.0, 0.5], "{}", set.name());
    }
}

fn check_norms(len: usize, seed: u64) {
    let mut random = Random::new(seed);
    let [x, skip, weight] = [0; 3].map(|_| random.floats(len));
    let epsilon = 1e-6;
    let norm = |x: &[f64]| -> Vec<f64> {
        let mean = x.iter().map(|x| x * x).sum::<f64>() / len as f64;
        let factor = 1.0 / (mean + f64::from(epsilon)).sqrt();
        x.iter()
            .zip(&weight)
            .map(|(x, w)| x * factor * f64::from(*w))
            .collect()
    };
    let bounds = |exact: &[f64]| {
        exact
            .iter()
            .map(|y| y.abs() * RMS_NORM_MAX_ERROR)
            .collect::<Vec<_>>()
    };
    for set in set::supported() {
        let case = (set.name(), len, seed);
        let mut out = vec![f32::NAN; len];
        set.rms_norm(&x, &weight, epsilon, &mut out);
        let exact = norm(&wide(&x));
        assert_within(&out, &exact, &bounds(&exact), &case);

        let (mut sum, mut out) = (vec![f32::NAN; len], vec![f32::NAN; len]);
        set.add_rms_norm((&x, &skip), &weight, epsilon, &mut sum, &mut out);
        let added: Vec<_> = x.iter().zip(&skip).map(|(x, skip)| x + skip).collect();
        assert_eq!(sum, added, "{case:?}");
        let exact = norm(&wide(&added));
        assert_within(&out, &exact, &bounds(&exact), &case);
    }
}

fn check_rope(heads: usize, pairs: usize, rest: usize, seed: u64) {
    let mut random = Random::new(seed);
    let head_dim = 2 * pairs + rest;
    let x = random.floats(heads * head_dim);
    let angles: Vec<_> = random
        .floats(pairs)
        .iter()
        .map(|angle| angle * 3.0)
        .collect();
    let cos: Vec<_> = angles.iter().map(|angle| angle.cos()).collect();
    let sin: Vec<_> = angles.iter().map(|angle| angle.sin()).collect();
    for interleaved in [false, true] {
        let mut exact = wide(&x);
        let mut bounds = vec![0.0; x.len()];
        for head in 0..heads {
            for pair in 0..pairs {
                let (a, b) = if interleaved {
                    (2 * pair, 2 * pair + 1)
                } else {
                    (pair, pairs + pair)
                };
                let (a, b) = (head * head_dim + a, head * head_dim + b);
                let (x, y) = (exact[a], exact[b]);
                let (cos, sin) = (f64::from(cos[pair]), f64::from(sin[pair]));
                (exact[a], exact[b]) = (x * cos - y * sin, x * sin + y * cos);
                (bounds[a], bounds[b]) = [x.hypot(y) * ROPE_MAX_ERROR; 2].into();
            }
        }
        for set in set::supported() {
            let mut out = x.clone();
            set.rope(&mut out, head_dim, (&cos, &sin), interleaved);
            assert_within(
                &out,
                &exact,
                &bounds,
                &(set.name(), heads, pairs, rest, interleaved),
            );
        }
    }
}

fn check_silu_mul(len: usize, size: f32, seed: u64) {
    let mut random = Random::new(seed);
    let (gate, up) = (random.floats(len), random.floats(len));
    let gate: Vec<_> = gate.iter().map(|x| x * size).collect();
    let exact: Vec<_> = gate
        .iter()
        .zip(&up)
        .map(|(&gate, &up)| f64::from(gate) / (1.0 + (-f64::from(gate)).exp()) * f64::from(up))
        .collect();
    let bounds: Vec<_> = exact
        .iter()
        .map(|y| y.abs() * (EXP_MAX_ERROR + 6.0 * UNIT) + 1e-35)
        .collect();
    for set in set::supported() {
        let mut out = vec![f32::NAN; len];
        set.silu_mul(&gate, &up, &mut out);
        assert_within(&out, &exact, &bounds, &(set.name(), len, size, seed));
    }
}

#[test]
fn norms_rotation_and_gate_agree_at_hard_lengths() {
    for len in LENGTHS {
        check_norms(len, 3);
        check_rope(2, len, 1 + len % 5, 4);
        check_silu_mul(len, 10.0, 5);
        check_silu_mul(len, 300.0, 6);
    }
}

#[test]
fn narrowing_is_the_same_in_every_set_and_never_infinite() {
    let mut random = Random::new(9);
    for len in [0, 1, 7, 8, 15, 16, 17, 33] {
        let mut x: Vec<_> = random.floats(len).iter().map(|x| x * 10.0).collect();
        let special = [
            65_504.0,
            -65_519.0,
            65_520.0,
            1e9,
            f32::NEG_INFINITY,
            6e-8,
            -0.0,
        ];
        x.iter_mut()
            .zip(special)
            .for_each(|(x, special)| *x = special);
        let limit = f16::MAX.to_f32();
        let exact: Vec<_> = x
            .iter()
            .map(|x| f16::from_f32(x.clamp(-limit, limit)).to_bits())
            .collect();
        for set in set::supported() {
            let mut out = vec![f16::NAN; len];
            set.narrow(&x, &mut out);
            let found: Vec<_> = out.iter().map(|x| x.to_bits()).collect();
            assert_eq!(found, exact, "{} {len}", set.name());
        }
    }
    for set in set::supported() {
        let mut out = [f16::ZERO];
        set.narrow(&[f32::NAN], &mut out);
        assert!(out[0].is_nan(), "{}", set.name());
    }
}

#[test]
fn quantized_rows_are_the_same_in_every_set() {
    let mut random = Random::new(11);
    for len in [0, 1, 16, 31, 80, 128] {
        for size in [0.0, 1e-42, 1e-3, 1.0, 1e30, f32::INFINITY, f32::NAN] {
            let mut x = random.floats(len);
            x.iter_mut().for_each(|x| *x *= size.min(1e30));
            if let Some(x) = x.first_mut() {
                *x = size;
            }
            let mut quants = vec![0; len];
            let scale = scalar::KERNELS.quantize_row(&x, &mut quants);
            for set in set::supported() {
                let mut found = vec![99; len];
                let found_scale = set.quantize_row(&x, &mut found);
                let case = (set.name(), len, size);
                assert_eq!(found_scale.to_bits(), scale.to_bits(), "{case:?}");
                assert_eq!(found, quants, "{case:?}");
            }
            if size.is_finite() && size > 1e-30 && len > 0 {
                let half = f64::from(scale) * 0.5001;
                for (x, quant) in x.iter().zip(quants) {
                    let error = f64::from(*x) - f64::from(quant) * f64::from(scale);
                    assert!(error.abs() <= half, "{x} as {quant} of {scale}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(target_arch = "x86_64") { 60 } else { 15 }))]

    #[test]
    fn random_lengths_agree_in_every_set(len in 0..600_usize, dim in 1..140_usize, seed: u64) {
        check_norms(len, seed);
        check_rope(1 + len % 3, dim, len % 7, seed);
        check_silu_mul(len, 20.0, seed);
    }
}

#[test]
fn norm_of_zeros_is_zero() {
    for set in others().chain([scalar::KERNELS]) {
        let mut out = [f32::NAN; 9];
        Kernels::rms_norm(&set, &[0.0; 9], &[1.0; 9], 1e-6, &mut out);
        assert_eq!(out, [0.0; 9]);
    }
}
