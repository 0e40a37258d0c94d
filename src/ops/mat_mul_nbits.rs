//! com.microsoft MatMulNBits: `Y = A · dequantize(B)ᵀ (+ bias)`, B in blocks of 4- or 8-bit weights.
//!
//! A is `[…, K]` f32, Y is `[…, N]` f32. Constant inputs: B (1), scales (2), zero points (3), bias (5).

use std::sync::Mutex;

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::graph_op::{self, Bound, GraphOp};
use super::weights::FloatWeight;
use super::{Activations, Binding, ElementType, Refusal, Runtime, Weight};
use crate::kernels::{BlockMatrix, BlockShape, ColumnsMut, Q8Rows, ZeroPoints};

/// Level from which a node allows 8-bit activations.
const ACCURACY_LEVEL_INT8: i64 = 4;

/// Columns of the smallest piece of work: a whole number of cache lines of output.
const COLUMNS_STEP: usize = 16;

/// The operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatMulNBits {
    shape: BlockShape,
    accuracy_level: i64,
    quants: usize,
    scales: usize,
    zero_points: Option<usize>,
    bias: Option<usize>,
    bound: Bound<Parts>,
}

/// The weights, in place.
#[derive(Debug)]
struct Parts {
    shape: BlockShape,
    quants: Weight,
    scales: FloatWeight,
    zero_points: ZeroPointParts,
    bias: Option<Vec<f32>>,
    int8_activations: bool,
    runtime: Arc<Runtime>,
    /// Quantized activations; kept for their memory. The plan runs one node at a time.
    activations: Mutex<Q8Rows>,
}

#[derive(Debug)]
enum ZeroPointParts {
    Middle,
    Packed(Weight),
    Float(FloatWeight),
}

impl Parts {
    fn matrix(&self) -> Result<BlockMatrix<'_>, Refusal> {
        let zero_points = match &self.zero_points {
            ZeroPointParts::Middle => ZeroPoints::Middle,
            ZeroPointParts::Packed(weight) => ZeroPoints::Packed(weight.bytes()),
            ZeroPointParts::Float(floats) => ZeroPoints::Float(floats.floats()),
        };
        BlockMatrix::new(
            self.shape,
            self.quants.bytes(),
            self.scales.floats(),
            zero_points,
        )
        .map_err(|e| Refusal(e.to_string()))
    }

    fn multiply(&self, rows: usize, a: &[f32], y: &mut [f32]) -> TractResult<()> {
        let matrix = self
            .matrix()
            .map_err(|Refusal(reason)| format_err!("{reason}"))?;
        let kernels = self.runtime.kernels;
        let n = self.shape.n;
        let chunk = graph_op::columns_per_chunk(&self.runtime, n, COLUMNS_STEP);
        let out = ColumnsMut::whole(y, rows, n);
        if self.int8_activations {
            let mut quantized = self
                .activations
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            quantized.resize(rows, &self.shape);
            if rows == 1 {
                kernels.quantize_q8(a, &mut quantized);
            } else {
                let pairs = a.chunks_exact(self.shape.k).zip(quantized.rows_mut());
                self.runtime.threads.run_each(pairs, |(a, mut row)| {
                    kernels.quantize_q8_row(a, &mut row);
                });
            }
            let quantized = &*quantized;
            self.runtime.threads.run_columns(out, chunk, |mut part| {
                kernels.matmul_f32_q8_qn(quantized, &matrix, &mut part);
            });
        } else {
            self.runtime.threads.run_columns(out, chunk, |mut part| {
                kernels.matmul_f32_f32_qn(a, &matrix, &mut part);
            });
        }
        if let Some(bias) = &self.bias {
            for row in y.chunks_exact_mut(n) {
                row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            }
        }
        Ok(())
    }
}

