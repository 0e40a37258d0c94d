//! The weight matrix as ONNX stores it: small integers in blocks along k, a scale and a zero point a block.
//!
//! A view: it borrows the bytes where they lie (usually a read-only map of the model file) and copies nothing.
//!
//! ```text
//! quants      [n][blocks][block_size · bits / 8]   4 bits: byte i of a block = element 2i (low) | element 2i+1 (high)
//! scales      [n][blocks]                          f32 or f16, may be negative
//! zero points [n][⌈blocks · bits / 8⌉]             packed the same way, a row at a time; or one float a block
//!
//! blocks = ⌈k / block_size⌉,    w[row, col] = (quant − zero point) · scale
//! ```
//!
//! Elements past k in the last block are padding: no kernel lets them count, whatever they hold.

mod error;

use half::f16;

pub use error::BlockMatrixError;

/// Largest block; kernels keep one unpacked block of each column on the stack.
pub const BLOCK_SIZE_MAX: usize = 256;

/// Sizes and number format of a [`BlockMatrix`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockShape {
    /// Rows of the matrix, which are the columns of the product.
    pub n: usize,
    /// Length of a row.
    pub k: usize,
    /// Bits of a quant: 4 or 8.
    pub bits: usize,
    /// Elements along k that share a scale: 16, 32, 64, 128 or 256.
    pub block_size: usize,
    /// Whether quants and packed zero points are two's complement (ONNX types INT4 and INT8) rather than
    /// unsigned (`MatMulNBits`, UINT4, UINT8).
    pub signed: bool,
}

impl BlockShape {
    /// Blocks in a row, the padded last one counted.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.k.div_ceil(self.block_size)
    }

    /// Bytes of the quants of one block.
    #[must_use]
    pub fn block_bytes(&self) -> usize {
        self.block_size * self.bits / 8
    }

    /// Bytes of the packed zero points of one row.
    #[must_use]
    pub fn zero_point_bytes(&self) -> usize {
        (self.blocks() * self.bits).div_ceil(8)
    }

    fn check(&self) -> Result<(), BlockMatrixError> {
        if !matches!(self.bits, 4 | 8) {
            return Err(BlockMatrixError::Bits { found: self.bits });
        }
        if !matches!(self.block_size, 16 | 32 | 64 | 128 | BLOCK_SIZE_MAX) {
            return Err(BlockMatrixError::BlockSize {
                found: self.block_size,
            });
        }
        let elements = self.blocks().checked_mul(self.block_size);
        if self.k == 0
            || elements
                .and_then(|k| k.checked_mul(self.n.max(1)))
                .is_none()
        {
            return Err(BlockMatrixError::Size {
                n: self.n,
                k: self.k,
            });
        }
        Ok(())
    }
}

/// One float a block, in either of the two types that models use.
#[derive(Debug, Clone, Copy)]
pub enum Floats<'a> {
    /// 32-bit.
    F32(&'a [f32]),
    /// 16-bit.
    F16(&'a [f16]),
}

impl Floats<'_> {
    /// Number of floats.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F16(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The float at `index`.
    ///
    /// # Panics
    /// If `index` is out of range.
    #[inline]
    #[must_use]
    pub fn at(&self, index: usize) -> f32 {
        match self {
            Self::F32(values) => values[index],
            Self::F16(values) => values[index].to_f32(),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::F32(_) => "f32",
            Self::F16(_) => "f16",
        }
    }
}

/// What quant stands for zero.
#[derive(Debug, Clone, Copy)]
pub enum ZeroPoints<'a> {
    /// The middle of the range: 8 for 4 bits, 128 for 8 bits; 0 where quants are signed.
    Middle,
    /// One quant a block, packed row by row.
    Packed(&'a [u8]),
    /// One float a block, of the same type as the scales.
    Float(Floats<'a>),
}

/// A borrowed matrix of `n` rows and `k` columns of 4- or 8-bit weights; the module's page draws the layout.
///
/// The product of activations `[m, k]` with it is `[m, n]`: a row here is a column there.
#[derive(Debug, Clone, Copy)]
pub struct BlockMatrix<'a> {
    shape: BlockShape,
    quants: &'a [u8],
    scales: Floats<'a>,
    zero_points: ZeroPoints<'a>,
}

