//! The packed int4 product of every set this machine runs, at the shapes of a 1.5-billion-parameter Qwen2.
//!
//! `cargo bench --bench packed -- decode` for one row (bytes of weights a second: compare with the bandwidth of
//! the cache or memory that the matrix is in), `rows` for 2 to 8 rows and `prefill` for many (multiplications a
//! second), `quantize` for activations. Add `/avx2/` or another set's name to see only that one.
//!
//! Where `THINKD_GGML_CPU` names a `libggml-cpu.so`, its product with weights repacked for AVX2 runs beside them.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ggml::Ggml;
use thinkd::kernels::{
    BlockMatrix, BlockShape, ColumnsMut, Floats, Kernels, Layout, PackedMatrix, PackedShape,
    Packing, Q8Panels, ZeroPoints, set,
};

/// Where the weights come from or what they are: name, k, n. The head alone is larger than any last-level cache.
const SHAPES: [(&str, usize, usize); 6] = [
    ("l2", 1536, 256),
    ("qkv", 1536, 2048),
    ("out", 1536, 1536),
    ("gate_up", 1536, 17_920),
    ("down", 8960, 1536),
    ("head", 1536, 151_936),
];
/// Rows of a few streams or speculated tokens.
const FEW_ROWS: [usize; 3] = [2, 4, 8];
/// Rows of a chunk of a prompt.
const MANY_ROWS: [usize; 2] = [64, 512];
/// The head is never multiplied with many rows: only the last token's logits are wanted.
const MANY_ROWS_N_MAX: usize = 20_000;

/// A matrix of arbitrary weights, packed.
struct Weights {
    layout: Layout,
    shape: PackedShape,
    output_scale: f32,
    bytes: Vec<u8>,
}

impl Weights {
    fn new(layout: Layout, k: usize, n: usize) -> Self {
        let shape = BlockShape {
            n,
            k,
            bits: 4,
            block_size: 32,
            signed: false,
        };
        let quants = (0..n * shape.blocks() * shape.block_bytes()).map(|i| ((i * 31) >> 3) as u8);
        let quants: Vec<u8> = quants.collect();
        let scales = (0..n * shape.blocks()).map(|i| (i % 101) as f32 / 5000.0);
        let scales: Vec<f32> = scales.collect();
        let source = BlockMatrix::new(shape, &quants, Floats::F32(&scales), ZeroPoints::Middle)
            .expect("lengths follow from the shape");
        let packing = Packing::new(source, layout).expect("every layout holds such blocks");
        let shape = packing.shape();
        let mut bytes = vec![0; shape.bytes(layout)];
        packing.write_tiles(0..shape.tiles(layout), &mut bytes);
        Self {
            layout,
            shape,
            output_scale: packing.output_scale(),
            bytes,
        }
    }

    fn view(&self) -> PackedMatrix<'_> {
        PackedMatrix::new(self.layout, self.shape, self.output_scale, &self.bytes)
            .expect("as many bytes as the shape needs")
    }
}

fn activations(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * 37 % 255) as f32 - 127.0) / 50.0)
        .collect()
}

fn quantize(set: &Kernels, x: &[f32], panels: &mut Q8Panels) {
    let k = panels.k();
    for mut group in panels.groups_mut() {
        let rows = group.rows();
        set.quantize_panel(&x[rows.start * k..rows.end * k], &mut group);
    }
}

fn panels(set: &Kernels, rows: usize, k: usize) -> Q8Panels {
    let mut panels = Q8Panels::new();
    set.resize_panels(&mut panels, rows, k);
    quantize(set, &activations(rows * k), &mut panels);
    panels
}

/// Name of the group that `rows` rows belong to.
fn group_name(rows: usize) -> &'static str {
    match rows {
        1 => "decode",
        2..=8 => "rows",
        _ => "prefill",
    }
}

fn throughput(rows: usize, bytes: usize, macs: usize) -> Throughput {
    if rows == 1 {
        Throughput::Bytes(bytes as u64)
    } else {
        Throughput::Elements(macs as u64)
    }
}

fn products(criterion: &mut Criterion) {
    let rows: Vec<usize> = [1].into_iter().chain(FEW_ROWS).chain(MANY_ROWS).collect();
    for (name, k, n) in SHAPES {
        let rows = rows
            .iter()
            .copied()
            .filter(|&rows| rows <= 8 || n <= MANY_ROWS_N_MAX);
        for set in set::supported() {
            // The reference is no candidate; the head alone would keep it for minutes.
            if set.name() == "scalar" {
                continue;
            }
            let weights = Weights::new(set.layout(), k, n);
            for rows in rows.clone() {
                let x = panels(&set, rows, k);
                let mut out = vec![0.0; rows * n];
                let mut group = criterion.benchmark_group(group_name(rows));
                group.throughput(throughput(rows, weights.bytes.len(), rows * n * k));
                let id = BenchmarkId::new(set.name(), format!("{name}/{k}x{n}x{rows}"));
                group.bench_function(id, |bencher| {
                    bencher.iter(|| {
                        let mut out = ColumnsMut::whole(&mut out, rows, n);
                        set.matmul_f32_q8_packed(black_box(&x), &weights.view(), &mut out);
                    });
                });
            }
        }
        if let Some(ggml) = Ggml::from_environment() {
            for rows in rows.filter(|&rows| rows == 1 || rows.is_multiple_of(4)) {
                let mut product = ggml.product(rows, k, n);
                let mut group = criterion.benchmark_group(group_name(rows));
                group.throughput(throughput(rows, product.weight_bytes(), rows * n * k));
                let id = BenchmarkId::new("ggml", format!("{name}/{k}x{n}x{rows}"));
                group.bench_function(id, |bencher| bencher.iter(|| product.run()));
            }
        }
    }
}

