//! What a client gets for what it publishes: answers, pieces, coded errors; against every broker there is.

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

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use rumqttc::v5::mqttbytes::v5::PublishProperties;
use serde_json::json;
use support::broker::{TestBroker, has_program, with_each_broker};
use support::client::{TestClient, code, text};
use support::daemon::{Daemon, topics};
use thinkd::service::Code;
use thinkd::service::mqtt::{
    Question, Reply, Requester, RequesterError, RequesterOptions, TemplateSpec, Templates,
};

/// A daemon that listens, and a client.
fn start(broker: &TestBroker) -> (Daemon, TestClient) {
    let mut client = TestClient::connect(broker.port());
    let daemon = Daemon::start(broker);
    client.state("online");
    (daemon, client)
}

#[test]
fn answers_plain_text() {
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        client.ask("say 4");
        assert_eq!(client.message(&topics().answer_text()).payload, "4");
        let answer = client.answer();
        assert_eq!(answer["status"], "ok");
        assert_eq!(
            (text(&answer), answer["finish"].as_str()),
            ("4", Some("stop"))
        );
        assert_eq!(answer["thought"], "what to say");
        assert_eq!(
            answer["usage"],
            json!({"prompt": 3, "thought": 3, "answer": 2})
        );
        assert_eq!(answer["model"], "scripted");
    });
}

#[test]
fn honours_response_topic_and_correlation_data() {
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        let properties = PublishProperties {
            response_topic: Some("my/answers".to_owned()),
            correlation_data: Some("c1".into()),
            ..PublishProperties::default()
        };
        client.publish_with(&topics().ask(), "say hello", properties.clone());
        let message = client.message("my/answers");
        let received = message.properties.unwrap();
        assert_eq!(received.correlation_data, properties.correlation_data);
        assert_eq!(received.content_type.as_deref(), Some("application/json"));
        client.publish_with(&topics().ask(), "{}", properties);
        assert_eq!(
            code(&client.json("my/answers")),
            "bad_request",
            "errors go there too"
        );
        assert!(client.unread(&topics().answer()).is_empty());
    });
}

#[test]
fn honours_the_reply_topic_of_the_payload() {
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        client.ask(r#"{"id":"k1","prompt":"say hi","reply_to":"my/answers","think":"hide"}"#);
        let answer = client.json("my/answers");
        assert_eq!((answer["id"].as_str(), text(&answer)), (Some("k1"), "hi"));
        assert!(answer.get("thought").is_none());
        client.ask(r#"{"id":"k2","prompt":"say hi","reply_to":"thinkd/other/ask"}"#);
        assert_eq!(code(&client.answer_to("k2")), "bad_request");
    });
}

#[test]
fn streams_the_pieces_before_the_answer() {
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        client.ask(r#"{"id":"k1","prompt":"say one two three","stream":true}"#);
        let mut pieces = [String::new(), String::new()];
        for index in 0.. {
            let chunk = client.json(&topics().stream("k1"));
            assert_eq!(
                (chunk["id"].as_str(), chunk["i"].as_u64()),
                (Some("k1"), Some(index))
            );
            if chunk["final"] == true {
                break;
            }
            let kind = usize::from(chunk["kind"] == "answer");
            pieces[kind].push_str(chunk["t"].as_str().unwrap());
        }
        assert_eq!(pieces, ["what to say", "one two three"]);
        assert_eq!(text(&client.answer()), "one two three");
    });
}

#[test]
fn refuses_what_it_cannot_take_and_goes_on() {
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        let oversize = "x".repeat(65_537);
        for (payload, expected) in [
            (&b"\xff\xfe\x00"[..], "bad_request"),
            (b"", "bad_request"),
            (b"{\"prompt\":", "bad_request"),
            (b"{\"prompt\":7}", "bad_request"),
            (b"{\"prompt\":\"say\",\"temprature\":1}", "bad_request"),
            (b"{\"prompt\":\" \"}", "bad_request"),
            (oversize.as_bytes(), "too_large"),
            (b"long", "too_large"),
            (b"no such thing", "internal"),
        ] {
            client.ask(payload);
            let answer = client.answer();
            assert_eq!(code(&answer), expected, "{answer}");
            assert!(answer["error"]["title"].is_string() && answer["error"]["detail"].is_string());
        }
        client.ask("say still here");
        assert_eq!(text(&client.answer()), "still here");
    });
}

#[test]
fn a_panic_of_the_model_costs_one_answer() {
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        client.ask("panic");
        client.ask("say recovered");
        assert_eq!(code(&client.answer()), "internal");
        assert_eq!(text(&client.answer()), "recovered");
    });
}

