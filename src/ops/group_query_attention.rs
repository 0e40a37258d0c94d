//! com.microsoft GroupQueryAttention with the key-value cache inside.
//!
//! Inputs: query `[1, S, heads · head_dim]`, key and value `[1, S, kv_heads · head_dim]`, or the three packed
//! side by side in one; constant inputs: cos (7) and sin (8). The past and present tensors of the ONNX operator
//! are gone: the operator's state holds the keys and values of all tokens so far, and the run's
//! [`Turn`](super::Turn) says how many of them count, and in which lane. `run` computes.

mod run;

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::graph_op::{self, Bindable, Bound, GraphOp};
use super::kv_cache::KvCache;
use super::rotary_embedding::RotaryTable;
use super::{Binding, Refusal, Runtime, Turn};

pub(super) use run::Scratch;

/// The operator.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupQueryAttention {
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    scale: f32,
    softcap: f32,
    /// Tokens a query looks back on, itself included.
    window_tokens: Option<usize>,
    rotary: Option<Rotary>,
    packed: bool,
    bound: Bound<Parts>,
}

impl Eq for GroupQueryAttention {}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rotary {
    interleaved: bool,
    cos: usize,
    sin: usize,
}

#[derive(Debug)]
struct Parts {
    table: Option<RotaryTable>,
    runtime: Arc<Runtime>,
}

impl GraphOp for GroupQueryAttention {
    fn from_node(node: &NodeProto) -> Result<Self, Refusal> {
        let attributes = Attributes(node);
        attributes.only(KNOWN_ATTRIBUTES)?;
        attributes.expect_int("smooth_softmax", &[0, -1])?;
        attributes.expect_int("qk_output", &[0])?;
        attributes.expect_int("causal", &[1])?;
        // It says how ONNX Runtime lays out its cache; here the cache is whole and the window is a range of it.
        attributes.expect_int("sliding_window_cache", &[0, 1])?;
        attributes.expect_int("kv_cache_bit_width", &[0])?;
        attributes.expect_text("k_quant_type", "NONE")?;
        attributes.expect_text("v_quant_type", "NONE")?;
        for input in 9..node.input.len() {
            if attributes.is_wired(input) || attributes.weight(input).is_some() {
                let name = OPTIONAL_INPUTS.get(input - 9).unwrap_or(&"unknown");
                return Err(Refusal(format!("input {name} is not supported")));
            }
        }
        let (heads, kv_heads) = (
            attributes.size("num_heads")?,
            attributes.size("kv_num_heads")?,
        );
        if !heads.is_multiple_of(kv_heads) {
            return Err(Refusal(format!(
                "num_heads = {heads} is no multiple of kv_num_heads = {kv_heads}"
            )));
        }
        let rotary = if attributes.flag_or("do_rotary", false)? {
            Some(Rotary {
                interleaved: attributes.flag_or("rotary_interleaved", false)?,
                cos: attributes.weight_required(7, "cos_cache")?,
                sin: attributes.weight_required(8, "sin_cache")?,
            })
        } else {
            None
        };
        let head_dim = attributes.size(HEAD_DIM)?;
        let scale = attributes.float_or("scale", 0.0)?;
        let packed = match (attributes.is_wired(1), attributes.is_wired(2)) {
            (true, true) => false,
            (false, false) => true,
            _ => return Err(Refusal("one of key and value is missing".into())),
        };
        Ok(Self {
            heads,
            kv_heads,
            head_dim,
            scale: if scale == 0.0 {
                1.0 / (head_dim as f32).sqrt()
            } else {
                scale
            },
            softcap: attributes.float_or("softcap", 0.0)?,
            window_tokens: usize::try_from(attributes.int_or("local_window_size", -1)?)
                .ok()
                .filter(|&window| window > 0),
            rotary,
            packed,
            bound: Bound::default(),
        })
    }
}

impl Bindable for GroupQueryAttention {
    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        let table = match &self.rotary {
            None => None,
            Some(rotary) => Some(RotaryTable::new(binding, rotary.cos, rotary.sin)?),
        };
        if table
            .as_ref()
            .is_some_and(|table| 2 * table.pairs() > self.head_dim)
        {
            return Err(Refusal(format!(
                "cos_cache is wider than a head of {}",
                self.head_dim
            )));
        }
        self.bound.set(Parts {
            table,
            runtime: Arc::clone(&binding.runtime),
        });
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        let mut shape: TVec<TDim> = input.into();
        *shape.last_mut().context("query without axes")? = (self.heads * self.head_dim).to_dim();
        Ok(shape)
    }
}

impl Op for GroupQueryAttention {
    fn name(&self) -> StaticName {
        "GroupQueryAttention".into()
    }

    op_as_typed_op!();
}

