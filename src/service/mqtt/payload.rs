//! Bytes of a prompt → [`Request`] or a coded refusal. No I/O, no clock; limits are checked here.
//!
//! JSON when the first byte that is not white space is `{`, plain text otherwise. A field that is not known is refused
//! rather than ignored, and so are the fields that a later version will know.

use std::time::Duration;

use serde_json::{Map, Value};

use super::conversation::{conversation, read_messages, user};
use super::fields::{Fields, as_string, unexpected};
use super::nearest::nearest;
use super::topics;
use crate::engine::{
    Budget, GenerationRequest, Message, STOP_SEQUENCE_BYTES_MAX, STOP_SEQUENCES_MAX,
    SamplingOptions,
};
use crate::service::error::{Code, RequestError};

/// Fields a request may have.
const FIELDS: [&str; 18] = [
    "id",
    "prompt",
    "messages",
    "system",
    "max_tokens",
    "max_completion_tokens",
    "max_think_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "seed",
    "stop",
    "stream",
    "think",
    "deadline_s",
    "reply_to",
];

/// Fields of the contract that this version does not serve.
const LATER_FIELDS: [&str; 5] = ["session", "priority", "template", "vars", "response_format"];

/// Longest deadline, seconds: a week.
const DEADLINE_SECONDS_MAX: f64 = 604_800.0;

/// What a request may be, and what holds where it does not say.
#[derive(Debug, Clone)]
pub struct RequestRules {
    /// Longest payload.
    pub payload_bytes_max: usize,
    /// Most tokens a request may ask for.
    pub max_tokens_max: usize,
    /// What the model is told first where the request says nothing of the kind.
    pub system: Option<String>,
    /// How tokens are chosen where the request does not say.
    pub sampling: SamplingOptions,
    /// How many tokens may be spent where the request does not say.
    pub budget: Budget,
    /// What becomes of the thought where the request does not say.
    pub think: Think,
    /// When an answer is too late where neither the request nor its message says.
    pub deadline: Option<Duration>,
}

impl Default for RequestRules {
    fn default() -> Self {
        Self {
            payload_bytes_max: 64 * 1024,
            max_tokens_max: 4096,
            system: None,
            sampling: SamplingOptions::default(),
            budget: Budget::default(),
            think: Think::default(),
            deadline: None,
        }
    }
}

/// What becomes of the thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Think {
    /// It is not sent.
    Hide,
    /// It is sent in a field of its own, and as pieces of its own.
    #[default]
    Separate,
    /// It is part of the text, between think tags.
    Include,
}

/// One prompt, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The name its asker gave it.
    pub id: Option<String>,
    /// What the engine is asked.
    pub generation: GenerationRequest,
    /// Whether pieces are sent as they come.
    pub stream: bool,
    /// What becomes of the thought.
    pub think: Think,
    /// When an answer is too late, from the message's arrival on.
    pub deadline: Option<Duration>,
    /// Where the answer goes, as the payload says; not yet checked.
    pub reply_to: Option<String>,
}

/// A payload that is no request, with what could be read of where the refusal belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub error: RequestError,
    /// The name its asker gave it.
    pub id: Option<String>,
    /// Where the answer would have gone; not yet checked.
    pub reply_to: Option<String>,
}

/// Reads a payload.
///
/// # Errors
/// If it is too large, not UTF-8, empty, or JSON that is not a request; the refusal says what was found and expected.
pub fn parse(payload: &[u8], rules: &RequestRules) -> Result<Request, Box<Refusal>> {
    let anonymous = |error| {
        Box::new(Refusal {
            error,
            id: None,
            reply_to: None,
        })
    };
    let text = check_text(payload, rules.payload_bytes_max).map_err(anonymous)?;
    if !text.trim_start().starts_with('{') {
        let messages = conversation(vec![user(text.trim())], None, rules);
        return Ok(plain_request(messages, rules));
    }
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        anonymous(RequestError::bad_request(format!(
            "the payload begins like JSON, but {error}"
        )))
    })?;
    let word = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    parse_object(&object, rules).map_err(|error| {
        let id = word("id").filter(|id| topics::is_level(id));
        Box::new(Refusal {
            error,
            id,
            reply_to: word("reply_to"),
        })
    })
}

