//! The weight matrix as the vector kernels want it: tiles of columns, each a stream of blocks, read once in order.
//!
//! ```text
//! bytes          [tiles] tile                      tiles = ⌈n / columns⌉,  blocks = ⌈k / 32⌉
//!
//! tile           ScaleForm::Half     [blocks] tile block
//!                ScaleForm::Coded    [⌈blocks / 16⌉] factors and 16 tile blocks, the last time as many as are left
//! factors        [columns] f16
//! tile block     quants   [16 · columns]           two 4-bit weights a byte, in the order of the Layout
//!                scales   [columns] f16            or, coded, i8, -127 ..= 127: scale = code · factor
//!                offsets  [columns] i8             8 − zero point; only where the matrix has zero points
//!
//! w[column, k] = (quant − 8 + offset) · scale · output_scale
//! ```
//!
//! Scales are divided by a power of two, `output_scale`, so that the largest lies at the upper end of f16: a scale
//! 2^28 times smaller than the largest is still rounded by 2^-11 only, or, coded, by half of its 115th at most of the
//! largest in its group. Columns and elements past the matrix's end have scale 0 or meet activations of 0.
//!
//! What a product with it is, bit for bit, is defined by `scalar::packed`.

mod layout;
mod packing;
mod panels;

use std::ops::Range;

use half::f16;

pub use layout::{Layout, ScaleForm};
pub use packing::Packing;
pub(super) use panels::{LARGEST_MIN, PanelFormat, PanelRows};
pub use panels::{Q8PanelMut, Q8Panels};

/// Elements along k that share a scale, in every layout and in the activations that meet it.
pub const BLOCK: usize = 32;
/// Blocks of a column that share a factor where scales are coded.
pub(super) const GROUP_BLOCKS: usize = 16;

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

    /// Bytes of one block of one tile, without the factors that coded scales share.
    #[must_use]
    pub fn tile_block_bytes(&self, layout: Layout) -> usize {
        let per_column = BLOCK / 2 + self.scale_bytes(layout) + usize::from(self.zero_points);
        layout.columns() * per_column
    }

    fn scale_bytes(&self, layout: Layout) -> usize {
        match layout.scales() {
            ScaleForm::Half => size_of::<f16>(),
            ScaleForm::Coded => size_of::<i8>(),
        }
    }

    /// Bytes of one tile.
    #[must_use]
    pub fn tile_bytes(&self, layout: Layout) -> usize {
        let factors = match layout.scales() {
            ScaleForm::Half => 0,
            ScaleForm::Coded => self.blocks().div_ceil(GROUP_BLOCKS) * factor_bytes(layout),
        };
        self.blocks() * self.tile_block_bytes(layout) + factors
    }

    /// Bytes of the whole matrix.
    #[must_use]
    pub fn bytes(&self, layout: Layout) -> usize {
        self.tiles(layout) * self.tile_bytes(layout)
    }
}

/// Bytes of the factors of a group of blocks.
const fn factor_bytes(layout: Layout) -> usize {
    layout.columns() * size_of::<f16>()
}

/// Where the parts of one block of a tile lie.
struct TileBlock {
    quants: Range<usize>,
    /// One f16 or one code a column.
    scales: Range<usize>,
    /// What codes are multiplied with.
    factors: Option<Range<usize>>,
    offsets: Option<Range<usize>>,
}

impl PackedShape {
    /// Where block `block` of a tile lies in it.
    fn tile_block(&self, layout: Layout, block: usize) -> TileBlock {
        let columns = layout.columns();
        let quants = columns * BLOCK / 2;
        let range = |start: usize, length: usize| start..start + length;
        let scale = self.scale_bytes(layout);
        let (before, factors) = match layout.scales() {
            ScaleForm::Half => (0, None),
            ScaleForm::Coded => {
                let group = block / GROUP_BLOCKS;
                let bytes = factor_bytes(layout);
                let start = group * (bytes + GROUP_BLOCKS * self.tile_block_bytes(layout));
                ((group + 1) * bytes, Some(range(start, bytes)))
            }
        };
        let start = before + block * self.tile_block_bytes(layout);
        let scales = range(start + quants, columns * scale);
        TileBlock {
            quants: range(start, quants),
            offsets: self.zero_points.then(|| range(scales.end, columns)),
            scales,
            factors,
        }
    }
}

/// One block of one tile, as the reference reads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TileBlockBytes<'a> {
    pub(super) quants: &'a [u8],
    scales: &'a [u8],
    factors: Option<&'a [u8]>,
    offsets: Option<&'a [u8]>,
}

impl TileBlockBytes<'_> {
    /// The scale of a column of the tile.
    pub(super) fn scale(&self, column: usize) -> f32 {
        let half =
            |bytes: &[u8]| f16::from_le_bytes([bytes[2 * column], bytes[2 * column + 1]]).to_f32();
        match self.factors {
            // 7 bits times 11: exact.
            Some(factors) => f32::from(self.scales[column] as i8) * half(factors),
            None => half(self.scales),
        }
    }

    /// 8 less the zero point of a column of the tile.
    pub(super) fn offset(&self, column: usize) -> i8 {
        self.offsets.map_or(0, |offsets| offsets[column] as i8)
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

    /// The blocks of one tile, from first to last.
    pub(super) fn tile_blocks(&self, tile: usize) -> impl Iterator<Item = TileBlockBytes<'a>> {
        let (layout, shape) = (self.layout, self.shape);
        let tile = self.tiles(tile..tile + 1);
        (0..shape.blocks()).map(move |block| {
            let place = shape.tile_block(layout, block);
            TileBlockBytes {
                quants: &tile[place.quants],
                scales: &tile[place.scales],
                factors: place.factors.map(|range| &tile[range]),
                offsets: place.offsets.map(|range| &tile[range]),
            }
        })
    }
}

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
        assert_eq!(shape.tile_block_bytes(Layout::Columns32), 544);
        assert_eq!(shape.bytes(Layout::Columns32), 2 * (64 + 3 * 544));
        assert_eq!(shape.bytes(Layout::Pairs8), 5 * 3 * 144);
        let shape = PackedShape {
            zero_points: true,
            k: 16 * 32 + 1,
            ..shape
        };
        assert_eq!(shape.tile_block_bytes(Layout::Rows8), 152);
        assert_eq!(shape.tile_bytes(Layout::Columns32), 2 * 64 + 17 * 576);
        assert!(PackedMatrix::new(Layout::Rows8, shape, 1.0, &[0; 7]).is_none());
    }

    #[test]
    fn parts_of_a_tile_cover_it_without_a_gap() {
        for (layout, blocks) in Layout::ALL.into_iter().zip([1, 15, 16, 37]) {
            let shape = PackedShape {
                n: 1,
                k: blocks * BLOCK,
                zero_points: true,
            };
            let mut seen = vec![0; shape.tile_bytes(layout)];
            for block in 0..blocks {
                let place = shape.tile_block(layout, block);
                let factors = place.factors.filter(|_| block % GROUP_BLOCKS == 0);
                let parts = [
                    Some(place.quants),
                    Some(place.scales),
                    place.offsets,
                    factors,
                ];
                for byte in parts.into_iter().flatten().flatten() {
                    seen[byte] += 1;
                }
            }
            assert!(seen.iter().all(|&times| times == 1), "{layout:?} {blocks}");
        }
    }
}
