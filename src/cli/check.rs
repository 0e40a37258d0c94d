//! `thinkd check`: what would be done with these settings, and whether it can be. Starts nothing.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::args::{CheckArgs, SettingsArgs};
use super::failure::Outcome;
use super::{loading, logging, settings};
use crate::config::Config;
use crate::kernels::{self, Kernels};
use crate::model::{MachineMemory, ModelInfo};

/// Reads the settings, loads the model, and tells what was found.
pub(super) fn run(args: &SettingsArgs, check: &CheckArgs) -> Outcome {
    let config = settings::load(args, &check.mqtt, settings::quiet())?;
    logging::start(config.log);
    let directory = settings::model_directory(&config)?;
    let loaded = loading::look(&config, &directory)?;
    let mut findings = findings(&config, &directory, &loaded.info);
    findings.extend(warnings(&config));
    let text = if check.json {
        as_json(findings)?
    } else {
        as_table(&findings)
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// One finding: its name, the value for programs, the text for people.
struct Finding(&'static str, Value, String);

fn findings(config: &Config, directory: &Path, info: &ModelInfo) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut tell = |name, value: Value, text: String| found.push(Finding(name, value, text));
    let file = config.file.as_ref().map(|file| file.display().to_string());
    let shown = file
        .clone()
        .unwrap_or_else(|| "none, the defaults hold".to_owned());
    tell("configuration", json!(file), shown);
    let broker = config.mqtt.broker.to_string();
    tell("broker", json!(broker), broker.clone());
    let base = config.mqtt.topics.base();
    tell(
        "topics",
        json!(base),
        format!("{base}/ask, {base}/answer, …"),
    );
    let path = directory.display().to_string();
    tell("model_directory", json!(path), path.clone());
    let model = json!({
        "name": info.name,
        "architecture": info.architecture,
        "layers": info.layers,
        "vocabulary_tokens": info.vocab_size,
    });
    let text = format!(
        "{}: {}, {} layers, vocabulary of {} tokens",
        info.name, info.architecture, info.layers, info.vocab_size
    );
    tell("model", model, text);
    tell(
        "context_tokens",
        json!(info.context_tokens),
        info.context_tokens.to_string(),
    );
    let text = format!("{} at once", info.lanes);
    tell("streams", json!(info.lanes), text);
    let machine = MachineMemory::read();
    let memory = json!({
        "weight_bytes": info.weight_bytes,
        "kv_cache_bytes": info.kv_cache_bytes,
        "available_bytes": machine.map(|machine| machine.available_bytes),
        "total_bytes": machine.map(|machine| machine.total_bytes),
    });
    tell("memory", memory, memory_text(info, machine));
    let packed = info.packed.to_string();
    tell("packed_weights", json!(packed), packed.clone());
    let supported: Vec<&str> = kernels::set::supported()
        .iter()
        .map(Kernels::name)
        .collect();
    let text = format!(
        "{} (this processor can run {})",
        info.kernels,
        supported.join(", ")
    );
    tell(
        "kernels",
        json!({ "chosen": info.kernels, "supported": supported }),
        text,
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let text = format!("{} (this process may use {cores} cores)", info.threads);
    tell(
        "threads",
        json!({ "chosen": info.threads, "cores": cores }),
        text,
    );
    let seconds = info.load_duration.as_secs_f64();
    tell("load_seconds", json!(seconds), format!("{seconds:.3}"));
    found
}

/// What is worth a second look, where there is anything.
fn warnings(config: &Config) -> Option<Finding> {
    let warnings = &config.warnings;
    let text = warnings.join("; ");
    (!warnings.is_empty()).then(|| Finding("warnings", json!(warnings), text))
}

fn memory_text(info: &ModelInfo, machine: Option<MachineMemory>) -> String {
    let needed = info.weight_bytes + info.kv_cache_bytes;
    let mut text = format!(
        "{} MiB needed ({} weights, mapped; {} key-value cache)",
        mebibytes(needed),
        mebibytes(info.weight_bytes),
        mebibytes(info.kv_cache_bytes)
    );
    if let Some(machine) = machine {
        let available = machine.available_bytes;
        let _ = write!(
            text,
            ", {} MiB available of {}",
            mebibytes(available),
            mebibytes(machine.total_bytes)
        );
        if needed > available {
            text.push_str("; TOO LITTLE now: weights will be read from the file again and again");
        }
    }
    text
}

/// Rounded up, so that nothing is shown as 0.
fn mebibytes(bytes: usize) -> usize {
    bytes.div_ceil(1 << 20)
}

fn as_table(findings: &[Finding]) -> String {
    let width = findings
        .iter()
        .map(|finding| finding.0.len())
        .max()
        .unwrap_or(0);
    let mut table = String::new();
    for Finding(name, _, text) in findings {
        let name = name.replace('_', " ");
        let _ = writeln!(table, "{name:width$}  {text}");
    }
    table
}

fn as_json(findings: Vec<Finding>) -> anyhow::Result<String> {
    let object: Map<String, Value> = findings
        .into_iter()
        .map(|Finding(name, value, _)| (name.to_owned(), value))
        .collect();
    let mut text = serde_json::to_string_pretty(&object).context("the findings as JSON")?;
    text.push('\n');
    Ok(text)
}
