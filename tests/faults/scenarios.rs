//! What is done to the daemon, and what has to hold all the same.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;

use crate::asker::{Outcome, Plan, ask, error_code};
use crate::daemon::{DEVICE, Daemon};
use crate::ear::Ear;
use crate::support::proxy::Proxy;
use crate::{Dice, Extent, mosquitto};

/// Prints the figures of a scenario and checks what has to hold in each.
pub(crate) fn check(scenario: &str, outcomes: &[Outcome], daemon: &Daemon, begun: Instant) {
    let inferences = daemon.inferences();
    let asked: usize = outcomes.iter().map(|outcome| outcome.asked.len()).sum();
    let lost: usize = outcomes.iter().map(|outcome| outcome.lost().len()).sum();
    let contradicted: usize = outcomes.iter().map(Outcome::contradicted).sum();
    let again: usize = outcomes
        .iter()
        .map(|outcome| outcome.computed_again(&inferences))
        .sum();
    let repetitions: usize = outcomes.iter().map(|outcome| outcome.repetitions).sum();
    let mut errors: HashMap<String, usize> = HashMap::new();
    for (code, count) in outcomes.iter().flat_map(Outcome::errors) {
        *errors.entry(code).or_default() += count;
    }
    let computed: usize = inferences.values().map(Vec::len).sum();
    println!(
        "{scenario}: {asked} prompts, {lost} lost, {contradicted} with two different answers, {again} computed again \
         after their answer, {computed} inferences, {repetitions} repetitions, errors {errors:?}, {} panics, {:.0} s",
        daemon.panics(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(
        (lost, contradicted, again, daemon.panics()),
        (0, 0, 0, 0),
        "{scenario}"
    );
    assert!(errors.is_empty(), "{scenario}: {errors:?}");
}

/// Checks that each of `ids` was refused once with `code`, first of all; gives how many they are.
pub(crate) fn check_refused(outcome: &Outcome, ids: &[String], code: &str) -> usize {
    for id in ids {
        let codes: Vec<_> = outcome.answers[id]
            .iter()
            .map(|(answer, _)| error_code(answer))
            .collect();
        assert_eq!(codes, [Some(code.to_owned())], "{id}");
    }
    ids.len()
}

/// Clients that ask in the background.
pub(crate) fn askers(plans: Vec<Plan>) -> Vec<std::thread::JoinHandle<Outcome>> {
    plans
        .into_iter()
        .map(|plan| std::thread::spawn(move || ask(&plan)))
        .collect()
}

/// Clients that ask in the background, each as many prompts as are allowed.
pub(crate) fn paced(
    mut plans: Vec<Plan>,
) -> (Vec<std::thread::JoinHandle<Outcome>>, Arc<AtomicUsize>) {
    let allowed = Arc::new(AtomicUsize::new(4));
    for plan in &mut plans {
        plan.allowed = Some(Arc::clone(&allowed));
        plan.patience = Duration::from_secs(3600);
    }
    (askers(plans), allowed)
}

pub(crate) fn plans(
    port: u16,
    clients: usize,
    prompts: usize,
    window: usize,
    retry: Option<Duration>,
) -> Vec<Plan> {
    (0..clients)
        .map(|client| Plan {
            port,
            name: format!("asker-{client}"),
            prompts: prompts / clients,
            window,
            retry,
            patience: Duration::from_secs(60).saturating_add(Duration::from_secs(prompts as u64)),
            fields: Vec::new(),
            allowed: None,
        })
        .collect()
}

pub(crate) fn is_over(askers: &[std::thread::JoinHandle<Outcome>]) -> bool {
    askers.iter().all(std::thread::JoinHandle::is_finished)
}

pub(crate) fn outcomes(askers: Vec<std::thread::JoinHandle<Outcome>>) -> Vec<Outcome> {
    askers
        .into_iter()
        .map(|asker| asker.join().unwrap())
        .collect()
}

#[test]
fn the_daemon_is_killed_at_random_moments() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let extent = Extent::asked_for();
    let (kills, prompts) = (extent.count(12, 2000), extent.count(80, 5000));
    let begun = Instant::now();
    let mut daemon = Daemon::listening(broker.port(), &[]);
    // Nobody asks twice: what was acknowledged is the daemon's to answer. Prompts are spread over all the kills.
    let (askers, allowed) = paced(plans(broker.port(), 8, prompts, 4, None));
    let (mut dice, mut killed) = (Dice::new(1), 0);
    while !is_over(&askers) {
        std::thread::sleep(Duration::from_millis(50 + dice.roll(500)));
        if killed < kills {
            daemon.kill();
            daemon.start_again();
            killed += 1;
        }
        let share = prompts * (killed + 1) / (8 * kills);
        allowed.fetch_max(share, Ordering::Relaxed);
        if killed == kills {
            allowed.store(usize::MAX, Ordering::Relaxed);
        }
    }
    let outcomes = outcomes(askers);
    check(
        &format!("{killed} kill -9 of the daemon"),
        &outcomes,
        &daemon,
        begun,
    );
    for outcome in &outcomes {
        let wanted: Vec<_> = outcome.asked.iter().collect();
        assert_eq!(
            outcome.order.iter().collect::<Vec<_>>(),
            wanted,
            "order of one client"
        );
    }
}

#[test]
fn the_broker_is_stopped_and_killed() {
    let Some(mut broker) = mosquitto() else {
        return;
    };
    let extent = Extent::asked_for();
    let (stops, kills) = (extent.count(3, 200), extent.count(2, 100));
    let (faults, prompts) = (stops + kills, extent.count(60, 3000));
    let begun = Instant::now();
    let daemon = Daemon::listening(broker.port(), &[]);
    let again_after = Some(Duration::from_secs(2));
    let (askers, allowed) = paced(plans(broker.port(), 6, prompts, 4, again_after));
    let mut dice = Dice::new(2);
    for fault in 0..faults {
        std::thread::sleep(Duration::from_millis(200 + dice.roll(600)));
        // Of three faults one is a kill.
        if fault % 3 == 2 {
            broker.kill();
        } else {
            broker.stop();
        }
        std::thread::sleep(Duration::from_millis(dice.roll(300)));
        broker.start_again();
        allowed.fetch_max(prompts * (fault + 1) / (6 * faults), Ordering::Relaxed);
    }
    allowed.store(usize::MAX, Ordering::Relaxed);
    check(
        &format!("{stops} stops and {kills} kills of the broker"),
        &outcomes(askers),
        &daemon,
        begun,
    );
}

#[test]
fn the_wire_is_cut() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let extent = Extent::asked_for();
    let cuts = extent.count(5, 200);
    let begun = Instant::now();
    let wire = Proxy::start(broker.port());
    let daemon = Daemon::listening(wire.port(), &[]);
    let asking = askers(plans(broker.port(), 4, extent.count(60, 4000), 4, None));
    let mut dice = Dice::new(3);
    for _ in 0..cuts {
        std::thread::sleep(Duration::from_millis(50 + dice.roll(400)));
        wire.cut();
    }
    let (scenario, outcomes) = (format!("{cuts} cuts of the wire"), outcomes(asking));
    check(&scenario, &outcomes, &daemon, begun);
}

