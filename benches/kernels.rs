//! The kernels of every set this machine runs, at the shapes of a 1.5-billion-parameter Qwen2, and the thread pool.
//!
//! `cargo bench --bench kernels -- decode` for the product with one row (bytes of weights a second: compare with
//! the memory's bandwidth), `prefill` for many rows (multiplications a second), `fork_join`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use thinkd::kernels::{
    BlockMatrix, BlockShape, ColumnsMut, Floats, Kernels, Q8Rows, Threads, ZeroPoints, set,
};

/// k and n of the attention and feed-forward products.
const SHAPES: [(usize, usize); 4] = [(1536, 1536), (1536, 256), (1536, 8960), (8960, 1536)];
const BLOCK_SIZE: usize = 32;
/// Rows of a prefill chunk.
const PREFILL_ROWS: usize = 32;

/// A matrix of arbitrary weights, with what it borrows.
struct Weights {
    shape: BlockShape,
    quants: Vec<u8>,
    scales: Vec<f32>,
}

impl Weights {
    fn new(k: usize, n: usize) -> Self {
        let shape = BlockShape {
            n,
            k,
            bits: 4,
            block_size: BLOCK_SIZE,
            signed: false,
        };
        let quants = (0..n * shape.blocks() * shape.block_bytes()).map(|i| ((i * 31) >> 3) as u8);
        let scales = (0..n * shape.blocks()).map(|i| (i % 101) as f32 / 5000.0);
        Self {
            shape,
            quants: quants.collect(),
            scales: scales.collect(),
        }
    }

    fn view(&self) -> BlockMatrix<'_> {
        let scales = Floats::F32(&self.scales);
        BlockMatrix::new(self.shape, &self.quants, scales, ZeroPoints::Middle)
            .expect("lengths follow from the shape")
    }
}

fn activations(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * 37 % 255) as f32 - 127.0) / 50.0)
        .collect()
}

fn quantized(set: &Kernels, rows: usize, shape: &BlockShape) -> Q8Rows {
    let mut q8 = Q8Rows::new();
    q8.resize(rows, shape);
    set.quantize_q8(&activations(rows * shape.k), &mut q8);
    q8
}

fn products(criterion: &mut Criterion) {
    for (group, rows) in [("decode", 1), ("prefill", PREFILL_ROWS)] {
        let mut group = criterion.benchmark_group(group);
        for (k, n) in SHAPES {
            let weights = Weights::new(k, n);
            let w = weights.view();
            let mut out = vec![0.0; rows * n];
            group.throughput(if rows == 1 {
                Throughput::Bytes(w.bytes() as u64)
            } else {
                Throughput::Elements((rows * n * k) as u64)
            });
            for set in set::supported() {
                let q8 = quantized(&set, rows, &weights.shape);
                let id = BenchmarkId::new(set.name(), format!("{k}x{n}"));
                group.bench_function(id, |bencher| {
                    bencher.iter(|| {
                        let mut out = ColumnsMut::whole(&mut out, rows, n);
                        set.matmul_f32_q8_qn(black_box(&q8), &w, &mut out);
                    });
                });
            }
        }
        group.finish();
    }
}

/// Decode as it runs: all cores, chunks of columns.
fn threaded(criterion: &mut Criterion) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = Threads::new(cores);
    let set = Kernels::best();
    let mut group = criterion.benchmark_group("decode_threads");
    for (k, n) in SHAPES {
        let weights = Weights::new(k, n);
        let w = weights.view();
        let q8 = quantized(&set, 1, &weights.shape);
        let mut out = vec![0.0; n];
        group.throughput(Throughput::Bytes(w.bytes() as u64));
        group.bench_function(
            BenchmarkId::new(set.name(), format!("{k}x{n}x{cores}")),
            |bencher| {
                bencher.iter(|| {
                    let out = ColumnsMut::whole(&mut out, 1, n);
                    threads.run_columns(out, 64, |mut part| {
                        set.matmul_f32_q8_qn(&q8, &w, &mut part);
                    });
                });
            },
        );
    }
    group.finish();
}

fn rows_of_floats(criterion: &mut Criterion) {
    let k = 8960;
    let x = activations(k);
    let shape = BlockShape {
        n: 1,
        k,
        bits: 4,
        block_size: BLOCK_SIZE,
        signed: false,
    };
    let mut group = criterion.benchmark_group("rows");
    for set in set::supported() {
        let (mut q8, mut out) = (Q8Rows::new(), vec![0.0; k]);
        q8.resize(1, &shape);
        group.throughput(Throughput::Bytes(size_of_val(&x[..]) as u64));
        group.bench_function(BenchmarkId::new("quantize_q8", set.name()), |bencher| {
            bencher.iter(|| set.quantize_q8(black_box(&x), &mut q8));
        });
        group.bench_function(BenchmarkId::new("rms_norm", set.name()), |bencher| {
            bencher.iter(|| set.rms_norm(black_box(&x), &x, 1e-6, &mut out));
        });
        group.bench_function(BenchmarkId::new("silu_mul", set.name()), |bencher| {
            bencher.iter(|| set.silu_mul(black_box(&x), &x, &mut out));
        });
    }
    group.finish();
}

fn fork_join(criterion: &mut Criterion) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = Threads::new(cores);
    let mut group = criterion.benchmark_group("fork_join");
    group.bench_function(BenchmarkId::new("at_once", cores), |bencher| {
        bencher.iter(|| threads.run(cores, &|chunk| _ = black_box(chunk)));
    });
    // A gap longer than the workers spin: they have to be woken.
    group.bench_function(BenchmarkId::new("after_500_us", cores), |bencher| {
        bencher.iter_custom(|iterations| {
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                std::thread::sleep(Duration::from_micros(500));
                let start = std::time::Instant::now();
                threads.run(cores, &|chunk| _ = black_box(chunk));
                total += start.elapsed();
            }
            total
        });
    });
    group.finish();
}

criterion_group! {
    name = kernels;
    config = Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600));
    targets = products, threaded, rows_of_floats, fork_join
}
criterion_main!(kernels);
