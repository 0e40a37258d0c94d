//! Weights in the order in which the kernels read them: packed once, kept in a file, mapped by every later start.
//!
//! The file lies beside the model, or in a directory of its own ([`CacheOptions`] says where). Whatever is wrong with
//! it, or with writing it, never keeps a model from being loaded: it is written anew, or the weights are packed into
//! memory. `header` draws the file, `key` says what it is compared with, `cache_file` opens and writes it, `repack`
//! does the packing.

mod cache_file;
mod header;
mod key;
mod places;
mod repack;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tracing::{info, warn};

use crate::kernels::{BLOCK, Layout, PackedShape, Packing, Threads};
use crate::model::directory::ModelDirectory;
use crate::model::weight_map::{Map, Memory, WeightFiles};
use crate::model::{ModelError, Residence};
use crate::ops::{MatrixKey, PackedWeight, Refusal, StoredMatrix};

pub(in crate::model) use key::model_key;

use cache_file::{Opened, Unfit, Wanted};
use header::Entry;
use repack::{Source, Target};

/// Packed bytes from which on a file is worth it: less is packed again in a fraction of a second.
const BYTES_WORTH_A_FILE: usize = 64 << 20;

/// Where packed weights are kept between starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheOptions {
    /// Which directory.
    pub place: CachePlace,
    /// Packed bytes from which on a file is worth it.
    pub bytes_min: usize,
    /// Only look whether there is a file: packs nothing and leaves the matrices as they are stored.
    pub look_only: bool,
    /// Where weights that have a file are kept while the model runs.
    pub residence: Residence,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            place: CachePlace::default(),
            bytes_min: BYTES_WORTH_A_FILE,
            look_only: false,
            residence: Residence::default(),
        }
    }
}

/// A directory for packed weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CachePlace {
    /// The model's where it can be written, else that of the service's state, where there is one.
    Auto {
        /// Where the service keeps its state.
        state_directory: Option<PathBuf>,
    },
    /// None: packed into memory at each start.
    Off,
    /// This one.
    Directory(PathBuf),
}

impl Default for CachePlace {
    fn default() -> Self {
        Self::Auto {
            state_directory: None,
        }
    }
}

/// Where packed weights came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackedOrigin {
    /// A file that was there.
    Opened(PathBuf),
    /// A file that was not there, or was not right.
    Written(PathBuf),
    /// Packed into memory, for this reason.
    Memory(String),
    /// Not packed, for this reason.
    Stored(String),
}

impl fmt::Display for PackedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened(path) => write!(f, "in {}", path.display()),
            Self::Written(path) => write!(f, "written to {}", path.display()),
            Self::Memory(reason) => write!(f, "in memory: {reason}"),
            Self::Stored(reason) => write!(f, "not packed: {reason}"),
        }
    }
}

/// The matrices of a model that are packed.
#[derive(Debug)]
pub(crate) struct PackedWeights {
    /// Those that the layout can hold; others are used as they are stored.
    pub(crate) by_key: HashMap<MatrixKey, PackedWeight>,
    /// Bytes of all of them.
    pub(crate) bytes: usize,
    /// Where they came from.
    pub(crate) origin: PackedOrigin,
    /// Whether they are in memory of their own, and not in the map of a file.
    pub(crate) in_memory: bool,
}

/// What to pack for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackFor<'a> {
    /// What the kernels want.
    pub(crate) layout: Layout,
    /// What to pack with.
    pub(crate) threads: &'a Threads,
    /// Whether weights that have a file are copied into memory.
    pub(crate) in_memory: bool,
}

/// Packs `matrices`, which come in the order in which they are used, or finds them packed.
///
/// Leaves no page of `files` in memory.
///
/// # Errors
/// If there is not the memory to pack them into.
pub(crate) fn load(
    matrices: &[(MatrixKey, StoredMatrix)],
    packing: PackFor<'_>,
    directory: &ModelDirectory,
    files: &WeightFiles,
    options: &CacheOptions,
) -> Result<PackedWeights, ModelError> {
    let mut seen = HashSet::new();
    let distinct = matrices.iter().filter(|(key, _)| seen.insert(*key));
    let matrices = Matrices {
        matrices: distinct.collect(),
        files,
        layout: packing.layout,
        in_memory: packing.in_memory,
    };
    let loaded = matrices.load(packing.threads, directory, options);
    files.release();
    loaded
}

