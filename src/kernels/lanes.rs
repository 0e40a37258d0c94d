//! The float operations written over arrays of [`LANES`] accumulators, for a compiler to put on vector registers.
//!
//! A set instantiates them under its own target features; what differs between sets is the order of the f32 sums
//! and, where `FUSED`, that a product is not rounded before it is added. Bounds are in `check`.

use super::block_matrix::{BLOCK_SIZE_MAX, BlockMatrix};
use super::columns::ColumnsMut;
use super::exp::exp;
use super::q8::Q8RowMut;

/// Accumulators of a sum: four AVX registers, eight NEON registers.
const LANES: usize = 32;
/// Weights dequantized at a time in the f32 product: 4 KiB, which stays in the first cache.
const STRETCH: usize = 1024;
/// 1.5 · 2^23: added to a small number it leaves its nearest integer, ties to even, in the low bits.
const ROUNDING: f32 = 12_582_912.0;

#[inline(always)]
fn multiply_add<const FUSED: bool>(x: f32, y: f32, sum: f32) -> f32 {
    if FUSED {
        x.mul_add(y, sum)
    } else {
        x * y + sum
    }
}

/// Accumulators side by side.
type Lanes = [f32; LANES];

/// Sum of the lanes, halves onto halves.
#[inline(always)]
fn sum(lanes: &Lanes) -> f32 {
    let mut lanes = *lanes;
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The first of a few floats, and 0 after them: the end of a row looks like the rest to the loops.
#[inline(always)]
fn padded(rest: &[f32]) -> Lanes {
    let mut lanes = [0.0; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    lanes
}

/// Computes `Σ x·y` over two slices of one length.
#[inline(always)]
pub(super) fn dot<const FUSED: bool>(x: &[f32], y: &[f32]) -> f32 {
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (ys, y_rest) = y.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (x, y) in xs.iter().zip(ys) {
        for i in 0..LANES {
            lanes[i] = multiply_add::<FUSED>(x[i], y[i], lanes[i]);
        }
    }
    if !x_rest.is_empty() {
        let (x, y) = (padded(x_rest), padded(y_rest));
        for i in 0..LANES {
            lanes[i] = multiply_add::<FUSED>(x[i], y[i], lanes[i]);
        }
    }
    sum(&lanes)
}

#[inline(always)]
pub(super) fn softmax(x: &mut [f32]) {
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] = larger(chunk[i], lanes[i]);
        }
    }
    let largest = lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, larger);
    for x in x.iter_mut() {
        *x = exp(*x - largest);
    }
    let mut lanes = [0.0; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += chunk[i];
        }
    }
    let rest = padded(rest);
    for i in 0..LANES {
        lanes[i] += rest[i];
    }
    let factor = 1.0 / sum(&lanes);
    for x in x {
        *x *= factor;
    }
}

#[inline(always)]
pub(super) fn rms_norm<const FUSED: bool>(
    x: &[f32],
    weight: &[f32],
    epsilon: f32,
    out: &mut [f32],
) {
    normalize((x, weight), dot::<FUSED>(x, x), epsilon, out);
}

/// One pass adds and squares, with the sums that [`rms_norm`] of the sum would make.
#[inline(always)]
pub(super) fn add_rms_norm<const FUSED: bool>(
    (x, skip): (&[f32], &[f32]),
    weight: &[f32],
    epsilon: f32,
    total: &mut [f32],
    out: &mut [f32],
) {
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (skips, skip_rest) = skip.as_chunks::<LANES>();
    let (totals, total_rest) = total.as_chunks_mut::<LANES>();
    let mut squares = [0.0; LANES];
    for ((x, skip), total) in xs.iter().zip(skips).zip(totals) {
        for i in 0..LANES {
            total[i] = x[i] + skip[i];
            squares[i] = multiply_add::<FUSED>(total[i], total[i], squares[i]);
        }
    }
    if !x_rest.is_empty() {
        for ((total, x), skip) in total_rest.iter_mut().zip(x_rest).zip(skip_rest) {
            *total = x + skip;
        }
        let rest = padded(total_rest);
        for i in 0..LANES {
            squares[i] = multiply_add::<FUSED>(rest[i], rest[i], squares[i]);
        }
    }
    normalize((total, weight), sum(&squares), epsilon, out);
}

/// Divides by the root of the mean square.
#[inline(always)]
fn normalize((x, weight): (&[f32], &[f32]), squares: f32, epsilon: f32, out: &mut [f32]) {
    let factor = 1.0 / (squares / x.len() as f32 + epsilon).sqrt();
    for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
        *out = x * factor * weight;
    }
}

#[inline(always)]
pub(super) fn add(x: &[f32], y: &[f32], out: &mut [f32]) {
    for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
        *out = x + y;
    }
}

#[inline(always)]
pub(super) fn rope_half(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (first, second) = head.split_at_mut(cos.len());
    for ((x, y), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
        (*x, *y) = (*x * cos - *y * sin, *y * cos + *x * sin);
    }
}

