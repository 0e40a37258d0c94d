//! The environment: `THINKD_SECTION__KEY` variables into [`Layers`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::Origin;
use super::keys::KEYS;
use super::layers::{Layers, nearest_key};

/// The variable that names the configuration file.
pub const CONFIG_FILE_VARIABLE: &str = "THINKD_CONFIG";
/// The variable in which systemd names the directory of `LoadCredential=`.
pub const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
/// The variable in which systemd names the directories of `StateDirectory=`, with colons between them.
pub const STATE_VARIABLE: &str = "STATE_DIRECTORY";

const PREFIX: &str = "THINKD_";

/// Lays the variables that begin with `THINKD_` over `layers`; all others are none of thinkd's business.
pub(super) fn put_environment(layers: &mut Layers, environment: &BTreeMap<String, String>) {
    for (name, value) in environment {
        if !name.starts_with(PREFIX) || name == CONFIG_FILE_VARIABLE {
            continue;
        }
        let origin = Origin::Variable(name.clone());
        match KEYS.iter().find(|key| key.variable() == *name) {
            Some(key) => layers.put(key, key.kind.parse(value), origin),
            None => {
                let path = name[PREFIX.len()..].to_lowercase().replacen("__", ".", 1);
                let reason = match nearest_key(&path) {
                    Some(key) => format!("unknown variable, did you mean {}?", key.variable()),
                    None => "unknown variable; they are called THINKD_SECTION__KEY".to_owned(),
                };
                layers.mistake(origin, String::new(), reason);
            }
        }
    }
}

/// Where this user's programs keep what outlasts a restart, by the XDG base directory specification.
pub(super) fn user_state(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(environment.get(name)?);
        path.is_absolute().then_some(path)
    };
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(pairs: &[(&str, &str)]) -> Layers {
        let environment = pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut layers = Layers::new();
        put_environment(&mut layers, &environment);
        layers
    }

    #[test]
    fn a_variable_sets_its_key() {
        let layers = put(&[
            ("THINKD_ENGINE__TEMPERATURE", "0.6"),
            ("THINKD_MQTT__REPLY_TOPICS_ALLOWED", "home/#, lab/+"),
            ("THINKD_CONFIG", "/a/file"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(layers.mistakes, []);
        assert_eq!(layers.number("engine", "temperature"), Some(0.6));
        assert_eq!(
            layers.list("mqtt", "reply_topics_allowed"),
            ["home/#", "lab/+"]
        );
    }

    #[test]
    fn an_unknown_variable_is_refused_with_the_nearest() {
        let layers = put(&[("THINKD_ENGINE_THREADS", "2"), ("THINKD_X", "1")]);
        let mistakes: Vec<String> = layers.mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            mistakes,
            [
                "environment variable THINKD_ENGINE_THREADS: unknown variable, \
                 did you mean THINKD_ENGINE__THREADS?",
                "environment variable THINKD_X: unknown variable; \
                 they are called THINKD_SECTION__KEY"
            ]
        );
    }
}
