//! The memory maps: a model's data files, read-only, and packed weights, in a file or in memory of their own.
//!
//! The kernel drops and reloads the pages of a file as memory asks, so weights count once however many processes
//! map them.

#![allow(unsafe_code, reason = "the memory maps of the crate")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::model::{ModelError, huge_pages};
use crate::ops::ByteSource;

/// Bytes that cannot be written: a file's, or memory that was filled before.
pub(crate) struct Map {
    map: memmap2::Mmap,
    /// Which of its bytes count.
    range: Range<usize>,
}

impl Map {
    /// Maps all of `file`.
    pub(crate) fn of_file(file: &File) -> io::Result<Self> {
        // SAFETY: the map is read-only. Bytes that another process changes in the file while it is mapped would
        // change under us; model files are installed once and replaced by rename, as `models/README.md` says, and
        // so are files of packed weights.
        let map = unsafe { memmap2::Mmap::map(file) }?;
        let range = 0..map.len();
        Ok(Self { map, range })
    }

    /// All of it.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.map[self.range.clone()]
    }

    /// Brings `range` into memory at once; without it, every few pages are a fault when they are first read.
    pub(crate) fn read_ahead(&self, range: Range<usize>) {
        // Linux before 5.14 does not know it. There the faults do the same, only slower.
        drop(
            self.map
                .advise_range(memmap2::Advice::PopulateRead, range.start, range.len()),
        );
    }

    /// Lets go of all pages of a mapped file; who reads them again gets them from the file again.
    fn release(&self) {
        // SAFETY: the map is of a file, shared and read-only, so its pages hold nothing that the file does not.
        let released = unsafe {
            self.map
                .unchecked_advise(memmap2::UncheckedAdvice::DontNeed)
        };
        // Where it is refused, the kernel drops pages when memory is short.
        drop(released);
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Map({} bytes)", self.range.len())
    }
}

impl ByteSource for Map {
    fn bytes(&self) -> &[u8] {
        self.as_slice()
    }
}

/// Memory to be filled, page-aligned, in large pages where the system has some.
pub(crate) struct Memory {
    map: memmap2::MmapMut,
    /// Which of its bytes count: they begin where a large page may.
    range: Range<usize>,
}

impl Memory {
    /// `bytes` bytes, all zero; pages that are not written take no memory.
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let page = huge_pages::page_bytes().filter(|&page| bytes >= page);
        let map = memmap2::MmapMut::map_anon(bytes + page.unwrap_or(0))?;
        let start = page.map_or(0, |page| map.as_ptr().addr().wrapping_neg() % page);
        if page.is_some() {
            // Where it is refused, pages are small.
            drop(map.advise(memmap2::Advice::HugePage));
        }
        let range = start..start + bytes;
        Ok(Self { map, range })
    }

    /// All of it.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.map[self.range.clone()]
    }

    /// No more to be written.
    pub(crate) fn into_map(self) -> io::Result<Map> {
        let map = self.map.make_read_only()?;
        Ok(Map {
            map,
            range: self.range,
        })
    }
}

/// The data files of one model directory, each mapped once.
#[derive(Debug)]
pub(crate) struct WeightFiles {
    directory: PathBuf,
    mapped: BTreeMap<String, Arc<Map>>,
}

