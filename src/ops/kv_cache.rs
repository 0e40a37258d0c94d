//! The keys and values that an attention operator keeps between runs.

mod prefix;

use half::f16;
use half::slice::HalfBitsSliceExt;
use ndarray::{Array2, Array3, Array4, Axis, s};
use tract_onnx::tract_core::model::TypedSimpleState;

pub use prefix::{put_prefix, take_prefix};

use super::{KvPrecision, Runtime};
use crate::kernels::{BLOCK_TOKENS, Kernels, KeyValues, TOKEN_TILE, row_len};

/// Keys and values of one layer: those of each lane, allocated when the lane is first used.
#[derive(Debug, Clone)]
pub(super) struct KvCache {
    shape: CacheShape,
    lanes: Vec<Option<Lane>>,
}

/// What a lane holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct CacheShape {
    pub(super) kv_heads: usize,
    pub(super) head_dim: usize,
    /// Tokens there is room for.
    pub(super) context_tokens: usize,
    precision: KvPrecision,
}

impl KvCache {
    /// An empty cache of `runtime.lanes` lanes, each for `runtime.context_tokens` tokens.
    pub(super) fn new(kv_heads: usize, head_dim: usize, runtime: &Runtime) -> Self {
        Self {
            shape: CacheShape {
                kv_heads,
                head_dim,
                context_tokens: runtime.context_tokens,
                precision: runtime.kv_cache,
            },
            lanes: vec![None; runtime.lanes],
        }
    }

    /// What a lane holds.
    pub(super) fn shape(&self) -> CacheShape {
        self.shape
    }

    /// Number of lanes.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The lane, for writing.
    pub(super) fn lane_mut(&mut self, lane: usize) -> &mut Lane {
        self.lanes[lane].get_or_insert_with(|| Lane::new(self.shape))
    }

    /// Makes the first `tokens` tokens of lane `from` those of lane `to`.
    fn copy_prefix(&mut self, (from, to): (usize, usize), tokens: usize) {
        // Neither lane is there before its first use; what holds no token is not copied.
        if tokens == 0 || from == to || self.lanes[from].is_none() {
            return;
        }
        self.lane_mut(to);
        let [Some(from), Some(to)] = self
            .lanes
            .get_disjoint_mut([from, to])
            .expect("two lanes that are not the same")
        else {
            return;
        };
        to.copy_prefix(from, tokens);
    }

    /// The lane, where something has been written to it.
    pub(super) fn lane(&self, lane: usize) -> Option<&Lane> {
        self.lanes[lane].as_ref()
    }
}

/// Keys and values of one sequence of tokens: keys `[kv_heads, tiles, head_dim, TOKEN_TILE]`, values
/// `[kv_heads, tokens, row_len(head_dim)]`, scales `[kv_heads, tokens]`, the tokens filled up to whole tiles.
///
/// All zeroed memory that the system hands out page by page as the context grows.
#[derive(Debug, Clone)]
pub(super) enum Lane {
    F32 {
        keys: Array4<f32>,
        values: Array3<f32>,
    },
    /// The bits of half precision, because zeros of that type would be written, one by one.
    F16 {
        keys: Array4<u16>,
        values: Array3<u16>,
    },
    Int8 {
        keys: Array4<i8>,
        key_scales: Array2<f32>,
        values: Array3<i8>,
        value_scales: Array2<f32>,
    },
}

impl Lane {
    fn new(shape: CacheShape) -> Self {
        let (heads, dim) = (shape.kv_heads, shape.head_dim);
        let tiles = shape.context_tokens.div_ceil(TOKEN_TILE);
        let keys = (heads, tiles, dim, TOKEN_TILE);
        let values = (heads, tiles * TOKEN_TILE, row_len(dim));
        let scales = (heads, tiles * TOKEN_TILE);
        match shape.precision {
            KvPrecision::F32 => Self::F32 {
                keys: Array4::zeros(keys),
                values: Array3::zeros(values),
            },
            KvPrecision::F16 => Self::F16 {
                keys: Array4::zeros(keys),
                values: Array3::zeros(values),
            },
            KvPrecision::Int8 => Self::Int8 {
                keys: Array4::zeros(keys),
                key_scales: Array2::zeros(scales),
                values: Array3::zeros(values),
                value_scales: Array2::zeros(scales),
            },
        }
    }