impl<'a> BlockMatrix<'a> {
    /// Joins the parts of a matrix after checking that their lengths agree.
    ///
    /// # Errors
    /// If the shape is not supported or a part has another length than the shape asks for.
    pub fn new(
        shape: BlockShape,
        quants: &'a [u8],
        scales: Floats<'a>,
        zero_points: ZeroPoints<'a>,
    ) -> Result<Self, BlockMatrixError> {
        shape.check()?;
        let length = |part, found, expected| {
            if found == expected {
                Ok(())
            } else {
                Err(BlockMatrixError::Length {
                    part,
                    found,
                    expected,
                })
            }
        };
        let blocks = shape.n * shape.blocks();
        length("quants", quants.len(), blocks * shape.block_bytes())?;
        length("scales", scales.len(), blocks)?;
        match zero_points {
            ZeroPoints::Middle => {}
            ZeroPoints::Packed(bytes) => {
                length(
                    "packed zero points",
                    bytes.len(),
                    shape.n * shape.zero_point_bytes(),
                )?;
            }
            ZeroPoints::Float(floats) => {
                length("float zero points", floats.len(), blocks)?;
                if floats.type_name() != scales.type_name() {
                    let (found, expected) = (floats.type_name(), scales.type_name());
                    return Err(BlockMatrixError::FloatTypes { found, expected });
                }
            }
        }
        Ok(Self {
            shape,
            quants,
            scales,
            zero_points,
        })
    }

    /// Sizes and number format.
    #[must_use]
    pub fn shape(&self) -> BlockShape {
        self.shape
    }

    /// Rows, which are the columns of the product.
    #[must_use]
    pub fn n(&self) -> usize {
        self.shape.n
    }

    /// Length of a row.
    #[must_use]
    pub fn k(&self) -> usize {
        self.shape.k
    }

