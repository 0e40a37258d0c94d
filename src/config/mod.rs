//! File, environment and flags become one checked [`Config`], or all of their mistakes at once.
//!
//! | holds over the rows under it | written as |
//! |---|---|
//! | flag | `--threads 2`, or `--set engine.threads=2` for any key |
//! | environment | `THINKD_ENGINE__THREADS=2` |
//! | file | `threads = 2` under `[engine]` |
//! | what the command prefers | `thinkd demo` logs warnings only |
//! | default | the table in [`keys`] |
//!
//! The file is the one of `--config`, else of `THINKD_CONFIG`, else [`SYSTEM_FILE`] where it is there. Every
//! key, its unit and range stand in `systemd/config.toml`. Values are kept with where they came from and every
//! mistake is gathered, which is why the file is read into a table of keys and not by a derived deserializer:
//! that one stops at the first. Nothing below this level imports it.

mod broker;
mod checked;
mod env;
mod error;
mod file;
pub mod keys;
mod layers;
mod model_search;
mod options;
mod requests;
mod secret;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use broker::{Broker, topic_safe};
pub use checked::{
    Config, EngineConfig, HomeAssistantConfig, LimitsConfig, LogConfig, LogFormat, LogLevel,
    MetricsConfig, ModelConfig, MqttConfig, SamplingConfig,
};
pub use env::{CONFIG_FILE_VARIABLE, CREDENTIALS_VARIABLE, STATE_VARIABLE};
pub use error::{ConfigError, Mistake, Origin};
pub use model_search::{SearchPlaces, find_model};
pub use requests::RequestsConfig;
pub use secret::Secret;
pub use value::{Kind, Value};

use checked::SystemDirectories;
use layers::Layers;

/// The file that is read where none is named.
pub const SYSTEM_FILE: &str = "/etc/thinkd/config.toml";

/// Everything a configuration is made from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file named by a flag.
    pub file: Option<PathBuf>,
    /// The file that is read where none is named and it is there.
    pub system_file: Option<PathBuf>,
    /// The environment of the process.
    pub environment: BTreeMap<String, String>,
    /// Flags, the later over the earlier.
    pub flags: Vec<Override>,
    /// What the command prefers to the defaults, `section.name` to value.
    pub preferences: Vec<(&'static str, String)>,
    /// Name of this machine; the device is called so where nobody says otherwise.
    pub hostname: String,
}

/// A setting given by a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The flag, as it was written.
    pub flag: String,
    /// The setting, `section.name`.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Reads, merges and checks all sources.
///
/// # Errors
/// All the mistakes there are: an unreadable file, text that is not TOML, unknown keys (with the nearest known
/// one), values out of range, and values that do not go together.
pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let mut layers = Layers::new();
    for (key, value) in &sources.preferences {
        layers.put_text(key, value, Origin::Default);
    }
    let file = file_to_read(sources);
    if let Some((path, must_exist)) = &file {
        match std::fs::read_to_string(path) {
            Ok(text) => file::put_file(&mut layers, path, &text),
            Err(error) if !must_exist && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => layers.mistake(
                Origin::WholeFile(path.clone()),
                String::new(),
                format!("cannot be read: {error}"),
            ),
        }
    }
    env::put_environment(&mut layers, &sources.environment);
    for given in &sources.flags {
        layers.put_text(&given.key, &given.value, Origin::Flag(given.flag.clone()));
    }
    let directory = |variable: &str| {
        let named = sources.environment.get(variable)?.split(':').next()?;
        (!named.is_empty()).then(|| Path::new(named))
    };
    let user_state = env::user_state(&sources.environment);
    let directories = SystemDirectories {
        credentials: sources.environment.get(CREDENTIALS_VARIABLE).map(Path::new),
        state: directory(STATE_VARIABLE),
        user_state: user_state.as_deref(),
    };
    let file = file.map(|(path, _)| path).filter(|path| path.exists());
    let config = checked::check(&mut layers, file, &sources.hostname, directories);
    match config {
        Some(config) if layers.mistakes.is_empty() => Ok(config),
        _ => Err(ConfigError {
            mistakes: layers.mistakes,
        }),
    }
}

/// The file to read, and whether it must be there.
fn file_to_read(sources: &Sources) -> Option<(PathBuf, bool)> {
    let named = sources
        .environment
        .get(CONFIG_FILE_VARIABLE)
        .filter(|name| !name.is_empty());
    if let Some(path) = &sources.file {
        Some((path.clone(), true))
    } else if let Some(path) = named {
        Some((PathBuf::from(path), true))
    } else {
        sources.system_file.clone().map(|path| (path, false))
    }
}
