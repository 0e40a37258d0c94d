//! The operators of the model builder's graphs, as tract operators over thinkd's kernels.
//!
//! One file an operator. The graph editor (`model::graph`) renames each node to one of thinkd's and turns
//! its constant inputs into indices; [`register`] gives tract the builders; [`bind`] then hands every operator
//! its weights and the [`Runtime`]. Nothing here knows which model it runs.

mod attributes;
mod embedding;
mod error;
mod graph_op;
mod group_query_attention;
mod kv_cache;
mod last_row;
mod mat_mul_nbits;
mod rotary_embedding;
mod simplified_layer_norm;
mod weights;

use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::TypedModel;

use crate::kernels::{Kernels, Threads};

pub use attributes::{WIDTH, move_input_to_weight, size_attribute};
pub use error::Refusal;
pub use group_query_attention::HEAD_DIM;
#[cfg(test)]
pub(crate) use kv_cache::restore_caches;
pub use weights::{ByteSource, ElementType, Weight};

use embedding::{Embedding, GatherBlockQuantized};
use graph_op::Operator;
use group_query_attention::GroupQueryAttention;
use last_row::LastRow;
use mat_mul_nbits::MatMulNBits;
use rotary_embedding::RotaryEmbedding;
use simplified_layer_norm::SimplifiedLayerNorm;

/// Rows of a float table: the token embedding.
pub const EMBEDDING: &str = "thinkd.Embedding";
/// Rows of an int4 or int8 table, dequantized one at a time.
pub const GATHER_BLOCK_QUANTIZED: &str = "thinkd.GatherBlockQuantized";
/// Attention over a key-value cache of its own.
pub const GROUP_QUERY_ATTENTION: &str = "thinkd.GroupQueryAttention";
/// The last token's row.
pub const LAST_ROW: &str = "thinkd.LastRow";
/// A product with an int4 or int8 matrix.
pub const MAT_MUL_NBITS: &str = "thinkd.MatMulNBits";
/// Rotary embedding on its own.
pub const ROTARY_EMBEDDING: &str = "thinkd.RotaryEmbedding";
/// RMS norm, with or without a skip connection.
pub const SIMPLIFIED_LAYER_NORM: &str = "thinkd.SimplifiedLayerNormalization";

/// The operators of this module, by the names they have in an edited graph.
const OPERATORS: &[Operator] = &[
    Operator::of::<Embedding>(EMBEDDING),
    Operator::of::<GatherBlockQuantized>(GATHER_BLOCK_QUANTIZED),
    Operator::of::<GroupQueryAttention>(GROUP_QUERY_ATTENTION),
    Operator::of::<LastRow>(LAST_ROW),
    Operator::of::<MatMulNBits>(MAT_MUL_NBITS),
    Operator::of::<RotaryEmbedding>(ROTARY_EMBEDDING),
    Operator::of::<SimplifiedLayerNorm>(SIMPLIFIED_LAYER_NORM),
];

/// Precision of the activations that meet quantized weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activations {
    /// As each node asks: 8-bit integers at `accuracy_level` 4, f32 below.
    #[default]
    Auto,
    /// 8-bit integers, a scale a block: the fastest.
    Int8,
    /// f32: the reference, within 1e-4 of ONNX Runtime.
    F32,
}

/// What every operator computes with.
#[derive(Debug)]
pub struct Runtime {
    /// The instruction set's functions.
    pub kernels: Kernels,
    /// The threads that share the work.
    pub threads: Threads,
    /// Precision of the activations.
    pub activations: Activations,
    /// Tokens each key-value cache has room for.
    pub context_tokens: usize,
}

/// Where a run's tokens stand in the context; the plan's caller puts it into tract's shared turn state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Tokens already in the key-value cache; the run's first token comes at this position.
    pub past_tokens: usize,
}

/// What [`bind`] hands to the operators.
#[derive(Debug)]
pub struct Binding<'a> {
    /// The constant tensors, by index.
    pub weights: &'a [Weight],
    /// What to compute with.
    pub runtime: Arc<Runtime>,
}

/// Gives tract the builders of the operators.
pub fn register(onnx: &mut Onnx) {
    for operator in OPERATORS {
        onnx.op_register.insert(operator.name, operator.build);
    }
}

/// Whether `name` is one of the operators.
#[must_use]
pub fn is_registered(name: &str) -> bool {
    OPERATORS.iter().any(|operator| operator.name == name)
}

/// Checks that operator `name` can run `node`, whose constant inputs have been moved out.
///
/// # Errors
/// If an attribute or input asks for something else, or there is no such operator.
pub fn check(name: &str, node: &NodeProto) -> Result<(), Refusal> {
    match OPERATORS.iter().find(|operator| operator.name == name) {
        Some(operator) => (operator.check)(node),
        None => Err(Refusal("is not supported".into())),
    }
}

/// Hands every operator of `model` its weights.
///
/// # Errors
/// If a weight disagrees with a node's attributes: the node's name and the reason.
pub fn bind(model: &mut TypedModel, binding: &Binding<'_>) -> Result<(), (String, Refusal)> {
    for node in model.nodes_mut() {
        let bound = OPERATORS
            .iter()
            .find_map(|operator| (operator.bind)(node, binding));
        if let Some(Err(refusal)) = bound {
            return Err((node.name.clone(), refusal));
        }
    }
    Ok(())
}
