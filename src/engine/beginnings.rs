//! What many prompts begin with, kept on disk with its keys and values: a long system prompt is read once, not once
//! after every start.
//!
//! Prompts are compared with those before them. What three of them begin with is worth a file, if it is
//! [`TOKENS_MIN`] long; the files that were not used for the longest time make room for others. Nothing about a file can
//! keep a prompt from being answered: one that is damaged, or of another model, is removed, and its tokens are read.
//!
//! ```text
//! bytes   0..8   "thinkdKV"
//!         8..12  FORMAT_VERSION                 u32, all numbers little-endian
//!        12..16  tokens                         u32
//!        16..24  key of the model               u64
//!  4 per token   the tokens                     u32
//!         then   keys and values                as the model gives them
//!    last 8      checksum of all of the above   u64
//! ```

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::lanes::shared;
use crate::model::checksum;

/// Tokens from which on a beginning is worth a file.
const TOKENS_MIN: usize = 64;

/// Prompts that have to begin alike after the first.
const ALIKE_MIN: u32 = 2;

/// Prompts that later ones are compared with.
const CANDIDATES_MAX: usize = 8;

const MAGIC: &[u8; 8] = b"thinkdKV";
const FORMAT_VERSION: u32 = 1;
const HEAD_BYTES: usize = 24;
const CHECKSUM_BYTES: usize = 8;
const EXTENSION: &str = "prefix";

/// Where beginnings are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixFolder {
    /// Made where it is not there.
    pub directory: PathBuf,
    /// Most bytes of all files.
    pub bytes_max: u64,
}

/// The files, and what prompts have begun with lately.
#[derive(Debug)]
pub(super) struct Beginnings {
    folder: PrefixFolder,
    /// Of the model.
    key: u64,
    /// The one that was used last is the last.
    kept: Vec<Kept>,
    /// The same.
    candidates: Vec<Candidate>,
}

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    bytes: u64,
    tokens: Vec<u32>,
}

#[derive(Debug)]
struct Candidate {
    /// What all the prompts begin with that were found alike.
    tokens: Vec<u32>,
    /// How many were, after the first.
    alike: u32,
}

