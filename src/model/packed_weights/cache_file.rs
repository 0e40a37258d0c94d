//! A cache file on disk: opened and checked, or written anew.
//!
//! It is written under another name, with a lock that other processes wait for, and renamed when it is whole. A
//! lock ends with its process, so a file that a dead one left is simply written over.

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::header::{Entry, Header, start_of_matrices};
use super::repack::{self, Source, Target, pieces};
use crate::kernels::{Layout, Threads};
use crate::model::checksum::{checksum, checksum_of};
use crate::model::weight_map::{Map, Memory};

/// What a cache file is wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) key: u64,
    pub(super) layout: Layout,
    pub(super) threads: &'a Threads,
    /// Whether what is in it is to be copied into memory.
    pub(super) in_memory: bool,
}

/// A cache file that holds what is wanted.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) map: Arc<Map>,
    /// Whether that is memory, and not the file.
    pub(super) in_memory: bool,
    pub(super) entries: Vec<Option<Entry>>,
}

/// Why a cache file is of no use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// There is none.
    Absent,
    /// It was made from another model, or for another layout.
    Stale(String),
    /// It cannot be read, or is not as it was written.
    Damaged(String),
}

/// How long another process that writes the file is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long to wait before looking again.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Opens the file at `path` and reads all of it once: to check it, to copy it where that is wanted, and because the
/// first token would.
pub(super) fn open(path: &Path, wanted: Wanted<'_>, source: &dyn Source) -> Result<Opened, Unfit> {
    let (file, map, entries) = open_unread(path, wanted, source)?;
    let mut jobs: Vec<Range<usize>> = Vec::new();
    for entry in entries.iter().flatten() {
        let tile_bytes = entry.shape.tile_bytes(wanted.layout);
        let places = pieces(entry.shape, wanted.layout)
            .map(|t| entry.offset + t.start * tile_bytes..entry.offset + t.end * tile_bytes);
        jobs.extend(places);
    }
    let memory = wanted.in_memory.then(|| Memory::new(map.as_slice().len()));
    let in_memory = matches!(memory, Some(Ok(_)));
    let (map, sums) = match memory {
        Some(Ok(memory)) => read(&file, memory, &jobs, wanted.threads)
            .map_err(|error| Unfit::Damaged(format!("cannot be read: {error}")))?,
        _ => {
            let sums = checksums(&map, &jobs, wanted.threads);
            (map, sums)
        }
    };
    let mut sums = sums.into_iter().map(AtomicU64::into_inner);
    for entry in entries.iter().flatten() {
        let count = pieces(entry.shape, wanted.layout).len();
        if checksum_of(sums.by_ref().take(count)) != entry.checksum {
            let reason = format!("is damaged in the matrix at byte {}", entry.offset);
            return Err(Unfit::Damaged(reason));
        }
    }
    Ok(Opened {
        map: Arc::new(map),
        in_memory,
        entries,
    })
}

/// Reads the places `jobs` of `map`; their checksums.
fn checksums(map: &Map, jobs: &[Range<usize>], threads: &Threads) -> Vec<AtomicU64> {
    let sums: Vec<_> = jobs.iter().map(|_| AtomicU64::new(0)).collect();
    threads.run(jobs.len(), &|job| {
        let place = jobs[job].clone();
        map.read_ahead(place.clone());
        sums[job].store(checksum(&map.as_slice()[place]), Ordering::Relaxed);
    });
    sums
}

