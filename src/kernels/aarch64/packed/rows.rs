//! The forms of quantized activations, block by block; a line is 16 bytes, numbers are replicated to fill one.
//!
//! ```text
//! DOTPROD_ROW   quants [2 lines]  both  low  -M·d  -M·d/16  (d, d/16, Σ)      M = 1.5 · 2^23, d the scale,
//! NEON_ROW      quants [2 lines]  lanes  -M·d  (d, Σ)                         Σ the sum of the quants
//! GROUP         quants [4 rows][2 lines]  -M·d [4 rows]  (d of 4 rows)
//! I8MM_GROUP    quants [4 eighths][4 rows][8]  -M·d [2 pairs]  d [2 pairs]    a pair: row, row, next row, next row
//! ```
//!
//! `low` and `both` are what the sums of low nibbles and of whole bytes start at: M - 8·Σ, and that much above M.
//! `lanes` is what eight 16-bit sums start at: -8 times the quants that meet in a lane.

use super::lines::{Line, floats, shorts, words};
use super::{MAGIC, ROWS};
use crate::kernels::packed::{BLOCK, LARGEST_MIN, PanelFormat, PanelRows, Q8PanelMut};

/// Bytes of a line.
const LINE: usize = size_of::<Line>();
/// Largest magnitude of a quant.
const QUANT_MAX: f32 = 127.0;
/// What an unsigned quant of a weight that stands for zero is.
const MIDDLE: i32 = 8;

/// Bytes of a block of one row for the dot product.
pub(super) const DOTPROD_ROW_BLOCK: usize = 7 * LINE;
/// Bytes of a block of one row for NEON alone.
pub(super) const NEON_ROW_BLOCK: usize = 5 * LINE;

pub(super) const DOTPROD_ROW: PanelFormat = PanelFormat {
    rows: 1,
    block_bytes: DOTPROD_ROW_BLOCK,
};
pub(super) const NEON_ROW: PanelFormat = PanelFormat {
    rows: 1,
    block_bytes: NEON_ROW_BLOCK,
};
pub(super) const GROUP: PanelFormat = PanelFormat {
    rows: ROWS,
    block_bytes: ROWS * BLOCK + (ROWS + 1) * LINE,
};
pub(super) const I8MM_GROUP: PanelFormat = PanelFormat {
    rows: ROWS,
    block_bytes: ROWS * BLOCK + ROWS * LINE,
};

/// One block of a row, quantized.
struct Block {
    quants: [i8; BLOCK],
    scale: f32,
    sum: i32,
}

impl Block {
    /// As `scalar` does it, bit for bit: only the order of work differs. What is missing counts as 0.
    #[inline(always)]
    fn quantize(x: &[f32]) -> Self {
        let mut padded = [0.0; BLOCK];
        let x: &[f32; BLOCK] = if let Ok(x) = x.try_into() {
            x
        } else {
            padded[..x.len()].copy_from_slice(x);
            &padded
        };
        let largest = x
            .iter()
            .fold(0, |largest, x| x.abs().to_bits().max(largest));
        let largest = f32::from_bits(largest);
        let small = largest < LARGEST_MIN;
        let per_unit = if small { 0.0 } else { QUANT_MAX / largest };
        let scale = f32::from_bits((largest / QUANT_MAX).to_bits() & !3);
        let mut quants = [0; BLOCK];
        for (quant, x) in quants.iter_mut().zip(x) {
            // Adding M leaves the nearest integer in the low bits; what is no number becomes any quant.
            *quant = (x * per_unit + MAGIC).to_bits() as i8;
        }
        Self {
            sum: quants.iter().map(|&quant| i32::from(quant)).sum(),
            scale: if small { 0.0 } else { scale },
            quants,
        }
    }

    /// The quants of 16 elements.
    #[inline(always)]
    fn line(&self, half: usize) -> Line {
        let quants: &[i8; LINE] = &self.quants.as_chunks().0[half];
        quants.map(|quant| quant as u8)
    }
}

