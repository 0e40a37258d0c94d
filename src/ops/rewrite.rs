//! Joins operators of a typed graph into fewer that do more at once. The joined ones compute the same.
//!
//! | rule | pattern | becomes |
//! |---|---|---|
//! | `query, key and value` | three MatMulNBits of one input, each only for a GroupQueryAttention | one MatMulNBits, packed attention |
//! | `norm` | MatMulNBits or GatedMlp of a norm, which nothing else uses | the product with the norm in front of it |
//! | `gated layer` | MatMulNBits of (g · sigmoid(g)) · u, g and u MatMulNBits of one input | GatedMlp |
//!
//! Where a value is used elsewhere too, or sizes do not fit, the graph stays as it is.

use tract_onnx::tract_core::model::Rewriter;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math::Mul;
use tract_onnx::tract_core::ops::nn::Sigmoid;
use tract_onnx::tract_hir::internal::*;

use super::gated_mlp::GatedMlp;
use super::group_query_attention::GroupQueryAttention;
use super::mat_mul_nbits::MatMulNBits;
use super::projection::{COLUMNS_STEP, MatrixSpec};
use super::simplified_layer_norm::{NormSpec, SimplifiedLayerNorm};

/// Applies every rule of this module's page as often as it fits.
///
/// # Errors
/// If tract refuses a change, which would be a mistake here.
pub fn join_operators(model: &mut TypedModel) -> TractResult<()> {
    Rewriter::default()
        .with_rule_for("query, key and value", join_query_key_value)
        .with_rule_for("gated layer", join_gated_mlp)
        .with_rule_for("norm of a product", join_norm_of_product)
        .with_rule_for("norm of a gated layer", join_norm_of_gated_mlp)
        .rewrite(&(), model)
}

/// The operator `T` that makes `outlet`, and the outlet it takes its one input from, if nothing else uses `outlet`.
fn only_maker<T: Op>(model: &TypedModel, outlet: OutletId) -> Option<(&T, OutletId)> {
    let node = model.node(outlet.node);
    let only = node.outputs.len() == 1
        && node.outputs[0].successors.len() == 1
        && !model.outputs.contains(&outlet);
    match (&*node.inputs, only) {
        (&[input], true) => Some((node.op_as::<T>()?, input)),
        _ => None,
    }
}

/// Whether activations quantized for one of the matrices are those for the other.
fn quantize_alike(a: &MatrixSpec, b: &MatrixSpec) -> bool {
    let format = |m: &MatrixSpec| {
        (
            m.shape.k,
            m.shape.bits,
            m.shape.block_size,
            m.accuracy_level,
        )
    };
    format(a) == format(b)
}

fn join_query_key_value(
    _context: &(),
    model: &TypedModel,
    node: &TypedNode,
    name: &str,
    attention: &GroupQueryAttention,
) -> TractResult<Option<TypedModelPatch>> {
    let &[query, key, value] = &*node.inputs else {
        return Ok(None);
    };
    let mut matrices: Vec<MatrixSpec> = Vec::new();
    let mut source = None;
    for outlet in [query, key, value] {
        let product = only_maker::<MatMulNBits>(model, outlet);
        let Some((product, input)) = product.filter(|(product, _)| product.norm.is_none()) else {
            return Ok(None);
        };
        if *source.get_or_insert(input) != input {
            return Ok(None);
        }
        matrices.extend(product.matrices.iter().cloned());
    }
    let fits = matrices.iter().all(|matrix| {
        matrix.shape.n.is_multiple_of(COLUMNS_STEP) && quantize_alike(matrix, &matrices[0])
    });
    let (Some(source), true) = (source, fits) else {
        return Ok(None);
    };
    let mut patch = TypedModelPatch::default();
    let input = patch.tap_model(model, source)?;
    let product = MatMulNBits::of(matrices);
    let joined = patch.wire_node(format!("{name}.query_key_value"), product, &[input])?;
    let out = patch.wire_node(name, attention.with_packed_input(), &joined)?;
    patch.shunt_outside(model, node.id.into(), out[0])?;
    Ok(Some(patch))
}

/// The inputs of a multiplication that nothing but one node uses.
fn factors(model: &TypedModel, outlet: OutletId) -> Option<[OutletId; 2]> {
    let node = model.node(outlet.node);
    let op = node.op_as::<TypedBinOp>()?;
    let only = node.outputs[0].successors.len() == 1 && !model.outputs.contains(&outlet);
    match (&*node.inputs, only && op.0.is::<Mul>()) {
        (&[a, b], true) => Some([a, b]),
        _ => None,
    }
}

