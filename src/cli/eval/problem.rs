//! A file of problems: one JSON object a line. Keys that mean nothing here are left to others.

use serde_json::{Map, Value};

use super::expected::{Expected, Format};
use crate::engine::{Message, Role};

/// A question, and the answer it should get.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    /// Where it stands, from 1.
    pub(super) line: usize,
    /// A string or a number; the line where it has none.
    pub(super) id: Value,
    /// What the model is told first, instead of what the settings say.
    pub(super) system: Option<String>,
    pub(super) messages: Vec<Message>,
    /// As it stands in the file.
    pub(super) answer: Value,
    /// As it is judged.
    pub(super) expected: Expected,
    pub(super) family: Option<String>,
    pub(super) language: Option<String>,
    /// Whether it is kept apart from what the model has learnt.
    pub(super) held_out: bool,
}

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// From 1.
    pub(super) line: usize,
    pub(super) reason: String,
}

/// The problems of a file; lines of white space are passed over.
///
/// # Errors
/// The first mistake.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Problem>, Mistake> {
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    file.split(|&byte| byte == b'\n')
        .zip(1..)
        .filter(|(text, _)| !text.trim_ascii().is_empty())
        .map(|(text, line)| problem(text, line).map_err(|reason| Mistake { line, reason }))
        .collect()
}

fn problem(text: &[u8], line: usize) -> Result<Problem, String> {
    let value = serde_json::from_slice(text).map_err(|error| not_json(&error))?;
    let Value::Object(fields) = value else {
        return Err("expected a JSON object".to_owned());
    };
    let answer = fields.get("answer").ok_or("answer is missing")?;
    let format = match text_of(&fields, "format")?.as_deref() {
        None => None,
        Some("plain") => Some(Format::Plain),
        Some("json") => Some(Format::Json),
        Some(other) => return Err(format!("format is {other:?}, expected plain or json")),
    };
    let messages = messages(&fields)?;
    let system = text_of(&fields, "system")?;
    if system.is_some() && messages.iter().any(|message| message.role == Role::System) {
        return Err("system is given both as a key and as a message".to_owned());
    }
    Ok(Problem {
        line,
        id: match present(&fields, "id") {
            None => Value::from(line),
            Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
            Some(other) => return Err(unexpected("id", other, "a string or a number")),
        },
        system,
        messages,
        answer: answer.clone(),
        expected: Expected::of(answer, format)?,
        family: text_of(&fields, "family")?,
        language: text_of(&fields, "language")?,
        held_out: match present(&fields, "held_out") {
            None => false,
            Some(Value::Bool(held_out)) => *held_out,
            Some(other) => return Err(unexpected("held_out", other, "true or false")),
        },
    })
}

/// The conversation, the user's question last.
fn messages(fields: &Map<String, Value>) -> Result<Vec<Message>, String> {
    match (text_of(fields, "prompt")?, present(fields, "messages")) {
        (Some(_), Some(_)) => Err("both prompt and messages are given, expected one".to_owned()),
        (None, None) => Err("neither prompt nor messages is given".to_owned()),
        (Some(content), None) => Ok(vec![Message {
            role: Role::User,
            content,
        }]),
        (None, Some(list)) => {
            serde_json::from_value(list.clone()).map_err(|error| format!("messages: {error}"))
        }
    }
}

/// A key's value; `null` is none.
fn present<'f>(fields: &'f Map<String, Value>, key: &str) -> Option<&'f Value> {
    fields.get(key).filter(|value| !value.is_null())
}

fn text_of(fields: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match present(fields, key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(unexpected(key, other, "a string")),
    }
}

fn unexpected(key: &str, found: &Value, expected: &str) -> String {
    let found = match found {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    };
    format!("{key} is {found}, expected {expected}")
}

