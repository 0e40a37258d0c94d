//! Which orders run, which wait and which are put aside. A state machine without model, thread or clock.
//!
//! The most urgent run, the oldest first among equals, as many as there are streams. After a panic in which several
//! were under way each of them is a suspect: it runs alone from then on, so that only the guilty one fails.

use std::cmp::Reverse;

use super::{WorkOrder, WorkerEvent};
use crate::engine::{Completion, Interrupt, Timing, TurnId, Usage};
use crate::service::job::JobKey;
use crate::service::mqtt::ChunkKind;

/// The orders that have not ended, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Roster {
    entries: Vec<Entry>,
}

/// One order.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) order: WorkOrder,
    state: State,
    has_begun: bool,
    /// Whether it was told that the order is put aside.
    is_told_paused: bool,
    is_suspect: bool,
    thought: Told,
    answer: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running(TurnId),
    Aside(TurnId),
}

/// What is to be done so that those run who should; those who make room come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    Pause(JobKey, TurnId),
    Resume(JobKey, TurnId),
    Begin(JobKey),
}

impl Roster {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes an order.
    pub(super) fn add(&mut self, order: WorkOrder) {
        self.entries.push(Entry {
            order,
            state: State::Waiting,
            has_begun: false,
            is_told_paused: false,
            is_suspect: false,
            thought: Told::default(),
            answer: Told::default(),
        });
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The order of `key`.
    pub(super) fn find(&mut self, key: JobKey) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.order.key == key)
    }

    /// The order of a turn.
    pub(super) fn of_turn(&mut self, turn: TurnId) -> Option<&mut Entry> {
        self.entries
            .iter_mut()
            .find(|entry| entry.turn() == Some(turn))
    }

    /// Takes an order away that has ended.
    pub(super) fn remove(&mut self, key: JobKey) -> Option<Entry> {
        let place = self.entries.iter().position(|e| e.order.key == key)?;
        Some(self.entries.remove(place))
    }

    /// The orders under way.
    pub(super) fn running(&self) -> Vec<JobKey> {
        let running = self.entries.iter().filter(|entry| entry.is_running());
        running.map(|entry| entry.order.key).collect()
    }

    /// What is to be done so that the right ones run.
    pub(super) fn moves(&self, streams: usize) -> Vec<Move> {
        let chosen = self.chosen(streams);
        let mut moves = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            if let State::Running(turn) = entry.state
                && !chosen.contains(&place)
            {
                moves.push(Move::Pause(entry.order.key, turn));
            }
        }
        for place in chosen {
            let entry = &self.entries[place];
            match entry.state {
                State::Running(_) => {}
                State::Aside(turn) => moves.push(Move::Resume(entry.order.key, turn)),
                State::Waiting => moves.push(Move::Begin(entry.order.key)),
            }
        }
        moves
    }

    /// Places of those who should run.
    fn chosen(&self, streams: usize) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.entries.len()).collect();
        // A stable sort: the oldest stay first.
        ranked.sort_by_key(|&place| Reverse(self.entries[place].order.priority));
        match ranked.first() {
            Some(&first) if self.entries[first].is_suspect => vec![first],
            _ => {
                ranked.retain(|&place| !self.entries[place].is_suspect);
                ranked.truncate(streams.max(1));
                ranked
            }
        }
    }

    /// What is to be told of orders that were put aside, or go on, since this was last asked.
    pub(super) fn changes(&mut self) -> Vec<WorkerEvent> {
        let mut changes = Vec::new();
        for entry in &mut self.entries {
            let is_paused = entry.has_begun && !entry.is_running();
            if is_paused != entry.is_told_paused {
                entry.is_told_paused = is_paused;
                let key = entry.order.key;
                changes.push(match is_paused {
                    true => WorkerEvent::Paused(key),
                    false => WorkerEvent::Resumed(key),
                });
            }
        }
        changes
    }

    /// The model is another one: every order begins anew, and what it has told already is not told again.
    pub(super) fn restart(&mut self, suspects: &[JobKey]) {
        for entry in &mut self.entries {
            entry.state = State::Waiting;
            entry.is_suspect |= suspects.contains(&entry.order.key);
            entry.thought.restart();
            entry.answer.restart();
        }
    }
}

impl Entry {
    /// Its turn, under way or put aside.
    pub(super) fn turn(&self) -> Option<TurnId> {
        match self.state {
            State::Waiting => None,
            State::Running(turn) | State::Aside(turn) => Some(turn),
        }
    }

    fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// It is under way now.
    pub(super) fn runs(&mut self, turn: TurnId) {
        self.state = State::Running(turn);
        self.has_begun = true;
    }

    /// It is put aside now.
    pub(super) fn is_put_aside(&mut self, turn: TurnId) {
        self.state = State::Aside(turn);
    }

    /// What of a piece is to be told, if any.
    pub(super) fn piece(&mut self, kind: ChunkKind, text: &str) -> Option<WorkerEvent> {
        let told = match kind {
            ChunkKind::Thought => &mut self.thought,
            ChunkKind::Answer => &mut self.answer,
        };
        let fresh = told.fresh(text);
        let is_wanted = self.order.wants_pieces && !fresh.is_empty();
        is_wanted.then(|| WorkerEvent::Piece(self.order.key, kind, fresh.to_owned()))
    }

