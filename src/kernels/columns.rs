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
    /// What is added to a number in `columns` to get the column's place in its row.
    shift: isize,
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
            shift: 0,
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

    /// Which columns these are, counted in the matrix of [`ColumnsMut::new`] or as [`ColumnsMut::renumbered`] says.
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

    /// The same columns, the first of them called `first`.
    ///
    /// # Panics
    /// If a number would be beyond what memory can hold.
    #[must_use]
    pub fn renumbered(self, first: usize) -> Self {
        let Range { start, end } = self.columns;
        assert!(
            first <= isize::MAX as usize - (end - start),
            "columns numbered from {first}"
        );
        Self {
            columns: first..first + (end - start),
            // Places are inside a slice and numbers checked above: both under isize::MAX.
            shift: self.shift + start as isize - first as isize,
            ..self
        }
    }

    /// The columns of one row.
    ///
    /// # Panics
    /// If `row` is out of range.
    #[inline]
    pub fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        let place = self.columns.start.wrapping_add_signed(self.shift);
        // SAFETY: `new` checked that row · stride + place lies in the matrix, `columns` only ever shrinks, the shift
        // follows every renumbering, and the columns of two `ColumnsMut` of one matrix are disjoint.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.base.add(row * self.row_stride + place),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_cover_every_column_once() {
        let (rows, columns, stride) = (3, 5, 7);
        let mut matrix = vec![0.0; (rows - 1) * stride + columns];
        let all = ColumnsMut::new(&mut matrix, rows, columns, stride);
        assert_eq!((all.rows(), all.columns()), (rows, 0..columns));
        let (left, right) = all.split_at(2);
        let (empty, right) = right.split_at(2);
        for mut part in [right, left, empty] {
            for row in 0..part.rows() {
                let columns = part.columns();
                for (value, column) in part.reborrow().row(row).iter_mut().zip(columns) {
                    *value += (10 * row + column + 1) as f32;
                }
            }
        }
        for row in 0..rows {
            let found = &matrix[row * stride..][..columns];
            assert_eq!(
                found,
                [1.0, 2.0, 3.0, 4.0, 5.0].map(|x| x + 10.0 * row as f32)
            );
        }
    }

    #[test]
    fn renumbered_columns_stay_in_their_place() {
        let mut matrix = [0.0; 10];
        let (_, right) = ColumnsMut::whole(&mut matrix, 2, 5).split_at(2);
        let right = right.renumbered(100);
        assert_eq!(right.columns(), 100..103);
        let (mut middle, last) = right.split_at(101);
        middle.row(1)[0] = 1.0;
        let mut last = last.renumbered(0);
        last.row(0)[1] = 2.0;
        assert_eq!(matrix, [0., 0., 0., 0., 2., 0., 0., 1., 0., 0.]);
    }

    #[test]
    fn no_rows_need_no_floats() {
        assert_eq!(ColumnsMut::new(&mut [], 0, 5, 5).columns(), 0..5);
    }

    #[test]
    #[should_panic(expected = "2 rows of 3 columns, 4 apart, in 6 floats")]
    fn refuses_a_matrix_that_is_too_short() {
        drop(ColumnsMut::new(&mut [0.0; 6], 2, 3, 4));
    }

    #[test]
    #[should_panic(expected = "in 8 floats")]
    fn refuses_sizes_that_overflow() {
        drop(ColumnsMut::new(&mut [0.0; 8], usize::MAX, 1, 2));
    }

    #[test]
    #[should_panic(expected = "split at 6 of columns 0..5")]
    fn refuses_to_split_outside() {
        drop(ColumnsMut::whole(&mut [0.0; 5], 1, 5).split_at(6));
    }

    #[test]
    #[should_panic(expected = "row 1 of 1")]
    fn refuses_a_row_it_has_not() {
        ColumnsMut::whole(&mut [0.0; 5], 1, 5).row(1);
    }
}
