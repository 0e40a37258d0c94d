//! Where the cache file of a model may lie, and what it is called there.
//!
//! ```text
//! beside the model   MODEL/model.onnx.columns32.1.packed
//! elsewhere          DIRECTORY/NAME-0123456789abcdef.model.onnx.columns32.1.packed    the number tells models
//!                                                                                      of one name apart
//! ```

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tracing::{info, warn};

use super::CachePlace;
use super::cache_file::{TEMPORARY_SUFFIX, remove_abandoned};
use crate::kernels::Layout;
use crate::model::checksum::checksum;
use crate::model::directory::ModelDirectory;

/// What the name of a cache file ends in.
const SUFFIX: &str = ".packed";

/// The paths at which the cache file of `directory` may lie, the best first.
pub(super) fn paths(
    place: &CachePlace,
    directory: &ModelDirectory,
    layout: Layout,
) -> Vec<PathBuf> {
    let graph = directory.graph_path.file_name().unwrap_or_default();
    let mut name = graph.to_owned();
    name.push(format!(".{}{SUFFIX}", layout.name()));
    let elsewhere = |place: &Path| {
        let path = &directory.path;
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        let number = checksum(path.as_os_str().as_bytes());
        let mut full = OsString::from(format!("{}-{number:016x}.", directory.name));
        full.push(&name);
        place.join(full)
    };
    match place {
        CachePlace::Off => Vec::new(),
        CachePlace::Directory(place) => vec![elsewhere(place)],
        CachePlace::Auto { state_directory } => {
            let beside = directory.path.join(&name);
            let state = state_directory.as_deref().map(elsewhere);
            [beside].into_iter().chain(state).collect()
        }
    }
}

/// Removes what earlier versions of the layout have left beside the cache file `path`.
pub(super) fn remove_older(path: &Path, layout: Layout) {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    let name = name.to_string_lossy();
    for entry in entries.flatten() {
        if !is_older(&entry.file_name().to_string_lossy(), &name, layout) {
            continue;
        }
        let path = entry.path();
        match remove_abandoned(&path) {
            Ok(()) => info!(path = %path.display(), "Removed older packed weights."),
            Err(error) => {
                let error = error.to_string();
                warn!(path = %path.display(), error, "Older packed weights cannot be removed.");
            }
        }
    }
}

/// Whether `found` is the file `current` in another version of the same layout, whole or unfinished.
fn is_older(found: &str, current: &str, layout: Layout) -> bool {
    let found = found.strip_suffix(TEMPORARY_SUFFIX).unwrap_or(found);
    let (family, _version) = layout
        .name()
        .rsplit_once('.')
        .unwrap_or((layout.name(), ""));
    let stem = current
        .strip_suffix(SUFFIX)
        .and_then(|name| name.strip_suffix(layout.name()));
    let version = stem
        .and_then(|stem| found.strip_prefix(stem)?.strip_prefix(family))
        .and_then(|rest| rest.strip_suffix(SUFFIX)?.strip_prefix('.'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    found != current && version.is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_versions_of_the_same_file_are_told_from_everything_else() {
        let current = "model.onnx.columns32.2.packed";
        for (found, expected) in [
            ("model.onnx.columns32.0.packed", true),
            ("model.onnx.columns32.12.packed", true),
            ("model.onnx.columns32.0.packed.tmp", true),
            ("model.onnx.columns32.2.packed", false),
            ("model.onnx.columns32.2.packed.tmp", false),
            ("model.onnx.columns8.1.packed", false),
            ("model.onnx.columns32.packed", false),
            ("model.onnx.columns32.x.packed", false),
            ("other.onnx.columns32.0.packed", false),
            ("model.onnx", false),
            ("model.onnx.data", false),
        ] {
            assert_eq!(
                is_older(found, current, Layout::Columns32),
                expected,
                "{found}"
            );
        }
    }
}
