//! Edits an ONNX graph of the model builder into one that tract runs with thinkd's operators.
//!
//! The key-value inputs and outputs, the attention mask and the sequence-length nodes go: the attention
//! operator owns the cache. Constant inputs of thinkd's operators become references to windows of the mapped
//! file, so that the parser copies none of them. Anything that cannot be run is refused here, by name.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

use crate::model::directory::ModelDirectory;
use crate::model::initializers::{Initializers, ONNX_BFLOAT16, ONNX_FLOAT, ONNX_FLOAT16};
use crate::model::qdq;
use crate::model::weight_map::WeightFiles;
use crate::model::ModelError;
use crate::ops::{self, ElementType, Refusal, Weight};

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
    editor.keep_what_logits_need()?;
    if !all_logits {
        editor.project_last_row_only();
    }
    editor.check_operators(is_known_to_tract)?;
    let has_position_ids = editor.check_inputs()?;
    let (graph, weights) = editor.finish(has_position_ids)?;
    proto.graph = Some(graph);
    proto.functions.clear();
    Ok(EditedGraph { proto, weights, has_position_ids })
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
    editor.graph_inputs.insert(directory.io.position_ids.clone());
    editor.rewrite_nodes()?;
    let outputs = editor.nodes[0].output.clone();
    let (edited, weights) = editor.finish(false)?;
    let output = graph.output.into_iter().filter(|o| outputs.contains(&o.name)).collect();
    proto.graph = Some(GraphProto { input: graph.input, output, ..edited });
    Ok(EditedGraph { proto, weights, has_position_ids: false })
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
    fn new(
        graph: GraphProto,
        directory: &'a ModelDirectory,
        files: &'a mut WeightFiles,
    ) -> Self {
        let mut initializers = Initializers::new(&directory.graph_path, graph.initializer);
        let mut nodes = Vec::with_capacity(graph.node.len());
        for mut node in graph.node {
            let value = node.attribute.iter_mut().find(|a| a.name == "value");
            match value.and_then(|a| a.t.take()) {
                Some(tensor) if node.op_type == "Constant" && node.output.len() == 1 => {
                    initializers.insert(&node.output[0], tensor);
                }
                Some(tensor) => {
                    if let Some(a) = node.attribute.iter_mut().find(|a| a.name == "value") {
                        a.t = Some(tensor);
                    }
                    nodes.push(node);
                }
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
        let domain = if node.domain.is_empty() { "ai.onnx" } else { &node.domain };
        ModelError::Operator {
            path: self.directory.graph_path.clone(),
            operator: format!("{domain}.{}", node.op_type),
            node: node.name.clone(),
            reason,
        }
    }

    fn rewrite_nodes(&mut self) -> Result<(), ModelError> {
        let mut nodes = std::mem::take(&mut self.nodes);
        let dequantized: HashMap<String, NodeProto> = nodes
            .iter()
            .filter(|n| n.op_type == "DequantizeLinear" && n.output.len() == 1)
            .map(|n| (n.output[0].clone(), n.clone()))
            .collect();
        for node in &mut nodes {
            self.rewrite(node, &dequantized)?;
        }
        self.nodes = nodes;
        Ok(())
    }

    /// Replaces `node` where thinkd has an operator of its own for it.
    fn rewrite(
        &mut self,
        node: &mut NodeProto,
        dequantized: &HashMap<String, NodeProto>,
    ) -> Result<(), ModelError> {
        let contrib = node.domain == "com.microsoft";
        let operator = match node.op_type.as_str() {
            "MatMulNBits" if contrib => {
                self.move_constants(node, &[1, 2, 3, 5])?;
                ops::MAT_MUL_NBITS
            }
            "GatherBlockQuantized" if contrib => {
                self.tell_width(node)?;
                self.move_constants(node, &[0, 2, 3])?;
                ops::GATHER_BLOCK_QUANTIZED
            }
            "SkipSimplifiedLayerNormalization" if contrib => {
                self.move_constants(node, &[2, 3])?;
                ops::SIMPLIFIED_LAYER_NORM
            }
            "SimplifiedLayerNormalization" | "RMSNormalization" => {
                self.move_constants(node, &[1])?;
                ops::SIMPLIFIED_LAYER_NORM
            }
            "GroupQueryAttention" if contrib => {
                self.detach_cache(node);
                node.attribute.push(ops::size_attribute(ops::HEAD_DIM, self.directory.head_dim));
                self.move_constants(node, &[7, 8, 11])?;
                ops::GROUP_QUERY_ATTENTION
            }
            "RotaryEmbedding" if contrib => {
                self.clear_position_ids(node, 1);
                self.move_constants(node, &[2, 3])?;
                ops::ROTARY_EMBEDDING
            }
            "Gather" if self.is_float_table(node)? => {
                self.tell_width(node)?;
                self.move_constants(node, &[0])?;
                ops::EMBEDDING
            }
            "MatMul" => {
                let weight = node.input.get(1).and_then(|name| dequantized.get(name));
                let Some(weight) = weight else { return Ok(()) };
                if !weight.input.iter().all(|i| i.is_empty() || self.initializers.contains(i)) {
                    return Ok(());
                }
                self.matmul_of_dequantized(node, weight)?;
                ops::MAT_MUL_NBITS
            }
            _ => return Ok(()),
        };
        ops::check(operator, node).map_err(|refusal| self.refuse(node, refusal))?;
        node.op_type = operator.to_owned();
        node.domain = String::new();
        Ok(())
    }

    /// Index of constant `name` in the table of weights.
    fn weight(&mut self, name: &str) -> Result<usize, ModelError> {
        if let Some(&index) = self.weight_indices.get(name) {
            return Ok(index);
        }
        let weight = self.initializers.weight(name, self.files)?;
        self.weights.push(weight);
        self.weight_indices.insert(name.to_owned(), self.weights.len() - 1);
        Ok(self.weights.len() - 1)
    }

    fn move_constants(&mut self, node: &mut NodeProto, inputs: &[usize]) -> Result<(), ModelError> {
        for &input in inputs {
            let Some(name) = node.input.get(input).filter(|n| self.initializers.contains(n)) else {
                continue;
            };
            let index = self.weight(&name.clone())?;
            ops::move_input_to_weight(node, input, index);
        }
        Ok(())
    }

    /// Takes the key-value cache and the sequence lengths away from an attention node: it keeps its own.
    fn detach_cache(&self, node: &mut NodeProto) {
        for input in node.input.iter_mut().skip(3).take(4) {
            input.clear();
        }
        self.clear_position_ids(node, 9);
        node.output.truncate(1);
    }

    /// The graph's own positions count up from the cache's length; the operator knows that number.
    fn clear_position_ids(&self, node: &mut NodeProto, input: usize) {
        if let Some(name) = node.input.get_mut(input)
            && *name == self.directory.io.position_ids
            && self.graph_inputs.contains(name)
        {
            name.clear();
        }
    }

    /// Whether `node` looks up rows of a float table in the file (the token embedding).
    fn is_float_table(&mut self, node: &NodeProto) -> Result<bool, ModelError> {
        let Some(table) = node.input.first().filter(|n| self.initializers.contains(n)) else {
            return Ok(false);
        };
        let axis = node.attribute.iter().find(|a| a.name == "axis").map_or(0, |a| a.i);
        let weight = self.initializers.weight(&table.clone(), self.files)?;
        Ok(axis == 0 && weight.dims().len() == 2 && weight.element().is_float())
    }

    /// Tells a look-up how many floats a row of its table has; 4-bit tables may be stored as bytes.
    fn tell_width(&mut self, node: &mut NodeProto) -> Result<(), ModelError> {
        let Some(table) = node.input.first().filter(|n| self.initializers.contains(n)) else {
            return Ok(()); // refused by the operator's own check
        };
        let weight = self.initializers.weight(&table.clone(), self.files)?;
        let elements = weight.dims().get(1).copied().unwrap_or(0);
        let bits = node.attribute.iter().find(|a| a.name == "bits").map_or(4, |a| a.i);
        let per_element = if weight.element() == ElementType::U8 && bits == 4 { 2 } else { 1 };
        node.attribute.push(ops::size_attribute(ops::WIDTH, elements * per_element));
        Ok(())
    }

    /// Gives constants that the graph only reshapes their new shape.
    fn fold_reshapes(&mut self) -> Result<(), ModelError> {
        let mut nodes = std::mem::take(&mut self.nodes);
        let mut refused = None;
        nodes.retain(|node| {
            let [data, shape] = &*node.input else { return true };
            let foldable = node.op_type == "Reshape"
                && node.output.len() == 1
                && self.initializers.contains(data)
                && self.initializers.contains(shape);
            if foldable
                && let Err(error) =
                    self.initializers.reshape((data, shape), &node.output[0], self.files)
            {
                refused = Some(error);
            }
            !foldable
        });
        self.nodes = nodes;
        refused.map_or(Ok(()), Err)
    }

    fn matmul_of_dequantized(
        &mut self,
        node: &mut NodeProto,
        dequantize: &NodeProto,
    ) -> Result<(), ModelError> {
        let mut inputs = Vec::new();
        for name in &dequantize.input {
            let weight = (!name.is_empty())
                .then(|| self.initializers.weight(name, self.files))
                .transpose()?;
            inputs.push(weight);
        }
        let converted = qdq::to_mat_mul_nbits(dequantize, &inputs)
            .map_err(|refusal| self.refuse(dequantize, refusal))?;
        let mut weights = vec![(1, converted.quants), (2, converted.scales)];
        weights.extend(converted.zero_points.map(|z| (3, z)));
        node.attribute = converted.attributes;
        node.input.truncate(1);
        node.input.resize(4, String::new());
        for (input, weight) in weights {
            self.weights.push(weight);
            ops::move_input_to_weight(node, input, self.weights.len() - 1);
        }
        Ok(())
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
                open.extend(self.nodes[index].input.iter().filter(|i| !i.is_empty()).cloned());
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
                    let reason = format!("takes the graph's input {input}, which thinkd does not feed");
                    return Err(self.refuse(node, Refusal(reason)));
                }
            }
        }
        Ok(has_position_ids)
    }

    fn finish(
        mut self,
        has_position_ids: bool,
    ) -> Result<(GraphProto, Vec<Weight>), ModelError> {
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
            output: vec![ValueInfoProto { name: io.logits.clone(), ..Default::default() }],
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
    let dim = |value| Dimension { value: Some(value), ..Default::default() };
    let shape = TensorShapeProto {
        dim: vec![
            dim(dimension::Value::DimValue(1)),
            dim(dimension::Value::DimParam("sequence_length".into())),
        ],
    };
    let tensor = type_proto::Tensor { elem_type: 7, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..Default::default()
        }),
        ..Default::default()
    }
}
