//! The model's lanes with the tokens each has read, so that what several prompts begin with is read once.
//!
//! A lane keeps its tokens when its turn leaves it, until another needs it: the next prompt may go on from them. What many
//! prompts begin with is kept on disk as well, where there is a folder for it.

use std::fmt;

use super::beginnings::{Beginnings, PrefixFolder};
use crate::model::{LaneTurn, LanguageModel, ModelError};

/// A model and what is in its key-value caches.
pub(super) struct Lanes {
    model: Box<dyn LanguageModel>,
    lanes: Vec<Lane>,
    /// Counts takings and leavings: the clock that says which lane was used last.
    uses: u64,
    /// What is on disk.
    beginnings: Option<Beginnings>,
}

/// Tokens from which on keys and values are rather fetched from disk than computed.
const TOKENS_WORTH_A_FILE: usize = 32;

#[derive(Debug, Clone, Default)]
struct Lane {
    /// The tokens in the cache: as many as the model's position in this lane.
    tokens: Vec<u32>,
    is_taken: bool,
    last_use: u64,
}

impl Lanes {
    pub(super) fn new(model: Box<dyn LanguageModel>) -> Self {
        let lanes = vec![Lane::default(); model.lanes()];
        Self {
            model,
            lanes,
            uses: 0,
            beginnings: None,
        }
    }

    /// Keeps what many prompts begin with in `folder`; a model whose keys and values cannot be taken out keeps nothing.
    pub(super) fn keep_beginnings(&mut self, folder: PrefixFolder) {
        let key = self.model.prefix_key();
        self.beginnings = key.map(|key| Beginnings::open(folder, key));
    }

    /// Takes note of a prompt: later ones may begin like it.
    pub(super) fn saw(&mut self, prompt: &[u32]) {
        if let Some(beginnings) = &mut self.beginnings {
            beginnings.saw(prompt);
        }
    }

    /// Most tokens a lane can hold.
    pub(super) fn capacity(&self) -> usize {
        self.model.context_tokens()
    }

    /// Number of lanes.
    pub(super) fn count(&self) -> usize {
        self.lanes.len()
    }

    /// Tokens that `lane` holds.
    pub(super) fn held(&self, lane: usize) -> usize {
        self.lanes[lane].tokens.len()
    }

    /// Takes a free lane to read `tokens` in; it holds as many of them as any lane does. Nothing where none is free.
    ///
    /// That is the lane that `tokens` go on from, or whose prompt is asked again: nothing is lost by it. Else it is the
    /// one that was not used for the longest time.
    pub(super) fn take(&mut self, tokens: &[u32]) -> Option<usize> {
        let free = self.lanes.iter().enumerate().filter(|(_, l)| !l.is_taken);
        let choice = free.max_by_key(|(_, lane)| {
            let shared = shared(&lane.tokens, tokens);
            let is_continued = shared == lane.tokens.len() || shared + 1 == tokens.len();
            let continued = if is_continued { shared } else { 0 };
            (continued, std::cmp::Reverse(lane.last_use))
        });
        let (lane, _) = choice?;
        self.truncate(lane, shared(&self.lanes[lane].tokens, tokens));
        self.gain(lane, tokens);
        self.fetch(lane, tokens);
        self.lanes[lane].is_taken = true;
        self.touch(lane);
        Some(lane)
    }

    /// Leaves a lane. It keeps its tokens until another takes it.
    pub(super) fn leave(&mut self, lane: usize) {
        self.keep_beginning(lane);
        self.lanes[lane].is_taken = false;
        self.touch(lane);
    }

    /// Copies what another lane holds more of `tokens` than `lane`, which holds nothing else; tells how many it holds
    /// then. The last of `tokens` is never held: logits come from reading.
    pub(super) fn gain(&mut self, lane: usize, tokens: &[u32]) -> usize {
        let held = self.held(lane);
        let others = self.lanes.iter().enumerate();
        let most = others
            .map(|(i, other)| (shared(&other.tokens, tokens), i))
            .max_by_key(|(shared, _)| *shared);
        let Some((count, from)) = most.filter(|(count, _)| *count > held) else {
            return held;
        };
        if let Err(error) = self.model.copy_prefix(from, lane, count) {
            // No loss: they are read instead.
            tracing::warn!(%error, from, lane, count, "Tokens could not be copied.");
            return held;
        }
        self.lanes[lane].tokens = tokens[..count].to_vec();
        count
    }