fn check_text(payload: &[u8], payload_bytes_max: usize) -> Result<&str, RequestError> {
    if payload.len() > payload_bytes_max {
        let detail = format!(
            "payload has {} bytes, the limit is {payload_bytes_max}",
            payload.len()
        );
        return Err(RequestError::new(Code::TooLarge, detail));
    }
    let text = std::str::from_utf8(payload).map_err(|error| {
        let at = error.valid_up_to();
        RequestError::bad_request(format!(
            "payload is not UTF-8: byte {} at {at}",
            payload[at]
        ))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(RequestError::bad_request("the prompt is empty"));
    }
    Ok(text)
}

fn plain_request(messages: Vec<Message>, rules: &RequestRules) -> Request {
    let sampling = rules.sampling.clone();
    let generation = GenerationRequest {
        messages,
        sampling,
        budget: rules.budget,
        stop: Vec::new(),
    };
    Request {
        id: None,
        generation,
        stream: false,
        think: rules.think,
        deadline: rules.deadline,
        reply_to: None,
    }
}

fn parse_object(
    object: &Map<String, Value>,
    rules: &RequestRules,
) -> Result<Request, RequestError> {
    object.keys().try_for_each(|name| check_name(name))?;
    let fields = Fields::new(object);
    let mut request = plain_request(read_messages(&fields, rules)?, rules);
    request.id = read_id(&fields)?;
    request.generation.sampling = read_sampling(&fields, rules)?;
    request.generation.budget = read_budget(&fields, rules)?;
    request.generation.stop = read_stop(&fields)?;
    request.stream = fields.bool("stream")?.unwrap_or(false);
    request.think = read_think(&fields)?.unwrap_or(rules.think);
    let in_range = |seconds| seconds > 0.0 && seconds <= DEADLINE_SECONDS_MAX;
    if let Some(seconds) = fields.number("deadline_s", "above 0 to 604800", in_range)? {
        request.deadline = Some(Duration::from_secs_f64(seconds));
    }
    request.reply_to = fields.string("reply_to")?.map(str::to_owned);
    Ok(request)
}

fn check_name(name: &str) -> Result<(), RequestError> {
    if FIELDS.contains(&name) {
        return Ok(());
    }
    if LATER_FIELDS.contains(&name) {
        let detail = format!("{name} is not supported by this version");
        return Err(RequestError::bad_request(detail));
    }
    let shown: String = name.chars().take(40).collect();
    let detail = match nearest(name, FIELDS) {
        Some(known) => format!("unknown field {shown:?}, did you mean {known}?"),
        None => format!("unknown field {shown:?}; known are {}", FIELDS.join(", ")),
    };
    Err(RequestError::bad_request(detail))
}

fn read_id(fields: &Fields<'_>) -> Result<Option<String>, RequestError> {
    let Some(id) = fields.string("id")? else {
        return Ok(None);
    };
    if !topics::is_level(id) {
        return Err(RequestError::bad_request(
            "id must have 1 to 128 bytes and none of / + # $ or control characters",
        ));
    }
    Ok(Some(id.to_owned()))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range of each value is checked"
)]
fn read_sampling(
    fields: &Fields<'_>,
    rules: &RequestRules,
) -> Result<SamplingOptions, RequestError> {
    let mut sampling = rules.sampling.clone();
    let from = |least: f64, most: f64| move |value: f64| (least..=most).contains(&value);
    let above_0_to = |most: f64| move |value: f64| value as f32 > 0.0 && value <= most;
    if let Some(value) = fields.number("temperature", "from 0 to 5", from(0.0, 5.0))? {
        sampling.temperature = value as f32;
    }
    if let Some(value) = fields.number("top_p", "above 0 to 1", above_0_to(1.0))? {
        sampling.top_p = value as f32;
    }
    if let Some(value) = fields.number("min_p", "from 0 to 1", from(0.0, 1.0))? {
        sampling.min_p = value as f32;
    }
    let penalty = fields.number("repetition_penalty", "above 0 to 10", above_0_to(10.0))?;
    if let Some(value) = penalty {
        sampling.repetition_penalty = value as f32;
    }
    if let Some(value) = fields.whole("top_k", (0, u64::from(u32::MAX)))? {
        sampling.top_k = value as usize;
    }
    if let Some(value) = fields.whole("seed", (0, u64::MAX))? {
        sampling.seed = value;
    }
    Ok(sampling)
}

fn read_budget(fields: &Fields<'_>, rules: &RequestRules) -> Result<Budget, RequestError> {
    let mut budget = rules.budget;
    let most = rules.max_tokens_max as u64;
    let tokens = fields.whole("max_tokens", (1, most))?;
    let same_tokens = fields.whole("max_completion_tokens", (1, most))?;
    if tokens.is_some() && same_tokens.is_some() && tokens != same_tokens {
        return Err(RequestError::bad_request(
            "max_tokens and max_completion_tokens differ",
        ));
    }
    let to_size = |tokens: u64| usize::try_from(tokens).expect("limited by max_tokens_max");
    if let Some(tokens) = tokens.or(same_tokens) {
        budget.max_tokens = to_size(tokens);
    }
    if let Some(tokens) = fields.whole("max_think_tokens", (0, most))? {
        budget.max_think_tokens = Some(to_size(tokens));
    }
    Ok(budget)
}

fn read_stop(fields: &Fields<'_>) -> Result<Vec<String>, RequestError> {
    let stop: Vec<String> = match fields.value("stop") {
        None => Vec::new(),
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => {
            let read =
                |(index, entry)| as_string(&format!("stop[{index}]"), entry).map(str::to_owned);
            list.iter()
                .enumerate()
                .map(read)
                .collect::<Result<_, _>>()?
        }
        Some(other) => return Err(unexpected("stop", other, "a string or a list of strings")),
    };
    if stop.len() > STOP_SEQUENCES_MAX {
        let detail = format!(
            "stop has {} entries, the limit is {STOP_SEQUENCES_MAX}",
            stop.len()
        );
        return Err(RequestError::bad_request(detail));
    }
    if stop
        .iter()
        .any(|text| text.is_empty() || text.len() > STOP_SEQUENCE_BYTES_MAX)
    {
        return Err(RequestError::bad_request(format!(
            "a stop sequence has 1 to {STOP_SEQUENCE_BYTES_MAX} bytes"
        )));
    }
    Ok(stop)
}

fn read_think(fields: &Fields<'_>) -> Result<Option<Think>, RequestError> {
    let read = |value: &Value| match value.as_str() {
        Some("hide") => Ok(Think::Hide),
        Some("separate") => Ok(Think::Separate),
        Some("include") => Ok(Think::Include),
        _ => Err(unexpected("think", value, "hide, separate or include")),
    };
    fields.value("think").map(read).transpose()
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
