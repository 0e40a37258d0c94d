//! Fields of OpenAI's chat completions that clients send with values that ask for nothing.
//!
//! Such a value is taken; any other is refused with what there is instead, so that nobody believes to get what they
//! do not.

use serde_json::Value;

use super::fields::{Fields, unexpected};
use crate::service::error::RequestError;

/// A field, which of its values ask for nothing, and what to say of the others.
pub(super) struct Neutral {
    pub(super) name: &'static str,
    asks_nothing: fn(&Value) -> bool,
    expected: &'static str,
}

const fn field(
    name: &'static str,
    asks_nothing: fn(&Value) -> bool,
    expected: &'static str,
) -> Neutral {
    Neutral {
        name,
        asks_nothing,
        expected,
    }
}

/// All of them.
#[rustfmt::skip] // A table: one line a field.
pub(super) const NEUTRAL: [Neutral; 20] = [
    field("model", Value::is_string, "a string; the model is the one that runs here"),
    field("n", is_one, "1; ask again for another answer"),
    field("logprobs", is_false, "false; there are no logprobs in an answer"),
    field("top_logprobs", is_zero, "0; there are no logprobs in an answer"),
    field("logit_bias", is_empty, "an empty object; there is no bias"),
    field("frequency_penalty", is_zero, "0; repetition_penalty is there instead"),
    field("presence_penalty", is_zero, "0; repetition_penalty is there instead"),
    field("metadata", Value::is_object, "an object"),
    field("store", is_false, "false; answers are kept for the same id only"),
    field("stream_options", is_usage, "an object with include_usage; the answer always has its usage"),
    field("modalities", is_text_only, "[\"text\"]"),
    field("tools", is_empty, "an empty list; there are no tools"),
    field("tool_choice", is_no_tool, "none or auto; there are no tools"),
    field("parallel_tool_calls", Value::is_boolean, "true or false"),
    field("functions", is_empty, "an empty list; there are no functions"),
    field("function_call", is_no_tool, "none or auto; there are no functions"),
    field("service_tier", Value::is_string, "a string; priority is there instead"),
    field("safety_identifier", Value::is_string, "a string"),
    field("prompt_cache_key", Value::is_string, "a string"),
    field("verbosity", is_medium, "medium; say in the prompt how long an answer shall be"),
];

/// Refuses those that ask for something.
pub(super) fn check_neutral(fields: &Fields<'_>) -> Result<(), RequestError> {
    for field in &NEUTRAL {
        if let Some(value) = fields.value(field.name)
            && !(field.asks_nothing)(value)
        {
            return Err(unexpected(field.name, value, field.expected));
        }
    }
    Ok(())
}

fn is_one(value: &Value) -> bool {
    value.as_f64() == Some(1.0)
}

fn is_zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

fn is_false(value: &Value) -> bool {
    value.as_bool() == Some(false)
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn is_text_only(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().all(|entry| entry == "text"))
}

fn is_no_tool(value: &Value) -> bool {
    value == "none" || value == "auto"
}

fn is_medium(value: &Value) -> bool {
    value == "medium"
}

fn is_usage(value: &Value) -> bool {
    let known = ["include_usage", "include_obfuscation"];
    value.as_object().is_some_and(|object| {
        object
            .iter()
            .all(|(key, value)| known.contains(&key.as_str()) && value.is_boolean())
    })
}