#[test]
fn the_wire_stalls() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let extent = Extent::asked_for();
    let stalls = extent.count(2, 20);
    let begun = Instant::now();
    let wire = Proxy::start(broker.port());
    let daemon = Daemon::listening(wire.port(), &[]);
    let ear = Ear::at(broker.port(), "ear", "faults/nothing");
    let (mut slowest, mut all) = (Duration::ZERO, Vec::new());
    for stall in 0..stalls {
        wait_until(&daemon, |is_connected| is_connected);
        // What is asked meanwhile waits at the broker.
        let mut plan = plans(broker.port(), 1, 10, 2, None);
        plan[0].name = format!("stall-{stall}");
        if stall % 2 == 0 {
            wire.stall();
        } else {
            // What it sends back fills all buffers, until it can send no more.
            wire.stall_outwards();
            for _ in 0..200 {
                let ping = format!("thinkd/{DEVICE}/ping");
                ear.publish(&ping, QoS::AtMostOnce, vec![b'x'; 60_000]);
            }
        }
        let asking = askers(plan);
        wait_until(&daemon, |is_connected| !is_connected);
        slowest = slowest.max(wire.silence());
        wire.mend();
        all.extend(outcomes(asking));
    }
    let keep_alives = slowest.as_secs_f64() / 5.0;
    let scenario = format!(
        "{stalls} stalls of the wire, half of them with full buffers, noticed after {keep_alives:.2} keep-alives of \
         silence at most"
    );
    check(&scenario, &all, &daemon, begun);
    if extent.is_full {
        assert!(keep_alives <= 2.5, "the bar is 2.5");
    }
}

