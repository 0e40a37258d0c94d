//! TLS, client certificates and access rules at a real mosquitto. Skipped where mosquitto or openssl is missing.

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

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{Client, Event, MqttOptions};
use support::broker::{TestBroker, has_program};
use support::daemon::{Daemon, topics};
use thinkd::config::{self, Override, Sources};
use thinkd::service::mqtt::{
    Credentials, Question, Reply, Requester, RequesterOptions, Tls, TlsError, TlsFiles,
};

/// What the broker's certificate is issued for; it is reached at 127.0.0.1.
const SERVER_NAME: &str = "broker.test";

fn openssl(directory: &Path, arguments: &str) {
    let done = Command::new("openssl")
        .current_dir(directory)
        .args(arguments.split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success(), "openssl {arguments}");
}

/// An authority `ca.pem`, with certificates for the broker and a client; and another authority, `other.pem`.
fn make_certificates(directory: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    for authority in ["ca", "other"] {
        let out = format!("-keyout {authority}.key -out {authority}.pem -subj /CN={authority}");
        openssl(directory, &format!("req -x509 {key} {out}"));
    }
    for (name, extensions) in [
        (
            "server",
            format!("subjectAltName=DNS:{SERVER_NAME}\nextendedKeyUsage=serverAuth\n"),
        ),
        ("client", "extendedKeyUsage=clientAuth\n".to_owned()),
    ] {
        std::fs::write(directory.join("extensions"), extensions).unwrap();
        let out = format!("-keyout {name}.key -out {name}.csr -subj /CN=thinkd-oven");
        openssl(
            directory,
            &format!("req -new {} {out}", key.replace(" -days 2", "")),
        );
        let authority = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions";
        openssl(
            directory,
            &format!("x509 -req -in {name}.csr -out {name}.pem {authority}"),
        );
    }
}

