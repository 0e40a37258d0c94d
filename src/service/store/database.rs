//! The records in redb: one table of prompts that wait, one of answers, one of the turns of sessions.
//!
//! A database that cannot be read is set aside and begun anew, loudly: a board that does not answer at all helps nobody.

use std::fs;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageError,
    TableDefinition, TableError,
};
use serde::de::DeserializeOwned;

use super::record::{AnswerRecord, PromptRecord, Seq, TurnRecord, decode, encode};
use super::{Change, Contents};

const PROMPTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("prompts");
const ANSWERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("answers");
const TURNS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("turns");

/// Memory that the database may use to hold pages.
const CACHE_BYTES: usize = 1 << 20;

/// Why the records cannot be read or written.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no room on the disk.
    Full,
    /// Another process has it open.
    InUse,
    /// It is not what a database looks like.
    Damaged(String),
    /// The system refuses.
    Io(io::Error),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("there is no room on the disk"),
            Self::InUse => f.write_str("another process uses it"),
            Self::Damaged(how) => write!(f, "it is damaged: {how}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl From<redb::Error> for Trouble {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::InUse,
            redb::Error::Io(error) if is_full(&error) => Self::Full,
            // What is no database, or half of one, is told like this.
            redb::Error::Io(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidData | ErrorKind::UnexpectedEof
                ) =>
            {
                Self::Damaged(error.to_string())
            }
            redb::Error::Io(error) => Self::Io(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

macro_rules! from_redb {
    ($($kind:ty),*) => { $(impl From<$kind> for Trouble {
        fn from(error: $kind) -> Self {
            redb::Error::from(error).into()
        }
    })* };
}
from_redb!(
    DatabaseError,
    StorageError,
    TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::SetDurabilityError
);

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// An open database.
#[derive(Debug)]
pub(super) struct Records {
    database: Database,
    path: PathBuf,
}

impl Records {
    /// Opens the database at `path`, or makes it; gives what is in it. One that is damaged is renamed.
    pub(super) fn open(path: &Path) -> Result<(Self, Contents), Trouble> {
        match Self::try_open(path) {
            Err(Trouble::Damaged(how)) => {
                let aside = free_name(path);
                tracing::error!(
                    file = %path.display(), set_aside_as = %aside.display(), reason = how,
                    "The store cannot be read and is begun anew; what was in it is not answered."
                );
                fs::rename(path, &aside).map_err(Trouble::Io)?;
                let (records, mut contents) = Self::try_open(path)?;
                contents.damaged += 1;
                Ok((records, contents))
            }
            other => other,
        }
    }

    fn try_open(path: &Path) -> Result<(Self, Contents), Trouble> {
        // Bytes of anyone's making are read here: a panic over them is damage, not a reason to end.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let database = builder().create(path)?;
            let contents = load(&database)?;
            Ok((database, contents))
        }));
        let (database, contents) =
            opened.unwrap_or_else(|_| Err(Trouble::Damaged("reading it panics".to_owned())))?;
        let path = path.to_owned();
        Ok((Self { database, path }, contents))
    }

    /// Makes all of `changes`, or none; where it returns without an error they outlive a power cut.
    pub(super) fn commit(&self, changes: &[Change]) -> Result<(), Trouble> {
        commit(&self.database, changes)
    }

    /// The same database, opened anew: after a failed write redb wants that.
    pub(super) fn reopen(self) -> Result<Self, Trouble> {
        let Self { database, path } = self;
        drop(database);
        let database = builder().open(&path)?;
        Ok(Self { database, path })
    }
}

/// How databases are opened.
pub(super) fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true);
    builder
}

fn free_name(path: &Path) -> PathBuf {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        PathBuf::from(name)
    };
    (1..)
        .map(name)
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| name(0))
}

/// All that is in the database; what is damaged is left out and counted.
pub(super) fn load(database: &Database) -> Result<Contents, Trouble> {
    let mut contents = Contents::default();
    let reading = database.begin_read()?;
    let mut damaged = 0;
    contents.prompts = read_all::<PromptRecord>(&reading, PROMPTS, &mut damaged)?;
    contents.answers = read_all::<AnswerRecord>(&reading, ANSWERS, &mut damaged)?;
    contents.turns = read_all::<TurnRecord>(&reading, TURNS, &mut damaged)?;
    contents.damaged = damaged;
    Ok(contents)
}

fn read_all<T: DeserializeOwned>(
    reading: &redb::ReadTransaction,
    table: TableDefinition<'_, u64, &[u8]>,
    damaged: &mut u64,
) -> Result<Vec<T>, Trouble> {
    let table = match reading.open_table(table) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        table => table?,
    };
    let mut records = Vec::new();
    for entry in table.iter()? {
        let (seq, bytes) = entry?;
        match decode(bytes.value()) {
            Ok(record) => records.push(record),
            Err(reason) => {
                *damaged += 1;
                tracing::error!(
                    record = seq.value(),
                    reason,
                    "A record of the store is damaged and left out."
                );
            }
        }
    }
    Ok(records)
}

/// Makes all of `changes`, or none.
pub(super) fn commit(database: &Database, changes: &[Change]) -> Result<(), Trouble> {
    let mut writing = database.begin_write()?;
    writing.set_durability(Durability::Immediate)?;
    {
        let mut prompts = writing.open_table(PROMPTS)?;
        let mut answers = writing.open_table(ANSWERS)?;
        for change in changes {
            match change {
                Change::Take(record) => {
                    prompts.insert(record.seq.0, encode(record).as_slice())?;
                }
                Change::Settle(record) => {
                    prompts.remove(record.seq.0)?;
                    answers.insert(record.seq.0, encode(record).as_slice())?;
                }
                Change::Delivered(Seq(seq)) => {
                    let record = answers
                        .get(*seq)?
                        .map(|bytes| decode::<AnswerRecord>(bytes.value()));
                    if let Some(Ok(mut record)) = record {
                        record.is_owed = false;
                        answers.insert(*seq, encode(&record).as_slice())?;
                    }
                }
                Change::Forget(Seq(seq)) => {
                    answers.remove(*seq)?;
                }
                // Most prompts are of no session.
                Change::Remember(record) => {
                    let mut turns = writing.open_table(TURNS)?;
                    turns.insert(record.seq.0, encode(record).as_slice())?;
                }
                Change::ForgetTurn(Seq(seq)) => {
                    writing.open_table(TURNS)?.remove(*seq)?;
                }
            }
        }
    }
    writing.commit()?;
    Ok(())
}
