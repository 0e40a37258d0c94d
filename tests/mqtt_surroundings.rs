//! What stands round the board: several boards as one, pings, Home Assistant, Prometheus.

#![cfg(feature = "embedded-broker")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what they skip"
)]

#[allow(dead_code, reason = "each test file uses its part of what they share")]
mod support {
    pub(crate) mod broker;
    pub(crate) mod client;
    pub(crate) mod daemon;
    pub(crate) mod scripted;
}

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use minijinja::{Environment, UndefinedBehavior};
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::{Value, json};
use support::broker::{TestBroker, free_port, with_each_broker};
use support::client::{TestClient, text};
use support::daemon::{Daemon, topics};
use thinkd::service::mqtt::Topics;

#[test]
fn eight_boards_of_a_group_share_what_is_asked_of_it() {
    let Some(broker) = TestBroker::mosquitto() else {
        return;
    };
    let mut client = TestClient::connect(broker.port());
    let boards: Vec<(Topics, Daemon)> = (0..8)
        .map(|number| {
            let topics = Topics::for_device(&format!("board{number}")).unwrap();
            let topics = topics.with_group("kitchen").unwrap();
            let daemon = Daemon::with(&broker, |options| {
                options.mqtt.client_id = format!("thinkd-board{number}");
                options.mqtt.topics = topics.clone();
            });
            (topics, daemon)
        })
        .collect();
    for (topics, _) in &boards {
        let state = topics.state();
        client.wait("online", |publish| {
            publish.topic == state.as_bytes() && publish.payload == "online"
        });
    }
    let ask = "thinkd/group/kitchen/ask";
    for number in 0..40 {
        let question = json!({"id": format!("q{number}"), "prompt": format!("say {number}"), "reply_to": "me/answers"});
        client.publish(ask, question.to_string());
    }
    let mut answers: HashMap<String, String> = HashMap::new();
    while answers.len() < 40 {
        let answer = client.json("me/answers");
        let id = answer["id"].as_str().unwrap().to_owned();
        assert_eq!(id, format!("q{}", text(&answer)));
        assert_eq!(
            answers.insert(id, text(&answer).to_owned()),
            None,
            "answered twice"
        );
    }
    let asked: Vec<usize> = boards
        .iter()
        .map(|(_, daemon)| daemon.asked.prompts().len())
        .collect();
    println!("prompts by board: {asked:?}");
    assert_eq!(asked.iter().sum::<usize>(), 40, "each was computed once");
    assert!(asked.iter().all(|&prompts| prompts >= 1), "{asked:?}");
}

#[test]
fn a_prompt_to_the_group_is_cancelled_wherever_it_is() {
    let Some(broker) = TestBroker::mosquitto() else {
        return;
    };
    let mut client = TestClient::connect(broker.port());
    let daemon = Daemon::with(&broker, |options| {
        options.mqtt.topics = topics().with_group("kitchen").unwrap();
    });
    client.state("online");
    client.publish("thinkd/group/kitchen/ask", r#"{"id":"k1","prompt":"wait"}"#);
    daemon.asked.wait_for("wait");
    client.publish("thinkd/group/kitchen/cancel", "k1");
    assert_eq!(client.answer_to("k1")["finish"], "cancelled");
}

#[test]
fn a_ping_comes_back_while_the_model_computes() {
    with_each_broker(|broker| {
        let mut client = TestClient::connect(broker.port());
        let daemon = Daemon::start(broker);
        client.state("online");
        client.ask("wait");
        daemon.asked.wait_for("wait");
        let mut times = Vec::new();
        for number in 0..200_u32 {
            let properties = PublishProperties {
                response_topic: Some("me/pong".to_owned()),
                correlation_data: Some(number.to_string().into()),
                ..PublishProperties::default()
            };
            let start = Instant::now();
            client.publish_with(&topics().ping(), number.to_le_bytes(), properties);
            let pong = client.message("me/pong");
            times.push(start.elapsed());
            assert_eq!(pong.payload, number.to_le_bytes().as_slice());
            let correlation = pong
                .properties
                .and_then(|properties| properties.correlation_data);
            assert_eq!(correlation.as_deref(), Some(number.to_string().as_bytes()));
        }
        times.sort();
        println!(
            "ping over {}: median {:?}, 99 % {:?}",
            broker.name(),
            times[100],
            times[197]
        );
        client.publish(&topics().ping(), "x");
        assert_eq!(client.message(&topics().pong()).payload, "x");
        client.publish(&topics().cancel(), "all");
        assert_eq!(client.answer()["finish"], "cancelled");
    });
}

/// A directory that looks like a board with all there is to be read.
fn board() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("sys/class/thermal/thermal_zone0/type", "cpu-thermal"),
        ("sys/class/thermal/thermal_zone0/temp", "61234"),
        ("sys/class/thermal/cooling_device0/type", "cpufreq-cpu0"),
        ("sys/class/thermal/cooling_device0/cur_state", "1"),
        ("sys/class/hwmon/hwmon0/power1_input", "4500000"),
    ] {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

fn start_at_home(broker: &TestBroker, board: &Path, metrics_port: Option<u16>) -> Daemon {
    Daemon::with(broker, |options| {
        options.mqtt.topics = topics().with_home_assistant("homeassistant").unwrap();
        options.board_root = board.to_owned();
        options.metrics = metrics_port.map(|port| ([127, 0, 0, 1], port).into());
    })
}

/// Home Assistant's templates are Jinja with filters of its own; what is undefined is an error here.
fn render(template: &str, payload: &[u8]) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("to_json", |value: minijinja::Value| {
        serde_json::to_string(&value).unwrap()
    });
    let value = String::from_utf8_lossy(payload);
    let value_json: Value = serde_json::from_str(&value).unwrap_or_default();
    let value_json = minijinja::Value::from(minijinja::value::Serde(value_json));
    let context = minijinja::context! { value => &value, value_json };
    environment
        .render_str(template, context)
        .unwrap_or_else(|error| panic!("{template}: {error:#} for {value}"))
}

