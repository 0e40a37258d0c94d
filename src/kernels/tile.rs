//! What the vector kernels of the int8 product share: four columns at a time, and what belongs to their blocks.

use std::ops::Range;

use half::slice::HalfFloatSliceExt;

use super::block_matrix::{BlockMatrix, Floats, ZeroPoints};

/// Columns that a kernel works on together: one lane of a 128-bit register each.
pub(super) const COLUMNS: usize = 4;
/// Elements along k between two looks at the output: what of four columns stays in the first cache.
pub(super) const STRETCH: usize = 1024;
/// Blocks in a stretch, at most.
const BLOCKS_MAX: usize = STRETCH / 16;

/// Scales and zero points of a stretch of blocks of four columns, the columns side by side.
pub(super) struct Factors {
    pub(super) scales: [[f32; COLUMNS]; BLOCKS_MAX],
    pub(super) zero_points: [[f32; COLUMNS]; BLOCKS_MAX],
}

impl Factors {
    /// For the blocks of w; to be read before use.
    pub(super) fn of(w: &BlockMatrix<'_>) -> Self {
        let zero_point = match w.zero_points() {
            ZeroPoints::Middle => w.zero_point(0, 0),
            ZeroPoints::Packed(_) | ZeroPoints::Float(_) => 0.0,
        };
        Self {
            scales: [[0.0; COLUMNS]; BLOCKS_MAX],
            zero_points: [[zero_point; COLUMNS]; BLOCKS_MAX],
        }
    }

    /// Reads those of `blocks` of the rows `columns` of w.
    #[inline]
    pub(super) fn read(
        &mut self,
        w: &BlockMatrix<'_>,
        columns: [usize; COLUMNS],
        blocks: Range<usize>,
    ) {
        let count = blocks.len();
        let [a, b, c, d] = columns.map(|column| {
            let start = column * w.shape().blocks();
            start + blocks.start..start + blocks.end
        });
        read_floats(w.scales(), [&a, &b, &c, &d], &mut self.scales[..count]);
        match w.zero_points() {
            ZeroPoints::Middle => {} // there since `of`
            ZeroPoints::Float(floats) if !w.shape().signed => {
                read_floats(floats, [&a, &b, &c, &d], &mut self.zero_points[..count]);
            }
            ZeroPoints::Packed(_) | ZeroPoints::Float(_) => {
                for (c, column) in columns.into_iter().enumerate() {
                    for (four, block) in self.zero_points.iter_mut().zip(blocks.clone()) {
                        four[c] = w.zero_point(column, block);
                    }
                }
            }
        }
    }
}

#[inline]
fn read_floats(floats: Floats<'_>, ranges: [&Range<usize>; COLUMNS], out: &mut [[f32; COLUMNS]]) {
    match floats {
        Floats::F32(values) => interleave(ranges.map(|range| &values[range.clone()]), out),
        Floats::F16(values) => {
            let mut rows = [[0.0; BLOCKS_MAX]; COLUMNS];
            for (row, range) in rows.iter_mut().zip(ranges) {
                values[range.clone()].convert_to_f32_slice(&mut row[..range.len()]);
            }
            interleave(rows.each_ref().map(|row| &row[..out.len()]), out);
        }
    }
}

#[inline]
fn interleave([a, b, c, d]: [&[f32]; COLUMNS], out: &mut [[f32; COLUMNS]]) {
    for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *out = [*a, *b, *c, *d];
    }
}

/// Unsigned quants of a stretch of blocks of one row, in the order of `Q8Rows`.
#[inline(always)]
pub(super) fn unpack<const BITS: usize, const BLOCK: usize>(
    packed: &[u8],
    flip: u8,
    quants: &mut [u8],
) {
    if BITS == 8 {
        for (quant, byte) in quants.iter_mut().zip(packed) {
            *quant = byte ^ flip;
        }
        return;
    }
    for (quants, packed) in quants
        .chunks_exact_mut(BLOCK)
        .zip(packed.chunks_exact(BLOCK / 2))
    {
        let (low, high) = quants.split_at_mut(BLOCK / 2);
        for ((low, high), byte) in low.iter_mut().zip(high).zip(packed) {
            (*low, *high) = ((byte ^ flip) & 0xF, (byte ^ flip) >> 4);
        }
    }
}
