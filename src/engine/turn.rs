//! The loop: the model reads, a token is chosen and written, the model reads it.

use std::time::Instant;

use super::context::Context;
use super::reasoning::Phase;
use super::sampler::Sampler;
use super::writer::Writer;
use super::{Control, EngineError, EngineOptions, FinishReason};

/// One answer under way.
pub(super) struct Turn<'a> {
    pub(super) context: &'a mut Context,
    pub(super) options: &'a EngineOptions,
    /// What the model is made to say when its thought has cost enough.
    pub(super) closing_tokens: &'a [u32],
    pub(super) tokens_max: usize,
    pub(super) think_tokens_max: usize,
    /// Tokens the model has not read: the prompt at first, then the last token.
    pub(super) unread: Vec<u32>,
    pub(super) sampler: Sampler,
    pub(super) writer: Writer<'a>,
    pub(super) first_token: Option<Instant>,
}

impl Turn<'_> {
    /// Goes on until something ends it. At most `prefill_chunk_tokens` are read between two looks at `control`.
    pub(super) fn run(&mut self, control: &dyn Control) -> Result<FinishReason, EngineError> {
        loop {
            if let Some(interrupt) = control.interrupt() {
                return Ok(interrupt.into());
            }
            if self.writer.phase() == Phase::Thought
                && self.writer.thought_tokens() >= self.think_tokens_max
            {
                self.close_thought()?;
            }
            if self.writer.tokens() >= self.tokens_max {
                return Ok(FinishReason::Length);
            }
            let chunk = self.options.prefill_chunk_tokens;
            let logits = self.context.read(&mut self.unread, chunk)?;
            control.progress();
            let Some(logits) = logits else { continue };
            let token = self
                .sampler
                .next(logits)
                .inspect_err(|_| self.context.forget())?;
            self.first_token.get_or_insert_with(Instant::now);
            if self.options.eos_token_ids.contains(&token) || self.writer.push(token)?.is_break() {
                return Ok(FinishReason::Stop);
            }
            self.unread.push(token);
        }
    }

    /// Writes the closing tag as if the model had, as far as there are tokens to spend.
    fn close_thought(&mut self) -> Result<(), EngineError> {
        let room = self.tokens_max - self.writer.tokens();
        let closing = &self.closing_tokens[..self.closing_tokens.len().min(room)];
        if !closing.is_empty() {
            self.writer.close_thought(closing)?;
            self.sampler.saw(closing);
            self.unread.extend_from_slice(closing);
        }
        Ok(())
    }
}
