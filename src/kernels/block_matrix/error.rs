//! What is wrong with the parts of a matrix, with the value found and the one expected.

/// Why a [`BlockMatrix`](super::BlockMatrix) cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockMatrixError {
    /// Bits other than 4 and 8.
    Bits {
        /// What was asked for.
        found: usize,
    },
    /// A block size no kernel has.
    BlockSize {
        /// What was asked for.
        found: usize,
    },
    /// k is 0, or n · k does not fit into memory.
    Size {
        /// Rows.
        n: usize,
        /// Length of a row.
        k: usize,
    },
    /// A part has another length than the shape asks for.
    Length {
        /// Which part.
        part: &'static str,
        /// Its length, in bytes or floats.
        found: usize,
        /// What the shape asks for, in the same unit.
        expected: usize,
    },
    /// Scales and float zero points differ in type.
    FloatTypes {
        /// Type of the zero points.
        found: &'static str,
        /// Type of the scales.
        expected: &'static str,
    },
}

impl std::fmt::Display for BlockMatrixError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bits { found } => write!(f, "quants have {found} bits, expected 4 or 8"),
            Self::BlockSize { found } => {
                write!(f, "block size is {found}, expected 16, 32, 64, 128 or 256")
            }
            Self::Size { n, k } => {
                write!(
                    f,
                    "matrix is {n} rows of {k}, expected k of at least 1 and n · k in memory"
                )
            }
            Self::Length {
                part,
                found,
                expected,
            } => {
                write!(f, "{part} have length {found}, expected {expected}")
            }
            Self::FloatTypes { found, expected } => {
                write!(
                    f,
                    "zero points are {found}, expected the scales' type {expected}"
                )
            }
        }
    }
}

impl std::error::Error for BlockMatrixError {}
