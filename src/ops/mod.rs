//! The operators of the model builder's graphs, as tract operators over thinkd's kernels.
//!
//! One file an operator. The graph editor (`model::graph`) renames each node to one of thinkd's and turns
//! its constant inputs into indices; [`register`] gives tract the builders; [`bind`] then hands every operator
//! its weights and the [`Runtime`]. Nothing here knows which model it runs.

mod attributes;
mod embedding;
mod error;
mod gated_mlp;
mod graph_op;
mod group_query_attention;
mod kv_cache;
mod last_row;
mod mat_mul_nbits;
mod normed;
mod packing;
mod profile;
mod projection;
mod rewrite;
mod rotary_embedding;
mod simplified_layer_norm;
mod weights;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tract_onnx::Onnx;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::TypedModel;
use tract_onnx::tract_hir::internal::{EvalContext, TractErrorContext as _, TractResult};

use crate::kernels::{Kernels, Threads};

pub use attributes::{WIDTH, add_bias, move_input_to_weight, size_attribute, width_of_product};
pub use error::Refusal;
pub use group_query_attention::HEAD_DIM;
#[cfg(test)]
pub(crate) use kv_cache::restore_caches;
pub use kv_cache::{copy_prefix, put_prefix, take_prefix};
pub use last_row::STREAMS;
pub use packing::{MatrixKey, PackedWeight, StoredMatrix};
pub use profile::{KernelTime, Profile};
pub use rewrite::join_operators;
pub use weights::{ByteSource, ElementType, Weight};

use embedding::{Embedding, GatherBlockQuantized};
use gated_mlp::GatedMlp;
use graph_op::{Binder, Operator};
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

/// Operators that `rewrite` puts in place of others.
const JOINED: &[Binder] = &[Binder::of::<GatedMlp>()];

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

/// What keys and values are kept as between runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KvPrecision {
    /// Half precision.
    #[default]
    F16,
    /// Single precision: twice the memory, for comparing with other runtimes.
    F32,
    /// 8-bit integers, a scale for each token and head: half the memory.
    Int8,
}

impl KvPrecision {
    /// The one that goes with `activations`: single where they are.
    #[must_use]
    pub fn beside(activations: Activations) -> Self {
        match activations {
            Activations::F32 => Self::F32,
            Activations::Auto | Activations::Int8 => Self::default(),
        }
    }
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
    /// What the key-value caches keep.
    pub kv_cache: KvPrecision,
    /// Tokens each key-value cache has room for.
    pub context_tokens: usize,
    /// Key-value caches of each attention operator: streams that are kept apart. Each takes memory when it is used.
    pub lanes: usize,
    /// Counts the time spent in kernels when somebody wants to know.
    pub profile: Profile,
    /// Room that operators compute in.
    pub scratch: Scratch,
}

/// Room that operators compute in, kept for its memory. A plan runs one node at a time, so one is enough for all and
/// nobody waits for it.
#[derive(Debug, Default)]
pub struct Scratch {
    products: Mutex<projection::Scratch>,
    /// Rows that were normalized for a product.
    normed: Mutex<Vec<f32>>,
    attention: Mutex<group_query_attention::Scratch>,
}

/// Locks; what another run left in a scratch is never read.
fn lock<T>(scratch: &Mutex<T>) -> MutexGuard<'_, T> {
    scratch.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runtime {
    /// Runs `work`, which is all kernels.
    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        self.profile.time(work)
    }
}

/// Which streams a run's tokens belong to, and where they stand there; the plan's caller puts it into tract's shared
/// turn state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The run's tokens are those of the segments, one after the other.
    pub segments: Vec<Segment>,
}

/// Tokens of one stream, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Which of the key-value caches.
    pub lane: usize,
    /// Tokens already in it; the segment's first token comes at this position.
    pub past_tokens: usize,
    /// Tokens of the run.
    pub tokens: usize,
}

impl Turn {
    /// Tokens of all segments.
    fn tokens(&self) -> usize {
        self.segments.iter().map(|segment| segment.tokens).sum()
    }

    /// The position of each of them.
    fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        let segments = self.segments.iter();
        segments.flat_map(|segment| segment.past_tokens..segment.past_tokens + segment.tokens)
    }

    /// The turn of the run that `context` is of.
    fn of<'a>(context: &'a EvalContext<'_>) -> TractResult<&'a Self> {
        let turn = context.shared.and_then(|shared| shared.get::<Self>());
        turn.context("the run was not told which tokens it is given")
    }
}

/// What [`bind`] hands to the operators.
#[derive(Debug)]
pub struct Binding<'a> {
    /// The constant tensors, by index.
    pub weights: &'a [Weight],
    /// The matrices that are packed for the runtime's kernels; others are used as they are stored.
    pub packed: HashMap<MatrixKey, PackedWeight>,
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

fn binders() -> impl Iterator<Item = &'static Binder> {
    let operators = OPERATORS.iter().map(|operator| &operator.binder);
    operators.chain(JOINED)
}

/// The matrices of `model` that the runtime's kernels would rather have packed, in the order they are used.
///
/// # Errors
/// If a matrix disagrees with a node's attributes: the node's name and the reason.
pub fn matrices(
    model: &TypedModel,
    binding: &Binding<'_>,
) -> Result<Vec<(MatrixKey, StoredMatrix)>, (String, Refusal)> {
    let mut found = Vec::new();
    for node in model.nodes() {
        let matrices = binders().find_map(|binder| (binder.matrices)(node));
        for matrix in matrices.unwrap_or_default() {
            let stored = matrix
                .to_pack(binding)
                .map_err(|refusal| (node.name.clone(), refusal))?;
            found.extend(stored);
        }
    }
    Ok(found)
}

/// Bytes of weights that a run of `model` reads, in the form it has them.
///
/// # Errors
/// If a matrix disagrees with a node's attributes: the node's name and the reason.
pub fn weight_bytes(model: &TypedModel, binding: &Binding<'_>) -> Result<usize, (String, Refusal)> {
    let mut bytes = 0;
    for node in model.nodes() {
        let matrices = binders().find_map(|binder| (binder.matrices)(node));
        for matrix in matrices.unwrap_or_default() {
            bytes += matrix
                .bytes(binding)
                .map_err(|refusal| (node.name.clone(), refusal))?;
        }
    }
    Ok(bytes)
}

/// Hands every operator of `model` its weights.
///
/// # Errors
/// If a weight disagrees with a node's attributes: the node's name and the reason.
pub fn bind(model: &mut TypedModel, binding: &Binding<'_>) -> Result<(), (String, Refusal)> {
    for node in model.nodes_mut() {
        let bound = binders().find_map(|binder| (binder.bind)(node, binding));
        if let Some(Err(refusal)) = bound {
            return Err((node.name.clone(), refusal));
        }
    }
    Ok(())
}
