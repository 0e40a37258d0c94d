//! Pieces of an answer, gathered into chunks of about a fifth of a second. Where one could not be sent, only the end
//! follows: a text with a hole in it helps nobody, and the answer has it all.

use std::time::{Duration, Instant};

use super::mqtt::{ChunkKind, Publication, Think, chunk_json, final_chunk_json};

/// How long pieces are gathered.
const GATHER: Duration = Duration::from_millis(200);

/// The chunks of one answer.
#[derive(Debug)]
pub(super) struct Stream {
    topic: String,
    id: String,
    hides_thought: bool,
    index: u64,
    pending: Option<(ChunkKind, String)>,
    flushed: Instant,
    /// Whether a chunk was lost.
    has_gap: bool,
}

impl Stream {
    /// The chunks of the answer called `id`, for `topic`. The first piece is sent at once.
    #[must_use]
    pub(super) fn new(topic: String, id: String, think: Think, now: Instant) -> Self {
        let flushed = now.checked_sub(GATHER).unwrap_or(now);
        let hides_thought = think == Think::Hide;
        Self {
            topic,
            id,
            hides_thought,
            index: 0,
            pending: None,
            flushed,
            has_gap: false,
        }
    }

    /// Where its chunks go.
    #[must_use]
    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// A chunk could not be sent: no other follows but the last.
    pub(super) fn lost_one(&mut self) {
        self.has_gap = true;
        self.pending = None;
    }

    /// Takes a piece; gives the chunks that are due.
    pub(super) fn push(&mut self, kind: ChunkKind, text: &str, now: Instant) -> Vec<Publication> {
        let mut due = Vec::new();
        if self.has_gap || kind == ChunkKind::Thought && self.hides_thought {
            return due;
        }
        match &mut self.pending {
            Some((pending, gathered)) if *pending == kind => gathered.push_str(text),
            _ => {
                due.extend(self.flush(now));
                self.pending = Some((kind, text.to_owned()));
            }
        }
        due.extend(self.tick(now));
        due
    }

    /// Gives the chunk that is due, if any.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Publication> {
        if now.saturating_duration_since(self.flushed) < GATHER {
            return None;
        }
        self.flush(now)
    }

    /// Gives what is left, and the end.
    #[must_use]
    pub(super) fn finish(mut self, now: Instant) -> Vec<Publication> {
        let rest = self.flush(now);
        let end = final_chunk_json(&self.id, self.index);
        rest.into_iter()
            .chain([Publication::answer(self.topic, end)])
            .collect()
    }

    fn flush(&mut self, now: Instant) -> Option<Publication> {
        let (kind, text) = self.pending.take()?;
        let json = chunk_json(&self.id, self.index, kind, &text);
        self.index += 1;
        self.flushed = now;
        Some(Publication::answer(self.topic.clone(), json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(chunks: impl IntoIterator<Item = Publication>) -> Vec<String> {
        chunks
            .into_iter()
            .map(|chunk| String::from_utf8(chunk.payload.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn gathers_pieces_and_numbers_chunks() {
        let now = Instant::now();
        let mut stream = Stream::new("t".to_owned(), "k".to_owned(), Think::Separate, now);
        let first = stream.push(ChunkKind::Thought, "a", now);
        assert_eq!(
            texts(first),
            [r#"{"id":"k","i":0,"kind":"thought","t":"a"}"#]
        );
        assert!(stream.push(ChunkKind::Thought, "b", now).is_empty());
        assert!(stream.push(ChunkKind::Thought, "c", now).is_empty());
        let change = stream.push(ChunkKind::Answer, "d", now);
        assert_eq!(
            texts(change),
            [r#"{"id":"k","i":1,"kind":"thought","t":"bc"}"#]
        );
        assert!(stream.tick(now).is_none());
        let later = stream.tick(now + GATHER);
        assert_eq!(
            texts(later),
            [r#"{"id":"k","i":2,"kind":"answer","t":"d"}"#]
        );
        assert!(stream.push(ChunkKind::Answer, "e", now + GATHER).is_empty());
        assert_eq!(
            texts(stream.finish(now)),
            [
                r#"{"id":"k","i":3,"kind":"answer","t":"e"}"#,
                r#"{"id":"k","i":4,"final":true}"#
            ]
        );
    }

    #[test]
    fn after_a_lost_chunk_only_the_end_follows() {
        let now = Instant::now();
        let mut stream = Stream::new("t".to_owned(), "k".to_owned(), Think::Separate, now);
        assert_eq!(stream.push(ChunkKind::Answer, "a", now).len(), 1);
        assert!(stream.push(ChunkKind::Answer, "b", now).is_empty());
        stream.lost_one();
        let later = now + GATHER;
        assert!(stream.push(ChunkKind::Answer, "c", later).is_empty());
        assert!(stream.tick(later + GATHER).is_none());
        assert_eq!(
            texts(stream.finish(later)),
            [r#"{"id":"k","i":1,"final":true}"#]
        );
    }

    #[test]
    fn a_hidden_thought_makes_no_chunk() {
        let now = Instant::now();
        let mut stream = Stream::new("t".to_owned(), "k".to_owned(), Think::Hide, now);
        assert!(stream.push(ChunkKind::Thought, "a", now).is_empty());
        assert_eq!(
            texts(stream.finish(now)),
            [r#"{"id":"k","i":0,"final":true}"#]
        );
    }
}
