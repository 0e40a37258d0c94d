//! Packed weights between starts: written once, opened after that, and never a reason not to start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, SystemTime};

use thinkd::model::{
    CacheOptions, CachePlace, LanguageModel, LoadOptions, LoadedModel, PackedOrigin, Residence,
    load,
};

/// A copy of the shipped model in a directory of the test's own.
fn copy_of_the_model() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().expect("a directory of the test's own");
    for entry in fs::read_dir(root.join("models/thinkd-mini")).expect("the shipped model") {
        let entry = entry.expect("an entry of it");
        if entry.path().is_file() {
            fs::copy(entry.path(), directory.path().join(entry.file_name())).expect("a copy");
        }
    }
    directory
}

/// Options under which even the shipped model, which is small, has a file.
fn options(place: CachePlace) -> LoadOptions {
    LoadOptions {
        packed_cache: CacheOptions {
            place,
            bytes_min: 0,
            ..CacheOptions::default()
        },
        ..LoadOptions::default()
    }
}

fn beside() -> CachePlace {
    CachePlace::default()
}

fn loaded(directory: &Path, place: CachePlace) -> LoadedModel {
    load(directory, &options(place)).expect("the model")
}

/// The cache files in a directory, and everything else that was not there from the start.
fn packed_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory");
    let paths = entries.map(|entry| entry.expect("an entry of it").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.to_string_lossy().contains(".packed"))
        .collect();
    files.sort();
    files
}

/// The only file of packed weights in `directory`.
fn packed_file(directory: &Path) -> PathBuf {
    let mut files = packed_files(directory);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

/// A prompt at which no token of the answer is a near tie (`tests/data`): other forms of the weights differ in the last
/// bits.
fn question() -> Vec<u32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/thinkd-mini-greedy.json");
    let reference: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).expect("the reference")).expect("JSON");
    let cases = reference["cases"].as_array().expect("cases");
    let long = |case: &&serde_json::Value| {
        case["int8_activations"]["ids"]
            .as_array()
            .is_some_and(|ids| ids.len() > 12)
    };
    let ids = &cases.iter().find(long).expect("a long answer")["prompt_ids"];
    serde_json::from_value(ids.clone()).expect("ids")
}

/// The likeliest tokens after a question, and the last logits.
fn answer(loaded: &mut LoadedModel) -> (Vec<usize>, Vec<f32>) {
    let mut chunk = question();
    let mut tokens = Vec::new();
    loop {
        let logits = loaded.model.forward(&chunk).expect("logits");
        let likeliest = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        tokens.push(likeliest.expect("a vocabulary"));
        if tokens.len() == 12 {
            return (tokens, logits.to_vec());
        }
        chunk = vec![*tokens.last().expect("just pushed") as u32];
    }
}

/// What is logged on this thread while `work` runs.
fn logged<T>(work: impl FnOnce() -> T) -> (T, String) {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("the lines").extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let result = tracing::subscriber::with_default(subscriber, work);
    let lines = lines.0.lock().expect("the lines").clone();
    (result, String::from_utf8(lines).expect("text"))
}

#[test]
fn the_first_start_writes_the_file_and_the_next_opens_it() {
    let directory = copy_of_the_model();
    let (mut first, log) = logged(|| loaded(directory.path(), beside()));
    let path = packed_file(directory.path());
    assert_eq!(first.info.packed, PackedOrigin::Written(path.clone()));
    assert!(log.contains("INFO") && !log.contains("WARN"), "{log}");
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    let (mut second, log) = logged(|| loaded(directory.path(), beside()));
    assert_eq!(second.info.packed, PackedOrigin::Opened(path.clone()));
    assert_eq!(log, "");
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    let mut in_memory = loaded(directory.path(), CachePlace::Off);
    assert!(matches!(in_memory.info.packed, PackedOrigin::Memory(_)));
    let expected = answer(&mut in_memory);
    assert_eq!(answer(&mut first), expected);
    assert_eq!(answer(&mut second), expected);
    assert_eq!(first.info.weight_bytes, in_memory.info.weight_bytes);
    let file_bytes = fs::metadata(&path).unwrap().len() as usize;
    let packed = first.info.weight_bytes;
    assert!(
        (packed..packed + 16_384).contains(&file_bytes),
        "{packed} {file_bytes}"
    );
}

