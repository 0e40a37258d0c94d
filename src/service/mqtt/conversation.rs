//! The messages of a request: a prompt, or a whole conversation, and what the model is told first.

use serde_json::Value;

use super::fields::{Fields, as_string, unexpected};
use super::payload::RequestRules;
use crate::engine::{Message, Role};
use crate::service::error::RequestError;

/// Most messages in one request.
const MESSAGES_MAX: usize = 256;

/// The messages of `prompt` or `messages`, with `system` first.
pub(super) fn read_messages(
    fields: &Fields<'_>,
    rules: &RequestRules,
) -> Result<Vec<Message>, RequestError> {
    let system = fields.string("system")?;
    let messages = match (fields.value("prompt"), fields.value("messages")) {
        (Some(_), Some(_)) => {
            return Err(RequestError::bad_request(
                "both prompt and messages are given, expected one",
            ));
        }
        (None, None) => {
            return Err(RequestError::bad_request(
                "neither prompt nor messages is given",
            ));
        }
        (Some(prompt), None) => vec![user(as_string("prompt", prompt)?)],
        (None, Some(messages)) => read_list(messages)?,
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
    if system.is_some() && messages.iter().any(|message| message.role == Role::System) {
        return Err(RequestError::bad_request(
            "system is given both as a field and as a message",
        ));
    }
    Ok(conversation(messages, system, rules))
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
    if let Some(other) = object
        .keys()
        .find(|key| !["role", "content"].contains(&key.as_str()))
    {
        let shown: String = other.chars().take(40).collect();
        let detail = format!("{name} has the unknown field {shown:?}, expected role and content");
        return Err(RequestError::bad_request(detail));
    }
    let field = |part: &str| {
        let path = format!("{name}.{part}");
        let value = object.get(part).unwrap_or(&Value::Null);
        as_string(&path, value).map(|text| (path, value, text))
    };
    let (path, value, role) = field("role")?;
    let role = match role {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return Err(unexpected(&path, value, "system, user or assistant")),
    };
    Ok(Message {
        role,
        content: field("content")?.2.to_owned(),
    })
}

/// Puts what the model is told first, where there is such a thing, before the messages.
pub(super) fn conversation(
    messages: Vec<Message>,
    system: Option<&str>,
    rules: &RequestRules,
) -> Vec<Message> {
    let has_system = messages.iter().any(|message| message.role == Role::System);
    let first = system
        .or(rules.system.as_deref())
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
