//! Every operator against ONNX Runtime's outputs for the same one-node graph (`tests/data/ops`).
//!
//! The cases are found where they lie, so a new one needs no new line here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::model::TypedSimpleState;

use crate::kernels::{Kernels, Threads, set};
use crate::model::directory::{GraphNames, ModelDirectory, SearchDefaults};
use crate::model::graph;
use crate::model::weight_map::WeightFiles;
use crate::ops::{self, Activations, Binding, KvPrecision, Runtime, Segment, Turn};

#[path = "../../tests/support/npy.rs"]
mod npy;
use npy::Npy;

/// Room in the cache: what the shortest cos/sin table of the cases holds.
const CONTEXT_TOKENS: usize = 16;

/// Operator outputs are about 1; the f32 sums differ in order only.
const TOLERANCE_F32: f32 = 2e-5;
/// With 8-bit activations a rounding may flip here and there: relative to the output's size.
const TOLERANCE_INT8: f32 = 2e-2;

/// Inputs that the attention operator's own cache replaces.
const REPLACED: &[&str] = &[
    "past_key",
    "past_value",
    "seqlens_k",
    "total_sequence_length",
    "position_ids",
];

struct Case {
    path: PathBuf,
}

impl Case {
    fn all(operator: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data/ops")
            .join(operator);
        let mut cases: Vec<Self> = std::fs::read_dir(&root)
            .unwrap_or_else(|e| panic!("{}: {e}", root.display()))
            .map(|entry| Self {
                path: entry.unwrap().path(),
            })
            .filter(Self::counts_up)
            .collect();
        assert!(!cases.is_empty(), "{}", root.display());
        cases.sort_by(|a, b| a.path.cmp(&b.path));
        cases
    }

    fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    fn npy(&self, name: &str) -> Option<Npy> {
        let path = self.path.join(format!("{name}.npy"));
        path.exists().then(|| Npy::read(&path))
    }

    /// Whether every batch has positions that count up from the same one: all that a run of thinkd has.
    fn counts_up(&self) -> bool {
        let Some(ids) = self.npy("in.position_ids") else {
            return true;
        };
        let (first, tokens) = (ids.i64s()[0], *ids.shape.last().unwrap());
        let expected = (first..).take(tokens);
        ids.shape.len() == 1
            || ids
                .i64s()
                .chunks(tokens)
                .all(|batch| batch.iter().copied().eq(expected.clone()))
    }

    fn past_tokens(&self) -> usize {
        let past_key = self.npy("in.past_key").map(|past| past.shape[2]);
        let first = self
            .npy("in.position_ids")
            .map(|ids| usize::try_from(ids.i64s()[0]).unwrap());
        past_key.or(first).unwrap_or(0)
    }

    /// The case's graph as a plan, and the names of its inputs.
    fn plan(&self, runtime: &Arc<Runtime>) -> (TypedSimpleState, Vec<String>) {
        let mut framework = onnx()
            .with_ignore_value_info(true)
            .with_ignore_output_shapes(true);
        ops::register(&mut framework);
        let graph_path = self.path.join("model.onnx");
        let mut proto = framework.proto_model_for_path(&graph_path).unwrap();
        let head_dim = self.npy("in.past_key").map_or(1, |past| past.shape[3]);
        let directory = directory(&self.path, head_dim);
        let inputs = &mut proto.graph.as_mut().unwrap().input;
        inputs.retain(|input| !REPLACED.contains(&input.name.as_str()));
        let names = inputs.iter().map(|input| input.name.clone()).collect();
        for input in inputs {
            f32_input(input);
        }
        let mut files = WeightFiles::new(&self.path);
        let edited = graph::edit_operator(proto, &directory, &mut files)
            .unwrap_or_else(|e| panic!("{}: {e}", self.name()));
        let parsed = framework.parse(&edited.proto, None).unwrap();
        let mut typed = parsed.model.into_typed().unwrap();
        let binding = Binding {
            weights: &edited.weights,
            packed: HashMap::new(),
            runtime: Arc::clone(runtime),
        };
        ops::bind(&mut typed, &binding).unwrap_or_else(|e| panic!("{}: {e:?}", self.name()));
        let state = typed
            .into_optimized()
            .unwrap()
            .into_runnable()
            .unwrap()
            .spawn()
            .unwrap();
        (state, names)
    }

