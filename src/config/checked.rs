//! The configuration as it holds: typed, in range, and consistent in itself.

use std::path::{Path, PathBuf};

use crate::kernels::{Kernels, set};
use crate::model::{Activations, CachePlace, KvPrecision, Residence};
use crate::service::mqtt::{Topics, is_filter};

use super::broker::{Broker, check_device, parse_broker, topic_safe};
use super::layers::Layers;
use super::requests::{RequestsConfig, requests};
use super::secret::{Secret, read_secret};

/// A configuration that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file it was read from, where there was one.
    pub file: Option<PathBuf>,
    /// Which model.
    pub model: ModelConfig,
    /// How it computes and answers.
    pub engine: EngineConfig,
    /// Where questions come from.
    pub mqtt: MqttConfig,
    /// What is refused.
    pub limits: LimitsConfig,
    /// What holds for single clients, and prompts with names.
    pub requests: RequestsConfig,
    /// What is told about it all.
    pub log: LogConfig,
}

/// Which model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelConfig {
    /// Its directory; where it is not set, [`super::find_model`] looks for the shipped one.
    pub directory: Option<PathBuf>,
    /// Tokens the key-value cache has room for; where it is not set, the model decides.
    pub context_tokens: Option<usize>,
    /// Where its packed weights are kept.
    pub packed_cache: CachePlace,
    /// Where they are while it runs.
    pub weights: Residence,
}

/// How the model computes and answers.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineConfig {
    /// Threads that compute; 0 is one per core, on boards that mix cores one per big core.
    pub threads: usize,
    /// Whether each thread is held to a core of its own.
    pub pin_threads: bool,
    /// Name of the kernel set; where it is not set, the best for this processor.
    pub kernels: Option<String>,
    /// What activations are multiplied as.
    pub activations: Activations,
    /// What keys and values are kept as; by default as goes with the activations.
    pub kv_cache: Option<KvPrecision>,
    /// Most tokens of an answer whose request does not say.
    pub max_tokens: usize,
    /// Most tokens of its thought.
    pub max_think_tokens: Option<usize>,
    /// How tokens are chosen where the request does not say.
    pub sampling: SamplingConfig,
    /// What the model is told before every question.
    pub system_prompt: Option<String>,
}

/// How tokens are chosen; what is `None` is the model's to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingConfig {
    /// See [`crate::engine::SamplingOptions::temperature`].
    pub temperature: Option<f32>,
    /// See [`crate::engine::SamplingOptions::top_k`].
    pub top_k: Option<usize>,
    /// See [`crate::engine::SamplingOptions::top_p`].
    pub top_p: Option<f32>,
    /// See [`crate::engine::SamplingOptions::min_p`].
    pub min_p: Option<f32>,
    /// See [`crate::engine::SamplingOptions::repetition_penalty`].
    pub repetition_penalty: Option<f32>,
    /// See [`crate::engine::SamplingOptions::seed`].
    pub seed: u64,
}

/// Where questions come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttConfig {
    /// The broker.
    pub broker: Broker,
    /// What this board is called.
    pub device: String,
    /// Its topics.
    pub topics: Topics,
    /// What this client is called at the broker.
    pub client_id: String,
    /// Who it logs in as.
    pub username: Option<String>,
    /// And with which password.
    pub password: Option<Secret>,
    /// After how much silence a ping is sent.
    pub keep_alive_seconds: u16,
    /// Topic filters that answers may be asked for at, besides our own; empty allows all.
    pub reply_topics_allowed: Vec<String>,
}

/// What is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Longest request.
    pub payload_bytes_max: usize,
    /// Most requests that wait.
    pub queue_jobs_max: usize,
    /// Most bytes of requests that wait.
    pub queue_bytes_max: usize,
    /// Most tokens a request may ask for.
    pub max_tokens: usize,
    /// When an answer is too late, where neither the request nor its message says.
    pub deadline_seconds: Option<u64>,
    /// How long a stop waits for the answer under way.
    pub drain_seconds: u64,
}