/// Copies the places `jobs` of `file`, which come one behind the other, to the same places in `memory`; that, and their
/// checksums.
fn read(
    file: &File,
    mut memory: Memory,
    jobs: &[Range<usize>],
    threads: &Threads,
) -> io::Result<(Map, Vec<AtomicU64>)> {
    let sums: Vec<_> = jobs.iter().map(|_| AtomicU64::new(0)).collect();
    let failure = Mutex::new(None);
    let mut rest = memory.as_mut_slice();
    let mut end = 0;
    let mut pieces = Vec::with_capacity(jobs.len());
    for (place, sum) in jobs.iter().zip(&sums) {
        let (_, from_place) = rest.split_at_mut(place.start - end);
        let (piece, after) = from_place.split_at_mut(place.len());
        (rest, end) = (after, place.end);
        pieces.push((place.start as u64, piece, sum));
    }
    threads.run_each(pieces.into_iter(), |(offset, piece, sum)| {
        match file.read_exact_at(piece, offset) {
            Ok(()) => sum.store(checksum(piece), Ordering::Relaxed),
            Err(error) => {
                let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(error);
            }
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok((memory.into_map()?, sums)),
    }
}

/// Opens the file at `path`, and checks its header only.
pub(super) fn open_unread(
    path: &Path,
    wanted: Wanted<'_>,
    source: &dyn Source,
) -> Result<(File, Map, Vec<Option<Entry>>), Unfit> {
    let damaged = |error: io::Error| Unfit::Damaged(format!("cannot be read: {error}"));
    let file = match File::open(path) {
        Err(error) if is_absent(&error) => return Err(Unfit::Absent),
        file => file.map_err(damaged)?,
    };
    if !file.metadata().map_err(damaged)?.is_file() {
        return Err(Unfit::Damaged("is not a file".into()));
    }
    let map = Map::of_file(&file).map_err(damaged)?;
    let header = Header::parse(map.as_slice()).map_err(Unfit::Damaged)?;
    if header.length != map.as_slice().len() {
        return Err(Unfit::Damaged(format!(
            "has {} bytes, expected {}",
            map.as_slice().len(),
            header.length
        )));
    }
    if header.key != wanted.key || header.layout != wanted.layout.name() {
        return Err(Unfit::Stale(format!(
            "was made from another model (key {:016x}, layout {}), expected key {:016x}, layout {}",
            header.key,
            header.layout,
            wanted.key,
            wanted.layout.name()
        )));
    }
    check_places(&header, wanted.layout, source).map_err(Unfit::Damaged)?;
    Ok((file, map, header.entries))
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Whether the entries are the matrices wanted, one behind the other and inside the file.
fn check_places(header: &Header, layout: Layout, source: &dyn Source) -> Result<(), String> {
    if header.entries.len() != source.count() {
        return Err(format!(
            "holds {} matrices, expected {}",
            header.entries.len(),
            source.count()
        ));
    }
    let mut end = start_of_matrices(header.entries.len());
    for (index, entry) in header.entries.iter().enumerate() {
        let Some(entry) = entry else { continue };
        // A shape that was checked when the model was read: its bytes can be counted.
        let fits = Some(entry.shape) == source.shape(index)
            && (end..=header.length).contains(&entry.offset)
            && entry.shape.bytes(layout) <= header.length - entry.offset;
        if !fits {
            return Err(format!("has matrix {index} in the wrong place"));
        }
        end = entry.offset + entry.shape.bytes(layout);
    }
    Ok(())
}

/// Writes the file at `path`, unless another process did so meanwhile, and opens it; returns whether it was written.
///
/// # Errors
/// If it cannot be written, or not be read after that.
pub(super) fn write(
    path: &Path,
    wanted: Wanted<'_>,
    source: &dyn Source,
) -> io::Result<(Opened, bool)> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut temporary = Temporary::lock(path, PATIENCE)?;
    if let Ok(opened) = open(path, wanted, source) {
        return Ok((opened, false));
    }
    fill(&mut temporary.file, wanted, source)?;
    temporary.rename(path)?;
    match open(path, wanted, source) {
        Ok(opened) => Ok((opened, true)),
        Err(reason) => Err(io::Error::other(format!("was written, and is {reason:?}"))),
    }
}

fn fill(file: &mut File, wanted: Wanted<'_>, source: &dyn Source) -> io::Result<()> {
    let Wanted {
        key,
        layout,
        threads,
        ..
    } = wanted;
    let start = start_of_matrices(source.count());
    file.set_len(0)?;
    file.rewind()?;
    let mut target = FileTarget {
        file,
        end: 0,
        batch: Vec::new(),
    };
    let (entries, length) = repack::pack(source, (layout, threads), start, &mut target)?;
    let header = Header {
        key,
        layout: layout.name().to_owned(),
        length: length.max(start),
        entries,
    };
    file.write_all_at(&header.to_bytes(), 0)?;
    file.sync_all()
}

/// A file that is written from its beginning to its end.
struct FileTarget<'a> {
    file: &'a mut File,
    /// Bytes written so far.
    end: usize,
    batch: Vec<u8>,
}

impl Target for FileTarget<'_> {
    fn fill(
        &mut self,
        offset: usize,
        length: usize,
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> io::Result<()> {
        let gap = offset - self.end;
        self.batch.clear();
        self.batch.resize(gap + length, 0);
        fill(&mut self.batch[gap..]);
        self.file.write_all(&self.batch)?;
        self.end = offset + length;
        Ok(())
    }
}

/// The file under the name it has while it is written. Removed when dropped, unless it was renamed.
struct Temporary {
    path: PathBuf,
    file: File,
    renamed: bool,
}

/// What the name of a cache file ends in while it is written.
pub(super) const TEMPORARY_SUFFIX: &str = ".tmp";

impl Temporary {
    /// Creates the file that becomes `target`, and locks it.
    fn lock(target: &Path, patience: Duration) -> io::Result<Self> {
        let mut path = target.as_os_str().to_owned();
        path.push(TEMPORARY_SUFFIX);
        let path = PathBuf::from(path);
        let deadline = Instant::now() + patience;
        loop {
            let file = File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    return Ok(Self {
                        path,
                        file,
                        renamed: false,
                    });
                }
                // Whoever held the lock has renamed or removed the file since.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => thread::sleep(LOOK_EVERY),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            if Instant::now() > deadline {
                let reason = format!(
                    "another process has been writing it for {} s",
                    patience.as_secs()
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
            }
        }
    }

    /// Puts the file, whole and on disk, in place of `target`.
    fn rename(&mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.renamed = true;
        // Where a directory cannot be synchronized, a power cut may cost this file, and with it one repacking.
        if let Some(Ok(directory)) = target.parent().map(File::open) {
            directory.sync_all().or_else(|error| match error.kind() {
                io::ErrorKind::InvalidInput => Ok(()),
                _ => Err(error),
            })?;
        }
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // It holds nothing yet that anyone could use; the next start writes over it.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Whether `file` is what stands at `path` now.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// Removes the file at `path` unless someone is writing it.
pub(super) fn remove_abandoned(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => fs::remove_file(path),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests;
