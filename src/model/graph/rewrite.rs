//! Which nodes become which of thinkd's operators, and what is taken off them.
//!
//! Constant inputs become indices into the table of weights; the key-value cache, the sequence lengths and the
//! positions go, because the operators know them.

use std::collections::HashMap;

use tract_onnx::pb::NodeProto;

use super::Editor;
use crate::model::ModelError;
use crate::model::qdq;
use crate::ops::{self, ElementType};

impl Editor<'_> {
    /// Gives constants that the graph only reshapes their new shape.
    pub(super) fn fold_reshapes(&mut self) -> Result<(), ModelError> {
        let mut nodes = std::mem::take(&mut self.nodes);
        let mut refused = None;
        nodes.retain(|node| {
            let [data, shape] = &*node.input else {
                return true;
            };
            let foldable = node.op_type == "Reshape"
                && node.output.len() == 1
                && self.initializers.contains(data)
                && self.initializers.contains(shape);
            if foldable
                && let Err(error) =
                    self.initializers
                        .reshape((data, shape), &node.output[0], self.files)
            {
                refused = Some(error);
            }
            !foldable
        });
        self.nodes = nodes;
        refused.map_or(Ok(()), Err)
    }

    pub(super) fn rewrite_nodes(&mut self) -> Result<(), ModelError> {
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

    /// Gives products the constant vectors that are added to them, as their bias.
    pub(super) fn fold_biases(&mut self) -> Result<(), ModelError> {
        let mut uses: HashMap<String, usize> = HashMap::new();
        for input in self.nodes.iter().flat_map(|node| &node.input) {
            *uses.entry(input.clone()).or_default() += 1;
        }
        let mut nodes = std::mem::take(&mut self.nodes);
        let mut products: HashMap<String, usize> = HashMap::new();
        let mut folded = vec![false; nodes.len()];
        for index in 0..nodes.len() {
            if nodes[index].op_type == ops::MAT_MUL_NBITS {
                products.insert(nodes[index].output[0].clone(), index);
            }
            let Some((product, bias)) = self.added_bias(&nodes[index], &products, &uses) else {
                continue;
            };
            let weight = self.weight(&bias)?;
            let fits = ops::width_of_product(&nodes[product])
                .is_some_and(|n| self.weights[weight].dims() == [n]);
            if fits && ops::add_bias(&mut nodes[product], weight) {
                products.retain(|_, index| *index != product);
                nodes[product].output = nodes[index].output.clone();
                folded[index] = true;
            }
        }
        let mut index = 0;
        nodes.retain(|_| {
            index += 1;
            !folded[index - 1]
        });
        self.nodes = nodes;
        Ok(())
    }

    /// If `node` adds a constant to what a product alone gives it: the product's index and the constant's name.
    fn added_bias(
        &self,
        node: &NodeProto,
        products: &HashMap<String, usize>,
        uses: &HashMap<String, usize>,
    ) -> Option<(usize, String)> {
        let [a, b] = &*node.input else {
            return None;
        };
        let (sum, bias) = if self.initializers.contains(b) {
            (a, b)
        } else {
            (b, a)
        };
        let is_sum = node.op_type == "Add" && self.initializers.contains(bias);
        let only_use = uses.get(sum) == Some(&1);
        let product = products.get(sum).filter(|_| is_sum && only_use)?;
        Some((*product, bias.clone()))
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
                node.attribute
                    .push(ops::size_attribute(ops::HEAD_DIM, self.directory.head_dim));
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
                if !weight
                    .input
                    .iter()
                    .all(|i| i.is_empty() || self.initializers.contains(i))
                {
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
        self.weight_indices
            .insert(name.to_owned(), self.weights.len() - 1);
        Ok(self.weights.len() - 1)
    }

    fn move_constants(&mut self, node: &mut NodeProto, inputs: &[usize]) -> Result<(), ModelError> {
        for &input in inputs {
            let Some(name) = node
                .input
                .get(input)
                .filter(|n| self.initializers.contains(n))
            else {
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
        let axis = node
            .attribute
            .iter()
            .find(|a| a.name == "axis")
            .map_or(0, |a| a.i);
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
        let bits = node
            .attribute
            .iter()
            .find(|a| a.name == "bits")
            .map_or(4, |a| a.i);
        let per_element = if weight.element() == ElementType::U8 && bits == 4 {
            2
        } else {
            1
        };
        node.attribute
            .push(ops::size_attribute(ops::WIDTH, elements * per_element));
        Ok(())
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
}
