//! The sources laid over each other: for every setting the value that holds, and who gave it.

use std::collections::BTreeMap;

use super::error::{Mistake, Origin};
use super::keys::{self, KEYS, Key};
use super::value::Value;
use crate::service::mqtt::nearest;

/// For every setting the value that holds. What is put later replaces what was put before.
#[derive(Debug)]
pub(super) struct Layers {
    values: BTreeMap<(&'static str, &'static str), (Value, Origin)>,
    /// The tables that the operator named, by section and name.
    named: BTreeMap<(&'static str, String), NamedTable>,
    /// What was wrong in the sources so far.
    pub(super) mistakes: Vec<Mistake>,
}

/// A table that the operator named: what its settings are, and where they stand.
pub(super) type NamedTable = BTreeMap<&'static str, (Value, Origin)>;

impl Layers {
    /// The defaults.
    pub(super) fn new() -> Self {
        let values = KEYS
            .iter()
            .map(|key| {
                (
                    (key.section, key.name),
                    (key.default_value(), Origin::Default),
                )
            })
            .collect();
        Self {
            values,
            named: BTreeMap::new(),
            mistakes: Vec::new(),
        }
    }

    /// Sets `key`, or notes why `value` is not allowed.
    pub(super) fn put(&mut self, key: &'static Key, value: Result<Value, String>, origin: Origin) {
        match value {
            Ok(value) => {
                self.values.insert((key.section, key.name), (value, origin));
            }
            Err(reason) => self.mistake(origin, key.path(), reason),
        }
    }

    /// Sets the setting written `path` to what `text` says, or notes why that cannot be.
    pub(super) fn put_text(&mut self, path: &str, text: &str, origin: Origin) {
        match keys::find(path) {
            Some(key) => self.put(key, key.kind.parse(text), origin),
            None => self.unknown(path, origin),
        }
    }

    /// The table `[section.name]`, empty where it was not there yet.
    pub(super) fn named_table(&mut self, section: &'static str, name: &str) -> &mut NamedTable {
        self.named.entry((section, name.to_owned())).or_default()
    }

    /// All tables under `section`.
    pub(super) fn named_tables(&self, section: &str) -> Vec<(String, NamedTable)> {
        self.named
            .iter()
            .filter(|((of, _), _)| *of == section)
            .map(|((_, name), table)| (name.clone(), table.clone()))
            .collect()
    }

    /// Notes that there is no setting `path`, with the nearest there is.
    pub(super) fn unknown(&mut self, path: &str, origin: Origin) {
        let reason = match nearest_key(path) {
            Some(key) => format!("unknown key, did you mean {}?", key.path()),
            None => "unknown key".to_owned(),
        };
        self.mistake(origin, path.to_owned(), reason);
    }

    /// Notes a mistake.
    pub(super) fn mistake(&mut self, origin: Origin, key: String, reason: String) {
        self.mistakes.push(Mistake {
            origin,
            key,
            reason,
        });
    }

    /// Notes that the value of `section.name` cannot be, with the one who gave it.
    pub(super) fn refuse(&mut self, section: &'static str, name: &'static str, reason: String) {
        let origin = self.entry(section, name).1.clone();
        self.mistake(origin, format!("{section}.{name}"), reason);
    }

    /// Notes that `less` is more than `more`, with the one of the two that was set.
    pub(super) fn refuse_order(
        &mut self,
        less: (&'static str, &'static str),
        more: (&'static str, &'static str),
    ) {
        let shown = |layers: &Self, (section, name)| layers.value(section, name).to_string();
        let (small, large) = (shown(self, less), shown(self, more));
        if self.entry(less.0, less.1).1 == Origin::Default {
            let reason = format!("{large} is below {}.{}, which is {small}", less.0, less.1);
            self.refuse(more.0, more.1, reason);
        } else {
            let reason = format!("{small} is above {}.{}, which is {large}", more.0, more.1);
            self.refuse(less.0, less.1, reason);
        }
    }

