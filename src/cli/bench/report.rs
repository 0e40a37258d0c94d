//! What `thinkd bench` found, as a table and as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};

use super::{Plan, Run};
use crate::cli::statistics::median;
use crate::model::ModelInfo;

/// What was found.
pub(super) struct Report {
    pub(super) plan: Plan,
    pub(super) depths: Vec<Depth>,
    pub(super) memory: Memory,
}

/// Medians at one depth.
pub(super) struct Depth {
    depth: usize,
    prefill: f64,
    /// Of all streams together.
    decode: f64,
    time_to_first_token: f64,
    /// Bytes a second.
    read_bandwidth: Option<f64>,
    /// Of what the memory can deliver.
    bandwidth_share: Option<f64>,
    /// Share of a step outside the kernels.
    overhead: f64,
}

impl Depth {
    pub(super) fn of(plan: &Plan, depth: usize, runs: &[Run], info: &ModelInfo) -> Self {
        let decoded = plan.generate * plan.streams;
        let decode = median(runs.iter().map(|run| rate(decoded, run.decode)));
        let read_bandwidth = runs
            .iter()
            .map(|run| run.read_bandwidth)
            .collect::<Option<Vec<_>>>()
            .map(|found| median(found.into_iter()));
        // A step reads the weights once for all streams, and of each stream the context so far.
        let context = info.kv_cache_bytes_per_token * (depth + plan.generate / 2) * plan.streams;
        let step_bytes = (info.step_weight_bytes + context) as f64;
        let steps_per_second = decode / plan.streams as f64;
        Self {
            depth,
            prefill: median(runs.iter().map(|run| rate(plan.prompt, run.prefill))),
            decode,
            time_to_first_token: median(runs.iter().map(|run| run.prefill.as_secs_f64())),
            read_bandwidth,
            bandwidth_share: read_bandwidth.map(|bytes| step_bytes * steps_per_second / bytes),
            overhead: median(runs.iter().map(|run| run.overhead)),
        }
    }
}

/// Memory of this process, in bytes; nothing where the system does not tell.
pub(super) struct Memory {
    resident: Option<usize>,
    /// Most it ever was, mapped files included.
    peak: Option<usize>,
}

impl Memory {
    pub(super) fn read() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok();
        let kib = usage.and_then(|usage| usize::try_from(usage.max_rss()).ok());
        Self {
            resident: resident_bytes(),
            peak: kib.and_then(|kib| kib.checked_mul(1024)),
        }
    }
}

fn resident_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

impl Report {
    pub(super) fn as_table(&self, info: &ModelInfo) -> String {
        let plan = &self.plan;
        let mib = |bytes: Option<usize>| {
            bytes.map_or("unknown".to_owned(), |b| {
                format!("{} MiB", b.div_ceil(1 << 20))
            })
        };
        let mut table = String::new();
        let mut row = |name: &str, text: String| {
            let _ = writeln!(table, "{name:12}  {text}");
        };
        row(
            "model",
            format!(
                "{} ({}, {} layers)",
                info.name, info.architecture, info.layers
            ),
        );
        row(
            "kernels",
            format!("{}, {} threads", info.kernels, info.threads),
        );
        for (name, text) in self.depths.iter().flat_map(|depth| depth.rows(plan)) {
            row(name, text);
        }
        row("runs", format!("{}, median", plan.runs));
        row(
            "weights",
            format!("{} MiB a token", info.step_weight_bytes.div_ceil(1 << 20)),
        );
        row(
            "loading",
            format!("{:.2} s", info.load_duration.as_secs_f64()),
        );
        row(
            "memory",
            format!(
                "{}, at most {}",
                mib(self.memory.resident),
                mib(self.memory.peak)
            ),
        );
        table
    }

    pub(super) fn as_json(&self, info: &ModelInfo) -> anyhow::Result<String> {
        let mut object = json!({
            "model": info.name,
            "architecture": info.architecture,
            "layers": info.layers,
            "kernels": info.kernels,
            "threads": info.threads,
            "streams": self.plan.streams,
            "prompt_tokens": self.plan.prompt,
            "generated_tokens": self.plan.generate,
            "runs": self.plan.runs,
            "context_tokens": info.context_tokens,
            "load_seconds": info.load_duration.as_secs_f64(),
            "weight_bytes_per_token": info.step_weight_bytes,
            "weights_in_memory": info.weights_in_memory,
            "kv_cache_bytes": info.kv_cache_bytes,
            "peak_memory_bytes": self.memory.peak,
            "resident_memory_bytes": self.memory.resident,
            "depths": self.depths.iter().map(Depth::as_json).collect::<Vec<_>>(),
        });
        // The first depth again at the top: most reports have one.
        if let (Some(object), Some(Value::Object(first))) = (
            object.as_object_mut(),
            self.depths.first().map(Depth::as_json),
        ) {
            object.extend(first);
        }
        let mut text = serde_json::to_string_pretty(&object).context("the report as JSON")?;
        text.push('\n');
        Ok(text)
    }
}

impl Depth {
    /// Rows of the table.
    fn rows(&self, plan: &Plan) -> Vec<(&'static str, String)> {
        let Plan {
            prompt,
            generate,
            streams,
            ..
        } = plan;
        let depth = self.depth;
        let together = match streams {
            1 => String::new(),
            streams => format!(", {streams} streams together"),
        };
        let prefill = self.prefill;
        let first_token = self.time_to_first_token;
        let decode = self.decode;
        let mut rows = vec![
            (
                "prefill",
                format!("{prefill:.1} tokens/s ({prompt} tokens at depth {depth})"),
            ),
            (
                "first token",
                format!("{first_token:.3} s after a prompt of {prompt} tokens"),
            ),
            (
                "decode",
                format!("{decode:.1} tokens/s ({generate} tokens at depth {depth}{together})"),
            ),
        ];
        if let (Some(bandwidth), Some(share)) = (self.read_bandwidth, self.bandwidth_share) {
            let (percent, speed) = (share * 100.0, bandwidth / 1e9);
            rows.push((
                "bandwidth",
                format!("{percent:.0} % of the {speed:.1} GB/s this machine reads"),
            ));
        }
        let percent = self.overhead * 100.0;
        rows.push((
            "overhead",
            format!("{percent:.1} % of a step outside the kernels"),
        ));
        rows
    }

    fn as_json(&self) -> Value {
        json!({
            "depth_tokens": self.depth,
            "prefill_tokens_per_second": self.prefill,
            "time_to_first_token_seconds": self.time_to_first_token,
            "decode_tokens_per_second": self.decode,
            "read_bandwidth_bytes_per_second": self.read_bandwidth,
            "bandwidth_fraction": self.bandwidth_share,
            "overhead_fraction": self.overhead,
        })
    }
}

pub(super) fn rate(tokens: usize, time: Duration) -> f64 {
    tokens as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_covers_what_was_held() {
        let held = vec![1u8; 32 << 20];
        let memory = Memory::read();
        std::hint::black_box(&held);
        assert!(memory.peak.unwrap() >= held.len());
        assert!(memory.resident.unwrap() >= held.len());
    }
}
