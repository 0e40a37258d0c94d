//! Reads a node's attributes, and refuses those that are not known.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};

use super::Refusal;

/// Prefix of the attributes that stand for constant inputs moved out of the graph; their value is an index
/// into the table of [`Weight`](super::Weight)s. The rest of the name is the input's number.
const WEIGHT_PREFIX: &str = "thinkd_input_";

/// Attribute that the graph's editor adds to a look-up: floats in a row of the table.
pub const WIDTH: &str = "width";

/// Which input of a product is its bias.
const BIAS_INPUT: usize = 5;

/// One node's attributes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes<'a>(pub(crate) &'a NodeProto);

impl Attributes<'_> {
    fn find(&self, name: &str) -> Option<&AttributeProto> {
        self.0.attribute.iter().find(|a| a.name == name)
    }

    /// Integer attribute `name`, or `default` where it is absent.
    pub(crate) fn int_or(&self, name: &str, default: i64) -> Result<i64, Refusal> {
        match self.find(name) {
            None => Ok(default),
            Some(a) if a.r#type == AttributeType::Int as i32 => Ok(a.i),
            Some(_) => Err(Refusal(format!("attribute {name} is not an integer"))),
        }
    }

    /// Float attribute `name`, or `default` where it is absent.
    pub(crate) fn float_or(&self, name: &str, default: f32) -> Result<f32, Refusal> {
        match self.find(name) {
            None => Ok(default),
            Some(a) if a.r#type == AttributeType::Float as i32 => Ok(a.f),
            Some(_) => Err(Refusal(format!("attribute {name} is not a float"))),
        }
    }

    /// Size attribute `name`, at least 1.
    pub(crate) fn size(&self, name: &str) -> Result<usize, Refusal> {
        let found = self.int_or(name, 0)?;
        usize::try_from(found)
            .ok()
            .filter(|&size| size > 0)
            .ok_or_else(|| Refusal::value(name, found, "a size of at least 1"))
    }

    /// Boolean attribute `name` (0 or 1), or `default` where it is absent.
    pub(crate) fn flag_or(&self, name: &str, default: bool) -> Result<bool, Refusal> {
        match self.int_or(name, i64::from(default))? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(Refusal::value(name, found, "0 and 1")),
        }
    }

    /// Refuses integer attribute `name` unless it is absent or one of `allowed`.
    pub(crate) fn expect_int(&self, name: &str, allowed: &[i64]) -> Result<(), Refusal> {
        let Some(&default) = allowed.first() else {
            return Ok(());
        };
        let found = self.int_or(name, default)?;
        if allowed.contains(&found) {
            return Ok(());
        }
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        Err(Refusal::value(name, found, allowed.join(" and ")))
    }

    /// Refuses string attribute `name` unless it is absent or `allowed`.
    pub(crate) fn expect_text(&self, name: &str, allowed: &str) -> Result<(), Refusal> {
        match self.find(name) {
            Some(a) if a.s != allowed.as_bytes() => {
                Err(Refusal::value(name, String::from_utf8_lossy(&a.s), allowed))
            }
            _ => Ok(()),
        }
    }

    /// Refuses attributes that are not in `known`: an unknown one may change the result.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        let unknown = self
            .0
            .attribute
            .iter()
            .find(|a| !known.contains(&a.name.as_str()) && !a.name.starts_with(WEIGHT_PREFIX));
        match unknown {
            Some(a) => Err(Refusal(format!("attribute {} is not known", a.name))),
            None => Ok(()),
        }
    }

    /// Floats in a row of the table, which the graph's editor read off the constant tensor.
    pub(crate) fn width(&self) -> Result<usize, Refusal> {
        self.size(WIDTH)
    }

    /// Index of the weight that stands for constant input `input`.
    pub(crate) fn weight(&self, input: usize) -> Option<usize> {
        let a = self.find(&format!("{WEIGHT_PREFIX}{input}"))?;
        usize::try_from(a.i).ok()
    }

    /// Index of the weight that stands for constant input `input`, called `name` in messages.
    pub(crate) fn weight_required(&self, input: usize, name: &str) -> Result<usize, Refusal> {
        self.weight(input)
            .ok_or_else(|| Refusal(format!("input {name} is not a constant tensor")))
    }

    /// Whether input `input` is wired (named, and not moved out of the graph).
    pub(crate) fn is_wired(&self, input: usize) -> bool {
        self.0.input.get(input).is_some_and(|name| !name.is_empty())
    }
}

/// Replaces constant input `input` of `node` by an attribute naming the weight.
pub fn move_input_to_weight(node: &mut NodeProto, input: usize, weight: usize) {
    node.input[input].clear();
    node.attribute
        .push(size_attribute(&format!("{WEIGHT_PREFIX}{input}"), weight));
}

/// Columns of the product that `node` computes.
pub fn width_of_product(node: &NodeProto) -> Option<usize> {
    Attributes(node).size("N").ok()
}

/// Gives the product `node` a bias; whether it had none before.
pub fn add_bias(node: &mut NodeProto, weight: usize) -> bool {
    if Attributes(node).weight(BIAS_INPUT).is_some() {
        return false;
    }
    node.input.resize(BIAS_INPUT + 1, String::new());
    move_input_to_weight(node, BIAS_INPUT, weight);
    true
}

/// An integer attribute; a size beyond 63 bits, which no tensor has, becomes the largest there is.
pub fn size_attribute(name: &str, size: usize) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i: i64::try_from(size).unwrap_or(i64::MAX),
        ..Default::default()
    }
}
