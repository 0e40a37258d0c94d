//! What stands in front of a product: its input as it is, or a norm of it that `rewrite` has joined with it.
//!
//! A joined norm takes the norm's inputs, and its product one more output: the sum that was normalized, where other
//! operators want it.

use tract_onnx::tract_hir::internal::*;

use super::graph_op;
use super::simplified_layer_norm::{Norm, NormSpec};
use super::{Binding, Refusal, Runtime};

/// The rows that a product multiplies.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) rows: usize,
    /// `[rows, k]`.
    pub(super) floats: &'a [f32],
    /// Of the operator's input, which ends in k.
    shape: &'a [usize],
}

impl Rows<'_> {
    /// The same shape with rows of `n`.
    pub(super) fn shape_with(&self, n: usize) -> TractResult<TVec<usize>> {
        let mut shape: TVec<usize> = self.shape.into();
        *shape.last_mut().context("activations without axes")? = n;
        Ok(shape)
    }
}

/// The norm in front of a product, with its weights.
pub(super) fn bind(
    binding: &Binding<'_>,
    spec: Option<&NormSpec>,
) -> Result<Option<Norm>, Refusal> {
    spec.map(|spec| Norm::new(binding, spec)).transpose()
}

/// The outputs of a product whose rows are of length `k`; `multiply` makes the first of them.
pub(super) fn outputs(
    norm: Option<&Norm>,
    runtime: &Runtime,
    inputs: &[TValue],
    k: usize,
    multiply: impl FnOnce(Rows<'_>) -> TractResult<TValue>,
) -> TractResult<TVec<TValue>> {
    let shape = inputs[0].shape();
    let Some(norm) = norm else {
        let (rows, width) = graph_op::rows(&inputs[0])?;
        ensure!(width == k, "activations of width {width}, expected {k}");
        let floats = graph_op::floats(&inputs[0])?;
        return Ok(tvec!(multiply(Rows {
            rows,
            floats,
            shape
        })?));
    };
    let normed = norm.inputs(inputs)?;
    let mut floats = super::lock(&runtime.scratch.normed);
    floats.resize(normed.rows * k, 0.0);
    let sum = norm.run(normed, &mut floats)?;
    let rows = Rows {
        rows: normed.rows,
        floats: &floats,
        shape,
    };
    let out = multiply(rows)?;
    Ok(std::iter::once(out).chain(sum).collect())
}