    /// What there is of the answer to an order that no turn is at work on.
    pub(super) fn cut_off(self, interrupt: Interrupt) -> Completion {
        Completion {
            thought: self.thought.text,
            answer: self.answer.text,
            finish_reason: interrupt.into(),
            usage: Usage::default(),
            timing: Timing::default(),
        }
    }
}

/// A text that was told, and how much of it comes again.
#[derive(Debug, Default)]
struct Told {
    text: String,
    again_bytes: usize,
}

impl Told {
    fn restart(&mut self) {
        self.again_bytes = self.text.len();
    }

    fn fresh<'p>(&mut self, piece: &'p str) -> &'p str {
        let again = piece.ceil_char_boundary(self.again_bytes.min(piece.len()));
        self.again_bytes = self.again_bytes.saturating_sub(again);
        let fresh = &piece[again..];
        self.text.push_str(fresh);
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::an_order;
    use super::*;
    use crate::service::Priority::{self, High, Low, Normal};

    fn roster(priorities: &[Priority]) -> Roster {
        let mut roster = Roster::default();
        for (key, priority) in (0..).zip(priorities) {
            roster.add(an_order(key, "?", *priority));
        }
        roster
    }

    /// Makes the moves; keys of those who are paused, then of those who run.
    fn turn(roster: &mut Roster, streams: usize) -> (Vec<u64>, Vec<u64>) {
        let mut paused = Vec::new();
        for step in roster.moves(streams) {
            match step {
                Move::Pause(key, turn) => {
                    paused.push(key.0);
                    roster.find(key).unwrap().is_put_aside(turn);
                }
                Move::Resume(key, _) | Move::Begin(key) => {
                    roster.find(key).unwrap().runs(TurnId(key.0));
                }
            }
        }
        (paused, roster.running().iter().map(|key| key.0).collect())
    }

    #[test]
    fn the_oldest_of_the_most_urgent_run() {
        let mut roster = roster(&[Low, Normal, Low, Normal]);
        assert_eq!(turn(&mut roster, 3), (vec![], vec![0, 1, 3]));
        assert_eq!(turn(&mut roster, 3), (vec![], vec![0, 1, 3]));
    }

    #[test]
    fn a_more_urgent_order_takes_the_place_of_the_lowest_latest() {
        let mut roster = roster(&[Low, Low, Normal]);
        assert_eq!(turn(&mut roster, 3).1, [0, 1, 2]);
        roster.add(an_order(3, "?", Low));
        assert_eq!(turn(&mut roster, 3), (vec![], vec![0, 1, 2]));
        roster.add(an_order(4, "?", High));
        assert_eq!(turn(&mut roster, 3), (vec![1], vec![0, 2, 4]));
        assert!(matches!(
            roster.changes()[..],
            [WorkerEvent::Paused(JobKey(1))]
        ));
        assert!(roster.changes().is_empty());
        roster.remove(JobKey(4));
        assert_eq!(turn(&mut roster, 3), (vec![], vec![0, 1, 2]));
        assert!(matches!(
            roster.changes()[..],
            [WorkerEvent::Resumed(JobKey(1))]
        ));
    }

    #[test]
    fn suspects_run_alone_and_the_innocent_wait_for_them() {
        let mut roster = roster(&[Normal, Normal, Normal]);
        turn(&mut roster, 2);
        roster.restart(&roster.running());
        assert_eq!(turn(&mut roster, 2).1, [0]);
        roster.remove(JobKey(0));
        assert_eq!(turn(&mut roster, 2).1, [1]);
        roster.add(an_order(3, "?", High));
        assert_eq!(turn(&mut roster, 2), (vec![1], vec![2, 3]));
        roster.remove(JobKey(3));
        assert_eq!(turn(&mut roster, 2), (vec![2], vec![1]));
        roster.remove(JobKey(1));
        assert_eq!(turn(&mut roster, 2).1, [2]);
    }

    #[test]
    fn what_was_told_before_a_restart_is_not_told_again() {
        let mut roster = roster(&[Normal]);
        let tell = |roster: &mut Roster, text: &str| match roster
            .find(JobKey(0))
            .unwrap()
            .piece(ChunkKind::Answer, text)
        {
            Some(WorkerEvent::Piece(_, _, fresh)) => fresh,
            _ => String::new(),
        };
        assert_eq!(tell(&mut roster, "één"), "één");
        roster.restart(&[]);
        assert_eq!(tell(&mut roster, "é"), "");
        assert_eq!(tell(&mut roster, "én two"), " two");
        roster.restart(&[]);
        assert_eq!(tell(&mut roster, "één two three"), " three");
        let cut = roster
            .remove(JobKey(0))
            .unwrap()
            .cut_off(Interrupt::Deadline);
        assert_eq!(cut.answer, "één two three");
    }
}