impl GraphOp for MatMulNBits {
    fn from_node(node: &NodeProto) -> Result<Self, Refusal> {
        let attributes = Attributes(node);
        attributes.only(&[
            "K",
            "N",
            "bits",
            "block_size",
            "accuracy_level",
            "weight_prepacked",
        ])?;
        attributes.expect_int("weight_prepacked", &[0])?;
        let bits = attributes.int_or("bits", 4)?;
        if !matches!(bits, 4 | 8) {
            return Err(Refusal::value("bits", bits, "4 and 8"));
        }
        let block_size = attributes.size("block_size")?;
        if !matches!(block_size, 16 | 32 | 64 | 128 | 256) {
            return Err(Refusal::value(
                "block_size",
                block_size,
                "16, 32, 64, 128 and 256",
            ));
        }
        let accuracy_level = attributes.int_or("accuracy_level", 0)?;
        if !(0..=ACCURACY_LEVEL_INT8).contains(&accuracy_level) {
            return Err(Refusal::value("accuracy_level", accuracy_level, "0 to 4"));
        }
        if attributes.is_wired(4) || attributes.weight(4).is_some() {
            return Err(Refusal("input g_idx (act-order) is not supported".into()));
        }
        for (input, name) in [(3, "zero_points"), (5, "bias")] {
            if attributes.is_wired(input) {
                return Err(Refusal(format!("input {name} is not a constant tensor")));
            }
        }
        Ok(Self {
            shape: BlockShape {
                n: attributes.size("N")?,
                k: attributes.size("K")?,
                bits: if bits == 4 { 4 } else { 8 },
                block_size,
                signed: false,
            },
            accuracy_level,
            quants: attributes.weight_required(1, "B")?,
            scales: attributes.weight_required(2, "scales")?,
            zero_points: attributes.weight(3),
            bias: attributes.weight(5),
            bound: Bound::default(),
        })
    }

    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal> {
        let zero_points = match self.zero_points {
            None => ZeroPointParts::Middle,
            Some(index) => {
                let weight = graph_op::weight(binding, index)?;
                if weight.element().is_float() {
                    ZeroPointParts::Float(FloatWeight::new(weight)?)
                } else {
                    ZeroPointParts::Packed(weight.clone())
                }
            }
        };
        let mut scales = FloatWeight::new(graph_op::weight(binding, self.scales)?)?;
        let mut zero_points = zero_points;
        if let ZeroPointParts::Float(zeros) = &zero_points
            && std::mem::discriminant(&zeros.floats()) != std::mem::discriminant(&scales.floats())
        {
            let widened = FloatWeight::widened(zeros);
            scales = FloatWeight::widened(&scales);
            zero_points = ZeroPointParts::Float(widened);
        }
        let bias = self
            .bias
            .map(|index| {
                graph_op::weight(binding, index)?
                    .to_f32()
                    .map(Cow::into_owned)
            })
            .transpose()?;
        if bias.as_ref().is_some_and(|b| b.len() != self.shape.n) {
            return Err(Refusal(format!("bias has not {} elements", self.shape.n)));
        }
        let quants = graph_op::weight(binding, self.quants)?.clone();
        if !matches!(quants.element(), ElementType::U8) {
            return Err(Refusal(format!("B is {:?}, expected U8", quants.element())));
        }
        let runtime = Arc::clone(&binding.runtime);
        let int8_activations = match runtime.activations {
            Activations::Auto => self.accuracy_level == ACCURACY_LEVEL_INT8,
            Activations::Int8 => true,
            Activations::F32 => false,
        };
        let parts = Parts {
            shape: self.shape,
            quants,
            scales,
            zero_points,
            bias,
            int8_activations,
            runtime,
            activations: Mutex::new(Q8Rows::new()),
        };
        parts.matrix()?;
        self.bound.set(parts);
        Ok(())
    }

    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>> {
        let mut shape: TVec<TDim> = input.into();
        *shape.last_mut().context("activations without axes")? = self.shape.n.to_dim();
        Ok(shape)
    }
}

impl Op for MatMulNBits {
    fn name(&self) -> StaticName {
        "MatMulNBits".into()
    }

    op_as_typed_op!();
}

impl EvalOp for MatMulNBits {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let parts = self.bound.get()?;
        let (rows, k) = graph_op::rows(&inputs[0])?;
        ensure!(
            k == self.shape.k,
            "activations of width {k}, expected {}",
            self.shape.k
        );
        let a = graph_op::floats(&inputs[0])?;
        let mut shape: TVec<usize> = inputs[0].shape().into();
        *shape.last_mut().context("activations without axes")? = self.shape.n;
        let mut result = Ok(());
        let y = graph_op::tensor(&shape, |y| result = parts.multiply(rows, a, y))?;
        result?;
        Ok(tvec!(y))
    }

    not_out_of_plan!();
}

impl TypedOp for MatMulNBits {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        graph_op::f32_facts(self, inputs)
    }

    as_op!();
}
