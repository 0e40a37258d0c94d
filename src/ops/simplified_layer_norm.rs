//! SimplifiedLayerNormalization (RMS norm) and com.microsoft SkipSimplifiedLayerNormalization.
//!
//! Plain: X `[…, width]`, constant scale (1). Skip: X and skip `[…, width]`, constant scale (2) and perhaps bias
//! (3), added before the norm; where a second output is asked for it is the sum.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::graph_op::{self, Bindable, Bound, GraphOp};
use super::{Binding, Refusal, Runtime};

/// The operator, both forms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SimplifiedLayerNorm {
    epsilon: f32,
    skip: bool,
    with_sum: bool,
    scale: usize,
    bias: Option<usize>,
    bound: Bound<Parts>,
}

impl Eq for SimplifiedLayerNorm {}

#[derive(Debug)]
struct Parts {
    scale: Vec<f32>,
    bias: Option<Vec<f32>>,
    runtime: Arc<Runtime>,
}

impl GraphOp for SimplifiedLayerNorm {
    fn from_node(node: &NodeProto) -> Result<Self, Refusal> {
        let attributes = Attributes(node);
        attributes.only(&["epsilon", "axis", "stash_type"])?;
        attributes.expect_int("stash_type", &[1])?;
        // The last axis, counted from either end: the builder's tensors have two to four axes.
        attributes.expect_int("axis", &[-1, 1, 2, 3])?;
        let skip = attributes.weight(2).is_some();
        let scale = attributes.weight_required(if skip { 2 } else { 1 }, "scale")?;
        if attributes.is_wired(3) {
            return Err(Refusal("input bias is not a constant tensor".into()));
        }
        let has_output = |index: usize| node.output.get(index).is_some_and(|o| !o.is_empty());
        if has_output(1) || has_output(2) {
            return Err(Refusal(
                "outputs mean and inv_std_var are not supported".into(),
            ));
        }
        Ok(Self {
            epsilon: attributes.float_or("epsilon", 1e-5)?,
            skip,
            with_sum: has_output(3),
            scale,
            bias: attributes.weight(3),
            bound: Bound::default(),
        })
    }
}

impl Bindable for SimplifiedLayerNorm {
    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        let floats = |index| {
            graph_op::weight(binding, index)?
                .to_f32()
                .map(Cow::into_owned)
        };
        let scale = floats(self.scale)?;
        let bias = self.bias.map(floats).transpose()?;
        if bias.as_ref().is_some_and(|b| b.len() != scale.len()) {
            return Err(Refusal("bias and scale differ in length".into()));
        }
        self.bound.set(Parts {
            scale,
            bias,
            runtime: Arc::clone(&binding.runtime),
        });
        Ok(())
    }

    fn output_count(&self) -> usize {
        1 + usize::from(self.with_sum)
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        Ok(input.into())
    }
}

impl Op for SimplifiedLayerNorm {
    fn name(&self) -> StaticName {
        if self.skip {
            "SkipSimplifiedLayerNorm".into()
        } else {
            "SimplifiedLayerNorm".into()
        }
    }

    op_as_typed_op!();
}

impl SimplifiedLayerNorm {
    /// `sum = x + skip (+ bias)` and `out = norm(sum)`, row by row.
    fn add_and_norm(
        &self,
        parts: &Parts,
        (x, skip): (&[f32], &[f32]),
        sum: &mut [f32],
        out: &mut [f32],
    ) {
        let (kernels, scale) = (&parts.runtime.kernels, &*parts.scale);
        let width = scale.len();
        let inputs = x.chunks_exact(width).zip(skip.chunks_exact(width));
        let outputs = sum.chunks_exact_mut(width).zip(out.chunks_exact_mut(width));
        for ((x, skip), (sum, out)) in inputs.zip(outputs) {
            let Some(bias) = &parts.bias else {
                kernels.add_rms_norm((x, skip), scale, self.epsilon, sum, out);
                continue;
            };
            kernels.add(x, skip, sum);
            sum.iter_mut()
                .zip(bias)
                .for_each(|(sum, bias)| *sum += bias);
            kernels.rms_norm(sum, scale, self.epsilon, out);
        }
    }
}

impl EvalOp for SimplifiedLayerNorm {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let parts = self.bound.get()?;
        let (_, width) = graph_op::rows(&inputs[0])?;
        ensure!(
            width == parts.scale.len(),
            "width {width}, expected {}",
            parts.scale.len()
        );
        let kernels = parts.runtime.kernels;
        let x = graph_op::floats(&inputs[0])?;
        let shape = inputs[0].shape();
        let norm = |x: &[f32], out: &mut [f32]| {
            for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                kernels.rms_norm(x, &parts.scale, self.epsilon, out);
            }
        };
        if !self.skip {
            let timed = |out: &mut [f32]| parts.runtime.timed(|| norm(x, out));
            return Ok(tvec!(graph_op::tensor(shape, timed)?));
        }
        let skip = graph_op::floats(inputs.get(1).context("skip is missing")?)?;
        ensure!(
            skip.len() == x.len(),
            "skip has {} elements, expected {}",
            skip.len(),
            x.len()
        );
        let mut out = Ok(inputs[0].clone());
        let sum = graph_op::tensor(shape, |sum| {
            out = graph_op::tensor(shape, |out| {
                let add_and_norm = || self.add_and_norm(parts, (x, skip), sum, out);
                parts.runtime.timed(add_and_norm);
            });
        })?;
        let out = out?;
        Ok(if self.with_sum {
            tvec!(out, sum)
        } else {
            tvec!(out)
        })
    }

    not_out_of_plan!();
}

impl TypedOp for SimplifiedLayerNorm {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}
