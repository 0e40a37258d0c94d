//! How a matrix is packed: tile by tile, so that threads can share the work and nothing is ever whole in memory twice.

use std::ops::Range;

use half::f16;

use super::{BLOCK, GROUP_BLOCKS, Layout, PackedShape, ScaleForm};
use crate::kernels::block_matrix::{BLOCK_SIZE_MAX, BlockMatrix, ZeroPoints};

/// Largest magnitude of a scale's code; -128 is never used.
const CODE_MAX: f32 = 127.0;
/// What an unsigned quant that stands for zero is, before the offset.
const MIDDLE: u8 = 8;
/// Exponent of the largest scale after division by `output_scale`: 2^14 ≤ scale < 2^15.
const LARGEST_EXPONENT: i32 = 14;

/// How one [`BlockMatrix`] becomes a [`PackedMatrix`](super::PackedMatrix); writes any of its tiles on demand.
#[derive(Debug, Clone, Copy)]
pub struct Packing<'a> {
    layout: Layout,
    source: BlockMatrix<'a>,
    shape: PackedShape,
    output_scale: f32,
}

impl<'a> Packing<'a> {
    /// A packing of `source`; nothing where the layouts cannot hold it: 8-bit weights, blocks of 16, zero points
    /// that are no integers, scales that are no numbers.
    #[must_use]
    pub fn new(source: BlockMatrix<'a>, layout: Layout) -> Option<Self> {
        let shape = source.shape();
        let zero_points = match source.zero_points() {
            ZeroPoints::Middle => false,
            ZeroPoints::Packed(_) => true,
            ZeroPoints::Float(_) => return None,
        };
        if shape.bits != 4 || !shape.block_size.is_multiple_of(BLOCK) || shape.n == 0 {
            return None;
        }
        let scales = source.scales();
        let mut largest = 0.0_f32;
        for index in 0..scales.len() {
            let scale = scales.at(index).abs();
            if !scale.is_finite() {
                return None;
            }
            largest = largest.max(scale);
        }
        Some(Self {
            layout,
            source,
            shape: PackedShape {
                n: shape.n,
                k: shape.k,
                zero_points,
            },
            output_scale: output_scale(largest),
        })
    }

    /// Sizes of the packed matrix.
    #[must_use]
    pub fn shape(&self) -> PackedShape {
        self.shape
    }

    /// See [`PackedMatrix::output_scale`](super::PackedMatrix::output_scale).
    #[must_use]
    pub fn output_scale(&self) -> f32 {
        self.output_scale
    }

    /// Writes the tiles `tiles` to `out`.
    ///
    /// # Panics
    /// If there are no such tiles, or `out` is not as long as they are.
    pub fn write_tiles(&self, tiles: Range<usize>, out: &mut [u8]) {
        assert!(
            tiles.end <= self.shape.tiles(self.layout),
            "tiles {tiles:?}"
        );
        let tile_bytes = self.shape.tile_bytes(self.layout);
        assert_eq!(out.len(), tiles.len() * tile_bytes, "bytes of {tiles:?}");
        for (tile, out) in tiles.zip(out.chunks_exact_mut(tile_bytes)) {
            self.write_tile(tile, out);
        }
    }

    fn write_tile(&self, tile: usize, out: &mut [u8]) {
        let columns = self.layout.columns();
        let (places, flip) = (self.layout.places(), self.layout.flip());
        // Quants of one block of the tile's columns, unsigned: [column][BLOCK].
        let mut quants = [[MIDDLE; BLOCK]; Layout::COLUMNS_MAX];
        let mut factors = [0.0; Layout::COLUMNS_MAX];
        for block in 0..self.shape.blocks() {
            let place = self.shape.tile_block(self.layout, block);
            if let Some(range) = place.factors
                && block % GROUP_BLOCKS == 0
            {
                self.write_factors(tile, block, &mut factors, &mut out[range]);
            }
            for column in 0..columns {
                let row = tile * columns + column;
                let (mut scale, mut offset) = (0.0, 0);
                quants[column] = [MIDDLE; BLOCK];
                if row < self.shape.n {
                    let (value, zero_point) = self.read_block(row, block, &mut quants[column]);
                    scale = value / self.output_scale;
                    offset = (MIDDLE as i8).wrapping_sub(zero_point as i8);
                }
                let scales = &mut out[place.scales.clone()];
                match self.layout.scales() {
                    ScaleForm::Half => scales.as_chunks_mut::<2>().0[column] = half_bytes(scale),
                    ScaleForm::Coded => scales[column] = code(scale, factors[column]) as u8,
                }
                if let Some(offsets) = &place.offsets {
                    out[offsets.start + column] = offset as u8;
                }
            }
            for (byte, &[(low, low_k), (high, high_k)]) in out[place.quants].iter_mut().zip(&places)
            {
                let (low, high) = (
                    quants[usize::from(low)][usize::from(low_k)],
                    quants[usize::from(high)][usize::from(high_k)],
                );
                *byte = (low | high << 4) ^ flip;
            }
        }
    }

