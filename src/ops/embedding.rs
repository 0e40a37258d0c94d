//! Token embeddings: Gather over a float table and com.microsoft GatherBlockQuantized over a quantized one.
//!
//! Indices are `[…]` i64, the output is `[…, width]` f32. Only the rows asked for are read and widened.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::attributes::{Attributes, WIDTH};
use super::graph_op::{self, Bindable, Bound, GraphOp};
use super::weights::FloatWeight;
use super::{Binding, ElementType, Refusal, Runtime, Weight};
use crate::kernels::{BlockMatrix, BlockShape, ZeroPoints};

/// Gather over rows of a float matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Embedding {
    table: usize,
    width: usize,
    bound: Bound<Table>,
}

#[derive(Debug)]
struct Table {
    floats: FloatWeight,
    rows: usize,
    width: usize,
}

impl GraphOp for Embedding {
    fn from_node(node: &NodeProto) -> Result<Self, Refusal> {
        let attributes = Attributes(node);
        attributes.only(&["axis", WIDTH])?;
        attributes.expect_int("axis", &[0])?;
        let table = attributes.weight_required(0, "data")?;
        Ok(Self {
            table,
            width: attributes.width()?,
            bound: Bound::default(),
        })
    }
}

impl Bindable for Embedding {
    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        let weight = graph_op::weight(binding, self.table)?;
        let &[rows, width] = weight.dims() else {
            return Err(Refusal(format!(
                "a table of shape {:?} is not a matrix",
                weight.dims()
            )));
        };
        self.bound.set(Table {
            floats: FloatWeight::new(weight)?,
            rows,
            width,
        });
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        Ok(with_width(input, self.width))
    }
}

impl Op for Embedding {
    fn name(&self) -> StaticName {
        "Embedding".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Embedding {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let table = self.bound.get()?;
        gather(&inputs[0], table.rows, table.width, |row, out| {
            table
                .floats
                .copy_to(row * table.width..(row + 1) * table.width, out);
        })
    }

    not_out_of_plan!();
}

impl TypedOp for Embedding {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}

/// com.microsoft GatherBlockQuantized: rows of a matrix quantized in blocks along its last axis.
///
/// Constant inputs: data (0), scales (2), zero points (3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GatherBlockQuantized {
    block_size: usize,
    bits: i64,
    data: usize,
    scales: usize,
    zero_points: Option<usize>,
    width: usize,
    bound: Bound<QuantizedTable>,
}

#[derive(Debug)]
struct QuantizedTable {
    shape: BlockShape,
    data: Weight,
    scales: FloatWeight,
    zero_points: Option<Weight>,
    runtime: Arc<Runtime>,
}

impl QuantizedTable {
    fn matrix(&self) -> Result<BlockMatrix<'_>, Refusal> {
        let zero_points = self
            .zero_points
            .as_ref()
            .map_or(ZeroPoints::Middle, |z| ZeroPoints::Packed(z.bytes()));
        BlockMatrix::new(
            self.shape,
            self.data.bytes(),
            self.scales.floats(),
            zero_points,
        )
        .map_err(|e| Refusal(e.to_string()))
    }
}

impl GraphOp for GatherBlockQuantized {
    fn from_node(node: &NodeProto) -> Result<Self, Refusal> {
        let attributes = Attributes(node);
        attributes.only(&["gather_axis", "quantize_axis", "block_size", "bits", WIDTH])?;
        attributes.expect_int("gather_axis", &[0])?;
        attributes.expect_int("quantize_axis", &[1, -1])?;
        let bits = attributes.int_or("bits", 4)?;
        if !matches!(bits, 4 | 8) {
            return Err(Refusal::value("bits", bits, "4 and 8"));
        }
        let block_size = attributes.int_or("block_size", 128)?;
        let block_size = usize::try_from(block_size)
            .ok()
            .filter(|&size| size > 0)
            .ok_or_else(|| Refusal::value("block_size", block_size, "16, 32, 64, 128 and 256"))?;
        Ok(Self {
            block_size,
            bits,
            data: attributes.weight_required(0, "data")?,
            scales: attributes.weight_required(2, "scales")?,
            zero_points: attributes.weight(3),
            width: attributes.width()?,
            bound: Bound::default(),
        })
    }
}

