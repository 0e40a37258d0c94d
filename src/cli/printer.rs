//! Shows thought and answer while they come: the thought dimmed where that can be seen, the answer plain.

use std::io::{self, IsTerminal, Write};

use anyhow::anyhow;

use super::failure::{Failure, Outcome};
use crate::service::mqtt::{Answer, Reply, RequesterError};

/// How text may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// On a terminal with colours.
    Colour,
    /// On a terminal without, or into a file.
    Plain,
}

impl Style {
    /// Of a stream: colours on a terminal, unless NO_COLOR is set.
    pub(super) fn of(stream: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if stream.is_terminal() && !unwanted {
            Self::Colour
        } else {
            Self::Plain
        }
    }

    /// `text` dimmed where that can be seen.
    pub(super) fn dim(self, text: &str) -> String {
        match self {
            Self::Colour => format!("{DIM}{text}{UNDIM}"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// Where the thought goes.
pub(super) enum Aside<'w> {
    /// Nowhere.
    Hidden,
    /// Before the answer; both are named where dimming cannot tell them apart.
    Same,
    /// To a place of its own, so that a program can read the answer.
    Apart(&'w mut dyn Write),
}

/// Where thought and answer go, in pieces.
pub(super) struct Printer<'w> {
    out: &'w mut dyn Write,
    aside: Aside<'w>,
    /// How the thought may be shown.
    style: Style,
    stage: Stage,
    /// What has been shown of the answer.
    shown: String,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Begun,
    Thinking,
    Answering,
}

impl<'w> Printer<'w> {
    /// The answer to `out`, the thought to `aside` in that style.
    pub(super) fn new(out: &'w mut dyn Write, aside: Aside<'w>, style: Style) -> Self {
        Self {
            out,
            aside,
            style,
            stage: Stage::Begun,
            shown: String::new(),
        }
    }

    /// The next piece of the thought.
    pub(super) fn thought(&mut self, text: &str) -> io::Result<()> {
        let label = self.label("thought: ");
        let out: &mut dyn Write = match &mut self.aside {
            Aside::Hidden => return Ok(()),
            Aside::Same => self.out,
            Aside::Apart(out) => *out,
        };
        if self.stage == Stage::Begun {
            let dim = if self.style == Style::Colour {
                DIM
            } else {
                label
            };
            out.write_all(dim.as_bytes())?;
        }
        self.stage = Stage::Thinking;
        out.write_all(harmless(text).as_bytes())?;
        out.flush()
    }

    /// The next piece of the answer.
    pub(super) fn answer(&mut self, text: &str) -> io::Result<()> {
        if self.stage != Stage::Answering {
            self.end_thought()?;
            self.stage = Stage::Answering;
            let label = self.label("answer: ");
            self.out.write_all(label.as_bytes())?;
        }
        self.shown.push_str(text);
        self.out.write_all(harmless(text).as_bytes())?;
        self.out.flush()
    }

    /// Shows all that comes of a question, and gives the whole answer.
    pub(super) fn follow(
        &mut self,
        replies: impl Iterator<Item = Result<Reply, RequesterError>>,
    ) -> Outcome<Answer> {
        for reply in replies {
            match reply.map_err(anyhow::Error::from)? {
                Reply::Thought(text) => self.thought(&text)?,
                Reply::Answer(text) => self.answer(&text)?,
                Reply::Finished(answer) => {
                    self.catch_up(&answer)?;
                    self.end()?;
                    return Ok(*answer);
                }
            }
        }
        Err(Failure::Other(anyhow!("the answer broke off")))
    }

    /// Pieces come at most once; what the whole answer has beyond them is shown now.
    fn catch_up(&mut self, answer: &Answer) -> io::Result<()> {
        if self.stage == Stage::Begun
            && let Some(thought) = &answer.thought
        {
            self.thought(thought)?;
        }
        match answer.text.strip_prefix(&self.shown) {
            Some("") => Ok(()),
            Some(rest) => {
                let rest = rest.to_owned();
                self.answer(&rest)
            }
            None => {
                self.answer("\n(pieces were lost on the way; this is the whole answer)\n")?;
                self.answer(&answer.text)
            }
        }
    }

    /// The end of it.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.end_thought()?;
        if self.stage == Stage::Answering {
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }

    fn end_thought(&mut self) -> io::Result<()> {
        if self.stage != Stage::Thinking {
            return Ok(());
        }
        self.stage = Stage::Begun;
        let out: &mut dyn Write = match &mut self.aside {
            Aside::Hidden => return Ok(()),
            Aside::Same => self.out,
            Aside::Apart(out) => *out,
        };
        if self.style == Style::Colour {
            out.write_all(UNDIM.as_bytes())?;
        }
        out.write_all(b"\n")?;
        out.flush()
    }

    /// `text` where thought and answer would look the same.
    fn label(&self, text: &'static str) -> &'static str {
        let told_apart = self.style == Style::Colour || !matches!(self.aside, Aside::Same);
        if told_apart { "" } else { text }
    }
}

/// `text` without control characters, which could do more to a terminal than show text.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .filter(|&c| c == '\n' || c == '\t' || !c.is_control())
        .collect()
}

const DIM: &str = "\u{1b}[2m";
const UNDIM: &str = "\u{1b}[22m";

#[cfg(test)]
mod tests {
    use super::*;

    fn show(mut printer: Printer<'_>, thought: &[&str], answer: &[&str]) {
        for text in thought {
            printer.thought(text).expect("a vector takes all");
        }
        for text in answer {
            printer.answer(text).expect("a vector takes all");
        }
        printer.end().expect("a vector takes all");
    }

    #[test]
    fn the_thought_is_dimmed_and_the_answer_plain() {
        let mut out = Vec::new();
        show(
            Printer::new(&mut out, Aside::Same, Style::Colour),
            &["a", "b"],
            &["c", "d"],
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\u{1b}[2mab\u{1b}[22m\ncd\n"
        );
    }

    #[test]
    fn without_colours_both_are_named() {
        let mut out = Vec::new();
        show(
            Printer::new(&mut out, Aside::Same, Style::Plain),
            &["a", "b"],
            &["c", "d"],
        );
        assert_eq!(String::from_utf8(out).unwrap(), "thought: ab\nanswer: cd\n");
    }

    #[test]
    fn a_thought_set_apart_leaves_the_answer_alone() {
        let (mut aside, mut out) = (Vec::new(), Vec::new());
        show(
            Printer::new(&mut out, Aside::Apart(&mut aside), Style::Plain),
            &["a"],
            &["b"],
        );
        assert_eq!(
            (aside.as_slice(), out.as_slice()),
            (&b"a\n"[..], &b"b\n"[..])
        );
    }

    #[test]
    fn a_hidden_thought_leaves_no_trace() {
        let mut out = Vec::new();
        show(
            Printer::new(&mut out, Aside::Hidden, Style::Colour),
            &["a"],
            &["b"],
        );
        assert_eq!(out, b"b\n");
    }

    #[test]
    fn a_thought_without_an_answer_is_closed() {
        let mut out = Vec::new();
        show(
            Printer::new(&mut out, Aside::Same, Style::Colour),
            &["a"],
            &[],
        );
        assert_eq!(String::from_utf8(out).unwrap(), "\u{1b}[2ma\u{1b}[22m\n");
    }

    fn finished(text: &str) -> Result<Reply, RequesterError> {
        let answer = Answer {
            id: "a".to_owned(),
            text: text.to_owned(),
            thought: Some("hm".to_owned()),
            finish: crate::engine::FinishReason::Stop,
            usage: Default::default(),
            timing: Default::default(),
            model: "m".to_owned(),
        };
        Ok(Reply::Finished(Box::new(answer)))
    }

    #[test]
    fn pieces_that_were_lost_are_made_good_at_the_end() {
        let piece = |text: &str| Ok(Reply::Answer(text.to_owned()));
        for (replies, shown) in [
            (vec![finished("abc")], "thought: hm\nanswer: abc\n"),
            (
                vec![piece("ab"), piece("c"), finished("abc")],
                "answer: abc\n",
            ),
            (vec![piece("a"), finished("abc")], "answer: abc\n"),
            (
                vec![piece("a"), piece("c"), finished("abc")],
                "answer: ac\n(pieces were lost on the way; this is the whole answer)\nabc\n",
            ),
        ] {
            let mut out = Vec::new();
            let mut printer = Printer::new(&mut out, Aside::Same, Style::Plain);
            assert_eq!(printer.follow(replies.into_iter()).unwrap().text, "abc");
            assert_eq!(String::from_utf8(out).unwrap(), shown);
        }
    }

    #[test]
    fn an_answer_that_breaks_off_is_a_failure() {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, Aside::Same, Style::Plain);
        let replies = [Ok(Reply::Answer("a".to_owned()))];
        assert!(printer.follow(replies.into_iter()).is_err());
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{9b}c\r\n\td\u{7}"), "a[2Jbc\n\td");
    }
}
