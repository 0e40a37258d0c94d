//! A model directory's graph as a tract plan that keeps its key-value cache between runs.
//!
//! One plan, symbolic in the number of tokens, serves prefill and decode.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::model::TypedSimpleState;

use crate::kernels::{Kernels, Threads, read_bandwidth};
use crate::model::cores::{CallerSeat, Cores};
use crate::model::directory::ModelDirectory;
use crate::model::graph;
use crate::model::memory::{MachineMemory, MemoryNeed};
use crate::model::packed_weights::{self, PackFor, PackedOrigin, PackedWeights};
use crate::model::weight_map::{Memory, Tables, WeightFiles};
use crate::model::{
    LaneTurn, LanguageModel, LoadOptions, ModelError, check_copy, check_prefix, check_room,
};
use crate::ops::{
    self, Binding, ByteSource, KernelTime, MatrixKey, Refusal, Runtime, Segment, StoredMatrix,
    Turn, Weight,
};

/// A model that runs through tract.
#[derive(Debug)]
pub struct TractModel {
    state: TypedSimpleState,
    has_position_ids: bool,
    context_tokens: usize,
    vocab_size: usize,
    /// Tokens in the key-value cache of each lane; there is one at least.
    positions: Vec<usize>,
    runtime: Arc<Runtime>,
    /// Number of streams of a run.
    streams: Symbol,
    /// Output of the last run.
    logits: Option<TValue>,
    caller: CallerSeat,
    /// The model's own files, where all that is read of them is rows of tables.
    tables: Option<Tables>,
    /// Whether packed weights are in memory of their own.
    weights_in_memory: bool,
    /// What its keys and values depend on.
    prefix_key: Option<u64>,
}

/// What loading a plan found out.
#[derive(Debug, Clone)]
pub(crate) struct PlanInfo {
    /// Memory it takes.
    pub(crate) need: MemoryNeed,
    /// Where the packed weights came from.
    pub(crate) packed: PackedOrigin,
    /// Whether they are in memory of their own.
    pub(crate) weights_in_memory: bool,
    /// Bytes of weights that every step reads.
    pub(crate) step_weight_bytes: usize,
    /// Nodes of the optimized plan.
    pub(crate) nodes: usize,
}

impl TractModel {
    /// Builds the plan of `directory`.
    pub(crate) fn load(
        directory: &ModelDirectory,
        kernels: Kernels,
        threads: Threads,
        cores: Cores,
        context_tokens: usize,
        options: &LoadOptions,
    ) -> Result<(Self, PlanInfo), ModelError> {
        let in_file = |reason| in_graph_file(directory, reason);
        let mut files = WeightFiles::new(&directory.path);
        let Typed {
            mut graph,
            weights,
            has_position_ids,
        } = typed_graph(directory, &mut files, options)?;
        let runtime = Runtime {
            kernels,
            threads,
            activations: options.activations,
            kv_cache: options.kv_cache_precision(),
            context_tokens,
            lanes: 1,
            profile: Default::default(),
            scratch: Default::default(),
        };
        let (runtime, weighed) = weigh(&graph, &weights, runtime, directory, options)?;
        let lanes = runtime.lanes;
        let mut binding = Binding {
            weights: &weights,
            packed: HashMap::new(),
            runtime: Arc::clone(&runtime),
        };
        let in_node =
            |(node, Refusal(reason)): (String, Refusal)| in_file(format!("node {node}: {reason}"));
        let need = weighed.need;
        let packed = pack(&weighed, &runtime, directory, &files, options)?;
        let all_packed = packed.bytes == need.weight_bytes;
        binding.packed = packed.by_key;
        ops::bind(&mut graph, &binding).map_err(in_node)?;
        let step_weight_bytes = ops::weight_bytes(&graph, &binding).map_err(in_node)?;
        let plan = graph
            .into_optimized()
            .map_err(|e| in_file(format!("{e:#}")))?;
        let nodes = plan.nodes().len();
        let streams = plan.symbols.sym(ops::STREAMS);
        let vocab_size = vocab_size(&plan).unwrap_or(directory.vocab_size);
        let prefix_key = prefix_key(directory, &files, &runtime);
        // What binding has read is copied, or is read again when it is used.
        files.release();
        let state = plan
            .into_runnable()
            .and_then(|plan| plan.spawn())
            .map_err(|e| in_file(format!("{e:#}")))?;
        let model = Self {
            state,
            has_position_ids,
            context_tokens,
            vocab_size,
            positions: vec![0; lanes],
            runtime,
            streams,
            logits: None,
            caller: CallerSeat::new(cores),
            tables: all_packed.then(|| Tables::new(files)),
            weights_in_memory: packed.in_memory,
            prefix_key,
        };
        Ok((
            model,
            PlanInfo {
                need,
                packed: packed.origin,
                weights_in_memory: packed.in_memory,
                step_weight_bytes,
                nodes,
            },
        ))
    }

