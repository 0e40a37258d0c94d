//! Several rows of activations, four at a time: the weights are unpacked to int8 once, a stretch of a few tiles at a
//! time, and stay in the first cache for all the rows.
//!
//! ```text
//! for each span of k                all of k, or one stretch where the rows are too many for the second cache
//!   for each batch of rows            what of a stretch stays in the second cache
//!     for each few tiles
//!       for each stretch of the span    unpack ──▶ panel
//!         for each four rows
//!           for each of the tiles         4 × 8 sums, carried on from where the stretch before left them
//! ```
//!
//! The inner loop is in assembler: its sums, weights and activations fill the registers to the last one, and a
//! compiler spills some. A `.s` file of it says which register holds what.

use std::arch::global_asm;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;

use super::panel::{self, BLOCK_BYTES, I8MM_BLOCK_BYTES, Panel};
use super::rows::{GROUP, I8MM_GROUP};
use super::{COLUMNS, ROWS, STARTS, TILE_BLOCK, TILE_BLOCK_WITH_OFFSETS};
use crate::kernels::columns::ColumnsMut;
use crate::kernels::packed::{PackedMatrix, PanelFormat, Q8Panels};

global_asm!(include_str!("gemm_dotprod.s"), options(raw));
global_asm!(include_str!("gemm_i8mm.s"), options(raw));
global_asm!(include_str!("gemm_neon.s"), options(raw));

/// Blocks of a stretch: 1536 elements, which is all of a row in many a model.
const STRETCH: usize = 48;
/// Most bytes of a panel.
const PANEL_BYTES_MAX: usize = 2 * STRETCH * I8MM_BLOCK_BYTES;

/// An inner loop: adds the products of `blocks` blocks to the sums at `rows`, then multiplies those by a factor.
///
/// # Safety
/// `panel` must point to the loop's columns in that many blocks of a tile as the set unpacks them, `x` to those of a
/// group in the set's form, each row to as many floats as columns; the CPU must have the instructions.
type Multiply = unsafe extern "C" fn(
    panel: *const u8,
    x: *const u8,
    blocks: usize,
    rows: &[*mut f32; ROWS],
    starts: &[f32; 8],
    factor: f32,
);

macro_rules! inner_loops {
    ($($name:ident)*) => {
        unsafe extern "C" {$(
            fn $name(
                panel: *const u8,
                x: *const u8,
                blocks: usize,
                rows: &[*mut f32; ROWS],
                starts: &[f32; 8],
                factor: f32,
            );
        )*}
    };
}

inner_loops!(thinkd_gemm_dotprod thinkd_gemm_i8mm thinkd_gemm_neon);

/// What the product for some instructions is made of.
pub(super) trait Instructions {
    /// Bytes of a tile's block in the panel.
    const BLOCK_BYTES: usize;
    /// Form of the activations.
    const GROUP: PanelFormat;
    /// Tiles of a panel, which stays in the first cache.
    const TILES: usize;
    /// Groups of rows whose activations of a stretch stay in the second cache.
    const GROUPS: usize;
    /// Columns of the inner loop: all of a tile or half of them.
    const COLUMNS: usize;
    const MULTIPLY: Multiply;

    /// Unpacks a block of a tile to `panel`, `BLOCK_BYTES` bytes.
    fn unpack<const BYTES: usize>(block: &[u8; BYTES], panel: &mut Panel);
}

pub(super) struct Neon;

impl Instructions for Neon {
    const BLOCK_BYTES: usize = BLOCK_BYTES;
    const GROUP: PanelFormat = GROUP;
    const TILES: usize = 1;
    const GROUPS: usize = 12;
    const COLUMNS: usize = 4;
    const MULTIPLY: Multiply = thinkd_gemm_neon;

    #[inline(always)]
    fn unpack<const BYTES: usize>(block: &[u8; BYTES], panel: &mut Panel) {
        // SAFETY: NEON is part of the target.
        unsafe { panel::unpack_neon(block, panel) }
    }
}

pub(super) struct Dotprod;

