//! The store on a real file: what is committed is there again, damage is survived, errors say whose fault it is.

use super::record::tests::{answer, prompt, turn};
use super::*;

fn batch(number: u64, changes: Vec<Change>) -> Batch {
    Batch { number, changes }
}

/// Writes batches to a store in `directory` and closes it.
fn write(directory: &Path, batches: Vec<Vec<Change>>) {
    let (store, mut events, _) = Store::open(directory).unwrap();
    for (number, changes) in (1..).zip(batches) {
        store.write(batch(number, changes)).unwrap();
        assert!(matches!(events.blocking_recv(), Some(StoreEvent::Committed(n)) if n == number));
    }
}

fn contents(directory: &Path) -> Contents {
    Store::open(directory).unwrap().2
}

#[test]
fn what_is_committed_is_there_again() {
    let directory = tempfile::tempdir().unwrap();
    let within = directory.path().join("made/by/us");
    assert_eq!(contents(&within), Contents::default());
    write(
        &within,
        vec![
            vec![
                Change::Take(prompt(1)),
                Change::Take(prompt(2)),
                Change::Take(prompt(3)),
            ],
            vec![
                Change::Settle(answer(1)),
                Change::Settle(answer(2)),
                Change::Remember(turn(1)),
                Change::Remember(turn(2)),
            ],
            vec![
                Change::Delivered(Seq(2)),
                Change::Delivered(Seq(77)),
                Change::Forget(Seq(78)),
                Change::ForgetTurn(Seq(1)),
            ],
        ],
    );
    let mut delivered = answer(2);
    delivered.is_owed = false;
    let expected = Contents {
        prompts: vec![prompt(3)],
        answers: vec![answer(1), delivered],
        turns: vec![turn(2)],
        ..Contents::default()
    };
    assert_eq!(contents(&within), expected);
    write(&within, vec![vec![Change::Forget(Seq(1))]]);
    assert_eq!(contents(&within).answers.len(), 1);
}

#[test]
fn all_that_was_handed_over_is_written_before_the_store_closes() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _events, _) = Store::open(directory.path()).unwrap();
    for number in 1..=20 {
        store
            .write(batch(number, vec![Change::Take(prompt(number))]))
            .unwrap();
    }
    drop(store);
    assert_eq!(contents(directory.path()).prompts.len(), 20);
}

#[test]
fn a_second_daemon_is_kept_out() {
    let directory = tempfile::tempdir().unwrap();
    let first = Store::open(directory.path()).unwrap();
    let error = Store::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("another process uses it"), "{error}");
    drop(first);
    Store::open(directory.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "no directory").unwrap();
    let error = Store::open(&file.join("below")).unwrap_err().to_string();
    assert!(error.contains("file/below"), "{error}");
    assert!(error.contains("\"off\" to keep nothing"), "{error}");
}

#[test]
fn room_is_held_back_for_answers() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path()).unwrap());
    let held = fs::metadata(directory.path().join(BALLAST_FILE)).unwrap();
    assert_eq!(held.len(), BALLAST_BYTES);
}

#[test]
fn damage_anywhere_costs_what_is_damaged_and_no_start() {
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        (1..=8)
            .map(|seq| vec![Change::Take(prompt(seq)), Change::Settle(answer(seq))])
            .collect(),
    );
    write(
        directory.path(),
        (9..=12)
            .map(|seq| vec![Change::Take(prompt(seq))])
            .collect(),
    );
    let path = directory.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    let used: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] != 0).collect();
    let (mut set_aside, mut kept) = (0, 0);
    for &at in used.iter().step_by(used.len() / 150 + 1) {
        let elsewhere = tempfile::tempdir().unwrap();
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        fs::write(elsewhere.path().join(FILE), damaged).unwrap();
        let found = Records::open(&elsewhere.path().join(FILE)).unwrap().1;
        assert!(
            found
                .prompts
                .iter()
                .all(|record| *record == prompt(record.seq.0)),
            "byte {at}"
        );
        assert!(
            found
                .answers
                .iter()
                .all(|record| *record == answer(record.seq.0)),
            "byte {at}"
        );
        match found.damaged {
            0 => kept += 1,
            _ => set_aside += 1,
        }
    }
    assert!(
        set_aside > 0,
        "no damage was noticed; {kept} did not matter"
    );
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join(FILE), &whole[..length]).unwrap();
        Records::open(&elsewhere.path().join(FILE))
            .unwrap_or_else(|trouble| panic!("{length} bytes: {trouble}"));
    }
}
