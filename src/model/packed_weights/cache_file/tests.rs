//! What a cache file holds, what is found wrong with it, and who writes it when several want to.

use std::sync::Barrier;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::kernels::{BlockMatrix, BlockShape, Floats, PackedShape, Packing, ZeroPoints};

const LAYOUT: Layout = Layout::Columns8;

/// A matrix of numbers that have no pattern.
struct Stored {
    shape: BlockShape,
    quants: Vec<u8>,
    scales: Vec<f32>,
    zero_points: Vec<u8>,
}

impl Stored {
    fn new((n, k): (usize, usize), bits: usize, has_zero_points: bool) -> Self {
        let shape = BlockShape {
            n,
            k,
            bits,
            block_size: 32,
            signed: false,
        };
        let byte = |i: usize| (i.wrapping_mul(0x9E37_79B1) >> 13) as u8;
        let blocks = n * shape.blocks();
        let zero_points = if has_zero_points {
            n * shape.zero_point_bytes()
        } else {
            0
        };
        Self {
            shape,
            quants: (0..blocks * shape.block_bytes()).map(byte).collect(),
            scales: (0..blocks).map(|i| f32::from(byte(i)) - 100.5).collect(),
            zero_points: (0..zero_points).map(byte).collect(),
        }
    }

    fn packing(&self) -> Option<Packing<'_>> {
        let zero_points = if self.zero_points.is_empty() {
            ZeroPoints::Middle
        } else {
            ZeroPoints::Packed(&self.zero_points)
        };
        let scales = Floats::F32(&self.scales);
        let matrix = BlockMatrix::new(self.shape, &self.quants, scales, zero_points).unwrap();
        Packing::new(matrix, LAYOUT)
    }
}

/// Matrices of several kinds; counts how many were asked for.
struct Matrices {
    stored: Vec<Stored>,
    packed: AtomicUsize,
}

impl Matrices {
    fn new() -> Self {
        let stored = vec![
            Stored::new((40, 70), 4, false),
            Stored::new((8, 64), 8, false),
            // More than two pieces.
            Stored::new((1200, 4096), 4, true),
            Stored::new((9, 32), 4, false),
        ];
        Self {
            stored,
            packed: AtomicUsize::new(0),
        }
    }
}

impl Source for Matrices {
    fn count(&self) -> usize {
        self.stored.len()
    }

    fn shape(&self, index: usize) -> Option<PackedShape> {
        let stored = &self.stored[index];
        (stored.shape.bits == 4).then_some(PackedShape {
            n: stored.shape.n,
            k: stored.shape.k,
            zero_points: !stored.zero_points.is_empty(),
        })
    }

    fn packing(&self, index: usize) -> Option<Packing<'_>> {
        self.packed.fetch_add(1, Ordering::Relaxed);
        self.stored[index].packing()
    }

    fn release(&self) {}
}

fn wanted(threads: &Threads) -> Wanted<'_> {
    Wanted {
        key: 7,
        layout: LAYOUT,
        threads,
        in_memory: false,
    }
}

/// The bytes that each matrix should have been packed to.
fn assert_holds(opened: &Opened, source: &Matrices) {
    assert_eq!(opened.entries.len(), source.count());
    for (entry, stored) in opened.entries.iter().zip(&source.stored) {
        let Some(packing) = stored.packing() else {
            assert_eq!(*entry, None);
            continue;
        };
        let entry = entry.unwrap();
        let shape = packing.shape();
        assert_eq!(
            (entry.shape, entry.output_scale),
            (shape, packing.output_scale())
        );
        let mut expected = vec![0; shape.bytes(LAYOUT)];
        packing.write_tiles(0..shape.tiles(LAYOUT), &mut expected);
        let found = &opened.map.as_slice()[entry.offset..][..expected.len()];
        assert!(found == expected, "{shape:?}");
        assert!(entry.offset.is_multiple_of(64));
    }
}

#[test]
fn what_was_written_is_opened_by_any_number_of_threads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new").join("m.packed");
    let source = Matrices::new();
    for (writers, readers) in [(1, 3), (3, 1)] {
        drop(fs::remove_file(&path));
        let threads = Threads::new(writers);
        let absent = open(&path, wanted(&threads), &source).unwrap_err();
        assert_eq!(absent, Unfit::Absent);
        let (opened, is_new) = write(&path, wanted(&threads), &source).unwrap();
        assert!(is_new);
        assert_holds(&opened, &source);
        let threads = Threads::new(readers);
        for in_memory in [false, true] {
            let wanted = Wanted {
                in_memory,
                ..wanted(&threads)
            };
            let opened = open(&path, wanted, &source).unwrap();
            assert_eq!(opened.in_memory, in_memory);
            assert_holds(&opened, &source);
        }
        let names = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1, "no other file is left");
    }
}

