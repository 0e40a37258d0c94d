//! The messages of a request: a prompt, a filled template, or a whole conversation, and what the model is told first.

use serde_json::Value;

use super::fields::{Fields, as_string, unexpected};
use super::templates::Filled;
use crate::engine::{Message, Role};
use crate::service::error::RequestError;

/// Most messages in one request.
const MESSAGES_MAX: usize = 256;

/// The messages of a request, and whether it says itself what the model is told first.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) messages: Vec<Message>,
    pub(super) brings_system: bool,
}

/// The messages of `prompt`, `messages` or the template, with `system` first, else the template's, else `default`.
pub(super) fn read_messages(
    fields: &Fields<'_>,
    filled: Option<&Filled<'_>>,
    default: Option<&str>,
) -> Result<Conversation, RequestError> {
    let system = fields.string("system")?;
    let messages = match (fields.value("prompt"), fields.value("messages"), filled) {
        (Some(prompt), None, None) => vec![user(as_string("prompt", prompt)?)],
        (None, Some(messages), None) => read_list(messages)?,
        (None, None, Some(filled)) => vec![user(&filled.prompt)],
        (Some(_), Some(_), _) => {
            return Err(RequestError::bad_request(
                "both prompt and messages are given, expected one",
            ));
        }
        (_, _, Some(_)) => {
            return Err(RequestError::bad_request(
                "template is given beside prompt or messages, expected one",
            ));
        }
        (None, None, None) => {
            return Err(RequestError::bad_request(
                "neither prompt nor messages is given",
            ));
        }
    };
    let last = messages
        .last()
        .ok_or_else(|| RequestError::bad_request("messages is empty"))?;
    if last.role != Role::User {
        return Err(RequestError::bad_request(
            "the last message must be the user's",
        ));
    }
    if last.content.trim().is_empty() {
        return Err(RequestError::bad_request("the prompt is empty"));
    }
    let has_system = messages.iter().any(|message| message.role == Role::System);
    if system.is_some() && has_system {
        return Err(RequestError::bad_request(
            "system is given both as a field and as a message",
        ));
    }
    let own = system.or_else(|| filled.and_then(|filled| filled.system.as_deref()));
    Ok(Conversation {
        messages: conversation(messages, own.or(default)),
        brings_system: has_system || own.is_some(),
    })
}

fn read_list(value: &Value) -> Result<Vec<Message>, RequestError> {
    let Some(list) = value.as_array() else {
        return Err(unexpected("messages", value, "a list of messages"));
    };
    if list.len() > MESSAGES_MAX {
        let detail = format!(
            "messages has {} entries, the limit is {MESSAGES_MAX}",
            list.len()
        );
        return Err(RequestError::bad_request(detail));
    }
    list.iter()
        .enumerate()
        .map(|(index, entry)| read_message(index, entry))
        .collect()
}

fn read_message(index: usize, entry: &Value) -> Result<Message, RequestError> {
    let name = format!("messages[{index}]");
    let Some(object) = entry.as_object() else {
        return Err(unexpected(&name, entry, "an object with role and content"));
    };
    // What clients send back of an answer has parts that hold nothing.
    let is_nothing = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let other = object.iter().find(|(key, value)| {
        !["role", "content", "name"].contains(&key.as_str()) && !is_nothing(value)
    });
    if let Some((other, _)) = other {
        let shown: String = other.chars().take(40).collect();
        let detail = format!("{name} has the unknown field {shown:?}, expected role and content");
        return Err(RequestError::bad_request(detail));
    }
    if let Some(value) = object.get("name").filter(|value| !value.is_null()) {
        as_string(&format!("{name}.name"), value)?;
    }
    let path = format!("{name}.role");
    let value = object.get("role").unwrap_or(&Value::Null);
    let role = match as_string(&path, value)? {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return Err(unexpected(&path, value, "system, user or assistant")),
    };
    let content = object.get("content").unwrap_or(&Value::Null);
    Ok(Message {
        role,
        content: read_content(&format!("{name}.content"), content)?,
    })
}

/// A text, or parts of one, each on a line of its own.
fn read_content(name: &str, value: &Value) -> Result<String, RequestError> {
    let Some(parts) = value.as_array() else {
        return as_string(name, value).map(str::to_owned);
    };
    let texts: Vec<&str> = parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let name = format!("{name}[{index}]");
            let kind = part.get("type").and_then(Value::as_str);
            if kind != Some("text") {
                return Err(unexpected(&name, part, "a part of the type text"));
            }
            as_string(
                &format!("{name}.text"),
                part.get("text").unwrap_or(&Value::Null),
            )
        })
        .collect::<Result<_, _>>()?;
    Ok(texts.join("\n"))
}

/// Puts what the model is told first, where there is such a thing, before the messages.
pub(super) fn conversation(messages: Vec<Message>, system: Option<&str>) -> Vec<Message> {
    let has_system = messages.iter().any(|message| message.role == Role::System);
    let first = system
        .filter(|text| !has_system && !text.trim().is_empty())
        .map(|text| Message {
            role: Role::System,
            content: text.to_owned(),
        });
    first.into_iter().chain(messages).collect()
}

/// The user's words.
pub(super) fn user(content: &str) -> Message {
    Message {
        role: Role::User,
        content: content.to_owned(),
    }
}
