//! What outlives the daemon besides prompts and answers: sessions, what prompts begin with, and whose fault its end was.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::asker::{Outcome, Plan, ask, error_code};
use crate::daemon::Daemon;
use crate::mosquitto;

fn plan(port: u16, name: &str, prompts: usize, fields: &[(&'static str, Value)]) -> Plan {
    Plan {
        port,
        name: name.to_owned(),
        prompts,
        window: prompts,
        retry: None,
        patience: Duration::from_secs(120),
        fields: fields.to_vec(),
        allowed: None,
    }
}

/// The answer to the client's question of this number.
fn answer(outcome: &Outcome, id: &str) -> Value {
    let answers = &outcome.answers[id];
    assert_eq!(answers.len(), 1, "{id}");
    serde_json::from_slice(&answers[0].0).unwrap()
}

fn restarted(daemon: &mut Daemon) {
    daemon.kill();
    daemon.start_again();
    daemon.wait_until_it_listens();
}

#[test]
fn a_session_goes_on_after_a_kill() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let mut daemon = Daemon::listening(broker.port(), &[]);
    let turn = |name: &str| {
        let fields = [("session", json!("kitchen"))];
        let outcome = ask(&plan(broker.port(), name, 1, &fields));
        answer(&outcome, &format!("{name}-0"))["usage"]["prompt"].clone()
    };
    let first = turn("first").as_u64().unwrap();
    restarted(&mut daemon);
    let second = turn("second").as_u64().unwrap();
    assert!(second > first + 10, "{first} tokens, then {second}");
    println!(
        "session: {first} tokens of prompt, {second} with the turn before it, after a kill -9"
    );
}

#[test]
fn a_long_system_prompt_is_read_once_and_not_again_after_a_kill() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let mut daemon = Daemon::listening(broker.port(), &["log.level=debug"]);
    let system = "You watch a house with many sensors and say what they say. ".repeat(10);
    let fields = [("system", json!(system))];
    ask(&plan(broker.port(), "before", 4, &fields));
    let kept = fs::read_dir(daemon.state().join("prefixes")).unwrap();
    assert_eq!(kept.count(), 1);
    restarted(&mut daemon);
    let outcome = ask(&plan(broker.port(), "after", 1, &fields));
    let prompt = answer(&outcome, "after-0")["usage"]["prompt"]
        .as_u64()
        .unwrap();
    let log = daemon.raw_log();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_default());
    let mut reused = lines.filter(|line| line["message"] == "Reading the prompt.");
    let reused = reused.next().unwrap()["reused_tokens"].as_u64().unwrap();
    assert!(
        reused >= 64 && reused < prompt,
        "{reused} of {prompt} tokens"
    );
    println!(
        "prefix: {reused} of {prompt} tokens of the first prompt after a kill -9 were not read"
    );
}

#[test]
fn a_prompt_that_ends_the_daemon_is_given_up_and_those_beside_it_are_answered() {
    let Some(broker) = mosquitto() else {
        return;
    };
    let mut daemon = Daemon::listening(broker.port(), &["engine.streams=2"]);
    let begun = daemon.state().join("begun");
    // Long enough to be met in the middle.
    let question = "What is the mean of 20.1, 22.4, 24.5, 27.3, 21.9, 26.6, 20.7 and 25.5?";
    let fields = [("prompt", json!(question)), ("max_tokens", json!(400))];
    let guilty = plan(broker.port(), "guilty", 1, &fields);
    let guilty = std::thread::spawn(move || ask(&guilty));
    let times_begun = || {
        let text = fs::read_to_string(&begun).unwrap_or_default();
        let mut counts = text.lines().filter_map(|line| line.strip_prefix("1 "));
        counts
            .next_back()
            .and_then(|count| count.parse().ok())
            .unwrap_or(0)
    };
    let mut others = None;
    for end in 1..=5 {
        let patience = Instant::now() + Duration::from_secs(60);
        while times_begun() < end {
            assert!(Instant::now() < patience, "begun {} times", times_begun());
            std::thread::sleep(Duration::from_millis(1));
        }
        daemon.kill();
        others.get_or_insert_with(|| {
            let plan = plan(broker.port(), "other", 6, &[]);
            std::thread::spawn(move || ask(&plan))
        });
        daemon.start_again();
    }
    let guilty = guilty.join().unwrap();
    let last = &guilty.answers["guilty-0"].last().unwrap().0;
    assert_eq!(error_code(last).as_deref(), Some("internal"));
    let others = others.unwrap().join().unwrap();
    assert_eq!(
        (others.lost().len(), others.errors().len()),
        (0, 0),
        "{:?}",
        others.errors()
    );
    println!("a guilty prompt: given up after 5 ends of the daemon, the 6 beside it answered");
}
