//! Every setting there is: section, name, range and default, in the order of the sample file.
//!
//! This one table is what files, environment and flags are checked against, where the defaults come from, and
//! what the sample file `systemd/config.toml` is compared with.

use super::value::{Kind, Value};

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// The table of the file it stands in.
    pub section: &'static str,
    /// Its name; the unit stands at the end of it.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Its value where nobody says otherwise.
    pub default: Default,
}

/// A setting of the tables that the operator names, `[templates.NAME]`; it has no default and stands in files only.
#[derive(Debug)]
pub struct NamedKey {
    /// What the names stand under.
    pub section: &'static str,
    /// Its name in such a table.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
}

/// A default that can stand in a constant.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// A text, or one of the words a number may be instead.
    Text(&'static str),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A list with nothing in it.
    EmptyList,
}

impl Key {
    /// `section.name`, as messages and `--set` write it.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// `THINKD_SECTION__NAME`, the variable that sets it.
    pub fn variable(&self) -> String {
        format!("THINKD_{}__{}", self.section, self.name).to_uppercase()
    }

    /// Its value where nobody says otherwise.
    pub fn default_value(&self) -> Value {
        match self.default {
            Default::Text(text) => Value::Text(text.to_owned()),
            Default::Integer(number) => Value::Integer(number),
            Default::Boolean(yes) => Value::Boolean(yes),
            Default::EmptyList => Value::List(Vec::new()),
        }
    }
}

/// The setting written `section.name`.
pub fn find(path: &str) -> Option<&'static Key> {
    let (section, name) = path.split_once('.')?;
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

/// The settings that a table under `section` may have; none where there are no such tables.
pub fn named(section: &str) -> impl Iterator<Item = &'static NamedKey> {
    NAMED_KEYS.iter().filter(move |key| key.section == section)
}

const fn named_key(section: &'static str, name: &'static str, kind: Kind) -> NamedKey {
    NamedKey {
        section,
        name,
        kind,
    }
}

const fn key(section: &'static str, name: &'static str, kind: Kind, default: Default) -> Key {
    Key {
        section,
        name,
        kind,
        default,
    }
}

const fn integer(min: i64, max: i64) -> Kind {
    Kind::Integer { min, max, or: None }
}

const fn integer_or(min: i64, max: i64, word: &'static str) -> Kind {
    Kind::Integer {
        min,
        max,
        or: Some(word),
    }
}

const fn number_or(min: f64, max: f64, word: &'static str) -> Kind {
    Kind::Number {
        min,
        max,
        or: Some(word),
    }
}

/// The word that leaves a sampling setting to the model's own `genai_config.json`.
pub const MODEL: &str = "model";
/// The word for no limit.
pub const NONE: &str = "none";
/// The word that leaves a choice to thinkd.
pub const AUTO: &str = "auto";
/// The word for doing without.
pub const OFF: &str = "off";
/// The broker that runs inside the daemon.
pub const EMBEDDED: &str = "embedded";

