//! The daemon as a process: signals, the service manager's socket, a kill, a model that hangs or cannot be had again.
//!
//! The process is this test program itself, told by its environment to be the daemon ([`be_the_daemon`]).

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
    pub(crate) mod program;
    pub(crate) mod scripted;
}

use std::os::unix::net::UnixDatagram;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::broker::{TestBroker, free_port, with_each_broker};
use support::client::{TestClient, code, text};
use support::daemon::{options, topics};
use support::program::program;
use support::scripted::{Asked, Scripted};
use thinkd::service::{self, ServiceError, run_until, stop_pair};

/// Tells a process of this program to be the daemon, and on which port its broker is.
const BROKER_PORT: &str = "THINKD_TEST_BROKER_PORT";

/// Not a test: what [`Process`] runs.
#[test]
#[ignore = "run by the other tests of this file, in a process of its own"]
fn be_the_daemon() {
    let Ok(port) = std::env::var(BROKER_PORT) else {
        return;
    };
    let asked = Asked::default();
    let (answerer, rebuild) = (Scripted::boxed(&asked), Scripted::rebuild(&asked));
    service::systemd::loading();
    service::run(options(port.parse().unwrap()), answerer, rebuild).unwrap();
}

/// A daemon in a process of its own, with a service manager's socket.
struct Process {
    child: Child,
    notifications: UnixDatagram,
    _directory: tempfile::TempDir,
}

impl Process {
    fn start(broker: &TestBroker, watchdog: Duration) -> Self {
        Self::start_at(broker.port(), watchdog)
    }

    fn start_at(port: u16, watchdog: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("notify");
        let notifications = UnixDatagram::bind(&socket).unwrap();
        notifications
            .set_read_timeout(Some(Duration::from_secs(15)))
            .unwrap();
        let child = program(std::env::current_exe().unwrap())
            .args(["--exact", "be_the_daemon", "--ignored", "--nocapture"])
            .env(BROKER_PORT, port.to_string())
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", watchdog.as_micros().to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            notifications,
            _directory: directory,
        }
    }

    /// The service manager's next message, or none where none came for a while.
    fn notification(&self) -> Option<String> {
        let mut buffer = [0; 4096];
        let length = self.notifications.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    fn wait_for_notification(&self, wanted: &str) {
        loop {
            let told = self
                .notification()
                .unwrap_or_else(|| panic!("{wanted} was not told"));
            if told.lines().any(|line| line.starts_with(wanted)) {
                return;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the daemon does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_signal_drains_and_the_service_manager_hears_it_all() {
    with_each_broker(|broker| {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let mut client = TestClient::connect(broker.port());
            let mut process = Process::start(broker, LONG);
            process.wait_for_notification("EXTEND_TIMEOUT_USEC=");
            process.wait_for_notification("READY=1");
            process.wait_for_notification("WATCHDOG=1");
            process.wait_for_notification("STATUS=listening on thinkd/oven/ask");
            client.state("online");
            client.ask(r#"{"id":"k1","prompt":"wait","deadline_s":1,"stream":true}"#);
            client.message(&topics().stream("k1"));
            process.signal(signal);
            process.wait_for_notification("STOPPING=1");
            assert_eq!(
                client.answer_to("k1")["finish"],
                "deadline",
                "it may finish"
            );
            client.state("offline");
            assert!(process.wait().success());
        }
    });
}

#[test]
fn a_killed_daemon_is_offline_and_the_next_answers() {
    with_each_broker(|broker| {
        let mut client = TestClient::connect(broker.port());
        let mut process = Process::start(broker, LONG);
        client.state("online");
        client.ask(r#"{"id":"k1","prompt":"wait","stream":true}"#);
        client.message(&topics().stream("k1"));
        process.signal(Signal::SIGKILL);
        assert!(!process.wait().success());
        client.state("offline");
        let process = Process::start(broker, LONG);
        client.state("online");
        // Not acknowledged before, so the broker sends it to the next one.
        client.message(&topics().stream("k1"));
        client.publish(&topics().cancel(), "k1");
        assert_eq!(client.answer_to("k1")["finish"], "cancelled");
        drop(process);
    });
}

#[test]
fn a_model_that_hangs_starves_the_watchdog() {
    let broker = TestBroker::embedded();
    let mut client = TestClient::connect(broker.port());
    let process = Process::start(&broker, Duration::from_millis(1500));
    client.state("online");
    process.wait_for_notification("WATCHDOG=1");
    client.ask(r#"{"id":"k1","prompt":"wait","stream":true}"#);
    client.message(&topics().stream("k1"));
    process.wait_for_notification("WATCHDOG=1");
    process.wait_for_notification("WATCHDOG=1");
    client.publish(&topics().cancel(), "k1");
    client.answer_to("k1");
    client.ask("hang");
    process
        .notifications
        .set_read_timeout(Some(Duration::from_secs(3)))
        .unwrap();
    let fed = |told: &String| told.contains("WATCHDOG=1");
    let last_feeds = std::iter::from_fn(|| process.notification())
        .filter(fed)
        .take(10)
        .count();
    assert!(last_feeds < 10, "it is fed while the model hangs");
}

#[test]
fn is_ready_without_a_broker() {
    let port = free_port();
    let mut process = Process::start_at(port, LONG);
    process.wait_for_notification("READY=1");
    process.wait_for_notification(&format!("STATUS=no connection to 127.0.0.1:{port}"));
    process.signal(Signal::SIGTERM);
    assert!(process.wait().success());
}

#[test]
fn a_model_that_cannot_be_had_again_ends_the_daemon() {
    with_each_broker(|broker| {
        let mut client = TestClient::connect(broker.port());
        let asked = Asked::default();
        let (_stopper, signal) = stop_pair();
        let (answerer, options) = (Scripted::boxed(&asked), options(broker.port()));
        let rebuild = Box::new(|| Err("the file is gone".to_owned()));
        let daemon = std::thread::spawn(move || run_until(options, answerer, rebuild, signal));
        client.state("online");
        client.ask("panic");
        assert_eq!(code(&client.answer()), "internal");
        client.state("failed: the file is gone");
        let outcome = daemon.join().unwrap();
        assert!(
            matches!(outcome, Err(ServiceError::ModelLost { .. })),
            "{outcome:?}"
        );
    });
}

#[test]
fn answers_before_and_after_many_bad_requests() {
    let broker = TestBroker::embedded();
    let mut client = TestClient::connect(broker.port());
    let _process = Process::start(&broker, LONG);
    client.state("online");
    for _ in 0..200 {
        client.ask("{\"prompt\":");
    }
    for _ in 0..200 {
        assert_eq!(code(&client.answer()), "bad_request");
    }
    client.ask("say fine");
    assert_eq!(text(&client.answer()), "fine");
}