/// The product g of `g · sigmoid(g)`, where `outlet` is that.
fn silu_of(model: &TypedModel, outlet: OutletId) -> Option<OutletId> {
    let [a, b] = factors(model, outlet)?;
    let is_sigmoid_of = |outlet: OutletId, of: OutletId| {
        only_maker::<ElementWiseOp>(model, outlet)
            .is_some_and(|(op, input)| op.0.is::<Sigmoid>() && input == of)
    };
    match (is_sigmoid_of(a, b), is_sigmoid_of(b, a)) {
        (true, _) => Some(b),
        (_, true) => Some(a),
        _ => None,
    }
}

/// The one matrix of the product that makes `outlet`, which `uses` inputs use, and the product's input.
fn matrix_of(model: &TypedModel, outlet: OutletId, uses: usize) -> Option<(&MatrixSpec, OutletId)> {
    let node = model.node(outlet.node);
    let product = node.op_as::<MatMulNBits>().filter(|p| p.norm.is_none())?;
    let only = node.outputs[0].successors.len() == uses && !model.outputs.contains(&outlet);
    match (&*product.matrices, &*node.inputs, only) {
        ([matrix], &[input], true) => Some((matrix, input)),
        _ => None,
    }
}

fn join_gated_mlp(
    _context: &(),
    model: &TypedModel,
    node: &TypedNode,
    name: &str,
    down: &MatMulNBits,
) -> TractResult<Option<TypedModelPatch>> {
    let joined = || {
        let ([down], None) = (&*down.matrices, &down.norm) else {
            return None;
        };
        let [a, b] = factors(model, *node.inputs.first()?)?;
        let (gate, up) = match (silu_of(model, a), silu_of(model, b)) {
            (Some(gate), _) => (gate, b),
            (_, Some(gate)) => (gate, a),
            _ => return None,
        };
        let (gate, input) = matrix_of(model, gate, 2)?;
        let (up, input_of_up) = matrix_of(model, up, 1)?;
        let alike = input == input_of_up && quantize_alike(gate, up);
        let matrices = [gate.clone(), up.clone(), down.clone()];
        Some((GatedMlp::of(matrices).filter(|_| alike)?, input))
    };
    let Some((layer, input)) = joined() else {
        return Ok(None);
    };
    let mut patch = TypedModelPatch::default();
    let input = patch.tap_model(model, input)?;
    let out = patch.wire_node(name, layer, &[input])?;
    patch.shunt_outside(model, node.id.into(), out[0])?;
    Ok(Some(patch))
}

fn join_norm_of_product(
    _context: &(),
    model: &TypedModel,
    node: &TypedNode,
    name: &str,
    product: &MatMulNBits,
) -> TractResult<Option<TypedModelPatch>> {
    if product.norm.is_some() {
        return Ok(None);
    }
    join_norm(model, node, name, |norm| product.after(norm))
}

fn join_norm_of_gated_mlp(
    _context: &(),
    model: &TypedModel,
    node: &TypedNode,
    name: &str,
    layer: &GatedMlp,
) -> TractResult<Option<TypedModelPatch>> {
    if layer.norm.is_some() {
        return Ok(None);
    }
    join_norm(model, node, name, |norm| layer.after(norm))
}

/// Puts what `after` makes of a norm in place of that norm and of `node`, which multiplies its rows.
fn join_norm<T: Into<Box<dyn TypedOp>>>(
    model: &TypedModel,
    node: &TypedNode,
    name: &str,
    after: impl FnOnce(&NormSpec) -> T,
) -> TractResult<Option<TypedModelPatch>> {
    let &[normed] = &*node.inputs else {
        return Ok(None);
    };
    let maker = model.node(normed.node);
    let only = maker.outputs[0].successors.len() == 1 && !model.outputs.contains(&normed);
    let (Some(norm), true, 0) = (maker.op_as::<SimplifiedLayerNorm>(), only, normed.slot) else {
        return Ok(None);
    };
    let mut patch = TypedModelPatch::default();
    let inputs = patch.taps(model, &maker.inputs)?;
    let out = patch.wire_node(name, after(&norm.spec), &inputs)?;
    patch.shunt_outside(model, node.id.into(), out[0])?;
    if let Some(&sum) = out.get(1) {
        patch.shunt_outside(model, OutletId::new(maker.id, 1), sum)?;
    }
    Ok(Some(patch))
}