#[test]
fn home_assistant_is_told_of_topics_that_exist_and_templates_that_hold() {
    let board = board();
    with_each_broker(|broker| {
        let mut client = TestClient::connect(broker.port());
        let _daemon = start_at_home(broker, board.path(), None);
        let config = "homeassistant/device/thinkd_oven/config";
        let document = client.json(config);
        let first_status = client.message(&topics().status());
        client.ask("say hi");
        let later_status = client.wait("a status after the answer", |publish| {
            publish.topic == topics().status().as_bytes()
                && String::from_utf8_lossy(&publish.payload).contains("first_token_ms")
        });
        let rendered = |key: &str, payload: &[u8]| {
            let template = document["components"][key]["value_template"]
                .as_str()
                .unwrap();
            render(template, payload)
        };
        for key in [
            "activity",
            "queue",
            "tokens_per_s",
            "first_token",
            "temperature",
            "power",
            "throttled",
        ] {
            for status in [&first_status, &later_status] {
                let state = rendered(key, &status.payload);
                assert!((1..=255).contains(&state.len()), "{key}: {state:?}");
            }
        }
        assert_eq!(rendered("temperature", &later_status.payload), "61.2");
        assert_eq!(rendered("throttled", &later_status.payload), "ON");
        assert_eq!(
            rendered("temperature", b"{}"),
            "None",
            "Home Assistant shows unknown"
        );
        // It comes back up, and is told again.
        client.publish("homeassistant/status", "online");
        assert_eq!(client.json(config), document);
    });
}

#[test]
fn answers_and_refusals_are_events_of_home_assistant() {
    let (broker, board) = (TestBroker::embedded(), board());
    let mut client = TestClient::connect(broker.port());
    let _daemon = start_at_home(&broker, board.path(), None);
    let document = client.json("homeassistant/device/thinkd_oven/config");
    let component = &document["components"]["answer"];
    let template = component["value_template"].as_str().unwrap();
    let event =
        |payload: &[u8]| -> Value { serde_json::from_str(&render(template, payload)).unwrap() };
    client.ask("say hi");
    let answered = event(&client.message(&topics().answer()).payload);
    assert_eq!(
        (&answered["event_type"], &answered["text"]),
        (&json!("answer"), &json!("hi"))
    );
    client.ask(r#"{"prompt": 1}"#);
    let refused = event(&client.message(&topics().answer()).payload);
    assert_eq!(
        (&refused["event_type"], &refused["code"]),
        (&json!("error"), &json!("bad_request"))
    );
    let text = "\u{1f600}".repeat(9000);
    let long = json!({"status": "ok", "id": "k", "finish": "stop", "text": text});
    let attributes = render(template, long.to_string().as_bytes());
    assert!(attributes.len() < 16 * 1024, "{} bytes", attributes.len());
    let available = document["availability"][0]["value_template"]
        .as_str()
        .unwrap();
    for (state, shown) in [
        ("online", "online"),
        ("offline", "offline"),
        ("failed: x", "offline"),
    ] {
        assert_eq!(render(available, state.as_bytes()), shown);
    }
}

#[test]
fn prometheus_reads_what_was_done() {
    let broker = TestBroker::embedded();
    let (board, port) = (board(), free_port());
    let mut client = TestClient::connect(broker.port());
    let _daemon = start_at_home(&broker, board.path(), Some(port));
    client.state("online");
    client.ask("say hi");
    assert_eq!(text(&client.answer()), "hi");
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        if reply.contains("\nthinkd_answers_total 1\n") {
            assert!(
                reply.contains("\nthinkd_temperature_celsius 61.2\n"),
                "{reply}"
            );
            assert!(
                reply.contains("\nthinkd_time_to_first_token_seconds_count 1\n"),
                "{reply}"
            );
            return;
        }
        assert!(Instant::now() < deadline, "{reply}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
