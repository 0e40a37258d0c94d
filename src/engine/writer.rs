//! The way of a generated token to the one who asked: text, thought or answer, its form, stop sequences, white space.
//!
//! Where the answer has a form, a token is [asked for](Writer::allows) before it is written, and what is missing of the
//! document at the end is added.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::reasoning::{Phase, ReasoningSplitter, Split};
use super::stop::StopMatcher;
use super::text_stream::{Peeked, TextStream};
use super::trim::{LeadingTrim, TrailingTrim};
use super::{Constraint, GenerationRequest, TurnNews, Usage};
use crate::model::{ModelError, TokenText};

/// Writes one answer.
pub(super) struct Writer {
    text: TextStream,
    splitter: ReasoningSplitter,
    parts: Parts,
    /// Tokens written while it was open whether they are thought.
    undecided_tokens: usize,
    thought_tokens: usize,
    answer_tokens: usize,
    /// Bytes of tokens that are white space, outside the thought; looked at until the answer begins.
    blanks: usize,
    /// Whether one token opens a thought. Then pieces of the tag, written as text, do not.
    is_open_one_token: bool,
}

/// Most white space in front of an answer that has a form, bytes: the line ends after a thought, and an end for a model
/// that writes nothing else while what it would say is not allowed.
const BLANKS_MAX: usize = 16;

/// Stands for a character of which only the first bytes are known.
const STAND_IN: char = 'é';

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) thought: String,
    pub(super) answer: String,
    pub(super) usage: Usage,
    /// The pieces that have not been taken.
    pub(super) news: Vec<TurnNews>,
}

impl Writer {
    pub(super) fn new(
        text: Arc<dyn TokenText>,
        splitter: ReasoningSplitter,
        request: &GenerationRequest,
    ) -> Self {
        let is_open_one_token = text.token_id(splitter.open()).is_some();
        Self {
            text: TextStream::new(text),
            splitter,
            parts: Parts::new(request),
            undecided_tokens: 0,
            thought_tokens: 0,
            answer_tokens: 0,
            blanks: 0,
            is_open_one_token,
        }
    }

    /// Whether the answer may end here.
    pub(super) fn may_end(&self) -> bool {
        let form = self.parts.form.as_ref();
        form.is_none_or(Constraint::is_complete)
    }

    /// Whether `token`, which is no end token, may be written next.
    pub(super) fn allows(&mut self, token: u32) -> Result<bool, ModelError> {
        let Some(form) = &self.parts.form else {
            return Ok(true);
        };
        let phase = self.splitter.phase();
        let (text, is_unfinished) = match self.text.peek(token)? {
            // It brings an answer no further.
            Peeked::Text(text) if text.is_empty() => return Ok(phase == Phase::Thought),
            Peeked::Text(text) => (text, false),
            Peeked::Unfinished(text) => (text + STAND_IN.encode_utf8(&mut [0; 4]), true),
        };
        let is_blank = phase != Phase::Thought && text.trim().is_empty();
        let mut splitter = self.splitter.clone();
        let answer = splitter.push(&text).answer;
        let mut start = self.parts.answer_start.clone();
        let answer = start.push(&answer);
        if !start.has_begun() {
            if is_blank {
                return Ok(self.blanks + text.len() <= BLANKS_MAX);
            }
            // A model that would say `<div>`, and may not, would be led into a thought by the first character.
            let is_piece_of_tag = splitter.phase() == Phase::Undecided;
            return Ok(!is_piece_of_tag || !self.is_open_one_token);
        }
        Ok(match answer.strip_suffix(STAND_IN) {
            Some(before) if is_unfinished => form.allows_character_after(before),
            _ => form.allows(answer),
        })
    }

    pub(super) fn phase(&self) -> Phase {
        self.splitter.phase()
    }

    pub(super) fn thought_tokens(&self) -> usize {
        self.thought_tokens
    }

    /// The pieces that are new since this was last asked.
    pub(super) fn take_news(&mut self) -> Vec<TurnNews> {
        std::mem::take(&mut self.parts.news)
    }

    /// All tokens written.
    pub(super) fn tokens(&self) -> usize {
        self.undecided_tokens + self.thought_tokens + self.answer_tokens
    }

