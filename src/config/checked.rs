//! The configuration as it holds: typed, in range, and consistent in itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::engine::PrefixFolder;
use crate::kernels::{Kernels, set};
use crate::model::{Activations, CachePlace, KvPrecision, Residence};
use crate::service::mqtt::{Tls, TlsError, TlsFiles, Topics, is_filter};

use super::broker::{Broker, check_device, parse_broker, topic_safe};
use super::layers::Layers;
use super::requests::{RequestsConfig, requests};
use super::secret::{PASSWORD_CREDENTIAL, Secret, among_credentials, read_secret, readable_by_all};

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
    /// Where prompts and answers are kept; nowhere: they are lost with the process.
    pub store_directory: Option<PathBuf>,
    /// Where the beginnings of prompts are kept; none where they are not.
    pub prefixes: Option<PrefixFolder>,
    /// Whether and where Home Assistant is told of this board.
    pub home_assistant: HomeAssistantConfig,
    /// Where metrics can be read.
    pub metrics: MetricsConfig,
    /// What holds for single clients, and prompts with names.
    pub requests: RequestsConfig,
    /// What is told about it all.
    pub log: LogConfig,
    /// What can be used and is worth a second look, one sentence each.
    pub warnings: Vec<String>,
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
    /// Prompts that are answered at once; by default as many as the memory has room for.
    pub streams: Option<usize>,
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
    /// How the connection is encrypted.
    pub tls: Option<Tls>,
    /// After how much silence a ping is sent.
    pub keep_alive_seconds: u16,
    /// Topic filters that answers may be asked for at, besides our own; empty allows all.
    pub reply_topics_allowed: Vec<String>,
}

/// Whether and where Home Assistant is told of this board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeAssistantConfig {
    /// Whether it is.
    pub discovery: bool,
    /// What the topics of Home Assistant begin with.
    pub prefix: String,
}

/// Where metrics can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsConfig {
    /// Address and port; nowhere where there is none.
    pub listen: Option<SocketAddr>,
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
    /// Prompts a minute of each client.
    pub prompts_per_minute_max: Option<u32>,
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
    /// The same of the user, where there is no service manager.
    pub(super) user_state: Option<&'a Path>,
}

/// Builds the configuration from what holds; notes in `layers` what does not go together. `None` only where
/// something was noted.
pub(super) fn check(
    layers: &mut Layers,
    file: Option<PathBuf>,
    hostname: &str,
    directories: SystemDirectories<'_>,
) -> Option<Config> {
    let mut warnings = Vec::new();
    let home_assistant = home_assistant(layers);
    let mqtt = mqtt(layers, hostname, directories.credentials, &mut warnings);
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
    let metrics = metrics(layers);
    let requests = requests(layers, limits.max_tokens);
    let log = log(layers);
    let mqtt = mqtt?;
    let store_directory = store_directory(layers, directories, &mqtt.device);
    let prefixes = prefixes(layers, store_directory.as_deref());
    Some(Config {
        file,
        model,
        engine,
        mqtt,
        limits,
        store_directory,
        prefixes,
        home_assistant,
        metrics,
        requests,
        log,
        warnings,
    })
}

/// Two daemons of one user keep theirs apart by the names of their devices.
fn store_directory(
    layers: &Layers,
    directories: SystemDirectories<'_>,
    device: &str,
) -> Option<PathBuf> {
    match layers.text("store", "directory").as_deref() {
        None | Some(super::keys::AUTO) => {
            let own = directories
                .user_state
                .map(|state| state.join("thinkd").join(device));
            directories.state.map(Path::to_owned).or(own)
        }
        Some(super::keys::OFF) => None,
        Some(directory) => Some(PathBuf::from(directory)),
    }
}

