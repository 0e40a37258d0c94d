//! Constant tensors that stay where they are: windows of the mapped data file, or small owned buffers.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};
use zerocopy::FromBytes;

use super::Refusal;
use crate::kernels::Floats;

/// Bytes that do not move or change while they are held.
pub trait ByteSource: fmt::Debug + Send + Sync {
    /// The bytes.
    fn bytes(&self) -> &[u8];
}

impl ByteSource for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }
}

/// Type of a constant tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the types")]
pub enum ElementType {
    F32,
    F16,
    BF16,
    U8,
    I8,
    /// Two to a byte, low nibble first.
    U4,
    /// Two to a byte, low nibble first.
    I4,
    I32,
    I64,
}

impl ElementType {
    /// Bytes that `elements` of this type take.
    pub fn bytes_for(self, elements: usize) -> usize {
        match self {
            Self::U4 | Self::I4 => elements.div_ceil(2),
            Self::U8 | Self::I8 => elements,
            Self::F16 | Self::BF16 => elements * 2,
            Self::F32 | Self::I32 => elements * 4,
            Self::I64 => elements * 8,
        }
    }

    /// Whether the elements are floats.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::BF16)
    }
}

/// A constant tensor: a window of bytes, a type and a shape that agree.
#[derive(Clone)]
pub struct Weight {
    source: Arc<dyn ByteSource>,
    range: Range<usize>,
    element: ElementType,
    dims: Vec<usize>,
}

impl fmt::Debug for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weight({:?} {:?})", self.element, self.dims)
    }
}

impl Weight {
    /// A tensor of `dims` elements over `range` of `source`.
    ///
    /// # Errors
    /// If the range is outside the source or its length is not what type and shape need.
    pub fn new(
        source: Arc<dyn ByteSource>,
        range: Range<usize>,
        element: ElementType,
        dims: Vec<usize>,
    ) -> Result<Self, Refusal> {
        let elements = dims
            .iter()
            .try_fold(1usize, |product, &dim| product.checked_mul(dim))
            .filter(|&elements| elements <= usize::MAX / 8)
            .ok_or_else(|| Refusal(format!("shape {dims:?} is too large")))?;
        let expected = element.bytes_for(elements);
        if range.start > range.end || range.end > source.bytes().len() {
            return Err(Refusal(format!(
                "bytes {}..{} are outside the {} there are",
                range.start,
                range.end,
                source.bytes().len()
            )));
        }
        if range.len() != expected {
            return Err(Refusal(format!(
                "{element:?} {dims:?} takes {expected} bytes, found {}",
                range.len()
            )));
        }
        Ok(Self {
            source,
            range,
            element,
            dims,
        })
    }

    /// A tensor that owns its bytes.
    ///
    /// # Errors
    /// If the number of bytes is not what type and shape need.
    pub fn owned(bytes: Vec<u8>, element: ElementType, dims: Vec<usize>) -> Result<Self, Refusal> {
        let range = 0..bytes.len();
        Self::new(Arc::new(bytes), range, element, dims)
    }

    /// The same bytes under another shape or type of the same size.
    ///
    /// # Errors
    /// If the sizes differ.
    pub fn reshaped(&self, element: ElementType, dims: Vec<usize>) -> Result<Self, Refusal> {
        Self::new(self.source.clone(), self.range.clone(), element, dims)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.source.bytes()[self.range.clone()]
    }

    /// Type of the elements.
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// Shape.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.dims.iter().product()
    }

    /// The elements as f32, borrowed where they are f32 and aligned.
    ///
    /// # Errors
    /// If the elements are not floats.
    pub fn to_f32(&self) -> Result<Cow<'_, [f32]>, Refusal> {
        let bytes = self.bytes();
        Ok(match self.element {
            ElementType::F32 => match <[f32]>::ref_from_bytes(bytes) {
                Ok(floats) => Cow::Borrowed(floats),
                Err(_) => Cow::Owned(
                    bytes
                        .chunks_exact(4)
                        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                        .collect(),
                ),
            },
            ElementType::F16 => Cow::Owned(
                bytes
                    .chunks_exact(2)
                    .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                    .collect(),
            ),
            ElementType::BF16 => Cow::Owned(
                bytes
                    .chunks_exact(2)
                    .map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32())
                    .collect(),
            ),
            other => return Err(Refusal(format!("expected floats, found {other:?}"))),
        })
    }
}

