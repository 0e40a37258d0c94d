//! Splits generated text into thought and answer at the think tags.
//!
//! Works on text because a tag may straddle tokens; text is held back while it may be the start of a tag. Knows
//! nothing of the model or of MQTT.
//! Invariant: every chunking of one text gives one split (property test below).
//!
//! Whether the output begins inside a thought is told by the prompt: some templates write the opening tag. Where
//! they do not, a model that thinks opens with the tag itself; one that does not has answered from its first word.
//! A tag the model repeats after the template's is dropped. Only the first closing tag counts.

/// Divides one answer.
#[derive(Debug, Clone)]
pub struct ReasoningSplitter {
    open: String,
    close: String,
    state: State,
    held: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Only white space so far, or the start of what may be an opening tag.
    Start {
        opened: bool,
    },
    Thought,
    Answer,
}

/// What the text is at, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It may yet open a thought.
    Undecided,
    /// In the thought.
    Thought,
    /// In the answer, to the end.
    Answer,
}

/// The next piece of each part, tags removed; either may be empty. The thought comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// The next piece of the thought.
    pub thought: String,
    /// The next piece of the answer.
    pub answer: String,
}

impl ReasoningSplitter {
    /// Starts a text; `opened` where it begins inside a thought. Empty tags mean that all is answer.
    #[must_use]
    pub fn new(open: &str, close: &str, opened: bool) -> Self {
        let tags = !open.is_empty() && !close.is_empty();
        Self {
            open: open.to_owned(),
            close: close.to_owned(),
            state: if tags {
                State::Start { opened }
            } else {
                State::Answer
            },
            held: String::new(),
        }
    }

    /// The tag that opens a thought; empty where there is none.
    pub(super) fn open(&self) -> &str {
        &self.open
    }

    /// What the text is at.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Start { opened: false } => Phase::Undecided,
            State::Start { opened: true } | State::Thought => Phase::Thought,
            State::Answer => Phase::Answer,
        }
    }

    /// Takes the next piece of text and gives what is now known to belong where.
    pub fn push(&mut self, text: &str) -> Split {
        self.held.push_str(text);
        let mut split = Split::default();
        if let State::Start { opened } = self.state {
            let begun = self.held.trim_start();
            if let Some(rest) = begun.strip_prefix(&self.open) {
                self.held = rest.to_owned();
                self.state = State::Thought;
            } else if self.open.starts_with(begun) {
                return split;
            } else {
                self.state = if opened {
                    State::Thought
                } else {
                    State::Answer
                };
            }
        }
        if self.state == State::Thought {
            if let Some((thought, answer)) = self.held.split_once(&self.close) {
                split.thought = thought.to_owned();
                self.held = answer.to_owned();
                self.state = State::Answer;
            } else {
                let known = self.held.len() - overlap(&self.held, &self.close);
                let held = self.held.split_off(known);
                split.thought = std::mem::replace(&mut self.held, held);
            }
        }
        if self.state == State::Answer {
            split.answer = std::mem::take(&mut self.held);
        }
        split
    }

    /// Ends the text and gives what was held back.
    pub fn finish(&mut self) -> Split {
        let rest = std::mem::take(&mut self.held);
        match self.phase() {
            Phase::Thought => Split {
                thought: rest,
                answer: String::new(),
            },
            Phase::Undecided | Phase::Answer => Split {
                thought: String::new(),
                answer: rest,
            },
        }
    }
}

/// Length of the longest end of `text` that is a beginning of `mark`, but not all of it.
pub(super) fn overlap(text: &str, mark: &str) -> usize {
    let lengths = mark.char_indices().map(|(at, _)| at).rev();
    lengths
        .into_iter()
        .find(|at| text.ends_with(&mark[..*at]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(pieces: &[&str], opened: bool) -> (String, String) {
        let mut splitter = ReasoningSplitter::new("<think>", "</think>", opened);
        let mut whole = Split::default();
        let mut add = |split: Split| {
            assert!(
                whole.answer.is_empty() || split.thought.is_empty(),
                "thought after answer"
            );
            whole.thought.push_str(&split.thought);
            whole.answer.push_str(&split.answer);
        };
        for piece in pieces {
            add(splitter.push(piece));
        }
        add(splitter.finish());
        (whole.thought, whole.answer)
    }

    #[test]
    fn divides_at_the_tags() {
        for (text, opened, thought, answer) in [
            ("hm</think>yes", true, "hm", "yes"),
            ("<think>hm</think>yes", false, "hm", "yes"),
            ("\n <think>hm</think>yes", false, "hm", "yes"),
            ("\n<think>hm</think>yes", true, "hm", "yes"),
            ("yes", false, "", "yes"),
            ("  yes", false, "", "  yes"),
            ("<thing>", false, "", "<thing>"),
            ("<thing>", true, "<thing>", ""),
            ("yes <think>hm</think>", false, "", "yes <think>hm</think>"),
            ("</think>yes</think>", true, "", "yes</think>"),
            ("never closed </thin", true, "never closed </thin", ""),
            ("<thi", false, "", "<thi"),
            ("<thi", true, "<thi", ""),
            ("", true, "", ""),
        ] {
            let parts = split(&[text], opened);
            assert_eq!(
                parts,
                (thought.to_owned(), answer.to_owned()),
                "{text:?} {opened}"
            );
        }
    }

    #[test]
    fn tells_text_as_soon_as_it_cannot_be_a_tag() {
        let mut splitter = ReasoningSplitter::new("<think>", "</think>", false);
        assert_eq!(splitter.push("<think"), Split::default());
        assert_eq!(splitter.phase(), Phase::Undecided);
        assert_eq!(splitter.push(">a <").thought, "a ");
        assert_eq!(splitter.phase(), Phase::Thought);
        assert_eq!(splitter.push("/thin").thought, "");
        assert_eq!(splitter.push("g</think> b").thought, "</thing");
        assert_eq!(splitter.phase(), Phase::Answer);
    }

    #[test]
    fn without_tags_all_is_answer() {
        let mut splitter = ReasoningSplitter::new("", "", false);
        assert_eq!(splitter.push("<think>").answer, "<think>");
        assert_eq!(splitter.phase(), Phase::Answer);
    }

    proptest! {
        #[test]
        fn every_chunking_gives_one_split(
            words in prop::collection::vec(
                prop::sample::select(vec!["<think>", "</think>", "<", "/", "</thin", "k>", "é", "\n", " a"]),
                0..10,
            ),
            cuts in prop::collection::vec(0_usize..80, 0..12),
            opened: bool,
        ) {
            let text = words.concat();
            let pieces = super::super::stop::tests::cut(&text, &cuts);
            prop_assert_eq!(split(&pieces, opened), split(&[&text], opened));
        }
    }
}