#[test]
fn any_damage_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.packed");
    let (source, threads) = (Matrices::new(), Threads::new(2));
    let (opened, _) = write(&path, wanted(&threads), &source).unwrap();
    let good = opened.map.as_slice().to_vec();
    let damaged = |bytes: &[u8], what: &str| {
        // As a new file: the one that is mapped must not change.
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        for in_memory in [false, true] {
            let wanted = Wanted {
                in_memory,
                ..wanted(&threads)
            };
            let found = open(&path, wanted, &source);
            assert!(matches!(found, Err(Unfit::Damaged(_))), "{what}: {found:?}");
        }
    };
    let places = opened.entries.iter().flatten().flat_map(|entry| {
        let end = entry.offset + entry.shape.bytes(LAYOUT);
        [entry.offset, (entry.offset + end) / 2, end - 1]
    });
    for place in places.chain([0, 9, 17, 100]) {
        let mut bytes = good.clone();
        bytes[place] ^= 0x10;
        damaged(&bytes, &format!("bit flipped at {place}"));
    }
    for length in [0, 5, 70, 4096, good.len() / 2, good.len() - 1] {
        damaged(&good[..length], &format!("cut to {length}"));
    }
    let longer = [&good[..], &[0]].concat();
    damaged(&longer, "a byte more");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let found = open(&path, wanted(&threads), &source);
    assert!(matches!(found, Err(Unfit::Damaged(_))), "{found:?}");
}

#[test]
fn a_file_for_something_else_is_stale() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.packed");
    let (source, threads) = (Matrices::new(), Threads::new(1));
    write(&path, wanted(&threads), &source).unwrap();
    let other_key = Wanted {
        key: 8,
        ..wanted(&threads)
    };
    let other_layout = Wanted {
        layout: Layout::Rows8,
        ..wanted(&threads)
    };
    for other in [other_key, other_layout] {
        let found = open(&path, other, &source);
        assert!(matches!(found, Err(Unfit::Stale(_))), "{found:?}");
    }
    let (opened, is_new) = write(&path, other_key, &source).unwrap();
    assert!(is_new, "it is replaced");
    assert_holds(&opened, &source);
    let mut fewer = Matrices::new();
    fewer.stored.pop();
    let found = open(&path, other_key, &fewer);
    assert!(matches!(found, Err(Unfit::Damaged(_))), "{found:?}");
}

#[test]
fn of_several_at_once_one_writes_and_all_have_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.packed");
    let source = Matrices::new();
    let start = Barrier::new(4);
    let written = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let threads = Threads::new(1);
                start.wait();
                let (opened, is_new) = write(&path, wanted(&threads), &source).unwrap();
                written.fetch_add(usize::from(is_new), Ordering::Relaxed);
                assert_holds(&opened, &source);
            });
        }
    });
    assert_eq!(written.into_inner(), 1);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn who_waited_for_another_does_not_pack_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.packed");
    let (source, threads) = (Matrices::new(), Threads::new(1));
    let mut other = Temporary::lock(&path, Duration::ZERO).unwrap();
    assert!(
        Temporary::lock(&path, Duration::ZERO).is_err(),
        "it is locked"
    );
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let threads = Threads::new(1);
            let source = Matrices::new();
            let (opened, is_new) = write(&path, wanted(&threads), &source).unwrap();
            assert_holds(&opened, &source);
            (is_new, source.packed.into_inner())
        });
        fill(&mut other.file, wanted(&threads), &source).unwrap();
        other.rename(&path).unwrap();
        drop(other);
        assert_eq!(waiting.join().unwrap(), (false, 0));
    });
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_a_dead_process_left_is_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.packed");
    let left = directory.path().join("m.packed.tmp");
    fs::write(&left, vec![1; 10_000_000]).unwrap();
    let (source, threads) = (Matrices::new(), Threads::new(1));
    let (opened, is_new) = write(&path, wanted(&threads), &source).unwrap();
    assert!(is_new && !left.exists());
    assert_holds(&opened, &source);
}

#[test]
fn what_is_being_written_is_not_abandoned() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.packed");
    let temporary = Temporary::lock(&path, Duration::ZERO).unwrap();
    let name = temporary.path.clone();
    remove_abandoned(&name).unwrap();
    assert!(name.exists());
    drop(temporary);
    assert!(!name.exists());
    fs::write(&name, b"left").unwrap();
    remove_abandoned(&name).unwrap();
    assert!(!name.exists());
}

#[test]
fn a_place_that_cannot_be_written_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    let (source, threads) = (Matrices::new(), Threads::new(1));
    assert!(write(&file.join("m.packed"), wanted(&threads), &source).is_err());
    // The name is taken by what cannot be replaced.
    let taken = directory.path().join("taken");
    fs::create_dir(&taken).unwrap();
    assert!(write(&taken, wanted(&threads), &source).is_err());
    assert!(!directory.path().join("taken.tmp").exists());
}
