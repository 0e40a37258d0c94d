//! Packing, and the product with packed weights: `scalar` against f64, every set against `scalar`, bit for bit.

use proptest::prelude::*;

use super::data::{Case, Matrix, Zeros};
use super::{UNIT, assert_within, bits};
use crate::kernels::packed::{BLOCK, GROUP_BLOCKS};
use crate::kernels::scalar::{self, quantize_block};
use crate::kernels::table::Kernels;
use crate::kernels::{
    BlockShape, ColumnsMut, Layout, PackedMatrix, Packing, Q8Panels, ScaleForm, set,
};

/// Roundings a block goes through: the scale to f16 counts as 2^13 of f32's, the product, the sum; a few to spare.
const ROUNDINGS: f64 = 8192.0 + 4.0;

/// Of the matrix' largest scale: what f16 may lose of one that is nearly 0.
const HALF_SMALLEST: f64 = 3.7e-12; // 2^-38
/// Of the matrix' largest scale: what 127 times a factor may lose that is nearly 0.
const FACTOR_SMALLEST: f64 = 4.7e-10; // 2^-31
/// Of a group's largest scale: half a step of a code, where the coarsest factor that is tried is taken.
const CODE_ERROR: f64 = 0.5 / 115.0;

/// A packed matrix with its bytes.
struct Packed {
    layout: Layout,
    bytes: Vec<u8>,
    shape: crate::kernels::PackedShape,
    output_scale: f32,
}

impl Packed {
    fn new(matrix: &Matrix, layout: Layout) -> Self {
        let packing = Packing::new(matrix.view(), layout).expect("a format that can be packed");
        let shape = packing.shape();
        let mut bytes = vec![0xAA; shape.bytes(layout)];
        // In two parts, as two threads would.
        let half = shape.tiles(layout) / 2;
        let (first, second) = bytes.split_at_mut(half * shape.tile_bytes(layout));
        packing.write_tiles(half..shape.tiles(layout), second);
        packing.write_tiles(0..half, first);
        Self {
            layout,
            bytes,
            shape,
            output_scale: packing.output_scale(),
        }
    }

    fn view(&self) -> PackedMatrix<'_> {
        PackedMatrix::new(self.layout, self.shape, self.output_scale, &self.bytes).unwrap()
    }
}

/// `scalar`'s kernels for another layout than its own.
fn scalar_with(layout: Layout) -> Kernels {
    let mut kernels = scalar::KERNELS;
    kernels.packed.layout = layout;
    kernels
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = (1..80_usize, 1..500_usize, 0..4_u32, any::<bool>());
    let formats = (any::<bool>(), any::<bool>(), any::<bool>());
    (sizes, formats, 1..20_usize, any::<u64>()).prop_map(|(sizes, formats, rows, seed)| {
        let (n, k, size, signed) = sizes;
        let (f16, packed_zeros, extreme) = formats;
        Case {
            shape: BlockShape {
                n,
                k,
                bits: 4,
                block_size: BLOCK << size,
                signed,
            },
            f16,
            zeros: if packed_zeros {
                Zeros::Packed
            } else {
                Zeros::Middle
            },
            rows,
            extreme,
            seed,
        }
    })
}

/// Every number of rows up to two groups and more, with columns and lengths round a tile, a block, a stretch.
fn hard_cases() -> impl Iterator<Item = Case> {
    let lengths = [1, 31, 32, 33, 96, 1024, 1056, 2080];
    (1..=18).map(move |rows| Case {
        shape: BlockShape {
            n: [1, 7, 8, 9, 31, 32, 33, 64, 72][rows % 9],
            k: lengths[rows % lengths.len()],
            bits: 4,
            block_size: 32 << (rows % 3),
            signed: rows == 5,
        },
        f16: rows % 4 == 1,
        zeros: if rows % 2 == 0 {
            Zeros::Packed
        } else {
            Zeros::Middle
        },
        rows,
        extreme: rows % 5 != 0,
        seed: rows as u64,
    })
}

fn quantize(kernels: Kernels, rows: usize, x: &[f32]) -> Q8Panels {
    let mut panels = Q8Panels::new();
    let k = x.len() / rows;
    kernels.resize_panels(&mut panels, rows, k);
    for mut group in panels.groups_mut() {
        let rows = group.rows();
        kernels.quantize_panel(&x[rows.start * k..rows.end * k], &mut group);
    }
    panels
}

/// The whole product; the tiles from `split` on in a call of their own.
fn product(kernels: Kernels, packed: &Packed, rows: usize, x: &[f32], split: usize) -> Vec<f32> {
    let panels = quantize(kernels, rows, x);
    let n = packed.shape.n;
    let mut out = vec![f32::NAN; rows * n];
    let all = ColumnsMut::whole(&mut out, rows, n);
    let (mut first, mut second) = all.split_at(n.min(split * packed.layout.columns()));
    kernels.matmul_f32_q8_packed(&panels, &packed.view(), &mut second);
    kernels.matmul_f32_q8_packed(&panels, &packed.view(), &mut first);
    out
}

