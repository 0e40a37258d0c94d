//! `thinkd bench`: tokens a second of this model on this machine, as the engine would run it.
//!
//! Decoding is also told as a share of what the machine's memory could deliver, measured in the same runs: every
//! token reads every weight once, so that share says how much is left to win.

mod report;

use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::args::{BenchArgs, MqttArgs, SettingsArgs};
use super::failure::{Failure, Outcome};
use super::{logging, settings};
use crate::engine::EngineOptions;
use crate::model::{self, KernelTime, LaneTurn, Lanes, LanguageModel, ModelError, TractModel};
use report::{Depth, Memory, Report};

/// Measures, and prints the medians.
pub(super) fn run(args: &SettingsArgs, bench: &BenchArgs) -> Outcome {
    let config = settings::load(args, &MqttArgs::default(), settings::quiet())?;
    logging::start(config.log);
    let directory = settings::model_directory(&config)?;
    let plan = Plan::of(bench);
    let mut options = config.load_options();
    // Measuring deeper than the default context is what --depth is for.
    options.context_tokens = options
        .context_tokens
        .or(Some(plan.tokens().max(CONTEXT_MIN)));
    options.lanes = Lanes::Exactly(plan.streams);
    let mut loaded = model::load(&directory, &options).map_err(Failure::model)?;
    if plan.tokens() > loaded.model.context_tokens() {
        return Err(Failure::Settings(anyhow!(
            "depth, prompt and generated tokens are {} together, model.context_tokens is {}",
            plan.tokens(),
            loaded.model.context_tokens()
        )));
    }
    let model = &mut loaded.model;
    // The first runs map the weights and fill the caches; they do not count.
    let deepest = plan.depths.iter().copied().max().unwrap_or(0);
    fill(model, &plan, deepest).map_err(anyhow::Error::from)?;
    measure(model, &plan, deepest).map_err(anyhow::Error::from)?;
    let memory = Memory::read();
    let stream = (!bench.no_bandwidth)
        .then(|| model.bytes_to_read(BANDWIDTH_BYTES))
        .transpose()
        .map_err(anyhow::Error::from)?;
    let mut depths = Vec::new();
    for &depth in &plan.depths {
        fill(model, &plan, depth).map_err(anyhow::Error::from)?;
        let mut runs = Vec::new();
        for _ in 0..plan.runs {
            let mut run = measure(model, &plan, depth).map_err(anyhow::Error::from)?;
            run.read_bandwidth = stream.as_ref().map(|s| best_read(model, s.bytes()));
            runs.push(run);
        }
        depths.push(Depth::of(&plan, depth, &runs, &loaded.info));
    }
    let report = Report {
        plan,
        depths,
        memory,
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
#[derive(Debug, Clone)]
struct Plan {
    depths: Vec<usize>,
    prompt: usize,
    generate: usize,
    streams: usize,
    runs: usize,
}

impl Plan {
    fn of(bench: &BenchArgs) -> Self {
        Self {
            depths: bench.depth.iter().map(|&depth| depth as usize).collect(),
            prompt: bench.prompt_tokens as usize,
            generate: bench.generate as usize,
            streams: bench.streams as usize,
            runs: bench.runs as usize,
        }
    }

    /// Most tokens in the context of a stream.
    fn tokens(&self) -> usize {
        self.depths.iter().max().unwrap_or(&0) + self.prompt.max(self.generate)
    }
}

/// How long one run took.
struct Run {
    prefill: Duration,
    decode: Duration,
    /// Of a step: its share outside the kernels.
    overhead: f64,
    /// Bytes a second.
    read_bandwidth: Option<f64>,
}

/// Any tokens will do: the arithmetic does not depend on which. Odd strides visit the whole embedding.
fn tokens(model: &dyn LanguageModel, count: usize) -> Vec<u32> {
    let vocabulary = model.vocab_size();
    (0..count)
        .map(|i| u32::try_from((i * 7919 + 17) % vocabulary).unwrap_or(0))
        .collect()
}

/// Reads `depth` tokens into every stream's cache.
fn fill(model: &mut TractModel, plan: &Plan, depth: usize) -> Result<(), ModelError> {
    let tokens = tokens(model, depth);
    let chunk = EngineOptions::default().prefill_chunk_tokens;
    for lane in 0..plan.streams {
        model.truncate_lane(lane, 0);
        for chunk in tokens.chunks(chunk) {
            model.forward_lanes(&[LaneTurn {
                lane,
                tokens: chunk,
            }])?;
        }
    }
    Ok(())
}

/// Measures reading and writing at `depth`, to which the caches have been filled.
fn measure(model: &mut TractModel, plan: &Plan, depth: usize) -> Result<Run, ModelError> {
    let tokens = tokens(model, plan.prompt.max(plan.generate));
    let chunk = EngineOptions::default().prefill_chunk_tokens;
    let start = Instant::now();
    for chunk in tokens[..plan.prompt].chunks(chunk) {
        model.forward(chunk)?;
    }
    let prefill = start.elapsed();
    model.truncate(depth);
    let start = Instant::now();
    decode(model, plan, &tokens)?;
    let decoding = start.elapsed();
    rewind(model, plan, depth);
    let start = Instant::now();
    let ((), kernels) = model.profiled(|model| decode(model, plan, &tokens))?;
    let overhead = overhead(start.elapsed(), kernels);
    rewind(model, plan, depth);
    Ok(Run {
        prefill,
        decode: decoding,
        overhead,
        read_bandwidth: None,
    })
}

/// Appends the tokens to every stream, one a step.
fn decode(model: &mut TractModel, plan: &Plan, tokens: &[u32]) -> Result<(), ModelError> {
    for token in &tokens[..plan.generate] {
        let tokens = std::slice::from_ref(token);
        let turns: Vec<_> = (0..plan.streams)
            .map(|lane| LaneTurn { lane, tokens })
            .collect();
        model.forward_lanes(&turns)?;
    }
    Ok(())
}

fn rewind(model: &mut TractModel, plan: &Plan, depth: usize) {
    for lane in 0..plan.streams {
        model.truncate_lane(lane, depth);
    }
}

/// Share of `all` outside the kernels. Measuring costs two looks at the clock a kernel, one of them inside: both are
/// taken off.
fn overhead(all: Duration, kernels: KernelTime) -> f64 {
    const LOOKS: u32 = 1000;
    let start = Instant::now();
    for _ in 0..LOOKS {
        black_box(Instant::now());
    }
    let looks = start.elapsed() / LOOKS * kernels.calls;
    let outside = all.saturating_sub(kernels.inside + looks);
    outside.as_secs_f64()
        / all
            .saturating_sub(2 * looks)
            .as_secs_f64()
            .max(f64::MIN_POSITIVE)
}

/// The best of a few passes over `bytes` with the model's threads: other work only slows.
fn best_read(model: &TractModel, bytes: &[u8]) -> f64 {
    (0..BANDWIDTH_PASSES)
        .map(|_| model.read_bandwidth(bytes))
        .fold(0.0, f64::max)
}

/// Much more than the caches of any processor this runs on.
const BANDWIDTH_BYTES: usize = 512 << 20;
const BANDWIDTH_PASSES: usize = 3;

/// A short run gets a context as a daemon would have.
const CONTEXT_MIN: usize = 512;
