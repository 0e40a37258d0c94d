//! Ends an answer where a stop sequence stands, wherever tokens and chunks happen to break.
//!
//! Text is held back while it may be the start of a stop sequence. Of several that stand in the text, the one that
//! ends first counts, and the longest of those: so every chunking stops at the same place.

use super::reasoning::overlap;

/// Looks for the stop sequences of one answer.
#[derive(Debug, Clone)]
pub(super) struct StopMatcher {
    sequences: Vec<String>,
    held: String,
}

/// Text that is known to belong to the answer, and whether it ended there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) text: String,
    pub(super) stopped: bool,
}

impl StopMatcher {
    /// None of `sequences` may be empty.
    pub(super) fn new(sequences: &[String]) -> Self {
        Self {
            sequences: sequences.to_vec(),
            held: String::new(),
        }
    }

    pub(super) fn push(&mut self, text: &str) -> Passed {
        self.held.push_str(text);
        let found = self.sequences.iter().filter_map(|sequence| {
            let start = self.held.find(sequence.as_str())?;
            Some((start + sequence.len(), start))
        });
        if let Some((_, start)) = found.min() {
            self.held.truncate(start);
            return Passed {
                text: std::mem::take(&mut self.held),
                stopped: true,
            };
        }
        let holds = self
            .sequences
            .iter()
            .map(|sequence| overlap(&self.held, sequence))
            .max();
        let held = self.held.split_off(self.held.len() - holds.unwrap_or(0));
        Passed {
            text: std::mem::replace(&mut self.held, held),
            stopped: false,
        }
    }

    /// Ends the text and gives what was held back.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `text` in pieces, cut at the boundaries nearest to `cuts`.
    pub(in super::super) fn cut<'t>(text: &'t str, cuts: &[usize]) -> Vec<&'t str> {
        let mut cuts: Vec<usize> = cuts
            .iter()
            .map(|at| text.floor_char_boundary((*at).min(text.len())))
            .collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([text.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        starts
            .zip(ends)
            .map(|(start, end)| &text[start..end])
            .collect()
    }

    fn run(pieces: &[&str], sequences: &[&str]) -> (String, bool) {
        let sequences: Vec<String> = sequences.iter().map(|s| (*s).to_owned()).collect();
        let mut matcher = StopMatcher::new(&sequences);
        let mut answer = String::new();
        for piece in pieces {
            let passed = matcher.push(piece);
            answer.push_str(&passed.text);
            if passed.stopped {
                return (answer, true);
            }
        }
        answer.push_str(&matcher.finish());
        (answer, false)
    }

    #[test]
    fn ends_before_the_sequence_that_is_complete_first() {
        for (text, sequences, answer, stopped) in [
            ("one two", vec![" "], "one", true),
            ("one", vec!["\n\n"], "one", false),
            ("abc", vec!["abc", "b"], "a", true),
            ("abc", vec!["bc", "abc"], "", true),
            ("aab", vec!["ab"], "a", true),
            ("one\n", vec!["\n\n"], "one\n", false),
            ("ENDE", vec!["END"], "", true),
            ("été", vec!["é"], "", true),
            ("one", vec![], "one", false),
        ] {
            assert_eq!(
                run(&[text], &sequences),
                (answer.to_owned(), stopped),
                "{text:?}"
            );
        }
    }

    #[test]
    fn holds_back_only_what_may_be_a_sequence() {
        let sequences = ["STOP".to_owned()];
        let mut matcher = StopMatcher::new(&sequences);
        assert_eq!(matcher.push("go S").text, "go ");
        assert_eq!(matcher.push("T").text, "");
        assert_eq!(matcher.push("A").text, "STA");
    }

    proptest! {
        #[test]
        fn every_chunking_stops_at_one_place(
            text in "[abé]{0,24}",
            sequences in prop::collection::vec("[abé]{1,4}", 0..4),
            cuts in prop::collection::vec(0_usize..30, 0..12),
        ) {
            let sequences: Vec<&str> = sequences.iter().map(String::as_str).collect();
            prop_assert_eq!(run(&cut(&text, &cuts), &sequences), run(&[&text], &sequences));
        }
    }
}
