//! The configuration file: TOML text into [`Layers`], each mistake with its line.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::error::Origin;
use super::keys::{self, KEYS};
use super::layers::Layers;
use super::value::{Kind, Value};
use crate::service::mqtt::{is_level, nearest};

/// Lays what `text`, the content of the file `path`, says over `layers`.
///
/// Where the text is not TOML only that is noted: what it says besides would be a guess.
pub(super) fn put_file(layers: &mut Layers, path: &Path, text: &str) {
    let at = |span: Range<usize>| Origin::File {
        path: path.to_owned(),
        line: line(text, span),
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors {
            let origin = at(error.span().unwrap_or_default());
            layers.mistake(
                origin,
                String::new(),
                format!("not TOML: {}", error.message()),
            );
        }
        return;
    }
    let mistakes_before = layers.mistakes.len();
    for (section, value) in table.get_ref() {
        let name = section.get_ref().as_ref();
        let origin = at(section.span());
        match value.get_ref() {
            DeValue::Table(entries) if KEYS.iter().any(|key| key.section == name) => {
                for (key, value) in entries {
                    let path = format!("{name}.{}", key.get_ref());
                    let origin = at(key.span());
                    match keys::find(&path) {
                        Some(key) => layers.put(key, checked(&key.kind, value.get_ref()), origin),
                        None => layers.unknown(&path, origin),
                    }
                }
            }
            DeValue::Table(tables) if keys::named(name).next().is_some() => {
                for (table, value) in tables {
                    let entry = (table.get_ref().as_ref(), value.get_ref());
                    put_named(layers, name, entry, (&at(table.span()), &at));
                }
            }
            DeValue::Table(_) => {
                let named = keys::NAMED_KEYS.iter().map(|key| key.section);
                let sections = KEYS.iter().map(|key| key.section).chain(named);
                let reason = match nearest(name, sections) {
                    Some(section) => format!("unknown section, did you mean [{section}]?"),
                    None => "unknown section".to_owned(),
                };
                layers.mistake(origin, format!("[{name}]"), reason);
            }
            _ => layers.unknown(name, origin),
        }
    }
    // The table is in the order of the alphabet; a person reads in the order of the file.
    layers.mistakes[mistakes_before..].sort_by_key(|mistake| match mistake.origin {
        Origin::File { line, .. } => line,
        _ => 0,
    });
}

/// Lays the table `[section.name]` over `layers`.
fn put_named(
    layers: &mut Layers,
    section: &str,
    (name, value): (&str, &DeValue<'_>),
    (origin, at): (&Origin, &dyn Fn(Range<usize>) -> Origin),
) {
    let path = format!("{section}.{name}");
    let DeValue::Table(entries) = value else {
        let reason = format!("unknown key; the tables here are called [{section}.NAME]");
        layers.mistake(origin.clone(), path, reason);
        return;
    };
    if !is_level(name) {
        let reason = "a name has 1 to 128 bytes and none of / + # $".to_owned();
        layers.mistake(origin.clone(), path.clone(), reason);
    }
    for (key, value) in entries {
        let (word, origin) = (key.get_ref().as_ref(), at(key.span()));
        let path = format!("{path}.{word}");
        let Some(key) = keys::named(section).find(|key| key.name == word) else {
            let reason = match nearest(word, keys::named(section).map(|key| key.name)) {
                Some(key) => format!("unknown key, did you mean {key}?"),
                None => "unknown key".to_owned(),
            };
            layers.mistake(origin, path, reason);
            continue;
        };
        match checked(&key.kind, value.get_ref()) {
            Ok(value) => {
                let table = layers.named_table(key.section, name);
                table.insert(key.name, (value, origin));
            }
            Err(reason) => layers.mistake(origin, path, reason),
        }
    }
    if let Some(key) = keys::named(section).next() {
        // Even an empty table is one.
        layers.named_table(key.section, name);
    }
}

/// The value as one of ours, where it is of `kind`.
fn checked(kind: &Kind, value: &DeValue<'_>) -> Result<Value, String> {
    let refused = || format!("a {} is not allowed; it is {kind}", type_name(value));
    let value = match value {
        DeValue::String(text) => Value::Text(text.as_ref().to_owned()),
        DeValue::Integer(number) => Value::Integer(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| format!("{number} is not allowed; it is {kind}"))?,
        ),
        DeValue::Float(number) => Value::Number(number.as_str().parse().map_err(|_| refused())?),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| {
                    item.get_ref()
                        .as_str()
                        .map(str::to_owned)
                        .ok_or_else(refused)
                })
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Boolean(yes) if matches!(kind, Kind::Boolean) => Value::Boolean(*yes),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Table(_) => return Err(refused()),
    };
    kind.check(value)
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Array(_) => "list of other things than texts",
        DeValue::Boolean(_) => "truth value",
        DeValue::Datetime(_) => "date",
        DeValue::Table(_) => "table",
        DeValue::Float(_) | DeValue::Integer(_) => "number this large",
        DeValue::String(_) => "text",
    }
}

