//! `thinkd bench`: tokens a second of this model on this machine, as the engine would run it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;

use super::args::{BenchArgs, MqttArgs, SettingsArgs};
use super::failure::{Failure, Outcome};
use super::{logging, settings};
use crate::engine::EngineOptions;
use crate::model::{self, LanguageModel, ModelError, ModelInfo};

/// Measures, and prints the medians.
pub(super) fn run(args: &SettingsArgs, bench: &BenchArgs) -> Outcome {
    let config = settings::load(args, &MqttArgs::default(), settings::quiet())?;
    logging::start(config.log);
    let directory = settings::model_directory(&config)?;
    let plan = Plan {
        depth: bench.depth as usize,
        prompt: bench.prompt_tokens as usize,
        generate: bench.generate as usize,
    };
    let mut options = config.load_options();
    // Measuring deeper than the default context is what --depth is for.
    options.context_tokens = options
        .context_tokens
        .or(Some(plan.tokens().max(CONTEXT_MIN)));
    let mut loaded = model::load(&directory, &options).map_err(Failure::model)?;
    if plan.tokens() > loaded.model.context_tokens() {
        return Err(Failure::Settings(anyhow!(
            "depth, prompt and generated tokens are {} together, model.context_tokens is {}",
            plan.tokens(),
            loaded.model.context_tokens()
        )));
    }
    // The first run maps the weights and fills the caches; it does not count.
    measure(&mut loaded.model, &plan).map_err(anyhow::Error::from)?;
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        runs.push(measure(&mut loaded.model, &plan).map_err(anyhow::Error::from)?);
    }
    let report = Report {
        plan,
        prefill: median(runs.iter().map(|run| rate(plan.prompt, run.prefill))),
        decode: median(runs.iter().map(|run| rate(plan.generate, run.decode))),
        runs: runs.len(),
        peak_bytes: peak_memory_bytes(),
    };
    let text = if bench.json {
        report.as_json(&loaded.info)?
    } else {
        report.as_table(&loaded.info)
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// How many tokens of what.
#[derive(Debug, Clone, Copy)]
struct Plan {
    depth: usize,
    prompt: usize,
    generate: usize,
}

impl Plan {
    fn tokens(&self) -> usize {
        self.depth + self.prompt + self.generate
    }
}

/// How long one run took.
struct Run {
    prefill: Duration,
    decode: Duration,
}

/// Reads `depth` tokens unmeasured, then measures reading and writing.
fn measure(model: &mut dyn LanguageModel, plan: &Plan) -> Result<Run, ModelError> {
    let vocabulary = model.vocab_size();
    // Any tokens will do: the arithmetic does not depend on which. Odd strides visit the whole embedding.
    let token = |i: usize| u32::try_from((i * 7919 + 17) % vocabulary).unwrap_or(0);
    let tokens: Vec<u32> = (0..plan.tokens()).map(token).collect();
    let (before, rest) = tokens.split_at(plan.depth);
    let (prompt, generated) = rest.split_at(plan.prompt);
    let chunk = EngineOptions::default().prefill_chunk_tokens;
    model.truncate(0);
    for chunk in before.chunks(chunk) {
        model.forward(chunk)?;
    }
    let start = Instant::now();
    for chunk in prompt.chunks(chunk) {
        model.forward(chunk)?;
    }
    let prefill = start.elapsed();
    let start = Instant::now();
    for token in generated {
        model.forward(std::slice::from_ref(token))?;
    }
    Ok(Run {
        prefill,
        decode: start.elapsed(),
    })
}

/// What was found.
struct Report {
    plan: Plan,
    prefill: f64,
    decode: f64,
    runs: usize,
    peak_bytes: Option<usize>,
}

impl Report {
    fn as_table(&self, info: &ModelInfo) -> String {
        let Plan {
            depth,
            prompt,
            generate,
        } = self.plan;
        let mut table = String::new();
        let rows = [
            (
                "model",
                format!(
                    "{} ({}, {} layers)",
                    info.name, info.architecture, info.layers
                ),
            ),
            (
                "kernels",
                format!("{}, {} threads", info.kernels, info.threads),
            ),
            (
                "prefill",
                format!(
                    "{:.1} tokens/s ({prompt} tokens at depth {depth})",
                    self.prefill
                ),
            ),
            (
                "decode",
                format!(
                    "{:.1} tokens/s ({generate} tokens at depth {})",
                    self.decode,
                    depth + prompt
                ),
            ),
            ("runs", format!("{}, median", self.runs)),
            (
                "peak memory",
                self.peak_bytes.map_or_else(
                    || "unknown".to_owned(),
                    |bytes| format!("{} MiB", bytes.div_ceil(1 << 20)),
                ),
            ),
        ];
        for (name, text) in rows {
            let _ = writeln!(table, "{name:12}  {text}");
        }
        table
    }

    fn as_json(&self, info: &ModelInfo) -> anyhow::Result<String> {
        let object = json!({
            "model": info.name,
            "architecture": info.architecture,
            "layers": info.layers,
            "kernels": info.kernels,
            "threads": info.threads,
            "depth_tokens": self.plan.depth,
            "prompt_tokens": self.plan.prompt,
            "generated_tokens": self.plan.generate,
            "runs": self.runs,
            "prefill_tokens_per_second": self.prefill,
            "decode_tokens_per_second": self.decode,
            "peak_memory_bytes": self.peak_bytes,
        });
        let mut text = serde_json::to_string_pretty(&object).context("the report as JSON")?;
        text.push('\n');
        Ok(text)
    }
}

fn rate(tokens: usize, time: Duration) -> f64 {
    tokens as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// The middle one; of an even number, the mean of the two in the middle. 0 of none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Most memory this process ever held, mapped files included; nothing where the kernel does not tell.
fn peak_memory_bytes() -> Option<usize> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    usize::try_from(usage.max_rss()).ok()?.checked_mul(1024)
}

/// A short run gets a context as a daemon would have.
const CONTEXT_MIN: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([].into_iter()), 0.0);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
    }

    #[test]
    fn the_peak_covers_what_was_held() {
        let held = vec![1u8; 32 << 20];
        assert!(peak_memory_bytes().unwrap() >= held.len());
    }

    #[test]
    fn measures_what_was_asked_for_within_the_vocabulary() {
        let model = model::testing::ScriptedModel::from_fn(64, |_| 1);
        let record = model.record();
        let mut model: Box<dyn LanguageModel> = Box::new(model);
        let plan = Plan {
            depth: 3,
            prompt: 5,
            generate: 2,
        };
        measure(model.as_mut(), &plan).unwrap();
        measure(model.as_mut(), &plan).unwrap();
        let lengths: Vec<usize> = record.chunks().iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 5, 1, 1, 3, 5, 1, 1]);
    }
}