/// A mosquitto that wants certificates of its clients, with the directory they are in.
fn encrypted_broker() -> Option<(TestBroker, tempfile::TempDir)> {
    if !has_program("openssl") {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    make_certificates(directory.path());
    let path = directory.path().display();
    let settings = format!(
        "allow_anonymous true\ncafile {path}/ca.pem\ncertfile {path}/server.pem\nkeyfile {path}/server.key\n\
         require_certificate true\n"
    );
    let broker = TestBroker::mosquitto_with(|_| settings)?;
    Some((broker, directory))
}

fn files(directory: &Path) -> TlsFiles {
    let file = |name: &str| Some(directory.join(name));
    TlsFiles {
        authorities: file("ca.pem"),
        certificate: file("client.pem"),
        key: file("client.key"),
        server_name: Some(SERVER_NAME.to_owned()),
    }
}

fn requester(broker: &TestBroker, tls: Option<Tls>) -> RequesterOptions {
    RequesterOptions {
        host: "127.0.0.1".to_owned(),
        port: broker.port(),
        credentials: None,
        tls,
        topics: topics(),
        connect_timeout: Duration::from_secs(10),
        answer_timeout: Duration::from_secs(10),
    }
}

fn ask(requester: &mut Requester, prompt: &str) -> String {
    for reply in requester.ask(&Question::new(prompt)).unwrap() {
        if let Reply::Finished(answer) = reply.unwrap() {
            return answer.text;
        }
    }
    panic!("no answer to {prompt}");
}

#[test]
fn daemon_and_requester_speak_tls_with_certificates() {
    let Some((broker, directory)) = encrypted_broker() else {
        return;
    };
    let tls = Tls::load(files(directory.path())).unwrap();
    let options = requester(&broker, Some(tls.clone()));
    let _daemon = Daemon::with(&broker, |options| options.mqtt.tls = Some(tls));
    let mut requester = Requester::connect(&options).unwrap();
    requester
        .wait_until_online(Duration::from_secs(10))
        .unwrap();
    assert_eq!(ask(&mut requester, "say hi"), "hi");
}

#[test]
fn a_broker_that_is_not_the_right_one_is_refused_with_the_reason() {
    let Some((broker, directory)) = encrypted_broker() else {
        return;
    };
    type Change = fn(&mut TlsFiles);
    let changes: [(Change, &str); 3] = [
        (
            |files| {
                let other = files.authorities.as_mut().unwrap();
                other.set_file_name("other.pem");
            },
            "mqtt.ca_file",
        ),
        (|files| files.server_name = None, "mqtt.server_name"),
        (
            |files| (files.certificate, files.key) = (None, None),
            "", // Brokers differ in what they say; that they say no is what counts.
        ),
    ];
    for (change, expected) in changes {
        let mut files = files(directory.path());
        change(&mut files);
        let tls = Tls::load(files).unwrap();
        let error = Requester::connect(&requester(&broker, Some(tls))).unwrap_err();
        println!("{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = Requester::connect(&requester(&broker, None)).unwrap_err();
    println!("without TLS: {error}");
}

#[test]
fn a_key_that_is_not_the_certificate_s_is_found_at_the_start() {
    if !has_program("openssl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    make_certificates(directory.path());
    let mut files = files(directory.path());
    files.key = Some(directory.path().join("server.key"));
    let error = Tls::load(files.clone()).unwrap_err();
    assert!(matches!(error, TlsError::Key(_)), "{error:?}");
    assert!(error.to_string().contains("does not go with"), "{error}");
    let set = |key: &str, value: &Path| Override {
        flag: "--set".to_owned(),
        key: key.to_owned(),
        value: value.display().to_string(),
    };
    let mut sources = Sources {
        hostname: "oven".to_owned(),
        flags: vec![
            set("mqtt.broker", Path::new("mqtts://broker.test")),
            set("mqtt.ca_file", files.authorities.as_ref().unwrap()),
            set(
                "mqtt.client_certificate_file",
                files.certificate.as_ref().unwrap(),
            ),
        ],
        ..Sources::default()
    };
    let message = config::load(&sources).unwrap_err().to_string();
    assert!(
        message.contains("mqtt.client_key_file: is not set"),
        "{message}"
    );
    let key = directory.path().join("client.key");
    sources.flags.push(set("mqtt.client_key_file", &key));
    let config = config::load(&sources).unwrap();
    assert!(
        config.requester_options().tls.is_some(),
        "`thinkd ask` speaks TLS, too"
    );
    let debug = format!("{config:?}");
    assert!(
        !debug.contains("PRIVATE") && !debug.contains("Pkcs8"),
        "{debug}"
    );
}

const USERS: [&str; 5] = [
    "thinkd-oven",
    "dashboard",
    "homeassistant",
    "operator",
    "panel",
];

/// A mosquitto with the access rules we recommend; each user's password is its name.
fn guarded_broker() -> Option<(TestBroker, tempfile::TempDir)> {
    if !has_program("mosquitto_passwd") {
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let rules: PathBuf = [env!("CARGO_MANIFEST_DIR"), "systemd/mosquitto-acl.example"]
        .iter()
        .collect();
    let passwords = directory.path().join("passwords");
    std::fs::write(&passwords, "").unwrap();
    for user in USERS {
        let done = Command::new("mosquitto_passwd")
            .arg("-b")
            .arg(&passwords)
            .args([user, user])
            .status()
            .unwrap();
        assert!(done.success(), "mosquitto_passwd for {user}");
    }
    let (rules, passwords) = (rules.display(), passwords.display());
    let settings = format!("allow_anonymous false\npassword_file {passwords}\nacl_file {rules}\n");
    let broker = TestBroker::mosquitto_with(|_| settings)?;
    Some((broker, directory))
}

/// Publishes as `user`, subscribed to all it may read; gives what the broker says, and what came within a moment.
fn publish_as(broker: &TestBroker, user: &str, topic: &str) -> (PubAckReason, Vec<String>) {
    let mut options = MqttOptions::new(format!("{user}-test"), "127.0.0.1", broker.port());
    options.set_credentials(user, user);
    let (client, mut connection) = Client::new(options, 16);
    client.subscribe("#", QoS::AtLeastOnce).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let (mut reason, mut seen) = (None, Vec::new());
    let mut until = deadline;
    while Instant::now() < until {
        match connection.recv_timeout(Duration::from_millis(50)) {
            Ok(Ok(Event::Incoming(Packet::SubAck(_)))) => {
                client.publish(topic, QoS::AtLeastOnce, false, "x").unwrap();
            }
            Ok(Ok(Event::Incoming(Packet::PubAck(ack)))) => {
                reason = Some(ack.reason);
                until = Instant::now() + Duration::from_millis(200);
            }
            Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                seen.push(String::from_utf8(publish.topic.to_vec()).unwrap());
            }
            Ok(Ok(_)) | Err(_) => {}
            Ok(Err(error)) => panic!("{user}: {error}"),
        }
    }
    (reason.expect("the broker says something"), seen)
}

#[test]
fn the_recommended_rules_let_each_do_its_part_and_nothing_else() {
    let Some((broker, _directory)) = guarded_broker() else {
        return;
    };
    for (user, topic, is_allowed) in [
        ("panel", "thinkd/oven/ask/panel", true),
        ("panel", "thinkd/group/kitchen/ask/panel", true),
        ("panel", "thinkd/oven/ask/dashboard", false),
        ("panel", "thinkd/oven/ask", false),
        ("panel", "thinkd/oven/cancel", false),
        ("panel", "thinkd/oven/state", false),
        ("panel", "thinkd/oven/answer", false),
        ("panel", "thinkd/oven/reply/operator", false),
        ("dashboard", "thinkd/oven/ask", false),
        ("dashboard", "thinkd/oven/ask/dashboard", false),
        ("operator", "thinkd/oven/ask", true),
        ("operator", "thinkd/oven/cancel", true),
        ("operator", "thinkd/oven/state", false),
        ("homeassistant", "thinkd/oven/ask", true),
        ("homeassistant", "thinkd/oven/answer", false),
        ("thinkd-oven", "thinkd/oven/reply/panel", true),
        ("thinkd-oven", "thinkd/fridge/ask", false),
        ("thinkd-oven", "alarm/siren", false),
    ] {
        let (reason, _) = publish_as(&broker, user, topic);
        let is_refused = reason == PubAckReason::NotAuthorized;
        assert_eq!(
            !is_refused, is_allowed,
            "{user} publishes to {topic}: {reason:?}"
        );
    }
}

#[test]
fn a_daemon_under_the_recommended_rules_is_seen_by_a_dashboard_and_answers_an_operator() {
    let Some((broker, _directory)) = guarded_broker() else {
        return;
    };
    let credentials = |user: &str| {
        Some(Credentials {
            username: user.to_owned(),
            password: user.to_owned(),
        })
    };
    let _daemon = Daemon::with(&broker, |options| {
        options.mqtt.credentials = credentials("thinkd-oven");
        let topics = topics().with_group("kitchen").unwrap();
        options.mqtt.topics = topics.with_home_assistant("homeassistant").unwrap();
    });
    let options = RequesterOptions {
        credentials: credentials("operator"),
        ..requester(&broker, None)
    };
    let mut requester = Requester::connect(&options).unwrap();
    requester
        .wait_until_online(Duration::from_secs(10))
        .unwrap();
    assert_eq!(ask(&mut requester, "say hi"), "hi");
    let (_, seen) = publish_as(&broker, "dashboard", "thinkd/dashboard");
    for topic in [topics().state(), topics().info()] {
        assert!(seen.contains(&topic), "{topic} not among {seen:?}");
    }
    let (_, seen) = publish_as(&broker, "homeassistant", "homeassistant/status");
    let config = "homeassistant/device/thinkd_oven/config".to_owned();
    assert!(seen.contains(&config), "{seen:?}");
    let (_, seen) = publish_as(&broker, "panel", "thinkd/panel");
    assert_eq!(seen, [topics().state()], "all that a panel may see");
}

#[test]
fn a_wrong_password_is_told_without_the_password() {
    let Some((broker, _directory)) = guarded_broker() else {
        return;
    };
    let options = RequesterOptions {
        credentials: Some(Credentials {
            username: "operator".to_owned(),
            password: "open sesame".to_owned(),
        }),
        ..requester(&broker, None)
    };
    let error = Requester::connect(&options).unwrap_err().to_string();
    assert!(!error.contains("sesame"), "{error}");
    assert!(!format!("{options:?}").contains("sesame"));
}