impl WeightFiles {
    /// The files of `directory`, none mapped yet.
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            mapped: BTreeMap::new(),
        }
    }

    /// Names of the files mapped so far, as the graph writes them, in order of the alphabet.
    pub(crate) fn locations(&self) -> impl Iterator<Item = &str> {
        self.mapped.keys().map(String::as_str)
    }

    /// Path of the data file `location`, for messages.
    pub(crate) fn path(&self, location: &str) -> PathBuf {
        self.directory.join(location)
    }

    /// In which file `bytes` lie, and where in it; nothing for bytes that are not of a mapped file.
    pub(crate) fn place_of(&self, bytes: &[u8]) -> Option<(&str, usize)> {
        self.mapped.iter().find_map(|(location, map)| {
            let all = map.as_slice();
            let offset = bytes.as_ptr().addr().checked_sub(all.as_ptr().addr())?;
            let inside = offset <= all.len() && bytes.len() <= all.len() - offset;
            inside.then_some((location.as_str(), offset))
        })
    }

    /// Lets go of the pages that were read so far; who reads them again gets them from the files again.
    pub(crate) fn release(&self) {
        self.mapped.values().for_each(|map| map.release());
    }

    /// Maps the file at `location`, which must lie inside the model directory.
    pub(crate) fn open(&mut self, location: &str) -> Result<Arc<dyn ByteSource>, ModelError> {
        if let Some(mapped) = self.mapped.get(location) {
            return Ok(mapped.clone());
        }
        let path = self.path(location);
        let refuse = |reason: String| ModelError::File {
            path: path.clone(),
            reason,
        };
        let inside = Path::new(location)
            .components()
            .all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if !inside || location.is_empty() {
            return Err(refuse("is not a path inside the model directory".into()));
        }
        let directory = self
            .directory
            .canonicalize()
            .map_err(|e| refuse(format!("its directory cannot be opened: {e}")))?;
        let real = path
            .canonicalize()
            .map_err(|e| refuse(format!("cannot be opened: {e}")))?;
        // Hubs' download caches keep files as links to a blob store beside the directory, so a link may leave
        // the directory; what the graph names may not.
        if !real.starts_with(&directory) && !path.is_symlink() {
            return Err(refuse("resolves outside the model directory".into()));
        }
        let file = File::open(&real).map_err(|e| refuse(format!("cannot be opened: {e}")))?;
        let is_file = file.metadata().map(|m| m.is_file());
        if !is_file.map_err(|e| refuse(format!("cannot be read: {e}")))? {
            return Err(refuse("is not a file".into()));
        }
        let map = Map::of_file(&file).map_err(|e| refuse(format!("cannot be mapped: {e}")))?;
        let mapped = Arc::new(map);
        self.mapped.insert(location.to_owned(), mapped.clone());
        Ok(mapped)
    }
}

/// Data files of which single rows of tables are read: embeddings.
///
/// The kernel brings a row's neighbours into memory with it, ten times the row, so pages are let go of now and then.
#[derive(Debug)]
pub(crate) struct Tables {
    files: WeightFiles,
    rows: usize,
}

/// Rows after which pages are let go of: few megabytes.
const ROWS_KEPT: usize = 64;

impl Tables {
    /// The tables in `files`.
    pub(crate) fn new(files: WeightFiles) -> Self {
        Self { files, rows: 0 }
    }

    /// To be told of rows that were read.
    pub(crate) fn rows_read(&mut self, rows: usize) {
        self.rows += rows;
        if self.rows >= ROWS_KEPT {
            self.files.release();
            self.rows = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_location_outside_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = WeightFiles::new(directory.path());
        for location in ["../secret", "/etc/passwd", "", "a/../../b"] {
            assert!(files.open(location).is_err(), "{location}");
        }
    }

    #[test]
    fn names_the_file_that_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let error = WeightFiles::new(directory.path())
            .open("model.onnx.data")
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("model.onnx.data: cannot be opened"),
            "{error}"
        );
    }

    #[test]
    fn maps_a_file_once() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("d"), [1, 2, 3]).unwrap();
        let mut files = WeightFiles::new(directory.path());
        let first = files.open("d").unwrap();
        let second = files.open("d").unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.bytes(), [1, 2, 3]);
    }

    #[test]
    fn finds_the_place_of_bytes_and_they_survive_a_release() {
        let directory = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..10_000u32).map(|i| i as u8).collect();
        for name in ["a", "b"] {
            std::fs::write(directory.path().join(name), &content).unwrap();
        }
        let mut files = WeightFiles::new(directory.path());
        files.open("a").unwrap();
        let b = files.open("b").unwrap();
        assert_eq!(files.locations().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(files.place_of(&b.bytes()[5000..6000]), Some(("b", 5000)));
        assert_eq!(files.place_of(&content[5000..6000]), None);
        files.release();
        assert_eq!(b.bytes(), content);
    }

    #[test]
    fn memory_that_was_filled_can_be_read() {
        // Also of more than a large page, which begins where one may.
        for length in [10_000, (4 << 20) + 1] {
            let mut memory = Memory::new(length).unwrap();
            assert!(memory.as_mut_slice().iter().all(|&byte| byte == 0));
            assert_eq!(memory.as_mut_slice().len(), length);
            memory.as_mut_slice()[length - 1] = 7;
            assert_eq!(memory.into_map().unwrap().as_slice()[length - 2..], [0, 7]);
        }
    }
}