    /// Fetches from disk what a file has more of `tokens` than `lane`, which holds nothing else.
    fn fetch(&mut self, lane: usize, tokens: &[u32]) {
        let worth = self.held(lane) + TOKENS_WORTH_A_FILE;
        let Some(beginnings) = &mut self.beginnings else {
            return;
        };
        let Some(count) = beginnings.best(tokens, worth) else {
            return;
        };
        let Some((kept, values)) = beginnings.read(tokens) else {
            return;
        };
        match self.model.put_prefix(lane, kept.len(), &values) {
            Ok(()) => {
                self.lanes[lane].tokens = kept;
                self.truncate(lane, count);
                tracing::debug!(
                    tokens = count,
                    "Fetched from disk what the prompt begins with."
                );
            }
            Err(error) => {
                // No loss: they are read instead.
                tracing::warn!(%error, tokens = kept.len(), "Kept keys and values could not be taken up.");
                self.forget(lane);
                self.gain(lane, tokens);
            }
        }
    }

    /// Writes to disk what `lane` holds, as far as many prompts begin with it.
    fn keep_beginning(&mut self, lane: usize) {
        let Some(beginnings) = &mut self.beginnings else {
            return;
        };
        let held = &self.lanes[lane].tokens;
        let Some(count) = beginnings.due(held) else {
            return;
        };
        match self.model.prefix(lane, count) {
            Ok(values) => beginnings.keep(&held[..count], &values),
            Err(error) => tracing::warn!(%error, count, "Keys and values could not be taken out."),
        }
    }

