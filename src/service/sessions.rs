//! Conversations that go on: what was said before under a session's name, bounded.
//!
//! A session belongs to the client that began it. Of each turn the question and the answer are kept, thoughts are
//! not; a turn that was not answered leaves no trace. Clock and answers come from outside, and so do the turns that an
//! earlier process has stored; what is told to be forgotten is for the store.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::store::{Seq, TurnRecord};
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
    turns: VecDeque<Turn>,
    used: Instant,
}

/// What was asked, and the answer.
#[derive(Debug)]
struct Turn {
    seq: Seq,
    messages: Vec<Message>,
}

/// A prompt of a session that has its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoken<'a> {
    pub(super) seq: Seq,
    pub(super) session: &'a SessionName,
    /// The request's own messages, without what was composed before them.
    pub(super) messages: &'a [Message],
    /// Whether a system message among them is the request's own.
    pub(super) brings_system: bool,
    pub(super) answer: &'a str,
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
        let before = session.messages().cloned();
        let turn = messages
            .iter()
            .filter(|message| !is_system(message))
            .cloned();
        systems.into_iter().chain(before).chain(turn).collect()
    }

    /// Remembers a turn; gives what the store is to keep of it, answered at `answered_ms`, and the turns that made room.
    pub(super) fn record(
        &mut self,
        spoken: &Spoken<'_>,
        now: Instant,
        answered_ms: u64,
    ) -> (TurnRecord, Vec<Seq>) {
        let mut forgotten = self.expire(now);
        let (systems, mut messages): (Vec<Message>, Vec<Message>) = spoken
            .messages
            .iter()
            .cloned()
            .partition(|message| message.role == Role::System);
        messages.push(Message {
            role: Role::Assistant,
            content: spoken.answer.to_owned(),
        });
        let system = if spoken.brings_system {
            let texts: Vec<String> = systems.into_iter().map(|message| message.content).collect();
            Some(texts.join("\n\n"))
        } else {
            let session = self.sessions.get(spoken.session);
            let system = session.and_then(|session| session.system.as_ref());
            system.map(|system| system.content.clone())
        };
        let record = TurnRecord {
            seq: spoken.seq,
            client: spoken.session.client.clone(),
            session: spoken.session.session.clone(),
            system,
            messages,
            answered_ms,
        };
        forgotten.extend(self.restore(record.clone(), now));
        (record, forgotten)
    }

    /// Takes up a turn, answered at `used`, behind those before it; gives the turns that made room.
    pub(super) fn restore(&mut self, record: TurnRecord, used: Instant) -> Vec<Seq> {
        let name = SessionName {
            client: record.client,
            session: record.session,
        };
        let mut forgotten = if self.sessions.contains_key(&name) {
            Vec::new()
        } else {
            self.make_room()
        };
        let session = self.sessions.entry(name).or_insert_with(|| Session {
            system: None,
            turns: VecDeque::new(),
            used,
        });
        session.used = used;
        session.system = record.system.map(|content| Message {
            role: Role::System,
            content,
        });
        session.turns.push_back(Turn {
            seq: record.seq,
            messages: record.messages,
        });
        while session.exceeds(&self.limits) {
            forgotten.extend(session.turns.pop_front().map(|turn| turn.seq));
        }
        forgotten
    }

    /// Forgets the sessions that were silent too long; gives their turns.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Seq> {
        let idle_max = self.limits.idle_max;
        let silent = self
            .sessions
            .extract_if(|_, session| now.saturating_duration_since(session.used) > idle_max);
        silent.flat_map(|(_, session)| session.seqs()).collect()
    }

    /// Number of sessions.
    #[cfg(test)]
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Makes room for one more; gives the turns of those that made it.
    fn make_room(&mut self) -> Vec<Seq> {
        let mut forgotten = Vec::new();
        while self.sessions.len() >= self.limits.sessions_max.max(1) {
            let silent = self
                .sessions
                .iter()
                .min_by_key(|(name, session)| (session.used, *name))
                .map(|(name, _)| name.clone());
            let gone = silent.and_then(|name| self.sessions.remove(&name));
            let Some(session) = gone else { break };
            forgotten.extend(session.seqs());
        }
        forgotten
    }
}

impl Session {
    fn messages(&self) -> impl Iterator<Item = &Message> {
        self.turns.iter().flat_map(|turn| &turn.messages)
    }

