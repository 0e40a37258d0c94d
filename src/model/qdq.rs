//! The QDQ form: `MatMul(x, DequantizeLinear(int4))`, turned into what `MatMulNBits` takes.
//!
//! The builder writes it with `use_qdq`. The weight is `[K, N]` with blocks along K; it is re-ordered to
//! `[N, K / block_size, block_size / 2]` while loading, still four bits a weight. Those bytes are owned, not
//! mapped, so this form takes more memory than the default one.

use tract_onnx::pb::{AttributeProto, NodeProto};

use crate::ops::{self, ElementType, Refusal, Weight};

/// Constant inputs and attributes for a `MatMulNBits` node.
pub(crate) struct Converted {
    pub(crate) quants: Weight,
    pub(crate) scales: Weight,
    pub(crate) zero_points: Option<Weight>,
    pub(crate) attributes: Vec<AttributeProto>,
}

/// Shape and number format of a quantized weight `[k, n]` with blocks along k.
struct Form {
    k: usize,
    n: usize,
    block_size: usize,
    blocks: usize,
    signed: bool,
}

impl Form {
    /// Reads it off the node and its constants, which have to agree.
    fn of(
        node: &NodeProto,
        quants: &Weight,
        scales: &Weight,
        zero_points: Option<&Weight>,
    ) -> Result<Self, Refusal> {
        let attribute = |name: &str, default| {
            let found = node.attribute.iter().find(|a| a.name == name);
            found.map_or(default, |a| a.i)
        };
        let signed = match quants.element() {
            ElementType::I4 => true,
            ElementType::U4 => false,
            other => {
                let reason = format!("weights of {other:?} are not supported, only 4-bit");
                return Err(Refusal(reason));
            }
        };
        let &[k, n] = quants.dims() else {
            let reason = format!("a weight of shape {:?} is not a matrix", quants.dims());
            return Err(Refusal(reason));
        };
        let (axis, block_size) = (attribute("axis", 1), attribute("block_size", 0));
        if axis != 0 {
            return Err(Refusal(format!("axis = {axis} is not supported, only 0")));
        }
        let block_size = usize::try_from(block_size)
            .ok()
            .filter(|size| size.is_power_of_two() && *size >= 16)
            .ok_or_else(|| Refusal(format!("block_size = {block_size} is not supported")))?;
        let blocks = k.div_ceil(block_size);
        if scales.dims() != [blocks, n] {
            let found = scales.dims();
            let reason = format!("scales of shape {found:?}, expected [{blocks}, {n}]");
            return Err(Refusal(reason));
        }
        if zero_points.is_some_and(|z| z.element() != quants.element() || z.dims() != [blocks, n]) {
            let reason = "zero points differ from the weight in type or shape";
            return Err(Refusal(reason.into()));
        }
        Ok(Self {
            k,
            n,
            block_size,
            blocks,
            signed,
        })
    }
}

/// Converts a DequantizeLinear `node` with constant `inputs` (quants, scales, perhaps zero points).
pub(crate) fn to_mat_mul_nbits(
    node: &NodeProto,
    inputs: &[Option<Weight>],
) -> Result<Converted, Refusal> {
    let (Some(Some(quants)), Some(Some(scales))) = (inputs.first(), inputs.get(1)) else {
        return Err(Refusal("its weight or scales are missing".into()));
    };
    let zero_points = inputs.get(2).and_then(Option::as_ref);
    let Form {
        k,
        n,
        block_size,
        blocks,
        signed,
    } = Form::of(node, quants, scales, zero_points)?;
    // MatMulNBits subtracts 8 unless told otherwise; signed weights are stored 8 higher. Unsigned weights
    // without zero points have zero point 0, which must be said.
    let offset = if signed { 8 } else { 0 };
    let packed_zero_points = match (zero_points, signed) {
        (Some(z), _) => Some(pack(n, blocks, 0, |column, block| {
            nibble(z.bytes(), block * n + column).wrapping_add(offset) & 0xF
        })),
        (None, true) => None,
        (None, false) => Some(vec![0; n * blocks.div_ceil(2)]),
    };
    let quants = pack(n, blocks * block_size, offset, |column, row| {
        if row >= k {
            return 8;
        }
        nibble(quants.bytes(), row * n + column).wrapping_add(offset) & 0xF
    });
    let scale_values = scales.to_f32()?;
    let mut transposed = Vec::with_capacity(n * blocks * 4);
    for column in 0..n {
        for block in 0..blocks {
            transposed.extend(scale_values[block * n + column].to_le_bytes());
        }
    }
    Ok(Converted {
        quants: Weight::owned(quants, ElementType::U8, vec![n, blocks, block_size / 2])?,
        scales: Weight::owned(transposed, ElementType::F32, vec![n, blocks])?,
        zero_points: packed_zero_points
            .map(|z| Weight::owned(z, ElementType::U8, vec![n, blocks.div_ceil(2)]))
            .transpose()?,
        attributes: vec![
            ops::size_attribute("K", k),
            ops::size_attribute("N", n),
            ops::size_attribute("bits", 4),
            ops::size_attribute("block_size", block_size),
            // What ONNX Runtime takes for this form unless its session says otherwise.
            ops::size_attribute("accuracy_level", 4),
        ],
    })
}

fn nibble(bytes: &[u8], index: usize) -> u8 {
    (bytes[index / 2] >> (index % 2 * 4)) & 0xF
}

/// Packs `value(row, column)` two to a byte, low nibble first, each of the `rows` rounded up to whole bytes.
fn pack(rows: usize, columns: usize, fill: u8, value: impl Fn(usize, usize) -> u8) -> Vec<u8> {
    let mut packed = Vec::with_capacity(rows * columns.div_ceil(2));
    for row in 0..rows {
        for column in (0..columns).step_by(2) {
            let high = if column + 1 < columns {
                value(row, column + 1)
            } else {
                fill
            };
            packed.push(value(row, column) | high << 4);
        }
    }
    packed
}
