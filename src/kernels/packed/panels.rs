//! Activations as int8, in the form that a set's packed product reads them in.
//!
//! ```text
//! per row, per block of 32:   scale = max|x| / 127, its two lowest bits cleared
//!                             quant = round(x · 127 / max|x|), ties to even
//! ```
//!
//! A block whose largest magnitude is under [`LARGEST_MIN`] counts as 0; from 1e33 on a product may be no number. The
//! cleared bits make products of a scale with 1.5 · 2^23 exact, which saves kernels the conversion of integers to
//! floats. Rows lie in groups: one row alone in the form `row`, several in groups of the form `group`, the last one
//! filled up with rows of 0. What a group's block holds beyond that is the set's own business.

use std::ops::Range;

/// Magnitude under which a block counts as 0: far from where f32 loses bits.
pub(in crate::kernels) const LARGEST_MIN: f32 = 1e-30;

/// How a set keeps one block of the rows of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kernels) struct PanelFormat {
    /// Rows of a group.
    pub(in crate::kernels) rows: usize,
    /// Bytes of one block of all rows of a group.
    pub(in crate::kernels) block_bytes: usize,
}

/// Activations to be quantized: some rows of `k` floats.
#[derive(Debug, Clone, Copy)]
pub(in crate::kernels) struct PanelRows<'a> {
    pub(in crate::kernels) floats: &'a [f32],
    pub(in crate::kernels) rows: usize,
    pub(in crate::kernels) k: usize,
}

impl<'a> PanelRows<'a> {
    /// Row `row`, `[k]`; rows past the last are empty.
    #[inline]
    pub(in crate::kernels) fn row(&self, row: usize) -> &'a [f32] {
        if row < self.rows {
            &self.floats[row * self.k..][..self.k]
        } else {
            &[]
        }
    }
}

/// A cache line, which every group starts at.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Line {
    const BYTES: usize = size_of::<Self>();
}

/// A reusable buffer of quantized activation rows, of one set's form.
///
/// `Kernels::resize_panels` gives it its size, `Kernels::quantize_panel` fills it; neither allocates when it has
/// been as large before.
#[derive(Debug, Default)]
pub struct Q8Panels {
    rows: usize,
    k: usize,
    format: Option<PanelFormat>,
    group_lines: usize,
    lines: Vec<Line>,
}

/// The rows of one group of [`Q8Panels`], to be filled.
#[derive(Debug)]
pub struct Q8PanelMut<'a> {
    /// Which rows of the whole.
    rows: Range<usize>,
    k: usize,
    pub(in crate::kernels) format: PanelFormat,
    lines: &'a mut [Line],
}

impl Q8PanelMut<'_> {
    /// Which rows these are.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Length of a row.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// `[blocks][block_bytes]`, at a cache line's start.
    pub(in crate::kernels) fn bytes(&mut self) -> &mut [u8] {
        let length = self.k.div_ceil(super::BLOCK) * self.format.block_bytes;
        &mut self.lines.as_flattened_lines_mut()[..length]
    }
}

/// Lines seen as the bytes they are.
trait Flattened {
    fn as_flattened_lines(&self) -> &[u8];
    fn as_flattened_lines_mut(&mut self) -> &mut [u8];
}

#[allow(unsafe_code, reason = "lines of bytes are bytes")]
impl Flattened for [Line] {
    fn as_flattened_lines(&self) -> &[u8] {
        // SAFETY: a `Line` is 64 bytes without padding, and bytes take any alignment.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), size_of_val(self)) }
    }

    fn as_flattened_lines_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; any byte is a valid one.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().cast(), size_of_val(self)) }
    }
}

impl Q8Panels {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of a row.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// Makes room for `rows` rows of `k` in groups of that format; what it held is lost.
    pub(in crate::kernels) fn resize(&mut self, rows: usize, k: usize, format: PanelFormat) {
        let group_bytes = k.div_ceil(super::BLOCK) * format.block_bytes;
        self.rows = rows;
        self.k = k;
        self.format = Some(format);
        self.group_lines = group_bytes.div_ceil(Line::BYTES);
        let groups = rows.div_ceil(format.rows);
        self.lines
            .resize(groups * self.group_lines, Line([0; Line::BYTES]));
    }

    /// Every group, to be filled; each can go to another thread.
    pub fn groups_mut(&mut self) -> impl ExactSizeIterator<Item = Q8PanelMut<'_>> {
        let (rows, k) = (self.rows, self.k);
        let format = self.format.unwrap_or(PanelFormat {
            rows: 1,
            block_bytes: 0,
        });
        self.lines
            .chunks_exact_mut(self.group_lines.max(1))
            .enumerate()
            .map(move |(group, lines)| Q8PanelMut {
                rows: group * format.rows..rows.min((group + 1) * format.rows),
                k,
                format,
                lines,
            })
    }

    /// The form of the groups, once there are some.
    pub(in crate::kernels) fn format(&self) -> Option<PanelFormat> {
        self.format
    }

    /// `[blocks][block_bytes]` of one group, at a cache line's start.
    #[inline]
    pub(in crate::kernels) fn group(&self, group: usize) -> &[u8] {
        let lines = &self.lines[group * self.group_lines..][..self.group_lines];
        lines.as_flattened_lines()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: PanelFormat = PanelFormat {
        rows: 4,
        block_bytes: 40,
    };

    #[test]
    fn groups_cover_every_row_once_and_start_at_a_line() {
        let mut panels = Q8Panels::new();
        assert_eq!(panels.groups_mut().len(), 0);
        panels.resize(9, 70, FORMAT);
        let rows: Vec<_> = panels.groups_mut().map(|group| group.rows()).collect();
        assert_eq!(rows, [0..4, 4..8, 8..9]);
        for mut group in panels.groups_mut() {
            assert_eq!(group.bytes().len(), 3 * 40);
        }
        for group in 0..3 {
            assert_eq!(panels.group(group).as_ptr().addr() % 64, 0);
        }
    }

    #[test]
    fn does_not_allocate_to_be_as_large_as_it_was() {
        let mut panels = Q8Panels::new();
        panels.resize(8, 640, FORMAT);
        let before = panels.group(0).as_ptr();
        panels.resize(1, 64, FORMAT);
        panels.resize(8, 640, FORMAT);
        assert_eq!(panels.group(0).as_ptr(), before);
    }
}
