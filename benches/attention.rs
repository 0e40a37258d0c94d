//! Attention of one layer of a 1.5-billion-parameter Qwen2: 12 heads, 2 of keys and values, 128 elements each.
//!
//! `cargo bench --bench attention -- decode` for one token at several depths, with all cores: bytes of keys and
//! values a second, to compare with the memory's bandwidth. The layers of a whole model take turns, so that they
//! come from memory as they do in a run. `-- prefill` for many tokens from position 0, on one core:
//! multiplications a second.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use half::f16;
use thinkd::kernels::{
    AttentionBlock, AttentionScratch, AttentionState, BLOCK_TOKENS, Kernels, KeyValues, TOKEN_TILE,
    Threads, pack_query, queries_len, set,
};

const HEADS: usize = 12;
const KV_HEADS: usize = 2;
const HEAD_DIM: usize = 128;
const GROUP: usize = HEADS / KV_HEADS;
const LAYERS: usize = 28;
/// Tokens whose queries are computed together.
const QUERY_TOKENS: usize = 16;
/// Elements of the keys, or of the values, of a block.
const BLOCK: usize = BLOCK_TOKENS * HEAD_DIM;

/// Keys and values of one head of one layer, in blocks of one after the other.
enum Cache {
    F32(Vec<f32>),
    F16(Vec<f16>),
    Int8(Vec<i8>, Vec<f32>),
}

impl Cache {
    fn new(kind: &str, tokens: usize) -> Self {
        let blocks = tokens.div_ceil(BLOCK_TOKENS);
        let floats = floats(2 * blocks * BLOCK);
        match kind {
            "f32" => Self::F32(floats),
            "f16" => Self::F16(floats.into_iter().map(f16::from_f32).collect()),
            _ => Self::Int8(
                floats.into_iter().map(|x| (x * 50.0) as i8).collect(),
                vec![0.02; blocks * BLOCK_TOKENS],
            ),
        }
    }

    fn block(&self, block: usize) -> KeyValues<'_> {
        fn halves<T>(all: &[T], block: usize) -> (&[T], &[T]) {
            let (keys, values) = all.split_at(all.len() / 2);
            let range = block * BLOCK..(block + 1) * BLOCK;
            (&keys[range.clone()], &values[range])
        }
        match self {
            Self::F32(all) => {
                let (keys, values) = halves(all, block);
                KeyValues::F32 { keys, values }
            }
            Self::F16(all) => {
                let (keys, values) = halves(all, block);
                KeyValues::F16 { keys, values }
            }
            Self::Int8(all, scales) => {
                let (keys, values) = halves(all, block);
                let scales = &scales[block * BLOCK_TOKENS..][..BLOCK_TOKENS];
                KeyValues::Int8 {
                    keys,
                    key_scales: scales,
                    values,
                    value_scales: scales,
                }
            }
        }
    }

    /// Bytes that `tokens` tokens take.
    fn bytes(&self, tokens: usize) -> usize {
        2 * tokens
            * match self {
                Self::F32(_) => 4 * HEAD_DIM,
                Self::F16(_) => 2 * HEAD_DIM,
                Self::Int8(..) => HEAD_DIM + 4,
            }
    }
}

fn floats(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * 37 % 255) as f32 - 127.0) / 100.0)
        .collect()
}

fn queries(tokens: usize) -> Vec<f32> {
    let rows = tokens * GROUP;
    let mut packed = vec![0.0; queries_len(rows, HEAD_DIM)];
    for (row, query) in floats(rows * HEAD_DIM).chunks(HEAD_DIM).enumerate() {
        pack_query(query, 0.09, row, &mut packed);
    }
    packed
}

/// Block `block` of keys, and the queries of `tokens` tokens from `position` on.
fn attend(
    set: &Kernels,
    (cache, block): (&Cache, usize),
    queries: &[f32],
    (position, tokens): (usize, usize),
    scratch: &mut AttentionScratch,
    state: &mut [f32],
) {
    let rows = tokens * GROUP;
    let end = position + tokens;
    let block = AttentionBlock {
        queries,
        rows,
        group: GROUP,
        head_dim: HEAD_DIM,
        position,
        window: usize::MAX,
        softcap: 0.0,
        tokens: block * BLOCK_TOKENS..end.min((block + 1) * BLOCK_TOKENS),
        key_values: cache.block(block),
    };
    set.attend(&block, scratch, &mut AttentionState::of(state, rows));
}