    /// The text of `section.name`; `None` where it is empty.
    pub(super) fn text(&self, section: &'static str, name: &'static str) -> Option<String> {
        match self.value(section, name) {
            Value::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    /// The whole number `section.name`; `None` where a word stands in its place.
    pub(super) fn integer(&self, section: &'static str, name: &'static str) -> Option<i64> {
        match self.value(section, name) {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The whole number `section.name` as a size.
    pub(super) fn size(&self, section: &'static str, name: &'static str) -> Option<usize> {
        let number = self.integer(section, name)?;
        Some(usize::try_from(number).expect("no range of a size in the table begins below 0"))
    }

    /// The number `section.name`; `None` where a word stands in its place.
    pub(super) fn number(&self, section: &'static str, name: &'static str) -> Option<f32> {
        match self.value(section, name) {
            Value::Number(number) => Some(*number as f32),
            _ => None,
        }
    }

    /// Whether `section.name` is true.
    pub(super) fn is_true(&self, section: &'static str, name: &'static str) -> bool {
        matches!(self.value(section, name), Value::Boolean(true))
    }

    /// The list `section.name`.
    pub(super) fn list(&self, section: &'static str, name: &'static str) -> Vec<String> {
        match self.value(section, name) {
            Value::List(items) => items.clone(),
            _ => Vec::new(),
        }
    }

    fn value(&self, section: &'static str, name: &'static str) -> &Value {
        &self.entry(section, name).0
    }

    fn entry(&self, section: &'static str, name: &'static str) -> &(Value, Origin) {
        self.values
            .get(&(section, name))
            .expect("every key read stands in the table of keys")
    }
}

/// The setting most likely meant by `path`: the right name in another section counts as near.
pub(super) fn nearest_key(path: &str) -> Option<&'static Key> {
    let name = path.rsplit('.').next().unwrap_or(path);
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return Some(key);
    }
    let paths: Vec<String> = KEYS.iter().map(Key::path).collect();
    let by_path = nearest(path, paths.iter().map(String::as_str)).and_then(keys::find);
    // Without the section, so that a slip in a short name is not outweighed by a long section.
    let by_name = nearest(name, KEYS.iter().map(|key| key.name))
        .and_then(|name| KEYS.iter().find(|key| key.name == name));
    let same_section = by_path.filter(|key| path.starts_with(&format!("{}.", key.section)));
    match same_section {
        Some(key) if nearest(name, [key.name]).is_some() => Some(key),
        // The slip may be in what stands between section and name.
        _ if !path.contains('.') => by_path.or(by_name),
        _ => by_name.or(by_path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_later_holds() {
        let mut layers = Layers::new();
        assert_eq!(layers.integer("engine", "threads"), Some(0));
        layers.put_text("engine.threads", "2", Origin::Flag("--a".into()));
        layers.put_text("engine.threads", "3", Origin::Flag("--b".into()));
        assert_eq!(layers.size("engine", "threads"), Some(3));
        assert!(layers.mistakes.is_empty());
    }

    #[test]
    fn a_value_that_is_not_allowed_leaves_the_one_before() {
        let mut layers = Layers::new();
        layers.put_text("engine.threads", "-1", Origin::Flag("--threads".into()));
        assert_eq!(layers.integer("engine", "threads"), Some(0));
        assert_eq!(
            layers.mistakes[0].to_string(),
            "flag --threads: engine.threads: -1 is not allowed; it is a whole number from 0 to 256"
        );
    }

    #[test]
    fn names_the_nearest_known_key() {
        for (path, meant) in [
            ("engine.theads", Some("engine.threads")),
            ("mqtt.threads", Some("engine.threads")),
            ("threads", Some("engine.threads")),
            ("mqqt.brokr", Some("mqtt.broker")),
            ("engine.top_x", Some("engine.top_k")),
            ("limits.max_token", Some("limits.max_tokens")),
            ("mqtt.colour", None),
        ] {
            assert_eq!(nearest_key(path).map(Key::path).as_deref(), meant, "{path}");
        }
    }
}
