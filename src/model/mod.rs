//! A model directory becomes something that turns tokens into logits.
//!
//! [`LanguageModel`] and [`TokenText`] are all the engine sees of a model; [`load`] makes both from a directory
//! in the layout of ONNX Runtime GenAI's model builder.

mod directory;
mod error;
#[cfg(test)]
mod golden_ops;
mod graph;
mod initializers;
mod memory;
mod plan;
mod qdq;
pub mod testing;
mod tokenizer;
mod weight_map;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::kernels::{Kernels, Threads, set};

pub use crate::ops::Activations;
pub use directory::{ModelDirectory, SearchDefaults};
pub use error::ModelError;
pub use memory::{MachineMemory, MemoryNeed};
pub use plan::TractModel;
pub use tokenizer::Tokenizer;

/// Context a model gets unless another is asked for, in tokens: the key-value cache takes memory whether it is
/// used or not, and the models' own limits are far beyond what a board can hold.
pub const CONTEXT_TOKENS_DEFAULT: usize = 4096;

/// Turns tokens into logits, and remembers the tokens it has seen in its key-value cache.
pub trait LanguageModel: Send {
    /// Most tokens (prompt and generated together) that fit into the key-value cache.
    fn context_tokens(&self) -> usize;

    /// Length of the logits.
    fn vocab_size(&self) -> usize;

    /// Number of tokens the key-value cache holds now.
    fn position(&self) -> usize;

    /// Forgets every token from `position` on; `truncate(0)` starts anew. Longer than held is no change.
    fn truncate(&mut self, position: usize);

    /// Appends `tokens` (at least one) to the key-value cache and returns the logits after the last, `[vocab_size]`.
    ///
    /// Prefill is a call with many tokens, decode a call with one; any chunking gives the same result.
    ///
    /// # Errors
    /// If the tokens do not fit into the context, a token is outside the vocabulary, or a computation fails.
    fn forward(&mut self, tokens: &[u32]) -> Result<&[f32], ModelError>;
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
    /// Threads that share the work; 0 is one a core.
    pub threads: usize,
    /// Kernel set by name; by default the best this CPU can run.
    pub kernels: Option<String>,
    /// Precision of the activations.
    pub activations: Activations,
    /// Keep the logits of every token of a run, for comparing with other runtimes.
    pub all_logits: bool,
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
    /// Tokens the key-value cache has room for.
    pub context_tokens: usize,
    /// Length of the logits.
    pub vocab_size: usize,
    /// Decoder layers.
    pub layers: usize,
    /// Bytes of weights, mapped.
    pub weight_bytes: usize,
    /// Bytes of the key-value cache.
    pub kv_cache_bytes: usize,
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
    let need = MemoryNeed::of(&directory, context_tokens);
    need.check(&directory, MachineMemory::read())?;
    let kernels = choose_kernels(options.kernels.as_deref())?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = Threads::new(if options.threads == 0 {
        cores
    } else {
        options.threads
    });
    let thread_count = threads.count();
    let tokenizer = Arc::new(Tokenizer::from_file(&directory.tokenizer_path())?);
    let (model, plan) = TractModel::load(&directory, kernels, threads, context_tokens, options)?;
    let info = ModelInfo {
        name: directory.name.clone(),
        architecture: directory.architecture.clone(),
        context_tokens,
        vocab_size: model.vocab_size(),
        layers: directory.layers,
        weight_bytes: plan.weight_bytes,
        kv_cache_bytes: need.kv_cache_bytes,
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