    /// Takes over the first `tokens` tokens of `from`, of the same shape.
    fn copy_prefix(&mut self, from: &Self, tokens: usize) {
        let tiles = ..tokens.div_ceil(TOKEN_TILE);
        let tokens = ..tokens;
        macro_rules! copy {
            ($to:ident, $from:ident, $range:ident) => {
                $to.slice_axis_mut(Axis(1), $range.into())
                    .assign(&$from.slice_axis(Axis(1), $range.into()))
            };
        }
        match (self, from) {
            (Self::F32 { keys, values }, Self::F32 { keys: k, values: v }) => {
                copy!(keys, k, tiles);
                copy!(values, v, tokens);
            }
            (Self::F16 { keys, values }, Self::F16 { keys: k, values: v }) => {
                copy!(keys, k, tiles);
                copy!(values, v, tokens);
            }
            (
                Self::Int8 {
                    keys,
                    key_scales,
                    values,
                    value_scales,
                },
                Self::Int8 {
                    keys: k,
                    key_scales: ks,
                    values: v,
                    value_scales: vs,
                },
            ) => {
                copy!(keys, k, tiles);
                copy!(key_scales, ks, tokens);
                copy!(values, v, tokens);
                copy!(value_scales, vs, tokens);
            }
            _ => unreachable!("the lanes of a cache are of one precision"),
        }
    }

    /// Keys and values of block `block` of one head.
    pub(super) fn block(&self, head: usize, block: usize) -> KeyValues<'_> {
        let tiles = |all: usize| {
            let start = block * (BLOCK_TOKENS / TOKEN_TILE);
            start..all.min(start + BLOCK_TOKENS / TOKEN_TILE)
        };
        let tokens = |all: usize| block * BLOCK_TOKENS..all.min((block + 1) * BLOCK_TOKENS);
        macro_rules! keys {
            ($keys:ident) => {
                contiguous($keys.slice(s![head, tiles($keys.len_of(Axis(1))), .., ..]))
            };
        }
        macro_rules! values {
            ($values:ident) => {
                contiguous($values.slice(s![head, tokens($values.len_of(Axis(1))), ..]))
            };
        }
        macro_rules! scales {
            ($scales:ident) => {
                contiguous($scales.slice(s![head, tokens($scales.len_of(Axis(1)))]))
            };
        }
        match self {
            Self::F32 { keys, values } => KeyValues::F32 {
                keys: keys!(keys),
                values: values!(values),
            },
            Self::F16 { keys, values } => KeyValues::F16 {
                keys: keys!(keys).reinterpret_cast(),
                values: values!(values).reinterpret_cast(),
            },
            Self::Int8 {
                keys,
                key_scales,
                values,
                value_scales,
            } => KeyValues::Int8 {
                keys: keys!(keys),
                key_scales: scales!(key_scales),
                values: values!(values),
                value_scales: scales!(value_scales),
            },
        }
    }

    /// The heads one by one, for writing.
    pub(super) fn heads_mut(&mut self) -> Vec<HeadMut<'_>> {
        match self {
            Self::F32 { keys, values } => keys
                .outer_iter_mut()
                .zip(values.outer_iter_mut())
                .map(|(keys, values)| HeadMut::F32 {
                    keys: contiguous_mut(keys),
                    values: contiguous_mut(values),
                })
                .collect(),
            Self::F16 { keys, values } => keys
                .outer_iter_mut()
                .zip(values.outer_iter_mut())
                .map(|(keys, values)| HeadMut::F16 {
                    keys: contiguous_mut(keys).reinterpret_cast_mut(),
                    values: contiguous_mut(values).reinterpret_cast_mut(),
                })
                .collect(),
            Self::Int8 {
                keys,
                key_scales,
                values,
                value_scales,
            } => keys
                .outer_iter_mut()
                .zip(key_scales.outer_iter_mut())
                .zip(values.outer_iter_mut().zip(value_scales.outer_iter_mut()))
                .map(
                    |((keys, key_scales), (values, value_scales))| HeadMut::Int8 {
                        keys: contiguous_mut(keys),
                        key_scales: contiguous_mut(key_scales),
                        values: contiguous_mut(values),
                        value_scales: contiguous_mut(value_scales),
                    },
                )
                .collect(),
        }
    }
}