    /// Finds what the codes of the group that begins at `block` are multiplied with.
    fn write_factors(&self, tile: usize, block: usize, factors: &mut [f32], out: &mut [u8]) {
        let blocks = block..self.shape.blocks().min(block + GROUP_BLOCKS);
        let columns = self.layout.columns();
        let rows = tile * columns..(tile + 1) * columns;
        let bytes = out.as_chunks_mut::<2>().0.iter_mut();
        let mut scales = [0.0; GROUP_BLOCKS];
        for ((row, factor), bytes) in rows.zip(factors).zip(bytes) {
            let scales = &mut scales[..blocks.len()];
            for (scale, block) in scales.iter_mut().zip(blocks.clone()) {
                *scale = if row < self.shape.n {
                    self.source.scale(row, self.source_block(block)) / self.output_scale
                } else {
                    0.0
                };
            }
            let best = best_factor(scales);
            *factor = best.to_f32();
            *bytes = best.to_le_bytes();
        }
    }

    /// Which block of the source holds block `block` of 32.
    fn source_block(&self, block: usize) -> usize {
        block * BLOCK / self.source.shape().block_size
    }

    /// Reads a block of 32 of one row; returns its scale and zero point.
    fn read_block(&self, row: usize, block: usize, quants: &mut [u8; BLOCK]) -> (f32, f32) {
        let shape = self.source.shape();
        let whole = self.source_block(block);
        let start = block * BLOCK / 2;
        let bytes = &self.source.row_quants(row)[start..start + BLOCK / 2];
        for (pair, byte) in quants.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
            let byte = byte ^ self.source.flip();
            *pair = [byte & 0xF, byte >> 4];
        }
        // What a file holds past k must not count, not even where an activation is no number.
        if let Some(padding) = quants.get_mut(shape.k - block * BLOCK..) {
            padding.fill(MIDDLE);
        }
        (
            self.source.scale(row, whole),
            self.source.zero_point(row, whole),
        )
    }
}

/// A scale as f16.
fn half_bytes(scale: f32) -> [u8; 2] {
    f16::from_f32(scale).to_le_bytes()
}

/// The factor whose codes come nearest to `scales`, of some with which the largest has a code of about 127.
///
/// Trying a few takes a third off the error that the first one has on the average.
fn best_factor(scales: &[f32]) -> f16 {
    const TRIED: u8 = 24;
    let largest = scales
        .iter()
        .fold(0.0_f32, |largest, scale| largest.max(scale.abs()));
    let error = |factor: f16| -> f32 {
        let factor = factor.to_f32();
        let errors = scales
            .iter()
            .map(|&scale| scale - f32::from(code(scale, factor)) * factor);
        errors.map(|error| error * error).sum()
    };
    (0..TRIED)
        .map(|step| f16::from_f32(largest / (CODE_MAX - 0.5 * f32::from(step))))
        .map(|factor| (factor, error(factor)))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .map_or(f16::ZERO, |(factor, _)| factor)
}

/// The integer that times `factor` is nearest to `scale`.
fn code(scale: f32, factor: f32) -> i8 {
    if factor == 0.0 {
        return 0;
    }
    (scale / factor)
        .round_ties_even()
        .clamp(-CODE_MAX, CODE_MAX) as i8
}

/// The power of two that brings `largest` to the upper end of f16's range.
fn output_scale(largest: f32) -> f32 {
    if largest == 0.0 {
        return 1.0;
    }
    // A number below f32's normal range counts as its smallest normal one.
    let exponent = (largest.to_bits() >> 23).max(1) as i32 - 127;
    let power = (exponent - LARGEST_EXPONENT).clamp(-126, 127);
    f32::from_bits(((power + 127) as u32) << 23)
}

const _: () = assert!(BLOCK_SIZE_MAX.is_multiple_of(BLOCK));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_nearest() {
        assert_eq!(code(0.5, 0.0), 0);
        assert_eq!(code(-1.0, 1.0 / 127.0), -127);
        assert_eq!(code(1.1, 1.0 / 127.0), 127);
        assert_eq!(code(0.014, 0.01), 1);
    }

    #[test]
    fn output_scale_brings_the_largest_to_the_top_of_f16() {
        for largest in [1e-30_f32, 6e-5, 0.01, 1.0, 1e10] {
            let scaled = largest / output_scale(largest);
            assert!((16384.0..32768.0).contains(&scaled), "{largest} {scaled}");
        }
        assert_eq!(output_scale(0.0), 1.0);
    }
}
