//! Products of one input with matrices that stand side by side: what MatMulNBits and the gated layer are made of.
//!
//! Activations are quantized once for all matrices. Each piece of work is a range of output columns, so that a
//! thread reads its part of the weights in order.

use std::ops::Range;
use std::sync::Arc;

use tract_onnx::tract_hir::internal::*;

use super::packing::{MatrixKey, PackedWeight, StoredMatrix};
use super::{Activations, Binding, Refusal, Runtime, graph_op};
use crate::kernels::{BlockShape, ColumnsMut, Layout, Q8Panels, Q8Rows};

/// Level from which a node allows 8-bit activations.
const ACCURACY_LEVEL_INT8: i64 = 4;

/// Columns of the smallest piece of work: whole tiles of every layout, whole cache lines of output.
pub(super) const COLUMNS_STEP: usize = Layout::COLUMNS_MAX;

/// Weights times rows under which a product is not worth waking other threads for: about two microseconds.
const SERIAL_WORK_BYTES: usize = 96 << 10;

/// Most bytes of weights of a piece of work: what a core reads in 10 to 20 microseconds.
const CHUNK_BYTES: usize = 256 << 10;

/// Pieces of work for each thread, so that a slow one can be helped out.
const CHUNKS_PER_THREAD: usize = 8;

/// One matrix, by its tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatrixSpec {
    pub(super) shape: BlockShape,
    pub(super) accuracy_level: i64,
    pub(super) key: MatrixKey,
    /// Index of the bias added to the product.
    pub(super) bias: Option<usize>,
}

impl MatrixSpec {
    /// Whether activations are 8-bit integers where this matrix is concerned.
    fn takes_int8(&self, activations: Activations) -> bool {
        match activations {
            Activations::Auto => self.accuracy_level == ACCURACY_LEVEL_INT8,
            Activations::Int8 => true,
            Activations::F32 => false,
        }
    }

    /// Bytes that a pass over the matrix reads.
    pub(super) fn bytes(&self, binding: &Binding<'_>) -> Result<usize, Refusal> {
        match binding.packed.get(&self.key) {
            Some(packed) => Ok(packed.bytes()),
            None => Ok(StoredMatrix::new(binding, self.shape, &self.key)?
                .view()?
                .bytes()),
        }
    }

    /// The matrix as it is stored, if the kernels would rather have it packed.
    pub(super) fn to_pack(
        &self,
        binding: &Binding<'_>,
    ) -> Result<Option<(MatrixKey, StoredMatrix)>, Refusal> {
        if !self.takes_int8(binding.runtime.activations) {
            return Ok(None);
        }
        let stored = StoredMatrix::new(binding, self.shape, &self.key)?;
        Ok(Some((self.key, stored)))
    }
}

/// Bound matrices side by side: all of one k, each with its columns of the output.
#[derive(Debug)]
pub(super) struct Projection {
    parts: Vec<Part>,
    k: usize,
    n: usize,
    bytes: usize,
    runtime: Arc<Runtime>,
}

#[derive(Debug)]
struct Part {
    weights: Weights,
    columns: Range<usize>,
    bias: Option<Vec<f32>>,
}

#[derive(Debug)]
enum Weights {
    /// Packed, 8-bit activations.
    Packed(PackedWeight),
    /// As stored, 8-bit activations.
    Int8(StoredMatrix),
    /// As stored, f32 activations.
    F32(StoredMatrix),
}

/// What products compute in.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) input: Quantized,
    /// What a feed-forward layer has between its products.
    pub(super) hidden: Vec<f32>,
    pub(super) quantized_hidden: Quantized,
    /// For each thread: its columns of two products.
    pub(super) columns: Vec<[Vec<f32>; 2]>,
}

/// Quantized activations, kept for their memory.
#[derive(Debug, Default)]
pub(super) struct Quantized {
    panels: Q8Panels,
    rows: Q8Rows,
}

/// An input and what the matrices of one projection want it quantized to.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    floats: &'a [f32],
    quantized: &'a Quantized,
}

impl Projection {
    /// The matrices `specs` from left to right.
    pub(super) fn new(binding: &Binding<'_>, specs: &[MatrixSpec]) -> Result<Self, Refusal> {
        let k = specs.first().map_or(0, |spec| spec.shape.k);
        let (mut parts, mut n, mut bytes) = (Vec::new(), 0, 0);
        for spec in specs {
            let weights = match binding.packed.get(&spec.key) {
                Some(packed) => Weights::Packed(packed.clone()),
                None => {
                    let stored = StoredMatrix::new(binding, spec.shape, &spec.key)?;
                    if spec.takes_int8(binding.runtime.activations) {
                        Weights::Int8(stored)
                    } else {
                        Weights::F32(stored)
                    }
                }
            };
            let bias = spec
                .bias
                .map(|index| {
                    graph_op::weight(binding, index)?
                        .to_f32()
                        .map(Cow::into_owned)
                })
                .transpose()?;
            if bias.as_ref().is_some_and(|b| b.len() != spec.shape.n) {
                return Err(Refusal(format!("bias has not {} elements", spec.shape.n)));
            }
            bytes += spec.bytes(binding)?;
            let columns = n..n + spec.shape.n;
            n = columns.end;
            parts.push(Part {
                weights,
                columns,
                bias,
            });
        }
        Ok(Self {
            parts,
            k,
            n,
            bytes,
            runtime: Arc::clone(&binding.runtime),
        })
    }

