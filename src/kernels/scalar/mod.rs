//! The reference: short and obvious. Every other set is compared with it; it runs on every CPU.

#![forbid(unsafe_code)]

mod attention;
mod dequantize_qn;
mod matmul_f32_f32_qn;
mod matmul_f32_q8_qn;
mod packed;
mod quantize_q8;
mod quantize_row;
mod rms_norm;
mod rope;
mod silu_mul;
mod softmax;

use super::packed::Layout;
use super::table::{Kernels, PackedKernels};

#[cfg(any(test, target_arch = "x86_64"))]
pub(super) use packed::quantize_block;

/// The set `scalar`.
pub(super) const KERNELS: Kernels = Kernels {
    name: "scalar",
    packed: PackedKernels {
        layout: Layout::Rows8,
        format: |_rows| packed::ROW,
        quantize: packed::quantize,
        matmul: packed::matmul,
    },
    quantize_q8: quantize_q8::quantize_q8,
    matmul_f32_q8_qn: matmul_f32_q8_qn::matmul_f32_q8_qn,
    matmul_f32_f32_qn: matmul_f32_f32_qn::matmul_f32_f32_qn,
    dequantize_qn: dequantize_qn::dequantize_qn,
    rms_norm: rms_norm::rms_norm,
    add_rms_norm: rms_norm::add_rms_norm,
    add: rms_norm::add,
    rope_half: rope::rope_half,
    rope_interleaved: rope::rope_interleaved,
    attend: attention::attend,
    merge_attention: attention::merge,
    narrow: attention::narrow,
    quantize_row: quantize_row::quantize_row,
    softmax: softmax::softmax,
    silu_mul: silu_mul::silu_mul,
};