/// What is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// The least important there is to be told.
    pub level: LogLevel,
    /// How it is written.
    pub format: LogFormat,
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What happens.
    Info,
    /// How it happens.
    Debug,
    /// Everything, texts of prompts included.
    Trace,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Directories that the service manager has set aside.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemDirectories<'a> {
    /// For what is secret.
    pub(super) credentials: Option<&'a Path>,
    /// For what outlasts a restart.
    pub(super) state: Option<&'a Path>,
}

/// Builds the configuration from what holds; notes in `layers` what does not go together. `None` only where
/// something was noted.
pub(super) fn check(
    layers: &mut Layers,
    file: Option<PathBuf>,
    hostname: &str,
    directories: SystemDirectories<'_>,
) -> Option<Config> {
    let mqtt = mqtt(layers, hostname, directories.credentials);
    let engine = engine(layers)?;
    if let Some(name) = &engine.kernels
        && Kernels::by_name(name).is_none()
    {
        let supported: Vec<&str> = set::supported().iter().map(Kernels::name).collect();
        let reason = format!(
            "\"{name}\" is not one of \"auto\", {}",
            supported.join(", ")
        );
        layers.refuse("engine", "kernels", reason);
    }
    let limits = limits(layers)?;
    if engine.max_tokens > limits.max_tokens {
        layers.refuse_order(("engine", "max_tokens"), ("limits", "max_tokens"));
    }
    let model = ModelConfig {
        directory: layers.text("model", "directory").map(PathBuf::from),
        context_tokens: layers.size("model", "context_tokens"),
        packed_cache: packed_cache(layers, directories.state),
        weights: match layers.text("model", "weights").as_deref() {
            Some("memory") => Residence::Memory,
            Some("mapped") => Residence::Mapped,
            _ => Residence::Auto,
        },
    };
    let requests = requests(layers, limits.max_tokens);
    let log = log(layers);
    Some(Config {
        file,
        model,
        engine,
        mqtt: mqtt?,
        limits,
        requests,
        log,
    })
}

fn packed_cache(layers: &Layers, state_directory: Option<&Path>) -> CachePlace {
    match layers.text("model", "packed_cache").as_deref() {
        None | Some(super::keys::AUTO) => CachePlace::Auto {
            state_directory: state_directory.map(Path::to_owned),
        },
        Some(super::keys::OFF) => CachePlace::Off,
        Some(directory) => CachePlace::Directory(PathBuf::from(directory)),
    }
}

fn engine(layers: &Layers) -> Option<EngineConfig> {
    Some(EngineConfig {
        threads: layers.size("engine", "threads")?,
        pin_threads: layers.is_true("engine", "pin_threads"),
        kernels: layers
            .text("engine", "kernels")
            .filter(|name| name != super::keys::AUTO),
        activations: match layers.text("engine", "activations").as_deref() {
            Some("int8") => Activations::Int8,
            Some("f32") => Activations::F32,
            _ => Activations::Auto,
        },
        kv_cache: match layers.text("engine", "kv_cache").as_deref() {
            Some("f16") => Some(KvPrecision::F16),
            Some("int8") => Some(KvPrecision::Int8),
            Some("f32") => Some(KvPrecision::F32),
            _ => None,
        },
        max_tokens: layers.size("engine", "max_tokens")?,
        max_think_tokens: layers.size("engine", "max_think_tokens"),
        sampling: SamplingConfig {
            temperature: layers.number("engine", "temperature"),
            top_k: layers.size("engine", "top_k"),
            top_p: layers.number("engine", "top_p"),
            min_p: layers.number("engine", "min_p"),
            repetition_penalty: layers.number("engine", "repetition_penalty"),
            seed: layers.size("engine", "seed")? as u64,
        },
        system_prompt: layers.text("engine", "system_prompt"),
    })
}

