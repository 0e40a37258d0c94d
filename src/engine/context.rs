//! The model with the tokens it has read, so that a prompt that begins like the last one is not read again.

use std::fmt;

use crate::model::{LanguageModel, ModelError};

/// A model and what is in its key-value cache.
pub(super) struct Context {
    model: Box<dyn LanguageModel>,
    /// The tokens in the cache. Invariant: as many as the model's position, or the next prompt starts anew.
    tokens: Vec<u32>,
}

impl Context {
    pub(super) fn new(model: Box<dyn LanguageModel>) -> Self {
        Self {
            model,
            tokens: Vec::new(),
        }
    }

    /// Most tokens the cache can hold.
    pub(super) fn capacity(&self) -> usize {
        self.model.context_tokens()
    }

    /// Drops from the cache all that `prompt` does not begin with, and from `prompt` all that the cache still
    /// holds. At least the last token stays in `prompt`: logits come from reading.
    pub(super) fn keep_common_prefix(&mut self, prompt: &mut Vec<u32>) -> usize {
        if self.model.position() != self.tokens.len() {
            self.tokens.clear();
        }
        let common = self
            .tokens
            .iter()
            .zip(&*prompt)
            .take_while(|(held, asked)| held == asked);
        let kept = common.count().min(prompt.len().saturating_sub(1));
        self.tokens.truncate(kept);
        self.model.truncate(kept);
        prompt.drain(..kept);
        kept
    }

    /// Reads at most `tokens_max` of `unread` and takes them out; the logits, once all is read.
    pub(super) fn read(
        &mut self,
        unread: &mut Vec<u32>,
        tokens_max: usize,
    ) -> Result<Option<&[f32]>, ModelError> {
        let count = unread.len().min(tokens_max);
        match self.model.forward(&unread[..count]) {
            Ok(logits) => {
                self.tokens.extend(unread.drain(..count));
                Ok(unread.is_empty().then_some(logits))
            }
            Err(error) => {
                // What a failed step has left in the cache is unknown.
                self.tokens.clear();
                Err(error)
            }
        }
    }

    /// Empties the cache.
    pub(super) fn forget(&mut self) {
        self.tokens.clear();
        self.model.truncate(0);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("tokens", &self.tokens.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{EOS, ScriptedModel};

    fn read_all(context: &mut Context, prompt: &[u32], chunk: usize) -> usize {
        let mut unread = prompt.to_vec();
        let kept = context.keep_common_prefix(&mut unread);
        while context.read(&mut unread, chunk).unwrap().is_none() {}
        kept
    }

    #[test]
    fn reads_in_chunks_and_keeps_what_two_prompts_share() {
        let model = ScriptedModel::from_fn(16, |_| EOS);
        let record = model.record();
        let mut context = Context::new(Box::new(model));
        assert_eq!(read_all(&mut context, &[1, 2, 3, 4, 5], 2), 0);
        assert_eq!(record.chunks(), [vec![1, 2], vec![3, 4], vec![5]]);
        record.clear();
        assert_eq!(read_all(&mut context, &[1, 2, 9], 2), 2);
        assert_eq!(read_all(&mut context, &[1, 2, 9], 2), 2);
        assert_eq!(read_all(&mut context, &[7], 2), 0);
        assert_eq!(record.chunks(), [vec![9], vec![9], vec![7]]);
    }

    #[test]
    fn starts_anew_after_a_failed_step() {
        let mut fails = true;
        let model = ScriptedModel::from_logits(16, 8, move |_, logits| {
            logits.fill(0.0);
            match std::mem::take(&mut fails) {
                true => Err(ModelError::Inference("no power".into())),
                false => Ok(()),
            }
        });
        let record = model.record();
        let mut context = Context::new(Box::new(model));
        assert!(context.read(&mut vec![1, 2], 8).is_err());
        assert_eq!(read_all(&mut context, &[1, 2, 3], 8), 0);
        assert_eq!(record.chunks()[1], [1, 2, 3]);
    }
}
