//! The table of operations: what each computes, and the shape checks that every set relies on.

use half::f16;

use super::attention::{AttentionBlock, AttentionScratch, AttentionState};
use super::block_matrix::BlockMatrix;
use super::columns::ColumnsMut;
use super::packed::{Layout, PackedMatrix, PanelFormat, PanelRows, Q8PanelMut, Q8Panels};
use super::q8::{Q8RowMut, Q8Rows};
use super::set;

/// The product of a set with weights packed for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackedKernels {
    pub(super) layout: Layout,
    /// Form of so many rows of activations; that of a form's own number of rows is the same form.
    pub(super) format: fn(usize) -> PanelFormat,
    pub(super) quantize: fn(&PanelRows<'_>, &mut Q8PanelMut<'_>),
    pub(super) matmul: fn(&Q8Panels, &PackedMatrix<'_>, &mut ColumnsMut<'_>),
}

/// Two rows to add, weight, epsilon, their sum, its norm.
type AddRmsNorm = fn((&[f32], &[f32]), &[f32], f32, &mut [f32], &mut [f32]);

/// The functions of one instruction set. The methods say what each computes.
#[derive(Debug, Clone, Copy)]
pub struct Kernels {
    pub(super) name: &'static str,
    pub(super) packed: PackedKernels,
    pub(super) quantize_q8: fn(&[f32], &mut Q8RowMut<'_>),
    pub(super) matmul_f32_q8_qn: fn(&Q8Rows, &BlockMatrix<'_>, &mut ColumnsMut<'_>),
    pub(super) matmul_f32_f32_qn: fn(&[f32], &BlockMatrix<'_>, &mut ColumnsMut<'_>),
    pub(super) dequantize_qn: fn(&BlockMatrix<'_>, usize, &mut [f32]),
    pub(super) rms_norm: fn(&[f32], &[f32], f32, &mut [f32]),
    pub(super) add_rms_norm: AddRmsNorm,
    pub(super) add: fn(&[f32], &[f32], &mut [f32]),
    pub(super) rope_half: fn(&mut [f32], &[f32], &[f32]),
    pub(super) rope_interleaved: fn(&mut [f32], &[f32], &[f32]),
    pub(super) attend: fn(&AttentionBlock<'_>, &mut AttentionScratch, &mut AttentionState<'_>),
    pub(super) merge_attention: fn(&mut AttentionState<'_>, &AttentionState<'_>),
    pub(super) narrow: fn(&[f32], &mut [f16]),
    pub(super) quantize_row: fn(&[f32], &mut [i8]) -> f32,
    pub(super) softmax: fn(&mut [f32]),
    pub(super) silu_mul: fn(&[f32], &[f32], &mut [f32]),
}

impl Kernels {
    /// The best set this CPU can run.
    #[must_use]
    pub fn best() -> Self {
        set::supported()[0]
    }

    /// The set of that name, where this CPU can run it: `scalar`, `neon`, `neon+dotprod`, `neon+i8mm`, `avx2`, `avxvnni`, `avx512vnni`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        set::supported().into_iter().find(|set| set.name == name)
    }

    /// Name of the set, for logs and settings.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Quantizes activations `[x.rows(), x.k()]`; the rule is on the page of [`Q8Rows`]' module.
    ///
    /// A block that holds an infinity or a NaN gets a scale that is one, and so do the products with it.
    ///
    /// # Panics
    /// If `activations` has another length.
    pub fn quantize_q8(&self, activations: &[f32], x: &mut Q8Rows) {
        let k = x.k();
        assert_eq!(
            activations.len(),
            x.rows() * k,
            "activations of {} rows of {k}",
            x.rows()
        );
        for (activations, mut row) in activations.chunks_exact(k.max(1)).zip(x.rows_mut()) {
            (self.quantize_q8)(activations, &mut row);
        }
    }

    /// Quantizes one row, for where the rows of [`Q8Rows::rows_mut`] go to several threads.
    ///
    /// # Panics
    /// If `activations` is not of length k.
    pub fn quantize_q8_row(&self, activations: &[f32], row: &mut Q8RowMut<'_>) {
        assert_eq!(activations.len(), row.k(), "activations of one row");
        (self.quantize_q8)(activations, row);
    }

    /// Computes `out[i, j] = Σₖ x[i, k] · w[j, k]` for the columns `j` that `out` covers.
    ///
    /// The dot product of a block is an exact integer; blocks are added in f32 from first to last, each as
    /// `(scale of x · scale of w) · dot`. Every set gives the same bits.
    ///
    /// # Panics
    /// If x does not fit w, or `out` has other rows than x or columns that w has not.
    pub fn matmul_f32_q8_qn(&self, x: &Q8Rows, w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>) {
        assert!(
            x.fits(&w.shape()),
            "activations quantized for another shape than {:?}",
            w.shape()
        );
        check_product(x.rows(), w, out);
        (self.matmul_f32_q8_qn)(x, w, out);
    }

    /// In which order this set's packed product wants the weights.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.packed.layout
    }

