//! The scores of one query over one block of tokens, and what they weigh.

use std::ops::Range;

use super::BLOCK_TOKENS;
use super::vector::LANES;
use crate::kernels::exp::exp;

/// Scores of one query.
pub(super) struct Row<'a> {
    pub(super) scores: &'a mut [f32; BLOCK_TOKENS],
    /// Tokens that have a score.
    pub(super) seen: Range<usize>,
    /// Tokens that count.
    pub(super) visible: Range<usize>,
}

impl Row<'_> {
    /// Turns scores into `exp(score - largest)`, 0 where the query does not see the token, and returns the largest
    /// score and the sum. Tokens with scales have their value's scale multiplied in afterwards.
    #[inline(always)]
    pub(super) fn soften(self, softcap: f32, scales: Option<(&[f32], &[f32])>) -> (f32, f32) {
        let tiles = self.seen.start / LANES..self.seen.end.div_ceil(LANES);
        let (start, end) = (tiles.start * LANES, tiles.end * LANES);
        if let Some((scales, _)) = scales {
            multiply(&mut self.scores[start..end], &scales[start..end]);
        }
        if softcap > 0.0 {
            for score in &mut self.scores[start..end] {
                *score = softcap * tanh(*score / softcap);
            }
        }
        let visible = self.visible.start.max(start)..self.visible.end.max(start);
        self.scores[start..visible.start].fill(f32::NEG_INFINITY);
        self.scores[visible.end..end].fill(f32::NEG_INFINITY);
        let lanes = &mut self.scores.as_chunks_mut::<LANES>().0[tiles];
        let largest = largest(lanes);
        let base = if largest == f32::NEG_INFINITY {
            0.0
        } else {
            largest
        };
        let mut sums = [0.0; LANES];
        for lanes in lanes.iter_mut() {
            for (sum, x) in sums.iter_mut().zip(lanes) {
                *x = exp(*x - base);
                *sum += *x;
            }
        }
        if let Some((_, scales)) = scales {
            multiply(&mut self.scores[start..end], &scales[start..end]);
        }
        (largest, halves_onto_halves(sums))
    }
}

#[inline(always)]
fn multiply(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x *= y;
    }
}

#[inline(always)]
fn largest(lanes: &[[f32; LANES]]) -> f32 {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let mut largest = [f32::NEG_INFINITY; LANES];
    for lanes in lanes {
        for i in 0..LANES {
            largest[i] = larger(lanes[i], largest[i]);
        }
    }
    largest.into_iter().fold(f32::NEG_INFINITY, larger)
}

#[inline(always)]
fn halves_onto_halves(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The hyperbolic tangent, within 3e-7.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}
