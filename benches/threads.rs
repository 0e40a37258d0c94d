//! The thread pool: what fork and join cost after a gap, and what a decode step costs beside other work.
//!
//! `cargo bench --bench threads -- fork_join` for the first, `-- decode_step` for the second. A decode step is as
//! many runs over as many bytes as one token of a 1.5-billion-parameter int4 model takes, summed instead of
//! multiplied. Its cases take turns, and the best quarter of each counts: other work on the machine only slows.

#![allow(
    clippy::print_stdout,
    reason = "the comparison between cases is the result, and criterion shows none"
)]

use std::hint::black_box;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use thinkd::kernels::{Threads, read_bandwidth};

/// Bytes of weights that one token of the 1.5-billion-parameter model reads.
const STEP_BYTES: usize = 868_000_000;
/// Products of one token.
const STEP_RUNS: usize = 140;
/// Rounds of [`STEPS`] steps of every case.
const ROUNDS: usize = 6;
const STEPS: usize = 12;

fn main() {
    let mut criterion = Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .configure_from_args();
    fork_join(&mut criterion);
    criterion.final_summary();
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    let filtered = std::env::args().skip(1).any(|a| !a.starts_with('-'));
    // `cargo test` runs benches too, without `--bench`.
    if asked("--bench") && (asked("decode_step") || !filtered) {
        decode_step();
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn fork_join(criterion: &mut Criterion) {
    let threads = Threads::new(cores());
    let mut group = criterion.benchmark_group("fork_join");
    for gap in [0, 10, 100, 500] {
        let gap = Duration::from_micros(gap);
        let id = BenchmarkId::new(format!("after_{}_us", gap.as_micros()), threads.count());
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|iterations| {
                let mut total = Duration::ZERO;
                for _ in 0..iterations {
                    let quiet = Instant::now();
                    while quiet.elapsed() < gap {
                        std::hint::spin_loop();
                    }
                    let start = Instant::now();
                    threads.run(threads.count(), &|chunk| _ = black_box(chunk));
                    total += start.elapsed();
                }
                total
            });
        });
    }
    group.finish();
}

/// One way of running a decode step.
struct Case {
    threads: usize,
    /// Other processes that never stop.
    busy: usize,
}

fn decode_step() {
    let weights: Vec<u8> = (0..STEP_BYTES).map(|i| (i >> 12) as u8).collect();
    let cases = [(1, 0), (cores(), 0), (1, 1), (cores(), 1), (cores(), 2)];
    let cases = cases.map(|(threads, busy)| Case { threads, busy });
    let mut times: Vec<Vec<f64>> = cases.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (case, times) in cases.iter().zip(&mut times) {
            times.extend(step_times(case, &weights));
        }
    }
    let mut alone = None;
    for (case, times) in cases.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let best = &times[..times.len() / 4];
        let best = best.iter().sum::<f64>() / best.len() as f64;
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        let alone = *alone.get_or_insert(best);
        println!(
            "decode_step: {} threads beside {} busy processes: {:.1} ms in the best quarter ({:.2} of one thread \
             alone), {:.1} ms in the mean, {:.1} GB/s",
            case.threads,
            case.busy,
            best * 1e3,
            alone / best,
            mean * 1e3,
            STEP_BYTES as f64 / best / 1e9
        );
    }
}

/// Seconds that each of [`STEPS`] steps took.
fn step_times(case: &Case, weights: &[u8]) -> Vec<f64> {
    let _busy: Vec<Busy> = (0..case.busy).map(|_| Busy::start()).collect();
    let threads = Threads::new(case.threads);
    let step = || {
        let start = Instant::now();
        for run in weights.chunks(STEP_BYTES.div_ceil(STEP_RUNS)) {
            black_box(read_bandwidth(&threads, run));
        }
        start.elapsed().as_secs_f64()
    };
    (0..STEPS).map(|_| step()).collect()
}

/// A process that never stops of itself.
struct Busy(Child);

impl Busy {
    fn start() -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "while :; do :; done"]);
        Self(shell.spawn().expect("a shell to keep a core busy"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.kill().expect("a child of this process");
        self.0.wait().expect("a child of this process");
    }
}
