//! For tests: a model that plays a script and a tokenizer of single bytes, so that nothing needs weights.
//!
//! Public because the tests under `tests/` and those of the levels above use it; no other code does.

mod byte_tokenizer;

use std::sync::{Arc, Mutex, PoisonError};

use super::{LanguageModel, ModelError, TokenText};

pub use byte_tokenizer::{
    ASSISTANT, BOS, ByteTokenizer, CHAT_TEMPLATE, CHAT_TEMPLATE_THINKING, EOS, SYSTEM, THINK_CLOSE,
    THINK_OPEN, USER, VOCAB_SIZE,
};

/// From all the tokens in the cache to the logits of the next.
type Script = dyn FnMut(&[u32], &mut [f32]) -> Result<(), ModelError> + Send;

/// A model that plays a script instead of computing.
pub struct ScriptedModel {
    script: Box<Script>,
    tokens: Vec<u32>,
    logits: Vec<f32>,
    context_tokens: usize,
    record: Record,
}

impl ScriptedModel {
    /// Says `text` after every prompt (the marks of [`ByteTokenizer`] written in it are tokens), then ends. What a
    /// template writes after the assistant's mark counts as said.
    #[must_use]
    pub fn saying(context_tokens: usize, text: &str) -> Self {
        let said = encoded(text);
        Self::from_fn(context_tokens, move |tokens| {
            token_at(&said, since(tokens, ASSISTANT))
        })
    }

    /// Opens a thought unless the prompt did, thinks, closes it, and answers. Where the thought was closed for
    /// it, it answers at once. Line ends at the start of `thought` and `answer` are left out.
    #[must_use]
    pub fn thinking(context_tokens: usize, thought: &str, answer: &str) -> Self {
        let mut thought = encoded(thought.trim_start_matches('\n'));
        thought.push(THINK_CLOSE);
        let answer = encoded(answer.trim_start_matches('\n'));
        Self::from_fn(context_tokens, move |tokens| {
            let turn = since(tokens, ASSISTANT);
            if turn.contains(&THINK_CLOSE) {
                token_at(&answer, without_newlines(since(turn, THINK_CLOSE)))
            } else if turn.contains(&THINK_OPEN) {
                token_at(&thought, without_newlines(since(turn, THINK_OPEN)))
            } else {
                THINK_OPEN
            }
        })
    }

    /// Plays the token `next` makes of all the tokens in the cache.
    #[must_use]
    pub fn from_fn(
        context_tokens: usize,
        mut next: impl FnMut(&[u32]) -> u32 + Send + 'static,
    ) -> Self {
        Self::from_logits(context_tokens, VOCAB_SIZE, move |tokens, logits| {
            logits.fill(0.0);
            logits[next(tokens) as usize] = 10.0;
            Ok(())
        })
    }

    /// Plays the logits `script` writes for all the tokens in the cache.
    #[must_use]
    pub fn from_logits(
        context_tokens: usize,
        vocab_size: usize,
        script: impl FnMut(&[u32], &mut [f32]) -> Result<(), ModelError> + Send + 'static,
    ) -> Self {
        Self {
            script: Box::new(script),
            tokens: Vec::new(),
            logits: vec![0.0; vocab_size],
            context_tokens,
            record: Record::default(),
        }
    }

    /// What the model was fed; stays readable when the model is boxed away.
    #[must_use]
    pub fn record(&self) -> Record {
        self.record.clone()
    }
}

fn encoded(text: &str) -> Vec<u32> {
    ByteTokenizer.encode(text).expect("bytes always encode")
}

/// The tokens after the last `mark`; all of them where there is none.
fn since(tokens: &[u32], mark: u32) -> &[u32] {
    tokens
        .rsplit(|token| *token == mark)
        .next()
        .unwrap_or(tokens)
}

fn without_newlines(tokens: &[u32]) -> &[u32] {
    let newlines = tokens
        .iter()
        .take_while(|token| **token == u32::from(b'\n'))
        .count();
    &tokens[newlines..]
}

/// The token of `script` that follows what was `said` of it.
fn token_at(script: &[u32], said: &[u32]) -> u32 {
    script.get(said.len()).copied().unwrap_or(EOS)
}

impl LanguageModel for ScriptedModel {
    fn context_tokens(&self) -> usize {
        self.context_tokens
    }

    fn vocab_size(&self) -> usize {
        self.logits.len()
    }

    fn position(&self) -> usize {
        self.tokens.len()
    }

    fn truncate(&mut self, position: usize) {
        self.tokens.truncate(position);
    }

    fn forward(&mut self, tokens: &[u32]) -> Result<&[f32], ModelError> {
        let needed = self.tokens.len() + tokens.len();
        if needed > self.context_tokens {
            let context_tokens = self.context_tokens;
            return Err(ModelError::ContextFull {
                tokens: needed,
                context_tokens,
            });
        }
        if tokens.is_empty()
            || tokens
                .iter()
                .any(|token| *token as usize >= self.logits.len())
        {
            return Err(ModelError::Inference(
                "no token, or one outside the vocabulary".into(),
            ));
        }
        self.record.push(tokens);
        self.tokens.extend_from_slice(tokens);
        (self.script)(&self.tokens, &mut self.logits)?;
        Ok(&self.logits)
    }
}

impl std::fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedModel")
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

/// What a [`ScriptedModel`] was fed.
#[derive(Debug, Clone, Default)]
pub struct Record(Arc<Mutex<Vec<Vec<u32>>>>);

impl Record {
    /// The tokens of every forward call so far, oldest first.
    #[must_use]
    pub fn chunks(&self) -> Vec<Vec<u32>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Forgets what was recorded.
    pub fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn push(&self, tokens: &[u32]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(tokens.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinking_script_answers_once_its_thought_is_closed() {
        let mut model = ScriptedModel::thinking(64, "long thought", "hi");
        let mut next = |tokens: &[u32]| {
            let logits = model.forward(tokens).unwrap();
            (0..)
                .zip(logits)
                .max_by(|a, b| a.1.total_cmp(b.1))
                .map(|(id, _)| id)
        };
        assert_eq!(next(&[BOS, USER, 1, ASSISTANT]), Some(THINK_OPEN));
        assert_eq!(next(&[THINK_OPEN]), Some(u32::from(b'l')));
        assert_eq!(
            next(&[u32::from(b'l'), 10, THINK_CLOSE, 10, 10]),
            Some(u32::from(b'h'))
        );
        assert_eq!(next(&[u32::from(b'h')]), Some(u32::from(b'i')));
        assert_eq!(next(&[u32::from(b'i')]), Some(EOS));
    }
}