/// What is wrong, and in which column. The library counts every line as the first.
fn not_json(error: &serde_json::Error) -> String {
    let (text, column) = (error.to_string(), error.column());
    let place = format!(" at line {} column {column}", error.line());
    let reason = text.strip_suffix(&place).unwrap_or(&text);
    format!("not JSON: {reason} in column {column}")
}

/// Some editors begin a file with it.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_key_is_read() {
        let line = json!({
            "id": "k1", "system": "Be brief.", "answer": ["22", "22.0"], "family": "mean",
            "language": "en", "format": "plain", "held_out": true, "note": {"not": "ours"},
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": "c"},
            ],
        });
        let [problem] = &parse(line.to_string().as_bytes()).unwrap()[..] else {
            panic!("it is one line");
        };
        assert_eq!(problem.id, "k1");
        assert_eq!(problem.system.as_deref(), Some("Be brief."));
        assert_eq!(problem.messages.len(), 3);
        assert_eq!(problem.messages[1].role, Role::Assistant);
        assert_eq!(problem.answer, json!(["22", "22.0"]));
        assert_eq!(problem.family.as_deref(), Some("mean"));
        assert_eq!(problem.language.as_deref(), Some("en"));
        assert_eq!(problem.expected.format(), Format::Plain);
        assert!(problem.held_out);
    }

    #[test]
    fn a_question_and_its_answer_are_enough() {
        let file = "\u{feff}{\"prompt\": \"a\", \"answer\": \"b\"}\r\n\n \t\n\
                    {\"prompt\": \"c\", \"answer\": {}, \"id\": null, \"family\": null}";
        let found = parse(file.as_bytes()).unwrap();
        let lines: Vec<_> = found.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 4]);
        assert_eq!(found[1].id, 4);
        assert_eq!(found[1].messages[0].content, "c");
        assert_eq!(found[1].expected.format(), Format::Json);
        assert!(found[0].family.is_none() && !found[0].held_out);
        assert!(parse(b"\n").unwrap().is_empty());
    }

    #[test]
    fn the_first_mistake_is_told_with_its_line() {
        for (text, reason) in [
            (&br#"{"prompt": "a""#[..], "not JSON: EOF while parsing an object in column 14"),
            (b"{\"prompt\": \"\xff\"}", "not JSON: invalid unicode code point in column 13"),
            (b"[]", "expected a JSON object"),
            (br#"{"prompt": "a"}"#, "answer is missing"),
            (br#"{"answer": "a"}"#, "neither prompt nor messages is given"),
            (
                br#"{"answer": "a", "prompt": "a", "messages": []}"#,
                "both prompt and messages are given, expected one",
            ),
            (br#"{"answer": "a", "prompt": 3}"#, "prompt is 3, expected a string"),
            (
                br#"{"answer": "a", "prompt": "a", "family": []}"#,
                "family is a list, expected a string",
            ),
            (
                br#"{"answer": "a", "prompt": "a", "id": {}}"#,
                "id is an object, expected a string or a number",
            ),
            (
                br#"{"answer": "a", "prompt": "a", "held_out": "yes"}"#,
                "held_out is \"yes\", expected true or false",
            ),
            (
                br#"{"answer": "a", "prompt": "a", "format": "yaml"}"#,
                "format is \"yaml\", expected plain or json",
            ),
            (
                br#"{"answer": "a", "messages": [{"role": "me", "content": "a"}]}"#,
                "messages: unknown variant `me`, expected one of `system`, `user`, `assistant`",
            ),
            (
                br#"{"answer": "a", "system": "b", "messages": [{"role": "system", "content": "a"}]}"#,
                "system is given both as a key and as a message",
            ),
            (br#"{"prompt": "a", "answer": null}"#, "answer is null"),
        ] {
            let file = [b"{\"prompt\": \"a\", \"answer\": \"b\"}\n\n", text].concat();
            let mistake = parse(&file).unwrap_err();
            assert_eq!((mistake.line, mistake.reason.as_str()), (3, reason));
        }
    }
}
