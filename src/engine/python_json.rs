//! JSON as Python writes it, which is what chat templates put into prompts.

use std::io::{Result as IoResult, Write};

use minijinja::value::{Kwargs, Value};
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{Formatter, PrettyFormatter};

/// The filter `tojson`: what `json.dumps(value, ensure_ascii=False, indent=indent)` gives.
pub(super) fn to_json(value: &Value, arguments: Kwargs) -> Result<Value, Error> {
    let indent = arguments.get::<Option<usize>>("indent")?;
    arguments.assert_all_used()?;
    let mut json = Vec::new();
    let written = match indent {
        Some(width) => {
            let indent = " ".repeat(width);
            let formatter = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut Serializer::with_formatter(&mut json, formatter))
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut json, Spaced)),
    };
    written.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    Ok(Value::from(
        String::from_utf8(json).expect("serde_json writes UTF-8"),
    ))
}

/// One line, a space after commas and colons.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> IoResult<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> IoResult<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> IoResult<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, context};

    use super::*;

    #[test]
    fn writes_as_python_does() {
        let mut environment = Environment::new();
        environment.add_filter("tojson", to_json);
        let written = |template: &str| environment.render_str(template, context! {});
        for (template, json) in [
            (
                "{{ [1, 2.5, none, true, []] | tojson }}",
                "[1, 2.5, null, true, []]",
            ),
            (
                "{{ {'a': '<é>\\'', 'b': {}} | tojson }}",
                "{\"a\": \"<é>'\", \"b\": {}}",
            ),
            (
                "{{ [1, {'a': []}] | tojson(indent=1) }}",
                "[\n 1,\n {\n  \"a\": []\n }\n]",
            ),
        ] {
            assert_eq!(written(template).unwrap(), json);
        }
        assert!(written("{{ 1 | tojson(color='red') }}").is_err());
    }
}
