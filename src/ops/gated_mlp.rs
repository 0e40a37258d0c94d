//! A feed-forward layer with a gate: `Y = (silu(X · gateᵀ) · (X · upᵀ)) · downᵀ`, `silu(x) = x / (1 + e^-x)`.
//!
//! X is `[…, k]` f32, Y is `[…, n]` f32. No ONNX operator: `rewrite` puts it in place of the three products and
//! what stands between them, so that X is quantized once and gate and up are one pass over the threads. The norm of X
//! may be in front of it (`normed`).

use std::sync::Mutex;

use tract_onnx::tract_hir::internal::*;

use super::graph_op::{self, Bindable, Bound};
use super::normed;
use super::projection::{self, MatrixSpec, Projection, Scratch};
use super::simplified_layer_norm::{Norm, NormSpec};
use super::{Binding, Refusal};
use crate::kernels::ColumnsMut;

/// The operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GatedMlp {
    /// Gate, up, down.
    matrices: [MatrixSpec; 3],
    /// In front of it.
    pub(super) norm: Option<NormSpec>,
    bound: Bound<Parts>,
}

#[derive(Debug)]
struct Parts {
    norm: Option<Norm>,
    gate_and_up: Projection,
    down: Projection,
}

impl GatedMlp {
    /// A layer of the matrices gate, up and down; nothing where their sizes do not fit each other.
    pub(super) fn of(matrices: [MatrixSpec; 3]) -> Option<Self> {
        let [gate, up, down] = &matrices;
        let fits = (gate.shape.k, gate.shape.n) == (up.shape.k, up.shape.n)
            && gate.shape.n == down.shape.k;
        fits.then(|| Self {
            matrices,
            norm: None,
            bound: Bound::default(),
        })
    }

    /// The same layer of rows that `norm` has normalized.
    pub(super) fn after(&self, norm: &NormSpec) -> Self {
        Self {
            norm: Some(norm.clone()),
            ..self.clone()
        }
    }
}

impl Bindable for GatedMlp {
    fn matrices(&self) -> &[MatrixSpec] {
        &self.matrices
    }

    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        let (gate_and_up, down) = self.matrices.split_at(2);
        self.bound.set(Parts {
            norm: normed::bind(binding, self.norm.as_ref())?,
            gate_and_up: Projection::new(binding, gate_and_up)?,
            down: Projection::new(binding, down)?,
        });
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        let mut shape: TVec<TDim> = input.into();
        *shape.last_mut().context("activations without axes")? = self.matrices[2].shape.n.to_dim();
        Ok(shape)
    }

    fn has_sum(&self) -> bool {
        self.norm.as_ref().is_some_and(NormSpec::with_sum)
    }
}

impl Parts {
    /// Gate and up, joined: `scratch.hidden`, `[rows, n]`.
    fn run_gate_and_up(&self, rows: usize, x: &[f32], scratch: &mut Scratch) -> TractResult<()> {
        let projection = &self.gate_and_up;
        let n = projection.n() / 2;
        let input = projection.quantize(rows, x, &mut scratch.input);
        let runtime = projection.runtime();
        scratch.hidden.resize(rows * n, 0.0);
        let threads = runtime.threads.count();
        scratch.columns.resize_with(threads, Default::default);
        let refused = Mutex::new(None);
        runtime.threads.run_columns_with(
            ColumnsMut::whole(&mut scratch.hidden, rows, n),
            projection.columns_per_chunk(rows, n),
            &mut scratch.columns,
            |mut hidden, scratch| {
                let columns = hidden.columns();
                for (index, floats) in scratch.iter_mut().enumerate() {
                    floats.resize(rows * columns.len(), 0.0);
                    let out = ColumnsMut::whole(floats, rows, columns.len());
                    let out = out.renumbered(columns.start);
                    if let Err(refusal) = projection.multiply_one(index, input, out) {
                        projection::keep(&refused, refusal);
                    }
                }
                let [gate, up] = scratch;
                let rows = gate.chunks_exact(columns.len());
                for (row, (gate, up)) in rows.zip(up.chunks_exact(columns.len())).enumerate() {
                    runtime.kernels.silu_mul(gate, up, hidden.row(row));
                }
            },
        );
        projection::done(refused)
    }

    fn run(&self, rows: usize, x: &[f32], y: &mut [f32]) -> TractResult<()> {
        let mut scratch = super::lock(&self.down.runtime().scratch.products);
        let scratch = &mut *scratch;
        self.run_gate_and_up(rows, x, scratch)?;
        let hidden = self
            .down
            .quantize(rows, &scratch.hidden, &mut scratch.quantized_hidden);
        self.down.run(rows, hidden, y)
    }
}

impl Op for GatedMlp {
    fn name(&self) -> StaticName {
        "GatedMlp".into()
    }

    op_as_typed_op!();
}

impl EvalOp for GatedMlp {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let parts = self.bound.get()?;
        let runtime = parts.down.runtime();
        let multiply = |x: normed::Rows<'_>| {
            let mut result = Ok(());
            let y = graph_op::tensor(&x.shape_with(parts.down.n())?, |y| {
                result = runtime.timed(|| parts.run(x.rows, x.floats, y));
            })?;
            result.map(|()| y)
        };
        let k = parts.gate_and_up.k();
        normed::outputs(parts.norm.as_ref(), runtime, &inputs, k, multiply)
    }

    not_out_of_plan!();
}

impl TypedOp for GatedMlp {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}
