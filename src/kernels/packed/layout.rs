//! In which order the weights of a tile's block lie: one layout an instruction set.
//!
//! ```text
//!             byte        low nibble               high nibble
//! Columns32   64g+4j+i    column j,    k 4g+i      column 16+j, k 4g+i        j 0..16, g 0..8
//! Columns8    32g+4j+i    column j,    k 4g+i      column j,    k 16+4g+i     j 0..8,  g 0..4
//! Pairs8      16g+4j+i    column 4+j,  k 4g+i      column j,    k 4g+i        j 0..4,  g 0..8;  high: quant − 8, signed
//! Rows8       16j+i       column j,    k i         column j,    k 16+i        j 0..8,  i 0..16
//! ```

use super::BLOCK;

/// How the scales of a tile's blocks are written; the page of `packed` draws both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleForm {
    /// An f16 each.
    Half,
    /// Eight bits each, and an f16 for every 16 blocks of a column: 5 % fewer bytes, for some more instructions.
    Coded,
}

/// Order of the weights in a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// For 512-bit registers: four elements of 16 columns a register.
    Columns32,
    /// For 256-bit registers: four elements of 8 columns a register.
    Columns8,
    /// For the 128-bit dot product: four elements of 4 columns a register, column pairs in one byte.
    Pairs8,
    /// For 128-bit registers without a dot product: one column a register.
    Rows8,
}

/// Which weight a nibble is: column of the tile, element of the block.
type Place = (u8, u8);

impl Layout {
    /// Most columns that a tile has.
    pub const COLUMNS_MAX: usize = 32;

    /// Every layout.
    pub const ALL: [Self; 4] = [Self::Columns32, Self::Columns8, Self::Pairs8, Self::Rows8];

    /// Columns of a tile.
    #[must_use]
    pub const fn columns(self) -> usize {
        match self {
            Self::Columns32 => 32,
            Self::Columns8 | Self::Pairs8 | Self::Rows8 => 8,
        }
    }

    /// How scales are written.
    #[must_use]
    pub const fn scales(self) -> ScaleForm {
        match self {
            Self::Columns32 => ScaleForm::Coded,
            Self::Columns8 | Self::Pairs8 | Self::Rows8 => ScaleForm::Half,
        }
    }

    /// Name and version, for files that hold packed weights: another order gets another name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Columns32 => "columns32.2",
            Self::Columns8 => "columns8.1",
            Self::Pairs8 => "pairs8.1",
            Self::Rows8 => "rows8.1",
        }
    }

    /// What a byte of unsigned quants is xor-ed with.
    pub(in crate::kernels) const fn flip(self) -> u8 {
        match self {
            Self::Pairs8 => 0x80,
            Self::Columns32 | Self::Columns8 | Self::Rows8 => 0,
        }
    }

    /// The weights in the low and the high nibble of every byte of a tile's block.
    pub(in crate::kernels) fn places(self) -> Vec<[Place; 2]> {
        let bytes = self.columns() * BLOCK / 2;
        (0..bytes).map(|byte| self.place(byte)).collect()
    }

    fn place(self, byte: usize) -> [Place; 2] {
        let (lane, i) = (byte / 4, byte % 4);
        let [low, high] = match self {
            Self::Columns32 => {
                let (g, j) = (lane / 16, lane % 16);
                [(j, 4 * g + i), (16 + j, 4 * g + i)]
            }
            Self::Columns8 => {
                let (g, j) = (lane / 8, lane % 8);
                [(j, 4 * g + i), (j, 16 + 4 * g + i)]
            }
            Self::Pairs8 => {
                let (g, j) = (lane / 4, lane % 4);
                [(4 + j, 4 * g + i), (j, 4 * g + i)]
            }
            Self::Rows8 => {
                let (j, i) = (byte / 16, byte % 16);
                [(j, i), (j, 16 + i)]
            }
        };
        [low, high].map(|(column, k)| (column as u8, k as u8)) // both under 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_of_a_block_has_one_place() {
        for layout in Layout::ALL {
            let mut places: Vec<_> = layout.places().into_iter().flatten().collect();
            places.sort_unstable();
            let expected = (0..layout.columns() as u8)
                .flat_map(|column| (0..BLOCK as u8).map(move |k| (column, k)));
            assert!(places.into_iter().eq(expected), "{layout:?}");
        }
    }
}
