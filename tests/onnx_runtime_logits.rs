//! Logits against ONNX Runtime's on the same files, for every variant in `tests/data`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot read its data has failed; what was measured or skipped is told"
)]

mod support {
    pub(crate) mod npy;
}

use std::path::{Path, PathBuf};

use support::npy::Npy;
use thinkd::model::{Activations, LanguageModel, LoadOptions, TractModel};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn variants() -> Vec<PathBuf> {
    let mut variants: Vec<PathBuf> = std::fs::read_dir(data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("reference/prompt_ids.npy").exists())
        .collect();
    assert!(!variants.is_empty());
    variants.sort();
    variants
}

fn load(directory: &Path, activations: Activations) -> Result<TractModel, String> {
    let options = LoadOptions {
        activations,
        threads: 2,
        all_logits: true,
        ..LoadOptions::default()
    };
    match thinkd::model::load(directory, &options) {
        Ok(loaded) => Ok(loaded.model),
        Err(error) => Err(error.to_string()),
    }
}

struct Reference {
    prompt: Vec<u32>,
    steps: Vec<u32>,
    positions: Vec<usize>,
    directory: PathBuf,
}

impl Reference {
    fn of(variant: &Path) -> Self {
        let directory = variant.join("reference");
        let read = |name: &str| Npy::read(&directory.join(name));
        Self {
            prompt: read("prompt_ids.npy").tokens(),
            steps: read("step_ids.npy").tokens(),
            positions: read("prompt_positions.npy")
                .i64s()
                .into_iter()
                .map(|p| usize::try_from(p).unwrap())
                .collect(),
            directory,
        }
    }

    fn logits(&self, name: &str) -> Vec<f32> {
        Npy::read(&self.directory.join(name)).f32s()
    }

    /// Our logits where the reference has them: prompt positions, then each step.
    fn run(&self, model: &mut TractModel, chunk: usize) -> (Vec<f32>, Vec<f32>) {
        let vocab_size = model.vocab_size();
        let mut rows = Vec::new();
        for tokens in self.prompt.chunks(chunk) {
            let logits = model.forward_all(tokens).unwrap().to_vec();
            // A graph that prunes its head gives one row a run: pad, so that positions stay what they are.
            rows.resize(
                rows.len() + tokens.len() * vocab_size - logits.len(),
                f32::NAN,
            );
            rows.extend(logits);
        }
        let prompt = self
            .positions
            .iter()
            .flat_map(|p| rows[p * vocab_size..(p + 1) * vocab_size].to_vec())
            .collect();
        let mut steps = Vec::new();
        for &token in &self.steps {
            steps.extend_from_slice(model.forward(&[token]).unwrap());
        }
        (prompt, steps)
    }
}

fn max_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

/// Root of the summed squares of the differences, relative to that of the reference.
fn relative_difference(ours: &[f32], theirs: &[f32]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let difference = square(
        &mut ours
            .iter()
            .zip(theirs)
            .map(|(a, b)| f64::from(*a) - f64::from(*b)),
    );
    (difference / square(&mut theirs.iter().map(|v| f64::from(*v)))).sqrt()
}