    /// As [`LanguageModel::forward`]; returns the logits of every token, `[tokens.len(), vocab_size]`, if the
    /// model was loaded with [`LoadOptions::all_logits`], else those of the last.
    ///
    /// # Errors
    /// As [`LanguageModel::forward`].
    pub fn forward_all(&mut self, tokens: &[u32]) -> Result<&[f32], ModelError> {
        self.forward_lanes(&[LaneTurn { lane: 0, tokens }])
    }

    /// Where the turns' tokens go, once it is sure that they can go there.
    fn segments(&self, turns: &[LaneTurn<'_>]) -> Result<Vec<Segment>, ModelError> {
        if turns.is_empty() {
            return Err(ModelError::Inference("no token to run".into()));
        }
        let mut segments: Vec<Segment> = Vec::with_capacity(turns.len());
        for LaneTurn { lane, tokens } in turns {
            if tokens.is_empty() {
                return Err(ModelError::Inference("no token to run".into()));
            }
            let free = segments.iter().all(|segment| segment.lane != *lane);
            let Some(&past_tokens) = self.positions.get(*lane).filter(|_| free) else {
                let reason = format!("lane {lane} of {}, or twice", self.positions.len());
                return Err(ModelError::Inference(reason));
            };
            let after = past_tokens + tokens.len();
            if after > self.context_tokens {
                return Err(ModelError::ContextFull {
                    tokens: after,
                    context_tokens: self.context_tokens,
                });
            }
            let vocab_size = self.vocab_size;
            if let Some(token) = tokens.iter().find(|&&t| t as usize >= vocab_size) {
                let reason = format!("token {token} is outside the vocabulary of {vocab_size}");
                return Err(ModelError::Inference(reason));
            }
            segments.push(Segment {
                lane: *lane,
                past_tokens,
                tokens: tokens.len(),
            });
        }
        Ok(segments)
    }

    /// Bytes a second that the model's threads together read from `bytes`: [`crate::kernels::read_bandwidth`].
    #[must_use]
    pub fn read_bandwidth(&self, bytes: &[u8]) -> f64 {
        read_bandwidth(&self.runtime.threads, bytes)
    }

    /// `length` bytes to measure that with, in pages like those of the weights.
    ///
    /// # Errors
    /// If there is not the memory.
    pub fn bytes_to_read(&self, length: usize) -> std::io::Result<Box<dyn ByteSource>> {
        if !self.weights_in_memory {
            return Ok(Box::new(vec![1; length]));
        }
        let mut memory = Memory::new(length)?;
        memory.as_mut_slice().fill(1);
        Ok(Box::new(memory.into_map()?))
    }

    /// Runs `work` and tells the time that kernels took meanwhile.
    ///
    /// # Errors
    /// As `work`.
    pub fn profiled<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, ModelError>,
    ) -> Result<(T, KernelTime), ModelError> {
        self.runtime.profile.start();
        let done = work(self);
        let counted = self.runtime.profile.stop();
        Ok((done?, counted))
    }

    fn run(&mut self, tokens: &[i64], segments: Vec<Segment>) -> TractResult<TVec<TValue>> {
        self.caller.take();
        let shape = [1, tokens.len()];
        let mut inputs = tvec![Tensor::from_shape(&shape, tokens)?.into_tvalue()];
        if self.has_position_ids {
            let mut positions = Vec::with_capacity(tokens.len());
            for segment in &segments {
                let first = i64::try_from(segment.past_tokens)?;
                positions.extend((first..).take(segment.tokens));
            }
            inputs.push(Tensor::from_shape(&shape, &positions)?.into_tvalue());
        }
        let streams = i64::try_from(segments.len())?;
        let turn_state = &mut self.state.turn_state;
        turn_state.resolved_symbols.set(&self.streams, streams);
        turn_state.shared.insert(Turn { segments });
        let result = self.state.run(inputs);
        if result.is_err() {
            // What a failed run leaves behind must not meet the next one.
            self.state.reset_turn()?;
        }
        result
    }
}