pub(super) fn quantize_dotprod(rows: &PanelRows<'_>, panel: &mut Q8PanelMut<'_>) {
    if panel.format != DOTPROD_ROW {
        return quantize_group(rows, panel);
    }
    let blocks = panel.bytes().chunks_exact_mut(DOTPROD_ROW_BLOCK);
    for (block, x) in blocks.zip(rows.row(0).chunks(BLOCK)) {
        let x = Block::quantize(x);
        let low = MAGIC.to_bits().wrapping_add_signed(-MIDDLE * x.sum);
        let both = low.wrapping_add(MAGIC.to_bits());
        let sixteenth = x.scale / 16.0; // exact
        let lines: [Line; 7] = [
            x.line(0),
            x.line(1),
            words([both; 4]),
            words([low; 4]),
            floats([-MAGIC * x.scale; 4]),
            floats([-MAGIC * sixteenth; 4]),
            words([x.scale.to_bits(), sixteenth.to_bits(), x.sum as u32, 0]),
        ];
        block.copy_from_slice(lines.as_flattened());
    }
}

pub(super) fn quantize_neon(rows: &PanelRows<'_>, panel: &mut Q8PanelMut<'_>) {
    if panel.format != NEON_ROW {
        return quantize_group(rows, panel);
    }
    let blocks = panel.bytes().chunks_exact_mut(NEON_ROW_BLOCK);
    for (block, x) in blocks.zip(rows.row(0).chunks(BLOCK)) {
        let x = Block::quantize(x);
        let mut lanes = [0_i16; 8];
        for quants in x.quants.as_chunks::<8>().0 {
            for (lane, quant) in lanes.iter_mut().zip(quants) {
                *lane += i16::from(*quant);
            }
        }
        let lines: [Line; 5] = [
            x.line(0),
            x.line(1),
            shorts(lanes.map(|lane| lane * -(MIDDLE as i16))),
            floats([-MAGIC * x.scale; 4]),
            words([x.scale.to_bits(), x.sum as u32, 0, 0]),
        ];
        block.copy_from_slice(lines.as_flattened());
    }
}

fn quantize_group(rows: &PanelRows<'_>, panel: &mut Q8PanelMut<'_>) {
    for (i, block) in panel
        .bytes()
        .chunks_exact_mut(GROUP.block_bytes)
        .enumerate()
    {
        let (quants, factors) = block.split_at_mut(ROWS * BLOCK);
        let (offsets, scales) = factors.split_at_mut(ROWS * LINE);
        let quants = quants.as_chunks_mut::<BLOCK>().0.iter_mut();
        let offsets = offsets.as_chunks_mut::<LINE>().0;
        let scales = scales.as_chunks_mut::<4>().0;
        for (row, ((quants, offset), scale)) in quants.zip(offsets).zip(scales).enumerate() {
            let x = Block::quantize(block_of(rows, row, i));
            for (byte, quant) in quants.iter_mut().zip(x.quants) {
                *byte = quant as u8;
            }
            *offset = floats([-MAGIC * x.scale; 4]);
            *scale = x.scale.to_le_bytes();
        }
    }
}

pub(super) fn quantize_i8mm(rows: &PanelRows<'_>, panel: &mut Q8PanelMut<'_>) {
    if panel.format != I8MM_GROUP {
        return quantize_dotprod(rows, panel);
    }
    let blocks = panel.bytes().chunks_exact_mut(I8MM_GROUP.block_bytes);
    for (i, block) in blocks.enumerate() {
        let (quants, factors) = block.split_at_mut(ROWS * BLOCK);
        let (offsets, scales) = factors.split_at_mut(ROWS / 2 * LINE);
        let quants: &mut [[u8; 8]] = quants.as_chunks_mut().0;
        let offsets: &mut [[u8; 8]] = offsets.as_chunks_mut().0;
        let scales: &mut [[u8; 8]] = scales.as_chunks_mut().0;
        for row in 0..ROWS {
            let x = Block::quantize(block_of(rows, row, i));
            let eighths: &[[i8; 8]] = x.quants.as_chunks().0;
            for (eighth, from) in eighths.iter().enumerate() {
                for (byte, quant) in quants[eighth * ROWS + row].iter_mut().zip(from) {
                    *byte = *quant as u8;
                }
            }
            offsets[row] = twice(-MAGIC * x.scale);
            scales[row] = twice(x.scale);
        }
    }
}

/// Block `block` of row `row`; empty where there is no such row.
#[inline(always)]
fn block_of<'a>(rows: &PanelRows<'a>, row: usize, block: usize) -> &'a [f32] {
    let x = rows.row(row);
    let rest = x.get(block * BLOCK..).unwrap_or_default();
    &rest[..rest.len().min(BLOCK)]
}

/// A float two times.
#[inline(always)]
fn twice(x: f32) -> [u8; 8] {
    let [a, b, c, d] = x.to_le_bytes();
    [a, b, c, d, a, b, c, d]
}