/// Bytes that `matrices` take as they are stored, and as they are used: packed, those that can be, and each once.
pub(crate) fn bytes_stored_and_used(
    matrices: &[(MatrixKey, StoredMatrix)],
    layout: Layout,
) -> (usize, usize) {
    let mut seen = HashSet::new();
    let (mut stored_bytes, mut used_bytes) = (0, 0);
    for (key, stored) in matrices {
        let bytes = stored.view().map_or(0, |matrix| matrix.bytes());
        stored_bytes += bytes;
        if seen.insert(*key) {
            used_bytes += packed_shape(key, stored).map_or(bytes, |shape| shape.bytes(layout));
        }
    }
    (stored_bytes, used_bytes)
}

/// Sizes of `stored` when packed; nothing where its form alone says that no layout can hold it.
fn packed_shape(key: &MatrixKey, stored: &StoredMatrix) -> Option<PackedShape> {
    let shape = stored.shape();
    (shape.bits == 4 && shape.block_size.is_multiple_of(BLOCK)).then_some(PackedShape {
        n: shape.n,
        k: shape.k,
        zero_points: key.zero_points.is_some(),
    })
}

/// The matrices of a model, each once.
struct Matrices<'a> {
    matrices: Vec<&'a (MatrixKey, StoredMatrix)>,
    files: &'a WeightFiles,
    layout: Layout,
    in_memory: bool,
}

impl Source for Matrices<'_> {
    fn count(&self) -> usize {
        self.matrices.len()
    }

    fn shape(&self, index: usize) -> Option<PackedShape> {
        let (key, stored) = self.matrices[index];
        packed_shape(key, stored)
    }

    fn packing(&self, index: usize) -> Option<Packing<'_>> {
        self.matrices[index].1.packing(self.layout)
    }

    fn release(&self) {
        self.files.release();
    }
}