fn contiguous<T, D: ndarray::Dimension>(view: ndarray::ArrayView<'_, T, D>) -> &[T] {
    view.to_slice()
        .expect("what a head holds lies one after the other")
}

fn contiguous_mut<T, D: ndarray::Dimension>(view: ndarray::ArrayViewMut<'_, T, D>) -> &mut [T] {
    view.into_slice()
        .expect("what a head holds lies one after the other")
}

/// Keys and values of one head, for writing.
#[derive(Debug)]
pub(super) enum HeadMut<'a> {
    F32 {
        keys: &'a mut [f32],
        values: &'a mut [f32],
    },
    F16 {
        keys: &'a mut [f16],
        values: &'a mut [f16],
    },
    Int8 {
        keys: &'a mut [i8],
        key_scales: &'a mut [f32],
        values: &'a mut [i8],
        value_scales: &'a mut [f32],
    },
}

/// Room to round one key in; kept for its memory.
#[derive(Debug, Clone, Default)]
pub(super) struct RoundedKey {
    halves: Vec<f16>,
    quants: Vec<i8>,
}

impl HeadMut<'_> {
    /// Keeps the key and the value of `token`, `[head_dim]` each.
    pub(super) fn store(
        &mut self,
        kernels: &Kernels,
        token: usize,
        (key, value): (&[f32], &[f32]),
        rounded: &mut RoundedKey,
    ) {
        let dim = key.len();
        let row = token * row_len(dim);
        match self {
            Self::F32 { keys, values } => {
                scatter(key, token, keys);
                values[row..][..dim].copy_from_slice(value);
            }
            Self::F16 { keys, values } => {
                rounded.halves.resize(dim, f16::ZERO);
                kernels.narrow(key, &mut rounded.halves);
                scatter(&rounded.halves, token, keys);
                kernels.narrow(value, &mut values[row..][..dim]);
            }
            Self::Int8 {
                keys,
                key_scales,
                values,
                value_scales,
            } => {
                rounded.quants.resize(dim, 0);
                key_scales[token] = kernels.quantize_row(key, &mut rounded.quants);
                scatter(&rounded.quants, token, keys);
                value_scales[token] = kernels.quantize_row(value, &mut values[row..][..dim]);
            }
        }
    }
}

/// Puts a key into its place in the tile of its token.
fn scatter<T: Copy>(key: &[T], token: usize, keys: &mut [T]) {
    let (tile, place) = (token / TOKEN_TILE, token % TOKEN_TILE);
    let tile = &mut keys[tile * key.len() * TOKEN_TILE..][..key.len() * TOKEN_TILE];
    for (lanes, element) in tile.as_chunks_mut::<TOKEN_TILE>().0.iter_mut().zip(key) {
        lanes[place] = *element;
    }
}

/// Makes the first `tokens` tokens of lane `from` those of lane `to` in every cache of `state`.
pub fn copy_prefix(state: &mut TypedSimpleState, lanes: (usize, usize), tokens: usize) {
    for cache in state.op_states.iter_mut().flatten() {
        if let Some(cache) = cache.downcast_mut::<KvCache>() {
            cache.copy_prefix(lanes, tokens);
        }
    }
}

