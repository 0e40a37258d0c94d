//! What is done to the daemon, and what has to hold all the same.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, PublishProperties};
use rumqttc::v5::{Event, RecvTimeoutError};

use crate::asker::{Outcome, Plan, ask, connect};
use crate::daemon::{DEVICE, Daemon};
use crate::support::proxy::Proxy;
use crate::{Dice, Extent, mosquitto};

/// Prints the figures of a scenario and checks what has to hold in each.
fn check(scenario: &str, outcomes: &[Outcome], daemon: &Daemon, begun: Instant) {
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

/// Clients that ask in the background.
fn askers(plans: Vec<Plan>) -> Vec<std::thread::JoinHandle<Outcome>> {
    plans
        .into_iter()
        .map(|plan| std::thread::spawn(move || ask(&plan)))
        .collect()
}

/// Clients that ask in the background, each as many prompts as are allowed.
fn paced(mut plans: Vec<Plan>) -> (Vec<std::thread::JoinHandle<Outcome>>, Arc<AtomicUsize>) {
    let allowed = Arc::new(AtomicUsize::new(4));
    for plan in &mut plans {
        plan.allowed = Some(Arc::clone(&allowed));
        plan.patience = Duration::from_secs(3600);
    }
    (askers(plans), allowed)
}

fn plans(
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
            patience: Duration::from_secs(60 + prompts as u64),
            allowed: None,
        })
        .collect()
}

fn is_over(askers: &[std::thread::JoinHandle<Outcome>]) -> bool {
    askers.iter().all(std::thread::JoinHandle::is_finished)
}

