//! The head of a cache file: what it was made from, and where each matrix lies in it.
//!
//! ```text
//! bytes          0..8    "thinkdPW"
//!                8..12   FORMAT_VERSION               u32, all numbers little-endian
//!               12..16   matrices                     u32
//!               16..24   key                          u64, see `key`
//!               24..32   length of the file           u64
//!               32..64   name of the layout           UTF-8, filled up with zeros
//! per matrix  + 0..8     n                            u64; 0 where no layout can hold the matrix
//!             + 8..16    k                            u64
//!             +16..20    1 if it has zero points      u32
//!             +20..24    output_scale                 f32
//!             +24..32    offset in the file           u64, a multiple of 64
//!             +32..40    checksum of its pieces' checksums   u64
//! last         8         checksum of all of the above        u64
//! ```
//!
//! The matrices follow from the next multiple of 4096 on, in the order in which they are used.

use crate::kernels::{Layout, PackedShape};
use crate::model::checksum::checksum;

/// Changes with everything in a file that neither the key nor the layout's name tells.
pub(super) const FORMAT_VERSION: u32 = 1;

/// Where a matrix may begin: a cache line.
pub(super) const ALIGNMENT: usize = 64;

/// Where the first matrix may begin: a page.
const PAGE_BYTES: usize = 4096;
const MAGIC: &[u8; 8] = b"thinkdPW";
const LAYOUT_NAME: std::ops::Range<usize> = 32..64;
const FIXED_BYTES: usize = 64;
const ENTRY_BYTES: usize = 40;
const CHECKSUM_BYTES: usize = 8;

/// One packed matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub(super) shape: PackedShape,
    pub(super) output_scale: f32,
    /// Where its tiles begin, in bytes.
    pub(super) offset: usize,
    pub(super) checksum: u64,
}

/// The head of a cache file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) key: u64,
    /// [`Layout::name`].
    pub(super) layout: String,
    /// Length of the file, in bytes.
    pub(super) length: usize,
    /// The matrices in order; nothing where no layout can hold one.
    pub(super) entries: Vec<Option<Entry>>,
}

/// Where the first of `count` matrices begins.
pub(super) fn start_of_matrices(count: usize) -> usize {
    (FIXED_BYTES + count * ENTRY_BYTES + CHECKSUM_BYTES).next_multiple_of(PAGE_BYTES)
}

impl Header {
    /// The bytes from the file's beginning to its first matrix.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(start_of_matrices(self.entries.len()));
        bytes.extend(MAGIC);
        bytes.extend(FORMAT_VERSION.to_le_bytes());
        bytes.extend((self.entries.len() as u32).to_le_bytes()); // a graph has far fewer nodes
        bytes.extend(self.key.to_le_bytes());
        bytes.extend((self.length as u64).to_le_bytes());
        let name = &self.layout.as_bytes()[..self.layout.len().min(LAYOUT_NAME.len())];
        bytes.extend(name);
        bytes.resize(FIXED_BYTES, 0);
        for entry in &self.entries {
            let end = bytes.len() + ENTRY_BYTES;
            if let Some(entry) = entry {
                bytes.extend((entry.shape.n as u64).to_le_bytes());
                bytes.extend((entry.shape.k as u64).to_le_bytes());
                bytes.extend(u32::from(entry.shape.zero_points).to_le_bytes());
                bytes.extend(entry.output_scale.to_le_bytes());
                bytes.extend((entry.offset as u64).to_le_bytes());
                bytes.extend(entry.checksum.to_le_bytes());
            }
            bytes.resize(end, 0);
        }
        bytes.extend(checksum(&bytes).to_le_bytes());
        bytes.resize(start_of_matrices(self.entries.len()), 0);
        bytes
    }

    /// Reads the head of the file that begins with `bytes`; the reason where it is none, or is damaged.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = Fields(bytes);
        if fields.take::<8>()? != *MAGIC {
            return Err("is not a file of packed weights".into());
        }
        let version = u32::from_le_bytes(fields.take()?);
        if version != FORMAT_VERSION {
            return Err(format!(
                "has format version {version}, expected {FORMAT_VERSION}"
            ));
        }
        let count = u32::from_le_bytes(fields.take()?) as usize;
        let end = FIXED_BYTES + count * ENTRY_BYTES;
        let stored = bytes
            .get(end..end + CHECKSUM_BYTES)
            .ok_or("ends within its header")?;
        if stored != checksum(&bytes[..end]).to_le_bytes() {
            return Err("has a damaged header".into());
        }
        let key = fields.number()?;
        let length = fields.size()?;
        let name: [u8; 32] = fields.take()?;
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        let entries = (0..count)
            .map(|_| fields.entry())
            .collect::<Result<_, _>>()?;
        Ok(Self {
            key,
            layout: String::from_utf8_lossy(name).into_owned(),
            length,
            entries,
        })
    }
}

/// What has not been read yet.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (field, rest) = self.0.split_first_chunk().ok_or("ends within its header")?;
        self.0 = rest;
        Ok(*field)
    }

    fn number(&mut self) -> Result<u64, String> {
        self.take().map(u64::from_le_bytes)
    }

    fn size(&mut self) -> Result<usize, String> {
        usize::try_from(self.number()?).map_err(|_| "is too large for this machine".into())
    }

    fn entry(&mut self) -> Result<Option<Entry>, String> {
        let (n, k) = (self.size()?, self.size()?);
        let zero_points = u32::from_le_bytes(self.take()?) != 0;
        let output_scale = f32::from_le_bytes(self.take()?);
        let (offset, checksum) = (self.size()?, self.number()?);
        Ok((n > 0).then_some(Entry {
            shape: PackedShape { n, k, zero_points },
            output_scale,
            offset,
            checksum,
        }))
    }
}

const _: () = {
    let mut i = 0;
    while i < Layout::ALL.len() {
        assert!(Layout::ALL[i].name().len() <= LAYOUT_NAME.end - LAYOUT_NAME.start);
        i += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let entry = Entry {
            shape: PackedShape {
                n: 48,
                k: 70,
                zero_points: true,
            },
            output_scale: 0.25,
            offset: 4096,
            checksum: u64::MAX,
        };
        Header {
            key: 0x0123_4567_89AB_CDEF,
            layout: "columns32.1".into(),
            length: 99_999,
            entries: vec![Some(entry), None],
        }
    }

    #[test]
    fn comes_back_as_it_was_written() {
        let bytes = header().to_bytes();
        assert_eq!(bytes.len(), start_of_matrices(2));
        assert_eq!(Header::parse(&bytes), Ok(header()));
    }

    #[test]
    fn any_damage_is_found() {
        let bytes = header().to_bytes();
        let end = FIXED_BYTES + 2 * ENTRY_BYTES + CHECKSUM_BYTES;
        for bit in 0..8 * end {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::parse(&bytes).is_err(), "bit {bit}");
        }
        for length in 0..end {
            assert!(Header::parse(&bytes[..length]).is_err(), "length {length}");
        }
    }
}
