//! Random matrices and activations for the checks.

use half::f16;

use crate::kernels::{BlockMatrix, BlockShape, Floats, ZeroPoints};

/// A small generator of random numbers; the same seed gives the same numbers everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub(super) fn bits(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// From -1 up to 1.
    pub(super) fn float(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    pub(super) fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.float()).collect()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.bits() as u8).collect()
    }
}

/// Which zero points a matrix has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Zeros {
    Middle,
    Packed,
    Float,
}

/// All that a random matrix and its activations are made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) shape: BlockShape,
    pub(super) f16: bool,
    pub(super) zeros: Zeros,
    pub(super) rows: usize,
    /// Quants and activations at the ends of their ranges rather than random.
    pub(super) extreme: bool,
    pub(super) seed: u64,
}

/// The owner of what a [`BlockMatrix`] borrows.
pub(super) struct Matrix {
    shape: BlockShape,
    quants: Vec<u8>,
    scales: (Vec<f32>, Vec<f16>),
    packed: Vec<u8>,
    floats: (Vec<f32>, Vec<f16>),
    zeros: Zeros,
    f16: bool,
}

impl Case {
    pub(super) fn matrix(&self) -> Matrix {
        let Self {
            shape,
            f16,
            zeros,
            extreme,
            seed,
            ..
        } = *self;
        let mut random = Random::new(seed);
        let blocks = shape.n * shape.blocks();
        let mut quants = random.bytes(blocks * shape.block_bytes());
        if extreme {
            let ends = [0x00, 0xFF, 0x0F, 0xF0, 0x80, 0x7F];
            quants
                .iter_mut()
                .for_each(|byte| *byte = ends[usize::from(*byte) % ends.len()]);
        }
        // Of both signs, a few of them 0; exact in f16, so that both types say the same.
        let scale = |bits: u32| {
            if bits.is_multiple_of(13) {
                0.0
            } else {
                (bits % 255) as f32 - 127.0
            }
        };
        let scales: Vec<_> = (0..blocks).map(|_| scale(random.bits()) / 4096.0).collect();
        let floats: Vec<_> = (0..blocks)
            .map(|_| (random.bits() % 480) as f32 / 32.0)
            .collect();
        let half = |floats: &[f32]| floats.iter().copied().map(f16::from_f32).collect();
        Matrix {
            shape,
            quants,
            packed: random.bytes(shape.n * shape.zero_point_bytes()),
            scales: (scales.clone(), half(&scales)),
            floats: (floats.clone(), half(&floats)),
            zeros,
            f16,
        }
    }

    /// `[rows, k]`; blocks of very different size, a few of them 0, each with its end of range.
    pub(super) fn activations(&self) -> Vec<f32> {
        let mut random = Random::new(self.seed ^ 0x5eed);
        let mut x = Vec::new();
        for _ in 0..self.rows {
            let mut size = 1.0;
            for k in 0..self.shape.k {
                if k % self.shape.block_size == 0 {
                    let sizes = [0.0, 1e-3, 1.0, 127.0, 1e4];
                    size = sizes[random.bits() as usize % sizes.len()];
                }
                let value = random.float();
                x.push(size * if self.extreme { value.signum() } else { value });
            }
        }
        x
    }
}

impl Matrix {
    pub(super) fn view(&self) -> BlockMatrix<'_> {
        let floats = |both| Self::floats(both, self.f16);
        let zero_points = match self.zeros {
            Zeros::Middle => ZeroPoints::Middle,
            Zeros::Packed => ZeroPoints::Packed(&self.packed),
            Zeros::Float => ZeroPoints::Float(floats(&self.floats)),
        };
        BlockMatrix::new(self.shape, &self.quants, floats(&self.scales), zero_points).unwrap()
    }

    fn floats((wide, narrow): &(Vec<f32>, Vec<f16>), f16: bool) -> Floats<'_> {
        if f16 {
            Floats::F16(narrow)
        } else {
            Floats::F32(wide)
        }
    }

    /// One weight, straight from the definition.
    pub(super) fn weight(&self, row: usize, k: usize) -> f64 {
        let (quant, zero_point, scale) = self.parts(row, k);
        (quant - zero_point) * scale
    }

    /// Quant, zero point and scale of one weight.
    pub(super) fn parts(&self, row: usize, k: usize) -> (f64, f64, f64) {
        let shape = self.shape;
        let (block, place) = (k / shape.block_size, k % shape.block_size);
        let index = row * shape.blocks() + block;
        let read = |bytes: &[u8], place: usize| -> f64 {
            match (shape.bits, shape.signed) {
                (8, false) => f64::from(bytes[place]),
                (8, true) => f64::from(bytes[place] as i8),
                (_, signed) => {
                    let nibble = i32::from(bytes[place / 2]) >> (4 * (place % 2)) & 15;
                    f64::from(if signed && nibble > 7 {
                        nibble - 16
                    } else {
                        nibble
                    })
                }
            }
        };
        let zero_point = match self.zeros {
            Zeros::Middle if shape.signed => 0.0,
            Zeros::Middle => f64::from(1 << (shape.bits - 1)),
            Zeros::Packed => read(&self.packed[row * shape.zero_point_bytes()..], block),
            Zeros::Float => f64::from(self.floats.0[index]),
        };
        let quant = read(&self.quants[index * shape.block_bytes()..], place);
        (quant, zero_point, f64::from(self.scales.0[index]))
    }
}