    fn exceeds(&self, limits: &SessionLimits) -> bool {
        let bytes: usize = self.messages().map(|message| message.content.len()).sum();
        !self.turns.is_empty()
            && (self.messages().count() > limits.messages_max || bytes > limits.bytes_max)
    }

    fn seqs(self) -> impl Iterator<Item = Seq> {
        self.turns.into_iter().map(|turn| turn.seq)
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

    /// Records a turn; gives the turns that made room.
    fn record(
        sessions: &mut Sessions,
        session: &SessionName,
        (seq, messages, answer): (u64, &[Message], &str),
        now: Instant,
    ) -> Vec<u64> {
        let brings_system = messages[0].role == Role::System && messages[0].content != "ours";
        let spoken = Spoken {
            seq: Seq(seq),
            session,
            messages,
            brings_system,
            answer,
        };
        let (_, forgotten) = sessions.record(&spoken, now, 0);
        forgotten.into_iter().map(|seq| seq.0).collect()
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
        record(&mut sessions, &kitchen, (1, &user("a"), "A"), now);
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
        record(&mut sessions, &kitchen, (1, &told("ours", "a"), "A"), now);
        let composed = |sessions: &Sessions, brings| {
            let composed = sessions.compose(&kitchen, &told("new", "b"), brings, now);
            composed[0].content.clone()
        };
        assert_eq!(composed(&sessions, false), "new");
        record(&mut sessions, &kitchen, (2, &told("theirs", "a"), "A"), now);
        assert_eq!(composed(&sessions, false), "theirs");
        assert_eq!(composed(&sessions, true), "new");
        for seq in 3..12 {
            record(&mut sessions, &kitchen, (seq, &user("a"), "A"), now);
        }
        assert_eq!(composed(&sessions, false), "theirs");
    }

    #[test]
    fn the_oldest_turns_make_room() {
        let (mut sessions, now) = (sessions(), Instant::now());
        let kitchen = name(None, "kitchen");
        let mut forgotten = Vec::new();
        for (seq, text) in (1..).zip(["a", "b", "c"]) {
            forgotten.extend(record(
                &mut sessions,
                &kitchen,
                (seq, &user(text), text),
                now,
            ));
        }
        assert_eq!(forgotten, [1]);
        let composed = sessions.compose(&kitchen, &user("d"), false, now);
        assert_eq!(texts(&composed), ["b", "b", "c", "c", "d"]);
        let long = "x".repeat(18);
        let forgotten = record(&mut sessions, &kitchen, (4, &user("d"), &long), now);
        assert_eq!(forgotten, [2, 3]);
        let composed = sessions.compose(&kitchen, &user("e"), false, now);
        assert_eq!(texts(&composed), ["d", &"x".repeat(18), "e"]);
        let too_long = "x".repeat(21);
        let forgotten = record(&mut sessions, &kitchen, (5, &user("e"), &too_long), now);
        assert_eq!(forgotten, [4, 5]);
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
            let turn = (second as u64, &user("q")[..], "A");
            let forgotten = record(&mut sessions, &name(None, session), turn, now);
            assert_eq!(forgotten, [1].repeat(usize::from(session == "c")));
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
        record(&mut sessions, &kitchen, (7, &user("a"), "A"), now);
        let later = now + Duration::from_secs(11);
        assert_eq!(
            sessions.compose(&kitchen, &user("b"), false, later),
            user("b")
        );
        assert_eq!(sessions.expire(later), [Seq(7)]);
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn stored_turns_make_the_same_session_again() {
        let (mut sessions, now) = (sessions(), Instant::now());
        let kitchen = name(Some("panel"), "kitchen");
        let told = vec![message(Role::System, "theirs"), message(Role::User, "a")];
        let mut stored = Vec::new();
        for (seq, messages) in (1..).zip([told, user("b"), user("c")]) {
            let spoken = Spoken {
                seq: Seq(seq),
                session: &kitchen,
                messages: &messages,
                brings_system: seq == 1,
                answer: "A",
            };
            let (record, forgotten) = sessions.record(&spoken, now, 0);
            stored.push(record);
            stored.retain(|record| !forgotten.contains(&record.seq));
        }
        assert_eq!(stored.len(), 2);
        let mut next = self::sessions();
        for record in stored {
            assert_eq!(next.restore(record, now), []);
        }
        let composed = |sessions: &Sessions| sessions.compose(&kitchen, &user("d"), false, now);
        assert_eq!(texts(&composed(&next)), ["theirs", "b", "A", "c", "A", "d"]);
        assert_eq!(composed(&next), composed(&sessions));
    }
}