#[test]
fn cancels_the_running_and_the_waiting() {
    with_each_broker(|broker| {
        let (daemon, mut client) = start(broker);
        client.ask(r#"{"id":"k1","prompt":"wait"}"#);
        daemon.asked.wait_for("wait");
        client.ask(r#"{"id":"k2","prompt":"say never"}"#);
        client.ask(r#"{"id":"k3","prompt":"say at last"}"#);
        client.publish(&topics().cancel(), "k2");
        assert_eq!(code(&client.answer_to("k2")), "cancelled");
        client.publish(&topics().cancel(), "k1");
        let answer = client.answer_to("k1");
        assert_eq!(
            (text(&answer), answer["finish"].as_str()),
            ("begun", Some("cancelled"))
        );
        assert_eq!(text(&client.answer_to("k3")), "at last");
    });
}

#[test]
fn an_id_asked_again_is_computed_once() {
    with_each_broker(|broker| {
        let (daemon, mut client) = start(broker);
        let payload = r#"{"id":"k1","prompt":"say once"}"#;
        client.ask(payload);
        let first = client.message(&topics().answer()).payload;
        client.ask(payload);
        assert_eq!(
            client.message(&topics().answer()).payload,
            first,
            "byte for byte"
        );
        client.ask(r#"{"id":"k1","prompt":"say other"}"#);
        assert_eq!(code(&client.answer()), "conflict");
        assert_eq!(daemon.asked.prompts(), ["say once"]);
    });
}

#[test]
fn a_session_goes_on_and_belongs_to_its_client() {
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        client.ask(r#"{"id":"k1","session":"s","prompt":"say one"}"#);
        client.ask(r#"{"id":"k2","session":"s","prompt":"recall"}"#);
        assert_eq!(text(&client.answer_to("k2")), "say one|one|recall");
        let of_hall = topics().ask_of("hall");
        client.publish(&of_hall, r#"{"id":"k3","session":"s","prompt":"recall"}"#);
        assert_eq!(text(&client.answer_to("k3")), "recall");
        client.ask(r#"{"id":"k4","session":"s","user":"hall","prompt":"recall"}"#);
        let told = client.answer_to("k4");
        assert_eq!(text(&told), "recall|recall|recall");
    });
}

#[test]
fn an_alarm_passes_a_report_and_clients_take_turns() {
    with_each_broker(|broker| {
        let (daemon, mut client) = start(broker);
        client.ask(r#"{"id":"k0","prompt":"wait"}"#);
        daemon.asked.wait_for("wait");
        for (id, priority, user) in [
            ("l1", "low", "x"),
            ("x1", "normal", "x"),
            ("x2", "normal", "x"),
            ("y1", "normal", "y"),
            ("h1", "high", "x"),
        ] {
            client.ask(
                json!({"id": id, "priority": priority, "user": user, "prompt": format!("say {id}")})
                    .to_string(),
            );
        }
        assert_eq!(
            text(&client.answer_to("h1")),
            "h1",
            "though another is under way"
        );
        while client.json(&topics().status())["queue"]["jobs"] != 4 {}
        client.publish(&topics().cancel(), "k0");
        client.answer_to("l1");
        assert_eq!(
            daemon.asked.prompts(),
            ["wait", "say h1", "say x1", "say y1", "say x2", "say l1"]
        );
    });
}

#[test]
fn a_template_is_asked_with_its_variables_alone() {
    with_each_broker(|broker| {
        let mut client = TestClient::connect(broker.port());
        let _daemon = Daemon::with(broker, |options| {
            let spec = TemplateSpec {
                prompt: "say {{ room }} is {{ celsius }} degrees".to_owned(),
                ..TemplateSpec::default()
            };
            let specs = [("alarm".to_owned(), spec)].into();
            options.requests.templates = Templates::new(specs).unwrap();
        });
        client.state("online");
        client.ask(r#"{"id":"k1","template":"alarm","vars":{"room":"hall","celsius":81.5}}"#);
        assert_eq!(text(&client.answer_to("k1")), "hall is 81.5 degrees");
        client.ask(r#"{"id":"k2","template":"alarm","vars":{"room":"hall"}}"#);
        let answer = client.answer_to("k2");
        assert_eq!(code(&answer), "bad_request");
        let detail = answer["error"]["detail"].as_str().unwrap();
        assert!(
            detail.ends_with("its variables are celsius, room"),
            "{detail}"
        );
    });
}

#[test]
fn deadlines_end_the_running_and_drop_the_waiting() {
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        client.ask(r#"{"id":"k1","prompt":"wait","deadline_s":1}"#);
        client.ask(r#"{"id":"k2","prompt":"say late","deadline_s":0.1}"#);
        assert_eq!(code(&client.answer_to("k2")), "expired");
        assert_eq!(client.answer_to("k1")["finish"], "deadline");
    });
}

#[test]
fn a_full_queue_is_said_at_once_to_those_whose_prompt_nobody_keeps() {
    with_each_broker(|broker| {
        let mut client = TestClient::connect(broker.port());
        let daemon = Daemon::with(broker, |options| {
            options.queue.jobs_max = 1;
            if broker.is_volatile() {
                // This broker makes quality of service 1 of 0, and looks at no receive maximum.
                options.mqtt.receive_max = 1;
                options.requests.payload_bytes_max = 64;
                options.queue.bytes_max = 64;
            }
        });
        client.state("online");
        client.ask("wait");
        daemon.asked.wait_for("wait");
        client.ask(r#"{"id":"k1","prompt":"say waiting"}"#);
        client.ask(r#"{"id":"k3","prompt":"say kept by the broker"}"#);
        client.ask_once(r#"{"id":"k2","prompt":"say too many"}"#);
        let answer = client.answer_to("k2");
        assert_eq!(code(&answer), "queue_full");
        assert!(answer["error"]["retry_after_s"].as_u64().unwrap() >= 1);
        client.publish(&topics().cancel(), "all");
        assert_eq!(code(&client.answer_to("k1")), "cancelled");
        assert_eq!(code(&client.answer_to("k3")), "cancelled");
    });
}

#[test]
fn tells_what_it_is_and_does_in_retained_documents() {
    with_each_broker(|broker| {
        let (daemon, _) = start(broker);
        let mut late = TestClient::connect(broker.port());
        late.state("online");
        let info = late.json(&topics().info());
        assert_eq!(info["model"], "scripted");
        assert_eq!(info["limits"]["payload_bytes"], 65_536);
        late.ask(r#"{"id":"k1","prompt":"wait"}"#);
        daemon.asked.wait_for("wait");
        let is_busy =
            |status: &serde_json::Value| status["state"] == "busy" && status["job"] == "k1";
        while !is_busy(&late.json(&topics().status())) {}
        late.publish(&topics().cancel(), "all");
    });
}

#[test]
fn the_requester_yields_pieces_and_the_answer() {
    with_each_broker(|broker| {
        let (_daemon, _) = start(broker);
        let mut requester = Requester::connect(&requester_options(broker)).unwrap();
        let mut pieces = [String::new(), String::new()];
        let mut finished = None;
        for reply in requester.ask(&Question::new("say one two")).unwrap() {
            match reply.unwrap() {
                Reply::Thought(text) => pieces[0].push_str(&text),
                Reply::Answer(text) => pieces[1].push_str(&text),
                Reply::Finished(answer) => finished = Some(answer.text),
            }
        }
        assert_eq!(pieces, ["what to say", "one two"]);
        assert_eq!(finished.as_deref(), Some("one two"));
        let outcome = requester
            .ask(&Question::new("long"))
            .unwrap()
            .last()
            .unwrap();
        assert!(
            matches!(outcome, Err(RequesterError::Refused(error)) if error.code == Code::TooLarge)
        );
    });
}

#[test]
fn the_requester_says_when_no_daemon_is_there() {
    with_each_broker(|broker| {
        let mut requester = Requester::connect(&requester_options(broker)).unwrap();
        let outcome = requester
            .ask(&Question::new("say hi"))
            .unwrap()
            .last()
            .unwrap();
        assert!(
            matches!(outcome, Err(RequesterError::Offline { .. })),
            "{outcome:?}"
        );
    });
}

fn requester_options(broker: &TestBroker) -> RequesterOptions {
    RequesterOptions {
        host: "127.0.0.1".to_owned(),
        port: broker.port(),
        credentials: None,
        tls: None,
        topics: topics(),
        connect_timeout: Duration::from_secs(10),
        answer_timeout: Duration::from_secs(10),
    }
}

/// What people type: MQTT 3.1.1, no properties.
#[test]
fn the_mosquitto_clients_are_answered() {
    if !has_program("mosquitto_sub") || !has_program("mosquitto_pub") {
        return;
    }
    with_each_broker(|broker| {
        let (_daemon, mut client) = start(broker);
        for version in ["311", "5"] {
            let port = broker.port().to_string();
            let common = ["-h", "127.0.0.1", "-p", &port, "-V", version];
            let reply_to = format!("my/answers/{version}");
            publish(&common, &["-r", "-t", "retained", "-m", "ready"]);
            let mut subscriber = Command::new("mosquitto_sub")
                .args(common)
                .args(["-C", "2", "-W", "20", "-t", "retained", "-t", &reply_to])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(subscriber.stdout.take().unwrap()).lines();
            assert_eq!(lines.next().unwrap().unwrap(), "ready", "it listens");
            let ask = json!({"prompt": format!("say hi {version}"), "reply_to": reply_to});
            publish(&common, &["-t", &topics().ask(), "-m", &ask.to_string()]);
            let line = lines.next().unwrap().unwrap();
            assert!(
                line.contains(&format!("\"text\":\"hi {version}\"")),
                "{line}"
            );
            assert!(subscriber.wait().unwrap().success());
            client.message(&reply_to);
        }
    });
}

fn publish(common: &[&str], what: &[&str]) {
    let published = Command::new("mosquitto_pub")
        .args(common)
        .args(["-q", "1"])
        .args(what)
        .status();
    assert!(published.unwrap().success());
}
