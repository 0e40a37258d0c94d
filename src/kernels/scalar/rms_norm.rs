//! Root-mean-square norm of a row, and the sum that goes before it.

pub(super) fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let mean = x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32;
    let factor = 1.0 / (mean + epsilon).sqrt();
    for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
        *out = x * factor * weight;
    }
}

pub(super) fn add_rms_norm(
    (x, skip): (&[f32], &[f32]),
    weight: &[f32],
    epsilon: f32,
    sum: &mut [f32],
    out: &mut [f32],
) {
    add(x, skip, sum);
    rms_norm(sum, weight, epsilon, out);
}

pub(super) fn add(x: &[f32], y: &[f32], out: &mut [f32]) {
    for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
        *out = x + y;
    }
}