#[test]
fn every_variant_with_f32_activations_in_one_go_in_chunks_and_step_by_step() {
    let mut failures = Vec::new();
    for variant in variants() {
        let name = variant.file_name().unwrap().to_string_lossy().into_owned();
        let reference = Reference::of(&variant);
        let mut model = match load(&variant, Activations::F32) {
            Ok(model) => model,
            Err(error) => {
                failures.push(format!("{name}: {error}"));
                continue;
            }
        };
        for chunk in [24, 7, 1] {
            model.truncate(0);
            let (prompt, steps) = reference.run(&mut model, chunk);
            let p = max_difference(&prompt, &reference.logits("f32_prompt_logits.npy"));
            let s = max_difference(&steps, &reference.logits("f32_step_logits.npy"));
            println!("{name} chunk {chunk}: prompt {p:.1e} steps {s:.1e}");
            if !(p <= 1e-4 && s <= 1e-4) {
                failures.push(format!(
                    "{name} chunk {chunk}: prompt {p:.1e} steps {s:.1e}"
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// ONNX Runtime's own difference between 8-bit and f32 activations, per variant: the yardstick of the bound.
fn yardstick(variant: &str) -> f64 {
    let text = std::fs::read_to_string(data().join("yardstick.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json[variant]["exported_vs_f32_relative_error"]
        .as_f64()
        .unwrap()
}

/// Relative rounding error of half precision, which keys and values are kept in unless the activations are f32.
const HALF_PRECISION: f64 = 1.0 / 2048.0;

/// With 8-bit activations a rounding flips where two runtimes add in another order, and single logits differ.
/// So the bound is statistical: over all logits together, at most twice what ONNX Runtime differs from itself,
/// and the same greedy tokens (the references were chosen so that their best two logits lie well apart).
#[test]
fn every_variant_as_exported_within_the_statistical_bound_and_with_the_same_greedy_tokens() {
    let mut failures = Vec::new();
    for variant in variants() {
        let name = variant.file_name().unwrap().to_string_lossy().into_owned();
        let reference = Reference::of(&variant);
        let mut model = match load(&variant, Activations::Auto) {
            Ok(model) => model,
            Err(error) => {
                failures.push(format!("{name}: {error}"));
                continue;
            }
        };
        let vocab_size = model.vocab_size();
        let (prompt, steps) = reference.run(&mut model, 24);
        let p = relative_difference(&prompt, &reference.logits("exported_prompt_logits.npy"));
        let s = relative_difference(&steps, &reference.logits("exported_step_logits.npy"));
        let bound = (2.0 * yardstick(&name)).max(HALF_PRECISION);
        println!("{name}: prompt {p:.1e} steps {s:.1e} bound {bound:.1e}");
        if !(p <= bound && s <= bound) {
            failures.push(format!(
                "{name}: prompt {p:.1e} steps {s:.1e} bound {bound:.1e}"
            ));
        }
        let last = prompt.len() - vocab_size;
        let ours: Vec<u32> = std::iter::once(&prompt[last..])
            .chain(steps.chunks(vocab_size))
            .take(reference.steps.len())
            .map(argmax)
            .collect();
        if ours != reference.steps {
            failures.push(format!(
                "{name}: greedy {ours:?}, expected {:?}",
                reference.steps
            ));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Directories beside the repository, larger than those in it; nothing where they are not there.
fn shared_model(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/models")
        .join(name);
    if !path.join("model.onnx").exists() {
        println!("skipped: there is no ../shared/models/{name}");
        return None;
    }
    Some(path)
}

#[test]
fn the_shared_mini_model_equals_its_references() {
    let Some(path) = shared_model("mini-qwen2") else {
        return;
    };
    let read = |name: &str| Npy::read(&path.join("reference").join(name));
    let prompt = read("prompt_ids.npy").tokens();
    let steps = read("ort_int4_acc4_greedy_ids.npy").tokens();
    for (activations, kind) in [(Activations::F32, "fp32act"), (Activations::Auto, "acc4")] {
        let mut model = load(&path, activations).unwrap();
        for chunk in [prompt.len(), 5, 1] {
            model.truncate(0);
            let mut ours = Vec::new();
            for tokens in prompt.chunks(chunk) {
                ours.extend_from_slice(model.forward_all(tokens).unwrap());
            }
            let mut greedy = vec![argmax(&ours[ours.len() - model.vocab_size()..])];
            let mut stepped = Vec::new();
            for &token in &steps {
                stepped.extend_from_slice(model.forward(&[token]).unwrap());
                greedy.push(argmax(&stepped[stepped.len() - model.vocab_size()..]));
            }
            for (found, name) in [(&ours, "prompt"), (&stepped, "step")] {
                let expected = read(&format!("ort_int4_{kind}_{name}_logits.npy")).f32s();
                let absolute = max_difference(found, &expected);
                let relative = relative_difference(found, &expected);
                println!("{kind} chunk {chunk} {name}: {absolute:.1e}, relative {relative:.1e}");
                if activations == Activations::F32 {
                    assert!(absolute <= 1e-4, "{name} chunk {chunk}: {absolute:e}");
                } else {
                    assert!(relative <= 0.05, "{name} chunk {chunk}: {relative:e}");
                }
            }
            if activations == Activations::Auto {
                assert_eq!(greedy[..steps.len()], steps);
            }
        }
    }
}

/// The same weights through another option and an older version of the builder. (The QDQ form rounds them otherwise;
/// its own reference is in `tests/data`.)
#[test]
fn the_shared_mini_models_other_forms_give_the_same_logits() {
    let Some(path) = shared_model("mini-qwen2") else {
        return;
    };
    let prompt = Npy::read(&path.join("reference/prompt_ids.npy")).tokens();
    let mut model = load(&path, Activations::F32).unwrap();
    let expected = model.forward(&prompt).unwrap().to_vec();
    for form in ["older-export", "pruned-head"] {
        let Some(path) = shared_model(&format!("mini-qwen2-{form}")) else {
            continue;
        };
        let mut model = load(&path, Activations::F32).unwrap();
        let difference = max_difference(model.forward(&prompt).unwrap(), &expected);
        println!("{form}: {difference:.1e}");
        assert!(difference <= 1e-4, "{form}: {difference:e}");
    }
}

fn argmax(logits: &[f32]) -> u32 {
    let best = logits
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1))
        .unwrap()
        .0;
    u32::try_from(best).unwrap()
}
