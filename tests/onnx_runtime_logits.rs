//! Logits against ONNX Runtime's on the same files, for every variant in `tests/data`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its data has failed"
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
        let bound = (2.0 * yardstick(&name)).max(1e-4);
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

fn argmax(logits: &[f32]) -> u32 {
    let best = logits
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1))
        .unwrap()
        .0;
    u32::try_from(best).unwrap()
}