/// Every setting, in the order of the sample file.
#[rustfmt::skip] // A table: one line a key.
pub static KEYS: &[Key] = &[
    key("model", "directory", Kind::Text, Default::Text("")),
    key("model", "context_tokens", integer_or(16, 1 << 20, AUTO), Default::Text(AUTO)),
    key("model", "packed_cache", Kind::Text, Default::Text(AUTO)),
    key("model", "weights", Kind::Choice(&[AUTO, "memory", "mapped"]), Default::Text(AUTO)),
    key("engine", "threads", integer(0, 256), Default::Integer(0)),
    key("engine", "pin_threads", Kind::Boolean, Default::Boolean(false)),
    key("engine", "kernels", Kind::Text, Default::Text(AUTO)),
    key("engine", "activations", Kind::Choice(&[AUTO, "int8", "f32"]), Default::Text(AUTO)),
    key("engine", "kv_cache", Kind::Choice(&[AUTO, "f16", "int8", "f32"]), Default::Text(AUTO)),
    key("engine", "streams", integer_or(1, 16, AUTO), Default::Text(AUTO)),
    key("engine", "max_tokens", integer(1, 1 << 20), Default::Integer(1024)),
    key("engine", "max_think_tokens", integer_or(0, 1 << 20, NONE), Default::Text(NONE)),
    key("engine", "temperature", number_or(0.0, 5.0, MODEL), Default::Text(MODEL)),
    key("engine", "top_k", integer_or(0, 1 << 20, MODEL), Default::Text(MODEL)),
    key("engine", "top_p", number_or(0.001, 1.0, MODEL), Default::Text(MODEL)),
    key("engine", "min_p", number_or(0.0, 1.0, MODEL), Default::Text(MODEL)),
    key("engine", "repetition_penalty", number_or(0.01, 10.0, MODEL), Default::Text(MODEL)),
    key("engine", "seed", integer(0, u32::MAX as i64), Default::Integer(0)),
    key("engine", "system_prompt", Kind::Text, Default::Text("")),
    key("mqtt", "broker", Kind::Text, Default::Text(EMBEDDED)),
    key("mqtt", "embedded_port", integer(1, 65_535), Default::Integer(1883)),
    key("mqtt", "device", Kind::Text, Default::Text("")),
    key("mqtt", "base_topic", Kind::Text, Default::Text("")),
    key("mqtt", "client_id", Kind::Text, Default::Text("")),
    key("mqtt", "username", Kind::Text, Default::Text("")),
    key("mqtt", "password_file", Kind::Text, Default::Text("")),
    key("mqtt", "ca_file", Kind::Text, Default::Text("")),
    key("mqtt", "client_certificate_file", Kind::Text, Default::Text("")),
    key("mqtt", "client_key_file", Kind::Text, Default::Text("")),
    key("mqtt", "server_name", Kind::Text, Default::Text("")),
    key("mqtt", "group", Kind::Text, Default::Text("")),
    key("mqtt", "keep_alive_seconds", integer(5, 65_535), Default::Integer(30)),
    key("mqtt", "reply_topics_allowed", Kind::List, Default::EmptyList),
    key("limits", "payload_bytes_max", integer(256, 1 << 24), Default::Integer(65_536)),
    key("limits", "queue_jobs_max", integer(1, 10_000), Default::Integer(16)),
    key("limits", "queue_bytes_max", integer(256, 1 << 28), Default::Integer(1 << 20)),
    key("limits", "prompts_per_minute_max", integer_or(1, 100_000, NONE), Default::Text(NONE)),
    key("limits", "max_tokens", integer(1, 1 << 20), Default::Integer(4096)),
    key("limits", "deadline_seconds", integer_or(1, 604_800, NONE), Default::Text(NONE)),
    key("limits", "drain_seconds", integer(0, 600), Default::Integer(20)),
    key("store", "directory", Kind::Text, Default::Text(AUTO)),
    key("store", "prefix_mib_max", integer(0, 1 << 16), Default::Integer(64)),
    key("home_assistant", "discovery", Kind::Boolean, Default::Boolean(true)),
    key("home_assistant", "prefix", Kind::Text, Default::Text("homeassistant")),
    key("metrics", "listen", Kind::Text, Default::Text("")),
    key("metrics", "allow_remote", Kind::Boolean, Default::Boolean(false)),
    key("log", "level", Kind::Choice(&LEVELS), Default::Text("info")),
    key("log", "format", Kind::Choice(&["text", "json"]), Default::Text("text")),
];

/// Every setting of the tables that the operator names.
#[rustfmt::skip] // A table: one line a key.
pub static NAMED_KEYS: &[NamedKey] = &[
    named_key("templates", "prompt", Kind::Text),
    named_key("templates", "system", Kind::Text),
    named_key("templates", "max_tokens", integer(1, 1 << 20)),
    named_key("templates", "max_think_tokens", integer(0, 1 << 20)),
    named_key("templates", "response_format", Kind::Text),
    named_key("templates", "priority", Kind::Choice(&PRIORITIES)),
    named_key("clients", "system", Kind::Text),
    named_key("clients", "priority", Kind::Choice(&PRIORITIES)),
];

const PRIORITIES: [&str; 3] = ["high", "normal", "low"];

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_allowed_where_it_stands() {
        for key in KEYS {
            let value = key.default_value();
            let text = value.to_string();
            assert_eq!(
                key.kind.check(value.clone()),
                Ok(value.clone()),
                "{}",
                key.path()
            );
            if !matches!(value, Value::List(_)) {
                assert_eq!(key.kind.parse(&text), Ok(value), "{}", key.path());
            }
        }
    }

    #[test]
    fn every_key_is_found_by_its_path_and_no_two_are_alike() {
        for key in KEYS {
            let found = find(&key.path()).expect("a key of the table");
            assert!(std::ptr::eq(found, key), "{} stands twice", key.path());
        }
        assert!(find("engine").is_none());
        assert!(find("threads.engine").is_none());
    }

    #[test]
    fn names_the_variable_of_a_key() {
        assert_eq!(
            find("mqtt.broker").unwrap().variable(),
            "THINKD_MQTT__BROKER"
        );
    }
}
