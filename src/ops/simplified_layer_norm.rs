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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimplifiedLayerNorm {
    pub(super) spec: NormSpec,
    bound: Bound<Norm>,
}

/// A norm, by its attributes and its tensors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NormSpec {
    epsilon: f32,
    skip: bool,
    with_sum: bool,
    scale: usize,
    bias: Option<usize>,
}

impl Eq for NormSpec {}

impl NormSpec {
    /// Whether the sum that is normalized is an output too.
    pub(super) fn with_sum(&self) -> bool {
        self.with_sum
    }
}

/// A norm with its weights.
#[derive(Debug)]
pub(super) struct Norm {
    epsilon: f32,
    skip: bool,
    with_sum: bool,
    scale: Vec<f32>,
    bias: Option<Vec<f32>>,
    runtime: Arc<Runtime>,
}

/// What a norm reads: rows of its width, and what is added to them first.
#[derive(Clone, Copy)]
pub(super) struct NormInputs<'a> {
    x: &'a [f32],
    skip: Option<&'a [f32]>,
    pub(super) shape: &'a [usize],
    pub(super) rows: usize,
}

impl Norm {
    pub(super) fn new(binding: &Binding<'_>, spec: &NormSpec) -> Result<Self, Refusal> {
        let floats = |index| {
            graph_op::weight(binding, index)?
                .to_f32()
                .map(Cow::into_owned)
        };
        let scale = floats(spec.scale)?;
        let bias = spec.bias.map(floats).transpose()?;
        if bias.as_ref().is_some_and(|b| b.len() != scale.len()) {
            return Err(Refusal("bias and scale differ in length".into()));
        }
        Ok(Self {
            epsilon: spec.epsilon,
            skip: spec.skip,
            with_sum: spec.with_sum,
            scale,
            bias,
            runtime: Arc::clone(&binding.runtime),
        })
    }

    /// Checks that `inputs` fit.
    pub(super) fn inputs<'a>(&self, inputs: &'a [TValue]) -> TractResult<NormInputs<'a>> {
        let (rows, width) = graph_op::rows(&inputs[0])?;
        ensure!(
            width == self.scale.len(),
            "width {width}, expected {}",
            self.scale.len()
        );
        let x = graph_op::floats(&inputs[0])?;
        let skip = self
            .skip
            .then(|| graph_op::floats(inputs.get(1).context("skip is missing")?))
            .transpose()?;
        if let Some(skip) = skip {
            ensure!(
                skip.len() == x.len(),
                "skip has {} elements, expected {}",
                skip.len(),
                x.len()
            );
        }
        Ok(NormInputs {
            x,
            skip,
            shape: inputs[0].shape(),
            rows,
        })
    }

    /// Writes the norm of the rows to `out`; returns the sum that was normalized, if it is asked for.
    pub(super) fn run(
        &self,
        inputs: NormInputs<'_>,
        out: &mut [f32],
    ) -> TractResult<Option<TValue>> {
        let kernels = &self.runtime.kernels;
        let width = self.scale.len();
        let Some(skip) = inputs.skip else {
            self.runtime.timed(|| {
                let rows = inputs.x.chunks_exact(width);
                for (x, out) in rows.zip(out.chunks_exact_mut(width)) {
                    kernels.rms_norm(x, &self.scale, self.epsilon, out);
                }
            });
            return Ok(None);
        };
        let sum = graph_op::tensor(inputs.shape, |sum| {
            self.runtime
                .timed(|| self.add_and_norm((inputs.x, skip), sum, out));
        })?;
        Ok(self.with_sum.then_some(sum))
    }

    /// `sum = x + skip (+ bias)` and `out = norm(sum)`, row by row.
    fn add_and_norm(&self, (x, skip): (&[f32], &[f32]), sum: &mut [f32], out: &mut [f32]) {
        let (kernels, scale) = (&self.runtime.kernels, &*self.scale);
        let width = scale.len();
        let inputs = x.chunks_exact(width).zip(skip.chunks_exact(width));
        let outputs = sum.chunks_exact_mut(width).zip(out.chunks_exact_mut(width));
        for ((x, skip), (sum, out)) in inputs.zip(outputs) {
            let Some(bias) = &self.bias else {
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
            spec: NormSpec {
                epsilon: attributes.float_or("epsilon", 1e-5)?,
                skip,
                with_sum: has_output(3),
                scale,
                bias: attributes.weight(3),
            },
            bound: Bound::default(),
        })
    }
}

impl Bindable for SimplifiedLayerNorm {
    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        self.bound.set(Norm::new(binding, &self.spec)?);
        Ok(())
    }

    fn output_count(&self) -> usize {
        1 + usize::from(self.spec.with_sum)
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        Ok(input.into())
    }
}

impl Op for SimplifiedLayerNorm {
    fn name(&self) -> StaticName {
        if self.spec.skip {
            "SkipSimplifiedLayerNorm".into()
        } else {
            "SimplifiedLayerNorm".into()
        }
    }

    op_as_typed_op!();
}

impl EvalOp for SimplifiedLayerNorm {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let norm = self.bound.get()?;
        let inputs = norm.inputs(&inputs)?;
        let mut sum = Ok(None);
        let out = graph_op::tensor(inputs.shape, |out| sum = norm.run(inputs, out))?;
        Ok(std::iter::once(out).chain(sum?).collect())
    }

    not_out_of_plan!();
}

impl TypedOp for SimplifiedLayerNorm {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}
