//! com.microsoft RotaryEmbedding on its own, as older exports have it, and the cos/sin tables of all rotary code.
//!
//! X is `[B, S, heads · head_dim]` or `[B, heads, S, head_dim]`; constant inputs: cos (2) and sin (3), each
//! `[positions, pairs]`. The position of each token is the run's [`Turn`]'s.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::graph_op::{self, Bindable, Bound, GraphOp};
use super::weights::FloatWeight;
use super::{Binding, Refusal, Runtime, Turn};

/// Angles of every position: cos and sin, `[positions, pairs]`.
#[derive(Debug, Clone)]
pub(super) struct RotaryTable {
    cos: FloatWeight,
    sin: FloatWeight,
    pairs: usize,
}

impl RotaryTable {
    /// The table of two constant tensors; refuses one too short for the context.
    pub(super) fn new(binding: &Binding<'_>, cos: usize, sin: usize) -> Result<Self, Refusal> {
        let (cos, sin) = (
            graph_op::weight(binding, cos)?,
            graph_op::weight(binding, sin)?,
        );
        let &[positions, pairs] = cos.dims() else {
            return Err(Refusal(format!(
                "cos_cache of shape {:?} is not a matrix",
                cos.dims()
            )));
        };
        if sin.dims() != cos.dims() {
            return Err(Refusal("cos_cache and sin_cache differ in shape".into()));
        }
        let context_tokens = binding.runtime.context_tokens;
        if positions < context_tokens {
            return Err(Refusal(format!(
                "cos_cache has {positions} positions, the context is {context_tokens} tokens"
            )));
        }
        Ok(Self {
            cos: FloatWeight::new(cos)?,
            sin: FloatWeight::new(sin)?,
            pairs,
        })
    }

    /// Number of pairs that are rotated in each head.
    pub(super) fn pairs(&self) -> usize {
        self.pairs
    }

    /// Room for the angles of one position.
    pub(super) fn angles(&self) -> Angles {
        Angles {
            cos: vec![0.0; self.pairs],
            sin: vec![0.0; self.pairs],
        }
    }

    /// Reads the angles of `position`.
    pub(super) fn read(&self, position: usize, angles: &mut Angles) {
        let range = position * self.pairs..(position + 1) * self.pairs;
        self.cos.copy_to(range.clone(), &mut angles.cos);
        self.sin.copy_to(range, &mut angles.sin);
    }
}

/// cos and sin of one position's angles.
#[derive(Debug, Clone)]
pub(super) struct Angles {
    pub(super) cos: Vec<f32>,
    pub(super) sin: Vec<f32>,
}

/// The operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RotaryEmbedding {
    interleaved: bool,
    heads: usize,
    rotary_dim: usize,
    cos: usize,
    sin: usize,
    bound: Bound<Parts>,
}

#[derive(Debug)]
struct Parts {
    table: RotaryTable,
    runtime: Arc<Runtime>,
}

impl GraphOp for RotaryEmbedding {
    fn from_node(node: &NodeProto) -> Result<Self, Refusal> {
        let attributes = Attributes(node);
        attributes.only(&[
            "interleaved",
            "num_heads",
            "rotary_embedding_dim",
            "is_packed_batching",
            "scale",
        ])?;
        attributes.expect_int("is_packed_batching", &[0])?;
        let scale = attributes.float_or("scale", 1.0)?;
        if (scale - 1.0).abs() > f32::EPSILON {
            return Err(Refusal::value("scale", scale, "1"));
        }
        if attributes.is_wired(1) {
            return Err(Refusal(
                "position_ids are computed; only the graph's own input is supported".into(),
            ));
        }
        let size = |name| {
            let found = attributes.int_or(name, 0)?;
            usize::try_from(found).map_err(|_| Refusal::value(name, found, "0 and above"))
        };
        Ok(Self {
            interleaved: attributes.flag_or("interleaved", false)?,
            heads: size("num_heads")?,
            rotary_dim: size("rotary_embedding_dim")?,
            cos: attributes.weight_required(2, "cos_cache")?,
            sin: attributes.weight_required(3, "sin_cache")?,
            bound: Bound::default(),
        })
    }
}

impl Bindable for RotaryEmbedding {
    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        let table = RotaryTable::new(binding, self.cos, self.sin)?;
        if self.rotary_dim != 0 && self.rotary_dim != 2 * table.pairs() {
            return Err(Refusal::value(
                "rotary_embedding_dim",
                self.rotary_dim,
                2 * table.pairs(),
            ));
        }
        if self.rotary_dim != 0 && self.heads == 0 {
            return Err(Refusal("rotary_embedding_dim needs num_heads".into()));
        }
        self.bound.set(Parts {
            table,
            runtime: Arc::clone(&binding.runtime),
        });
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        Ok(input.into())
    }
}

impl RotaryEmbedding {
    /// For 3 axes, rows are tokens of all heads; for 4, tokens of one head: both are tokens after tokens.
    fn rotate(&self, x: &mut [f32], shape: &[usize], turn: &Turn) -> TractResult<()> {
        let parts = self.bound.get()?;
        let &([_, tokens, width] | [_, _, tokens, width]) = shape else {
            bail!("input of shape {shape:?}, expected 3 or 4 axes");
        };
        let head_dim = match (shape.len(), self.heads) {
            (4, _) => width,
            (_, 0) => 2 * parts.table.pairs(),
            (_, heads) => width / heads,
        };
        ensure!(
            head_dim >= 2 * parts.table.pairs() && width % head_dim == 0,
            "rows of {width} in heads of {head_dim}"
        );
        ensure!(
            tokens == turn.tokens(),
            "{tokens} tokens, the run has {}",
            turn.tokens()
        );
        let mut angles = parts.table.angles();
        for batch in x.chunks_exact_mut(tokens * width) {
            for (position, row) in turn.positions().zip(batch.chunks_exact_mut(width)) {
                parts.table.read(position, &mut angles);
                let rotation = (&*angles.cos, &*angles.sin);
                parts
                    .runtime
                    .kernels
                    .rope(row, head_dim, rotation, self.interleaved);
            }
        }
        Ok(())
    }
}

impl Op for RotaryEmbedding {
    fn name(&self) -> StaticName {
        "RotaryEmbedding".into()
    }

    op_as_typed_op!();
}

impl EvalOp for RotaryEmbedding {
    fn eval(&self, context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let turn = Turn::of(context)?;
        let shape: TVec<usize> = inputs[0].shape().into();
        let x = graph_op::floats(&inputs[0])?;
        let mut result = Ok(());
        let out = graph_op::tensor(&shape, |out| {
            out.copy_from_slice(x);
            result = self.rotate(out, &shape, turn);
        })?;
        result?;
        Ok(tvec!(out))
    }

    not_out_of_plan!();
}

impl TypedOp for RotaryEmbedding {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}
