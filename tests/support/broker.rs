//! Brokers to test against: the embedded one, and mosquitto where it is installed. All on loopback, on free ports.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use thinkd::service::broker::{Broker, BusyPort, Options};

/// A broker that runs until it is dropped.
pub(crate) enum TestBroker {
    Embedded(
        #[expect(dead_code, reason = "kept for its drop")] Broker,
        u16,
    ),
    Mosquitto(Mosquitto),
}

pub(crate) struct Mosquitto {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl TestBroker {
    pub(crate) fn embedded() -> Self {
        Self::embedded_on(0)
    }

    pub(crate) fn embedded_on(port: u16) -> Self {
        let options = Options {
            port,
            on_busy_port: BusyPort::Fail,
            ..Options::default()
        };
        let broker = Broker::start(&options).unwrap();
        let port = broker.address().port();
        Self::Embedded(broker, port)
    }

    /// Mosquitto, where it is installed; says so where it is not.
    pub(crate) fn mosquitto() -> Option<Self> {
        Self::mosquitto_with(|_| "allow_anonymous true\n".to_owned())
    }

    /// The same, with what `settings` says for its directory: who may do what, certificates.
    pub(crate) fn mosquitto_with(settings: impl FnOnce(&Path) -> String) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let path = directory.path().display();
        // The user is only looked at when root starts it.
        let configuration = format!(
            "listener {port} 127.0.0.1\nuser root\nset_tcp_nodelay true\npersistence true\n\
             persistence_location {path}/\nlog_dest none\n{}",
            settings(directory.path())
        );
        fs::write(directory.path().join("mosquitto.conf"), configuration).unwrap();
        let child = start_mosquitto(&directory, port)?;
        Some(Self::Mosquitto(Mosquitto {
            child,
            port,
            directory,
        }))
    }

    /// Restarts mosquitto, which keeps sessions; the embedded broker would not.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Stops mosquitto as an administrator would, which makes it write what it keeps.
    pub(crate) fn stop(&mut self) {
        let child = &mut self.as_mosquitto().child;
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        child.wait().unwrap();
    }

    /// Kills mosquitto, which has no time to write anything.
    pub(crate) fn kill(&mut self) {
        let child = &mut self.as_mosquitto().child;
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts mosquitto again, on the same port and with what it has kept.
    pub(crate) fn start_again(&mut self) {
        let mosquitto = self.as_mosquitto();
        mosquitto.child = start_mosquitto(&mosquitto.directory, mosquitto.port).unwrap();
    }

    fn as_mosquitto(&mut self) -> &mut Mosquitto {
        match self {
            Self::Mosquitto(mosquitto) => mosquitto,
            Self::Embedded(..) => panic!("it keeps nothing over a restart"),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Embedded(_, port) => *port,
            Self::Mosquitto(mosquitto) => mosquitto.port,
        }
    }

    pub(crate) fn is_volatile(&self) -> bool {
        matches!(self, Self::Embedded(..))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Embedded(..) => "embedded",
            Self::Mosquitto(_) => "mosquitto",
        }
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        if let Self::Mosquitto(mosquitto) = self {
            mosquitto.child.kill().ok();
            mosquitto.child.wait().ok();
        }
    }
}

fn start_mosquitto(directory: &tempfile::TempDir, port: u16) -> Option<Child> {
    let file = directory.path().join("mosquitto.conf");
    let program = ["mosquitto", "/usr/sbin/mosquitto"]
        .into_iter()
        .find(|program| {
            Command::new(program)
                .arg("-h")
                .stdout(Stdio::null())
                .status()
                .is_ok()
        });
    let Some(program) = program else {
        println!("skipped: mosquitto is not installed");
        return None;
    };
    let child = Command::new(program)
        .arg("-c")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < deadline, "mosquitto does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    Some(child)
}

/// Runs `test` against each broker there is.
pub(crate) fn with_each_broker(test: impl Fn(&TestBroker)) {
    for broker in [Some(TestBroker::embedded()), TestBroker::mosquitto()]
        .into_iter()
        .flatten()
    {
        println!("with the broker: {}", broker.name());
        test(&broker);
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Whether a program can be run here; says so where it cannot.
pub(crate) fn has_program(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--help")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}