/// A graph that tract has typed, its operators without weights yet.
struct Typed {
    graph: TypedModel,
    weights: Vec<Weight>,
    has_position_ids: bool,
}

/// Reads the graph of `directory`, edits it, and has tract parse and type it.
fn typed_graph(
    directory: &ModelDirectory,
    files: &mut WeightFiles,
    options: &LoadOptions,
) -> Result<Typed, ModelError> {
    let in_file = |reason| in_graph_file(directory, reason);
    let mut framework = onnx().with_ignore_value_info(true);
    ops::register(&mut framework);
    let mut file = std::fs::File::open(&directory.graph_path)
        .map_err(|e| in_file(format!("cannot be read: {e}")))?;
    let proto = framework
        .proto_model_for_read(&mut file)
        .map_err(|e| in_file(format!("is not an ONNX graph, or is truncated: {e:#}")))?;
    let is_known = |name: &str| framework.op_register.0.contains_key(name);
    let edited = graph::edit(proto, directory, files, &is_known, options.all_logits)?;
    let parsed = framework
        .parse(&edited.proto, None)
        .map_err(|e| in_file(format!("{e:#}")))?;
    if !parsed.unresolved_inputs.is_empty() {
        let names = parsed.unresolved_inputs.join(", ");
        return Err(in_file(format!("nothing computes {names}")));
    }
    let mut graph = parsed
        .model
        .into_typed()
        .map_err(|e| in_file(format!("{e:#}")))?;
    if !options.separate_operators {
        ops::join_operators(&mut graph).map_err(|e| in_file(format!("{e:#}")))?;
    }
    Ok(Typed {
        graph,
        weights: edited.weights,
        has_position_ids: edited.has_position_ids,
    })
}

/// Length of the logits that `plan` computes, where it is known.
fn vocab_size(plan: &TypedModel) -> Option<usize> {
    let dim = plan.output_fact(0).ok()?.shape.last()?.to_i64().ok()?;
    usize::try_from(dim).ok()
}

/// The matrices that are to be packed, and what all of the model takes.
struct Weighed {
    matrices: Vec<(MatrixKey, StoredMatrix)>,
    need: MemoryNeed,
}

/// Finds what the weights take, chooses the lanes that fit beside them, and makes sure that this machine can hold both.
fn weigh(
    graph: &TypedModel,
    weights: &[Weight],
    runtime: Runtime,
    directory: &ModelDirectory,
    options: &LoadOptions,
) -> Result<(Arc<Runtime>, Weighed), ModelError> {
    let in_node = |(node, Refusal(reason)): (String, Refusal)| {
        in_graph_file(directory, format!("node {node}: {reason}"))
    };
    let mut runtime = Arc::new(runtime);
    let binding = Binding {
        weights,
        packed: HashMap::new(),
        runtime: Arc::clone(&runtime),
    };
    let matrices = ops::matrices(graph, &binding).map_err(in_node)?;
    let all_stored = ops::weight_bytes(graph, &binding).map_err(in_node)?;
    drop(binding);
    let layout = runtime.kernels.layout();
    let (stored, used) = packed_weights::bytes_stored_and_used(&matrices, layout);
    let weight_bytes = all_stored - stored + used;
    let token_bytes = MemoryNeed::kv_cache_bytes_per_token(directory, runtime.kv_cache);
    let lane_bytes = token_bytes.saturating_mul(runtime.context_tokens);
    let machine = MachineMemory::read();
    let lanes = options.lanes.beside(weight_bytes, lane_bytes, machine);
    let need = MemoryNeed {
        weight_bytes,
        kv_cache_bytes: lane_bytes.saturating_mul(lanes),
    };
    need.check(directory, machine)?;
    Arc::get_mut(&mut runtime)
        .expect("no operator has been bound yet")
        .lanes = lanes;
    Ok((runtime, Weighed { matrices, need }))
}

