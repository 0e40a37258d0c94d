//! Edits an ONNX graph of the model builder into one that tract runs with thinkd's operators.
//!
//! The key-value inputs and outputs, the attention mask and the sequence-length nodes go: the attention
//! operator owns the cache. Constant inputs of thinkd's operators become references to windows of the mapped
//! file, so that the parser copies none of them. Anything that cannot be run is refused here, by name.

mod rewrite;

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

use crate::model::ModelError;
use crate::model::directory::ModelDirectory;
use crate::model::initializers::{Initializers, ONNX_BFLOAT16, ONNX_FLOAT, ONNX_FLOAT16};
use crate::model::weight_map::WeightFiles;
use crate::ops::{self, Refusal, Weight};

/// A graph ready for tract's parser.
#[derive(Debug)]
pub(crate) struct EditedGraph {
    /// The graph; its inputs are `input_ids` and, where `has_position_ids`, the position of each.
    pub(crate) proto: ModelProto,
    /// The constant tensors thinkd's operators refer to by index.
    pub(crate) weights: Vec<Weight>,
    /// Whether the graph has a second input with each token's position.
    pub(crate) has_position_ids: bool,
}

/// Operators that tract has but that would compute something else than the model's maker meant here.
const REFUSED: &[&str] = &[
    "MultiHeadAttention",
    "DecoderMaskedMultiHeadAttention",
    "Attention",
    "PagedAttention",
    "If",
    "Loop",
    "Scan",
    "MoE",
    "QMoE",
];

/// Edits the graph of `directory`. `all_logits` keeps the logits of every token, not only the last.
pub(crate) fn edit(
    mut proto: ModelProto,
    directory: &ModelDirectory,
    files: &mut WeightFiles,
    is_known_to_tract: &dyn Fn(&str) -> bool,
    all_logits: bool,
) -> Result<EditedGraph, ModelError> {
    let graph = proto.graph.take().ok_or_else(|| ModelError::File {
        path: directory.graph_path.clone(),
        reason: "holds no graph".into(),
    })?;
    let mut editor = Editor::new(graph, directory, files);
    editor.fold_reshapes()?;
    editor.rewrite_nodes()?;
    editor.fold_biases()?;
    editor.keep_what_logits_need()?;
    if !all_logits {
        editor.project_last_row_only();
    }
    editor.check_operators(is_known_to_tract)?;
    let has_position_ids = editor.check_inputs()?;
    let (graph, weights) = editor.finish(has_position_ids)?;
    proto.graph = Some(graph);
    proto.functions.clear();
    Ok(EditedGraph {
        proto,
        weights,
        has_position_ids,
    })
}

/// Edits a graph of one operator, whose inputs are its own.
#[cfg(test)]
pub(crate) fn edit_operator(
    mut proto: ModelProto,
    directory: &ModelDirectory,
    files: &mut WeightFiles,
) -> Result<EditedGraph, ModelError> {
    let graph = proto.graph.take().expect("a graph");
    let mut editor = Editor::new(graph.clone(), directory, files);
    // What the model's graph computes for it comes from the run's `Turn`.
    editor
        .graph_inputs
        .insert(directory.io.position_ids.clone());
    editor.rewrite_nodes()?;
    let outputs = editor.nodes[0].output.clone();
    let (edited, weights) = editor.finish(false)?;
    let output = graph
        .output
        .into_iter()
        .filter(|o| outputs.contains(&o.name))
        .collect();
    proto.graph = Some(GraphProto {
        input: graph.input,
        output,
        ..edited
    });
    Ok(EditedGraph {
        proto,
        weights,
        has_position_ids: false,
    })
}

struct Editor<'a> {
    directory: &'a ModelDirectory,
    files: &'a mut WeightFiles,
    initializers: Initializers,
    graph_inputs: HashSet<String>,
    nodes: Vec<NodeProto>,
    weights: Vec<Weight>,
    weight_indices: HashMap<String, usize>,
}

impl<'a> Editor<'a> {
    fn new(graph: GraphProto, directory: &'a ModelDirectory, files: &'a mut WeightFiles) -> Self {
        let mut initializers = Initializers::new(&directory.graph_path, graph.initializer);
        let mut nodes = Vec::with_capacity(graph.node.len());
        for mut node in graph.node {
            let is_constant = node.op_type == "Constant" && node.output.len() == 1;
            let value = node.attribute.iter_mut().find(|a| a.name == "value");
            match value.filter(|_| is_constant).and_then(|a| a.t.take()) {
                Some(tensor) => initializers.insert(&node.output[0], tensor),
                None => nodes.push(node),
            }
        }
        let graph_inputs = graph
            .input
            .into_iter()
            .map(|i| i.name)
            .filter(|name| !initializers.contains(name))
            .collect();
        Self {
            directory,
            files,
            initializers,
            graph_inputs,
            nodes,
            weights: Vec::new(),
            weight_indices: HashMap::new(),
        }
    }

    fn refuse(&self, node: &NodeProto, Refusal(reason): Refusal) -> ModelError {
        let domain = if node.domain.is_empty() {
            "ai.onnx"
        } else {
            &node.domain
        };
        ModelError::Operator {
            path: self.directory.graph_path.clone(),
            operator: format!("{domain}.{}", node.op_type),
            node: node.name.clone(),
            reason,
        }
    }

