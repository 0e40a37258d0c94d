//! The disk under the daemon's state: full, read-only, failing, damaged.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::asker::Plan;
use crate::daemon::{Daemon, Surroundings};
use crate::ear::Ear;
use crate::scenarios::{askers, check, check_refused, outcomes, paced, plans};
use crate::tracer::Tracer;
use crate::{Dice, Extent, mosquitto};

/// A file system in memory with room for so much, in a mount namespace of its own; it is gone with this.
struct SmallDisk {
    /// Keeps the namespace.
    holder: Child,
    place: tempfile::TempDir,
    /// Words before a command that is to be run there.
    enter: Vec<String>,
}

impl SmallDisk {
    /// Mounted as root of a user namespace or as root; says so where neither can be had.
    fn of(mib: usize) -> Option<Self> {
        let own_user = ["--user", "--map-root-user", "--mount"];
        let disk = [&own_user[..], &own_user[2..]]
            .into_iter()
            .find_map(|namespaces| Self::mount(mib, namespaces));
        if disk.is_none() {
            println!("skipped: no file system can be mounted here");
        }
        disk
    }

    fn mount(mib: usize, namespaces: &[&str]) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().display();
        // It ends when this process does, which closes its standard input.
        let script = format!("mount -t tmpfs -o size={mib}m none {path} && echo there && exec cat");
        let mut holder = Command::new("unshare")
            .args(namespaces)
            .args(["sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut said = String::new();
        let output = holder.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut said).unwrap();
        if said != "there\n" {
            holder.wait().unwrap();
            return None;
        }
        let id = holder.id().to_string();
        let mut enter = vec!["nsenter", "--target", &id, "--mount"];
        if namespaces.contains(&"--user") {
            enter.extend(["--user", "--preserve-credentials"]);
        }
        let root = concat!("--chdir=", env!("CARGO_MANIFEST_DIR"));
        enter.extend(["--", "env", root]);
        let enter = enter.into_iter().map(str::to_owned).collect();
        Some(Self {
            holder,
            place,
            enter,
        })
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            before: self.enter.clone(),
            state: Some(self.place.path().join("state")),
            ..Surroundings::default()
        }
    }

    fn run(&self, script: &str) -> bool {
        let mut words = self.enter.iter();
        let command = Command::new(words.next().unwrap())
            .args(words)
            .args(["sh", "-c", script, &self.place.path().display().to_string()])
            .stderr(Stdio::null())
            .status();
        command.unwrap().success()
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let has_room = self.run(r#"cat /dev/zero >> "$0"/filler"#);
        assert!(!has_room, "the disk is full");
    }

    fn make_room(&self) {
        assert!(self.run(r#"rm "$0"/filler"#));
    }

    fn remount(&self, how: &str) {
        assert!(self.run(&format!(r#"mount -o remount,{how} "$0""#)));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

fn ids(kind: &str, round: usize, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{kind}-{round}-{number}"))
        .collect()
}

#[test]
fn a_full_disk_refuses_prompts_and_gives_the_answers_owed() {
    let Some(broker) = mosquitto() else { return };
    let Some(disk) = SmallDisk::of(16) else {
        return;
    };
    let rounds = Extent::asked_for().count(2, 60);
    let begun = Instant::now();
    let mut daemon = Daemon::within(disk.surroundings(), broker.port(), &[]);
    daemon.wait_until_it_listens();
    let plan = plans(broker.port(), 1, 1, 1, None).remove(0);
    let ear = Ear::at(broker.port(), "ear", &plan.reply());
    let (mut refused, mut starts) = (0, 0);
    for round in 0..rounds {
        let (owed, late) = (ids("owed", round, 12), ids("late", round, 12));
        let taken = daemon.said("Prompt taken.") + owed.len();
        owed.iter().for_each(|id| ear.ask(&plan, id));
        while daemon.said("Prompt taken.") < taken {
            std::thread::sleep(Duration::from_millis(1));
        }
        disk.fill();
        if round % 3 == 1 {
            // The next process finds a full disk, and answers to be given.
            daemon.kill();
            daemon.start_again();
            daemon.wait_until_it_listens();
            starts += 1;
        }
        late.iter().for_each(|id| ear.ask(&plan, id));
        ear.wait_for_answers(&owed, 1);
        ear.wait_for_answers(&late, 1);
        if round % 3 == 2 {
            daemon.kill();
            daemon.start_again();
            daemon.wait_until_it_listens();
            starts += 1;
        }
        // What is stored can be had, and what was refused is refused again.
        let (again, more) = (owed[..3].to_vec(), ids("more", round, 3));
        let before: Vec<usize> = again.iter().map(|id| ear.heard().answers(id)).collect();
        again.iter().chain(&more).for_each(|id| ear.ask(&plan, id));
        ear.wait("a stored answer", |heard| {
            let mut counts = again.iter().zip(&before);
            counts.all(|(id, before)| heard.answers(id) > *before)
        });
        ear.wait_for_answers(&more, 1);
        refused += check_refused(&ear.heard().outcome, &more, "storage_full");
        // A refusal is stored nowhere: what the broker sends again after a kill is refused again.
        if round % 3 != 2 {
            refused += check_refused(&ear.heard().outcome, &late, "storage_full");
        }
        assert!(daemon.is_running());
        disk.make_room();
        late.iter().chain(&more).for_each(|id| ear.ask(&plan, id));
        ear.wait("an answer", |heard| {
            late.iter().chain(&more).all(|id| heard.is_answered(id))
        });
    }
    let scenario = format!(
        "a disk full {rounds} times, {starts} starts on it: {refused} refused with storage_full, each once, and answered \
         when there was room; all"
    );
    check(&scenario, &[ear.into_outcome()], &daemon, begun);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_read_only_disk_is_told_and_not_tried_again_and_again() {
    let Some(broker) = mosquitto() else { return };
    let Some(disk) = SmallDisk::of(16) else {
        return;
    };
    let rounds = Extent::asked_for().count(1, 20);
    let begun = Instant::now();
    let mut daemon = Daemon::within(disk.surroundings(), broker.port(), &[]);
    let plan = plans(broker.port(), 1, 1, 1, None).remove(0);
    let ear = Ear::at(broker.port(), "ear", &plan.reply());
    for round in 0..rounds {
        let (before, meanwhile) = (ids("before", round, 3), ids("meanwhile", round, 3));
        ear.wait("online", |heard| heard.state == "online");
        before.iter().for_each(|id| ear.ask(&plan, id));
        ear.wait_for_answers(&before, 1);
        assert_eq!(daemon.stop(), Some(0));
        disk.remount("ro");
        daemon.start_again();
        let status = daemon.end_within(Duration::from_secs(20));
        let log = daemon.raw_log();
        assert_eq!(status, Some(78), "{log}");
        assert!(log.contains("Read-only file system"), "{log}");
        let place = daemon.state().display().to_string();
        ear.wait("failed", |heard| {
            heard.state.starts_with("failed: ") && heard.state.contains(&place)
        });
        // The broker keeps them.
        meanwhile.iter().for_each(|id| ear.ask(&plan, id));
        disk.remount("rw");
        daemon.start_again();
        before.iter().for_each(|id| ear.ask(&plan, id));
        ear.wait_for_answers(&before, 2);
        ear.wait_for_answers(&meanwhile, 1);
    }
    let scenario = format!(
        "{rounds} starts on a read-only disk: status 78, the state says failed and names the directory each time; then"
    );
    check(&scenario, &[ear.into_outcome()], &daemon, begun);
}

#[test]
fn a_disk_that_fails_under_the_daemon_ends_it_and_loses_nothing() {
    let Some(broker) = mosquitto() else { return };
    if !Tracer::is_there() {
        return;
    }
    // A file system that the kernel has made read-only, and a card that is broken.
    const FAULTS: [(&str, &str); 4] = [
        ("pwrite64", "EROFS"),
        ("pwrite64", "EIO"),
        ("fdatasync", "EIO"),
        ("ftruncate,pwrite64,fdatasync", "EROFS"),
    ];
    let faults = Extent::asked_for().count(FAULTS.len(), 100);
    let begun = Instant::now();
    let mut daemon = Daemon::listening(broker.port(), &[]);
    let ear = Ear::at(broker.port(), "ear", "faults/nothing");
    let prompts = 8 * (4 + 2 * faults);
    let (asking, allowed) = paced(plans(broker.port(), 8, prompts, 4, None));
    let mut dice = Dice::new(5);
    for fault in 0..faults {
        ear.wait("online", |heard| heard.state == "online");
        std::thread::sleep(Duration::from_millis(dice.roll(200)));
        let (calls, error) = FAULTS[fault % FAULTS.len()];
        let injection = format!("inject={calls}:error={error}");
        let tracer = Tracer::attach(
            &["-f", "-e", &format!("trace={calls}"), "-e", &injection],
            daemon.id(),
        );
        // Something to be written.
        allowed.fetch_add(2, Ordering::Relaxed);
        let status = daemon.end_within(Duration::from_secs(30));
        drop(tracer);
        let log = daemon.raw_log();
        assert_eq!(status, Some(1), "{calls} {error}: {log}");
        ear.wait("failed", |heard| {
            heard.state.starts_with("failed: the store failed: ")
        });
        daemon.start_again();
    }
    let scenario = format!(
        "{faults} failing writes and syncs (EROFS, EIO): status 1 and the state says failed each time; then"
    );
    check(&scenario, &outcomes(asking), &daemon, begun);
}

/// The same questions, whose answers take longer.
fn long(plan: &Plan) -> Plan {
    let mut long = plan.clone();
    long.fields = vec![("max_tokens", 1500.into())];
    long
}

/// A store with answers given and prompts that wait, and who heard those answers.
fn a_store(port: u16, directory: &Path) -> (Vec<String>, Vec<String>, Ear) {
    let surroundings = Surroundings {
        state: Some(directory.to_owned()),
        ..Surroundings::default()
    };
    let mut daemon = Daemon::within(surroundings, port, &["engine.streams=1"]);
    daemon.wait_until_it_listens();
    let plan = plans(port, 1, 1, 1, None).remove(0);
    let ear = Ear::at(port, "ear", &plan.reply());
    let (given, waiting) = (ids("given", 0, 12), ids("waiting", 0, 8));
    given.iter().for_each(|id| ear.ask(&plan, id));
    ear.wait_for_answers(&given, 1);
    let taken = daemon.said("Prompt taken.") + waiting.len();
    waiting.iter().for_each(|id| ear.ask(&long(&plan), id));
    while daemon.said("Prompt taken.") < taken {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Most are written by then, and few answered.
    std::thread::sleep(Duration::from_millis(40));
    daemon.kill();
    (given, waiting, ear)
}

/// Bytes of a store that say what there is in it.
const HEADER_BYTES: usize = 320;

/// How many prompts and answers the last start has found.
fn taken_up(daemon: &Daemon) -> (u64, u64) {
    let log = daemon.log();
    let mut lines = log.iter();
    let line = lines.find(|line| line["message"] == "Taken up from the store.");
    let count = |what| line.and_then(|line| line[what].as_u64()).unwrap_or(0);
    (count("prompts"), count("answers"))
}

/// Where a store can be damaged: in its header, at the start of each page, in each record there is or was.
fn places(store: &[u8]) -> Vec<usize> {
    let record = br#"{"seq":"#;
    let mut places: Vec<usize> = (0..HEADER_BYTES).step_by(8).collect();
    places.extend((4096..store.len()).step_by(4096));
    for at in 0..store.len().saturating_sub(record.len()) {
        if store[at..].starts_with(record) {
            // Its checksum, its number, its words.
            places.extend([at - 4, at + record.len(), at + 40]);
        }
    }
    places.retain(|&at| at < store.len() && store[at] != 0);
    places
}

#[test]
fn a_store_damaged_at_any_record_is_no_reason_not_to_start() {
    let Some(broker) = mosquitto() else { return };
    let begun = Instant::now();
    let original = tempfile::tempdir().unwrap();
    let (given, waiting, ear) = a_store(broker.port(), original.path());
    let file = |directory: &Path| directory.join("prompts.redb");
    let store = fs::read(file(original.path())).unwrap();
    let all = places(&store);
    let wanted = Extent::asked_for().count(20, all.len());
    let chosen: Vec<usize> = (0..wanted)
        .map(|turn| all[turn * all.len() / wanted])
        .collect();
    let plan = plans(broker.port(), 1, 1, 1, None).remove(0);
    let answered = |id: &String| ear.heard().outcome.answers[id][0].0.clone();
    let originals: Vec<Vec<u8>> = given.iter().map(answered).collect();
    let (mut told, mut unhurt, mut untold) = (0, 0, 0);
    // The first start finds it whole.
    let places = [None].into_iter().chain(chosen.iter().copied().map(Some));
    let mut whole = None;
    for (turn, place) in places.enumerate() {
        let mut damaged = store.clone();
        if let Some(at) = place {
            for byte in &mut damaged[at..(at + 8).min(store.len())] {
                *byte ^= 0x5a;
            }
        }
        let copy = tempfile::tempdir().unwrap();
        fs::write(file(copy.path()), damaged).unwrap();
        ear.heard().outcome.answers.clear();
        let surroundings = Surroundings {
            state: Some(copy.path().to_owned()),
            ..Surroundings::default()
        };
        let mut daemon = Daemon::within(surroundings, broker.port(), &[]);
        daemon.wait_until_it_listens();
        let new = [format!("new-{turn}")];
        given.iter().chain(&new).for_each(|id| ear.ask(&plan, id));
        waiting.iter().for_each(|id| ear.ask(&long(&plan), id));
        ear.wait_for_answers(&given, 1);
        ear.wait_for_answers(&waiting, 1);
        ear.wait_for_answers(&new, 1);
        let found = taken_up(&daemon);
        let whole = *whole.get_or_insert(found);
        assert!(whole.0 + whole.1 > given.len() as u64, "some wait");
        let log = daemon.raw_log();
        if log.contains("begun anew") || log.contains("left out") {
            told += 1;
            ear.wait("the damage in the status", |heard| {
                let damage = heard.status["counts"]["damaged_records"].as_u64();
                damage.is_some_and(|count| count > 0)
            });
        } else {
            // Damage to the last batch is to the database one that a power cut tore, and the state before it holds.
            unhurt += usize::from(found == whole && place.is_some());
            untold += usize::from(found != whole);
            let same = given.iter().map(answered).eq(originals.iter().cloned());
            assert!(same, "byte {place:?}: stored answers are other ones");
        }
        assert_eq!(ear.heard().outcome.contradicted(), 0, "byte {place:?}");
        assert!(daemon.is_running());
        daemon.kill();
        // The last will comes after all that it said: nothing of it reaches the next turn.
        ear.wait("offline", |heard| heard.state == "offline");
    }
    println!(
        "a store damaged at {} places: every start answers; {told} times the damage was told (log, damaged_records), \
         {unhurt} times nothing was lost, {untold} times the last batch was gone and not told, {:.0} s",
        chosen.len(),
        begun.elapsed().as_secs_f64()
    );
}

#[test]
fn a_second_daemon_on_the_same_state_ends_and_the_first_goes_on() {
    let Some(broker) = mosquitto() else { return };
    let rounds = Extent::asked_for().count(1, 20);
    let begun = Instant::now();
    let daemon = Daemon::listening(broker.port(), &[]);
    let ear = Ear::at(broker.port(), "ear", "faults/nothing");
    let asking = askers(plans(broker.port(), 4, 20 * rounds, 2, None));
    for _ in 0..rounds {
        ear.wait("online", |heard| heard.state == "online");
        let surroundings = Surroundings {
            state: Some(daemon.state()),
            ..Surroundings::default()
        };
        let mut second = Daemon::within(surroundings, broker.port(), &[]);
        let status = second.end_within(Duration::from_secs(30));
        let log = second.raw_log();
        assert_eq!(status, Some(78), "{log}");
        assert!(log.contains("another process uses it"), "{log}");
    }
    // The second took the name of the first at the broker to say so, and the first has it back.
    std::thread::sleep(Duration::from_secs(2));
    ear.wait("online", |heard| heard.state == "online");
    let scenario =
        format!("a second daemon on the same state {rounds} times: status 78; the first");
    check(&scenario, &outcomes(asking), &daemon, begun);
}