fn quantizing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("quantize");
    for (rows, k) in [(1, 1536), (1, 8960), (64, 1536)] {
        let x = activations(rows * k);
        group.throughput(Throughput::Bytes(size_of_val(&x[..]) as u64));
        for set in set::supported() {
            let mut panels = panels(&set, rows, k);
            group.bench_function(
                BenchmarkId::new(set.name(), format!("{k}x{rows}")),
                |bencher| {
                    bencher.iter(|| quantize(&set, black_box(&x), &mut panels));
                },
            );
        }
    }
    group.finish();
}

/// The same product by ggml: `q4_0` weights, eight columns interleaved, `q8_0` activations.
mod ggml {
    #![allow(unsafe_code, reason = "calls into another library")]

    use std::ffi::c_int;

    use libloading::{Library, Symbol};

    /// `ggml_gemv_q4_0_8x8_q8_0` and the gemm: k, out, its row stride, weights, activations, rows, columns.
    type Product = unsafe extern "C" fn(c_int, *mut f32, usize, *const u8, *const u8, c_int, c_int);

    /// Bytes of a block of eight columns: 8 scales in f16, 128 bytes of quants.
    const WEIGHT_BLOCK: usize = 144;
    /// Bytes of a block of activations of one row: a scale in f16, 32 quants.
    const ACTIVATION_BLOCK: usize = 34;
    /// A scale of 2^-9 in f16.
    const SCALE: [u8; 2] = [0x00, 0x18];

    /// The library.
    pub(super) struct Ggml(Library);

    impl Ggml {
        /// The library that `THINKD_GGML_CPU` names, made ready.
        ///
        /// # Panics
        /// If it cannot be loaded.
        pub(super) fn from_environment() -> Option<Self> {
            let path = std::env::var_os("THINKD_GGML_CPU")?;
            // SAFETY: who sets the variable vouches for the library.
            let library = unsafe { Library::new(path) }.expect("THINKD_GGML_CPU is a library");
            // SAFETY: ggml-cpu.h declares it so; it fills the tables that the products read.
            unsafe {
                let init: Symbol<'_, unsafe extern "C" fn()> =
                    library.get(b"ggml_cpu_init").expect("a library of ggml");
                init();
            }
            Some(Self(library))
        }

        /// A product of `rows` rows, which are 1 or a multiple of 4, with an arbitrary matrix.
        pub(super) fn product(&self, rows: usize, k: usize, n: usize) -> Operation<'_> {
            let name: &[u8] = if rows == 1 {
                b"ggml_gemv_q4_0_8x8_q8_0"
            } else {
                b"ggml_gemm_q4_0_8x8_q8_0"
            };
            // SAFETY: ggml's repack.h declares both so.
            let function = unsafe { self.0.get(name) }.expect("the products are exported");
            let blocks = k / 32;
            let mut weights: Vec<u8> = (0..n / 8 * blocks * WEIGHT_BLOCK)
                .map(|i| ((i * 31) >> 3) as u8)
                .collect();
            for block in weights.as_chunks_mut::<WEIGHT_BLOCK>().0 {
                block[..16].as_chunks_mut().0.fill(SCALE);
            }
            // Four rows lie side by side, their scales first.
            let side_by_side = rows.min(4);
            let mut activations: Vec<u8> = (0..rows * blocks * ACTIVATION_BLOCK)
                .map(|i| (i * 37) as u8)
                .collect();
            for block in activations.chunks_exact_mut(side_by_side * ACTIVATION_BLOCK) {
                block[..2 * side_by_side].as_chunks_mut().0.fill(SCALE);
            }
            Operation {
                function,
                sizes: (rows, k, n),
                weights,
                activations,
                out: vec![0.0; rows * n],
            }
        }
    }

    /// One product with all it needs.
    pub(super) struct Operation<'a> {
        function: Symbol<'a, Product>,
        /// Rows, k, n.
        sizes: (usize, usize, usize),
        weights: Vec<u8>,
        activations: Vec<u8>,
        out: Vec<f32>,
    }

    impl Operation<'_> {
        pub(super) fn weight_bytes(&self) -> usize {
            self.weights.len()
        }

        pub(super) fn run(&mut self) {
            let (rows, k, n) = self.sizes;
            // SAFETY: the buffers are as long as these sizes need, and n is a multiple of 8, k of 32.
            unsafe {
                (self.function)(
                    k as c_int,
                    self.out.as_mut_ptr(),
                    n,
                    self.weights.as_ptr(),
                    self.activations.as_ptr(),
                    rows as c_int,
                    n as c_int,
                );
            }
        }
    }
}

criterion_group! {
    name = packed;
    config = Criterion::default()
        .without_plots()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300));
    targets = quantizing, products
}
criterion_main!(packed);
