//! The way of a generated token to the one who asked: text, thought or answer, stop sequences, white space.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::reasoning::{Phase, ReasoningSplitter, Split};
use super::stop::StopMatcher;
use super::text_stream::TextStream;
use super::trim::{LeadingTrim, TrailingTrim};
use super::{TurnNews, Usage};
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
}

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
        stop: &[String],
    ) -> Self {
        Self {
            text: TextStream::new(text),
            splitter,
            parts: Parts::new(stop),
            undecided_tokens: 0,
            thought_tokens: 0,
            answer_tokens: 0,
        }
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

    /// Writes a token; breaks where a stop sequence ends the answer.
    pub(super) fn push(&mut self, token: u32) -> Result<ControlFlow<()>, ModelError> {
        let phase = self.phase();
        let text = self.text.push(token)?;
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
    stop: StopMatcher,
    stopped: bool,
    answer_end: TrailingTrim,
    answer: String,
}

impl Parts {
    fn new(stop: &[String]) -> Self {
        Self {
            news: Vec::new(),
            thought_start: LeadingTrim::default(),
            thought_end: TrailingTrim::default(),
            thought: String::new(),
            answer_start: LeadingTrim::default(),
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
            let passed = self.stop.push(self.answer_start.push(&split.answer));
            self.stopped = passed.stopped;
            self.answer(&passed.text);
        }
    }

    fn finish(&mut self) {
        if !self.stopped {
            let held = self.stop.finish();
            self.answer(&held);
        }
    }

    fn answer(&mut self, text: &str) {
        let text = self.answer_end.push(text);
        if !text.is_empty() {
            self.answer.push_str(&text);
            self.news.push(TurnNews::Answer(text));
        }
    }
}
