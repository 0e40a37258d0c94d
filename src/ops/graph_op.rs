//! What all operators share: from an ONNX node to a tract operator, and from there to a bound one.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

use super::projection::MatrixSpec;
use super::{Binding, Refusal};

/// An operator of [`super::OPERATORS`], made from an ONNX node.
pub(super) trait GraphOp: Bindable {
    /// Reads the node's attributes; refuses what cannot be run.
    fn from_node(node: &NodeProto) -> Result<Self, Refusal>;
}

/// An operator that [`super::bind`] hands its weights.
pub(super) trait Bindable: TypedOp + Clone + PartialEq {
    /// The matrices it multiplies with.
    fn matrices(&self) -> &[MatrixSpec] {
        &[]
    }

    /// Takes what the operator needs to run; refuses weights that disagree with the attributes.
    fn bind(&mut self, binding: &Binding<'_>) -> Result<(), Refusal>;

    /// Number of outputs.
    fn output_count(&self) -> usize {
        1
    }

    /// Shape of every output, given that of the first input.
    fn output_shape(&self, input: &[TDim]) -> TractResult<TVec<TDim>>;

    /// Whether there is one more output, of the shape of the first input: the sum that a norm in front has made.
    fn has_sum(&self) -> bool {
        false
    }
}

/// Facts of the f32 outputs.
pub(super) fn f32_facts<T: Bindable>(
    op: &T,
    inputs: &[&TypedFact],
) -> TractResult<TVec<TypedFact>> {
    let input = inputs.first().context("an operator without input")?;
    let input = input.shape.to_tvec();
    let shape = op.output_shape(&input)?;
    let outputs = (0..op.output_count()).map(|_| f32::fact(&shape));
    Ok(outputs
        .chain(op.has_sum().then(|| f32::fact(&input)))
        .collect())
}

/// A graph operator on tract's inference side.
#[derive(Debug, Clone)]
struct Inferred<T>(T);

impl<T: GraphOp> Expansion for Inferred<T> {
    fn name(&self) -> StaticName {
        self.0.name()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.0.output_count())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        for output in outputs {
            s.equals(&output.datum_type, f32::datum_type())?;
        }
        s.given(&inputs[0].shape, move |s, shape| {
            let shape = self.0.output_shape(&shape)?;
            for output in outputs {
                s.equals(&output.shape, ShapeFactoid::from(shape.iter().cloned()))?;
            }
            Ok(())
        })
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.0.clone(), inputs)
    }

    fn runs_out_of_plan(&self) -> bool {
        false
    }
}

/// What an operator gets by binding. Two operators that differ in nothing else are equal.
#[derive(Debug)]
pub(super) struct Bound<T>(Option<Arc<T>>);

impl<T> Clone for Bound<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Bound<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> PartialEq for Bound<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> Eq for Bound<T> {}

impl<T> Bound<T> {
    /// Sets it.
    pub(super) fn set(&mut self, value: T) {
        self.0 = Some(Arc::new(value));
    }

    /// What was set.
    pub(super) fn get(&self) -> TractResult<&T> {
        self.0
            .as_deref()
            .context("the operator has no weights: it was not bound")
    }
}

/// One operator of an edited graph: its name there, and what the graph's editor and tract need of it.
pub(super) struct Operator {
    pub(super) name: &'static str,
    pub(super) check: fn(&NodeProto) -> Result<(), Refusal>,
    pub(super) build: fn(&ParsingContext<'_>, &NodeProto) -> TractResult<Built>,
    pub(super) binder: Binder,
}

/// What [`super::bind`] needs of one operator; nothing comes back for nodes of others.
pub(super) struct Binder {
    pub(super) matrices: fn(&TypedNode) -> Option<&[MatrixSpec]>,
    pub(super) bind: fn(&mut TypedNode, &Binding<'_>) -> Option<Result<(), Refusal>>,
}

/// What tract's builders give: an operator and the names it closes over.
type Built = (Box<dyn InferenceOp>, Vec<String>);

impl Operator {
    /// The entry of operator `T`.
    pub(super) const fn of<T: GraphOp>(name: &'static str) -> Self {
        Self {
            name,
            check: check::<T>,
            build: build::<T>,
            binder: Binder::of::<T>(),
        }
    }
}

impl Binder {
    /// The binder of operator `T`.
    pub(super) const fn of<T: Bindable>() -> Self {
        Self {
            matrices: matrices::<T>,
            bind: bind::<T>,
        }
    }
}

/// The node's matrices if it is a `T`.
fn matrices<T: Bindable>(node: &TypedNode) -> Option<&[MatrixSpec]> {
    node.op_as::<T>().map(Bindable::matrices)
}

fn check<T: GraphOp>(node: &NodeProto) -> Result<(), Refusal> {
    T::from_node(node).map(drop)
}

fn build<T: GraphOp>(_context: &ParsingContext<'_>, node: &NodeProto) -> TractResult<Built> {
    let op = T::from_node(node).map_err(|Refusal(reason)| format_err!("{reason}"))?;
    Ok((expand(Inferred(op)), vec![]))
}

/// Binds the node if it is a `T`.
fn bind<T: Bindable>(node: &mut TypedNode, binding: &Binding<'_>) -> Option<Result<(), Refusal>> {
    node.op_as_mut::<T>().map(|op| op.bind(binding))
}

/// The weight with that index.
pub(super) fn weight<'a>(
    binding: &Binding<'a>,
    index: usize,
) -> Result<&'a super::Weight, Refusal> {
    let weights = binding.weights;
    weights.get(index).ok_or_else(|| {
        Refusal(format!(
            "weight {index} of {} does not exist",
            weights.len()
        ))
    })
}

/// Elements of an f32 tensor, in place.
pub(super) fn floats(tensor: &Tensor) -> TractResult<&[f32]> {
    tensor.try_as_plain_ram()?.as_slice::<f32>()
}

/// Rows and row length of a tensor seen as a matrix whose rows are its last axis.
pub(super) fn rows(tensor: &Tensor) -> TractResult<(usize, usize)> {
    let &[.., width] = tensor.shape() else {
        bail!("a scalar where rows were expected")
    };
    Ok((tensor.len().checked_div(width).unwrap_or(0), width))
}

/// An f32 tensor of zeros, filled in by `fill`.
pub(super) fn tensor(shape: &[usize], fill: impl FnOnce(&mut [f32])) -> TractResult<TValue> {
    let mut tensor = Tensor::zero::<f32>(shape)?;
    fill(tensor.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?);
    Ok(tensor.into_tvalue())
}
