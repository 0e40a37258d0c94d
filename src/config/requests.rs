//! What the operator says of requests: prompts with names, and what holds for single clients.

use std::collections::BTreeMap;

use crate::engine::ResponseFormat;
use crate::service::Priority;
use crate::service::mqtt::{ClientRules, TemplateSpec, Templates, read_response_format};

use super::error::Origin;
use super::layers::{Layers, NamedTable};
use super::value::Value;

/// What the operator says of requests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestsConfig {
    /// Prompts with names; they parse.
    pub templates: BTreeMap<String, TemplateSpec>,
    /// What holds for the requests of a client.
    pub clients: BTreeMap<String, ClientRules>,
}

/// Reads the tables; notes in `layers` what cannot be.
pub(super) fn requests(layers: &mut Layers, max_tokens: usize) -> RequestsConfig {
    let mut templates = BTreeMap::new();
    for (name, table) in layers.named_tables("templates") {
        let spec = template(layers, &name, &table, max_tokens);
        templates.insert(name, spec);
    }
    if let Err(errors) = Templates::new(templates.clone()) {
        for error in errors {
            let table = layers.named_table("templates", &error.template);
            let origin = origin(table, error.key);
            let path = format!("templates.{}.{}", error.template, error.key);
            layers.mistake(origin, path, error.reason);
        }
    }
    let clients = layers.named_tables("clients").into_iter();
    let clients = clients.map(|(name, table)| {
        let rules = ClientRules {
            system: text(&table, "system"),
            priority: priority(&table),
        };
        (name, rules)
    });
    RequestsConfig {
        templates,
        clients: clients.collect(),
    }
}

fn template(
    layers: &mut Layers,
    name: &str,
    table: &NamedTable,
    max_tokens: usize,
) -> TemplateSpec {
    let mut refuse = |key: &str, reason: String| {
        layers.mistake(
            origin(table, key),
            format!("templates.{name}.{key}"),
            reason,
        );
    };
    let prompt = text(table, "prompt").unwrap_or_default();
    if prompt.trim().is_empty() {
        refuse(
            "prompt",
            "is not given or empty; it is what is asked".to_owned(),
        );
    }
    for key in ["max_tokens", "max_think_tokens"] {
        if let Some(tokens) = size(table, key).filter(|tokens| *tokens > max_tokens) {
            let reason = format!("{tokens} is above limits.max_tokens, which is {max_tokens}");
            refuse(key, reason);
        }
    }
    let format = text(table, "response_format").and_then(|text| {
        format(&text)
            .map_err(|reason| refuse("response_format", reason))
            .ok()
    });
    TemplateSpec {
        prompt,
        system: text(table, "system"),
        max_tokens: size(table, "max_tokens"),
        max_think_tokens: size(table, "max_think_tokens"),
        format,
        priority: priority(table),
    }
}

/// `text`, `json_object`, or what a request would bring, as JSON.
fn format(text: &str) -> Result<ResponseFormat, String> {
    match text.trim() {
        "text" => return Ok(ResponseFormat::Text),
        "json_object" => return Ok(ResponseFormat::JsonObject),
        _ => {}
    }
    let value = serde_json::from_str(text).map_err(|error| {
        format!(
            "it is \"text\", \"json_object\", or what a request says, as JSON; as such, {error}"
        )
    })?;
    read_response_format(&value).map_err(|error| error.detail)
}

fn text(table: &NamedTable, key: &str) -> Option<String> {
    match table.get(key) {
        Some((Value::Text(text), _)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

fn size(table: &NamedTable, key: &str) -> Option<usize> {
    match table.get(key) {
        Some((Value::Integer(number), _)) => usize::try_from(*number).ok(),
        _ => None,
    }
}

fn priority(table: &NamedTable) -> Option<Priority> {
    match text(table, "priority")?.as_str() {
        "high" => Some(Priority::High),
        "low" => Some(Priority::Low),
        _ => Some(Priority::Normal),
    }
}

/// Where a setting of the table stands; where it is not there, any other of the table.
fn origin(table: &NamedTable, key: &str) -> Origin {
    table
        .get(key)
        .or_else(|| table.values().next())
        .map_or(Origin::Default, |(_, origin)| origin.clone())
}
