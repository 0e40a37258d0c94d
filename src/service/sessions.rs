//! Conversations that go on: what was said before under a session's name, bounded and in memory only.
//!
//! A session belongs to the client that began it. Of each turn the question and the answer are kept, thoughts are
//! not; a turn that was not answered leaves no trace. Clock and answers come from outside.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::engine::{Message, Role};

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Most sessions; one more takes the place of the one that was silent longest.
    pub sessions_max: usize,
    /// Most messages of one, what the model is told first not counted; the oldest turns make room.
    pub messages_max: usize,
    /// Most bytes of them.
    pub bytes_max: usize,
    /// Longest silence of one; then it is forgotten.
    pub idle_max: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            sessions_max: 32,
            messages_max: 64,
            bytes_max: 64 * 1024,
            idle_max: Duration::from_secs(60 * 60),
        }
    }
}

/// A session, and whose it is; clients without a name share theirs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionName {
    /// The client.
    pub client: Option<String>,
    /// What it calls the session.
    pub session: String,
}

/// One session.
#[derive(Debug)]
struct Session {
    /// What the model was told first by the last request that said so itself.
    system: Option<Message>,
    /// Each is what was asked, and the answer.
    turns: VecDeque<Vec<Message>>,
    used: Instant,
}

/// All sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    sessions: HashMap<SessionName, Session>,
    limits: SessionLimits,
}

impl Sessions {
    pub(super) fn new(limits: SessionLimits) -> Self {
        Self {
            sessions: HashMap::new(),
            limits,
        }
    }

    /// The messages of a request with what was said before between its system message and its turn.
    ///
    /// Where the request does not bring a system message of its own, the session's holds, else the one that stands
    /// in `messages`.
    #[must_use]
    pub(super) fn compose(
        &self,
        name: &SessionName,
        messages: &[Message],
        brings_system: bool,
        now: Instant,
    ) -> Vec<Message> {
        let Some(session) = self
            .sessions
            .get(name)
            .filter(|session| now.saturating_duration_since(session.used) <= self.limits.idle_max)
        else {
            return messages.to_vec();
        };
        let kept = session.system.as_ref().filter(|_| !brings_system);
        let is_system = |message: &&Message| message.role == Role::System;
        let systems = match kept {
            Some(system) => vec![system.clone()],
            None => messages.iter().filter(is_system).cloned().collect(),
        };
        let before = session.turns.iter().flatten().cloned();
        let turn = messages
            .iter()
            .filter(|message| !is_system(message))
            .cloned();
        systems.into_iter().chain(before).chain(turn).collect()
    }

    /// Remembers a turn: the request's own messages, without what was composed before them, and its answer.
    pub(super) fn record(
        &mut self,
        name: &SessionName,
        messages: &[Message],
        brings_system: bool,
        answer: &str,
        now: Instant,
    ) {
        self.expire(now);
        if !self.sessions.contains_key(name) {
            self.make_room();
        }
        let session = self
            .sessions
            .entry(name.clone())
            .or_insert_with(|| Session {
                system: None,
                turns: VecDeque::new(),
                used: now,
            });
        session.used = now;
        let (systems, mut turn): (Vec<Message>, Vec<Message>) = messages
            .iter()
            .cloned()
            .partition(|message| message.role == Role::System);
        if brings_system {
            let text: Vec<String> = systems.into_iter().map(|message| message.content).collect();
            session.system = Some(Message {
                role: Role::System,
                content: text.join("\n\n"),
            });
        }
        turn.push(Message {
            role: Role::Assistant,
            content: answer.to_owned(),
        });
        session.turns.push_back(turn);
        while session.exceeds(&self.limits) {
            session.turns.pop_front();
        }
    }

    /// Forgets the sessions that were silent too long.
    pub(super) fn expire(&mut self, now: Instant) {
        let idle_max = self.limits.idle_max;
        self.sessions
            .retain(|_, session| now.saturating_duration_since(session.used) <= idle_max);
    }

    /// Number of sessions.
    #[cfg(test)]
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    fn make_room(&mut self) {
        while self.sessions.len() >= self.limits.sessions_max.max(1) {
            let silent = self
                .sessions
                .iter()
                .min_by_key(|(name, session)| (session.used, *name))
                .map(|(name, _)| name.clone());
            let Some(name) = silent else { return };
            self.sessions.remove(&name);
        }
    }
}

