//! One answer under way: what was read and written for it, and how it goes on. Knows neither the model nor its lane's
//! cache, so it can be put aside and go on in another lane as if nothing had been.

use std::time::Instant;

use super::event::{TurnId, TurnNews};
use super::reasoning::Phase;
use super::sampler::Sampler;
use super::writer::Writer;
use super::{Completion, EngineError, EngineOptions, FinishReason, Timing, Usage};

/// One answer under way.
pub(super) struct Turn {
    pub(super) id: TurnId,
    /// Where it is read; nothing while it is put aside.
    pub(super) lane: Option<usize>,
    /// Every token of the context: the prompt, then what was generated. The last one has never been read.
    pub(super) tokens: Vec<u32>,
    pub(super) prompt_tokens: usize,
    pub(super) tokens_max: usize,
    pub(super) think_tokens_max: usize,
    pub(super) sampler: Sampler,
    pub(super) writer: Writer,
    pub(super) ending: Option<Result<FinishReason, EngineError>>,
    pub(super) clock: Clock,
    /// Tokens that were in a lane's cache at any time.
    pub(super) reach: usize,
    /// Tokens of the prompt among them that were not read for this turn.
    pub(super) reused_tokens: usize,
}

/// When what happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) called: Instant,
    pub(super) prompt_ready: Instant,
    pub(super) first_token: Option<Instant>,
}

impl Turn {
    /// Its lane holds `held` of its tokens without having read them for it.
    pub(super) fn found(&mut self, held: usize) {
        let of_prompt = held.min(self.prompt_tokens);
        self.reused_tokens += of_prompt.saturating_sub(self.reach);
        self.reach = self.reach.max(held);
    }

    /// Chooses the next token, once all tokens have been read.
    pub(super) fn advance(&mut self, logits: &[f32], options: &EngineOptions) {
        match self.next(logits, options) {
            Ok(None) => {}
            Ok(Some(reason)) => self.ending = Some(Ok(reason)),
            Err(error) => self.ending = Some(Err(error)),
        }
    }

    fn next(
        &mut self,
        logits: &[f32],
        options: &EngineOptions,
    ) -> Result<Option<FinishReason>, EngineError> {
        let writer = &mut self.writer;
        let mut is_allowed = |token| match options.eos_token_ids.contains(&token) {
            true => Ok(writer.may_end()),
            false => Ok(writer.allows(token)?),
        };
        let token = self.sampler.next(logits, &mut is_allowed)?;
        self.clock.first_token.get_or_insert_with(Instant::now);
        let Some(token) = token else {
            tracing::debug!("No token fits the form of the answer.");
            return Ok(Some(FinishReason::Length));
        };
        if options.eos_token_ids.contains(&token) || self.writer.push(token)?.is_break() {
            return Ok(Some(FinishReason::Stop));
        }
        self.tokens.push(token);
        Ok(None)
    }

    /// Closes the thought where it has cost enough, and ends the turn where its tokens are spent.
    pub(super) fn settle(&mut self, closing_tokens: &[u32]) {
        if self.ending.is_some() {
            return;
        }
        if self.writer.phase() == Phase::Thought
            && self.writer.thought_tokens() >= self.think_tokens_max
            && let Err(error) = self.close_thought(closing_tokens)
        {
            self.ending = Some(Err(error));
            return;
        }
        if self.writer.tokens() >= self.tokens_max {
            self.ending = Some(Ok(FinishReason::Length));
        }
    }

    /// Writes the closing tag as if the model had, as far as there are tokens to spend.
    fn close_thought(&mut self, closing_tokens: &[u32]) -> Result<(), EngineError> {
        let room = self.tokens_max.saturating_sub(self.writer.tokens());
        let closing = &closing_tokens[..closing_tokens.len().min(room)];
        if !closing.is_empty() {
            self.writer.close_thought(closing)?;
            self.sampler.saw(closing);
            self.tokens.extend_from_slice(closing);
        }
        Ok(())
    }

    /// What it has to tell last.
    pub(super) fn finish(self) -> (Vec<TurnNews>, TurnNews) {
        let reason = self.ending.unwrap_or(Ok(FinishReason::Cancelled));
        let finish_reason = match reason {
            Ok(reason) => reason,
            Err(error) => return (Vec::new(), TurnNews::Failed(error)),
        };
        let clock = self.clock;
        let timing = Timing::between(clock.called, clock.prompt_ready, clock.first_token);
        let written = match self.writer.finish() {
            Ok(written) => written,
            Err(error) => return (Vec::new(), TurnNews::Failed(error.into())),
        };
        let usage = Usage {
            prompt_tokens: self.prompt_tokens,
            reused_tokens: self.reused_tokens,
            ..written.usage
        };
        tracing::debug!(?finish_reason, ?usage, ?timing, "Answer finished.");
        let completion = Completion {
            thought: written.thought,
            answer: written.answer,
            finish_reason,
            usage,
            timing,
        };
        (written.news, TurnNews::Finished(completion))
    }
}