    /// Reads the turns' tokens; the logits after the last of each, one after the other. After an error the lanes have
    /// to be [restored](Self::restore).
    pub(super) fn read(&mut self, turns: &[LaneTurn<'_>]) -> Result<&[f32], ModelError> {
        let logits = self.model.forward_lanes(turns)?;
        for turn in turns {
            self.lanes[turn.lane].tokens.extend(turn.tokens);
        }
        Ok(logits)
    }

    /// Drops what a failed step has left in `lane`: it holds what it held before.
    pub(super) fn restore(&mut self, lane: usize) {
        let held = self.held(lane);
        self.model.truncate_lane(lane, held);
    }

    /// Length of a step's logits for each turn.
    pub(super) fn vocab_size(&self) -> usize {
        self.model.vocab_size()
    }

    /// Empties a lane whose cache is not to be trusted.
    pub(super) fn forget(&mut self, lane: usize) {
        self.truncate(lane, 0);
    }

    fn truncate(&mut self, lane: usize, position: usize) {
        self.lanes[lane].tokens.truncate(position);
        self.model.truncate_lane(lane, position);
    }

    fn touch(&mut self, lane: usize) {
        self.uses += 1;
        self.lanes[lane].last_use = self.uses;
    }
}

/// Tokens that both begin with, at most all but the last of `asked`.
pub(super) fn shared(held: &[u32], asked: &[u32]) -> usize {
    let common = held.iter().zip(asked).take_while(|(a, b)| a == b).count();
    common.min(asked.len().saturating_sub(1))
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<usize> = self.lanes.iter().map(|lane| lane.tokens.len()).collect();
        f.debug_struct("Lanes")
            .field("held", &held)
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{EOS, Record, ScriptedModel};

    fn lanes(count: usize) -> (Lanes, Record) {
        let model = ScriptedModel::from_fn(16, |_| EOS).with_lanes(count);
        let record = model.record();
        (Lanes::new(Box::new(model)), record)
    }

    /// Reads `tokens` in a lane; which, and how many of them it held.
    fn read(lanes: &mut Lanes, tokens: &[u32]) -> (usize, usize) {
        let lane = lanes.take(tokens).unwrap();
        let held = lanes.held(lane);
        let tokens = &tokens[held..];
        lanes.read(&[LaneTurn { lane, tokens }]).unwrap();
        (lane, held)
    }

    fn read_and_leave(lanes: &mut Lanes, tokens: &[u32]) -> (usize, usize) {
        let (lane, held) = read(lanes, tokens);
        lanes.leave(lane);
        (lane, held)
    }

    #[test]
    fn one_lane_keeps_what_two_prompts_share() {
        let (mut lanes, record) = lanes(1);
        for (prompt, held) in [
            (&[1, 2, 3, 4, 5][..], 0),
            (&[1, 2, 9], 2),
            (&[1, 2, 9], 2),
            (&[7], 0),
        ] {
            assert_eq!(read_and_leave(&mut lanes, prompt), (0, held), "{prompt:?}");
        }
        assert_eq!(
            record.chunks(),
            [vec![1, 2, 3, 4, 5], vec![9], vec![9], vec![7]]
        );
        assert!(record.copies().is_empty());
    }

    #[test]
    fn a_prompt_that_goes_on_from_a_lane_takes_it_and_another_takes_the_oldest() {
        let (mut lanes, record) = lanes(2);
        assert_eq!(read_and_leave(&mut lanes, &[1, 2]).1, 0);
        let first = read_and_leave(&mut lanes, &[5, 6]).0;
        assert_eq!(read_and_leave(&mut lanes, &[1, 2, 3]), (1 - first, 2));
        assert_eq!(read_and_leave(&mut lanes, &[8, 9]), (first, 0));
        assert_eq!(read_and_leave(&mut lanes, &[1, 2, 3, 4]), (1 - first, 3));
        assert!(record.copies().is_empty());
    }

    #[test]
    fn what_a_taken_lane_shares_is_copied() {
        let (mut lanes, record) = lanes(2);
        let (taken, _) = read(&mut lanes, &[1, 2, 3, 4]);
        assert_eq!(read_and_leave(&mut lanes, &[1, 2, 3, 9]), (1 - taken, 3));
        assert_eq!(record.copies(), [(taken, 1 - taken, 3)]);
        assert_eq!(lanes.take(&[1]), Some(1 - taken));
        assert_eq!(lanes.take(&[1]), None);
    }

    #[test]
    fn what_many_prompts_begin_with_outlives_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let folder = PrefixFolder {
            directory: directory.path().to_owned(),
            bytes_max: 1 << 20,
        };
        let prompt = |own: u32| (0..80).map(|i| i % 7).chain([own]).collect::<Vec<u32>>();
        let next_process = || {
            let model = ScriptedModel::from_fn(128, |_| EOS).with_lanes(2);
            let mut lanes = Lanes::new(Box::new(model));
            lanes.keep_beginnings(folder.clone());
            lanes
        };
        let mut lanes = next_process();
        for own in 8..11 {
            lanes.saw(&prompt(own));
            read_and_leave(&mut lanes, &prompt(own));
        }
        let mut lanes = next_process();
        assert_eq!(read_and_leave(&mut lanes, &prompt(20)).1, 80);
        let mut lanes = next_process();
        assert_eq!(read_and_leave(&mut lanes, &prompt(20)[..50]).1, 49);
        for file in std::fs::read_dir(directory.path()).unwrap() {
            std::fs::write(file.unwrap().path(), "damaged").unwrap();
        }
        let mut lanes = next_process();
        assert_eq!(read_and_leave(&mut lanes, &prompt(20)).1, 0);
    }

    #[test]
    fn restored_lanes_hold_what_they_held_before_a_failed_step() {
        let model = ScriptedModel::from_logits(16, 8, |tokens, _| match tokens.contains(&7) {
            true => Err(ModelError::Inference("no power".into())),
            false => Ok(()),
        });
        let mut lanes = Lanes::new(Box::new(model.with_lanes(2)));
        let [a, b] = [1, 2].map(|token| read(&mut lanes, &[token]).0);
        let turn = |lane, tokens| LaneTurn { lane, tokens };
        assert!(lanes.read(&[turn(a, &[3]), turn(b, &[7])]).is_err());
        lanes.restore(a);
        lanes.restore(b);
        assert_eq!((lanes.held(a), lanes.held(b)), (1, 1));
        lanes.read(&[turn(a, &[3]), turn(b, &[4])]).unwrap();
        assert_eq!((lanes.held(a), lanes.held(b)), (2, 2));
    }
}