fn outcomes(askers: Vec<std::thread::JoinHandle<Outcome>>) -> Vec<Outcome> {
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
fn the_wire_is_cut_and_stalls() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let extent = Extent::asked_for();
    let (cuts, stalls) = (extent.count(5, 200), extent.count(1, 20));
    let begun = Instant::now();
    let wire = Proxy::start(broker.port());
    let daemon = Daemon::listening(wire.port(), &[]);
    let asking = askers(plans(broker.port(), 4, extent.count(60, 4000), 4, None));
    let mut dice = Dice::new(3);
    for _ in 0..cuts {
        std::thread::sleep(Duration::from_millis(50 + dice.roll(400)));
        wire.cut();
    }
    check(
        &format!("{cuts} cuts of the wire"),
        &outcomes(asking),
        &daemon,
        begun,
    );
    let mut slowest = Duration::ZERO;
    for _ in 0..stalls {
        // The last cut is over when it is connected again.
        let before = disconnections(&daemon);
        while connections(&daemon) <= before {
            assert!(
                begun.elapsed() < Duration::from_secs(3600),
                "it does not connect again"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(disconnections(&daemon), before, "the wire is whole now");
        wire.stall();
        let stalled = Instant::now();
        while disconnections(&daemon) == before {
            assert!(
                stalled.elapsed() < Duration::from_secs(20),
                "a stalled wire is not noticed"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        slowest = slowest.max(stalled.elapsed());
        wire.mend();
        let asking = askers(plans(broker.port(), 1, 3, 1, None));
        assert!(
            outcomes(asking)
                .iter()
                .all(|outcome| outcome.lost().is_empty())
        );
    }
    let keep_alives = slowest.as_secs_f64() / 5.0;
    println!("{stalls} stalls of the wire: noticed after {keep_alives:.2} keep-alives at most");
    if extent.is_full {
        assert!(keep_alives <= 2.5, "the bar is 2.5");
    }
}

fn connections(daemon: &Daemon) -> usize {
    let log = daemon.log();
    log.iter()
        .filter(|line| line["message"] == "Connected to the broker.")
        .count()
}

fn disconnections(daemon: &Daemon) -> usize {
    let log = daemon.log();
    log.iter()
        .filter(|line| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("No connection"))
        })
        .count()
}

/// Bytes that are sometimes nearly a request.
fn nonsense(dice: &mut Dice) -> Vec<u8> {
    const PIECES: [&str; 24] = [
        "{",
        "}",
        "[",
        "]",
        "\"prompt\"",
        ":",
        ",",
        "\"id\"",
        "\"k\"",
        "null",
        "1e999",
        "-1",
        "\"\\ud800\"",
        "\"messages\"",
        "\"stop\"",
        "\"reply_to\"",
        "\"#\"",
        "\"faults/nonsense\"",
        "\"max_tokens\"",
        "1",
        "true",
        "\"think\"",
        "\u{feff}",
        " ",
    ];
    match dice.roll(4) {
        0 => (0..dice.roll(60)).map(|_| dice.roll(256) as u8).collect(),
        1 => {
            let mut text = String::from("{");
            (0..dice.roll(14)).for_each(|_| text.push_str(PIECES[dice.roll(24) as usize]));
            text.into_bytes()
        }
        2 => {
            let mut request =
                br#"{"id":"n","prompt":"1","max_tokens":1,"stop":["a"],"seed":3}"#.to_vec();
            let at = dice.roll(request.len() as u64) as usize;
            request[at] = dice.roll(256) as u8;
            request
        }
        _ => vec![b'{'; dice.roll(2000) as usize],
    }
}

#[test]
fn every_nonsense_gets_one_answer_and_costs_no_memory() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let count = Extent::asked_for().count(3000, 1_000_000);
    let begun = Instant::now();
    let daemon = Daemon::listening(broker.port(), &["limits.queue_jobs_max=64"]);
    let (client, mut connection) = connect(broker.port(), "nonsense");
    let topic = format!("thinkd/{DEVICE}/ask");
    let (mut dice, mut sent, mut answered, mut in_flight) = (Dice::new(4), 0, 0, 0);
    let (mut early, mut is_listening) = (0, false);
    let mut last = Instant::now();
    while answered < count {
        assert!(
            last.elapsed() < Duration::from_secs(60),
            "{answered} answers of {sent} messages"
        );
        while is_listening && sent < count && in_flight < 50 {
            // Without an id of its own: each is a message that wants its answer.
            let payload = nonsense(&mut dice);
            let properties = PublishProperties::default();
            if client
                .try_publish_with_properties(&topic, QoS::AtLeastOnce, false, payload, properties)
                .is_err()
            {
                break;
            }
            sent += 1;
            in_flight += 1;
        }
        match connection.recv_timeout(Duration::from_millis(20)) {
            Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                let answers = [
                    format!("thinkd/{DEVICE}/answer"),
                    "faults/nonsense".to_owned(),
                    "k".to_owned(),
                ];
                client
                    .try_subscribe_many(answers.map(|filter| Filter::new(filter, QoS::AtLeastOnce)))
                    .unwrap();
            }
            Ok(Ok(Event::Incoming(Packet::SubAck(_)))) => is_listening = true,
            Ok(Ok(Event::Incoming(Packet::Publish(_)))) => {
                answered += 1;
                in_flight -= 1;
                last = Instant::now();
                if answered == count / 2 {
                    early = daemon.resident_bytes();
                }
            }
            Ok(Ok(_)) | Err(RecvTimeoutError::Timeout) => {}
            other => panic!("{other:?}"),
        }
    }
    let grown = daemon.resident_bytes().saturating_sub(early) as f64 / 1e6;
    println!(
        "{sent} nonsense payloads: {answered} answers, {grown:.1} MB more memory over the second half, {} panics, {:.0} s",
        daemon.panics(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(daemon.panics(), 0);
    assert!(grown < 10.0, "{grown} MB");
}

#[test]
fn what_is_too_large_makes_no_loop() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let count = Extent::asked_for().count(20, 10_000);
    let daemon = Daemon::listening(broker.port(), &[]);
    let (client, mut connection) = connect(broker.port(), "large");
    let pump = std::thread::spawn(move || {
        let acknowledged = |event: &_| matches!(event, Event::Incoming(Packet::PubAck(_)));
        connection
            .iter()
            .map_while(Result::ok)
            .filter(acknowledged)
            .take(count)
            .count()
    });
    let properties = PublishProperties::default();
    for _ in 0..count {
        let payload = vec![b'x'; 2 << 20];
        let topic = format!("thinkd/{DEVICE}/ask");
        client
            .publish_with_properties(topic, QoS::AtLeastOnce, false, payload, properties.clone())
            .unwrap();
    }
    assert_eq!(pump.join().unwrap(), count);
    let asking = askers(plans(broker.port(), 1, 3, 1, None));
    let outcomes = outcomes(asking);
    assert!(outcomes[0].lost().is_empty());
    let connections = connections(&daemon);
    println!("{count} payloads of 2 MiB: {connections} connections, then 3 prompts answered");
    assert_eq!(connections, 1);
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
    if crate::is_emulated() {
        return;
    }
    let broker_port = 1; // Never reached.
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
        let mut daemon = Daemon::start(broker_port, &[&setting]);
        let status = daemon.end_within(Duration::from_secs(20));
        let log = daemon.raw_log();
        assert_eq!(status, Some(78), "{length} bytes: {log}");
        assert!(log.contains("model.onnx.data"), "{length} bytes: {log}");
        refused += 1;
    }
    println!(
        "a model cut at each of {refused} MiB: refused with status 78 and the file's name each time"
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