impl Session {
    fn exceeds(&self, limits: &SessionLimits) -> bool {
        let messages = || self.turns.iter().flatten();
        let bytes: usize = messages().map(|message| message.content.len()).sum();
        !self.turns.is_empty()
            && (messages().count() > limits.messages_max || bytes > limits.bytes_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: Role, content: &str) -> Message {
        Message {
            role,
            content: content.to_owned(),
        }
    }

    fn user(content: &str) -> Vec<Message> {
        vec![message(Role::User, content)]
    }

    fn name(client: Option<&str>, session: &str) -> SessionName {
        SessionName {
            client: client.map(str::to_owned),
            session: session.to_owned(),
        }
    }

    fn sessions() -> Sessions {
        Sessions::new(SessionLimits {
            sessions_max: 2,
            messages_max: 4,
            bytes_max: 20,
            idle_max: Duration::from_secs(10),
        })
    }

    fn texts(messages: &[Message]) -> Vec<&str> {
        messages
            .iter()
            .map(|message| message.content.as_str())
            .collect()
    }

    #[test]
    fn a_turn_follows_those_before_it() {
        let (mut sessions, now) = (sessions(), Instant::now());
        let kitchen = name(None, "kitchen");
        assert_eq!(
            sessions.compose(&kitchen, &user("a"), false, now),
            user("a")
        );
        sessions.record(&kitchen, &user("a"), false, "A", now);
        let composed = sessions.compose(&kitchen, &user("b"), false, now);
        assert_eq!(texts(&composed), ["a", "A", "b"]);
        assert_eq!(composed[1].role, Role::Assistant);
        for other in [name(None, "hall"), name(Some("c"), "kitchen")] {
            assert_eq!(sessions.compose(&other, &user("b"), false, now), user("b"));
        }
    }

    #[test]
    fn what_the_model_was_told_first_stays_until_it_is_told_otherwise() {
        let (mut sessions, now) = (sessions(), Instant::now());
        let kitchen = name(None, "kitchen");
        let told =
            |system: &str, ask: &str| vec![message(Role::System, system), message(Role::User, ask)];
        sessions.record(&kitchen, &told("ours", "a"), false, "A", now);
        let composed = |sessions: &Sessions, brings| {
            let composed = sessions.compose(&kitchen, &told("new", "b"), brings, now);
            composed[0].content.clone()
        };
        assert_eq!(composed(&sessions, false), "new");
        sessions.record(&kitchen, &told("theirs", "a"), true, "A", now);
        assert_eq!(composed(&sessions, false), "theirs");
        assert_eq!(composed(&sessions, true), "new");
        for _ in 0..9 {
            sessions.record(&kitchen, &user("a"), false, "A", now);
        }
        assert_eq!(composed(&sessions, false), "theirs");
    }

    #[test]
    fn the_oldest_turns_make_room() {
        let (mut sessions, now) = (sessions(), Instant::now());
        let kitchen = name(None, "kitchen");
        for text in ["a", "b", "c"] {
            sessions.record(&kitchen, &user(text), false, text, now);
        }
        let composed = sessions.compose(&kitchen, &user("d"), false, now);
        assert_eq!(texts(&composed), ["b", "b", "c", "c", "d"]);
        sessions.record(&kitchen, &user("d"), false, &"x".repeat(18), now);
        let composed = sessions.compose(&kitchen, &user("e"), false, now);
        assert_eq!(texts(&composed), ["d", &"x".repeat(18), "e"]);
        sessions.record(&kitchen, &user("e"), false, &"x".repeat(21), now);
        assert_eq!(
            sessions.compose(&kitchen, &user("f"), false, now),
            user("f")
        );
    }

    #[test]
    fn the_session_that_was_silent_longest_makes_room() {
        let (mut sessions, now) = (sessions(), Instant::now());
        for (second, session) in ["a", "b", "a", "c"].into_iter().enumerate() {
            let now = now + Duration::from_secs(second as u64);
            sessions.record(&name(None, session), &user("q"), false, "A", now);
        }
        let length = |session| {
            sessions
                .compose(&name(None, session), &user("q"), false, now)
                .len()
        };
        assert_eq!((length("a"), length("b"), length("c")), (5, 1, 3));
        assert_eq!(sessions.len(), 2);
    }

    #[test]
    fn silence_ends_a_session() {
        let (mut sessions, now) = (sessions(), Instant::now());
        let kitchen = name(None, "kitchen");
        sessions.record(&kitchen, &user("a"), false, "A", now);
        let later = now + Duration::from_secs(11);
        assert_eq!(
            sessions.compose(&kitchen, &user("b"), false, later),
            user("b")
        );
        sessions.expire(later);
        assert_eq!(sessions.len(), 0);
    }
}