impl Bindable for GatherBlockQuantized {
    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        let data = graph_op::weight(binding, self.data)?.clone();
        let rows = data.dims().first().copied().unwrap_or(0);
        let signed = matches!(data.element(), ElementType::I4 | ElementType::I8);
        let shape = BlockShape {
            n: rows,
            k: self.width,
            bits: if self.bits == 4 { 4 } else { 8 },
            block_size: self.block_size,
            signed,
        };
        let scales = FloatWeight::new(graph_op::weight(binding, self.scales)?)?;
        let zero_points = match self.zero_points {
            Some(index) => Some(graph_op::weight(binding, index)?.clone()),
            // Of the types, only UINT4 counts from 0 unless told otherwise; bytes count from the middle.
            None if data.element() == ElementType::U4 => {
                let zeros = vec![0; shape.n * shape.zero_point_bytes()];
                let dims = vec![zeros.len()];
                Some(Weight::owned(zeros, ElementType::U8, dims)?)
            }
            None => None,
        };
        let data = with_whole_blocks(data, &shape)?;
        let table = QuantizedTable {
            shape,
            data,
            scales,
            zero_points,
            runtime: Arc::clone(&binding.runtime),
        };
        table.matrix()?;
        self.bound.set(table);
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        Ok(with_width(input, self.width))
    }
}

impl Op for GatherBlockQuantized {
    fn name(&self) -> StaticName {
        "GatherBlockQuantized".into()
    }

    op_as_typed_op!();
}

impl EvalOp for GatherBlockQuantized {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let table = self.bound.get()?;
        let matrix = table
            .matrix()
            .map_err(|Refusal(reason)| format_err!("{reason}"))?;
        gather(&inputs[0], table.shape.n, table.shape.k, |row, out| {
            table.runtime.kernels.dequantize_qn(&matrix, row, out);
        })
    }

    not_out_of_plan!();
}

impl TypedOp for GatherBlockQuantized {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}

/// Rows whose last block is short are copied with padding: kernels read whole blocks.
fn with_whole_blocks(data: Weight, shape: &BlockShape) -> Result<Weight, Refusal> {
    let row_bytes = shape.k * shape.bits / 8;
    let padded_bytes = shape.blocks() * shape.block_bytes();
    if row_bytes == padded_bytes || !(shape.k * shape.bits).is_multiple_of(8) {
        return Ok(data);
    }
    let mut padded = Vec::with_capacity(shape.n * padded_bytes);
    for row in data.bytes().chunks_exact(row_bytes) {
        padded.extend_from_slice(row);
        padded.resize(padded.len() + padded_bytes - row_bytes, 0);
    }
    let dims = vec![padded.len()];
    Weight::owned(padded, ElementType::U8, dims)
}

fn with_width(indices: &[TDim], width: usize) -> TVec<TDim> {
    indices.iter().cloned().chain([width.to_dim()]).collect()
}

/// Writes row `index` for each of the indices; negative ones count from the end, as ONNX says.
fn gather(
    indices: &Tensor,
    rows: usize,
    width: usize,
    read: impl Fn(usize, &mut [f32]),
) -> TractResult<TVec<TValue>> {
    let wide = indices.cast_to::<i64>()?;
    let list = wide.try_as_plain_ram()?;
    let list = list.as_slice::<i64>()?;
    let rows_signed = i64::try_from(rows)?;
    let mut wanted = Vec::with_capacity(list.len());
    for &index in list {
        let row = if index < 0 {
            index + rows_signed
        } else {
            index
        };
        ensure!(
            (0..rows_signed).contains(&row),
            "index {index} of a table of {rows} rows"
        );
        wanted.push(usize::try_from(row)?);
    }
    let shape: TVec<usize> = indices.shape().iter().copied().chain([width]).collect();
    let out = graph_op::tensor(&shape, |out| {
        for (row, out) in wanted.iter().zip(out.chunks_exact_mut(width)) {
            read(*row, out);
        }
    })?;
    Ok(tvec!(out))
}