fn check_case(case: &Case) {
    let (matrix, x) = (case.matrix(), case.activations());
    let sets = set::supported();
    for layout in Layout::ALL {
        let packed = Packed::new(&matrix, layout);
        let reference = product(scalar_with(layout), &packed, case.rows, &x, 0);
        check_against_f64(case, &matrix, &x, layout, &reference);
        for set in sets.iter().filter(|set| set.layout() == layout) {
            for split in [0, packed.shape.tiles(layout) / 2] {
                let found = product(*set, &packed, case.rows, &x, split);
                assert_eq!(
                    bits(&found),
                    bits(&reference),
                    "{} {split} {case:?}",
                    set.name()
                );
            }
            for (row, x) in x.chunks_exact(case.shape.k).enumerate() {
                let alone = product(*set, &packed, 1, x, 0);
                let together = &reference[row * case.shape.n..][..case.shape.n];
                assert_eq!(
                    bits(&alone),
                    bits(together),
                    "{} {row} {case:?}",
                    set.name()
                );
            }
        }
    }
}

fn check_against_f64(case: &Case, matrix: &Matrix, x: &[f32], layout: Layout, found: &[f32]) {
    let (mut exact, mut bounds) = (Vec::new(), Vec::new());
    let k = case.shape.k;
    let scale = |column: usize, k: usize| matrix.parts(column, k).2.abs();
    let largest = |column: usize, elements: std::ops::Range<usize>| {
        elements.map(|k| scale(column, k)).fold(0.0, f64::max)
    };
    let largest_of_all = (0..case.shape.n)
        .map(|column| largest(column, 0..k))
        .fold(0.0, f64::max);
    // What the scales of a column may be off by, whatever their size, group by group.
    let scale_errors: Vec<Vec<f64>> = (0..case.shape.n)
        .map(|column| {
            let groups = (0..k).step_by(GROUP_BLOCKS * BLOCK);
            let error = |start: usize| match layout.scales() {
                ScaleForm::Half => largest_of_all * HALF_SMALLEST,
                ScaleForm::Coded => {
                    let elements = start..k.min(start + GROUP_BLOCKS * BLOCK);
                    largest(column, elements) * CODE_ERROR + largest_of_all * FACTOR_SMALLEST
                }
            };
            groups.map(error).collect()
        })
        .collect();
    for x in x.chunks_exact(k) {
        let blocks: Vec<_> = x.chunks(BLOCK).map(quantize_block).collect();
        for (column, errors) in scale_errors.iter().enumerate() {
            let (mut sum, mut magnitude, mut lost) = (0.0, 0.0, 0.0);
            for k in 0..k {
                let block = &blocks[k / BLOCK];
                let x = f64::from(block.quants[k % BLOCK]) * f64::from(block.scale);
                let (quant, zero_point, scale) = matrix.parts(column, k);
                sum += x * (quant - zero_point) * scale;
                magnitude += (x * (quant - zero_point) * scale).abs();
                lost += (x * (quant - zero_point)).abs() * errors[k / (GROUP_BLOCKS * BLOCK)];
            }
            exact.push(sum);
            bounds.push((blocks.len() as f64 + ROUNDINGS) * UNIT * magnitude + lost);
        }
    }
    assert_within(found, &exact, &bounds, case);
}

#[test]
fn hard_shapes_agree_in_every_set() {
    hard_cases().for_each(|case| check_case(&case));
}

/// More rows and a longer k than any kernel keeps in its caches at a time.
#[test]
fn many_rows_agree_in_every_set() {
    for zeros in [Zeros::Middle, Zeros::Packed] {
        check_case(&Case {
            shape: BlockShape {
                n: 40,
                k: 1640,
                bits: 4,
                block_size: 32,
                signed: false,
            },
            f16: false,
            zeros,
            rows: 140,
            extreme: false,
            seed: 3,
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(target_arch = "x86_64") { 60 } else { 20 }))]

    #[test]
    fn random_shapes_agree_in_every_set(case in cases()) {
        check_case(&case);
    }
}

#[test]
fn refuses_what_no_layout_holds() {
    let base = BlockShape {
        n: 3,
        k: 70,
        bits: 4,
        block_size: 32,
        signed: false,
    };
    let case = |shape, zeros| Case {
        shape,
        f16: false,
        zeros,
        rows: 1,
        extreme: false,
        seed: 1,
    };
    let refused = [
        case(BlockShape { bits: 8, ..base }, Zeros::Middle),
        case(
            BlockShape {
                block_size: 16,
                ..base
            },
            Zeros::Middle,
        ),
        case(base, Zeros::Float),
    ];
    for case in refused {
        let matrix = case.matrix();
        assert!(
            Packing::new(matrix.view(), Layout::Rows8).is_none(),
            "{case:?}"
        );
    }
    let matrix = case(base, Zeros::Packed).matrix();
    assert!(Packing::new(matrix.view(), Layout::Rows8).is_some());
}

#[test]
fn activations_that_are_no_numbers_are_not_hidden() {
    let case = Case {
        shape: BlockShape {
            n: 40,
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
    for set in set::supported() {
        let packed = Packed::new(&matrix, set.layout());
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for rows in [1, 3] {
                let mut x = vec![1.0; 40 * rows];
                x[40 * (rows - 1) + 35] = bad;
                let found = product(set, &packed, rows, &x, 0);
                let last = &found[40 * (rows - 1)..];
                assert!(last.iter().all(|y| !y.is_finite()), "{} {bad}", set.name());
                let others = &found[..40 * (rows - 1)];
                assert!(others.iter().all(|y| y.is_finite()), "{} {bad}", set.name());
            }
        }
    }
}
