//! Rotation of pairs by the angles of a position.

pub(super) fn rope_half(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (first, second) = head.split_at_mut(cos.len());
    for ((x, y), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
        (*x, *y) = (*x * cos - *y * sin, *y * cos + *x * sin);
    }
}

pub(super) fn rope_interleaved(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(cos.iter().zip(sin)) {
        let (x, y) = (pair[0], pair[1]);
        (pair[0], pair[1]) = (x * cos - y * sin, y * cos + x * sin);
    }
}
