//! Attention, norms, rotation, softmax and gate.

use proptest::prelude::*;

use super::data::Random;
use super::{UNIT, assert_within, others};
use crate::kernels::table::{Attention, Kernels};
use crate::kernels::{scalar, set};

/// Lengths round the lanes of every set.
const LENGTHS: [usize; 14] = [0, 1, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 100, 257];
/// Error of the exponential function, relative.
const EXP_MAX_ERROR: f64 = 4.0 * UNIT;
/// Absolute error of a probability for each unit by which its score is off, and of the sum they are divided by.
const SOFTMAX_MAX_ERROR: f64 = 1e-6;
/// Error of one element of an answer of attention, relative to the largest value.
const ATTENTION_MAX_ERROR: f64 = 2e-5;
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

fn check_attention(len: usize, dim: usize, softcap: f32, seed: u64) {
    let mut random = Random::new(seed);
    let (query, keys) = (random.floats(dim), random.floats(len * dim));
    let value_dim = dim + len % 3;
    let values = random.floats(len * value_dim);
    let scale = 3.0 / (dim.max(1) as f32).sqrt();
    let head = Attention {
        query: &query,
        keys: &keys,
        values: &values,
        scale,
        softcap,
    };
    let mut scores: Vec<_> = (0..len)
        .map(|t| {
            let key = keys[t * dim..].iter().zip(&query);
            let dot: f64 = key.map(|(k, q)| f64::from(*k) * f64::from(*q)).sum();
            let score = dot * f64::from(scale);
            let cap = f64::from(softcap);
            if cap > 0.0 {
                cap * (score / cap).tanh()
            } else {
                score
            }
        })
        .collect();
    scores = softmax_exact(&scores);
    let column = |c| {
        (0..len)
            .map(|t| scores[t] * f64::from(values[t * value_dim + c]))
            .sum()
    };
    let exact: Vec<f64> = (0..value_dim).map(column).collect();
    for set in set::supported() {
        let (mut scratch, mut out) = (vec![f32::NAN; len], vec![f32::NAN; value_dim]);
        set.attention(&head, &mut scratch, &mut out);
        let case = (set.name(), len, dim, softcap, seed);
        assert_within(&out, &exact, &vec![ATTENTION_MAX_ERROR; value_dim], &case);
    }
}

#[test]
fn attention_agrees_at_hard_lengths() {
    for len in LENGTHS {
        for dim in [1, 8, 31, 32, 33, 64, 80, 128] {
            check_attention(len, dim, if len % 2 == 0 { 0.0 } else { 2.0 }, 7);
        }
    }
}

#[test]
fn attention_without_keys_answers_zero() {
    for set in set::supported() {
        let mut out = [f32::NAN; 3];
        let head = Attention {
            query: &[1.0],
            keys: &[],
            values: &[],
            scale: 1.0,
            softcap: 0.0,
        };
        set.attention(&head, &mut [], &mut out);
        assert_eq!(out, [0.0; 3]);
    }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(target_arch = "x86_64") { 60 } else { 15 }))]

    #[test]
    fn random_lengths_agree_in_every_set(len in 0..600_usize, dim in 1..140_usize, seed: u64) {
        check_attention(len, dim, 0.0, seed);
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
