//! com.microsoft MatMulNBits: `Y = A · dequantize(B)ᵀ (+ bias)`, B in blocks of 4- or 8-bit weights.
//!
//! A is `[…, K]` f32, Y is `[…, N]` f32. Constant inputs: B (1), scales (2), zero points (3), bias (5). After
//! `rewrite` it may stand for several of them: matrices side by side, their outputs joined along the last axis, and
//! have the norm of A in front of it (`normed`).

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::graph_op::{self, Bindable, Bound, GraphOp};
use super::normed;
use super::packing::MatrixKey;
use super::projection::{MatrixSpec, Projection};
use super::simplified_layer_norm::{Norm, NormSpec};
use super::{Binding, Refusal};
use crate::kernels::BlockShape;

/// The operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatMulNBits {
    /// From left to right in the output; all of one k.
    pub(super) matrices: Vec<MatrixSpec>,
    /// In front of it.
    pub(super) norm: Option<NormSpec>,
    bound: Bound<Parts>,
}

#[derive(Debug)]
struct Parts {
    norm: Option<Norm>,
    projection: Projection,
}

impl MatMulNBits {
    /// One product with several matrices of the same k.
    pub(super) fn of(matrices: Vec<MatrixSpec>) -> Self {
        Self {
            matrices,
            norm: None,
            bound: Bound::default(),
        }
    }

    /// The same product of rows that `norm` has normalized.
    pub(super) fn after(&self, norm: &NormSpec) -> Self {
        Self {
            norm: Some(norm.clone()),
            ..self.clone()
        }
    }

    fn n(&self) -> usize {
        self.matrices.iter().map(|matrix| matrix.shape.n).sum()
    }
}

impl GraphOp for MatMulNBits {
    fn from_node(node: &NodeProto) -> Result<Self, Refusal> {
        let attributes = Attributes(node);
        attributes.only(&[
            "K",
            "N",
            "bits",
            "block_size",
            "accuracy_level",
            "weight_prepacked",
        ])?;
        attributes.expect_int("weight_prepacked", &[0])?;
        let bits = attributes.int_or("bits", 4)?;
        if !matches!(bits, 4 | 8) {
            return Err(Refusal::value("bits", bits, "4 and 8"));
        }
        let block_size = attributes.size("block_size")?;
        if !matches!(block_size, 16 | 32 | 64 | 128 | 256) {
            return Err(Refusal::value(
                "block_size",
                block_size,
                "16, 32, 64, 128 and 256",
            ));
        }
        let accuracy_level = attributes.int_or("accuracy_level", 0)?;
        if !(0..=4).contains(&accuracy_level) {
            return Err(Refusal::value("accuracy_level", accuracy_level, "0 to 4"));
        }
        if attributes.is_wired(4) || attributes.weight(4).is_some() {
            return Err(Refusal("input g_idx (act-order) is not supported".into()));
        }
        for (input, name) in [(3, "zero_points"), (5, "bias")] {
            if attributes.is_wired(input) {
                return Err(Refusal(format!("input {name} is not a constant tensor")));
            }
        }
        let shape = BlockShape {
            n: attributes.size("N")?,
            k: attributes.size("K")?,
            bits: if bits == 4 { 4 } else { 8 },
            block_size,
            signed: false,
        };
        Ok(Self::of(vec![MatrixSpec {
            shape,
            accuracy_level,
            key: MatrixKey {
                quants: attributes.weight_required(1, "B")?,
                scales: attributes.weight_required(2, "scales")?,
                zero_points: attributes.weight(3),
            },
            bias: attributes.weight(5),
        }]))
    }
}

impl Bindable for MatMulNBits {
    fn matrices(&self) -> &[MatrixSpec] {
        &self.matrices
    }

    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        self.bound.set(Parts {
            norm: normed::bind(binding, self.norm.as_ref())?,
            projection: Projection::new(binding, &self.matrices)?,
        });
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        let mut shape: TVec<TDim> = input.into();
        *shape.last_mut().context("activations without axes")? = self.n().to_dim();
        Ok(shape)
    }

    fn has_sum(&self) -> bool {
        self.norm.as_ref().is_some_and(NormSpec::with_sum)
    }
}

impl Op for MatMulNBits {
    fn name(&self) -> StaticName {
        "MatMulNBits".into()
    }

    op_as_typed_op!();
}

impl EvalOp for MatMulNBits {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let Parts { norm, projection } = self.bound.get()?;
        let runtime = projection.runtime();
        let multiply = |x: normed::Rows<'_>| {
            let mut scratch = super::lock(&runtime.scratch.products);
            let mut result = Ok(());
            let y = graph_op::tensor(&x.shape_with(projection.n())?, |y| {
                result = runtime.timed(|| {
                    let input = projection.quantize(x.rows, x.floats, &mut scratch.input);
                    projection.run(x.rows, input, y)
                });
            })?;
            result.map(|()| y)
        };
        normed::outputs(norm.as_ref(), runtime, &inputs, projection.k(), multiply)
    }

    not_out_of_plan!();
}

impl TypedOp for MatMulNBits {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}
