//! One step of all turns together: the model reads what each is to read next, and each that has read all chooses a
//! token.
//!
//! Turns that write read one token. Prompts are read in chunks that share what is left of a step, so that those who
//! write go on, and a short prompt is not kept waiting by a long one. What several prompts begin with is read by the
//! oldest of them; the others wait for it and take a copy.

use super::event::{TurnEvent, TurnId, TurnNews};
use super::lanes::shared;
use super::{Engine, EngineOptions};
use crate::model::LaneTurn;

/// Tokens that have to be saved before a prompt waits for another to read them.
const SHARED_TOKENS_MIN: usize = 16;

/// What one turn reads in a step.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Place among the engine's turns.
    turn: usize,
    lane: usize,
    /// Tokens that its lane holds.
    held: usize,
    tokens: usize,
}

impl Engine {
    /// As [`Engine::step`], for one turn or for all.
    pub(super) fn step_of(&mut self, only: Option<TurnId>) -> Vec<TurnEvent> {
        let mut events = Vec::new();
        self.settle(only, &mut events);
        let readings = self.readings(only);
        self.read(&readings);
        self.settle(only, &mut events);
        events
    }

    /// What every running turn is to read, the oldest first.
    fn readings(&mut self, only: Option<TurnId>) -> Vec<Reading> {
        let mut readings: Vec<Reading> = Vec::new();
        for turn in 0..self.turns.len() {
            let Some(lane) = self.turns[turn].lane.filter(|_| self.is_of(only, turn)) else {
                continue;
            };
            let waits = readings
                .iter()
                .any(|older| self.is_worth_waiting(older, turn));
            if waits {
                continue;
            }
            let mut held = self.lanes.held(lane);
            let tokens = &self.turns[turn].tokens;
            if held + 1 < tokens.len() {
                held = self.lanes.gain(lane, tokens);
                self.turns[turn].found(held);
            }
            let tokens = self.turns[turn].tokens.len() - held;
            readings.push(Reading {
                turn,
                lane,
                held,
                tokens,
            });
        }
        let mut unread: Vec<usize> = readings.iter().map(|reading| reading.tokens).collect();
        share_out(&mut unread, &self.options);
        for (reading, tokens) in readings.iter_mut().zip(unread) {
            reading.tokens = tokens;
        }
        readings
    }

    /// Whether an older turn is about to read what `turn` would have to read too.
    fn is_worth_waiting(&self, older: &Reading, turn: usize) -> bool {
        let turn = &self.turns[turn];
        let held = turn.lane.map_or(0, |lane| self.lanes.held(lane));
        if held + SHARED_TOKENS_MIN >= turn.tokens.len() {
            return false;
        }
        let common = shared(&self.turns[older.turn].tokens, &turn.tokens);
        common > older.held && common >= held + SHARED_TOKENS_MIN
    }

    fn read(&mut self, readings: &[Reading]) {
        if readings.is_empty() {
            return;
        }
        let turns: Vec<LaneTurn<'_>> = readings
            .iter()
            .map(|reading| LaneTurn {
                lane: reading.lane,
                tokens: &self.turns[reading.turn].tokens[reading.held..][..reading.tokens],
            })
            .collect();
        let vocab_size = self.lanes.vocab_size();
        let error = match self.lanes.read(&turns) {
            Ok(logits) => {
                for (reading, logits) in readings.iter().zip(logits.chunks_exact(vocab_size)) {
                    let turn = &mut self.turns[reading.turn];
                    let read = reading.held + reading.tokens;
                    turn.reach = turn.reach.max(read);
                    if read == turn.tokens.len() {
                        turn.advance(logits, &self.options);
                    }
                }
                return;
            }
            Err(error) => error,
        };
        for reading in readings {
            self.lanes.restore(reading.lane);
        }
        if let [reading] = readings {
            self.turns[reading.turn].ending = Some(Err(error.into()));
            return;
        }
        tracing::warn!(%error, turns = readings.len(), "A step failed; its turns are tried one by one.");
        for reading in readings {
            self.read(std::slice::from_ref(reading));
        }
    }

    /// Tells what there is to tell, and takes the turns away that have ended.
    fn settle(&mut self, only: Option<TurnId>, events: &mut Vec<TurnEvent>) {
        let mut turn = 0;
        while turn < self.turns.len() {
            if !self.is_of(only, turn) {
                turn += 1;
                continue;
            }
            let settled = &mut self.turns[turn];
            let id = settled.id;
            let tell = |news: TurnNews| TurnEvent { turn: id, news };
            settled.settle(&self.closing_tokens);
            events.extend(settled.writer.take_news().into_iter().map(tell));
            if settled.ending.is_none() {
                turn += 1;
                continue;
            }
            let ended = self.turns.remove(turn);
            if let Some(lane) = ended.lane {
                // What a failed step has left in the cache is unknown.
                if matches!(ended.ending, Some(Err(_))) {
                    self.lanes.forget(lane);
                }
                self.lanes.leave(lane);
            }
            let (rest, last) = ended.finish();
            events.extend(rest.into_iter().chain([last]).map(tell));
        }
    }

    fn is_of(&self, only: Option<TurnId>, turn: usize) -> bool {
        only.is_none_or(|id| self.turns[turn].id == id)
    }
}

/// Turns the tokens that each turn has not read into those it reads in one step, one at least.
fn share_out(unread: &mut [usize], options: &EngineOptions) {
    let writes = unread.contains(&1);
    let mut left = match writes {
        true => options
            .prefill_beside_tokens
            .min(options.prefill_chunk_tokens),
        false => options.prefill_chunk_tokens,
    };
    let mut prompts: Vec<&mut usize> = unread.iter_mut().filter(|count| **count > 1).collect();
    // The shortest takes what it needs, and leaves the rest to the others.
    prompts.sort_by_key(|count| **count);
    let mut sharers = prompts.len();
    for count in prompts {
        *count = (*count).min(left.div_ceil(sharers)).max(1);
        left = left.saturating_sub(*count);
        sharers -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_share_a_step_and_leave_writers_their_token() {
        let options = EngineOptions {
            prefill_chunk_tokens: 64,
            prefill_beside_tokens: 16,
            ..EngineOptions::default()
        };
        for (unread, read) in [
            (vec![1, 1], vec![1, 1]),
            (vec![500], vec![64]),
            (vec![20], vec![20]),
            (vec![500, 1], vec![16, 1]),
            (vec![500, 4], vec![60, 4]),
            (vec![500, 500, 1], vec![8, 8, 1]),
            (vec![500, 300, 10], vec![27, 27, 10]),
            (vec![], vec![]),
        ] {
            let mut shares = unread.clone();
            share_out(&mut shares, &options);
            assert_eq!(shares, read, "{unread:?}");
        }
        let mut many = [9; 40];
        share_out(&mut many, &options);
        assert!(many.iter().all(|count| (1..=2).contains(count)), "{many:?}");
    }
}
