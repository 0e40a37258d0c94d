//! Keeps the last token's row: `[B, S, width]` becomes `[B, 1, width]`, so that the output layer projects one row.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::graph_op::{self, GraphOp};
use super::{Binding, Refusal};

/// The operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LastRow;

impl GraphOp for LastRow {
    fn from_node(_node: &NodeProto) -> Result<Self, Refusal> {
        Ok(Self)
    }

    fn bind(&mut self, _binding: &Binding<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        let mut shape: TVec<TDim> = input.into();
        if let [.., tokens, _width] = &mut *shape {
            *tokens = 1.to_dim();
        }
        Ok(shape)
    }
}

impl Op for LastRow {
    fn name(&self) -> StaticName {
        "LastRow".into()
    }

    op_as_typed_op!();
}

impl EvalOp for LastRow {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let &[.., tokens, width] = inputs[0].shape() else {
            return Ok(inputs);
        };
        if tokens == 1 {
            return Ok(inputs);
        }
        let all = graph_op::floats(&inputs[0])?;
        let mut shape: TVec<usize> = inputs[0].shape().into();
        let axis = shape.len() - 2;
        shape[axis] = 1;
        let last = graph_op::tensor(&shape, |out| {
            for (out, batch) in out
                .chunks_exact_mut(width)
                .zip(all.chunks_exact(tokens * width))
            {
                out.copy_from_slice(&batch[(tokens - 1) * width..]);
            }
        })?;
        Ok(tvec!(last))
    }

    not_out_of_plan!();
}

impl TypedOp for LastRow {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}