impl Beginnings {
    /// Looks at what earlier processes have left in the folder.
    pub(super) fn open(folder: PrefixFolder, key: u64) -> Self {
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder.directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            if path
                .extension()
                .is_none_or(|extension| extension != EXTENSION)
            {
                continue;
            }
            match look(&path, key) {
                Ok((kept, used)) => found.push((used, kept)),
                Err(reason) => discard(&path, &reason),
            }
        }
        found.sort_by_key(|(used, _)| *used);
        Self {
            folder,
            key,
            kept: found.into_iter().map(|(_, kept)| kept).collect(),
            candidates: Vec::new(),
        }
    }

    /// Takes note of a prompt.
    pub(super) fn saw(&mut self, prompt: &[u32]) {
        let alike = |candidate: &Candidate| shared(&candidate.tokens, prompt);
        let best = (0..self.candidates.len()).max_by_key(|&i| alike(&self.candidates[i]));
        let best = best.filter(|&i| alike(&self.candidates[i]) >= TOKENS_MIN);
        let candidate = match best {
            Some(i) => {
                let Candidate { mut tokens, alike } = self.candidates.remove(i);
                tokens.truncate(shared(&tokens, prompt));
                Candidate {
                    tokens,
                    alike: alike + 1,
                }
            }
            None if prompt.len() <= TOKENS_MIN => return,
            None => Candidate {
                tokens: prompt.to_vec(),
                alike: 0,
            },
        };
        self.candidates.push(candidate);
        if self.candidates.len() > CANDIDATES_MAX {
            self.candidates.remove(0);
        }
    }

    /// How many of the tokens that a lane holds are worth a file and have none.
    pub(super) fn due(&self, held: &[u32]) -> Option<usize> {
        let has_file = |tokens: &[u32]| {
            let most = self
                .kept
                .iter()
                .map(|kept| shared(&kept.tokens, tokens))
                .max();
            // A file that is a little shorter will do.
            most.is_some_and(|most| most + TOKENS_MIN / 2 >= tokens.len())
        };
        let mut worth = self.candidates.iter().filter(|candidate| {
            candidate.alike >= ALIKE_MIN
                && held.starts_with(&candidate.tokens)
                && !has_file(&candidate.tokens)
        });
        worth.next().map(|candidate| candidate.tokens.len())
    }

    /// Writes a file of `tokens` and their keys and values.
    pub(super) fn keep(&mut self, tokens: &[u32], values: &[u8]) {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + 4 * tokens.len() + values.len());
        bytes.extend(MAGIC);
        bytes.extend(FORMAT_VERSION.to_le_bytes());
        bytes.extend((tokens.len() as u32).to_le_bytes()); // a context has far fewer
        bytes.extend(self.key.to_le_bytes());
        bytes.extend(tokens.iter().flat_map(|token| token.to_le_bytes()));
        bytes.extend(values);
        let sum = checksum(&bytes);
        bytes.extend(sum.to_le_bytes());
        let size = bytes.len() as u64;
        if size > self.folder.bytes_max {
            tracing::debug!(tokens = tokens.len(), bytes = size, "Too large to be kept.");
            self.forget_candidates_of(tokens);
            return;
        }
        while self.kept.iter().map(|kept| kept.bytes).sum::<u64>() + size > self.folder.bytes_max {
            let oldest = self.kept.remove(0);
            fs::remove_file(&oldest.path).ok();
        }
        let name = format!("{sum:016x}.{EXTENSION}");
        let path = self.folder.directory.join(name);
        match write(&path, &bytes) {
            Ok(()) => {
                tracing::info!(tokens = tokens.len(), bytes = size, file = %path.display(), "What prompts begin with is kept.");
                self.kept.push(Kept {
                    path,
                    bytes: size,
                    tokens: tokens.to_vec(),
                });
            }
            Err(error) => {
                tracing::warn!(%error, file = %path.display(), "What prompts begin with cannot be kept.");
                self.forget_candidates_of(tokens);
            }
        }
    }

    /// So that not every prompt tries the same in vain.
    fn forget_candidates_of(&mut self, tokens: &[u32]) {
        self.candidates
            .retain(|candidate| candidate.tokens != tokens);
    }

    /// The most tokens that a file has of `prompt`, where they are at least `tokens_min`.
    pub(super) fn best(&self, prompt: &[u32], tokens_min: usize) -> Option<usize> {
        let all = self.kept.iter().map(|kept| shared(&kept.tokens, prompt));
        all.max().filter(|&tokens| tokens >= tokens_min)
    }

    /// The tokens of the file that has most of `prompt`, with their keys and values; it is used now.
    pub(super) fn read(&mut self, prompt: &[u32]) -> Option<(Vec<u32>, Vec<u8>)> {
        let most = (0..self.kept.len()).max_by_key(|&i| shared(&self.kept[i].tokens, prompt))?;
        let kept = self.kept.remove(most);
        match read(&kept.path, self.key) {
            Ok(Contents { tokens, values }) if tokens == kept.tokens => {
                // The time tells the next process which was used last.
                if let Ok(file) = fs::File::options().append(true).open(&kept.path) {
                    file.set_modified(SystemTime::now()).ok();
                }
                self.kept.push(kept);
                Some((tokens, values))
            }
            Ok(_) => {
                discard(&kept.path, "it is not what it was");
                None
            }
            Err(reason) => {
                discard(&kept.path, &reason);
                None
            }
        }
    }
}

/// What a whole file holds.
struct Contents {
    tokens: Vec<u32>,
    values: Vec<u8>,
}

/// Takes a file for what it says it is, without looking at its keys and values, and when it was used last.
fn look(path: &Path, key: u64) -> Result<(Kept, SystemTime), String> {
    let told = |error: io::Error| error.to_string();
    let mut file = fs::File::open(path).map_err(told)?;
    let metadata = file.metadata().map_err(told)?;
    let mut head = [0; HEAD_BYTES];
    file.read_exact(&mut head).map_err(told)?;
    let mut words = vec![0; 4 * parse_head(&head, key)?.min(1 << 20)];
    file.read_exact(&mut words).map_err(told)?;
    let kept = Kept {
        path: path.to_owned(),
        bytes: metadata.len(),
        tokens: words_of(&words),
    };
    Ok((kept, metadata.modified().map_err(told)?))
}

/// Reads and checks a whole file.
fn read(path: &Path, key: u64) -> Result<Contents, String> {
    let mut bytes = fs::read(path).map_err(|error| error.to_string())?;
    let end = bytes.len().checked_sub(CHECKSUM_BYTES);
    let end = end.filter(|&end| checksum(&bytes[..end]).to_le_bytes() == bytes[end..]);
    let end = end.ok_or("its checksum is wrong")?;
    let head = bytes.first_chunk().ok_or("it is too short")?;
    let values = HEAD_BYTES + 4 * parse_head(head, key)?;
    let tokens = words_of(bytes.get(HEAD_BYTES..values).ok_or("it is too short")?);
    bytes.truncate(end);
    let values = bytes.split_off(values.min(end));
    Ok(Contents { tokens, values })
}

/// Number of tokens of a file of the model of this key.
fn parse_head(head: &[u8; HEAD_BYTES], key: u64) -> Result<usize, String> {
    let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap_or_default());
    if !head.starts_with(MAGIC) || number(8) != FORMAT_VERSION {
        return Err("it is of another version".to_owned());
    }
    if head[16..] != key.to_le_bytes() {
        return Err("it is of another model".to_owned());
    }
    Ok(number(12) as usize)
}

