//! 64-bit ARM: the NEON every such core has, the same with the int8 dot product of ARMv8.2, and that with the int8
//! matrix product of ARMv8.6.
//!
//! NEON is part of the target itself, the others are not: a Cortex-A72 (Raspberry Pi 4) would stop at an illegal
//! instruction. Their sets are only handed out after the system was asked whether the CPU has them.

#![allow(
    unsafe_code,
    reason = "vector loads, instructions without intrinsics, assembler, and calls that need CPU features"
)]

mod matmul_f32_q8_qn;
mod packed;
mod vector;

use std::arch::is_aarch64_feature_detected;

use half::f16;

use super::attention::{self, AttentionBlock, AttentionScratch, AttentionState};
use super::block_matrix::BlockMatrix;
use super::columns::ColumnsMut;
use super::lanes;
use super::q8::{Q8RowMut, Q8Rows};
use super::scalar;
use super::table::Kernels;
use vector::Neon;

/// Best first.
pub(super) fn supported() -> Vec<Kernels> {
    let mut sets = Vec::new();
    let neon = is_aarch64_feature_detected!("neon");
    let dotprod = neon && is_aarch64_feature_detected!("dotprod");
    if dotprod && is_aarch64_feature_detected!("i8mm") {
        sets.push(I8MM);
    }
    if dotprod {
        sets.push(DOTPROD);
    }
    if neon {
        sets.push(NEON);
    }
    sets
}

const NEON: Kernels = Kernels {
    name: "neon",
    packed: packed::NEON,
    quantize_q8,
    matmul_f32_q8_qn: matmul_f32_q8_qn_neon,
    matmul_f32_f32_qn,
    dequantize_qn,
    rms_norm,
    add_rms_norm,
    add,
    rope_half,
    rope_interleaved,
    attend,
    merge_attention,
    narrow,
    quantize_row,
    softmax,
    silu_mul,
    ..scalar::KERNELS
};

const DOTPROD: Kernels = Kernels {
    name: "neon+dotprod",
    packed: packed::DOTPROD,
    matmul_f32_q8_qn: matmul_f32_q8_qn_dotprod,
    ..NEON
};

const I8MM: Kernels = Kernels {
    name: "neon+i8mm",
    packed: packed::I8MM,
    ..DOTPROD
};

fn matmul_f32_q8_qn_neon(x: &Q8Rows, w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>) {
    // SAFETY: only a set of `supported` leads here, after it has seen "neon" on this CPU.
    unsafe { matmul_f32_q8_qn::neon::matmul(x, w, out) }
}

fn matmul_f32_q8_qn_dotprod(x: &Q8Rows, w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>) {
    // SAFETY: only a set of `supported` leads here, after it has seen "dotprod" on this CPU.
    unsafe { matmul_f32_q8_qn::dotprod::matmul(x, w, out) }
}

fn quantize_q8(x: &[f32], row: &mut Q8RowMut<'_>) {
    lanes::quantize_q8(x, row);
}

fn matmul_f32_f32_qn(x: &[f32], w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>) {
    lanes::matmul_f32_f32_qn::<true>(x, w, out);
}

fn dequantize_qn(w: &BlockMatrix<'_>, row: usize, out: &mut [f32]) {
    lanes::dequantize_qn(w, row, out);
}

fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    lanes::rms_norm::<true>(x, weight, epsilon, out);
}

fn add_rms_norm(
    x: (&[f32], &[f32]),
    weight: &[f32],
    epsilon: f32,
    sum: &mut [f32],
    out: &mut [f32],
) {
    lanes::add_rms_norm::<true>(x, weight, epsilon, sum, out);
}

fn add(x: &[f32], y: &[f32], out: &mut [f32]) {
    lanes::add(x, y, out);
}

fn rope_half(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    lanes::rope_half(head, cos, sin);
}

fn rope_interleaved(head: &mut [f32], cos: &[f32], sin: &[f32]) {
    lanes::rope_interleaved(head, cos, sin);
}

fn attend(
    block: &AttentionBlock<'_>,
    scratch: &mut AttentionScratch,
    state: &mut AttentionState<'_>,
) {
    // SAFETY: only a set of `supported` leads here, after it has seen "neon" on this CPU.
    attention::attend(unsafe { Neon::new() }, block, scratch, state);
}

fn merge_attention(state: &mut AttentionState<'_>, later: &AttentionState<'_>) {
    attention::merge(state, later);
}

fn narrow(x: &[f32], out: &mut [f16]) {
    // SAFETY: only a set of `supported` leads here, after it has seen "neon" on this CPU.
    attention::vector::narrow(unsafe { Neon::new() }, x, out);
}

fn quantize_row(x: &[f32], quants: &mut [i8]) -> f32 {
    lanes::quantize_row(x, quants)
}

fn softmax(x: &mut [f32]) {
    lanes::softmax(x);
}

fn silu_mul(gate: &[f32], up: &[f32], out: &mut [f32]) {
    lanes::silu_mul(gate, up, out);
}
