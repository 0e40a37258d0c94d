//! A model directory becomes something that turns tokens into logits.
//!
//! [`LanguageModel`] and [`TokenText`] are all the engine sees of a model; [`load`] makes both from a directory
//! in the layout of ONNX Runtime GenAI's model builder.

mod checksum;
mod cores;
mod directory;
mod error;
#[cfg(test)]
mod golden_ops;
mod graph;
mod huge_pages;
mod initializers;
mod memory;
mod packed_weights;
mod plan;
mod qdq;
pub mod testing;
mod tokenizer;
mod weight_map;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::kernels::{Kernels, set};

pub use crate::ops::{Activations, ByteSource, KernelTime, KvPrecision};
pub(crate) use checksum::checksum;
use cores::Cores;
pub use directory::{ModelDirectory, SearchDefaults};
pub use error::ModelError;
pub use huge_pages::Residence;
pub use memory::{MachineMemory, MemoryNeed};
pub use packed_weights::{CacheOptions, CachePlace, PackedOrigin};
pub use plan::TractModel;
pub use tokenizer::Tokenizer;

/// Context a model gets unless another is asked for, in tokens: the key-value cache takes memory whether it is
/// used or not, and the models' own limits are far beyond what a board can hold.
pub const CONTEXT_TOKENS_DEFAULT: usize = 4096;

/// Turns tokens into logits, and remembers the tokens it has seen in its key-value caches: one a lane, so that several
/// texts are kept apart.
pub trait LanguageModel: Send {
    /// Most tokens (prompt and generated together) that fit into the key-value cache of a lane.
    fn context_tokens(&self) -> usize;

    /// Length of the logits.
    fn vocab_size(&self) -> usize;

    /// Number of lanes, at least one.
    fn lanes(&self) -> usize;

    /// Number of tokens that `lane`'s key-value cache holds now.
    ///
    /// # Panics
    /// If there is no such lane; so do the other functions that name one but do not return an error.
    fn lane_position(&self, lane: usize) -> usize;

    /// Forgets every token of `lane` from `position` on; 0 starts anew. Longer than held is no change.
    fn truncate_lane(&mut self, lane: usize, position: usize);

    /// Appends tokens to several lanes at once, for the price of one pass over the weights, and returns the logits
    /// after each turn's last token, `[turns.len(), vocab_size]`.
    ///
    /// Each lane's logits are those it would get alone. Prefill is a turn of many tokens, decode a turn of one; any
    /// chunking gives the same result. After an error the lanes hold no fewer tokens than before.
    ///
    /// # Errors
    /// If there is no turn, a turn has no token, two are of one lane or a lane is not there, the tokens do not fit
    /// into the context, a token is outside the vocabulary, or a computation fails.
    fn forward_lanes(&mut self, turns: &[LaneTurn<'_>]) -> Result<&[f32], ModelError>;

    /// Makes the first `tokens` tokens of lane `from` all that lane `to` holds, without computing them again.
    ///
    /// # Errors
    /// If a lane is not there, both are the same, or `from` holds fewer.
    fn copy_prefix(&mut self, from: usize, to: usize, tokens: usize) -> Result<(), ModelError>;

    /// What tells this model's keys and values from those of another model, precision or processor; none where they
    /// cannot be taken out.
    fn prefix_key(&self) -> Option<u64> {
        None
    }

    /// Keys and values of the first `tokens` tokens of `lane`, as bytes for [`Self::put_prefix`].
    ///
    /// # Errors
    /// If the lane is not there or holds fewer, or they cannot be taken out.
    fn prefix(&self, lane: usize, tokens: usize) -> Result<Vec<u8>, ModelError> {
        let reason = format!("keys and values of {tokens} tokens of lane {lane} stay inside");
        Err(ModelError::Inference(reason))
    }

    /// Makes `bytes` of `tokens` tokens all that `lane` holds. They are of [`Self::prefix`], of a model of the same
    /// [`Self::prefix_key`].
    ///
    /// # Errors
    /// If the lane is not there or too small, or `bytes` is not as long as they are; the lane is empty then.
    fn put_prefix(&mut self, lane: usize, tokens: usize, bytes: &[u8]) -> Result<(), ModelError> {
        let reason = format!("{} bytes of {tokens} tokens for lane {lane}", bytes.len());
        Err(ModelError::Inference(reason))
    }

    /// As [`Self::lane_position`] of the first lane.
    fn position(&self) -> usize {
        self.lane_position(0)
    }

    /// As [`Self::truncate_lane`] of the first lane.
    fn truncate(&mut self, position: usize) {
        self.truncate_lane(0, position);
    }

    /// As [`Self::forward_lanes`] of the first lane alone; the logits are `[vocab_size]`.
    ///
    /// # Errors
    /// As there.
    fn forward(&mut self, tokens: &[u32]) -> Result<&[f32], ModelError> {
        self.forward_lanes(&[LaneTurn { lane: 0, tokens }])
    }
}

/// Tokens to append to one lane.
#[derive(Debug, Clone, Copy)]
pub struct LaneTurn<'a> {
    /// Which key-value cache.
    pub lane: usize,
    /// At least one.
    pub tokens: &'a [u32],
}

/// Refuses to copy what cannot be copied, for every model alike.
fn check_copy(
    model: &dyn LanguageModel,
    (from, to): (usize, usize),
    tokens: usize,
) -> Result<(), ModelError> {
    let lanes = model.lanes();
    if from >= lanes || to >= lanes || from == to {
        let reason = format!("copy from lane {from} to {to} of {lanes}");
        return Err(ModelError::Inference(reason));
    }
    let held = model.lane_position(from);
    if tokens > held {
        let reason = format!("copy of {tokens} tokens from lane {from}, which holds {held}");
        return Err(ModelError::Inference(reason));
    }
    Ok(())
}

/// Refuses a prefix that a lane does not hold, for every model alike.
fn check_prefix(model: &dyn LanguageModel, lane: usize, tokens: usize) -> Result<(), ModelError> {
    let held = (lane < model.lanes()).then(|| model.lane_position(lane));
    match held {
        Some(held) if tokens <= held => Ok(()),
        _ => {
            let reason = format!("{tokens} tokens of lane {lane}, which holds {held:?}");
            Err(ModelError::Inference(reason))
        }
    }
}

/// Refuses a prefix that a lane cannot hold, for every model alike.
fn check_room(model: &dyn LanguageModel, lane: usize, tokens: usize) -> Result<(), ModelError> {
    if lane >= model.lanes() || tokens > model.context_tokens() {
        let reason = format!("{tokens} tokens for lane {lane} of {}", model.lanes());
        return Err(ModelError::Inference(reason));
    }
    Ok(())
}

/// Turns text into tokens and back.
pub trait TokenText: Send + Sync {
    /// Tokens of `text`. The model's special tokens written out in `text` become those tokens; none is added.
    ///
    /// # Errors
    /// If the tokenizer refuses the text.
    fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError>;