fn mqtt(layers: &mut Layers, hostname: &str, credentials: Option<&Path>) -> Option<MqttConfig> {
    let embedded_port = port(layers, "embedded_port")?;
    let broker = layers.text("mqtt", "broker").unwrap_or_default();
    let broker = parse_broker(&broker, embedded_port)
        .map_err(|reason| layers.refuse("mqtt", "broker", reason))
        .ok();
    if matches!(broker, Some(Broker::Embedded { .. })) && !cfg!(feature = "embedded-broker") {
        let reason = "this build has no embedded broker; write mqtt://host:port".to_owned();
        layers.refuse("mqtt", "broker", reason);
    }
    let device = layers
        .text("mqtt", "device")
        .unwrap_or_else(|| topic_safe(hostname));
    check_device(&device).unwrap_or_else(|reason| layers.refuse("mqtt", "device", reason));
    let base_topic = layers
        .text("mqtt", "base_topic")
        .unwrap_or_else(|| format!("thinkd/{device}"));
    let topics = Topics::with_base(&base_topic)
        .map_err(|error| layers.refuse("mqtt", "base_topic", error.to_string()))
        .ok();
    let client_id = layers
        .text("mqtt", "client_id")
        .unwrap_or_else(|| format!("thinkd-{device}"));
    let reply_topics_allowed = layers.list("mqtt", "reply_topics_allowed");
    for filter in reply_topics_allowed
        .iter()
        .filter(|filter| !is_filter(filter))
    {
        let reason =
            format!("\"{filter}\" is not a topic filter; + fills one level, # all that follow");
        layers.refuse("mqtt", "reply_topics_allowed", reason);
    }
    let username = layers.text("mqtt", "username");
    let password = layers.text("mqtt", "password_file").and_then(|path| {
        read_secret(Path::new(&path), credentials)
            .map_err(|reason| layers.refuse("mqtt", "password_file", reason))
            .ok()
    });
    if password.is_some() && username.is_none() {
        let reason = "is set, but mqtt.username is not".to_owned();
        layers.refuse("mqtt", "password_file", reason);
    }
    Some(MqttConfig {
        broker: broker?,
        device,
        topics: topics?,
        client_id,
        username,
        password,
        keep_alive_seconds: port(layers, "keep_alive_seconds")?,
        reply_topics_allowed,
    })
}

/// The value of a key of `[mqtt]` whose range is that of 16 bits.
fn port(layers: &Layers, name: &'static str) -> Option<u16> {
    layers
        .size("mqtt", name)
        .and_then(|number| u16::try_from(number).ok())
}

fn limits(layers: &mut Layers) -> Option<LimitsConfig> {
    let limits = LimitsConfig {
        payload_bytes_max: layers.size("limits", "payload_bytes_max")?,
        queue_jobs_max: layers.size("limits", "queue_jobs_max")?,
        queue_bytes_max: layers.size("limits", "queue_bytes_max")?,
        max_tokens: layers.size("limits", "max_tokens")?,
        deadline_seconds: layers
            .size("limits", "deadline_seconds")
            .map(|seconds| seconds as u64),
        drain_seconds: layers.size("limits", "drain_seconds")? as u64,
    };
    if limits.queue_bytes_max < limits.payload_bytes_max {
        layers.refuse_order(
            ("limits", "payload_bytes_max"),
            ("limits", "queue_bytes_max"),
        );
    }
    Some(limits)
}

fn log(layers: &Layers) -> LogConfig {
    LogConfig {
        level: match layers.text("log", "level").as_deref() {
            Some("error") => LogLevel::Error,
            Some("warn") => LogLevel::Warn,
            Some("debug") => LogLevel::Debug,
            Some("trace") => LogLevel::Trace,
            _ => LogLevel::Info,
        },
        format: match layers.text("log", "format").as_deref() {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Text,
        },
    }
}