#[test]
fn a_small_model_has_no_file_unless_asked_for() {
    let directory = copy_of_the_model();
    let loaded = load(directory.path(), &LoadOptions::default()).unwrap();
    assert!(matches!(loaded.info.packed, PackedOrigin::Memory(_)));
    assert!(packed_files(directory.path()).is_empty());
}

#[test]
fn another_model_in_the_same_place_is_packed_anew() {
    let directory = copy_of_the_model();
    let before = answer(&mut loaded(directory.path(), beside()));
    let data = directory.path().join("model.onnx.data");
    let mut bytes = fs::read(&data).unwrap();
    bytes.iter_mut().step_by(7).for_each(|byte| *byte ^= 1);
    let changed = fs::File::options().write(true).open(&data).unwrap();
    let time = changed.metadata().unwrap().modified().unwrap();
    fs::write(&data, bytes).unwrap();
    // Found by what the file holds, even where its time was put back.
    changed.set_modified(time).unwrap();
    let (mut after, log) = logged(|| loaded(directory.path(), beside()));
    assert!(
        matches!(after.info.packed, PackedOrigin::Written(_)),
        "{log}"
    );
    assert!(
        log.contains("another model") && !log.contains("WARN"),
        "{log}"
    );
    let after = answer(&mut after);
    assert_ne!(after, before);
    assert_eq!(
        after,
        answer(&mut loaded(directory.path(), CachePlace::Off))
    );
    // Found by the file's time, even where it holds the same.
    changed.set_modified(time - Duration::from_secs(1)).unwrap();
    let again = loaded(directory.path(), beside());
    assert!(matches!(again.info.packed, PackedOrigin::Written(_)));
    packed_file(directory.path());
}

#[test]
fn a_damaged_file_is_told_of_and_replaced() {
    let directory = copy_of_the_model();
    let expected = answer(&mut loaded(directory.path(), beside()));
    let path = packed_file(directory.path());
    let good = fs::read(&path).unwrap();
    let flipped = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 4;
        bytes
    };
    let end = good.len();
    for (what, bytes) in [
        ("the header", flipped(40)),
        ("the first matrix", flipped(8192)),
        ("the middle", flipped(end / 2)),
        ("the last byte", flipped(end - 1)),
        ("cut in half", good[..end / 2].to_vec()),
        ("cut by a byte", good[..end - 1].to_vec()),
        ("empty", Vec::new()),
        ("something else", b"not packed weights".to_vec()),
    ] {
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        let (mut after, log) = logged(|| loaded(directory.path(), beside()));
        assert_eq!(
            after.info.packed,
            PackedOrigin::Written(path.clone()),
            "{what}"
        );
        assert!(
            log.contains("WARN") && log.contains("cannot be used"),
            "{what}: {log}"
        );
        assert_eq!(answer(&mut after), expected, "{what}");
        assert!(fs::read(&path).unwrap() == good, "{what}");
    }
}

#[test]
fn where_nothing_can_be_written_weights_are_packed_into_memory() {
    let directory = copy_of_the_model();
    let file = directory.path().join("a file");
    fs::write(&file, b"").unwrap();
    let place = CachePlace::Directory(file.clone());
    let (mut loaded, log) = logged(|| loaded(directory.path(), place));
    let PackedOrigin::Memory(reason) = loaded.info.packed.clone() else {
        panic!("{:?}", loaded.info.packed);
    };
    assert!(reason.contains(file.to_str().unwrap()), "{reason}");
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
    assert!(log.contains(file.to_str().unwrap()), "{log}");
    let expected = answer(&mut self::loaded(directory.path(), CachePlace::Off));
    assert_eq!(answer(&mut loaded), expected);
}

#[test]
fn beside_a_model_that_is_read_only_the_directory_for_state_is_taken() {
    let directory = copy_of_the_model();
    let state = tempfile::tempdir().unwrap();
    // Its name is taken by what cannot be replaced: for the one who runs as root, nothing is read-only.
    drop(loaded(directory.path(), beside()));
    let taken = packed_file(directory.path());
    fs::remove_file(&taken).unwrap();
    fs::create_dir_all(taken.join("full")).unwrap();
    let place = CachePlace::Auto {
        state_directory: Some(state.path().join("thinkd")),
    };
    let first = loaded(directory.path(), place.clone());
    let path = packed_file(&state.path().join("thinkd"));
    assert_eq!(first.info.packed, PackedOrigin::Written(path.clone()));
    let second = loaded(directory.path(), place);
    assert_eq!(second.info.packed, PackedOrigin::Opened(path));
}