    /// Makes room in `panels` for `rows` rows of `k` activations; what it held is lost.
    pub fn resize_panels(&self, panels: &mut Q8Panels, rows: usize, k: usize) {
        panels.resize(rows, k, (self.packed.format)(rows));
    }

    /// Quantizes the rows of `panel`: `activations` are those rows, `[panel.rows().len(), panel.k()]`. The rule is
    /// on the page of [`Q8Panels`]' module.
    ///
    /// A block that holds an infinity or a NaN gets a scale that is one, and so do the products with it.
    ///
    /// # Panics
    /// If `activations` has another length, or `panel` was made for another set.
    pub fn quantize_panel(&self, activations: &[f32], panel: &mut Q8PanelMut<'_>) {
        let (rows, k) = (panel.rows().len(), panel.k());
        assert_eq!(
            activations.len(),
            rows * k,
            "activations of {rows} rows of {k}"
        );
        assert!(
            panel.format == (self.packed.format)(panel.format.rows),
            "a panel of another set"
        );
        let rows = PanelRows {
            floats: activations,
            rows,
            k,
        };
        (self.packed.quantize)(&rows, panel);
    }

    /// Computes `out[i, j] = Σₖ x[i, k] · w[j, k]` for the columns `j` that `out` covers, which begin at a tile.
    ///
    /// `scalar::packed` says how; every set gives the same bits.
    ///
    /// # Panics
    /// If w has another layout, x another length of rows or another set's form, or `out` has other rows than x,
    /// columns that w has not, or a first one that begins no tile, or a last one that ends none, unless it is w's.
    pub fn matmul_f32_q8_packed(
        &self,
        x: &Q8Panels,
        w: &PackedMatrix<'_>,
        out: &mut ColumnsMut<'_>,
    ) {
        let columns = out.columns();
        let tile = w.layout().columns();
        assert_eq!(w.layout(), self.packed.layout, "layout of the weights");
        assert_eq!(x.k(), w.shape().k, "length of a row");
        assert_eq!(x.rows(), out.rows(), "rows of the product");
        let format = (self.packed.format)(x.rows());
        assert_eq!(x.format(), Some(format), "form of the activations");
        assert!(
            columns.start.is_multiple_of(tile)
                && columns.end <= w.shape().n
                && (columns.end.is_multiple_of(tile) || columns.end == w.shape().n),
            "columns {columns:?} of {} in tiles of {tile}",
            w.shape().n
        );
        (self.packed.matmul)(x, w, out);
    }

    /// As [`Kernels::matmul_f32_q8_qn`] with activations `[out.rows(), w.k()]` in f32: the strict reference mode.
    ///
    /// # Panics
    /// If a shape disagrees.
    pub fn matmul_f32_f32_qn(&self, x: &[f32], w: &BlockMatrix<'_>, out: &mut ColumnsMut<'_>) {
        assert_eq!(
            x.len(),
            out.rows() * w.k(),
            "activations of {} rows of {}",
            out.rows(),
            w.k()
        );
        check_product(out.rows(), w, out);
        (self.matmul_f32_f32_qn)(x, w, out);
    }