    /// Runs the case and returns the largest difference from ONNX Runtime, over all outputs, relative to `size`
    /// of the output (its largest value, at least 1).
    fn difference(&self, runtime: &Arc<Runtime>) -> f32 {
        let (mut state, names) = self.plan(runtime);
        let past_tokens = self.past_tokens();
        if let (Some(keys), Some(values)) = (self.npy("in.past_key"), self.npy("in.past_value")) {
            let rows = (&*keys.f32s(), &*values.f32s());
            ops::restore_caches(&mut state, &runtime.kernels, rows, past_tokens);
        }
        let first = self.npy(&format!("in.{}", names[0])).unwrap();
        let tokens = first.shape.iter().rev().nth(1).copied().unwrap_or(1);
        state.turn_state.shared.insert(Turn {
            segments: vec![Segment {
                lane: 0,
                past_tokens,
                tokens,
            }],
        });
        let inputs = names
            .iter()
            .map(|name| {
                let npy = self.npy(&format!("in.{name}")).unwrap();
                match npy.is_float() {
                    true => Tensor::from_shape(&npy.shape, &npy.f32s())
                        .unwrap()
                        .into_tvalue(),
                    false => Tensor::from_shape(&npy.shape, &npy.i64s())
                        .unwrap()
                        .into_tvalue(),
                }
            })
            .collect();
        let outputs = state
            .run(inputs)
            .unwrap_or_else(|e| panic!("{}: {e:#}", self.name()));
        let expected: HashMap<&str, Npy> = ["output", "Y", "input_skip_bias_sum"]
            .into_iter()
            .filter_map(|name| Some((name, self.npy(&format!("out.{name}"))?)))
            .collect();
        let mut worst = 0f32;
        let ordered = ["output", "Y", "input_skip_bias_sum"]
            .iter()
            .filter_map(|n| expected.get(n));
        let mut compared = 0;
        for (ours, theirs) in outputs.iter().zip(ordered) {
            assert_eq!(ours.shape(), theirs.shape, "{}", self.name());
            let ours = ours.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap();
            let theirs = theirs.f32s();
            let size = theirs.iter().fold(1f32, |a, b| a.max(b.abs()));
            for (a, b) in ours.iter().zip(&theirs) {
                assert!(a.is_finite(), "{}", self.name());
                worst = worst.max((a - b).abs() / size);
            }
            compared += 1;
        }
        assert_eq!(compared, expected.len(), "{}", self.name());
        worst
    }
}

fn f32_input(input: &mut tract_onnx::pb::ValueInfoProto) {
    use tract_onnx::pb::type_proto::Value;
    let Some(Value::TensorType(tensor)) = input.r#type.as_mut().and_then(|t| t.value.as_mut())
    else {
        panic!("{} is no tensor", input.name);
    };
    if tensor.elem_type == 10 {
        tensor.elem_type = 1;
    }
}

fn directory(path: &Path, head_dim: usize) -> ModelDirectory {
    ModelDirectory {
        path: path.to_owned(),
        name: String::new(),
        architecture: String::new(),
        graph_path: path.join("model.onnx"),
        context_tokens: CONTEXT_TOKENS,
        vocab_size: 1,
        layers: 1,
        kv_heads: 1,
        head_dim,
        eos_token_ids: vec![0],
        bos_token: String::new(),
        eos_token: String::new(),
        chat_template: String::new(),
        chat_template_path: PathBuf::new(),
        search: SearchDefaults::default(),
        io: GraphNames {
            input_ids: "input_ids".into(),
            position_ids: "position_ids".into(),
            logits: "output".into(),
        },
    }
}

fn runtime(kernels: Kernels, threads: usize) -> Arc<Runtime> {
    Arc::new(Runtime {
        kernels,
        threads: Threads::new(threads),
        activations: Activations::Auto,
        kv_cache: KvPrecision::F32,
        context_tokens: CONTEXT_TOKENS,
        lanes: 1,
        profile: Default::default(),
        scratch: Default::default(),
    })
}

/// Runs every case of `operator` on every kernel set, on one thread and on two.
fn check(operator: &str, tolerance: impl Fn(&str) -> f32) {
    for kernels in set::supported() {
        for threads in [1, 2] {
            let runtime = runtime(kernels, threads);
            for case in Case::all(operator) {
                let (found, name) = (case.difference(&runtime), case.name());
                let allowed = tolerance(&name);
                assert!(
                    found <= allowed,
                    "{operator}/{name} {}: {found:e}",
                    kernels.name()
                );
            }
        }
    }
}

#[test]
fn mat_mul_nbits_equals_onnx_runtime() {
    check("MatMulNBits", |name| {
        if name.ends_with("level4") {
            TOLERANCE_INT8
        } else {
            TOLERANCE_F32
        }
    });
}

#[test]
fn group_query_attention_equals_onnx_runtime() {
    check("GroupQueryAttention", |_| TOLERANCE_F32);
}

#[test]
fn rotary_embedding_equals_onnx_runtime() {
    check("RotaryEmbedding", |_| TOLERANCE_F32);
}

#[test]
fn gather_block_quantized_equals_onnx_runtime() {
    check("GatherBlockQuantized", |_| TOLERANCE_F32);
}

#[test]
fn simplified_layer_normalization_equals_onnx_runtime() {
    check("SimplifiedLayerNormalization", |_| TOLERANCE_F32);
}

#[test]
fn skip_simplified_layer_normalization_equals_onnx_runtime() {
    check("SkipSimplifiedLayerNormalization", |_| TOLERANCE_F32);
}