/// Puts keys and values, `[kv_heads][past_tokens][head_dim]`, into lane 0 of every cache of `state`.
#[cfg(test)]
pub(crate) fn restore_caches(
    state: &mut TypedSimpleState,
    kernels: &Kernels,
    (keys, values): (&[f32], &[f32]),
    past_tokens: usize,
) {
    for cache in state.op_states.iter_mut().flatten() {
        let Some(cache) = cache.downcast_mut::<KvCache>() else {
            continue;
        };
        let dim = cache.shape.head_dim;
        let rows = keys.chunks_exact(dim).zip(values.chunks_exact(dim));
        let mut heads = cache.lane_mut(0).heads_mut();
        for (index, row) in rows.enumerate() {
            let (head, token) = (index / past_tokens, index % past_tokens);
            heads[head].store(kernels, token, row, &mut RoundedKey::default());
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::kernels::Threads;
    use crate::ops::Activations;

    pub(in crate::ops) fn cache(kv_cache: KvPrecision, lanes: usize) -> KvCache {
        let runtime = Runtime {
            kernels: Kernels::best(),
            threads: Threads::new(1),
            activations: Activations::Auto,
            kv_cache,
            context_tokens: 300,
            lanes,
            profile: Default::default(),
            scratch: Default::default(),
        };
        KvCache::new(2, 20, &runtime)
    }

    #[test]
    fn lanes_take_memory_when_they_are_used() {
        let mut cache = cache(KvPrecision::F16, 3);
        cache.lane_mut(1);
        let used: Vec<_> = (0..cache.lanes())
            .map(|i| cache.lane(i).is_some())
            .collect();
        assert_eq!(used, [false, true, false]);
    }

    #[test]
    fn a_copied_prefix_is_that_of_the_other_lane() {
        let kernels = Kernels::best();
        for precision in [KvPrecision::F16, KvPrecision::F32, KvPrecision::Int8] {
            let mut cache = cache(precision, 2);
            for token in 0..TOKEN_TILE + 3 {
                let row: Vec<f32> = (0..20).map(|d| (d * 7 + token) as f32).collect();
                for mut head in cache.lane_mut(0).heads_mut() {
                    head.store(&kernels, token, (&row, &row), &mut RoundedKey::default());
                }
            }
            cache.copy_prefix((0, 1), TOKEN_TILE + 3);
            cache.copy_prefix((1, 0), 0);
            for head in 0..2 {
                let [from, to] =
                    [0, 1].map(|i| format!("{:?}", cache.lane(i).unwrap().block(head, 0)));
                assert_eq!(from, to, "{precision:?}");
            }
        }
    }

    #[test]
    fn a_block_gives_back_what_was_stored() {
        let key: Vec<f32> = (0..20).map(|d| d as f32 - 10.0).collect();
        let value: Vec<f32> = key.iter().map(|x| x * 0.5).collect();
        let kernels = Kernels::best();
        for precision in [KvPrecision::F16, KvPrecision::F32, KvPrecision::Int8] {
            let mut cache = cache(precision, 1);
            let mut heads = cache.lane_mut(0).heads_mut();
            let token = BLOCK_TOKENS + 21;
            heads[1].store(&kernels, token, (&key, &value), &mut RoundedKey::default());
            let token = token - BLOCK_TOKENS;
            let place = |d: usize| (token / TOKEN_TILE * 20 + d) * TOKEN_TILE + token % TOKEN_TILE;
            let found: Vec<[f32; 2]> = (0..20)
                .map(|d| match cache.lane(0).unwrap().block(1, 1) {
                    KeyValues::F32 { keys, values } => [keys[place(d)], values[token * 32 + d]],
                    KeyValues::F16 { keys, values } => {
                        [keys[place(d)], values[token * 32 + d]].map(f16::to_f32)
                    }
                    KeyValues::Int8 {
                        keys,
                        key_scales,
                        values,
                        value_scales,
                    } => [
                        f32::from(keys[place(d)]) * key_scales[token],
                        f32::from(values[token * 32 + d]) * value_scales[token],
                    ],
                })
                .collect();
            for (d, found) in found.iter().enumerate() {
                let step = if precision == KvPrecision::Int8 {
                    0.05
                } else {
                    0.0
                };
                assert!((found[0] - key[d]).abs() <= step, "{precision:?} key {d}");
                assert!(
                    (found[1] - value[d]).abs() <= step,
                    "{precision:?} value {d}"
                );
            }
        }
    }
}