/// Float elements a kernel can read in place: a window of the file where type and alignment allow it,
/// an owned copy otherwise.
#[derive(Debug, Clone)]
pub(crate) enum FloatWeight {
    /// f32 in place.
    F32(Weight),
    /// f16 in place.
    F16(Weight),
    /// A converted or re-aligned copy.
    Owned(Arc<[f32]>),
}

impl FloatWeight {
    /// Takes `weight` in place if it can, else copies it.
    pub(crate) fn new(weight: &Weight) -> Result<Self, Refusal> {
        let in_place = match weight.element() {
            ElementType::F32 => <[f32]>::ref_from_bytes(weight.bytes()).is_ok(),
            ElementType::F16 => <[f16]>::ref_from_bytes(weight.bytes()).is_ok(),
            _ => false,
        };
        Ok(match (in_place, weight.element()) {
            (true, ElementType::F32) => Self::F32(weight.clone()),
            (true, _) => Self::F16(weight.clone()),
            (false, _) => Self::Owned(weight.to_f32()?.into_owned().into()),
        })
    }

    /// An f32 copy.
    pub(crate) fn widened(&self) -> Self {
        let floats = self.floats();
        Self::Owned((0..floats.len()).map(|i| floats.at(i)).collect())
    }

    /// The elements.
    pub(crate) fn floats(&self) -> Floats<'_> {
        match self {
            Self::F32(w) => Floats::F32(
                <[f32]>::ref_from_bytes(w.bytes()).expect("alignment was checked when it was made"),
            ),
            Self::F16(w) => Floats::F16(
                <[f16]>::ref_from_bytes(w.bytes()).expect("alignment was checked when it was made"),
            ),
            Self::Owned(floats) => Floats::F32(floats),
        }
    }

    /// Copies elements `range` into `out` as f32.
    pub(crate) fn copy_to(&self, range: Range<usize>, out: &mut [f32]) {
        match self.floats() {
            Floats::F32(floats) => out.copy_from_slice(&floats[range]),
            Floats::F16(halves) => {
                for (out, half) in out.iter_mut().zip(&halves[range]) {
                    *out = half.to_f32();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_length_that_disagrees_with_the_shape() {
        let refused = Weight::owned(vec![0; 7], ElementType::F32, vec![2]).unwrap_err();
        assert_eq!(refused.0, "F32 [2] takes 8 bytes, found 7");
    }

    #[test]
    fn refuses_a_window_outside_the_source() {
        let source: Arc<dyn ByteSource> = Arc::new(vec![0u8; 8]);
        assert!(Weight::new(source.clone(), 4..12, ElementType::F32, vec![2]).is_err());
        assert!(Weight::new(source, 0..8, ElementType::F32, vec![usize::MAX, 2]).is_err());
    }

    #[test]
    fn reads_misaligned_and_half_floats() {
        let mut bytes = vec![0u8];
        bytes.extend(1.5f32.to_le_bytes());
        let source: Arc<dyn ByteSource> = Arc::new(bytes);
        let weight = Weight::new(source, 1..5, ElementType::F32, vec![1]).unwrap();
        assert_eq!(&*weight.to_f32().unwrap(), &[1.5]);
        let mut out = [0.0];
        FloatWeight::new(&weight).unwrap().copy_to(0..1, &mut out);
        assert_eq!(out, [1.5]);
        let half = Weight::owned(
            f16::from_f32(-2.0).to_le_bytes().to_vec(),
            ElementType::F16,
            vec![1],
        );
        assert_eq!(&*half.unwrap().to_f32().unwrap(), &[-2.0]);
    }

    #[test]
    fn two_four_bit_elements_take_a_byte() {
        assert_eq!(ElementType::I4.bytes_for(5), 3);
    }
}