    /// Length of the input's rows.
    pub(super) fn k(&self) -> usize {
        self.k
    }

    /// Columns of the output, of all matrices together.
    pub(super) fn n(&self) -> usize {
        self.n
    }

    /// Quantizes `rows` rows for these matrices; `floats` are `[rows, k]`.
    pub(super) fn quantize<'a>(
        &self,
        rows: usize,
        floats: &'a [f32],
        quantized: &'a mut Quantized,
    ) -> Input<'a> {
        let Runtime {
            kernels, threads, ..
        } = &*self.runtime;
        let packed = |part: &Part| matches!(part.weights, Weights::Packed(_));
        if self.parts.iter().any(packed) {
            let panels = &mut quantized.panels;
            kernels.resize_panels(panels, rows, self.k);
            let quantize = |mut group: crate::kernels::Q8PanelMut<'_>| {
                let rows = group.rows();
                kernels.quantize_panel(&floats[rows.start * self.k..rows.end * self.k], &mut group);
            };
            if rows < ROWS_FOR_THREADS {
                panels.groups_mut().for_each(quantize);
            } else {
                threads.run_each(panels.groups_mut(), quantize);
            }
        }
        let stored = self.parts.iter().find_map(|part| match &part.weights {
            Weights::Int8(stored) => stored.view().ok(),
            Weights::Packed(_) | Weights::F32(_) => None,
        });
        if let Some(matrix) = stored {
            quantized.rows.resize(rows, &matrix.shape());
            let pairs = floats
                .chunks_exact(self.k)
                .zip(quantized.rows.rows_mut())
                .collect::<Vec<_>>();
            let quantize = |(floats, mut row): (&[f32], crate::kernels::Q8RowMut<'_>)| {
                kernels.quantize_q8_row(floats, &mut row);
            };
            if rows < ROWS_FOR_THREADS {
                pairs.into_iter().for_each(quantize);
            } else {
                threads.run_each(pairs.into_iter(), quantize);
            }
        }
        Input { floats, quantized }
    }

    /// Columns of each piece of work, of `columns` in all: all of them where it is too little to share.
    pub(super) fn columns_per_chunk(&self, rows: usize, columns: usize) -> usize {
        let threads = self.runtime.threads.count();
        if threads == 1 || self.bytes.saturating_mul(rows) < SERIAL_WORK_BYTES {
            return columns.next_multiple_of(COLUMNS_STEP);
        }
        let by_bytes = self.bytes.div_ceil(CHUNK_BYTES);
        let chunks = by_bytes.max(threads * CHUNKS_PER_THREAD);
        columns
            .div_ceil(chunks)
            .next_multiple_of(COLUMNS_STEP)
            .max(COLUMNS_STEP)
    }

    /// Computes the columns that `out` covers; all parts but the last end where a tile ends.
    pub(super) fn multiply(
        &self,
        input: Input<'_>,
        mut out: ColumnsMut<'_>,
    ) -> Result<(), Refusal> {
        for (index, part) in self.parts.iter().enumerate() {
            let columns = out.columns();
            if columns.start >= part.columns.end || columns.is_empty() {
                continue;
            }
            let (own, rest) = out.split_at(columns.end.min(part.columns.end));
            out = rest;
            let first = columns.start - part.columns.start;
            self.multiply_one(index, input, own.renumbered(first))?;
        }
        Ok(())
    }

    /// Computes columns of matrix `index` alone, numbered as that matrix has them.
    pub(super) fn multiply_one(
        &self,
        index: usize,
        input: Input<'_>,
        mut out: ColumnsMut<'_>,
    ) -> Result<(), Refusal> {
        let part = &self.parts[index];
        let kernels = &self.runtime.kernels;
        match &part.weights {
            Weights::Packed(packed) => {
                kernels.matmul_f32_q8_packed(&input.quantized.panels, &packed.view(), &mut out);
            }
            Weights::Int8(stored) => {
                kernels.matmul_f32_q8_qn(&input.quantized.rows, &stored.view()?, &mut out);
            }
            Weights::F32(stored) => {
                kernels.matmul_f32_f32_qn(input.floats, &stored.view()?, &mut out);
            }
        }
        if let Some(bias) = &part.bias {
            let bias = &bias[out.columns()];
            for row in 0..out.rows() {
                out.row(row).iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            }
        }
        Ok(())
    }

    /// The whole product, `[rows, n]`, over the threads.
    pub(super) fn run(&self, rows: usize, input: Input<'_>, out: &mut [f32]) -> TractResult<()> {
        let out = ColumnsMut::whole(out, rows, self.n);
        let refused = std::sync::Mutex::new(None);
        let threads = &self.runtime.threads;
        threads.run_columns(out, self.columns_per_chunk(rows, self.n), |part| {
            if let Err(refusal) = self.multiply(input, part) {
                keep(&refused, refusal);
            }
        });
        done(refused)
    }

    /// The runtime it was bound to.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// Rows from which on quantizing is shared.
const ROWS_FOR_THREADS: usize = 8;

/// Keeps a refusal that a piece of work met.
pub(super) fn keep(refused: &std::sync::Mutex<Option<Refusal>>, refusal: Refusal) {
    *refused
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(refusal);
}

/// An error if a piece of work was refused.
pub(super) fn done(refused: std::sync::Mutex<Option<Refusal>>) -> TractResult<()> {
    match refused
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
    {
        Some(Refusal(reason)) => bail!("{reason}"),
        None => Ok(()),
    }
}