#[inline(always)]
pub(super) fn rope_interleaved(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let pairs = head.as_chunks_mut::<2>().0;
    for ([x, y], (cos, sin)) in pairs.iter_mut().zip(cos.iter().zip(sin)) {
        (*x, *y) = (*x * cos - *y * sin, *y * cos + *x * sin);
    }
}

/// As `scalar` does it, bit for bit.
#[inline(always)]
pub(super) fn quantize_row(x: &[f32], quants: &mut [i8]) -> f32 {
    let largest = x
        .iter()
        .fold(0, |largest, x| x.abs().to_bits().max(largest));
    let scale = f32::from_bits(largest) / 127.0;
    let per_unit = 127.0 / f32::from_bits(largest);
    let per_unit = if per_unit == f32::INFINITY {
        0.0
    } else {
        per_unit
    };
    for (quant, x) in quants.iter_mut().zip(x) {
        *quant = (x * per_unit + ROUNDING).to_bits() as i8;
    }
    scale
}

/// As `scalar` does it, bit for bit: only the order of work differs.
#[inline(always)]
pub(super) fn quantize_q8(activations: &[f32], row: &mut Q8RowMut<'_>) {
    let blocks = row.quants.chunks_exact_mut(row.block_size);
    let factors = row.scales.iter_mut().zip(row.sums.iter_mut());
    for ((x, quants), (scale, sum)) in activations.chunks(row.block_size).zip(blocks).zip(factors) {
        let mut padded = [0.0; BLOCK_SIZE_MAX];
        let x = if x.len() == quants.len() {
            x
        } else {
            padded[..x.len()].copy_from_slice(x);
            &padded[..quants.len()]
        };
        let largest = x
            .iter()
            .fold(0, |largest, x| x.abs().to_bits().max(largest));
        let largest = f32::from_bits(largest);
        let per_unit = 127.0 / largest;
        *scale = if per_unit == f32::INFINITY {
            0.0
        } else {
            largest / 127.0
        };
        let per_unit = if *scale == 0.0 { 0.0 } else { per_unit };
        let quant = |x: f32| (x * per_unit + ROUNDING).to_bits() as i8;
        if row.split {
            let (even, odd) = quants.split_at_mut(x.len() / 2);
            for ((even, odd), pair) in even.iter_mut().zip(odd).zip(x.as_chunks::<2>().0) {
                (*even, *odd) = (quant(pair[0]), quant(pair[1]));
            }
        } else {
            for (quant_, x) in quants.iter_mut().zip(x) {
                *quant_ = quant(*x);
            }
        }
        *sum = quants.iter().map(|&quant| i32::from(quant)).sum::<i32>() as f32;
    }
}

#[inline(always)]
pub(super) fn dequantize_qn(w: &BlockMatrix<'_>, row: usize, out: &mut [f32]) {
    dequantize_blocks(w, row, 0, out);
}

/// Writes elements of a row from the start of block `first` on.
#[inline(always)]
fn dequantize_blocks(w: &BlockMatrix<'_>, row: usize, first: usize, out: &mut [f32]) {
    let shape = w.shape();
    let flip = w.flip();
    let bytes = w.row_quants(row)[first * shape.block_bytes()..].chunks_exact(shape.block_bytes());
    for ((i, out), bytes) in out.chunks_mut(shape.block_size).enumerate().zip(bytes) {
        let (scale, zero_point) = (w.scale(row, first + i), w.zero_point(row, first + i));
        let weight = |quant: u8| (f32::from(quant) - zero_point) * scale;
        if shape.bits == 8 {
            for (out, byte) in out.iter_mut().zip(bytes) {
                *out = weight(byte ^ flip);
            }
        } else {
            let (pairs, last) = out.as_chunks_mut::<2>();
            for (pair, byte) in pairs.iter_mut().zip(bytes) {
                *pair = [weight((byte ^ flip) & 0xF), weight((byte ^ flip) >> 4)];
            }
            for (last, byte) in last.iter_mut().zip(&bytes[pairs.len()..]) {
                *last = weight((byte ^ flip) & 0xF);
            }
        }
    }
}

#[inline(always)]
pub(super) fn matmul_f32_f32_qn<const FUSED: bool>(
    x: &[f32],
    w: &BlockMatrix<'_>,
    out: &mut ColumnsMut<'_>,
) {
    let shape = w.shape();
    let mut weights = [0.0; STRETCH];
    for (j, column) in out.columns().enumerate() {
        for i in 0..out.rows() {
            out.row(i)[j] = 0.0;
        }
        for start in (0..shape.k).step_by(STRETCH) {
            let weights = &mut weights[..STRETCH.min(shape.k - start)];
            dequantize_blocks(w, column, start / shape.block_size, weights);
            for i in 0..out.rows() {
                let x = &x[i * shape.k + start..][..weights.len()];
                out.row(i)[j] += dot::<FUSED>(x, weights);
            }
        }
    }
}

#[inline(always)]
pub(super) fn silu_mul(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
        *out = gate / (1.0 + exp(-gate)) * up;
    }
}
