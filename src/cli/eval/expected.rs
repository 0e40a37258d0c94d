//! The answer a question should get, and whether another is the same.

use serde::Serialize;
use serde_json::Value;

/// What a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Plain,
    Json,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Json => "json",
        }
    }
}

/// Whether `Kitchen` is `kitchen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Ignored,
}

/// The answer a question should get.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    /// Any of these texts, but for white space and a full stop at the end.
    Texts(Vec<String>),
    /// This value, however it is spaced and its keys are ordered.
    Json(Value),
}

impl Expected {
    /// What `answer` means, the format as far as it is stated.
    ///
    /// A list of strings is a list of accepted texts, unless the format says JSON.
    pub(super) fn of(answer: &Value, format: Option<Format>) -> Result<Self, String> {
        match (answer, format) {
            (Value::String(text), Some(Format::Json)) => serde_json::from_str(text)
                .map(Self::Json)
                .map_err(|_| format!("answer is {answer}, which is not JSON, but format is json")),
            (_, Some(Format::Json)) => Ok(Self::Json(answer.clone())),
            (Value::String(text), _) => Ok(Self::Texts(vec![text.clone()])),
            (Value::Number(_) | Value::Bool(_), _) => Ok(Self::Texts(vec![answer.to_string()])),
            (Value::Array(list), _) if is_texts(list) => Ok(Self::Texts(
                list.iter()
                    .filter_map(|text| text.as_str().map(str::to_owned))
                    .collect(),
            )),
            (Value::Array(_) | Value::Object(_), None) => Ok(Self::Json(answer.clone())),
            (Value::Array(_), Some(Format::Plain)) => {
                Err("answer is no list of strings, but format is plain".to_owned())
            }
            (Value::Object(_), Some(Format::Plain)) => {
                Err("answer is an object, but format is plain".to_owned())
            }
            (Value::Null, _) => Err("answer is null".to_owned()),
        }
    }

    pub(super) fn format(&self) -> Format {
        match self {
            Self::Texts(_) => Format::Plain,
            Self::Json(_) => Format::Json,
        }
    }

    /// Whether `answer` is right.
    pub(super) fn accepts(&self, answer: &str, case: Case) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|text| is_same_text(text, answer, case)),
            Self::Json(expected) => {
                serde_json::from_str(answer).is_ok_and(|found| is_same_json(expected, &found, case))
            }
        }
    }

    /// Whether `answer` is JSON of the kind that is expected; nothing where none is.
    pub(super) fn is_valid_json(&self, answer: &str) -> Option<bool> {
        let Self::Json(expected) = self else {
            return None;
        };
        let is_compound = |value: &Value| value.is_object() || value.is_array();
        Some(
            serde_json::from_str(answer)
                .is_ok_and(|found| is_compound(&found) || !is_compound(expected)),
        )
    }
}

fn is_texts(list: &[Value]) -> bool {
    !list.is_empty() && list.iter().all(Value::is_string)
}

/// Equal but for white space, one full stop at the end, and letter case where that is ignored.
fn is_same_text(expected: &str, found: &str, case: Case) -> bool {
    let (expected, found) = (normal(expected), normal(found));
    expected == found || (case == Case::Ignored && expected.to_lowercase() == found.to_lowercase())
}

fn normal(text: &str) -> String {
    let mut normal = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(rest) = normal.strip_suffix('.') {
        normal.truncate(rest.trim_end().len());
    }
    normal
}

