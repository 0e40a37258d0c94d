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
mod panels;

use std::ops::Range;

use half::f16;

use super::block_matrix::{BLOCK_SIZE_MAX, BlockMatrix, ZeroPoints};

pub use layout::{Layout, ScaleForm};
pub(super) use panels::{LARGEST_MIN, PanelFormat, PanelRows};
pub use panels::{Q8PanelMut, Q8Panels};

/// Elements along k that share a scale, in every layout and in the activations that meet it.
pub const BLOCK: usize = 32;
/// Blocks of a column that share a factor where scales are coded.
pub(super) const GROUP_BLOCKS: usize = 16;
/// Largest magnitude of a scale's code; -128 is never used.
const CODE_MAX: f32 = 127.0;
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