fn prefixes(layers: &Layers, store_directory: Option<&Path>) -> Option<PrefixFolder> {
    let mib_max = layers.size("store", "prefix_mib_max")?;
    let directory = store_directory.filter(|_| mib_max > 0)?.join("prefixes");
    let bytes_max = (mib_max as u64) << 20;
    Some(PrefixFolder {
        directory,
        bytes_max,
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
        streams: layers.size("engine", "streams"),
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

fn mqtt(
    layers: &mut Layers,
    hostname: &str,
    credentials: Option<&Path>,
    warnings: &mut Vec<String>,
) -> Option<MqttConfig> {
    let broker = broker(layers);
    let device = layers
        .text("mqtt", "device")
        .unwrap_or_else(|| topic_safe(hostname));
    check_device(&device).unwrap_or_else(|reason| layers.refuse("mqtt", "device", reason));
    let topics = topics(layers, &device, broker.as_ref(), warnings);
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
    let password = password(layers, username.is_some(), credentials, warnings);
    if password.is_some() && broker.as_ref().is_some_and(Broker::is_in_the_clear) {
        let warning =
            "the password can be read on its way to the broker; write mqtts:// in mqtt.broker";
        warnings.push(warning.to_owned());
    }
    let tls = tls(layers, broker.as_ref(), credentials, warnings);
    Some(MqttConfig {
        broker: broker?,
        device,
        topics: topics?,
        client_id,
        username,
        password,
        tls,
        keep_alive_seconds: port(layers, "keep_alive_seconds")?,
        reply_topics_allowed,
    })
}

fn broker(layers: &mut Layers) -> Option<Broker> {
    let embedded_port = port(layers, "embedded_port")?;
    let broker = layers.text("mqtt", "broker").unwrap_or_default();
    let broker = parse_broker(&broker, embedded_port)
        .map_err(|reason| layers.refuse("mqtt", "broker", reason))
        .ok();
    if matches!(broker, Some(Broker::Embedded { .. })) && !cfg!(feature = "embedded-broker") {
        let reason = "this build has no embedded broker; write mqtt://host:port".to_owned();
        layers.refuse("mqtt", "broker", reason);
    }
    broker
}

fn topics(
    layers: &mut Layers,
    device: &str,
    broker: Option<&Broker>,
    warnings: &mut Vec<String>,
) -> Option<Topics> {
    let base_topic = layers
        .text("mqtt", "base_topic")
        .unwrap_or_else(|| format!("thinkd/{device}"));
    let mut topics = Topics::with_base(&base_topic)
        .map_err(|error| layers.refuse("mqtt", "base_topic", error.to_string()))
        .ok()?;
    if let Some(group) = layers.text("mqtt", "group") {
        if let Some(Broker::Embedded { .. }) = broker {
            let warning = "mqtt.group is not used: boards of a group share a broker, which the embedded one is not";
            warnings.push(warning.to_owned());
        } else {
            topics = topics
                .with_group(&group)
                .map_err(|error| layers.refuse("mqtt", "group", error.to_string()))
                .ok()?;
        }
    }
    let home_assistant = home_assistant(layers);
    if home_assistant.discovery {
        topics = topics
            .with_home_assistant(&home_assistant.prefix)
            .map_err(|error| layers.refuse("home_assistant", "prefix", error.to_string()))
            .ok()?;
    }
    Some(topics)
}

/// The password in the file that is named, else in the unit's credential.
fn password(
    layers: &mut Layers,
    has_username: bool,
    credentials: Option<&Path>,
    warnings: &mut Vec<String>,
) -> Option<Secret> {
    let found = || {
        let file = credentials?.join(PASSWORD_CREDENTIAL);
        file.is_file().then_some(file)
    };
    let named = layers.text("mqtt", "password_file");
    let is_named = named.is_some();
    let path = named.map(PathBuf::from).or_else(found)?;
    if !has_username && !is_named {
        let warning =
            format!("the credential {PASSWORD_CREDENTIAL} is not used: mqtt.username is not set");
        warnings.push(warning);
        return None;
    }
    warnings.extend(readable_by_all(&among_credentials(&path, credentials)));
    let password = read_secret(&path, credentials)
        .map_err(|reason| layers.refuse("mqtt", "password_file", reason))
        .ok()?;
    if !has_username {
        let reason = "is set, but mqtt.username is not".to_owned();
        layers.refuse("mqtt", "password_file", reason);
    }
    Some(password)
}

fn tls(
    layers: &mut Layers,
    broker: Option<&Broker>,
    credentials: Option<&Path>,
    warnings: &mut Vec<String>,
) -> Option<Tls> {
    if !matches!(
        broker?,
        Broker::Remote {
            is_encrypted: true,
            ..
        }
    ) {
        for name in TLS_KEYS {
            if layers.text("mqtt", name).is_some() {
                warnings.push(format!(
                    "mqtt.{name} is not used: mqtt.broker is not \"mqtts://host:port\""
                ));
            }
        }
        return None;
    }
    let file = |name| {
        let path = PathBuf::from(layers.text("mqtt", name)?);
        Some(among_credentials(&path, credentials))
    };
    let files = TlsFiles {
        authorities: file("ca_file"),
        certificate: file("client_certificate_file"),
        key: file("client_key_file"),
        server_name: layers.text("mqtt", "server_name"),
    };
    warnings.extend(files.key.as_deref().and_then(readable_by_all));
    Tls::load(files)
        .map_err(|error| {
            let name = match &error {
                TlsError::Certificate(_) => "client_certificate_file",
                TlsError::Key(_) => "client_key_file",
                TlsError::ServerName(_) => "server_name",
                _ => "ca_file",
            };
            layers.refuse("mqtt", name, error.to_string());
        })
        .ok()
}

const TLS_KEYS: [&str; 4] = [
    "ca_file",
    "client_certificate_file",
    "client_key_file",
    "server_name",
];

fn home_assistant(layers: &Layers) -> HomeAssistantConfig {
    HomeAssistantConfig {
        discovery: layers.is_true("home_assistant", "discovery"),
        prefix: layers.text("home_assistant", "prefix").unwrap_or_default(),
    }
}

fn metrics(layers: &mut Layers) -> MetricsConfig {
    let Some(text) = layers.text("metrics", "listen") else {
        return MetricsConfig { listen: None };
    };
    let listen = text.parse::<SocketAddr>().ok();
    match listen {
        None => {
            let reason =
                format!("\"{text}\" is not an address and a port, such as \"127.0.0.1:9464\"");
            layers.refuse("metrics", "listen", reason);
        }
        Some(address)
            if !address.ip().is_loopback() && !layers.is_true("metrics", "allow_remote") =>
        {
            let reason = format!(
                "{address} can be reached from other machines; that takes metrics.allow_remote = true"
            );
            layers.refuse("metrics", "listen", reason);
        }
        Some(_) => {}
    }
    MetricsConfig { listen }
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
        prompts_per_minute_max: layers
            .size("limits", "prompts_per_minute_max")
            .and_then(|most| u32::try_from(most).ok()),
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
