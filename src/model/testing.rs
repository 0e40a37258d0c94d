//! For tests: a model that plays a script and a tokenizer of single bytes, so that nothing needs weights.
//!
//! Public because the tests under `tests/` and those of the levels above use it; no other code does.

mod byte_tokenizer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{LaneTurn, LanguageModel, ModelError, TokenText, check_copy, check_prefix, check_room};

pub use byte_tokenizer::{
    ASSISTANT, BOS, ByteTokenizer, CHAT_TEMPLATE, CHAT_TEMPLATE_THINKING, EOS, SYSTEM, THINK_CLOSE,
    THINK_OPEN, USER, VOCAB_SIZE,
};

/// From all the tokens in a lane's cache to the logits of the next.
type Script = dyn FnMut(&[u32], &mut [f32]) -> Result<(), ModelError> + Send;

/// A model that plays a script instead of computing.
pub struct ScriptedModel {
    script: Box<Script>,
    /// The tokens in each lane's cache.
    lanes: Vec<Vec<u32>>,
    vocab_size: usize,
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
            lanes: vec![Vec::new()],
            vocab_size,
            logits: Vec::new(),
            context_tokens,
            record: Record::default(),
        }
    }

    /// The same with `lanes` caches. The script is asked for one lane after the other, and is told of no other.
    #[must_use]
    pub fn with_lanes(mut self, lanes: usize) -> Self {
        self.lanes = vec![Vec::new(); lanes];
        self
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
        self.vocab_size
    }

    fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn lane_position(&self, lane: usize) -> usize {
        self.lanes[lane].len()
    }

    fn truncate_lane(&mut self, lane: usize, position: usize) {
        self.lanes[lane].truncate(position);
    }

    fn forward_lanes(&mut self, turns: &[LaneTurn<'_>]) -> Result<&[f32], ModelError> {
        for (i, turn) in turns.iter().enumerate() {
            let is_twice = turns[..i].iter().any(|other| other.lane == turn.lane);
            self.check(turn, is_twice)?;
        }
        self.record.push_step(turns);
        self.logits.resize(turns.len() * self.vocab_size, 0.0);
        let rows = self.logits.chunks_exact_mut(self.vocab_size);
        for (turn, logits) in turns.iter().zip(rows) {
            let tokens = &mut self.lanes[turn.lane];
            tokens.extend_from_slice(turn.tokens);
            (self.script)(tokens, logits)?;
        }
        Ok(&self.logits)
    }

    fn copy_prefix(&mut self, from: usize, to: usize, tokens: usize) -> Result<(), ModelError> {
        check_copy(self, (from, to), tokens)?;
        self.record.push_copy((from, to, tokens));
        self.lanes[to] = self.lanes[from][..tokens].to_vec();
        Ok(())
    }

    fn prefix_key(&self) -> Option<u64> {
        Some(1)
    }

    /// The tokens themselves.
    fn prefix(&self, lane: usize, tokens: usize) -> Result<Vec<u8>, ModelError> {
        check_prefix(self, lane, tokens)?;
        let held = self.lanes[lane].iter().take(tokens);
        Ok(held.flat_map(|token| token.to_le_bytes()).collect())
    }

    fn put_prefix(&mut self, lane: usize, tokens: usize, bytes: &[u8]) -> Result<(), ModelError> {
        check_room(self, lane, tokens)?;
        self.lanes[lane].clear();
        let (words, rest) = bytes.as_chunks();
        if words.len() != tokens || !rest.is_empty() {
            return Err(ModelError::Inference("of another length".to_owned()));
        }
        self.lanes[lane] = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        Ok(())
    }
}

impl ScriptedModel {
    fn check(&self, turn: &LaneTurn<'_>, is_twice: bool) -> Result<(), ModelError> {
        let refuse = |reason: &str| Err(ModelError::Inference(reason.to_owned()));
        let Some(held) = self.lanes.get(turn.lane).filter(|_| !is_twice) else {
            return refuse("no such lane, or twice");
        };
        let (needed, context_tokens) = (held.len() + turn.tokens.len(), self.context_tokens);
        if needed > context_tokens {
            return Err(ModelError::ContextFull {
                tokens: needed,
                context_tokens,
            });
        }
        let is_outside = |token: &u32| *token as usize >= self.vocab_size;
        if turn.tokens.is_empty() || turn.tokens.iter().any(is_outside) {
            return refuse("no token, or one outside the vocabulary");
        }
        Ok(())
    }
}

impl std::fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedModel")
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}

/// What a [`ScriptedModel`] was fed.
#[derive(Debug, Clone, Default)]
pub struct Record(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    steps: Vec<Vec<(usize, Vec<u32>)>>,
    copies: Vec<(usize, usize, usize)>,
}

impl Record {
    /// The tokens of every turn of every step so far, oldest first.
    #[must_use]
    pub fn chunks(&self) -> Vec<Vec<u32>> {
        let turns = self.steps().into_iter().flatten();
        turns.map(|(_, tokens)| tokens).collect()
    }

    /// The lanes and tokens of every step so far, oldest first.
    #[must_use]
    pub fn steps(&self) -> Vec<Vec<(usize, Vec<u32>)>> {
        self.lock().steps.clone()
    }

    /// What was copied so far: from which lane, to which, how many tokens.
    #[must_use]
    pub fn copies(&self) -> Vec<(usize, usize, usize)> {
        self.lock().copies.clone()
    }

    /// Forgets what was recorded.
    pub fn clear(&self) {
        *self.lock() = Recorded::default();
    }

    fn push_step(&self, turns: &[LaneTurn<'_>]) {
        let step = turns.iter().map(|turn| (turn.lane, turn.tokens.to_vec()));
        self.lock().steps.push(step.collect());
    }

    fn push_copy(&self, copy: (usize, usize, usize)) {
        self.lock().copies.push(copy);
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
