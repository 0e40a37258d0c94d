//! How often each prompt was begun without an end: a prompt that ends the daemon shall not do so for ever.
//!
//! A small file beside the store, written before a prompt is begun. It is not synced: it outlives the process, which is
//! what a prompt can be guilty of, and may be lost with the power, which is not. Where it cannot be written, or read,
//! every prompt is innocent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::store::Seq;

/// The file's name.
const FILE: &str = "begun";

/// Begun so often without an end, a prompt is answered alone from then on, so that none beside it is suspected.
pub(super) const SUSPECT_AFTER: u32 = 2;

/// Begun so often without an end, a prompt is given up.
pub(super) const GIVEN_UP_AFTER: u32 = 5;

/// The file and what it holds.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// None where nothing is kept.
    path: Option<PathBuf>,
    begun: BTreeMap<Seq, u32>,
}

impl Attempts {
    /// Reads what the process before has left in `directory`.
    pub(super) fn open(directory: &Path) -> Self {
        let path = directory.join(FILE);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let begun = text.lines().filter_map(parse).collect();
        Self {
            path: Some(path),
            begun,
        }
    }

    /// How often prompts were begun without an end.
    pub(super) fn all(&self) -> &BTreeMap<Seq, u32> {
        &self.begun
    }

    /// Forgets all but what is `wanted`.
    pub(super) fn retain(&mut self, wanted: impl Fn(Seq) -> bool) {
        self.begun.retain(|seq, _| wanted(*seq));
    }

    /// A prompt is about to be begun.
    pub(super) fn begin(&mut self, seq: Seq) {
        if self.path.is_some() {
            *self.begun.entry(seq).or_default() += 1;
            self.write();
        }
    }

    /// It has come to an end, whichever.
    pub(super) fn end(&mut self, seq: Seq) {
        if self.begun.remove(&seq).is_some() {
            self.write();
        }
    }

    fn write(&self) {
        let Some(path) = &self.path else { return };
        let mut text = String::new();
        for (seq, times) in &self.begun {
            writeln!(text, "{} {times}", seq.0).expect("a string takes all");
        }
        if let Err(error) = fs::write(path, text) {
            tracing::debug!(%error, file = %path.display(), "What is begun could not be noted.");
        }
    }
}

fn parse(line: &str) -> Option<(Seq, u32)> {
    let (seq, times) = line.split_once(' ')?;
    Some((Seq(seq.parse().ok()?), times.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_without_an_end_is_counted_over_processes() {
        let directory = tempfile::tempdir().unwrap();
        for times in 1..=3 {
            let mut attempts = Attempts::open(directory.path());
            attempts.begin(Seq(7));
            attempts.begin(Seq(8));
            attempts.end(Seq(8));
            assert_eq!(attempts.all(), &BTreeMap::from([(Seq(7), times)]));
        }
        let mut attempts = Attempts::open(directory.path());
        attempts.retain(|seq| seq != Seq(7));
        assert!(attempts.all().is_empty());
    }

    #[test]
    fn a_damaged_file_accuses_nobody() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), b"7\n8 x\n\xff 9 1\n").unwrap();
        assert!(Attempts::open(directory.path()).all().is_empty());
        fs::write(directory.path().join(FILE), "7 2\n8").unwrap();
        let attempts = Attempts::open(directory.path());
        assert_eq!(attempts.all(), &BTreeMap::from([(Seq(7), 2)]));
    }

    #[test]
    fn without_a_directory_nothing_is_counted() {
        let mut attempts = Attempts::default();
        attempts.begin(Seq(1));
        assert!(attempts.all().is_empty());
    }
}
