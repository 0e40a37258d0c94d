//! Keys and values as bytes, little-endian, so that a prefix can be kept outside and put back.
//!
//! Only a cache of the same shape and precision can take them up, and only bytes of the same tokens.

use ndarray::{ArrayView, ArrayViewMut, Axis, Dimension};
use tract_onnx::tract_core::model::TypedSimpleState;

use super::{KvCache, Lane};
use crate::kernels::TOKEN_TILE;

/// The first `tokens` tokens of `lane` in every cache of `state`, in the order of the operators.
pub fn take_prefix(state: &TypedSimpleState, lane: usize, tokens: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for cache in state.op_states.iter().flatten() {
        let cache = cache.downcast_ref::<KvCache>();
        if let Some(held) = cache.and_then(|cache| cache.lane(lane)) {
            held.take(tokens, &mut bytes);
        }
    }
    bytes
}

/// Puts what [`take_prefix`] gave for `tokens` tokens into `lane`; false where `bytes` is not as long as that is, in which case
/// the lane is not to be trusted.
#[must_use]
pub fn put_prefix(
    state: &mut TypedSimpleState,
    lane: usize,
    tokens: usize,
    mut bytes: &[u8],
) -> bool {
    for cache in state.op_states.iter_mut().flatten() {
        if let Some(cache) = cache.downcast_mut::<KvCache>()
            && cache.lane_mut(lane).put(tokens, &mut bytes).is_none()
        {
            return false;
        }
    }
    bytes.is_empty()
}

impl Lane {
    fn take(&self, tokens: usize, to: &mut Vec<u8>) {
        let tiles = tokens.div_ceil(TOKEN_TILE);
        match self {
            Self::F32 { keys, values } => {
                take(&keys.view(), tiles, to);
                take(&values.view(), tokens, to);
            }
            Self::F16 { keys, values } => {
                take(&keys.view(), tiles, to);
                take(&values.view(), tokens, to);
            }
            Self::Int8 {
                keys,
                key_scales,
                values,
                value_scales,
            } => {
                take(&keys.view(), tiles, to);
                take(&key_scales.view(), tokens, to);
                take(&values.view(), tokens, to);
                take(&value_scales.view(), tokens, to);
            }
        }
    }

    /// Nothing where the bytes end too early.
    fn put(&mut self, tokens: usize, from: &mut &[u8]) -> Option<()> {
        let tiles = tokens.div_ceil(TOKEN_TILE);
        match self {
            Self::F32 { keys, values } => {
                put(keys.view_mut(), tiles, from)?;
                put(values.view_mut(), tokens, from)
            }
            Self::F16 { keys, values } => {
                put(keys.view_mut(), tiles, from)?;
                put(values.view_mut(), tokens, from)
            }
            Self::Int8 {
                keys,
                key_scales,
                values,
                value_scales,
            } => {
                put(keys.view_mut(), tiles, from)?;
                put(key_scales.view_mut(), tokens, from)?;
                put(values.view_mut(), tokens, from)?;
                put(value_scales.view_mut(), tokens, from)
            }
        }
    }
}

/// Appends the first `count` entries of each head.
fn take<T: Element, D: Dimension>(array: &ArrayView<'_, T, D>, count: usize, to: &mut Vec<u8>) {
    let part = array.slice_axis(Axis(1), (..count).into());
    to.reserve(part.len() * size_of::<T>());
    part.iter().for_each(|element| element.append(to));
}

/// Overwrites the first `count` entries of each head.
fn put<T: Element, D: Dimension>(
    mut array: ArrayViewMut<'_, T, D>,
    count: usize,
    from: &mut &[u8],
) -> Option<()> {
    for element in &mut array.slice_axis_mut(Axis(1), (..count).into()) {
        let (bytes, rest) = from.split_at_checked(size_of::<T>())?;
        *element = T::read(bytes)?;
        *from = rest;
    }
    Some(())
}

trait Element: Sized {
    fn append(&self, to: &mut Vec<u8>);

    /// Nothing where `bytes` are not as many as it has.
    fn read(bytes: &[u8]) -> Option<Self>;
}

macro_rules! elements {
    ($($kind:ty),*) => { $(impl Element for $kind {
        fn append(&self, to: &mut Vec<u8>) {
            to.extend(self.to_le_bytes());
        }

        fn read(bytes: &[u8]) -> Option<Self> {
            bytes.try_into().ok().map(Self::from_le_bytes)
        }
    })* };
}
elements!(f32, u16, i8);

#[cfg(test)]
mod tests {
    use super::super::tests::cache;
    use super::super::{KvPrecision, RoundedKey};
    use crate::kernels::{Kernels, TOKEN_TILE};

    #[test]
    fn what_is_taken_out_can_be_put_into_another_lane() {
        let kernels = Kernels::best();
        let tokens = TOKEN_TILE + 3;
        for precision in [KvPrecision::F16, KvPrecision::F32, KvPrecision::Int8] {
            let mut cache = cache(precision, 2);
            for token in 0..tokens {
                let row: Vec<f32> = (0..20).map(|d| (d * 7 + token) as f32).collect();
                for mut head in cache.lane_mut(0).heads_mut() {
                    head.store(&kernels, token, (&row, &row), &mut RoundedKey::default());
                }
            }
            let mut bytes = Vec::new();
            cache.lane(0).unwrap().take(tokens, &mut bytes);
            let mut rest = &bytes[..];
            assert_eq!(cache.lane_mut(1).put(tokens, &mut rest), Some(()));
            assert!(rest.is_empty());
            for head in 0..2 {
                let [from, to] =
                    [0, 1].map(|i| format!("{:?}", cache.lane(i).unwrap().block(head, 0)));
                assert_eq!(from, to, "{precision:?}");
            }
            let mut short = &bytes[..bytes.len() - 1];
            assert_eq!(cache.lane_mut(1).put(tokens, &mut short), None);
        }
    }
}
