//! Keeps the row of each stream's last token: `[1, S, width]` becomes `[1, streams, width]`, so that the output layer
//! projects no other.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::graph_op::{self, Bindable, GraphOp};
use super::{Binding, Refusal, Turn};

/// Symbol for the number of streams in a run. A plan's caller sets it before the run: as long as one symbol of a plan
/// has no value, tract looks for it in every output of every node.
pub const STREAMS: &str = "streams";

/// The operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LastRow;

impl GraphOp for LastRow {
    fn from_node(_node: &NodeProto) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

impl Bindable for LastRow {
    fn bind(&mut self, _binding: &Binding<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        let mut shape: TVec<TDim> = input.into();
        if let [.., tokens, _width] = &mut *shape {
            // As many as there are segments in the run's turn, which no input's shape tells.
            *tokens = tokens
                .symbols()
                .iter()
                .find_map(Symbol::scope)
                .map_or_else(|| tokens.clone(), |scope| scope.sym(STREAMS).to_dim());
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
    fn eval(&self, context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (tokens, width) = graph_op::rows(&inputs[0])?;
        let segments = &Turn::of(context)?.segments;
        if tokens == segments.len() {
            return Ok(inputs);
        }
        let all = graph_op::floats(&inputs[0])?;
        let last = graph_op::tensor(&[1, segments.len(), width], |out| {
            let mut end = 0;
            for (out, segment) in out.chunks_exact_mut(width).zip(segments) {
                end += segment.tokens;
                out.copy_from_slice(&all[(end - 1) * width..end * width]);
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
