//! What becomes of prompts and answers when broker or wire fail; against every broker there is.

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
    pub(crate) mod proxy;
    pub(crate) mod scripted;
}

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use support::broker::{TestBroker, free_port, with_each_broker};
use support::client::{TestClient, code, text};
use support::daemon::{Daemon, topics};
use support::proxy::Proxy;

/// A daemon behind a wire that can be cut, and a client that is not.
fn start(broker: &TestBroker) -> (Daemon, Proxy, TestClient) {
    let mut client = TestClient::connect(broker.port());
    let proxy = Proxy::start(broker.port());
    let daemon = Daemon::with(broker, |options| options.mqtt.port = proxy.port());
    client.state("online");
    (daemon, proxy, client)
}

#[test]
fn waits_for_a_broker_that_is_not_there_yet() {
    let port = free_port();
    let probe = TestBroker::embedded();
    let _daemon = Daemon::with(&probe, |options| options.mqtt.port = port);
    std::thread::sleep(Duration::from_millis(100));
    let broker = TestBroker::embedded_on(port);
    let mut client = TestClient::connect(broker.port());
    client.state("online");
    client.ask("say hi");
    assert_eq!(text(&client.answer()), "hi");
}

#[test]
fn subscribes_again_when_a_broker_lost_everything() {
    let broker = TestBroker::embedded();
    let port = broker.port();
    let daemon = Daemon::start(&broker);
    let mut client = TestClient::connect(port);
    client.state("online");
    client.ask(r#"{"id":"k1","prompt":"wait","deadline_s":1}"#);
    daemon.asked.wait_for("wait");
    drop((client, broker));
    let broker = TestBroker::embedded_on(port);
    let mut client = TestClient::connect(broker.port());
    assert_eq!(
        client.answer_to("k1")["finish"],
        "deadline",
        "what was under way is delivered"
    );
    client.state("online");
    client.ask("say again");
    assert_eq!(text(&client.answer()), "again");
}

#[test]
fn a_cut_wire_repeats_no_computation_and_loses_no_answer() {
    with_each_broker(|broker| {
        let (daemon, proxy, mut client) = start(broker);
        client.ask("wait");
        daemon.asked.wait_for("wait");
        client.ask("say waited");
        proxy.cut();
        client.state("offline");
        client.state("online");
        client.publish(&topics().cancel(), "all");
        let outcomes = [client.answer(), client.answer()];
        assert!(
            outcomes
                .iter()
                .any(|answer| answer["finish"] == "cancelled"),
            "{outcomes:?}"
        );
        assert!(
            outcomes.iter().any(|answer| answer["status"] == "error"),
            "{outcomes:?}"
        );
        client.ask("say after");
        assert_eq!(text(&client.answer()), "after");
        assert_eq!(daemon.asked.prompts(), ["wait", "say after"]);
    });
}

#[test]
fn an_answer_that_finished_without_a_wire_is_delivered_later() {
    with_each_broker(|broker| {
        let mut client = TestClient::connect(broker.port());
        let proxy = Proxy::start(broker.port());
        let daemon = Daemon::with(broker, |options| {
            options.mqtt.port = proxy.port();
            options.mqtt.backoff.first = Duration::from_millis(1500);
            options.mqtt.backoff.most = options.mqtt.backoff.first;
        });
        client.state("online");
        client.ask(r#"{"id":"k1","prompt":"wait","deadline_s":0.5}"#);
        daemon.asked.wait_for("wait");
        proxy.cut();
        client.state("offline");
        assert_eq!(client.answer_to("k1")["finish"], "deadline");
        client.ask("say after");
        assert_eq!(text(&client.answer()), "after");
        assert_eq!(daemon.asked.prompts(), ["wait", "say after"]);
    });
}

#[test]
fn a_restarted_mosquitto_repeats_what_was_not_acknowledged() {
    let Some(mut broker) = TestBroker::mosquitto() else {
        return;
    };
    let daemon = Daemon::start(&broker);
    let mut client = TestClient::connect(broker.port());
    client.state("online");
    client.ask("wait");
    daemon.asked.wait_for("wait");
    broker.restart();
    let mut client = TestClient::connect(broker.port());
    client.state("online");
    client.publish(&topics().cancel(), "all");
    assert_eq!(client.answer()["finish"], "cancelled");
    client.ask("say after");
    assert_eq!(text(&client.answer()), "after");
    assert_eq!(daemon.asked.prompts(), ["wait", "say after"]);
}

#[test]
fn a_stopped_daemon_leaves_what_waits_to_the_next() {
    let Some(broker) = TestBroker::mosquitto() else {
        return;
    };
    let daemon = Daemon::start(&broker);
    let mut client = TestClient::connect(broker.port());
    client.state("online");
    client.ask(r#"{"id":"k1","prompt":"wait","deadline_s":1}"#);
    daemon.asked.wait_for("wait");
    client.ask(r#"{"id":"k2","prompt":"say next"}"#);
    daemon.ask_to_stop();
    client.ask(r#"{"id":"k3","prompt":"say late"}"#);
    assert_eq!(
        client.answer_to("k1")["finish"],
        "deadline",
        "what is under way is finished"
    );
    client.state("offline");
    daemon.stop().unwrap();
    let next = Daemon::start(&broker);
    assert_eq!(text(&client.answer_to("k2")), "next");
    assert_eq!(text(&client.answer_to("k3")), "late");
    assert_eq!(
        next.asked.prompts(),
        ["say next", "say late"],
        "k1 was acknowledged"
    );
}

#[test]
fn a_packet_over_the_limit_starts_no_loop() {
    with_each_broker(|broker| {
        let (_daemon, _proxy, mut client) = start(broker);
        let oversize = "x".repeat(1024 * 1024 + 1);
        // The embedded broker disconnects who sends it; mosquitto does not pass it on.
        TestClient::connect(broker.port()).ask(&oversize);
        client.ask("say still here");
        assert_eq!(text(&client.answer()), "still here");
        assert!(
            client.unread(&topics().state()).is_empty(),
            "it never went offline"
        );
    });
}

#[test]
fn a_clean_stop_says_offline_and_refuses_what_the_broker_cannot_keep() {
    with_each_broker(|broker| {
        let (daemon, _proxy, mut client) = start(broker);
        client.ask("wait");
        daemon.asked.wait_for("wait");
        client.ask(r#"{"id":"k2","prompt":"say waits"}"#);
        client.ask(r#"{"id":"k3"}"#);
        assert_eq!(code(&client.answer_to("k3")), "bad_request", "now k2 waits");
        // The second request to stop cuts the answer under way short.
        daemon.ask_to_stop();
        daemon.ask_to_stop();
        daemon.stop().unwrap();
        client.state("offline");
        if broker.is_volatile() {
            assert_eq!(code(&client.answer_to("k2")), "model_unavailable");
        }
        assert_eq!(client.answer()["finish"], "cancelled");
    });
}

#[test]
fn the_embedded_broker_outlives_clients_that_misbehave() {
    let broker = TestBroker::embedded();
    let _daemon = Daemon::start(&broker);
    let mut client = TestClient::connect(broker.port());
    client.state("online");
    // MQTT 3.1.1: CONNECT with the client id `a/b`, twice; and after a good CONNECT, one packet each that would harm.
    let connect = |id: &[u8]| {
        let length = u8::try_from(12 + id.len()).unwrap();
        let id_length = u8::try_from(id.len()).unwrap();
        [
            &[
                0x10, length, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, id_length,
            ],
            id,
        ]
        .concat()
    };
    let publish = |topic: &[u8]| {
        let (length, topic_length) = (topic.len() + 3, topic.len());
        let [length, topic_length] = [length, topic_length].map(|n| u8::try_from(n).unwrap());
        [&[0x30, length, 0, topic_length], topic, b"x"].concat()
    };
    let subscribe = |filter: &[u8]| {
        let (length, filter_length) = (filter.len() + 5, filter.len());
        let [length, filter_length] = [length, filter_length].map(|n| u8::try_from(n).unwrap());
        [&[0x82, length, 0, 1, 0, filter_length], filter, &[1]].concat()
    };
    let bad: [Vec<u8>; 9] = [
        connect(b"a/b"),
        connect(b"a/b"),
        [connect(b"c1"), publish("é".as_bytes())].concat(),
        [connect(b"c2"), publish(b"")].concat(),
        [connect(b"c3"), publish(b"a/+")].concat(),
        [connect(b"c4"), subscribe(b"$share/g/x")].concat(),
        [connect(b"c5"), subscribe(b"a#b")].concat(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 64],
    ];
    for bytes in bad {
        let mut stream = TcpStream::connect(("127.0.0.1", broker.port())).unwrap();
        stream.write_all(&bytes).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let mut reply = Vec::new();
        // The end of the stream, or a reset where bytes were left unread.
        let closed = stream.read_to_end(&mut reply);
        assert!(
            closed
                .as_ref()
                .map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |_| true),
            "not disconnected after {bytes:?}: {closed:?}"
        );
    }
    client.ask("say still here");
    assert_eq!(text(&client.answer()), "still here");
}
