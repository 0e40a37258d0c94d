//! Bytes of a prompt → [`Request`] or a coded refusal. No I/O, no clock; limits are checked here.
//!
//! JSON when the first byte that is not white space is `{`, plain text otherwise; the body of OpenAI's chat completions
//! is one such JSON. A field that is not known is refused rather than ignored.
//!
//! Where a request does not say, the template it names says, then the settings of its client, then those of all.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::conversation::{Conversation, conversation, read_messages, user};
use super::fields::{Fields, as_string, unexpected};
use super::nearest::nearest;
use super::neutral::{NEUTRAL, check_neutral};
use super::response_format::read_response_format;
use super::templates::{Filled, Templates};
use super::topics;
use crate::engine::{
    Budget, GenerationRequest, ResponseFormat, STOP_SEQUENCE_BYTES_MAX, STOP_SEQUENCES_MAX,
    SamplingOptions,
};
use crate::service::error::{Code, RequestError};
use crate::service::priority::Priority;

/// Fields a request may have, besides those that ask for nothing.
const FIELDS: [&str; 25] = [
    "id",
    "prompt",
    "messages",
    "template",
    "vars",
    "system",
    "session",
    "user",
    "priority",
    "response_format",
    "max_tokens",
    "max_completion_tokens",
    "max_think_tokens",
    "reasoning_effort",
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

/// Longest name of a client, bytes.
const CLIENT_BYTES_MAX: usize = 128;

/// Most tokens of thought for the efforts that limit it.
const EFFORT_MINIMAL: usize = 0;
const EFFORT_LOW: usize = 256;
const EFFORT_MEDIUM: usize = 1024;

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
    /// Prompts with names.
    pub templates: Templates,
    /// What holds for the requests of a client, by its name.
    pub clients: BTreeMap<String, ClientRules>,
}

/// What holds for the requests of one client where they do not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientRules {
    /// What the model is told first.
    pub system: Option<String>,
    /// How urgent its prompts are.
    pub priority: Option<Priority>,
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
            templates: Templates::default(),
            clients: BTreeMap::new(),
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
    /// Who asks: as the topic says, else as the request itself does.
    pub client: Option<String>,
    /// The conversation it goes on with.
    pub session: Option<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether it says itself what the model is told first.
    pub brings_system: bool,
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

/// Reads a payload from someone who may name themselves in it.
///
/// # Errors
/// If it is too large, not UTF-8, empty, or JSON that is not a request; the refusal says what was found and expected.
pub fn parse(payload: &[u8], rules: &RequestRules) -> Result<Request, Box<Refusal>> {
    parse_from(None, payload, rules)
}

