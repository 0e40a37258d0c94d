//! A range of columns of a row-major matrix that one thread may write while others write the other columns.
//!
//! A slice cannot say that: the columns of one thread lie between those of another. [`ColumnsMut`] can, and it is
//! split like a slice: [`ColumnsMut::split_at`] consumes it, so no column is ever in two hands.

#![allow(
    unsafe_code,
    reason = "columns of different threads interleave in memory; a slice cannot describe them"
)]

use std::marker::PhantomData;
use std::ops::Range;

/// Exclusive right to write the columns `columns()` of all rows of a matrix `[rows, row_stride]` of f32.
#[derive(Debug)]
pub struct ColumnsMut<'a> {
    base: *mut f32,
    rows: usize,
    row_stride: usize,
    columns: Range<usize>,
    matrix: PhantomData<&'a mut [f32]>,
}

// SAFETY: it stands for `&mut` access to floats that no other `ColumnsMut` covers, and floats are Send.
unsafe impl Send for ColumnsMut<'_> {}

impl<'a> ColumnsMut<'a> {
    /// All of the `columns` first columns of a matrix of `rows` rows, each `row_stride` floats after the one before.
    ///
    /// # Panics
    /// If the columns are more than the stride, or the matrix is shorter than its last row needs.
    #[must_use]
    pub fn new(matrix: &'a mut [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(
            columns <= row_stride,
            "{columns} columns in rows {row_stride} apart"
        );
        let needed = rows.checked_sub(1).map_or(Some(0), |before| {
            before
                .checked_mul(row_stride)
                .and_then(|start| start.checked_add(columns))
        });
        let length = matrix.len();
        assert!(
            needed.is_some_and(|needed| needed <= length),
            "{rows} rows of {columns} columns, {row_stride} apart, in {length} floats"
        );
        Self {
            base: matrix.as_mut_ptr(),
            rows,
            row_stride,
            columns: 0..columns,
            matrix: PhantomData,
        }
    }

    /// A whole matrix without gaps between its rows.
    ///
    /// # Panics
    /// If the length is not `rows · columns`.
    #[must_use]
    pub fn whole(matrix: &'a mut [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(
            matrix.len(),
            rows * columns,
            "floats in {rows} rows of {columns}"
        );
        Self::new(matrix, rows, columns, columns)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Which columns these are, counted in the matrix of [`ColumnsMut::new`].
    #[must_use]
    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// Splits into the columns before `column` and those from it on.
    ///
    /// # Panics
    /// If `column` lies outside `columns()`.
    #[must_use]
    pub fn split_at(self, column: usize) -> (Self, Self) {
        let Range { start, end } = self.columns;
        assert!(
            (start..=end).contains(&column),
            "split at {column} of columns {start}..{end}"
        );
        (
            Self {
                columns: start..column,
                ..self
            },
            Self {
                columns: column..end,
                ..self
            },
        )
    }

    /// The columns of one row.
    ///
    /// # Panics
    /// If `row` is out of range.
    #[inline]
    pub fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        // SAFETY: `new` checked that row · stride + columns lies in the matrix, `columns` only ever shrinks, and
        // the columns of two `ColumnsMut` of one matrix are disjoint.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.base.add(row * self.row_stride + self.columns.start),
                self.columns.len(),
            )
        }
    }

    /// The same columns again, for a shorter time.
    pub fn reborrow(&mut self) -> ColumnsMut<'_> {
        ColumnsMut {
            columns: self.columns.clone(),
            ..*self
        }
    }

    /// Another handle on the columns `columns` of the same matrix.
    ///
    /// # Safety
    /// No two handles that are alive at the same time may share a column, `self` counted.
    pub(super) unsafe fn part(&self, columns: Range<usize>) -> Self {
        debug_assert!(self.columns.start <= columns.start && columns.end <= self.columns.end);
        Self { columns, ..*self }
    }
}
