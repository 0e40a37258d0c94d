//! No answer depends on what it is computed together with.

use super::*;
use crate::kernels::{Kernels, Threads};
use crate::ops::graph_op::Bound;
use crate::ops::{Activations, KvPrecision};

const HEADS: usize = 8;
const KV_HEADS: usize = 2;
const HEAD_DIM: usize = 64;
/// Query, key and value of a token, side by side.
const WIDTH: usize = (HEADS + 2 * KV_HEADS) * HEAD_DIM;
const TOKENS: usize = 300;

struct Setup {
    op: GroupQueryAttention,
    cache: KvCache,
}

impl Setup {
    fn new(threads: usize, precision: KvPrecision, window_tokens: Option<usize>) -> Self {
        let runtime = Runtime {
            kernels: Kernels::best(),
            threads: Threads::new(threads),
            activations: Activations::Auto,
            kv_cache: precision,
            context_tokens: TOKENS,
            lanes: 3,
            profile: Default::default(),
            scratch: Default::default(),
        };
        let mut op = GroupQueryAttention {
            heads: HEADS,
            kv_heads: KV_HEADS,
            head_dim: HEAD_DIM,
            scale: 0.125,
            softcap: 0.0,
            window_tokens,
            rotary: None,
            packed: true,
            bound: Bound::default(),
        };
        let cache = KvCache::new(KV_HEADS, HEAD_DIM, &runtime);
        op.bound.set(Parts {
            table: None,
            runtime: Arc::new(runtime),
        });
        Self { op, cache }
    }

    /// Answers to `rows`, `[tokens, WIDTH]`, the tokens of `segments` one after the other.
    fn run(&mut self, rows: &[f32], segments: &[Segment]) -> Vec<f32> {
        let run = Projections {
            query: rows,
            key: &rows[HEADS * HEAD_DIM..],
            value: &rows[(HEADS + KV_HEADS) * HEAD_DIM..],
            strides: [WIDTH; 3],
        };
        let mut out = vec![f32::NAN; rows.len() / WIDTH * HEADS * HEAD_DIM];
        self.op
            .run(&mut self.cache, &run, segments, &mut out)
            .unwrap();
        out
    }

    /// Answers to a whole sequence, `chunk` tokens a run.
    fn chunked(&mut self, rows: &[f32], chunk: usize) -> Vec<f32> {
        let runs = rows.chunks(chunk * WIDTH).enumerate().map(|(i, rows)| {
            let segment = Segment {
                lane: 0,
                past_tokens: i * chunk,
                tokens: rows.len() / WIDTH,
            };
            self.run(rows, &[segment])
        });
        runs.collect::<Vec<_>>().concat()
    }
}

fn sequence(seed: u32) -> Vec<f32> {
    let mut bits = seed;
    let next = || {
        bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (bits >> 8) as f32 / (1 << 22) as f32 - 2.0
    };
    std::iter::repeat_with(next).take(TOKENS * WIDTH).collect()
}

#[test]
fn no_answer_depends_on_chunks_or_threads() {
    let rows = sequence(1);
    for precision in [KvPrecision::F16, KvPrecision::F32, KvPrecision::Int8] {
        for window in [None, Some(40)] {
            let alone = Setup::new(1, precision, window).chunked(&rows, 1);
            assert!(alone.iter().all(|x| x.abs() <= 2.1));
            for (threads, chunk) in [(1, TOKENS), (1, 7), (2, TOKENS), (3, 64), (3, 1)] {
                let found = Setup::new(threads, precision, window).chunked(&rows, chunk);
                let case = (precision, window, threads, chunk);
                assert!(found == alone, "{case:?}");
            }
        }
    }
}

#[test]
fn no_answer_depends_on_other_lanes() {
    let sequences = [1, 2, 3].map(sequence);
    let alone = sequences
        .each_ref()
        .map(|rows| Setup::new(1, KvPrecision::F16, None).chunked(rows, 50));
    let mut setup = Setup::new(2, KvPrecision::F16, None);
    let mut done = [0; 3];
    // Each lane at its own pace, up to its end; lanes in any order.
    for order in [[2, 0, 1], [0, 1, 2], [1, 2, 0]].into_iter().cycle() {
        let segments: Vec<_> = order
            .into_iter()
            .map(|lane| Segment {
                lane,
                past_tokens: done[lane],
                tokens: [1, 30, 90][lane].min(TOKENS - done[lane]),
            })
            .filter(|segment| segment.tokens > 0)
            .collect();
        let rows: Vec<_> = segments
            .iter()
            .map(|s| &sequences[s.lane][s.past_tokens * WIDTH..][..s.tokens * WIDTH])
            .collect();
        let found = setup.run(&rows.concat(), &segments);
        let mut found = found.chunks_exact(HEADS * HEAD_DIM);
        for segment in &segments {
            let expected = alone[segment.lane].chunks_exact(HEADS * HEAD_DIM);
            let expected = expected.skip(segment.past_tokens).take(segment.tokens);
            for (token, expected) in expected.enumerate() {
                assert!(found.next() == Some(expected), "{segment:?} token {token}");
            }
            done[segment.lane] += segment.tokens;
        }
        if done == [TOKENS; 3] {
            break;
        }
    }
}
