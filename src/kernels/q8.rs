//! Activations as int8, quantized per block like the matrix they are to meet.
//!
//! ```text
//! per row, per block:  scale = max|x| / 127,  quant = round(x · 127 / max|x|), ties to even,  sum = Σ quant
//! order in a block:    8-bit weights: as they come
//!                      4-bit weights: even elements, then odd ones: low nibbles meet the first half, high the second
//! ```
//!
//! The rule is ONNX Runtime's for `MatMulNBits` at `accuracy_level = 4` on x86-64. Padding is 0.

use super::block_matrix::BlockShape;

/// A reusable buffer of quantized activation rows.
///
/// The owner grows it with [`Q8Rows::resize`]; `Kernels::quantize_q8` fills it without allocating.
#[derive(Debug, Clone, Default)]
pub struct Q8Rows {
    rows: usize,
    k: usize,
    block_size: usize,
    bits: usize,
    quants: Vec<i8>,
    scales: Vec<f32>,
    sums: Vec<f32>,
}

/// One row of [`Q8Rows`], to be filled.
#[derive(Debug)]
pub struct Q8RowMut<'a> {
    /// `[blocks][block_size]`, in the order of the module's page.
    pub(super) quants: &'a mut [i8],
    /// `[blocks]`.
    pub(super) scales: &'a mut [f32],
    /// `[blocks]`.
    pub(super) sums: &'a mut [f32],
    pub(super) block_size: usize,
    /// Whether even elements come before odd ones.
    pub(super) split: bool,
    k: usize,
}

impl Q8RowMut<'_> {
    /// Length of the row of activations.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }
}

impl Q8Rows {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for `rows` rows that are to meet a matrix of this shape; what it held is lost.
    ///
    /// Allocates only when it has never been this large.
    pub fn resize(&mut self, rows: usize, shape: &BlockShape) {
        let blocks = shape.blocks();
        self.rows = rows;
        self.k = shape.k;
        self.block_size = shape.block_size;
        self.bits = shape.bits;
        self.quants.resize(rows * blocks * shape.block_size, 0);
        self.scales.resize(rows * blocks, 0.0);
        self.sums.resize(rows * blocks, 0.0);
    }

    /// Whether the rows can meet a matrix of this shape: same k, block size and bits.
    #[must_use]
    pub fn fits(&self, shape: &BlockShape) -> bool {
        (self.k, self.block_size, self.bits) == (shape.k, shape.block_size, shape.bits)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of a row of activations.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// Every row, to be filled; each can go to another thread.
    pub fn rows_mut(&mut self) -> impl ExactSizeIterator<Item = Q8RowMut<'_>> {
        let (k, block_size, split) = (self.k, self.block_size, self.bits == 4);
        let blocks = self.blocks();
        self.quants
            .chunks_exact_mut((blocks * block_size).max(1))
            .zip(self.scales.chunks_exact_mut(blocks.max(1)))
            .zip(self.sums.chunks_exact_mut(blocks.max(1)))
            .map(move |((quants, scales), sums)| Q8RowMut {
                quants,
                scales,
                sums,
                block_size,
                split,
                k,
            })
    }

    /// Blocks in a row.
    pub(super) fn blocks(&self) -> usize {
        if self.block_size == 0 {
            0
        } else {
            self.k.div_ceil(self.block_size)
        }
    }

    /// Quants of one row.
    #[inline]
    pub(super) fn row_quants(&self, row: usize) -> &[i8] {
        let length = self.blocks() * self.block_size;
        &self.quants[row * length..][..length]
    }

    /// Scales of one row's blocks.
    #[inline]
    pub(super) fn row_scales(&self, row: usize) -> &[f32] {
        &self.scales[row * self.blocks()..][..self.blocks()]
    }

    /// Sums of one row's blocks: integers, which f32 holds exactly up to 256 · 127.
    #[inline]
    pub(super) fn row_sums(&self, row: usize) -> &[f32] {
        &self.sums[row * self.blocks()..][..self.blocks()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_matrices_of_the_same_format_and_length_only() {
        let shape = BlockShape {
            n: 9,
            k: 70,
            bits: 4,
            block_size: 32,
            signed: false,
        };
        let mut q8 = Q8Rows::new();
        assert!(!q8.fits(&shape));
        q8.resize(2, &shape);
        assert_eq!((q8.rows(), q8.k(), q8.rows_mut().len()), (2, 70, 2));
        assert!(q8.fits(&BlockShape {
            n: 1,
            signed: true,
            ..shape
        }));
        assert!(!q8.fits(&BlockShape { k: 71, ..shape }));
        assert!(!q8.fits(&BlockShape { bits: 8, ..shape }));
        assert!(!q8.fits(&BlockShape {
            block_size: 64,
            ..shape
        }));
    }

    #[test]
    fn does_not_allocate_to_be_as_large_as_it_was() {
        let shape = BlockShape {
            n: 1,
            k: 640,
            bits: 4,
            block_size: 32,
            signed: false,
        };
        let mut q8 = Q8Rows::new();
        q8.resize(8, &shape);
        let before = q8.row_quants(0).as_ptr();
        q8.resize(1, &BlockShape { k: 64, ..shape });
        q8.resize(8, &shape);
        assert_eq!(q8.row_quants(0).as_ptr(), before);
    }
}
