//! One query against the keys and values of one head.

use super::softmax::softmax;
use crate::kernels::table::Attention;

pub(super) fn attention(head: &Attention<'_>, scores: &mut [f32], out: &mut [f32]) {
    for (position, score) in scores.iter_mut().enumerate() {
        let key = &head.keys[position * head.query.len()..];
        let dot: f32 = head.query.iter().zip(key).map(|(q, k)| q * k).sum();
        *score = dot * head.scale;
    }
    soften(scores, head.softcap);
    softmax(scores);
    out.fill(0.0);
    for (position, probability) in scores.iter().enumerate() {
        let value = &head.values[position * out.len()..];
        for (out, value) in out.iter_mut().zip(value) {
            *out += probability * value;
        }
    }
}

/// Bends scores so that none is beyond `softcap`, where it is above 0.
pub(in crate::kernels) fn soften(scores: &mut [f32], softcap: f32) {
    if softcap > 0.0 {
        for score in scores {
            *score = softcap * (*score / softcap).tanh();
        }
    }
}
