//! Constant tensors of an ONNX graph: where their bytes are, and what they are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tract_onnx::pb::TensorProto;

use crate::model::ModelError;
use crate::model::weight_map::WeightFiles;
use crate::ops::{ElementType, Refusal, Weight};

/// ONNX's number for f32.
pub(crate) const ONNX_FLOAT: i32 = 1;
/// ONNX's number for f16.
pub(crate) const ONNX_FLOAT16: i32 = 10;
/// ONNX's number for bf16.
pub(crate) const ONNX_BFLOAT16: i32 = 16;

/// The constant tensors of one graph, by name.
#[derive(Debug)]
pub(crate) struct Initializers {
    graph_path: PathBuf,
    tensors: HashMap<String, TensorProto>,
    weights: HashMap<String, Weight>,
}

impl Initializers {
    /// The tensors of the graph in `graph_path`.
    pub(crate) fn new(graph_path: &Path, tensors: Vec<TensorProto>) -> Self {
        let tensors = tensors.into_iter().map(|t| (t.name.clone(), t)).collect();
        Self {
            graph_path: graph_path.to_owned(),
            tensors,
            weights: HashMap::new(),
        }
    }

    /// Whether `name` is a constant tensor.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name) || self.weights.contains_key(name)
    }

    /// Adds the value of a Constant node.
    pub(crate) fn insert(&mut self, name: &str, tensor: TensorProto) {
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// The tensor `name`, its bytes where they are.
    pub(crate) fn weight(
        &mut self,
        name: &str,
        files: &mut WeightFiles,
    ) -> Result<Weight, ModelError> {
        if let Some(weight) = self.weights.get(name) {
            return Ok(weight.clone());
        }
        let Some(tensor) = self.tensors.remove(name) else {
            return Err(self.refuse(name, "is not a constant of the graph"));
        };
        let weight = if is_external(&tensor) {
            self.external(&tensor, files)?
        } else {
            let (element, dims) =
                type_and_shape(&tensor).map_err(|Refusal(reason)| self.refuse(name, &reason))?;
            let bytes = inline_bytes(tensor, element);
            Weight::owned(bytes, element, dims)
                .map_err(|Refusal(reason)| self.refuse(name, &reason))?
        };
        self.weights.insert(name.to_owned(), weight.clone());
        Ok(weight)
    }

    /// Adds constant `name`: the bytes of `data` under the shape that constant `shape` holds.
    pub(crate) fn reshape(
        &mut self,
        (data, shape): (&str, &str),
        name: &str,
        files: &mut WeightFiles,
    ) -> Result<(), ModelError> {
        let weight = self.weight(data, files)?;
        let shape = self.weight(shape, files)?;
        let mut dims = Vec::new();
        for (axis, bytes) in shape.bytes().chunks_exact(8).enumerate() {
            let bytes = bytes.try_into().expect("chunks of 8");
            dims.push(match i64::from_le_bytes(bytes) {
                0 => weight.dims().get(axis).copied().unwrap_or(0),
                -1 => usize::MAX,
                dim => usize::try_from(dim).unwrap_or(0),
            });
        }
        let known: usize = dims.iter().filter(|&&d| d != usize::MAX).product();
        for dim in dims.iter_mut().filter(|d| **d == usize::MAX) {
            *dim = weight.elements().checked_div(known).unwrap_or(0);
        }
        let reshaped = weight
            .reshaped(weight.element(), dims)
            .map_err(|Refusal(reason)| self.refuse(name, &reason))?;
        self.weights.insert(name.to_owned(), reshaped);
        Ok(())
    }

    fn external(
        &self,
        tensor: &TensorProto,
        files: &mut WeightFiles,
    ) -> Result<Weight, ModelError> {
        let entry = |key: &str| {
            tensor
                .external_data
                .iter()
                .find(|e| e.key == key)
                .map(|e| e.value.as_str())
        };
        let location = entry("location")
            .ok_or_else(|| self.refuse(&tensor.name, "has external data without a location"))?;
        let in_file = |reason: String| ModelError::File {
            path: files.path(location),
            reason: format!("tensor {}: {reason}", tensor.name),
        };
        let (element, dims) = type_and_shape(tensor).map_err(|Refusal(reason)| in_file(reason))?;
        let number = |key: &str| -> Result<Option<usize>, ModelError> {
            entry(key)
                .map(|text| {
                    text.parse()
                        .map_err(|_| in_file(format!("{key} {text:?} is not a number")))
                })
                .transpose()
        };
        let offset = number("offset")?.unwrap_or(0);
        let elements = dims
            .iter()
            .try_fold(1usize, |p, &d| p.checked_mul(d))
            .unwrap_or(usize::MAX);
        let expected = element.bytes_for(elements.min(usize::MAX / 8));
        let length = number("length")?.unwrap_or(expected);
        let path = files.path(location);
        let source = files.open(location)?;
        let in_file = |reason: String| ModelError::File {
            path: path.clone(),
            reason: format!("tensor {}: {reason}", tensor.name),
        };
        let found = source.bytes().len();
        match offset.checked_add(length) {
            Some(end) if end <= found => Weight::new(source, offset..end, element, dims)
                .map_err(|Refusal(reason)| in_file(reason)),
            _ => Err(in_file(format!(
                "the file is truncated: it has {found} bytes, the tensor needs {length} from byte {offset}"
            ))),
        }
    }

    /// The tensor `name` with its bytes inside, floats as f32: what tract's own operators take.
    pub(crate) fn inline(
        &mut self,
        name: &str,
        files: &mut WeightFiles,
    ) -> Result<TensorProto, ModelError> {
        let weight = self.weight(name, files)?;
        let dims = weight
            .dims()
            .iter()
            .map(|&d| i64::try_from(d).expect("it came from an i64"))
            .collect();
        let (data_type, raw_data) = if weight.element().is_float() {
            let floats = weight
                .to_f32()
                .map_err(|Refusal(reason)| self.refuse(name, &reason))?;
            (
                ONNX_FLOAT,
                floats.iter().flat_map(|f| f.to_le_bytes()).collect(),
            )
        } else {
            let data_type = match weight.element() {
                ElementType::U8 => 2,
                ElementType::I8 => 3,
                ElementType::I32 => 6,
                ElementType::I64 => 7,
                other => {
                    return Err(self.refuse(
                        name,
                        &format!("{other:?} is used by an operator that cannot take it"),
                    ));
                }
            };
            (data_type, weight.bytes().to_vec())
        };
        Ok(TensorProto {
            name: name.to_owned(),
            dims,
            data_type,
            raw_data,
            ..Default::default()
        })
    }

    fn refuse(&self, name: &str, reason: &str) -> ModelError {
        ModelError::File {
            path: self.graph_path.clone(),
            reason: format!("tensor {name}: {reason}"),
        }
    }
}

fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location.is_some_and(|location| location == 1) || !tensor.external_data.is_empty()
}

fn type_and_shape(tensor: &TensorProto) -> Result<(ElementType, Vec<usize>), Refusal> {
    let element = match tensor.data_type {
        ONNX_FLOAT => ElementType::F32,
        2 => ElementType::U8,
        3 => ElementType::I8,
        6 => ElementType::I32,
        7 => ElementType::I64,
        ONNX_FLOAT16 => ElementType::F16,
        ONNX_BFLOAT16 => ElementType::BF16,
        21 => ElementType::U4,
        22 => ElementType::I4,
        other => return Err(Refusal(format!("element type {other} is not supported"))),
    };
    let dims = tensor
        .dims
        .iter()
        .map(|&d| usize::try_from(d).map_err(|_| Refusal(format!("dimension {d} is negative"))))
        .collect::<Result<_, _>>()?;
    Ok((element, dims))
}

/// Bytes of a tensor that is inside the graph's file, little-endian, however it is stored.
fn inline_bytes(tensor: TensorProto, element: ElementType) -> Vec<u8> {
    if !tensor.raw_data.is_empty() {
        return tensor.raw_data;
    }
    match element {
        ElementType::F32 => tensor
            .float_data
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
        ElementType::I64 => tensor
            .int64_data
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
        ElementType::I32 => tensor
            .int32_data
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
        ElementType::F16 | ElementType::BF16 => tensor
            .int32_data
            .iter()
            .flat_map(|v| v.to_le_bytes().into_iter().take(2))
            .collect(),
        ElementType::U8 | ElementType::I8 | ElementType::U4 | ElementType::I4 => tensor
            .int32_data
            .iter()
            .map(|v| v.to_le_bytes()[0])
            .collect(),
    }
}