impl Matrices<'_> {
    fn load(
        &self,
        threads: &Threads,
        directory: &ModelDirectory,
        options: &CacheOptions,
    ) -> Result<PackedWeights, ModelError> {
        let bytes = repack::bytes_needed(self, self.layout);
        if bytes == 0 {
            let reason = "no matrix of a kind that is".to_owned();
            return Ok(PackedWeights::none(PackedOrigin::Stored(reason)));
        }
        let file = self.file(bytes, directory, options);
        if options.look_only {
            let origin = file.map_or_else(PackedOrigin::Stored, |file| self.look(&file, threads));
            return Ok(PackedWeights::none(origin));
        }
        let reason = match file.and_then(|file| self.in_file(&file, threads)) {
            Ok(packed) => return Ok(packed),
            Err(reason) => reason,
        };
        self.in_memory(threads, bytes, reason)
            .map_err(|error| ModelError::File {
                path: directory.graph_path.clone(),
                reason: format!(
                    "there is no memory for {} MiB of packed weights: {error}",
                    bytes.div_ceil(1 << 20)
                ),
            })
    }

    /// The file that holds these matrices or is to hold them; the reason where there shall be none.
    fn file(
        &self,
        bytes: usize,
        directory: &ModelDirectory,
        options: &CacheOptions,
    ) -> Result<CacheFile, String> {
        let paths = places::paths(&options.place, directory, self.layout);
        if paths.is_empty() {
            return Err("model.packed_cache is \"off\"".into());
        }
        if bytes < options.bytes_min {
            return Err(format!(
                "{} MiB are packed in no time",
                bytes.div_ceil(1 << 20)
            ));
        }
        let key = key::key(&self.matrices, self.layout, directory, self.files)
            .map_err(|error| format!("the model's files cannot be read: {error}"))?;
        Ok(CacheFile { paths, key })
    }

    fn wanted<'a>(&self, file: &CacheFile, threads: &'a Threads) -> Wanted<'a> {
        Wanted {
            key: file.key,
            layout: self.layout,
            threads,
            in_memory: self.in_memory,
        }
    }

    /// Whether a file is there, without reading all of it.
    fn look(&self, file: &CacheFile, threads: &Threads) -> PackedOrigin {
        let wanted = self.wanted(file, threads);
        let there = |path: &&PathBuf| cache_file::open_unread(path, wanted, self).is_ok();
        match file.paths.iter().find(there) {
            Some(path) => PackedOrigin::Opened(path.clone()),
            None => PackedOrigin::Stored("the first start packs them".into()),
        }
    }

    /// Takes the matrices from the file, which is written first if need be; the reason where it cannot be.
    fn in_file(&self, file: &CacheFile, threads: &Threads) -> Result<PackedWeights, String> {
        let wanted = self.wanted(file, threads);
        for path in &file.paths {
            match cache_file::open(path, wanted, self) {
                Ok(opened) => return self.opened(opened, PackedOrigin::Opened(path.clone())),
                Err(Unfit::Absent) => {}
                Err(Unfit::Stale(reason)) => {
                    info!(path = %path.display(), reason, "Packed weights of another model.");
                }
                Err(Unfit::Damaged(reason)) => {
                    warn!(path = %path.display(), reason, "Packed weights that cannot be used.");
                }
            }
        }
        let mut reasons = Vec::new();
        for path in &file.paths {
            match self.written(path, wanted) {
                Ok(packed) => return Ok(packed),
                Err(error) => reasons.push(format!("{}: {error}", path.display())),
            }
        }
        let reason = reasons.join("; ");
        warn!(
            reason,
            "Packed weights cannot be kept, every start packs them anew."
        );
        Err(reason)
    }

    fn written(&self, path: &Path, wanted: Wanted<'_>) -> io::Result<PackedWeights> {
        info!(path = %path.display(), matrices = self.count(), "Packing the weights, once.");
        let start = Instant::now();
        let (opened, is_new) = cache_file::write(path, wanted, self)?;
        if !is_new {
            let origin = PackedOrigin::Opened(path.to_owned());
            return self.opened(opened, origin).map_err(io::Error::other);
        }
        let bytes = opened.map.as_slice().len();
        let seconds = start.elapsed().as_secs_f64();
        info!(path = %path.display(), bytes, seconds, "Packed weights written.");
        places::remove_older(path, self.layout);
        let origin = PackedOrigin::Written(path.to_owned());
        self.opened(opened, origin).map_err(io::Error::other)
    }

    fn opened(&self, opened: Opened, origin: PackedOrigin) -> Result<PackedWeights, String> {
        let packed = self.packed(&opened.map, &opened.entries, origin);
        packed
            .map(|packed| PackedWeights {
                in_memory: opened.in_memory,
                ..packed
            })
            .map_err(|Refusal(reason)| reason)
    }

    fn in_memory(
        &self,
        threads: &Threads,
        bytes: usize,
        reason: String,
    ) -> io::Result<PackedWeights> {
        let mut memory = Memory::new(bytes)?;
        let mut target = MemoryTarget(memory.as_mut_slice());
        let (entries, _) = repack::pack(self, (self.layout, threads), 0, &mut target)?;
        let map = Arc::new(memory.into_map()?);
        self.packed(&map, &entries, PackedOrigin::Memory(reason))
            .map_err(|Refusal(reason)| io::Error::other(reason))
    }

    fn packed(
        &self,
        map: &Arc<Map>,
        entries: &[Option<Entry>],
        origin: PackedOrigin,
    ) -> Result<PackedWeights, Refusal> {
        let mut packed = PackedWeights::none(origin);
        for ((key, _), entry) in self.matrices.iter().zip(entries) {
            let Some(entry) = entry else { continue };
            let bytes = entry.shape.bytes(self.layout);
            let range = entry.offset..entry.offset + bytes;
            let shape = (entry.shape, entry.output_scale);
            let weight = PackedWeight::new(map.clone(), range, self.layout, shape)?;
            packed.by_key.insert(*key, weight);
            packed.bytes += bytes;
        }
        Ok(packed)
    }
}

/// Where a cache file may lie, the best place first, and its key.
struct CacheFile {
    paths: Vec<PathBuf>,
    key: u64,
}

impl PackedWeights {
    /// No packed matrix.
    fn none(origin: PackedOrigin) -> Self {
        Self {
            by_key: HashMap::new(),
            bytes: 0,
            in_memory: matches!(origin, PackedOrigin::Memory(_)),
            origin,
        }
    }
}

/// Memory in which each matrix gets its place.
struct MemoryTarget<'a>(&'a mut [u8]);

impl Target for MemoryTarget<'_> {
    fn fill(
        &mut self,
        offset: usize,
        length: usize,
        fill: &mut dyn FnMut(&mut [u8]),
    ) -> io::Result<()> {
        fill(&mut self.0[offset..offset + length]);
        Ok(())
    }
}
