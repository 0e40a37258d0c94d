//! What the engine tells while it answers, and when it has answered.

use std::time::{Duration, Instant};

use super::EngineError;

/// A piece of text, told as soon as it is known; never empty. The pieces together are the [`Completion`]'s texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// The next piece of the thought, without think tags.
    Thought(&'a str),
    /// The next piece of the answer.
    Answer(&'a str),
}

/// Names a turn within one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TurnId(pub u64);

/// What a step brought for a turn.
#[derive(Debug)]
pub struct TurnEvent {
    /// The turn.
    pub turn: TurnId,
    /// What it has to tell.
    pub news: TurnNews,
}

/// What a turn has to tell; nothing follows after an end.
#[derive(Debug)]
pub enum TurnNews {
    /// The next piece of the thought, as [`Event::Thought`].
    Thought(String),
    /// The next piece of the answer, as [`Event::Answer`].
    Answer(String),
    /// The end.
    Finished(Completion),
    /// The end, without an answer.
    Failed(EngineError),
}

/// Why the answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended it, or a stop sequence did, or there was nothing left to say in its form.
    Stop,
    /// The token budget or the context was spent, or the model can write nothing that fits the form.
    Length,
    /// The deadline passed.
    Deadline,
    /// It was cancelled.
    Cancelled,
}

/// Tokens read and written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt, chat template included.
    pub prompt_tokens: usize,
    /// Tokens of the prompt that were in a key-value cache already and were not read again.
    pub reused_tokens: usize,
    /// Tokens of the thought, its tags included where the model wrote them or was made to.
    pub thought_tokens: usize,
    /// Tokens of the answer, the end token not included.
    pub answer_tokens: usize,
}

/// Where the time went. What an interrupt left undone took no time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Reading the prompt, until the first token is chosen.
    pub prefill: Duration,
    /// From the call to the first generated token.
    pub first_token: Duration,
    /// From the first generated token to the end.
    pub decode: Duration,
    /// The whole call.
    pub total: Duration,
}

impl Timing {
    /// The times of a call that ends now.
    pub(super) fn between(
        called: Instant,
        prompt_ready: Instant,
        first_token: Option<Instant>,
    ) -> Self {
        let now = Instant::now();
        Self {
            prefill: first_token.unwrap_or(now) - prompt_ready,
            first_token: first_token.map_or(Duration::ZERO, |first| first - called),
            decode: first_token.map_or(Duration::ZERO, |first| now - first),
            total: now - called,
        }
    }
}

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What the model thought, without think tags and without white space at its ends.
    pub thought: String,
    /// What the model answered, without white space at its ends. Always whole where a form was asked for: what an
    /// early end left open is closed for the model.
    pub answer: String,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Tokens read and written.
    pub usage: Usage,
    /// Where the time went.
    pub timing: Timing,
}
