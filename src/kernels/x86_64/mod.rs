//! x86-64: AVX2 with FMA, and the same with the int8 dot product of AVX-512 VNNI.
//!
//! A function with target features is unsafe to call where the CPU may lack them; here, behind [`supported`],
//! it cannot: a set is only handed out after the CPU was asked for all of the features its functions are built with.

#![allow(
    unsafe_code,
    reason = "vector intrinsics on raw loads, and calls into functions with target features"
)]

mod matmul_f32_q8_qn;

use super::block_matrix::BlockMatrix;
use super::columns::ColumnsMut;
use super::lanes;
use super::q8::{Q8RowMut, Q8Rows};
use super::scalar;
use super::table::{Attention, Kernels};

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
    if avx2 {
        sets.push(AVX2);
    }
    sets
}

const AVX2: Kernels = Kernels {
    name: "avx2",
    quantize_q8: entry::quantize_q8,
    matmul_f32_q8_qn: entry::matmul_f32_q8_qn_avx2,
    matmul_f32_f32_qn: entry::matmul_f32_f32_qn,
    dequantize_qn: entry::dequantize_qn,
    rms_norm: entry::rms_norm,
    attention: entry::attention,
    softmax: entry::softmax,
    silu_mul: entry::silu_mul,
    ..scalar::KERNELS
};

const AVX512VNNI: Kernels = Kernels {
    name: "avx512vnni",
    matmul_f32_q8_qn: entry::matmul_f32_q8_qn_vnni,
    ..AVX2
};

/// Safe to put into the table: what each calls with target features, `supported` has asked the CPU for.
mod entry {
    use super::*;

    macro_rules! entries {
        ($($features:literal fn $name:ident($($argument:ident: $type:ty),*) = $body:expr;)*) => {$(
            pub(super) fn $name($($argument: $type),*) {
                #[target_feature(enable = $features)]
                fn with_features($($argument: $type),*) {
                    $body($($argument),*);
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
        "avx2,fma,f16c" fn attention(head: &Attention<'_>, scores: &mut [f32], out: &mut [f32])
            = lanes::attention::<true>;
        "avx2,fma,f16c" fn softmax(x: &mut [f32]) = lanes::softmax;
        "avx2,fma,f16c" fn silu_mul(gate: &[f32], up: &[f32], out: &mut [f32]) = lanes::silu_mul;
        "avx2,fma,f16c" fn matmul_f32_q8_qn_avx2(x: &Q8Rows, w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>)
            = matmul_f32_q8_qn::avx2::matmul;
        "avx2,avx512f,avx512vl,avx512vnni"
        fn matmul_f32_q8_qn_vnni(x: &Q8Rows, w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>)
            = matmul_f32_q8_qn::vnni::matmul;
    }
}