/// Waits until the daemon has a connection, or has none.
fn wait_until(daemon: &Daemon, wanted: impl Fn(bool) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let log = daemon.log();
        let mut messages = log.iter().rev().filter_map(|line| line["message"].as_str());
        let last = messages
            .find(|text| text.starts_with("Connected to") || text.starts_with("No connection"));
        if last.is_some_and(|text| wanted(text.starts_with("Connected"))) {
            return;
        }
        assert!(Instant::now() < deadline, "the last it said was {last:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn connections(daemon: &Daemon) -> usize {
    daemon.said("Connected to the broker.")
}

#[test]
fn many_clients_at_once() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let extent = Extent::asked_for();
    let (clients, prompts) = (extent.count(10, 50), extent.count(100, 10_000));
    let begun = Instant::now();
    let daemon = Daemon::listening(broker.port(), &[]);
    let kib_each = |written: u64, prompts: usize| written as f64 / 1024.0 / prompts as f64;
    let before = daemon.written_bytes();
    let mut alone = plans(broker.port(), 1, 20, 1, None);
    alone[0].name = "alone".to_owned();
    assert!(outcomes(askers(alone))[0].lost().is_empty());
    let between = daemon.written_bytes();
    let outcomes = outcomes(askers(plans(broker.port(), clients, prompts, 4, None)));
    let after = daemon.written_bytes();
    check(&format!("{clients} clients"), &outcomes, &daemon, begun);
    println!(
        "a prompt costs {:.1} KiB written to disk, {:.1} with {clients} clients at once",
        kib_each(between - before, 20),
        kib_each(after - between, prompts)
    );
    for outcome in &outcomes {
        assert_eq!(outcome.order, outcome.asked, "order of one client");
    }
}

#[test]
fn a_cut_model_is_refused_with_the_file_and_the_reason() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let ear = Ear::at(broker.port(), "ear", "faults/nothing");
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/thinkd-mini");
    let data = fs::read(model.join("model.onnx.data")).unwrap();
    let mut refused = 0;
    for length in (0..data.len()).step_by(1 << 20) {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(&model)
            .unwrap()
            .map(Result::unwrap)
            .filter(|entry| entry.path().is_file())
        {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        fs::write(copy.path().join("model.onnx.data"), &data[..length]).unwrap();
        let setting = format!("model.directory={}", copy.path().display());
        ear.heard().state.clear();
        let mut daemon = Daemon::start(broker.port(), &[&setting]);
        let status = daemon.end_within(Duration::from_secs(20));
        let log = daemon.raw_log();
        assert_eq!(status, Some(78), "{length} bytes: {log}");
        assert!(log.contains("model.onnx.data"), "{length} bytes: {log}");
        ear.wait("failed", |heard| {
            heard.state.starts_with("failed: ") && heard.state.contains("model.onnx.data")
        });
        refused += 1;
    }
    println!(
        "a model cut at each of {refused} MiB: refused with status 78, the log and the state say failed and name the \
         file each time"
    );
    assert!(refused > 0);
}

#[test]
fn an_idle_daemon_hardly_computes() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let seconds = Extent::asked_for().count(4, 60) as u64;
    let daemon = Daemon::listening(broker.port(), &[]);
    assert!(
        outcomes(askers(plans(broker.port(), 1, 2, 1, None)))[0]
            .lost()
            .is_empty()
    );
    let before = daemon.processor_seconds();
    std::thread::sleep(Duration::from_secs(seconds));
    let share = 100.0 * (daemon.processor_seconds() - before) / seconds as f64;
    println!("idle for {seconds} s: {share:.2} % of a core");
    assert!(share < 1.0, "the bar is 1 %");
}

#[test]
fn a_stop_in_the_middle_of_an_answer_loses_nothing() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let begun = Instant::now();
    let mut daemon = Daemon::listening(broker.port(), &["limits.drain_seconds=0"]);
    let asking = askers(plans(
        broker.port(),
        4,
        Extent::asked_for().count(40, 400),
        4,
        None,
    ));
    while !is_over(&asking) {
        std::thread::sleep(Duration::from_millis(700));
        assert!(daemon.is_running());
        assert_eq!(daemon.stop(), Some(0));
        daemon.start_again();
        daemon.wait_until_it_listens();
    }
    check("stops of the daemon", &outcomes(asking), &daemon, begun);
}