/// Packs the matrices, or finds them packed.
fn pack(
    weighed: &Weighed,
    runtime: &Runtime,
    directory: &ModelDirectory,
    files: &WeightFiles,
    options: &LoadOptions,
) -> Result<PackedWeights, ModelError> {
    let need = weighed.need;
    let cache = &options.packed_cache;
    let packing = PackFor {
        layout: runtime.kernels.layout(),
        threads: &runtime.threads,
        in_memory: cache
            .residence
            .takes_memory(need.weight_bytes, need.kv_cache_bytes),
    };
    packed_weights::load(&weighed.matrices, packing, directory, files, cache)
}

/// What keys and values depend on: the model, what computes them, and how they are kept. None where the files cannot be
/// read again.
fn prefix_key(directory: &ModelDirectory, files: &WeightFiles, runtime: &Runtime) -> Option<u64> {
    let (kernels, version) = (runtime.kernels.name(), env!("CARGO_PKG_VERSION"));
    let (activations, kv_cache) = (runtime.activations, runtime.kv_cache);
    let how = format!("{activations:?} {kv_cache:?}");
    packed_weights::model_key(directory, files, &[kernels, version, &how]).ok()
}

fn in_graph_file(directory: &ModelDirectory, reason: String) -> ModelError {
    ModelError::File {
        path: directory.graph_path.clone(),
        reason,
    }
}

impl LanguageModel for TractModel {
    fn context_tokens(&self) -> usize {
        self.context_tokens
    }

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn lanes(&self) -> usize {
        self.positions.len()
    }

    fn lane_position(&self, lane: usize) -> usize {
        self.positions[lane]
    }

    fn truncate_lane(&mut self, lane: usize, position: usize) {
        self.positions[lane] = self.positions[lane].min(position);
    }

    /// Of a model that was loaded with [`LoadOptions::all_logits`] the logits of every token.
    fn forward_lanes(&mut self, turns: &[LaneTurn<'_>]) -> Result<&[f32], ModelError> {
        let segments = self.segments(turns)?;
        let tokens: Vec<i64> = turns
            .iter()
            .flat_map(|turn| turn.tokens)
            .map(|&token| i64::from(token))
            .collect();
        let mut outputs = self
            .run(&tokens, segments.clone())
            .map_err(|e| ModelError::Inference(format!("{e:#}")))?;
        if let Some(tables) = &mut self.tables {
            tables.rows_read(tokens.len());
        }
        for segment in segments {
            self.positions[segment.lane] = segment.past_tokens + segment.tokens;
        }
        let logits = self.logits.insert(outputs.swap_remove(0));
        logits
            .try_as_plain_ram()
            .and_then(|plain| plain.as_slice::<f32>())
            .map_err(|e| ModelError::Inference(format!("{e:#}")))
    }

    fn copy_prefix(&mut self, from: usize, to: usize, tokens: usize) -> Result<(), ModelError> {
        check_copy(self, (from, to), tokens)?;
        ops::copy_prefix(&mut self.state, (from, to), tokens);
        self.positions[to] = tokens;
        Ok(())
    }

    fn prefix_key(&self) -> Option<u64> {
        self.prefix_key
    }

    fn prefix(&self, lane: usize, tokens: usize) -> Result<Vec<u8>, ModelError> {
        check_prefix(self, lane, tokens)?;
        Ok(ops::take_prefix(&self.state, lane, tokens))
    }

    fn put_prefix(&mut self, lane: usize, tokens: usize, bytes: &[u8]) -> Result<(), ModelError> {
        check_room(self, lane, tokens)?;
        self.positions[lane] = 0;
        if !ops::put_prefix(&mut self.state, lane, tokens, bytes) {
            let reason = format!("{} bytes are not {tokens} tokens", bytes.len());
            return Err(ModelError::Inference(reason));
        }
        self.positions[lane] = tokens;
        Ok(())
    }

    fn forward(&mut self, tokens: &[u32]) -> Result<&[f32], ModelError> {
        let vocab_size = self.vocab_size;
        let logits = self.forward_all(tokens)?;
        Ok(&logits[logits.len() - vocab_size..])
    }
}
