//! x86-64: AVX2 with FMA, and the same with the int8 dot product of AVX-512 VNNI.
//!
//! A function with target features is unsafe to call where the CPU may lack them; here, behind [`supported`],
//! it cannot: a set is only handed out after the CPU was asked for all of the features its functions are built with.

#![allow(
    unsafe_code,
    reason = "vector intrinsics on raw loads, and calls into functions with target features"
)]

mod matmul_f32_q8_qn;
mod packed;
mod vector;

use half::f16;

use super::attention::{self, AttentionBlock, AttentionScratch, AttentionState};
use super::block_matrix::BlockMatrix;
use super::columns::ColumnsMut;
use super::lanes;
use super::packed::{Layout, PackedMatrix, PanelRows, Q8PanelMut, Q8Panels};
use super::q8::{Q8RowMut, Q8Rows};
use super::table::{Kernels, PackedKernels};
use vector::{Avx2, Avx512};

/// Best first.
pub(super) fn supported() -> Vec<Kernels> {
    let mut sets = Vec::new();
    let avx2 = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c");
    let vnni = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni");
    if avx2 && vnni {
        sets.push(AVX512VNNI);
    }
    if avx2 && is_x86_feature_detected!("avxvnni") {
        sets.push(AVXVNNI);
    }
    #[cfg(test)]
    if avx2 && vnni {
        sets.push(AVX512VL);
    }
    if avx2 {
        sets.push(AVX2);
    }
    sets
}

const AVX2: Kernels = Kernels {
    name: "avx2",
    packed: PackedKernels {
        layout: Layout::Columns8,
        format: |rows| packed::format(rows.min(packed::columns8::GROUP)),
        quantize: entry::quantize_packed,
        matmul: entry::matmul_packed_avx2,
    },
    quantize_q8: entry::quantize_q8,
    matmul_f32_q8_qn: entry::matmul_f32_q8_qn_avx2,
    matmul_f32_f32_qn: entry::matmul_f32_f32_qn,
    dequantize_qn: entry::dequantize_qn,
    rms_norm: entry::rms_norm,
    add_rms_norm: entry::add_rms_norm,
    add: entry::add,
    rope_half: entry::rope_half,
    rope_interleaved: entry::rope_interleaved,
    attend: entry::attend_avx2,
    merge_attention: entry::merge_attention,
    narrow: entry::narrow,
    quantize_row: entry::quantize_row,
    softmax: entry::softmax,
    silu_mul: entry::silu_mul,
};

const AVX512VNNI: Kernels = Kernels {
    name: "avx512vnni",
    packed: PackedKernels {
        layout: Layout::Columns32,
        format: |rows| packed::format(rows.min(packed::avx512::GROUP)),
        quantize: entry::quantize_packed,
        matmul: entry::matmul_packed_avx512,
    },
    matmul_f32_q8_qn: entry::matmul_f32_q8_qn_vnni,
    attend: entry::attend_avx512,
    softmax: entry::softmax_avx512,
    silu_mul: entry::silu_mul_avx512,
    ..AVX2
};

const AVXVNNI: Kernels = Kernels {
    name: "avxvnni",
    packed: PackedKernels {
        matmul: entry::matmul_packed_avxvnni,
        ..AVX2.packed
    },
    ..AVX2
};

/// What `avxvnni` runs, on a processor that has its instruction in the encoding of AVX-512 only.
#[cfg(test)]
const AVX512VL: Kernels = Kernels {
    name: "avxvnni as avx512vl",
    packed: PackedKernels {
        matmul: entry::matmul_packed_avx512vl,
        ..AVX2.packed
    },
    ..AVX2
};

/// Safe to put into the table: what each calls with target features, `supported` has asked the CPU for.
mod entry {
    use super::*;