#[test]
fn models_of_one_name_share_a_directory() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let cache = tempfile::tempdir().unwrap();
    for parent in [&one, &two] {
        let model = copy_of_the_model();
        let directory = parent.path().join("model");
        fs::create_dir(&directory).unwrap();
        for entry in fs::read_dir(model.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), directory.join(entry.file_name())).unwrap();
        }
    }
    let place = || CachePlace::Directory(cache.path().to_owned());
    for expect_new in [true, false] {
        for parent in [&one, &two] {
            let origin = loaded(&parent.path().join("model"), place()).info.packed;
            let is_new = matches!(origin, PackedOrigin::Written(_));
            assert_eq!(is_new, expect_new, "{origin:?}");
        }
    }
    assert_eq!(packed_files(cache.path()).len(), 2);
}

#[test]
fn several_that_start_at_once_write_one_file() {
    let directory = copy_of_the_model();
    let start = Barrier::new(3);
    let results = std::thread::scope(|scope| {
        let starts = (0..3).map(|_| {
            scope.spawn(|| {
                start.wait();
                let mut loaded = loaded(directory.path(), beside());
                (answer(&mut loaded), loaded.info.packed)
            })
        });
        let starts: Vec<_> = starts.collect();
        let results = starts.into_iter().map(|start| start.join().unwrap());
        results.collect::<Vec<_>>()
    });
    let written = |origin: &PackedOrigin| matches!(origin, PackedOrigin::Written(_));
    let writers = results.iter().filter(|(_, origin)| written(origin)).count();
    assert_eq!(writers, 1, "{results:?}");
    assert!(results.iter().all(|(answer, _)| *answer == results[0].0));
    packed_file(directory.path());
}

#[test]
fn a_look_packs_nothing_and_says_what_a_start_would_do() {
    let directory = copy_of_the_model();
    let mut look = options(beside());
    look.packed_cache.look_only = true;
    let before = load(directory.path(), &look).unwrap();
    assert!(matches!(before.info.packed, PackedOrigin::Stored(_)));
    assert!(packed_files(directory.path()).is_empty());
    let mut started = loaded(directory.path(), beside());
    let path = packed_file(directory.path());
    let mut after = load(directory.path(), &look).unwrap();
    assert_eq!(after.info.packed, PackedOrigin::Opened(path));
    // It answers all the same, with the matrices as they are stored.
    assert_eq!(answer(&mut after).0, answer(&mut started).0);
    assert_eq!(after.info.weight_bytes, started.info.weight_bytes);
}

#[test]
fn what_an_older_version_left_is_removed() {
    let directory = copy_of_the_model();
    drop(loaded(directory.path(), beside()));
    let path = packed_file(directory.path());
    let name = path.file_name().unwrap().to_str().unwrap();
    let stem = name.strip_suffix(".packed").unwrap();
    let (family, version) = stem.rsplit_once('.').unwrap();
    let older = directory.path().join(format!("{family}.{version}0.packed"));
    let unrelated = directory.path().join("other.onnx.rows8.0.packed");
    for left in [&older, &unrelated] {
        fs::write(left, b"left").unwrap();
    }
    let data = fs::File::options()
        .write(true)
        .open(directory.path().join("model.onnx.data"));
    data.unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    drop(loaded(directory.path(), beside()));
    assert!(!older.exists() && unrelated.exists() && path.exists());
}

#[test]
fn weights_answer_the_same_from_the_file_and_from_memory() {
    let directory = copy_of_the_model();
    let mut answers = Vec::new();
    for (residence, in_memory) in [(Residence::Mapped, false), (Residence::Memory, true)] {
        let mut options = options(beside());
        options.packed_cache.residence = residence;
        // The first of these writes the file, the second opens it.
        for _ in 0..2 {
            let mut loaded = load(directory.path(), &options).expect("the model");
            assert_eq!(loaded.info.weights_in_memory, in_memory);
            answers.push(answer(&mut loaded));
        }
        fs::remove_file(packed_file(directory.path())).expect("a file to remove");
    }
    assert!(answers.iter().all(|one| *one == answers[0]));
}
