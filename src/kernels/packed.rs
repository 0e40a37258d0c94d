//! The weight matrix as the vector kernels want it: tiles of columns, each a stream of blocks, read once in order.
//!
//! ```text
//! bytes        [tiles][blocks] tile block          tiles = ⌈n / columns⌉,  blocks = ⌈k / 32⌉
//! tile block   quants   [16 · columns]             two 4-bit weights a byte, in the order of the Layout
//!              scales   [columns] f16
//!              offsets  [columns] i8               8 − zero point; only where the matrix has zero points
//!
//! w[column, k] = (quant − 8 + offset) · scale · output_scale
//! ```
//!
//! Scales are divided by a power of two, `output_scale`, so that the largest lies at the upper end of f16: a scale
//! 2^28 times smaller than the largest is still rounded by 2^-11 only. Columns and elements past the matrix's end
//! have scale 0 or meet activations of 0.
//!
//! What a product with it is, bit for bit, is defined by `scalar::packed`.

mod layout;
mod panels;

use std::ops::Range;

use half::f16;

use super::block_matrix::{BLOCK_SIZE_MAX, BlockMatrix, ZeroPoints};

pub use layout::Layout;
pub(super) use panels::{LARGEST_MIN, PanelFormat, PanelRows};
pub use panels::{Q8PanelMut, Q8Panels};

/// Elements along k that share a scale, in every layout and in the activations that meet it.
pub const BLOCK: usize = 32;
/// What an unsigned quant that stands for zero is, before the offset.
const MIDDLE: u8 = 8;
/// Exponent of the largest scale after division by `output_scale`: 2^14 ≤ scale < 2^15.
const LARGEST_EXPONENT: i32 = 14;

/// Sizes of a packed matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedShape {
    /// Rows of the matrix, which are the columns of the product.
    pub n: usize,
    /// Length of a row.
    pub k: usize,
    /// Whether blocks have zero points other than 8.
    pub zero_points: bool,
}

impl PackedShape {
    /// Blocks in a row, the padded last one counted.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.k.div_ceil(BLOCK)
    }

    /// Tiles of columns, the padded last one counted.
    #[must_use]
    pub fn tiles(&self, layout: Layout) -> usize {
        self.n.div_ceil(layout.columns())
    }

    /// Bytes of one block of one tile.
    #[must_use]
    pub fn tile_block_bytes(&self, layout: Layout) -> usize {
        let per_column = BLOCK / 2 + size_of::<f16>() + usize::from(self.zero_points);
        layout.columns() * per_column
    }

    /// Bytes of one tile.
    #[must_use]
    pub fn tile_bytes(&self, layout: Layout) -> usize {
        self.blocks() * self.tile_block_bytes(layout)
    }

    /// Bytes of the whole matrix.
    #[must_use]
    pub fn bytes(&self, layout: Layout) -> usize {
        self.tiles(layout) * self.tile_bytes(layout)
    }
}

/// A borrowed packed matrix; the module's page draws it.
#[derive(Debug, Clone, Copy)]
pub struct PackedMatrix<'a> {
    layout: Layout,
    shape: PackedShape,
    output_scale: f32,
    bytes: &'a [u8],
}

impl<'a> PackedMatrix<'a> {
    /// A matrix over `bytes`; nothing if they are not as many as layout and shape need, or a size is 0.
    #[must_use]
    pub fn new(
        layout: Layout,
        shape: PackedShape,
        output_scale: f32,
        bytes: &'a [u8],
    ) -> Option<Self> {
        let fits = shape.n > 0 && shape.k > 0 && bytes.len() == shape.bytes(layout);
        fits.then_some(Self {
            layout,
            shape,
            output_scale,
            bytes,
        })
    }

    /// Order of the weights in a tile.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Sizes.
    #[must_use]
    pub fn shape(&self) -> PackedShape {
        self.shape
    }

    /// The power of two that the columns of a product are multiplied with at the end.
    #[must_use]
    pub fn output_scale(&self) -> f32 {
        self.output_scale
    }

    /// The tiles `tiles`, one after the other.
    #[inline]
    pub(super) fn tiles(&self, tiles: Range<usize>) -> &'a [u8] {
        let bytes = self.shape.tile_bytes(self.layout);
        &self.bytes[tiles.start * bytes..tiles.end * bytes]
    }
}

/// How one [`BlockMatrix`] becomes a [`PackedMatrix`]; writes any of its tiles on demand.
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

    /// See [`PackedMatrix::output_scale`].
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
        let block_bytes = self.shape.tile_block_bytes(self.layout);
        for (block, out) in out.chunks_exact_mut(block_bytes).enumerate() {
            let (bytes, factors) = out.split_at_mut(columns * BLOCK / 2);
            let (scales, offsets) = factors.split_at_mut(columns * size_of::<f16>());
            for (column, scale) in scales.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                let row = tile * columns + column;
                let mut offset = 0;
                if row < self.shape.n {
                    let (value, zero_point) = self.read_block(row, block, &mut quants[column]);
                    *scale = f16::from_f32(value / self.output_scale).to_le_bytes();
                    offset = (MIDDLE as i8).wrapping_sub(zero_point as i8);
                } else {
                    *scale = [0; 2];
                    quants[column] = [MIDDLE; BLOCK];
                }
                if let Some(place) = offsets.get_mut(column) {
                    *place = offset as u8;
                }
            }
            for (byte, &[(low, low_k), (high, high_k)]) in bytes.iter_mut().zip(&places) {
                let (low, high) = (
                    quants[usize::from(low)][usize::from(low_k)],
                    quants[usize::from(high)][usize::from(high_k)],
                );
                *byte = (low | high << 4) ^ flip;
            }
        }
    }

    /// Reads a block of 32 of one row; returns its scale and zero point.
    fn read_block(&self, row: usize, block: usize, quants: &mut [u8; BLOCK]) -> (f32, f32) {
        let shape = self.source.shape();
        let whole = block * BLOCK / shape.block_size;
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
    fn counts_tiles_blocks_and_bytes() {
        let shape = PackedShape {
            n: 33,
            k: 70,
            zero_points: false,
        };
        assert_eq!((shape.blocks(), shape.tiles(Layout::Columns32)), (3, 2));
        assert_eq!(shape.tile_block_bytes(Layout::Columns32), 576);
        assert_eq!(shape.bytes(Layout::Columns32), 2 * 3 * 576);
        let shape = PackedShape {
            zero_points: true,
            ..shape
        };
        assert_eq!(shape.tile_block_bytes(Layout::Rows8), 152);
        assert!(PackedMatrix::new(Layout::Rows8, shape, 1.0, &[0; 7]).is_none());
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