/// Reads a payload from `client`, the name its topic gives, over which no name in the payload holds.
///
/// # Errors
/// As [`parse`].
pub fn parse_from(
    client: Option<&str>,
    payload: &[u8],
    rules: &RequestRules,
) -> Result<Request, Box<Refusal>> {
    let anonymous = |error| {
        Box::new(Refusal {
            error,
            id: None,
            reply_to: None,
        })
    };
    let text = check_text(payload, rules.payload_bytes_max).map_err(anonymous)?;
    if !text.trim_start().starts_with('{') {
        return Ok(plain_request(text.trim(), client, rules));
    }
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        anonymous(RequestError::bad_request(format!(
            "the payload begins like JSON, but {error}"
        )))
    })?;
    let word = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    parse_object(&object, client, rules).map_err(|error| {
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

fn plain_request(prompt: &str, client: Option<&str>, rules: &RequestRules) -> Request {
    let (system, priority) = rules.of(client);
    Request {
        id: None,
        client: client.map(str::to_owned),
        session: None,
        priority,
        brings_system: false,
        generation: GenerationRequest {
            messages: conversation(vec![user(prompt)], system),
            sampling: rules.sampling.clone(),
            budget: rules.budget,
            stop: Vec::new(),
            format: ResponseFormat::default(),
        },
        stream: false,
        think: rules.think,
        deadline: rules.deadline,
        reply_to: None,
    }
}

impl RequestRules {
    /// What the model is told first, and how urgent a prompt is, where neither a request of `client` nor a template
    /// says.
    fn of(&self, client: Option<&str>) -> (Option<&str>, Priority) {
        let client = client.and_then(|name| self.clients.get(name));
        let system = client
            .and_then(|client| client.system.as_deref())
            .or(self.system.as_deref());
        let priority = client.and_then(|client| client.priority);
        (system, priority.unwrap_or_default())
    }
}

fn parse_object(
    object: &Map<String, Value>,
    client: Option<&str>,
    rules: &RequestRules,
) -> Result<Request, RequestError> {
    object.keys().try_for_each(|name| check_name(name))?;
    let fields = Fields::new(object);
    check_neutral(&fields)?;
    let user = read_client(&fields)?;
    let client = client.or(user);
    let (system, priority) = rules.of(client);
    let filled = read_template(&fields, rules)?;
    let template = filled.as_ref().map(|filled| filled.spec);
    let Conversation {
        messages,
        brings_system,
    } = read_messages(&fields, filled.as_ref(), system)?;
    let format = fields.value("response_format").map(read_response_format);
    let of_template = || template.and_then(|template| template.format.clone());
    let mut deadline = rules.deadline;
    let in_range = |seconds| seconds > 0.0 && seconds <= DEADLINE_SECONDS_MAX;
    if let Some(seconds) = fields.number("deadline_s", "above 0 to 604800", in_range)? {
        deadline = Some(Duration::from_secs_f64(seconds));
    }
    Ok(Request {
        id: read_level(&fields, "id")?,
        client: client.map(str::to_owned),
        session: read_level(&fields, "session")?,
        priority: read_priority(&fields)?
            .or(template.and_then(|template| template.priority))
            .unwrap_or(priority),
        brings_system,
        generation: GenerationRequest {
            messages,
            sampling: read_sampling(&fields, rules)?,
            budget: read_budget(&fields, filled.as_ref(), rules)?,
            stop: read_stop(&fields)?,
            format: format.transpose()?.or_else(of_template).unwrap_or_default(),
        },
        stream: fields.bool("stream")?.unwrap_or(false),
        think: read_think(&fields)?.unwrap_or(rules.think),
        deadline,
        reply_to: fields.string("reply_to")?.map(str::to_owned),
    })
}

fn check_name(name: &str) -> Result<(), RequestError> {
    let neutral = || NEUTRAL.iter().map(|field| field.name);
    if FIELDS.contains(&name) || neutral().any(|field| field == name) {
        return Ok(());
    }
    let shown: String = name.chars().take(40).collect();
    let detail = match nearest(name, FIELDS.into_iter().chain(neutral())) {
        Some(known) => format!("unknown field {shown:?}, did you mean {known}?"),
        None => format!("unknown field {shown:?}; known are {}", FIELDS.join(", ")),
    };
    Err(RequestError::bad_request(detail))
}

/// A name that can stand as one level of a topic.
fn read_level(fields: &Fields<'_>, name: &str) -> Result<Option<String>, RequestError> {
    let Some(level) = fields.string(name)? else {
        return Ok(None);
    };
    if !topics::is_level(level) {
        let detail =
            format!("{name} must have 1 to 128 bytes and none of / + # $ or control characters");
        return Err(RequestError::bad_request(detail));
    }
    Ok(Some(level.to_owned()))
}

/// The client's own word for who it is.
fn read_client<'a>(fields: &Fields<'a>) -> Result<Option<&'a str>, RequestError> {
    let user = fields.string("user")?;
    let fits = |name: &&str| {
        (1..=CLIENT_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
    };
    if user.is_some_and(|name| !fits(&name)) {
        let detail =
            format!("user must have 1 to {CLIENT_BYTES_MAX} bytes and no control characters");
        return Err(RequestError::bad_request(detail));
    }
    Ok(user)
}

fn read_priority(fields: &Fields<'_>) -> Result<Option<Priority>, RequestError> {
    let read = |value: &Value| match value.as_str() {
        Some("high") => Ok(Priority::High),
        Some("normal") => Ok(Priority::Normal),
        Some("low") => Ok(Priority::Low),
        _ => Err(unexpected("priority", value, "high, normal or low")),
    };
    fields.value("priority").map(read).transpose()
}

/// The template a request names, with its variables put in.
fn read_template<'a>(
    fields: &Fields<'_>,
    rules: &'a RequestRules,
) -> Result<Option<Filled<'a>>, RequestError> {
    let none = Map::new();
    let vars = match fields.value("vars") {
        None => &none,
        Some(Value::Object(vars)) => vars,
        Some(other) => return Err(unexpected("vars", other, "an object")),
    };
    let Some(name) = fields.string("template")? else {
        return match fields.value("vars") {
            None => Ok(None),
            Some(_) => Err(RequestError::bad_request(
                "vars is given without a template",
            )),
        };
    };
    let bytes_max = rules.payload_bytes_max;
    rules.templates.fill(name, vars, bytes_max).map(Some)
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

fn read_budget(
    fields: &Fields<'_>,
    filled: Option<&Filled<'_>>,
    rules: &RequestRules,
) -> Result<Budget, RequestError> {
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
    let template = filled.map(|filled| filled.spec);
    let of_template = template.and_then(|template| template.max_tokens);
    if let Some(tokens) = tokens.or(same_tokens).map(to_size).or(of_template) {
        budget.max_tokens = tokens;
    }
    let tokens = fields.whole("max_think_tokens", (0, most))?.map(to_size);
    let of_template = template.and_then(|template| template.max_think_tokens);
    let silent = of_template.or(budget.max_think_tokens);
    // An effort may only lower what is allowed anyhow.
    let with_effort = match read_effort(fields)? {
        Some(effort) => Some(silent.map_or(effort, |tokens| tokens.min(effort))),
        None => silent,
    };
    budget.max_think_tokens = tokens.or(with_effort);
    Ok(budget)
}

/// The most tokens of thought that an effort stands for; none where it does not limit them.
fn read_effort(fields: &Fields<'_>) -> Result<Option<usize>, RequestError> {
    let known = "none, minimal, low, medium or high";
    let read = |value: &Value| match value.as_str() {
        Some("none" | "minimal") => Ok(Some(EFFORT_MINIMAL)),
        Some("low") => Ok(Some(EFFORT_LOW)),
        Some("medium") => Ok(Some(EFFORT_MEDIUM)),
        Some("high") => Ok(None),
        _ => Err(unexpected("reasoning_effort", value, known)),
    };
    let effort = fields.value("reasoning_effort").map(read).transpose()?;
    Ok(effort.flatten())
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
