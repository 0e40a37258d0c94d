//! The board's clock is set by days while prompts with deadlines wait and stored answers age.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Surroundings};
use crate::ear::Ear;
use crate::scenarios::{check, is_over, outcomes, paced, plans};
use crate::{Dice, Extent, mosquitto};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A clock for other processes that can be set; that they run on is not touched.
struct Clock {
    file: PathBuf,
    library: PathBuf,
    _directory: tempfile::TempDir,
}

impl Clock {
    /// Needs `libfaketime`; says so where it is not installed.
    fn new() -> Option<Self> {
        let places = fs::read_dir("/usr/lib").ok()?.flatten();
        let library = places
            .map(|entry| entry.path().join("faketime/libfaketime.so.1"))
            .find(|path| path.exists());
        if library.is_none() {
            println!("skipped: faketime is not installed");
        }
        let directory = tempfile::tempdir().unwrap();
        let clock = Self {
            file: directory.path().join("time"),
            library: library?,
            _directory: directory,
        };
        clock.set(0);
        Some(clock)
    }

    /// Sets it to so many days from now. Whole days: the times of the day can still be compared.
    fn set(&self, days: i64) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{:+}\n", days * DAY_SECONDS)).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    fn surroundings(&self) -> Surroundings {
        let text = |path: &Path| path.display().to_string();
        let environment = [
            ("LD_PRELOAD", text(&self.library)),
            ("FAKETIME_TIMESTAMP_FILE", text(&self.file)),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ];
        Surroundings {
            environment: environment
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            ..Surroundings::default()
        }
    }
}

/// Days by which the daemon's log has jumped, in all.
fn days_logged(daemon: &Daemon) -> usize {
    let days = daemon.log();
    let days = days.iter().filter_map(|line| line["time"].as_str());
    let days: Vec<&str> = days.map(|time| time.split('T').next().unwrap()).collect();
    days.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

#[test]
fn a_clock_that_jumps_by_days_makes_nothing_late_and_nothing_new() {
    let Some(broker) = mosquitto() else { return };
    let Some(clock) = Clock::new() else { return };
    let extent = Extent::asked_for();
    let (jumps, prompts) = (extent.count(9, 300), extent.count(80, 3000));
    let begun = Instant::now();
    let mut daemon = Daemon::within(clock.surroundings(), broker.port(), &[]);
    daemon.wait_until_it_listens();
    let mut plans = plans(broker.port(), 8, prompts, 4, None);
    for plan in &mut plans {
        plan.fields = vec![("deadline_s", 3600.into())];
    }
    let (asking, allowed) = paced(plans.clone());
    let (mut dice, mut starts) = (Dice::new(6), 0);
    for jump in 0..jumps {
        std::thread::sleep(Duration::from_millis(50 + dice.roll(300)));
        let days = i64::try_from(dice.roll(7)).unwrap() - 3;
        clock.set(days);
        if jump % 3 == 2 {
            daemon.kill();
            daemon.start_again();
            starts += 1;
        }
        allowed.fetch_max(prompts * (jump + 1) / (8 * jumps), Ordering::Relaxed);
    }
    allowed.store(usize::MAX, Ordering::Relaxed);
    while !is_over(&asking) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut outcomes = outcomes(asking);
    // Whoever asks again gets what is stored, though by the clock it is days old, or not given yet.
    let ear = Ear::at(broker.port(), "ear", "faults/#");
    let last: Vec<(usize, String)> = outcomes
        .iter()
        .enumerate()
        .flat_map(|(client, outcome)| {
            let last = outcome.asked.iter().rev().take(10);
            last.map(move |id| (client, id.clone()))
        })
        .collect();
    for (times, days) in [(1, 3), (2, -3)] {
        clock.set(days);
        daemon.kill();
        daemon.start_again();
        daemon.wait_until_it_listens();
        starts += 1;
        last.iter()
            .for_each(|(client, id)| ear.ask(&plans[*client], id));
        let ids: Vec<String> = last.iter().map(|(_, id)| id.clone()).collect();
        ear.wait_for_answers(&ids, times);
    }
    for (client, id) in &last {
        let again = ear.heard().outcome.answers[id].clone();
        outcomes[*client].answers.get_mut(id).unwrap().extend(again);
    }
    let scenario = format!(
        "a clock that jumped by days ({jumps} times and 2, seen {} times in the log), {starts} starts, {} asked again \
         twice",
        days_logged(&daemon),
        last.len()
    );
    check(&scenario, &outcomes, &daemon, begun);
    for outcome in &outcomes {
        assert_eq!(outcome.order, outcome.asked, "order of one client");
    }
}