    macro_rules! entries {
        ($($(#[$attribute:meta])? $features:literal fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:expr;)*) => {$(
            $(#[$attribute])?
            pub(super) fn $name($($argument: $type),*) $(-> $result)? {
                #[target_feature(enable = $features)]
                fn with_features($($argument: $type),*) $(-> $result)? {
                    $body($($argument),*)
                }
                // SAFETY: only the sets of `supported` lead here, after it has seen these features on this CPU.
                unsafe { with_features($($argument),*) }
            }
        )*};
    }

    entries! {
        "avx2,fma,f16c" fn quantize_q8(x: &[f32], row: &mut Q8RowMut<'_>) = lanes::quantize_q8;
        "avx2,fma,f16c" fn matmul_f32_f32_qn(x: &[f32], w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>)
            = lanes::matmul_f32_f32_qn::<true>;
        "avx2,fma,f16c" fn dequantize_qn(w: &BlockMatrix<'_>, row: usize, out: &mut [f32])
            = lanes::dequantize_qn;
        "avx2,fma,f16c" fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32])
            = lanes::rms_norm::<true>;
        "avx2,fma,f16c" fn add_rms_norm(x: (&[f32], &[f32]), weight: &[f32], epsilon: f32, sum: &mut [f32], out: &mut [f32])
            = lanes::add_rms_norm::<true>;
        "avx2,fma,f16c" fn add(x: &[f32], y: &[f32], out: &mut [f32]) = lanes::add;
        "avx2,fma,f16c" fn rope_half(head: &mut [f32], cos: &[f32], sin: &[f32]) = lanes::rope_half;
        "avx2,fma,f16c" fn rope_interleaved(head: &mut [f32], cos: &[f32], sin: &[f32]) = lanes::rope_interleaved;
        "avx2,fma,f16c" fn merge_attention(state: &mut AttentionState<'_>, later: &AttentionState<'_>)
            = attention::merge;
        "avx2,fma,f16c" fn quantize_row(x: &[f32], quants: &mut [i8]) -> f32 = lanes::quantize_row;
        "avx2,fma,f16c" fn softmax(x: &mut [f32]) = lanes::softmax;
        "avx2,fma,f16c" fn silu_mul(gate: &[f32], up: &[f32], out: &mut [f32]) = lanes::silu_mul;
        "avx2,fma,f16c,avx512f,avx512vl" fn softmax_avx512(x: &mut [f32]) = lanes::softmax;
        "avx2,fma,f16c,avx512f,avx512vl"
        fn silu_mul_avx512(gate: &[f32], up: &[f32], out: &mut [f32]) = lanes::silu_mul;
        "avx2,fma,f16c" fn matmul_f32_q8_qn_avx2(x: &Q8Rows, w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>)
            = matmul_f32_q8_qn::avx2::matmul;
        "avx2,avx512f,avx512vl,avx512vnni"
        fn matmul_f32_q8_qn_vnni(x: &Q8Rows, w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>)
            = matmul_f32_q8_qn::vnni::matmul;
        "avx2,fma,f16c" fn matmul_packed_avx2(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>)
            = packed::columns8::avx2::matmul;
        "avx2,fma,f16c,avxvnni"
        fn matmul_packed_avxvnni(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>)
            = packed::columns8::avxvnni::matmul;
        #[cfg(test)]
        "avx2,fma,f16c,avx512f,avx512vl,avx512vnni"
        fn matmul_packed_avx512vl(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>)
            = packed::columns8::avx512vl::matmul;
        "avx2" fn quantize_packed(rows: &PanelRows<'_>, panel: &mut Q8PanelMut<'_>) = packed::quantize;
        "avx2,fma,f16c,avx512f,avx512vl,avx512vnni"
        fn matmul_packed_avx512(x: &Q8Panels, w: &PackedMatrix<'_>, out: &mut ColumnsMut<'_>)
            = packed::avx512::matmul;
    }

    // Those over vectors, whose proof of the CPU's features can be made inside only.

    pub(super) fn attend_avx2(
        block: &AttentionBlock<'_>,
        scratch: &mut AttentionScratch,
        state: &mut AttentionState<'_>,
    ) {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn with_features(
            block: &AttentionBlock<'_>,
            scratch: &mut AttentionScratch,
            state: &mut AttentionState<'_>,
        ) {
            // SAFETY: the features are those of this function.
            attention::attend(unsafe { Avx2::new() }, block, scratch, state);
        }
        // SAFETY: only the sets of `supported` lead here, after it has seen these features on this CPU.
        unsafe { with_features(block, scratch, state) }
    }

    pub(super) fn attend_avx512(
        block: &AttentionBlock<'_>,
        scratch: &mut AttentionScratch,
        state: &mut AttentionState<'_>,
    ) {
        #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl")]
        fn with_features(
            block: &AttentionBlock<'_>,
            scratch: &mut AttentionScratch,
            state: &mut AttentionState<'_>,
        ) {
            // SAFETY: the features are those of this function.
            attention::attend(unsafe { Avx512::new() }, block, scratch, state);
        }
        // SAFETY: only the sets of `supported` lead here, after it has seen these features on this CPU.
        unsafe { with_features(block, scratch, state) }
    }

    pub(super) fn narrow(x: &[f32], out: &mut [f16]) {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn with_features(x: &[f32], out: &mut [f16]) {
            // SAFETY: the features are those of this function.
            attention::vector::narrow(unsafe { Avx2::new() }, x, out);
        }
        // SAFETY: only the sets of `supported` lead here, after it has seen these features on this CPU.
        unsafe { with_features(x, out) }
    }
}
