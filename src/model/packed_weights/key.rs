//! What a cache file was made from, as one number: the key of the file.
//!
//! It covers the graph's file in full; of each data file, which may be gigabytes, the length, the time of its last
//! change and samples; of each matrix the shape and the place it was read from; and the layout. So it takes
//! milliseconds, and does not read a model that has been packed before.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use super::header::FORMAT_VERSION;
use crate::kernels::Layout;
use crate::model::checksum::{Digest, checksum, checksum_of};
use crate::model::directory::ModelDirectory;
use crate::model::weight_map::WeightFiles;
use crate::ops::{MatrixKey, StoredMatrix};

/// Bytes of one sample.
const SAMPLE_BYTES: usize = 4 << 10;
/// Bytes from one sample to the next.
const SAMPLES_APART: usize = 4 << 20;

/// The key of `matrices`, in that order, packed for `layout`.
///
/// # Errors
/// If one of the model's files cannot be read.
pub(super) fn key(
    matrices: &[&(MatrixKey, StoredMatrix)],
    layout: Layout,
    directory: &ModelDirectory,
    files: &WeightFiles,
) -> io::Result<u64> {
    let mut digest = Digest::default();
    digest.word(FORMAT_VERSION.into());
    digest.bytes(layout.name().as_bytes());
    model_files(directory, files, &mut digest)?;
    for (key, stored) in matrices {
        let shape = stored.shape();
        for size in [shape.n, shape.k, shape.bits, shape.block_size] {
            digest.word(size as u64);
        }
        digest.word(shape.signed.into());
        digest.word(key.zero_points.is_some().into());
        let quants = stored.quants();
        match files.place_of(quants) {
            Some((location, offset)) => {
                digest.bytes(location.as_bytes());
                digest.word(offset as u64);
            }
            None => {
                for place in sample_places(quants.len()) {
                    let end = quants.len().min(place + SAMPLE_BYTES);
                    digest.word(checksum(&quants[place..end]));
                }
            }
        }
    }
    Ok(digest.finish())
}

/// What tells a model from others, used in the way that `words` say.
///
/// # Errors
/// If one of its files cannot be read.
pub(in crate::model) fn model_key(
    directory: &ModelDirectory,
    files: &WeightFiles,
    words: &[&str],
) -> io::Result<u64> {
    let mut digest = Digest::default();
    words.iter().for_each(|word| digest.bytes(word.as_bytes()));
    model_files(directory, files, &mut digest)?;
    Ok(digest.finish())
}

fn model_files(
    directory: &ModelDirectory,
    files: &WeightFiles,
    digest: &mut Digest,
) -> io::Result<()> {
    digest.word(whole_file(&directory.graph_path)?);
    for location in files.locations() {
        digest.bytes(location.as_bytes());
        data_file(&files.path(location), digest)?;
    }
    Ok(())
}

/// The checksum of a whole file.
fn whole_file(path: &Path) -> io::Result<u64> {
    const PIECE_BYTES: u64 = 1 << 20;
    let file = File::open(path)?;
    let mut checksums = Vec::new();
    let mut piece = Vec::new();
    loop {
        piece.clear();
        (&file).take(PIECE_BYTES).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok(checksum_of(checksums));
        }
        checksums.push(checksum(&piece));
    }
}

fn data_file(path: &Path, digest: &mut Digest) -> io::Result<()> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    digest.word(metadata.len());
    digest.word(metadata.mtime() as u64);
    digest.word(metadata.mtime_nsec() as u64);
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    let mut sample = [0; SAMPLE_BYTES];
    for place in sample_places(length) {
        let sample = &mut sample[..SAMPLE_BYTES.min(length - place)];
        // Not through the map: a page of it brings its neighbours with it.
        file.read_exact_at(sample, place as u64)?;
        digest.word(checksum(sample));
    }
    Ok(())
}

/// Where to look at `length` bytes: every [`SAMPLES_APART`], and at the end.
fn sample_places(length: usize) -> impl Iterator<Item = usize> {
    let last = length.saturating_sub(SAMPLE_BYTES);
    (0..last).step_by(SAMPLES_APART).chain([last])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_at_the_beginning_the_end_and_between() {
        let places = |length| sample_places(length).collect::<Vec<_>>();
        assert_eq!(places(0), [0]);
        assert_eq!(places(SAMPLE_BYTES), [0]);
        assert_eq!(places(SAMPLE_BYTES + 1), [0, 1]);
        assert_eq!(
            places(2 * SAMPLES_APART),
            [0, SAMPLES_APART, 2 * SAMPLES_APART - SAMPLE_BYTES]
        );
    }

    #[test]
    fn a_file_is_what_it_holds_and_when_it_was_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d");
        let digest_of = |path: &Path| {
            let mut digest = Digest::default();
            data_file(path, &mut digest).unwrap();
            digest.finish()
        };
        std::fs::write(&path, vec![1; 10_000]).unwrap();
        let changed = File::options().write(true).open(&path).unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        changed.set_modified(time).unwrap();
        let (first, whole) = (digest_of(&path), whole_file(&path).unwrap());
        assert_eq!(digest_of(&path), first);
        changed
            .set_modified(time + std::time::Duration::from_nanos(1_000_000))
            .unwrap();
        assert_ne!(digest_of(&path), first, "another time");
        changed.write_all_at(&[2], 9_999).unwrap();
        changed.set_modified(time).unwrap();
        assert_ne!(digest_of(&path), first, "another end");
        assert_ne!(whole_file(&path).unwrap(), whole);
    }
}
