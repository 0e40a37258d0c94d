//! A model directory's graph as a tract plan that keeps its key-value cache between runs.
//!
//! One plan, symbolic in the number of tokens, serves prefill and decode.

use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::model::TypedSimpleState;

use crate::kernels::{Kernels, Threads};
use crate::model::directory::ModelDirectory;
use crate::model::graph;
use crate::model::weight_map::WeightFiles;
use crate::model::{LanguageModel, LoadOptions, ModelError};
use crate::ops::{self, Binding, Refusal, Runtime, Turn, Weight};

/// A model that runs through tract.
#[derive(Debug)]
pub struct TractModel {
    state: TypedSimpleState,
    has_position_ids: bool,
    context_tokens: usize,
    vocab_size: usize,
    position: usize,
    logits: Vec<f32>,
}

/// What loading a plan found out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanInfo {
    /// Bytes of the mapped data files.
    pub(crate) weight_bytes: usize,
    /// Nodes of the optimized plan.
    pub(crate) nodes: usize,
}

impl TractModel {
    /// Builds the plan of `directory`.
    pub(crate) fn load(
        directory: &ModelDirectory,
        kernels: Kernels,
        threads: Threads,
        context_tokens: usize,
        options: &LoadOptions,
    ) -> Result<(Self, PlanInfo), ModelError> {
        let in_file = |reason| in_graph_file(directory, reason);
        let mut files = WeightFiles::new(&directory.path);
        let Typed {
            mut graph,
            weights,
            has_position_ids,
        } = typed_graph(directory, &mut files, options.all_logits)?;
        let runtime = Runtime {
            kernels,
            threads,
            activations: options.activations,
            context_tokens,
        };
        let binding = Binding {
            weights: &weights,
            runtime: Arc::new(runtime),
        };
        ops::bind(&mut graph, &binding)
            .map_err(|(node, Refusal(reason))| in_file(format!("node {node}: {reason}")))?;
        let plan = graph
            .into_optimized()
            .map_err(|e| in_file(format!("{e:#}")))?;
        let nodes = plan.nodes().len();
        let vocab_size = plan
            .output_fact(0)
            .ok()
            .and_then(|fact| fact.shape.last().and_then(|dim| dim.to_i64().ok()))
            .and_then(|dim| usize::try_from(dim).ok())
            .unwrap_or(directory.vocab_size);
        let state = plan
            .into_runnable()
            .and_then(|plan| plan.spawn())
            .map_err(|e| in_file(format!("{e:#}")))?;
        let model = Self {
            state,
            has_position_ids,
            context_tokens,
            vocab_size,
            position: 0,
            logits: Vec::new(),
        };
        Ok((
            model,
            PlanInfo {
                weight_bytes: files.bytes(),
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
        if tokens.is_empty() {
            return Err(ModelError::Inference("no token to run".into()));
        }
        let after = self.position + tokens.len();
        if after > self.context_tokens {
            let context_tokens = self.context_tokens;
            return Err(ModelError::ContextFull {
                tokens: after,
                context_tokens,
            });
        }
        if let Some(token) = tokens.iter().find(|&&t| t as usize >= self.vocab_size) {
            let vocab_size = self.vocab_size;
            let reason = format!("token {token} is outside the vocabulary of {vocab_size}");
            return Err(ModelError::Inference(reason));
        }
        let outputs = self
            .run(tokens)
            .map_err(|e| ModelError::Inference(format!("{e:#}")))?;
        self.position = after;
        let logits = outputs[0]
            .try_as_plain_ram()
            .and_then(|plain| plain.as_slice::<f32>())
            .map_err(|e| ModelError::Inference(format!("{e:#}")))?;
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        Ok(&self.logits)
    }

    fn run(&mut self, tokens: &[u32]) -> TractResult<TVec<TValue>> {
        let ids: Vec<i64> = tokens.iter().map(|&t| i64::from(t)).collect();
        let shape = [1, tokens.len()];
        let mut inputs = tvec![Tensor::from_shape(&shape, &ids)?.into_tvalue()];
        if self.has_position_ids {
            let first = i64::try_from(self.position)?;
            let positions: Vec<i64> = (first..).take(tokens.len()).collect();
            inputs.push(Tensor::from_shape(&shape, &positions)?.into_tvalue());
        }
        self.state.turn_state.shared.insert(Turn {
            past_tokens: self.position,
        });
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
    all_logits: bool,
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
    let edited = graph::edit(proto, directory, files, &is_known, all_logits)?;
    let parsed = framework
        .parse(&edited.proto, None)
        .map_err(|e| in_file(format!("{e:#}")))?;
    if !parsed.unresolved_inputs.is_empty() {
        let names = parsed.unresolved_inputs.join(", ");
        return Err(in_file(format!("nothing computes {names}")));
    }
    let graph = parsed
        .model
        .into_typed()
        .map_err(|e| in_file(format!("{e:#}")))?;
    Ok(Typed {
        graph,
        weights: edited.weights,
        has_position_ids: edited.has_position_ids,
    })
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

    fn position(&self) -> usize {
        self.position
    }

    fn truncate(&mut self, position: usize) {
        self.position = self.position.min(position);
    }

    fn forward(&mut self, tokens: &[u32]) -> Result<&[f32], ModelError> {
        let vocab_size = self.vocab_size;
        let logits = self.forward_all(tokens)?;
        Ok(&logits[logits.len() - vocab_size..])
    }
}