/// The line, counted from 1, in which `span` begins.
fn line(text: &str, span: Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let mut layers = Layers::new();
        put_file(&mut layers, Path::new("c.toml"), text);
        layers.mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_every_kind_of_value() {
        let mut layers = Layers::new();
        let text = "engine.threads = 0x2\nengine.top_p = 1\n[mqtt]\ndevice = 'a'\n\
                    reply_topics_allowed = [\"home/#\", \"lab/+\"]\n";
        put_file(&mut layers, Path::new("c.toml"), text);
        assert_eq!(layers.mistakes, []);
        assert_eq!(layers.integer("engine", "threads"), Some(2));
        assert_eq!(layers.number("engine", "top_p"), Some(1.0));
        assert_eq!(layers.text("mqtt", "device").as_deref(), Some("a"));
        assert_eq!(
            layers.list("mqtt", "reply_topics_allowed"),
            ["home/#", "lab/+"]
        );
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "theads = 1\n[engine]\nthreads = 1000\nseed = 'x'\n\n[mqqt]\nbroker = 'b'\n\
                    [log]\nlevel = true\nlevell = 'info'\n[mqtt]\nreply_topics_allowed = [1]\n";
        insta::assert_snapshot!(mistakes(text).join("\n"), @r#"
        c.toml:1: theads: unknown key, did you mean engine.threads?
        c.toml:3: engine.threads: 1000 is not allowed; it is a whole number from 0 to 256
        c.toml:4: engine.seed: "x" is not allowed; it is a whole number from 0 to 4294967295
        c.toml:6: [mqqt]: unknown section, did you mean [mqtt]?
        c.toml:9: log.level: a truth value is not allowed; it is one of "error", "warn", "info", "debug", "trace"
        c.toml:10: log.levell: unknown key, did you mean log.level?
        c.toml:12: mqtt.reply_topics_allowed: a list of other things than texts is not allowed; it is a list of texts
        "#);
    }

    #[test]
    fn text_that_is_not_toml_is_told_with_its_line() {
        for (text, line) in [
            ("[engine]\nthreads = \n", "c.toml:2: not TOML: "),
            (
                "[log]\nlevel = 'info'\nlevel = 'warn'\n",
                "c.toml:3: not TOML: ",
            ),
            ("\n\n[log", "c.toml:3: not TOML: "),
        ] {
            let mistakes = mistakes(text);
            assert!(mistakes[0].starts_with(line), "{mistakes:?}");
            assert_eq!(mistakes[0].lines().count(), 1);
        }
    }

    #[test]
    fn counts_lines_from_one() {
        assert_eq!(line("a\nb\nc", 0..1), 1);
        assert_eq!(line("a\nb\nc", 2..3), 2);
        assert_eq!(line("a\nb\nc", 99..100), 3);
    }
}
