//! Quantizing, both products, and dequantizing.

use proptest::prelude::*;

use super::data::{Case, Matrix, Zeros};
use super::{UNIT, assert_within, bits, others};
use crate::kernels::table::Kernels;
use crate::kernels::{BlockShape, ColumnsMut, Q8Rows, scalar};

/// Roundings a block of the int8 product goes through: two factors, the zero point's two, the sum of blocks.
const Q8_ROUNDINGS: f64 = 5.0;
/// Roundings of one dequantized weight, and of its product.
const F32_ROUNDINGS: f64 = 3.0;

fn cases() -> impl Strategy<Value = Case> {
    let shape = (
        1..14_usize,
        1..700_usize,
        0..2_usize,
        0..5_u32,
        any::<bool>(),
    )
        .prop_map(|(n, k, wide, size, signed)| BlockShape {
            n,
            k,
            bits: 4 + 4 * wide,
            block_size: 16 << size,
            signed,
        });
    let zeros = prop_oneof![Just(Zeros::Middle), Just(Zeros::Packed), Just(Zeros::Float)];
    (
        shape,
        any::<bool>(),
        zeros,
        0..6_usize,
        any::<bool>(),
        any::<u64>(),
    )
        .prop_map(|(shape, f16, zeros, rows, extreme, seed)| Case {
            shape,
            f16,
            zeros,
            rows,
            extreme,
            seed,
        })
}

/// Every block size and number of bits, lengths round a block and a stretch of blocks, all zero points and scales.
fn hard_cases() -> impl Iterator<Item = Case> {
    let formats = [16, 32, 64, 128, 256]
        .into_iter()
        .flat_map(|size| [(4, size), (8, size)]);
    formats.flat_map(|(bits, size)| {
        let lengths = [
            1,
            size - 1,
            size,
            size + 1,
            3 * size + 7,
            1024,
            1024 + size + 1,
        ];
        lengths.into_iter().enumerate().map(move |(i, k)| Case {
            shape: BlockShape {
                n: i % 5 + 3,
                k,
                bits,
                block_size: size,
                signed: i == 5,
            },
            f16: i % 2 == 1,
            zeros: [Zeros::Middle, Zeros::Packed, Zeros::Float][(i + size / 16) % 3],
            rows: 1 + i % 3,
            extreme: i > 2,
            seed: (i * size) as u64,
        })
    })
}

fn quantize(kernels: Kernels, case: &Case, x: &[f32]) -> Q8Rows {
    let mut q8 = Q8Rows::new();
    q8.resize(case.rows, &case.shape);
    kernels.quantize_q8(x, &mut q8);
    q8
}