impl EvalOp for GroupQueryAttention {
    fn state(&self, _context: &EvalContext<'_>) -> TractResult<Option<Box<dyn OpState>>> {
        let runtime = &self.bound.get()?.runtime;
        Ok(Some(Box::new(KvCache::new(
            self.kv_heads,
            self.head_dim,
            runtime,
        ))))
    }

    not_out_of_plan!();
}

impl TypedOp for GroupQueryAttention {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}

impl GroupQueryAttention {
    /// The same operator taking query, key and value side by side in one input.
    pub(super) fn with_packed_input(&self) -> Self {
        Self {
            packed: true,
            ..self.clone()
        }
    }
}

/// Query, key and value rows of a run.
struct Projections<'a> {
    query: &'a [f32],
    key: &'a [f32],
    value: &'a [f32],
    /// Floats from one token to the next, in each of the three.
    strides: [usize; 3],
}

impl GroupQueryAttention {
    fn projections<'a>(&self, inputs: &'a [TValue]) -> TractResult<(usize, Projections<'a>)> {
        let (q_width, kv_width) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        let (tokens, width) = graph_op::rows(&inputs[0])?;
        let first = graph_op::floats(&inputs[0])?;
        let batch = inputs[0].shape().first().copied().unwrap_or(0);
        ensure!(batch == 1, "a batch of {batch}, expected 1");
        if self.packed {
            ensure!(
                width == q_width + 2 * kv_width,
                "packed query, key and value of width {width}"
            );
            let key = first.get(q_width..).unwrap_or_default();
            let value = first.get(q_width + kv_width..).unwrap_or_default();
            return Ok((
                tokens,
                Projections {
                    query: first,
                    key,
                    value,
                    strides: [width; 3],
                },
            ));
        }
        let [_, key, value] = inputs else {
            bail!("{} inputs, expected 3", inputs.len())
        };
        for other in [key, value] {
            let found = graph_op::rows(other)?;
            ensure!(
                found == (tokens, kv_width),
                "key or value of {found:?} rows and width"
            );
        }
        ensure!(
            width == q_width,
            "query of width {width}, expected {q_width}"
        );
        let (key, value) = (graph_op::floats(key)?, graph_op::floats(value)?);
        let strides = [q_width, kv_width, kv_width];
        Ok((
            tokens,
            Projections {
                query: first,
                key,
                value,
                strides,
            },
        ))
    }
}

impl OpState for KvCache {
    fn eval(
        &mut self,
        context: &EvalContext<'_>,
        op: &dyn Op,
        inputs: TVec<TValue>,
    ) -> TractResult<TVec<TValue>> {
        let op = op
            .downcast_ref::<GroupQueryAttention>()
            .context("the cache was given to another operator")?;
        let turn = Turn::of(context)?;
        let (tokens, run) = op.projections(&inputs)?;
        ensure!(
            tokens == turn.tokens(),
            "{tokens} rows for {} tokens",
            turn.tokens()
        );
        for segment in &turn.segments {
            let after = segment.past_tokens + segment.tokens;
            let room = self.shape().context_tokens;
            ensure!(
                after <= room,
                "{after} tokens do not fit into a cache of {room}"
            );
            let lanes = self.lanes();
            ensure!(segment.lane < lanes, "lane {} of {lanes}", segment.lane);
        }
        let mut shape: TVec<usize> = inputs[0].shape().into();
        *shape.last_mut().context("query without axes")? = op.heads * op.head_dim;
        let runtime = &op.bound.get()?.runtime;
        let mut result = Ok(());
        let out = graph_op::tensor(&shape, |out| {
            result = runtime.timed(|| op.run(self, &run, &turn.segments, out));
        })?;
        result?;
        Ok(tvec!(out))
    }

    fn reset_lanes(&mut self, _lanes: &[LaneId]) -> TractResult<()> {
        // What counts of the cache is said anew by every run's `Turn`.
        Ok(())
    }
}

/// Attribute that the graph's editor adds: the width of a head.
pub const HEAD_DIM: &str = "head_dim";

const KNOWN_ATTRIBUTES: &[&str] = &[
    "num_heads",
    "kv_num_heads",
    HEAD_DIM,
    "scale",
    "softcap",
    "local_window_size",
    "do_rotary",
    "rotary_interleaved",
    "smooth_softmax",
    "qk_output",
    "causal",
    "sliding_window_cache",
    "kv_cache_bit_width",
    "k_quant_type",
    "v_quant_type",
];

/// Names of the inputs from the tenth on; none is supported.
const OPTIONAL_INPUTS: &[&str] = &[
    "position_ids",
    "attention_bias",
    "head_sink",
    "k_scale",
    "v_scale",
    "q_norm_weight",
    "k_norm_weight",
];