fn scratch() -> AttentionScratch {
    let mut scratch = AttentionScratch::default();
    scratch.reserve(HEAD_DIM);
    scratch
}

fn clear(state: &mut [f32], rows: usize) {
    AttentionState::of(state, rows).clear();
}

/// One token after `depth` others, each block of keys on some thread.
fn decode(criterion: &mut Criterion) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = Threads::new(cores);
    let set = Kernels::best();
    let queries = queries(1);
    let state_len = AttentionState::len(GROUP, HEAD_DIM);
    let mut group = criterion.benchmark_group("decode");
    for kind in ["f16", "f32", "int8"] {
        for depth in [0, 512, 2048, 4096] {
            let layers: Vec<[Cache; KV_HEADS]> = (0..LAYERS)
                .map(|_| [0; KV_HEADS].map(|_| Cache::new(kind, depth + TOKEN_TILE)))
                .collect();
            let blocks = (depth + 1).div_ceil(BLOCK_TOKENS);
            let states: Vec<_> = (0..KV_HEADS * blocks)
                .map(|_| Mutex::new((scratch(), vec![0.0; state_len])))
                .collect();
            let mut layer = (0..LAYERS).cycle();
            group.throughput(Throughput::Bytes(
                (KV_HEADS * layers[0][0].bytes(depth + 1)) as u64,
            ));
            group.bench_function(BenchmarkId::new(kind, depth), |bencher| {
                bencher.iter(|| {
                    let layer = &layers[layer.next().unwrap_or(0)];
                    let job = |piece: usize| {
                        let (head, block) = (piece / blocks, piece % blocks);
                        let mut own = states[piece].lock().expect("no piece panics");
                        let (scratch, state) = &mut *own;
                        clear(state, GROUP);
                        let cache = (&layer[head], block);
                        attend(&set, cache, &queries, (depth, 1), scratch, state);
                    };
                    if blocks == 1 {
                        (0..KV_HEADS).for_each(job);
                    } else {
                        threads.run(KV_HEADS * blocks, &job);
                    }
                    for head in states.chunks(blocks) {
                        let mut first = head[0].lock().expect("no piece panics");
                        let mut state = AttentionState::of(&mut first.1, GROUP);
                        for part in &head[1..] {
                            let mut part = part.lock().expect("no piece panics");
                            let part = AttentionState::of(&mut part.1, GROUP);
                            set.merge_attention(&mut state, &part);
                        }
                    }
                });
            });
        }
    }
    group.finish();
}

/// Many tokens from position 0 on one thread, in every set.
fn prefill(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("prefill");
    for set in set::supported() {
        for kind in ["f16", "f32", "int8"] {
            for tokens in [64, 512] {
                if set.name() == "scalar" && (tokens > 64 || kind != "f16") {
                    continue;
                }
                let caches = [0; KV_HEADS].map(|_| Cache::new(kind, tokens));
                let queries = queries(QUERY_TOKENS);
                let rows = QUERY_TOKENS * GROUP;
                let (mut scratch, mut state) =
                    (scratch(), vec![0.0; AttentionState::len(rows, HEAD_DIM)]);
                let pairs = tokens * (tokens + 1) / 2;
                group.throughput(Throughput::Elements((2 * pairs * HEADS * HEAD_DIM) as u64));
                let id = BenchmarkId::new(format!("{}/{kind}", set.name()), tokens);
                group.bench_function(id, |bencher| {
                    bencher.iter(|| {
                        for cache in &caches {
                            for position in (0..tokens).step_by(QUERY_TOKENS) {
                                clear(&mut state, rows);
                                let run = (position, QUERY_TOKENS);
                                for block in 0..=position / BLOCK_TOKENS {
                                    let cache = (cache, block);
                                    attend(&set, cache, &queries, run, &mut scratch, &mut state);
                                }
                                black_box(&state);
                            }
                        }
                    });
                });
            }
        }
    }
    group.finish();
}

criterion_group! {
    name = attention;
    config = Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = decode, prefill
}
criterion_main!(attention);