    /// Bytes that a pass over the whole matrix reads.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let float_bytes = |floats: &Floats<'_>| match floats {
            Floats::F32(values) => size_of_val(*values),
            Floats::F16(values) => size_of_val(*values),
        };
        let zero_points = match &self.zero_points {
            ZeroPoints::Middle => 0,
            ZeroPoints::Packed(bytes) => bytes.len(),
            ZeroPoints::Float(floats) => float_bytes(floats),
        };
        self.quants.len() + float_bytes(&self.scales) + zero_points
    }

    /// Quants of one row, `[blocks][block_bytes]`.
    #[inline]
    pub(super) fn row_quants(&self, row: usize) -> &'a [u8] {
        let bytes = self.shape.blocks() * self.shape.block_bytes();
        &self.quants[row * bytes..][..bytes]
    }

    /// Scales, `[n][blocks]`.
    pub(super) fn scales(&self) -> Floats<'a> {
        self.scales
    }

    /// Zero points as they are stored.
    pub(super) fn zero_points(&self) -> ZeroPoints<'a> {
        self.zero_points
    }

    /// Scale of one block.
    #[inline]
    pub(super) fn scale(&self, row: usize, block: usize) -> f32 {
        self.scales.at(row * self.shape.blocks() + block)
    }

    /// What a byte of quants or packed zero points is xor-ed with, so that the quants in it are unsigned.
    #[inline]
    pub(super) fn flip(&self) -> u8 {
        match (self.shape.signed, self.shape.bits) {
            (false, _) => 0,
            (true, 4) => 0x88,
            (true, _) => 0x80,
        }
    }

    /// Zero point of one block, for unsigned quants.
    #[inline]
    pub(super) fn zero_point(&self, row: usize, block: usize) -> f32 {
        let middle = f32::from(1_u8 << (self.shape.bits - 1));
        match self.zero_points {
            ZeroPoints::Middle => middle,
            ZeroPoints::Packed(bytes) if self.shape.bits == 8 => {
                f32::from(bytes[row * self.shape.zero_point_bytes() + block] ^ self.flip())
            }
            ZeroPoints::Packed(bytes) => {
                let pair = bytes[row * self.shape.zero_point_bytes() + block / 2] ^ self.flip();
                f32::from((pair >> (block % 2 * 4)) & 0xF)
            }
            ZeroPoints::Float(floats) => {
                let shift = if self.shape.signed { middle } else { 0.0 };
                floats.at(row * self.shape.blocks() + block) + shift
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: BlockShape = BlockShape {
        n: 3,
        k: 70,
        bits: 4,
        block_size: 32,
        signed: false,
    };

    fn refusal(shape: BlockShape, quants: usize, scales: usize, zero_points: usize) -> String {
        let (quants, zero_points) = (vec![0; quants], vec![0; zero_points]);
        let scales = vec![0.0; scales];
        let zero_points = ZeroPoints::Packed(&zero_points);
        let matrix = BlockMatrix::new(shape, &quants, Floats::F32(&scales), zero_points);
        matrix.map_or_else(|error| error.to_string(), |_| "none".into())
    }

    #[test]
    fn counts_blocks_and_bytes_with_the_padding() {
        assert_eq!(
            (
                SHAPE.blocks(),
                SHAPE.block_bytes(),
                SHAPE.zero_point_bytes()
            ),
            (3, 16, 2)
        );
        let quants = [0; 3 * 3 * 16];
        let scales = [0.0; 9];
        let matrix =
            BlockMatrix::new(SHAPE, &quants, Floats::F32(&scales), ZeroPoints::Middle).unwrap();
        assert_eq!((matrix.n(), matrix.k(), matrix.bytes()), (3, 70, 144 + 36));
    }

    #[test]
    fn refuses_what_disagrees_and_says_what_it_expected() {
        let table = [
            (SHAPE, 144, 9, 6, "none"),
            (SHAPE, 143, 9, 6, "quants have length 143, expected 144"),
            (SHAPE, 144, 10, 6, "scales have length 10, expected 9"),
            (
                SHAPE,
                144,
                9,
                5,
                "packed zero points have length 5, expected 6",
            ),
            (
                BlockShape { bits: 2, ..SHAPE },
                0,
                0,
                0,
                "quants have 2 bits, expected 4 or 8",
            ),
            (
                BlockShape {
                    block_size: 48,
                    ..SHAPE
                },
                0,
                0,
                0,
                "block size is 48, expected 16, 32, 64, 128 or 256",
            ),
            (
                BlockShape { k: 0, ..SHAPE },
                0,
                0,
                0,
                "matrix is 3 rows of 0, expected k of at least 1 and n · k in memory",
            ),
            (
                BlockShape {
                    n: usize::MAX / 64,
                    ..SHAPE
                },
                0,
                0,
                0,
                "matrix is 288230376151711743 rows of 70, expected k of at least 1 and n · k in memory",
            ),
        ];
        for (shape, quants, scales, zero_points, expected) in table {
            assert_eq!(refusal(shape, quants, scales, zero_points), expected);
        }
    }

    #[test]
    fn refuses_float_zero_points_of_another_type_than_the_scales() {
        let (quants, scales, zero_points) = ([0; 144], [0.0; 9], [f16::ZERO; 9]);
        let zero_points = ZeroPoints::Float(Floats::F16(&zero_points));
        let error =
            BlockMatrix::new(SHAPE, &quants, Floats::F32(&scales), zero_points).unwrap_err();
        assert_eq!(
            error.to_string(),
            "zero points are f16, expected the scales' type f32"
        );
    }
}
