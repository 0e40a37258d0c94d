//! Typed looks at JSON values, with errors that say what was found and what was expected.

use serde_json::{Map, Value};

use crate::service::error::RequestError;

/// A request's fields, read one by one.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        Self { object }
    }

    /// The field, where it is there and not null.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn string(&self, name: &str) -> Result<Option<&'a str>, RequestError> {
        self.value(name)
            .map(|value| as_string(name, value))
            .transpose()
    }

    pub(super) fn bool(&self, name: &str) -> Result<Option<bool>, RequestError> {
        self.value(name)
            .map(|value| {
                value
                    .as_bool()
                    .ok_or_else(|| unexpected(name, value, "true or false"))
            })
            .transpose()
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(
        &self,
        name: &str,
        (least, most): (u64, u64),
    ) -> Result<Option<u64>, RequestError> {
        let read = |value: &Value| {
            let in_range = |number: &u64| (least..=most).contains(number);
            whole_number(value).filter(in_range).ok_or_else(|| {
                unexpected(
                    name,
                    value,
                    &format!("a whole number from {least} to {most}"),
                )
            })
        };
        self.value(name).map(read).transpose()
    }

    /// A number for which `fits` holds; `range` says which those are.
    pub(super) fn number(
        &self,
        name: &str,
        range: &str,
        fits: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>, RequestError> {
        let read = |value: &Value| {
            let number = value.as_f64().filter(|number| fits(*number));
            number.ok_or_else(|| unexpected(name, value, &format!("a number {range}")))
        };
        self.value(name).map(read).transpose()
    }
}

/// `8` and `8.0` are both eight to those who write JSON by hand or from JavaScript.
fn whole_number(value: &Value) -> Option<u64> {
    let from_float = || {
        let number = value.as_f64()?;
        let is_exact = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be whole and in range"
        )]
        is_exact.then_some(number as u64)
    };
    value.as_u64().or_else(from_float)
}

/// The string `value` is.
pub(super) fn as_string<'a>(name: &str, value: &'a Value) -> Result<&'a str, RequestError> {
    value
        .as_str()
        .ok_or_else(|| unexpected(name, value, "a string"))
}

/// The refusal of `value` where `expected` was needed.
pub(super) fn unexpected(name: &str, value: &Value, expected: &str) -> RequestError {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if text.len() <= 40 => format!("the string {text:?}"),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    RequestError::bad_request(format!("{name} is {found}, expected {expected}"))
}
