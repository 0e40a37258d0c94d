//! Where a prompt stands, for those who ask: how many get their turn before it, and about how long that takes.

use std::time::Duration;

use serde::Serialize;

use super::super::mqtt::{Message, Publication, is_level};
use super::super::ping::back;
use super::super::queue::wait_estimate;
use super::Desk;

/// How long an answer takes before there was one.
const MEAN_GUESS: Duration = Duration::from_secs(10);

/// The document.
#[derive(Debug, PartialEq, Serialize)]
struct Position<'a> {
    id: &'a str,
    state: State,
    /// Prompts that get their turn before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
    /// Seconds until its turn comes, about.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_s: Option<f64>,
}

/// What is known of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Waiting,
    Running,
    Answered,
    Unknown,
}

impl Desk {
    /// Tells where the prompt stands whose id is the payload; says nothing where that cannot be an id.
    pub(super) fn tell_position(&mut self, message: &Message) {
        let Some(id) = std::str::from_utf8(&message.payload).ok().map(str::trim) else {
            return;
        };
        if !is_level(id) {
            return;
        }
        let json =
            serde_json::to_vec(&self.position(id)).expect("strings and numbers are always JSON");
        let told = Publication::answer(self.topics().position_of(id), json);
        self.ephemeral.extend(back(message, told, &self.options));
    }

    fn position<'a>(&self, id: &'a str) -> Position<'a> {
        let in_hall = || {
            let place = self.hall.iter().position(|job| job.id == id)?;
            Some(self.queue.len() + place)
        };
        let is_running = self.running.iter().any(|running| running.job.id == id);
        let waiting = self.queue.position(id).or_else(in_hall);
        let state = match waiting {
            Some(_) => State::Waiting,
            None if is_running => State::Running,
            None if self.answered.has(id) => State::Answered,
            None => State::Unknown,
        };
        let mean = self.mean_job.unwrap_or(MEAN_GUESS);
        let wait = |before| {
            // Where a stream is free, its turn comes at once.
            let is_free = before == 0 && self.running.len() < self.streams;
            let wait = wait_estimate(before, self.streams, mean);
            if is_free { 0.0 } else { wait.as_secs_f64() }
        };
        Position {
            id,
            state,
            position: waiting,
            wait_s: waiting.map(wait),
        }
    }
}