fn words_of(bytes: &[u8]) -> Vec<u32> {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

/// Writes a file under another name first, so that half of one is never found.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let unfinished = path.with_extension("part");
    let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
    written.inspect_err(|_| {
        fs::remove_file(&unfinished).ok();
    })
}

fn discard(path: &Path, reason: &str) {
    tracing::info!(file = %path.display(), reason, "A kept beginning of prompts is removed.");
    fs::remove_file(path).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u64 = 7;

    fn open(directory: &Path, bytes_max: u64) -> Beginnings {
        let directory = directory.join("prefixes");
        Beginnings::open(
            PrefixFolder {
                directory,
                bytes_max,
            },
            KEY,
        )
    }

    /// So many tokens that begin with `first`, and then one of its own.
    fn prompt(first: u32, count: u32, own: u32) -> Vec<u32> {
        (first..first + count).chain([own]).collect()
    }

    /// Keeps what prompts of `first` begin with.
    fn keep(beginnings: &mut Beginnings, first: u32) {
        for own in 1000..1003 {
            beginnings.saw(&prompt(first, 100, own));
        }
        let held = prompt(first, 100, 1002);
        let count = beginnings.due(&held).unwrap();
        beginnings.keep(&held[..count], &[1; 500]);
        assert_eq!(beginnings.due(&held), None, "it has a file");
    }

    #[test]
    fn what_three_prompts_begin_with_is_worth_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut beginnings = open(directory.path(), 1 << 20);
        for (own, due) in [
            (1000, None),
            (1001, None),
            (1002, Some(100)),
            (1003, Some(100)),
        ] {
            let prompt = prompt(0, 100, own);
            beginnings.saw(&prompt);
            beginnings.saw(&[1, 2, 3]);
            assert_eq!(beginnings.due(&prompt), due, "{own}");
        }
        assert_eq!(beginnings.due(&prompt(1, 100, 5)), None);
        for own in 0..5 {
            beginnings.saw(&prompt(500, TOKENS_MIN as u32 - 1, own));
        }
        assert_eq!(
            beginnings.due(&prompt(500, TOKENS_MIN as u32 - 1, 1)),
            None,
            "too short"
        );
    }

    #[test]
    fn the_next_process_finds_it() {
        let directory = tempfile::tempdir().unwrap();
        keep(&mut open(directory.path(), 1 << 20), 0);
        let mut next = open(directory.path(), 1 << 20);
        let asked = prompt(0, 90, 2000);
        assert_eq!(
            (next.best(&asked, 90), next.best(&asked, 91)),
            (Some(90), None)
        );
        let (tokens, values) = next.read(&asked).unwrap();
        assert_eq!((tokens, values), (prompt(0, 99, 99), vec![1; 500]));
        assert_eq!(next.best(&prompt(5, 90, 1), 1), None);
    }

    #[test]
    fn the_files_that_were_not_used_make_room() {
        let directory = tempfile::tempdir().unwrap();
        let mut beginnings = open(directory.path(), 2000);
        keep(&mut beginnings, 0);
        keep(&mut beginnings, 200);
        assert!(beginnings.read(&prompt(0, 100, 1)).is_some(), "used again");
        keep(&mut beginnings, 400);
        let has =
            |beginnings: &Beginnings, first| beginnings.best(&prompt(first, 100, 1), 1).is_some();
        let held = [0, 200, 400].map(|first| has(&beginnings, first));
        assert_eq!(held, [true, false, true]);
        let files = fs::read_dir(directory.path().join("prefixes"))
            .unwrap()
            .count();
        assert_eq!(files, 2);
        let mut small = open(&directory.path().join("small"), 600);
        for own in 1000..1003 {
            small.saw(&prompt(0, 100, own));
        }
        small.keep(&prompt(0, 99, 99), &[1; 500]);
        assert_eq!(
            small.due(&prompt(0, 100, 1002)),
            None,
            "too large is not tried again"
        );
    }

    #[test]
    fn a_file_that_is_damaged_or_of_another_model_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        keep(&mut open(directory.path(), 1 << 20), 0);
        let folder = directory.path().join("prefixes");
        let path = fs::read_dir(&folder)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            let mut beginnings = open(directory.path(), 1 << 20);
            assert!(beginnings.read(&prompt(0, 100, 1)).is_none(), "byte {at}");
            assert!(!path.exists(), "byte {at}");
        }
        for length in [0, 10, 30, 430, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(
                open(directory.path(), 1 << 20)
                    .read(&prompt(0, 100, 1))
                    .is_none()
            );
        }
        fs::write(&path, &whole).unwrap();
        let other = PrefixFolder {
            directory: folder,
            bytes_max: 1 << 20,
        };
        assert!(Beginnings::open(other, KEY + 1).kept.is_empty());
        assert!(!path.exists());
    }
}