impl Instructions for Dotprod {
    const BLOCK_BYTES: usize = BLOCK_BYTES;
    const GROUP: PanelFormat = GROUP;
    const TILES: usize = 2;
    const GROUPS: usize = 24;
    const COLUMNS: usize = COLUMNS;
    const MULTIPLY: Multiply = thinkd_gemm_dotprod;

    #[inline(always)]
    fn unpack<const BYTES: usize>(block: &[u8; BYTES], panel: &mut Panel) {
        // SAFETY: NEON is part of the target.
        unsafe { panel::unpack_dotprod(block, panel) }
    }
}

pub(super) struct I8mm;

impl Instructions for I8mm {
    const BLOCK_BYTES: usize = I8MM_BLOCK_BYTES;
    const GROUP: PanelFormat = I8MM_GROUP;
    const TILES: usize = 2;
    const GROUPS: usize = 24;
    const COLUMNS: usize = COLUMNS;
    const MULTIPLY: Multiply = thinkd_gemm_i8mm;

    #[inline(always)]
    fn unpack<const BYTES: usize>(block: &[u8; BYTES], panel: &mut Panel) {
        // SAFETY: NEON is part of the target.
        unsafe { panel::unpack_i8mm(block, panel) }
    }
}

/// Room for a panel, at a cache line's start.
#[repr(align(64))]
struct Buffer([MaybeUninit<u8>; PANEL_BYTES_MAX]);

/// See `Kernels::matmul_f32_q8_packed`.
///
/// # Safety
/// The CPU must have the instructions of `I`.
pub(super) unsafe fn matmul<I: Instructions>(
    x: &Q8Panels,
    w: &PackedMatrix<'_>,
    out: &mut ColumnsMut<'_>,
) {
    const { assert!(I::TILES * STRETCH * I::BLOCK_BYTES <= PANEL_BYTES_MAX) };
    let (columns, blocks) = (out.columns(), w.shape().blocks());
    let tiles = columns.start / COLUMNS..columns.end.div_ceil(COLUMNS);
    let groups = out.rows().div_ceil(ROWS);
    for row in 0..out.rows() {
        out.row(row).fill(0.0);
    }
    let span = if groups * blocks <= I::GROUPS * STRETCH {
        blocks
    } else {
        STRETCH
    };
    let mut buffer = Buffer([const { MaybeUninit::uninit() }; PANEL_BYTES_MAX]);
    for span in parts(0..blocks, span) {
        for groups in parts(0..groups, I::GROUPS) {
            for tiles in parts(tiles.clone(), I::TILES) {
                for blocks in parts(span.clone(), STRETCH) {
                    let stretch = Stretch::unpack::<I>(w, tiles.clone(), blocks, &mut buffer);
                    for group in groups.clone() {
                        // SAFETY: the caller says that the CPU has the instructions.
                        unsafe { stretch.multiply::<I>(x, group, out) };
                    }
                }
            }
        }
    }
}

/// Some blocks of a few tiles, unpacked.
struct Stretch<'a> {
    tiles: Range<usize>,
    blocks: Range<usize>,
    /// Tile after tile.
    panel: &'a Panel,
    /// What the sums are multiplied with after these blocks.
    factor: f32,
}

impl<'a> Stretch<'a> {
    fn unpack<I: Instructions>(
        w: &PackedMatrix<'_>,
        tiles: Range<usize>,
        blocks: Range<usize>,
        buffer: &'a mut Buffer,
    ) -> Self {
        let shape = w.shape();
        let bytes = shape.tile_block_bytes(w.layout());
        let tile_bytes = blocks.len() * I::BLOCK_BYTES;
        let panel = &mut buffer.0[..tiles.len() * tile_bytes];
        let packed = w
            .tiles(tiles.clone())
            .chunks_exact(shape.tile_bytes(w.layout()));
        for (tile, panel) in packed.zip(panel.chunks_exact_mut(tile_bytes)) {
            let tile = &tile[blocks.start * bytes..blocks.end * bytes];
            if shape.zero_points {
                unpack_tile::<I, TILE_BLOCK_WITH_OFFSETS>(tile, panel);
            } else {
                unpack_tile::<I, TILE_BLOCK>(tile, panel);
            }
        }
        let last = blocks.end == shape.blocks();
        Self {
            tiles,
            blocks,
            panel,
            factor: if last { w.output_scale() } else { 1.0 },
        }
    }

