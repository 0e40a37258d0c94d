//! Scores to probabilities.

use crate::kernels::exp::exp;

pub(in crate::kernels) fn softmax(x: &mut [f32]) {
    let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for x in x.iter_mut() {
        *x = exp(*x - largest);
    }
    let factor = 1.0 / x.iter().sum::<f32>();
    for x in x {
        *x *= factor;
    }
}