    /// Text of `tokens`, without special tokens (think tags are text, not special). An unfinished UTF-8 character
    /// shows as U+FFFD; a token past the tokenizer's last gives no text, because models pad their vocabulary.
    ///
    /// # Errors
    /// If the tokenizer fails.
    fn decode(&self, tokens: &[u32]) -> Result<String, ModelError>;

    /// The token written exactly `text`, where there is one.
    fn token_id(&self, text: &str) -> Option<u32>;

    /// Texts of the special tokens and the added tokens (think tags among them), for keeping them out of prompts.
    fn control_texts(&self) -> Vec<String>;
}

/// How to load a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Tokens the key-value cache has room for; by default the model's own limit, at most
    /// [`CONTEXT_TOKENS_DEFAULT`].
    pub context_tokens: Option<usize>,
    /// Threads that share the work; 0 is one a core, on boards that mix cores one a big core.
    pub threads: usize,
    /// Hold each thread to a core of its own, instead of leaving that to the scheduler.
    pub pin_threads: bool,
    /// Kernel set by name; by default the best this CPU can run.
    pub kernels: Option<String>,
    /// Precision of the activations.
    pub activations: Activations,
    /// What keys and values are kept as; by default [`KvPrecision::beside`] the activations.
    pub kv_cache: Option<KvPrecision>,
    /// Where packed weights are kept between starts.
    pub packed_cache: CacheOptions,
    /// Keep the logits of every token of a run, for comparing with other runtimes.
    pub all_logits: bool,
    /// Key-value caches, for as many streams at once ([`LanguageModel::forward_lanes`]).
    pub lanes: Lanes,
    /// Leave the graph's operators apart, for comparing with the joined ones.
    pub separate_operators: bool,
}

/// How many key-value caches a model gets, each for a whole context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lanes {
    /// So many; 0 counts as 1.
    Exactly(usize),
    /// As many as fit into an eighth of the memory that the weights leave, at least one and at most
    /// [`LANES_AUTO_MAX`].
    Auto,
}

/// Most key-value caches that [`Lanes::Auto`] gives: more streams than that win little where the processor and not
/// the memory is the limit.
pub const LANES_AUTO_MAX: usize = 4;

impl Default for Lanes {
    fn default() -> Self {
        Self::Exactly(1)
    }
}

