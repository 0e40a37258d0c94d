//! Reads `.npy` files: version 1, C order, little-endian.

#![allow(dead_code, reason = "the files that include it read different types")]

use std::path::Path;

/// A tensor from a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Npy {
    /// Shape.
    pub(crate) shape: Vec<usize>,
    descr: String,
    bytes: Vec<u8>,
}

impl Npy {
    /// Reads the file at `path`; panics with the path on anything unexpected, as tests do.
    pub(crate) fn read(path: &Path) -> Self {
        let all = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(&all[..6], b"\x93NUMPY", "{}", path.display());
        let header_length = usize::from(u16::from_le_bytes([all[8], all[9]]));
        let header = std::str::from_utf8(&all[10..10 + header_length]).unwrap();
        assert!(
            header.contains("'fortran_order': False"),
            "{}",
            path.display()
        );
        let after = |key: &str| header.split(key).nth(1).unwrap();
        let descr = after("'descr': '").split('\'').next().unwrap().to_owned();
        let shape = after("'shape': (").split(')').next().unwrap();
        let shape = shape
            .split(',')
            .filter_map(|d| d.trim().parse().ok())
            .collect();
        Self {
            shape,
            descr,
            bytes: all[10 + header_length..].to_vec(),
        }
    }

    /// Whether the elements are floats.
    pub(crate) fn is_float(&self) -> bool {
        self.descr == "<f4"
    }

    /// The elements, f32.
    pub(crate) fn f32s(&self) -> Vec<f32> {
        assert_eq!(self.descr, "<f4");
        self.bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect()
    }

    /// The elements, i32 or i64.
    pub(crate) fn i64s(&self) -> Vec<i64> {
        match self.descr.as_str() {
            "<i8" => self
                .bytes
                .chunks_exact(8)
                .map(|b| i64::from_le_bytes(b.try_into().unwrap()))
                .collect(),
            "<i4" => self
                .bytes
                .chunks_exact(4)
                .map(|b| i64::from(i32::from_le_bytes(b.try_into().unwrap())))
                .collect(),
            other => panic!("{other} are not integers"),
        }
    }

    /// The elements as token ids.
    pub(crate) fn tokens(&self) -> Vec<u32> {
        self.i64s()
            .into_iter()
            .map(|id| u32::try_from(id).unwrap())
            .collect()
    }
}
