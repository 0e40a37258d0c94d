//! What was asked and answered, on disk: written and synced before a prompt is acknowledged or an answer sent.
//!
//! A thread of its own does the writing, so that a slow SD card holds up nobody; the desk collects what happens
//! meanwhile into the next [`Batch`] (`ledger`). Some room on the disk is held back for the answers owed: a full disk
//! refuses new prompts ([`StoreEvent::Full`]) and still takes the answers to old ones. A write that fails for another
//! reason ends the daemon, since nothing could be promised any more.

#[cfg(test)]
mod crash_tests;
mod database;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use super::error::ServiceError;
use database::{Records, Trouble};

pub(super) use record::{AnswerRecord, DeliveryMark, Name, PromptRecord, Seq, TurnRecord};

/// The database's file.
const FILE: &str = "prompts.redb";

/// A file whose room is given to the answers owed when there is none left.
const BALLAST_FILE: &str = "held-back";

/// Room that prompts leave free, and the size of that file, bytes.
const BALLAST_BYTES: u64 = 4 << 20;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A prompt was taken.
    Take(PromptRecord),
    /// It has its answer, or the error that stands for one.
    Settle(AnswerRecord),
    /// The broker has that answer.
    Delivered(Seq),
    /// That answer need not be known any more.
    Forget(Seq),
    /// A session goes on from this turn.
    Remember(TurnRecord),
    /// That turn makes room.
    ForgetTurn(Seq),
}

/// Changes that are made together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    /// Counts up.
    pub(super) number: u64,
    pub(super) changes: Vec<Change>,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum StoreEvent {
    /// It will outlive a power cut.
    Committed(u64),
    /// Nothing of it was written: there is no room for its prompts.
    Full(Batch),
    /// Nothing can be written any more, and why.
    Failed(String),
}

/// What an opened store holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// Prompts that wait for their answer, oldest first.
    pub(super) prompts: Vec<PromptRecord>,
    /// Answers that are owed or remembered, oldest first.
    pub(super) answers: Vec<AnswerRecord>,
    /// Turns of sessions, oldest first.
    pub(super) turns: Vec<TurnRecord>,
    /// How often prompts were begun without an end, where any was.
    pub(super) attempts: BTreeMap<Seq, u32>,
    /// Records that could not be read.
    pub(super) damaged: u64,
}

/// The store's thread, as seen from the service's loop.
#[derive(Debug)]
pub(super) struct Store {
    batches: Option<Sender<Batch>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the store in `directory`, which is made where it is not there.
    ///
    /// # Errors
    /// If the directory cannot be written to, or another process uses it.
    pub(super) fn open(
        directory: &Path,
    ) -> Result<(Self, mpsc::UnboundedReceiver<StoreEvent>, Contents), ServiceError> {
        let refuse = |reason: String| ServiceError::Store {
            directory: directory.to_owned(),
            reason,
        };
        fs::create_dir_all(directory).map_err(|error| refuse(error.to_string()))?;
        let (records, contents) =
            Records::open(&directory.join(FILE)).map_err(|trouble| refuse(trouble.to_string()))?;
        if let Err(error) = hold_back(directory) {
            tracing::warn!(%error, "No room can be held back on the disk for answers.");
        }
        let (batches, batches_in) = channel();
        let (events, events_in) = mpsc::unbounded_channel();
        let mut writer = Writer {
            directory: directory.to_owned(),
            records: Some(records),
            events,
        };
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(&batches_in))
            .map_err(|source| ServiceError::Start {
                what: "the store's thread",
                source,
            })?;
        let store = Self {
            batches: Some(batches),
            thread: Some(thread),
        };
        Ok((store, events_in, contents))
    }

    /// Has `batch` written; what became of it is told by an event.
    ///
    /// # Errors
    /// If the thread is gone.
    pub(super) fn write(&self, batch: Batch) -> Result<(), ServiceError> {
        let sent = self
            .batches
            .as_ref()
            .map(|batches| batches.send(batch).is_ok());
        sent.filter(|&is_sent| is_sent)
            .map(|_| ())
            .ok_or(ServiceError::StoreGone)
    }
}

impl Drop for Store {
    /// Waits until all that was handed over is written.
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("The store's thread panicked.");
        }
    }
}

struct Writer {
    directory: PathBuf,
    /// None after a failure.
    records: Option<Records>,
    events: mpsc::UnboundedSender<StoreEvent>,
}

impl Writer {
    fn run(&mut self, batches: &Receiver<Batch>) {
        while let Ok(batch) = batches.recv() {
            let event = self.write(batch);
            if self.events.send(event).is_err() {
                return;
            }
        }
    }

    fn write(&mut self, batch: Batch) -> StoreEvent {
        let takes = batch
            .changes
            .iter()
            .any(|change| matches!(change, Change::Take(_)));
        if takes && !self.has_room() {
            return StoreEvent::Full(batch);
        }
        match self.try_write(&batch) {
            Ok(()) => StoreEvent::Committed(batch.number),
            Err(Trouble::Full) if takes => StoreEvent::Full(batch),
            Err(Trouble::Full) => {
                self.give_ballast();
                match self.try_write(&batch) {
                    Ok(()) => StoreEvent::Committed(batch.number),
                    Err(trouble) => StoreEvent::Failed(trouble.to_string()),
                }
            }
            Err(trouble) => StoreEvent::Failed(trouble.to_string()),
        }
    }

    /// Writes; after a failure the database is opened anew.
    fn try_write(&mut self, batch: &Batch) -> Result<(), Trouble> {
        let records = self
            .records
            .take()
            .ok_or_else(|| Trouble::Damaged("it could not be opened again".to_owned()))?;
        let outcome = records.commit(&batch.changes);
        self.records = match &outcome {
            Ok(()) => Some(records),
            Err(_) => Some(records.reopen()?),
        };
        outcome
    }

    /// Whether prompts may be taken: what is held back stays free, and is held back again once there is room.
    fn has_room(&self) -> bool {
        let Some(free) = free_bytes(&self.directory) else {
            return true;
        };
        let is_held = self.directory.join(BALLAST_FILE).exists();
        if is_held {
            return free >= BALLAST_BYTES / 4;
        }
        free >= 2 * BALLAST_BYTES && hold_back(&self.directory).is_ok()
    }

    fn give_ballast(&self) {
        match fs::remove_file(self.directory.join(BALLAST_FILE)) {
            Ok(()) => tracing::warn!(
                "The disk is full: answers take the room that was held back for them."
            ),
            Err(error) => tracing::error!(%error, "The disk is full, and no room was held back."),
        }
    }
}

/// Writes the file whose room is held back, where it is not there.
fn hold_back(directory: &Path) -> io::Result<()> {
    let path = directory.join(BALLAST_FILE);
    if fs::metadata(&path).is_ok_and(|file| file.len() == BALLAST_BYTES) {
        return Ok(());
    }
    let made =
        nix::fcntl::posix_fallocate(fs::File::create(&path)?, 0, BALLAST_BYTES.cast_signed());
    made.map_err(|error| {
        fs::remove_file(&path).ok();
        error.into()
    })
}

fn free_bytes(directory: &Path) -> Option<u64> {
    let system = nix::sys::statvfs::statvfs(directory).ok()?;
    Some(system.blocks_available() * system.fragment_size())
}