    /// Drops every node that the logits do not depend on.
    fn keep_what_logits_need(&mut self) -> Result<(), ModelError> {
        let logits = &self.directory.io.logits;
        let mut producers = HashMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            for output in node.output.iter().filter(|o| !o.is_empty()) {
                producers.insert(output.clone(), index);
            }
        }
        if !producers.contains_key(logits) {
            return Err(ModelError::File {
                path: self.directory.graph_path.clone(),
                reason: format!("no node computes the output {logits}"),
            });
        }
        let mut needed = HashSet::new();
        let mut open = vec![logits.clone()];
        while let Some(name) = open.pop() {
            if let Some(&index) = producers.get(&name)
                && needed.insert(index)
            {
                open.extend(
                    self.nodes[index]
                        .input
                        .iter()
                        .filter(|i| !i.is_empty())
                        .cloned(),
                );
            }
        }
        let mut index = 0;
        self.nodes.retain(|_| {
            index += 1;
            needed.contains(&(index - 1))
        });
        Ok(())
    }

    /// Puts a node that keeps the last token's row in front of the output layer.
    ///
    /// The walk from the logits passes nodes that treat every element alone (a soft cap, a scale, a cast).
    /// A graph built otherwise is left as it is: it computes more rows than are looked at.
    fn project_last_row_only(&mut self) {
        let mut name = self.directory.io.logits.clone();
        loop {
            let Some(index) = self.nodes.iter().position(|n| n.output.contains(&name)) else {
                return;
            };
            let node = &self.nodes[index];
            match node.op_type.as_str() {
                ops::MAT_MUL_NBITS | "MatMul" => {
                    let last = format!("{}/thinkd/LastRow", node.name);
                    let all = std::mem::replace(&mut self.nodes[index].input[0], last.clone());
                    self.nodes.insert(
                        index,
                        NodeProto {
                            input: vec![all],
                            output: vec![last.clone()],
                            name: last,
                            op_type: ops::LAST_ROW.to_owned(),
                            ..Default::default()
                        },
                    );
                    return;
                }
                "Cast" | "Mul" | "Div" | "Tanh" | "Add" | "Sub" | "Identity" => {
                    let data = node.input.iter().find(|i| !self.initializers.contains(i));
                    let Some(data) = data.cloned() else { return };
                    name = data;
                }
                _ => return,
            }
        }
    }

    fn check_operators(&self, is_known_to_tract: &dyn Fn(&str) -> bool) -> Result<(), ModelError> {
        for node in &self.nodes {
            let name = node.op_type.as_str();
            let known = ops::is_registered(name)
                || (matches!(node.domain.as_str(), "" | "ai.onnx" | "com.microsoft")
                    && !REFUSED.contains(&name)
                    && is_known_to_tract(name));
            if !known {
                return Err(self.refuse(node, Refusal("is not supported".into())));
            }
        }
        Ok(())
    }

    /// Whether the positions are still asked for; refuses any other input that is.
    fn check_inputs(&self) -> Result<bool, ModelError> {
        let io = &self.directory.io;
        let mut has_position_ids = false;
        for node in &self.nodes {
            for input in node.input.iter().filter(|i| self.graph_inputs.contains(*i)) {
                if *input == io.position_ids {
                    has_position_ids = true;
                } else if *input != io.input_ids {
                    let reason =
                        format!("takes the graph's input {input}, which thinkd does not feed");
                    return Err(self.refuse(node, Refusal(reason)));
                }
            }
        }
        Ok(has_position_ids)
    }

    fn finish(mut self, has_position_ids: bool) -> Result<(GraphProto, Vec<Weight>), ModelError> {
        let mut constants = Vec::new();
        let mut seen = HashSet::new();
        for node in &mut self.nodes {
            floats_are_f32(node);
            for input in &node.input {
                if self.initializers.contains(input) && seen.insert(input.clone()) {
                    constants.push(self.initializers.inline(input, self.files)?);
                }
            }
        }
        let io = &self.directory.io;
        let mut input = vec![token_input(&io.input_ids)];
        if has_position_ids {
            input.push(token_input(&io.position_ids));
        }
        let graph = GraphProto {
            node: self.nodes,
            name: "thinkd".into(),
            initializer: constants,
            input,
            output: vec![ValueInfoProto {
                name: io.logits.clone(),
                ..Default::default()
            }],
            ..Default::default()
        };
        Ok((graph, self.weights))
    }
}

/// Everything between the operators is f32: casts to narrower floats become casts to f32.
fn floats_are_f32(node: &mut NodeProto) {
    if node.op_type == "Cast"
        && let Some(to) = node.attribute.iter_mut().find(|a| a.name == "to")
        && [i64::from(ONNX_FLOAT16), i64::from(ONNX_BFLOAT16)].contains(&to.i)
    {
        to.i = i64::from(ONNX_FLOAT);
    }
}

/// An i64 input of shape `[1, sequence_length]`.
fn token_input(name: &str) -> ValueInfoProto {
    let dim = |value| Dimension {
        value: Some(value),
        ..Default::default()
    };
    let shape = TensorShapeProto {
        dim: vec![
            dim(dimension::Value::DimValue(1)),
            dim(dimension::Value::DimParam("sequence_length".into())),
        ],
    };
    let tensor = type_proto::Tensor {
        elem_type: 7,
        shape: Some(shape),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..Default::default()
        }),
        ..Default::default()
    }
}