impl LoadOptions {
    /// What keys and values are kept as.
    #[must_use]
    pub fn kv_cache_precision(&self) -> KvPrecision {
        self.kv_cache
            .unwrap_or_else(|| KvPrecision::beside(self.activations))
    }
}

/// A loaded model: everything the engine needs.
#[derive(Debug)]
pub struct LoadedModel {
    /// Tokens to logits.
    pub model: TractModel,
    /// Text to tokens and back.
    pub tokenizer: Arc<Tokenizer>,
    /// What the directory's text files say: chat template, end tokens, suggested sampling.
    pub directory: ModelDirectory,
    /// What was chosen and found while loading.
    pub info: ModelInfo,
}

/// What was chosen and found while loading a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Name of the model: its directory's.
    pub name: String,
    /// Architecture, as the builder names it.
    pub architecture: String,
    /// Tokens that each key-value cache has room for.
    pub context_tokens: usize,
    /// Key-value caches: streams that run at once.
    pub lanes: usize,
    /// Length of the logits.
    pub vocab_size: usize,
    /// Decoder layers.
    pub layers: usize,
    /// Bytes of weights that a token reads.
    pub weight_bytes: usize,
    /// Where the packed ones among them came from.
    pub packed: PackedOrigin,
    /// Whether those are in memory of their own, and not in the map of a file.
    pub weights_in_memory: bool,
    /// Bytes of weights that every step reads: all but the token embedding.
    pub step_weight_bytes: usize,
    /// Bytes of all key-value caches.
    pub kv_cache_bytes: usize,
    /// Bytes of the key-value cache that a token takes, and that every step reads for each token before it.
    pub kv_cache_bytes_per_token: usize,
    /// Nodes of the optimized plan.
    pub plan_nodes: usize,
    /// Kernel set.
    pub kernels: &'static str,
    /// Threads.
    pub threads: usize,
    /// Precision of the activations, as asked.
    pub activations: Activations,
    /// Time it took to load.
    pub load_duration: Duration,
}

/// Loads the model directory at `path`.
///
/// # Errors
/// If a file is missing or not what it should be, the graph asks for something thinkd cannot run, an option asks
/// for something this machine has not, or the model can never fit into its memory.
pub fn load(path: &Path, options: &LoadOptions) -> Result<LoadedModel, ModelError> {
    let start = Instant::now();
    let directory = ModelDirectory::open(path)?;
    let context_tokens = context_tokens(&directory, options)?;
    let kernels = choose_kernels(options.kernels.as_deref())?;
    let cores = Cores::of_this_process(options.threads, options.pin_threads);
    let threads = cores.start_threads();
    let thread_count = threads.count();
    let tokenizer = Arc::new(Tokenizer::from_file(&directory.tokenizer_path())?);
    let (model, plan) =
        TractModel::load(&directory, kernels, threads, cores, context_tokens, options)?;
    let info = ModelInfo {
        name: directory.name.clone(),
        architecture: directory.architecture.clone(),
        context_tokens,
        lanes: model.lanes(),
        vocab_size: model.vocab_size(),
        layers: directory.layers,
        weight_bytes: plan.need.weight_bytes,
        packed: plan.packed,
        weights_in_memory: plan.weights_in_memory,
        step_weight_bytes: plan.step_weight_bytes,
        kv_cache_bytes: plan.need.kv_cache_bytes,
        kv_cache_bytes_per_token: MemoryNeed::kv_cache_bytes_per_token(
            &directory,
            options.kv_cache_precision(),
        ),
        plan_nodes: plan.nodes,
        kernels: kernels.name(),
        threads: thread_count,
        activations: options.activations,
        load_duration: start.elapsed(),
    };
    Ok(LoadedModel {
        model,
        tokenizer,
        directory,
        info,
    })
}

fn context_tokens(directory: &ModelDirectory, options: &LoadOptions) -> Result<usize, ModelError> {
    let limit = directory.context_tokens;
    match options.context_tokens {
        None => Ok(limit.min(CONTEXT_TOKENS_DEFAULT)),
        Some(tokens) if (1..=limit).contains(&tokens) => Ok(tokens),
        Some(tokens) => Err(ModelError::Option(format!(
            "context_tokens is {tokens}, {} was made for 1 to {limit}",
            directory.name
        ))),
    }
}

fn choose_kernels(name: Option<&str>) -> Result<Kernels, ModelError> {
    let Some(name) = name else {
        return Ok(Kernels::best());
    };
    Kernels::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = set::supported().iter().map(Kernels::name).collect();
        ModelError::Option(format!(
            "kernels is {name}, this CPU can run {}",
            names.join(", ")
        ))
    })
}