/// Equal as JSON: 22 is 22.0, the order of keys is no matter, strings are compared as they are.
fn is_same_json(expected: &Value, found: &Value, case: Case) -> bool {
    match (expected, found) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::String(a), Value::String(b)) => {
            a == b || (case == Case::Ignored && a.to_lowercase() == b.to_lowercase())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same_json(a, b, case))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|found| is_same_json(a, found, case)))
        }
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expect(answer: Value, format: Option<Format>) -> Expected {
        Expected::of(&answer, format).unwrap()
    }

    #[test]
    fn texts_are_compared_without_what_does_not_matter() {
        for (expected, found, case, same) in [
            ("The mean is 22.", "The mean is 22", Case::Matters, true),
            ("  a \n b\u{a0}c ", "a b c .", Case::Matters, true),
            ("22", "22..", Case::Matters, false),
            ("22", "22.0", Case::Matters, false),
            (".", "", Case::Matters, true),
            ("Kitchen", "kitchen", Case::Matters, false),
            ("Été", "été.", Case::Ignored, true),
            ("Kitchen", "kitchens", Case::Ignored, false),
        ] {
            assert_eq!(
                expect(json!(expected), None).accepts(found, case),
                same,
                "{expected:?} and {found:?}"
            );
        }
    }

    #[test]
    fn any_of_the_accepted_texts_will_do() {
        let accepted = expect(json!(["22", "22 °C"]), None);
        assert_eq!(accepted.format(), Format::Plain);
        assert!(accepted.accepts("22 °C.", Case::Matters));
        assert!(!accepted.accepts("23", Case::Matters));
    }

    #[test]
    fn numbers_and_truths_are_texts_unless_the_format_is_json() {
        assert_eq!(
            expect(json!(22), None),
            Expected::Texts(vec!["22".to_owned()])
        );
        assert!(expect(json!(true), Some(Format::Plain)).accepts("true", Case::Matters));
        assert!(expect(json!(22), Some(Format::Json)).accepts("22.0", Case::Matters));
        assert!(!expect(json!(22), None).accepts("22.0", Case::Matters));
    }

    #[test]
    fn json_is_compared_as_values() {
        for (expected, format, found, case, same) in [
            (
                json!({"a": 1, "b": [2]}),
                None,
                "{\"b\":[2.0],  \"a\":1}",
                Case::Matters,
                true,
            ),
            (
                json!({"a": 1}),
                None,
                "{\"a\": 1, \"b\": 2}",
                Case::Matters,
                false,
            ),
            (
                json!({"a": 1}),
                None,
                "{\"a\": \"1\"}",
                Case::Matters,
                false,
            ),
            (json!({"a": true}), None, "{\"a\": 1}", Case::Matters, false),
            (json!({"a": 1}), None, "a is 1", Case::Matters, false),
            (json!([1, 2]), None, "[2, 1]", Case::Matters, false),
            (json!([1, 2]), None, "[1, 2]\n", Case::Matters, true),
            (
                json!("{\"a\": 1}"),
                Some(Format::Json),
                "{\"a\":1}",
                Case::Matters,
                true,
            ),
            (
                json!(["x", "y"]),
                Some(Format::Json),
                "[\"x\", \"y\"]",
                Case::Matters,
                true,
            ),
            (
                json!({"a": "On"}),
                None,
                "{\"a\": \"on\"}",
                Case::Matters,
                false,
            ),
            (
                json!({"a": "On"}),
                None,
                "{\"a\": \"on\"}",
                Case::Ignored,
                true,
            ),
            (json!(null), Some(Format::Json), "null", Case::Matters, true),
        ] {
            let judged = expect(expected.clone(), format).accepts(found, case);
            assert_eq!(judged, same, "{expected} and {found}");
        }
    }

    #[test]
    fn json_is_valid_where_it_is_of_the_kind_that_was_asked_for() {
        let object = expect(json!({"a": 1}), None);
        assert_eq!(object.is_valid_json("{\"b\": 2}"), Some(true));
        assert_eq!(object.is_valid_json("22"), Some(false));
        assert_eq!(object.is_valid_json("{\"a\": 1"), Some(false));
        let number = expect(json!(1), Some(Format::Json));
        assert_eq!(number.is_valid_json("22"), Some(true));
        assert_eq!(expect(json!("a"), None).is_valid_json("22"), None);
    }

    #[test]
    fn an_answer_that_contradicts_its_format_is_refused() {
        for (answer, format, reason) in [
            (
                json!("kitchen"),
                Some(Format::Json),
                "answer is \"kitchen\", which is not JSON, but format is json",
            ),
            (
                json!({"a": 1}),
                Some(Format::Plain),
                "answer is an object, but format is plain",
            ),
            (
                json!([1]),
                Some(Format::Plain),
                "answer is no list of strings, but format is plain",
            ),
            (json!(null), None, "answer is null"),
        ] {
            assert_eq!(Expected::of(&answer, format).unwrap_err(), reason);
        }
    }
}
