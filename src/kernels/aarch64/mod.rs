//! 64-bit ARM: the NEON every such core has, and the same with the int8 dot product of ARMv8.2.
//!
//! NEON is part of the target itself, the dot product is not: a Cortex-A72 (Raspberry Pi 4) would stop at an
//! illegal instruction. Its set is only handed out after the system was asked whether the CPU has it.

#![allow(
    unsafe_code,
    reason = "vector loads, the `sdot` instruction, and a call that needs a CPU feature"
)]

mod matmul_f32_q8_qn;

use std::arch::is_aarch64_feature_detected;

use super::block_matrix::BlockMatrix;
use super::columns::ColumnsMut;
use super::lanes;
use super::q8::{Q8RowMut, Q8Rows};
use super::scalar;
use super::table::{Attention, Kernels};

/// Best first.
pub(super) fn supported() -> Vec<Kernels> {
    let mut sets = Vec::new();
    let neon = is_aarch64_feature_detected!("neon");
    if neon && is_aarch64_feature_detected!("dotprod") {
        sets.push(DOTPROD);
    }
    if neon {
        sets.push(NEON);
    }
    sets
}

const NEON: Kernels = Kernels {
    name: "neon",
    quantize_q8,
    matmul_f32_q8_qn: matmul_f32_q8_qn_neon,
    matmul_f32_f32_qn,
    dequantize_qn,
    rms_norm,
    attention,
    softmax,
    silu_mul,
    ..scalar::KERNELS
};

const DOTPROD: Kernels = Kernels {
    name: "neon+dotprod",
    matmul_f32_q8_qn: matmul_f32_q8_qn_dotprod,
    ..NEON
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

fn attention(head: &Attention<'_>, scores: &mut [f32], out: &mut [f32]) {
    lanes::attention::<true>(head, scores, out);
}

fn softmax(x: &mut [f32]) {
    lanes::softmax(x);
}

fn silu_mul(gate: &[f32], up: &[f32], out: &mut [f32]) {
    lanes::silu_mul(gate, up, out);
}
