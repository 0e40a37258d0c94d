//! Weight matrices on their way from a model's file to the kernels: as they are stored, and packed.
//!
//! An operator names the matrices it would rather have packed ([`super::matrices`]); whoever loads the model packs
//! them, or finds them packed, and hands them back through [`Binding::packed`](super::Binding::packed).

use std::ops::Range;
use std::sync::Arc;

use super::weights::FloatWeight;
use super::{Binding, ByteSource, ElementType, Refusal, Weight, graph_op};
use crate::kernels::{
    BlockMatrix, BlockShape, Layout, PackedMatrix, PackedShape, Packing, ZeroPoints,
};

/// Which tensors of the table of weights a matrix is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MatrixKey {
    /// B, the quants.
    pub quants: usize,
    /// Scales.
    pub scales: usize,
    /// Zero points, where there are some.
    pub zero_points: Option<usize>,
}

/// A matrix as the model's file stores it.
#[derive(Debug, Clone)]
pub struct StoredMatrix {
    shape: BlockShape,
    quants: Weight,
    scales: FloatWeight,
    zero_points: StoredZeroPoints,
}

#[derive(Debug, Clone)]
enum StoredZeroPoints {
    Middle,
    Packed(Weight),
    Float(FloatWeight),
}

impl StoredMatrix {
    /// The matrix of `shape` made of the tensors `key`.
    ///
    /// # Errors
    /// If a tensor is missing, or its type or size disagrees with the shape.
    pub(super) fn new(
        binding: &Binding<'_>,
        shape: BlockShape,
        key: &MatrixKey,
    ) -> Result<Self, Refusal> {
        let zero_points = match key.zero_points {
            None => StoredZeroPoints::Middle,
            Some(index) => {
                let weight = graph_op::weight(binding, index)?;
                if weight.element().is_float() {
                    StoredZeroPoints::Float(FloatWeight::new(weight)?)
                } else {
                    StoredZeroPoints::Packed(weight.clone())
                }
            }
        };
        let mut scales = FloatWeight::new(graph_op::weight(binding, key.scales)?)?;
        let mut zero_points = zero_points;
        if let StoredZeroPoints::Float(zeros) = &zero_points
            && std::mem::discriminant(&zeros.floats()) != std::mem::discriminant(&scales.floats())
        {
            let widened = FloatWeight::widened(zeros);
            scales = FloatWeight::widened(&scales);
            zero_points = StoredZeroPoints::Float(widened);
        }
        let quants = graph_op::weight(binding, key.quants)?.clone();
        if !matches!(quants.element(), ElementType::U8) {
            return Err(Refusal(format!("B is {:?}, expected U8", quants.element())));
        }
        let stored = Self {
            shape,
            quants,
            scales,
            zero_points,
        };
        stored.view()?;
        Ok(stored)
    }

    /// Sizes and number format.
    #[must_use]
    pub fn shape(&self) -> BlockShape {
        self.shape
    }

    /// The quants, where they are stored.
    #[must_use]
    pub fn quants(&self) -> &[u8] {
        self.quants.bytes()
    }

    /// The matrix, in place.
    ///
    /// # Errors
    /// If the tensors' sizes disagree with the shape.
    pub fn view(&self) -> Result<BlockMatrix<'_>, Refusal> {
        let zero_points = match &self.zero_points {
            StoredZeroPoints::Middle => ZeroPoints::Middle,
            StoredZeroPoints::Packed(weight) => ZeroPoints::Packed(weight.bytes()),
            StoredZeroPoints::Float(floats) => ZeroPoints::Float(floats.floats()),
        };
        BlockMatrix::new(
            self.shape,
            self.quants.bytes(),
            self.scales.floats(),
            zero_points,
        )
        .map_err(|e| Refusal(e.to_string()))
    }

    /// How it is packed for `layout`; nothing where no layout can hold it.
    #[must_use]
    pub fn packing(&self, layout: Layout) -> Option<Packing<'_>> {
        Packing::new(self.view().ok()?, layout)
    }
}

/// A matrix packed for one layout: a window of bytes and what they mean.
#[derive(Debug, Clone)]
pub struct PackedWeight {
    source: Arc<dyn ByteSource>,
    range: Range<usize>,
    layout: Layout,
    shape: PackedShape,
    output_scale: f32,
}

impl PackedWeight {
    /// A packed matrix over `range` of `source`.
    ///
    /// # Errors
    /// If the range is outside the source, or not as long as layout and shape need.
    pub fn new(
        source: Arc<dyn ByteSource>,
        range: Range<usize>,
        layout: Layout,
        (shape, output_scale): (PackedShape, f32),
    ) -> Result<Self, Refusal> {
        let bytes = source.bytes().get(range.clone());
        let fits = bytes
            .and_then(|bytes| PackedMatrix::new(layout, shape, output_scale, bytes))
            .is_some();
        if !fits {
            return Err(Refusal(format!(
                "a packed matrix of {} × {} takes {} bytes, found {range:?} of {}",
                shape.n,
                shape.k,
                shape.bytes(layout),
                source.bytes().len()
            )));
        }
        Ok(Self {
            source,
            range,
            layout,
            shape,
            output_scale,
        })
    }

    /// The matrix.
    ///
    /// # Panics
    /// Never: `new` has checked the bytes.
    #[must_use]
    pub fn view(&self) -> PackedMatrix<'_> {
        let bytes = &self.source.bytes()[self.range.clone()];
        PackedMatrix::new(self.layout, self.shape, self.output_scale, bytes)
            .expect("checked when it was made")
    }

    /// Bytes that a pass over it reads.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.range.len()
    }
}