    /// Writes a token; breaks where a stop sequence or the end of the document ends the answer.
    pub(super) fn push(&mut self, token: u32) -> Result<ControlFlow<()>, ModelError> {
        let phase = self.phase();
        let text = self.text.push(token)?;
        if phase != Phase::Thought && text.trim().is_empty() {
            self.blanks += text.len();
        }
        self.parts.write(&self.splitter.push(&text));
        match phase {
            Phase::Undecided => self.undecided_tokens += 1,
            Phase::Thought => self.thought_tokens += 1,
            Phase::Answer => self.answer_tokens += 1,
        }
        self.decide();
        Ok(if self.parts.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// Writes the tokens that close the thought in the model's stead.
    pub(super) fn close_thought(&mut self, closing: &[u32]) -> Result<(), ModelError> {
        let text = self.text.flush()?;
        self.parts.write(&self.splitter.push(&text));
        for token in closing {
            // The answer has only white space yet, and a stop sequence looks past that.
            let ControlFlow::Continue(()) = self.push(*token)? else {
                break;
            };
        }
        Ok(())
    }

    /// Ends the answer and tells what was held back.
    pub(super) fn finish(mut self) -> Result<Written, ModelError> {
        let text = self.text.flush()?;
        self.parts.write(&self.splitter.push(&text));
        self.decide();
        self.parts.write(&self.splitter.finish());
        self.parts.finish();
        let (thought_tokens, answer_tokens) = (
            self.thought_tokens,
            self.answer_tokens + self.undecided_tokens,
        );
        let usage = Usage {
            thought_tokens,
            answer_tokens,
            ..Usage::default()
        };
        Ok(Written {
            thought: self.parts.thought,
            answer: self.parts.answer,
            usage,
            news: self.parts.news,
        })
    }

    /// Gives the undecided tokens to the part they have turned out to be.
    fn decide(&mut self) {
        let tokens = match self.phase() {
            Phase::Undecided => return,
            Phase::Thought => &mut self.thought_tokens,
            Phase::Answer => &mut self.answer_tokens,
        };
        *tokens += std::mem::take(&mut self.undecided_tokens);
    }
}

/// Thought and answer as they are told.
struct Parts {
    news: Vec<TurnNews>,
    thought_start: LeadingTrim,
    thought_end: TrailingTrim,
    thought: String,
    answer_start: LeadingTrim,
    /// None where any text will do.
    form: Option<Constraint>,
    stop: StopMatcher,
    stopped: bool,
    answer_end: TrailingTrim,
    answer: String,
}

impl Parts {
    fn new(request: &GenerationRequest) -> Self {
        let form = Constraint::new(&request.format);
        let stop = match form {
            Some(_) => &[],
            None => request.stop.as_slice(),
        };
        Self {
            news: Vec::new(),
            thought_start: LeadingTrim::default(),
            thought_end: TrailingTrim::default(),
            thought: String::new(),
            answer_start: LeadingTrim::default(),
            form,
            stop: StopMatcher::new(stop),
            stopped: false,
            answer_end: TrailingTrim::default(),
            answer: String::new(),
        }
    }

    fn write(&mut self, split: &Split) {
        let thought = self
            .thought_end
            .push(self.thought_start.push(&split.thought));
        if !thought.is_empty() {
            self.thought.push_str(&thought);
            self.news.push(TurnNews::Thought(thought));
        }
        if !self.stopped {
            // White space before the answer goes first, so that a stop sequence of line ends waits for a text.
            let mut text = self.answer_start.push(&split.answer);
            let mut is_whole = false;
            if let Some(form) = &mut self.form {
                // What was held back as the start of a tag was not asked for.
                if !form.push(text) {
                    text = "";
                }
                is_whole = form.is_closed();
            }
            let passed = self.stop.push(text);
            self.stopped = passed.stopped || is_whole;
            self.answer(&passed.text);
        }
    }

    fn finish(&mut self) {
        if !self.stopped {
            let held = self.stop.finish();
            self.answer(&held);
        }
        let closing = self.form.as_ref().map(Constraint::closing);
        self.answer(&closing.unwrap_or_default());
    }

    fn answer(&mut self, text: &str) {
        let text = self.answer_end.push(text);
        if !text.is_empty() {
            self.answer.push_str(&text);
            self.news.push(TurnNews::Answer(text));
        }
    }
}