/// The whole product; columns from `columns.start` on in a call of their own.
fn product(case: &Case, split: usize, call: impl Fn(&mut ColumnsMut<'_>)) -> Vec<f32> {
    let mut out = vec![f32::NAN; case.rows * case.shape.n];
    let all = ColumnsMut::whole(&mut out, case.rows, case.shape.n);
    let (mut first, mut second) = all.split_at(split);
    call(&mut second);
    call(&mut first);
    out
}

fn check_case(case: &Case) {
    let (matrix, x) = (case.matrix(), case.activations());
    let w = matrix.view();
    let q8 = quantize(scalar::KERNELS, case, &x);
    let by_q8 =
        |set: Kernels, split| product(case, split, |out| set.matmul_f32_q8_qn(&q8, &w, out));
    let by_f32 =
        |set: Kernels, split| product(case, split, |out| set.matmul_f32_f32_qn(&x, &w, out));
    let q8_of_scalar = by_q8(scalar::KERNELS, 0);
    check_q8_product(case, &matrix, &q8, &q8_of_scalar);
    check_f32_product(case, &matrix, &x, &by_f32(scalar::KERNELS, 0));
    for set in others() {
        let name = set.name();
        let quantized = quantize(set, case, &x);
        for row in 0..case.rows {
            assert_eq!(
                quantized.row_quants(row),
                q8.row_quants(row),
                "{name} {case:?}"
            );
            assert_eq!(
                bits(quantized.row_scales(row)),
                bits(q8.row_scales(row)),
                "{name} {case:?}"
            );
            assert_eq!(quantized.row_sums(row), q8.row_sums(row), "{name} {case:?}");
        }
        for split in [0, case.shape.n / 2, case.shape.n - 1] {
            assert_eq!(
                bits(&by_q8(set, split)),
                bits(&q8_of_scalar),
                "{name} {split} {case:?}"
            );
        }
        let product = by_f32(set, 0);
        check_f32_product(case, &matrix, &x, &product);
        assert_eq!(
            bits(&by_f32(set, case.shape.n / 2)),
            bits(&product),
            "{name} {case:?}"
        );
        check_rows_alone(set, case, &x, &product);
        for row in 0..case.shape.n {
            let dequantized = |set: Kernels| {
                let mut out = vec![f32::NAN; case.shape.k];
                set.dequantize_qn(&w, row, &mut out);
                bits(&out)
            };
            assert_eq!(
                dequantized(set),
                dequantized(scalar::KERNELS),
                "{name} {case:?}"
            );
        }
    }
}

/// A row's product does not depend on the rows beside it, in either mode.
fn check_rows_alone(set: Kernels, case: &Case, x: &[f32], together: &[f32]) {
    let matrix = case.matrix();
    let w = matrix.view();
    let q8_together = {
        let q8 = quantize(set, case, x);
        product(case, 0, |out| set.matmul_f32_q8_qn(&q8, &w, out))
    };
    let alone = Case { rows: 1, ..*case };
    for (row, x) in x.chunks_exact(case.shape.k).enumerate() {
        let range = row * case.shape.n..(row + 1) * case.shape.n;
        let found = product(&alone, 0, |out| set.matmul_f32_f32_qn(x, &w, out));
        assert_eq!(
            bits(&found),
            bits(&together[range.clone()]),
            "{} {case:?}",
            set.name()
        );
        let q8 = quantize(set, &alone, x);
        let found = product(&alone, 0, |out| set.matmul_f32_q8_qn(&q8, &w, out));
        assert_eq!(
            bits(&found),
            bits(&q8_together[range]),
            "{} {case:?}",
            set.name()
        );
    }
}

fn check_q8_product(case: &Case, matrix: &Matrix, q8: &Q8Rows, found: &[f32]) {
    let (shape, size) = (case.shape, case.shape.block_size);
    let (mut exact, mut bounds) = (Vec::new(), Vec::new());
    for row in 0..case.rows {
        for column in 0..shape.n {
            let (mut sum, mut magnitude) = (0.0, 0.0);
            for block in 0..shape.blocks() {
                let scale = f64::from(q8.row_scales(row)[block]);
                for place in 0..size.min(shape.k - block * size) {
                    let at = if shape.bits == 4 {
                        place / 2 + place % 2 * (size / 2)
                    } else {
                        place
                    };
                    let x = f64::from(q8.row_quants(row)[block * size + at]) * scale;
                    let (quant, zero_point, scale) = matrix.parts(column, block * size + place);
                    sum += x * (quant - zero_point) * scale;
                    let bias = if shape.signed {
                        f64::from(1 << (shape.bits - 1))
                    } else {
                        0.0
                    };
                    magnitude += (x * scale).abs() * (quant + zero_point.abs() + 2.0 * bias).abs();
                }
            }
            exact.push(sum);
            bounds.push((shape.blocks() as f64 + Q8_ROUNDINGS) * UNIT * magnitude);
        }
    }
    assert_within(found, &exact, &bounds, case);
}

fn check_f32_product(case: &Case, matrix: &Matrix, x: &[f32], found: &[f32]) {
    let k = case.shape.k;
    let (mut exact, mut bounds) = (Vec::new(), Vec::new());
    for row in 0..case.rows {
        for column in 0..case.shape.n {
            let terms = (0..k).map(|i| f64::from(x[row * k + i]) * matrix.weight(column, i));
            exact.push(terms.clone().sum());
            let magnitude: f64 = terms.map(f64::abs).sum();
            bounds.push((k as f64 + F32_ROUNDINGS) * UNIT * magnitude);
        }
    }
    assert_within(found, &exact, &bounds, case);
}

#[test]
fn hard_shapes_agree_in_every_set() {
    hard_cases().for_each(|case| check_case(&case));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(target_arch = "x86_64") { 150 } else { 40 }))]

    #[test]
    fn random_shapes_agree_in_every_set(case in cases()) {
        check_case(&case);
    }
}

#[test]
fn quantizing_rounds_ties_to_even_and_ends_at_127() {
    let shape = BlockShape {
        n: 1,
        k: 20,
        bits: 8,
        block_size: 16,
        signed: false,
    };
    let mut x = vec![127.0, -127.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49, 0.51];
    x.resize(16, 0.0);
    x.extend([0.0, 0.0, 0.0, -0.0]);
    for set in others().chain([scalar::KERNELS]) {
        let mut q8 = Q8Rows::new();
        q8.resize(1, &shape);
        set.quantize_q8(&x, &mut q8);
        assert_eq!(
            q8.row_quants(0)[..10],
            [127, -127, 0, 2, 2, 0, -2, -2, 0, 1]
        );
        assert_eq!(q8.row_quants(0)[10..], [0; 22]);
        assert_eq!(q8.row_scales(0), [1.0, 0.0]);
        assert_eq!(q8.row_sums(0), [1.0, 0.0]);
    }
}

#[test]
fn activations_that_are_no_numbers_are_not_hidden() {
    let case = Case {
        shape: BlockShape {
            n: 3,
            k: 40,
            bits: 4,
            block_size: 32,
            signed: false,
        },
        f16: false,
        zeros: Zeros::Middle,
        rows: 1,
        extreme: true,
        seed: 2,
    };
    let matrix = case.matrix();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = vec![1.0; 40];
        x[35] = bad;
        for set in others().chain([scalar::KERNELS]) {
            let q8 = quantize(set, &case, &x);
            let found = product(&case, 0, |out| {
                set.matmul_f32_q8_qn(&q8, &matrix.view(), out);
            });
            assert!(
                found.iter().all(|y| !y.is_finite()),
                "{} {bad}: {found:?}",
                set.name()
            );
        }
    }
}