    /// Writes row `row` of w as f32.
    ///
    /// # Panics
    /// If there is no such row, or `out` is not of length k.
    pub fn dequantize_qn(&self, w: &BlockMatrix<'_>, row: usize, out: &mut [f32]) {
        assert!(row < w.n(), "row {row} of {}", w.n());
        assert_eq!(out.len(), w.k(), "floats for one row");
        (self.dequantize_qn)(w, row, out);
    }

    /// Computes `out = x / √(mean(x²) + epsilon) · weight` for one row.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn rms_norm(&self, x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
        assert!(
            x.len() == weight.len() && x.len() == out.len(),
            "lengths of one row differ"
        );
        (self.rms_norm)(x, weight, epsilon, out);
    }

    /// Computes `sum = x + skip` and `out = sum / √(mean(sum²) + epsilon) · weight` for one row.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add_rms_norm(
        &self,
        (x, skip): (&[f32], &[f32]),
        weight: &[f32],
        epsilon: f32,
        sum: &mut [f32],
        out: &mut [f32],
    ) {
        assert!(
            x.len() == skip.len() && x.len() == sum.len(),
            "lengths differ"
        );
        assert!(
            x.len() == weight.len() && x.len() == out.len(),
            "lengths of one row differ"
        );
        (self.add_rms_norm)((x, skip), weight, epsilon, sum, out);
    }

    /// Computes `out = x + y`, element by element.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add(&self, x: &[f32], y: &[f32], out: &mut [f32]) {
        assert!(x.len() == y.len() && x.len() == out.len(), "lengths differ");
        (self.add)(x, y, out);
    }

    /// Rotates each head of `x`, `[heads, head_dim]`, by the angles of one position.
    ///
    /// `cos` and `sin` have one value a pair; with r pairs, element i goes with r + i, or, `interleaved`, element
    /// 2i with 2i + 1. Elements from 2r on stay.
    ///
    /// # Panics
    /// If `x` is no whole number of heads, cos and sin differ in length, or hold more pairs than a head.
    pub fn rope(
        &self,
        x: &mut [f32],
        head_dim: usize,
        (cos, sin): (&[f32], &[f32]),
        interleaved: bool,
    ) {
        assert!(
            head_dim > 0 && x.len().is_multiple_of(head_dim),
            "{} floats in heads of {head_dim}",
            x.len()
        );
        assert!(
            cos.len() == sin.len() && 2 * cos.len() <= head_dim,
            "pairs of one head"
        );
        let rotate = if interleaved {
            self.rope_interleaved
        } else {
            self.rope_half
        };
        for head in x.chunks_exact_mut(head_dim) {
            rotate(&mut head[..2 * cos.len()], cos, sin);
        }
    }

    /// Rounds a row to integers of -127 to 127 and returns what one of them stands for.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn quantize_row(&self, x: &[f32], quants: &mut [i8]) -> f32 {
        assert_eq!(x.len(), quants.len(), "lengths differ");
        (self.quantize_row)(x, quants)
    }

    /// Replaces scores by probabilities: `exp(x - max) / Σ exp(x - max)`.
    pub fn softmax(&self, x: &mut [f32]) {
        (self.softmax)(x);
    }

    /// Computes `out = gate / (1 + exp(-gate)) · up`, element by element.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn silu_mul(&self, gate: &[f32], up: &[f32], out: &mut [f32]) {
        assert!(
            gate.len() == up.len() && gate.len() == out.len(),
            "lengths differ"
        );
        (self.silu_mul)(gate, up, out);
    }
}

fn check_product(rows: usize, w: &BlockMatrix<'_>, out: &ColumnsMut<'_>) {
    assert_eq!(out.rows(), rows, "rows of the product");
    assert!(
        out.columns().end <= w.n(),
        "columns {:?} of {}",
        out.columns(),
        w.n()
    );
}