    /// Adds the products with the rows of one group to what `out` holds.
    ///
    /// # Safety
    /// The CPU must have the instructions of `I`, which the panel was unpacked for.
    #[inline]
    unsafe fn multiply<I: Instructions>(
        &self,
        x: &Q8Panels,
        group: usize,
        out: &mut ColumnsMut<'_>,
    ) {
        let x_bytes = I::GROUP.block_bytes;
        let x = &x.group(group)[self.blocks.start * x_bytes..self.blocks.end * x_bytes];
        let rows = group * ROWS..out.rows().min((group + 1) * ROWS);
        let (first, columns) = (out.columns().start, out.columns().len());
        let mut starts = [ptr::null_mut(); ROWS];
        for (start, row) in starts.iter_mut().zip(rows.clone()) {
            *start = out.row(row).as_mut_ptr();
        }
        let tile_bytes = self.blocks.len() * I::BLOCK_BYTES;
        for (tile, panel) in self.tiles.clone().zip(self.panel.chunks_exact(tile_bytes)) {
            let start = tile * COLUMNS - first;
            let length = COLUMNS.min(columns - start);
            if rows.len() == ROWS && length == COLUMNS {
                let places = starts.map(|row| row.wrapping_add(start));
                // SAFETY: each row has the columns up to `start + COLUMNS`; the rest is as the caller says.
                unsafe { self.multiply_tile::<I>(panel, x, places) };
                continue;
            }
            let mut sums = [[0.0; COLUMNS]; ROWS];
            for (sums, row) in sums.iter_mut().zip(rows.clone()) {
                sums[..length].copy_from_slice(&out.row(row)[start..start + length]);
            }
            let places = sums.each_mut().map(|row| row.as_mut_ptr());
            // SAFETY: these are rows of as many sums; the rest is as the caller says.
            unsafe { self.multiply_tile::<I>(panel, x, places) };
            for (sums, row) in sums.iter().zip(rows.clone()) {
                out.row(row)[start..start + length].copy_from_slice(&sums[..length]);
            }
        }
    }

    /// Adds the products of one tile to the sums at `rows`.
    ///
    /// # Safety
    /// As for `multiply`; `panel` must be one of `self`'s tiles and `x` hold its blocks of one group. Each row must
    /// have room for the columns of a tile.
    #[inline]
    unsafe fn multiply_tile<I: Instructions>(
        &self,
        panel: &Panel,
        x: &[u8],
        rows: [*mut f32; ROWS],
    ) {
        for part in 0..COLUMNS / I::COLUMNS {
            let panel = panel[part * I::BLOCK_BYTES * I::COLUMNS / COLUMNS..].as_ptr();
            let rows = rows.map(|row| row.wrapping_add(part * I::COLUMNS));
            let (x, blocks) = (x.as_ptr(), self.blocks.len());
            // SAFETY: as the caller says; the part's columns begin there in the first block.
            unsafe { (I::MULTIPLY)(panel.cast(), x, blocks, &rows, &STARTS, self.factor) };
        }
    }
}

/// Not inlined, so that it can be told apart from the products where instructions are counted.
#[inline(never)]
fn unpack_tile<I: Instructions, const BYTES: usize>(tile: &[u8], panel: &mut Panel) {
    let blocks = tile.as_chunks::<BYTES>().0;
    for (block, panel) in blocks.iter().zip(panel.chunks_exact_mut(I::BLOCK_BYTES)) {
        I::unpack(block, panel);
    }
}

/// Ranges of at most `length` that make up `range`.
fn parts(range: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = range;
    (start..end)
        .step_by(length)
        .map(move |start| start..end.min(start + length))
}
