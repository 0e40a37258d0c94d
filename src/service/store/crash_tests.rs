//! Power cuts: the writes of a run are recorded, and the database is opened as a cut after each of them, with any part
//! of what was not synced, would have left it. What was committed has to be there, and nothing by halves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::Change;
use super::database::{builder, commit, load};
use super::record::Seq;
use super::record::tests::{answer, prompt, turn as session_turn};
use crate::service::store::{AnswerRecord, Contents, PromptRecord, TurnRecord};

#[derive(Debug, Clone)]
enum Step {
    Write(usize, Vec<u8>),
    SetLength(usize),
    Sync,
    /// So many batches were said to be committed.
    Committed(usize),
}

/// A disk that remembers what was done to it.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<(Vec<u8>, Vec<Step>)>>);

fn apply(image: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Write(at, data) => {
            let end = at + data.len();
            image.resize(image.len().max(end), 0);
            image[*at..end].copy_from_slice(data);
        }
        Step::SetLength(length) => image.resize(*length, 0),
        Step::Sync | Step::Committed(_) => {}
    }
}

impl Disk {
    fn with(image: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new((image, Vec::new()))))
    }

    fn take(&self, step: Step) {
        let mut state = self.0.lock().unwrap();
        apply(&mut state.0, &step);
        state.1.push(step);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.0.lock().unwrap().0.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        let at = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.0.lock().unwrap().0[at..at + out.len()]);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), std::io::Error> {
        self.take(Step::SetLength(usize::try_from(length).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.take(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.take(Step::Write(usize::try_from(offset).unwrap(), data.to_vec()));
        Ok(())
    }
}

/// What the store should hold.
#[derive(Debug, Clone, Default, PartialEq)]
struct Expected {
    prompts: BTreeMap<Seq, PromptRecord>,
    answers: BTreeMap<Seq, AnswerRecord>,
    turns: BTreeMap<Seq, TurnRecord>,
}

impl Expected {
    fn make(&mut self, change: &Change) {
        match change {
            Change::Take(record) => {
                self.prompts.insert(record.seq, record.clone());
            }
            Change::Settle(record) => {
                self.prompts.remove(&record.seq);
                self.answers.insert(record.seq, record.clone());
            }
            Change::Delivered(seq) => {
                self.answers
                    .entry(*seq)
                    .and_modify(|record| record.is_owed = false);
            }
            Change::Forget(seq) => {
                self.answers.remove(seq);
            }
            Change::Remember(record) => {
                self.turns.insert(record.seq, record.clone());
            }
            Change::ForgetTurn(seq) => {
                self.turns.remove(seq);
            }
        }
    }

    fn is(&self, contents: &Contents) -> bool {
        self.prompts.values().eq(&contents.prompts)
            && self.answers.values().eq(&contents.answers)
            && self.turns.values().eq(&contents.turns)
    }
}

/// The life of some prompts, several of them at a time.
fn batches() -> Vec<Vec<Change>> {
    (0..36)
        .map(|turn: u64| {
            let mut changes = vec![Change::Take(prompt(turn))];
            if turn.is_multiple_of(5) {
                changes.push(Change::Take(prompt(1000 + turn)));
            }
            if let Some(seq) = turn.checked_sub(2) {
                changes.push(Change::Settle(answer(seq)));
                if seq.is_multiple_of(3) {
                    changes.push(Change::Remember(session_turn(seq)));
                }
            }
            if let Some(seq) = turn.checked_sub(3) {
                changes.push(Change::Delivered(Seq(seq)));
            }
            if let Some(seq) = turn.checked_sub(9) {
                changes.push(Change::Forget(Seq(seq)));
                changes.push(Change::ForgetTurn(Seq(seq)));
            }
            changes
        })
        .collect()
}

/// The recorded steps, and what is expected after so many batches.
fn run() -> (Vec<Step>, Vec<Expected>) {
    let disk = Disk::default();
    let database = builder().create_with_backend(disk.clone()).unwrap();
    disk.take(Step::Committed(0));
    let mut expected = vec![Expected::default()];
    for (number, changes) in batches().iter().enumerate() {
        let mut after = expected[number].clone();
        changes.iter().for_each(|change| after.make(change));
        expected.push(after);
        commit(&database, changes).unwrap();
        disk.take(Step::Committed(number + 1));
    }
    let steps = disk.0.lock().unwrap().1.clone();
    (steps, expected)
}

/// What a cut leaves of a write that was not synced.
#[derive(Debug, Clone, Copy)]
enum Survives {
    All,
    None,
    /// Every write with a set bit of this pattern, by its place.
    Some(u64),
    /// All but the last, and half of that.
    Torn,
}

/// The disk after a cut behind `steps`.
fn image_after(steps: &[Step], survives: Survives) -> Vec<u8> {
    let synced = steps
        .iter()
        .rposition(|step| matches!(step, Step::Sync))
        .map_or(0, |at| at + 1);
    let mut image = Vec::new();
    steps[..synced]
        .iter()
        .for_each(|step| apply(&mut image, step));
    for (place, step) in steps[synced..].iter().enumerate() {
        let is_last = synced + place + 1 == steps.len();
        match (step, survives) {
            (Step::Write(at, data), Survives::Torn) if is_last => {
                apply(
                    &mut image,
                    &Step::Write(*at, data[..data.len() / 2].to_vec()),
                );
            }
            (Step::Write(..), Survives::None) => {}
            (Step::Write(..), Survives::Some(pattern)) if pattern >> (place % 64) & 1 == 0 => {}
            (step, _) => apply(&mut image, step),
        }
    }
    image
}

#[test]
fn what_was_committed_outlives_a_power_cut_at_any_moment() {
    let (steps, expected) = run();
    let first = steps
        .iter()
        .position(|step| matches!(step, Step::Committed(_)))
        .unwrap();
    let mut points = 0;
    let mut pattern = 0x9e37_79b9_7f4a_7c15_u64;
    for end in first + 1..=steps.len() {
        let done = &steps[..end];
        let committed = done.iter().rev().find_map(|step| match step {
            Step::Committed(number) => Some(*number),
            _ => None,
        });
        let committed = committed.unwrap();
        pattern = pattern.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let variants = [
            Survives::All,
            Survives::None,
            Survives::Some(pattern),
            Survives::Some(pattern.rotate_left(32)),
            Survives::Torn,
        ];
        for survives in variants {
            let disk = Disk::with(image_after(done, survives));
            let opened = builder().create_with_backend(disk);
            let database =
                opened.unwrap_or_else(|error| panic!("step {end}, {survives:?}: {error}"));
            let contents =
                load(&database).unwrap_or_else(|error| panic!("step {end}, {survives:?}: {error}"));
            assert_eq!(contents.damaged, 0, "step {end}, {survives:?}");
            // The batch that was under way may be there or not, but whole.
            let is_next = || {
                expected
                    .get(committed + 1)
                    .is_some_and(|next| next.is(&contents))
            };
            assert!(
                expected[committed].is(&contents) || is_next(),
                "step {end}, {survives:?}: {committed} batches were committed, found {contents:?}"
            );
            points += 1;
        }
    }
    assert!(points >= 200, "only {points} cuts were tried");
}
