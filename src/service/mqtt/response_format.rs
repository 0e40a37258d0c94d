//! `response_format`: free text, any JSON object, or JSON that follows a schema.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::fields::unexpected;
use crate::engine::{ResponseFormat, Schema};
use crate::service::error::RequestError;

/// Reads what OpenAI's chat completions call so.
///
/// # Errors
/// If it is something else, or a schema that cannot be followed; the detail says what can.
pub fn read_response_format(value: &Value) -> Result<ResponseFormat, RequestError> {
    const NAME: &str = "response_format";
    const KNOWN: &str = "text, json_object or json_schema";
    let Some(object) = value.as_object() else {
        return Err(unexpected(NAME, value, "an object with a type"));
    };
    let kind = object.get("type").unwrap_or(&Value::Null);
    match kind.as_str() {
        Some("text") => only(object, NAME, &["type"]).map(|()| ResponseFormat::Text),
        Some("json_object") => only(object, NAME, &["type"]).map(|()| ResponseFormat::JsonObject),
        Some("json_schema") => {
            only(object, NAME, &["type", "json_schema"])?;
            let name = "response_format.json_schema";
            let value = object.get("json_schema").unwrap_or(&Value::Null);
            let Some(parts) = value.as_object() else {
                return Err(unexpected(name, value, "an object with a schema"));
            };
            only(parts, name, &["schema", "name", "description", "strict"])?;
            // Without a schema it is what json_object is.
            let Some(schema) = parts.get("schema").filter(|schema| !schema.is_null()) else {
                return Ok(ResponseFormat::JsonObject);
            };
            let schema = Schema::new(schema)
                .map_err(|error| RequestError::bad_request(format!("{name}.{error}")))?;
            Ok(ResponseFormat::JsonSchema(Arc::new(schema)))
        }
        _ => Err(unexpected("response_format.type", kind, KNOWN)),
    }
}

fn only(object: &Map<String, Value>, name: &str, known: &[&str]) -> Result<(), RequestError> {
    let unknown = object.keys().find(|key| !known.contains(&key.as_str()));
    unknown.map_or(Ok(()), |key| {
        let shown: String = key.chars().take(40).collect();
        let known = known.join(", ");
        let detail = format!("{name} has the unknown field {shown:?}; known are {known}");
        Err(RequestError::bad_request(detail))
    })
}
