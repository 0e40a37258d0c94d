//! The one memory map: a model's data files, read-only.
//!
//! The kernel drops and reloads pages as memory asks, so weights count once however many processes map them.

#![allow(unsafe_code, reason = "the one memory map of the crate")]

use std::collections::HashMap;
use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::model::ModelError;
use crate::ops::ByteSource;

/// A file mapped read-only.
struct MappedFile(memmap2::Mmap);

impl std::fmt::Debug for MappedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MappedFile({} bytes)", self.0.len())
    }
}

impl ByteSource for MappedFile {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The data files of one model directory, each mapped once.
#[derive(Debug)]
pub(crate) struct WeightFiles {
    directory: PathBuf,
    mapped: HashMap<String, Arc<dyn ByteSource>>,
}

impl WeightFiles {
    /// The files of `directory`, none mapped yet.
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            mapped: HashMap::new(),
        }
    }

    /// Total length of the files mapped so far.
    pub(crate) fn bytes(&self) -> usize {
        self.mapped.values().map(|m| m.bytes().len()).sum()
    }

    /// Path of the data file `location`, for messages.
    pub(crate) fn path(&self, location: &str) -> PathBuf {
        self.directory.join(location)
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
        // SAFETY: the map is read-only and private to this process. Bytes that another process changes in the
        // file while it is mapped would change under us; model files are installed once and replaced by rename,
        // as `models/README.md` says.
        let map = unsafe { memmap2::Mmap::map(&file) }
            .map_err(|e| refuse(format!("cannot be mapped: {e}")))?;
        let mapped: Arc<dyn ByteSource> = Arc::new(MappedFile(map));
        self.mapped.insert(location.to_owned(), mapped.clone());
        Ok(mapped)
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
        assert_eq!((first.bytes(), files.bytes()), (&[1u8, 2, 3][..], 3));
    }
}
