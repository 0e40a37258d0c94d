//! Mosquitto, stopped and killed and started again on the same port with what it has kept.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) struct Mosquitto {
    child: Option<Child>,
    program: &'static str,
    directory: tempfile::TempDir,
    port: u16,
}

impl Mosquitto {
    /// Mosquitto where it is installed; says so where it is not.
    pub(crate) fn start() -> Option<Self> {
        if crate::is_emulated() {
            return None;
        }
        let runs = |program: &&str| {
            Command::new(program)
                .arg("-h")
                .stdout(Stdio::null())
                .status()
                .is_ok()
        };
        let Some(program) = ["mosquitto", "/usr/sbin/mosquitto"].into_iter().find(runs) else {
            println!("skipped: mosquitto is not installed");
            return None;
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut broker = Self {
            child: None,
            program,
            directory: tempfile::tempdir().unwrap(),
            port,
        };
        broker.start_again();
        Some(broker)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn start_again(&mut self) {
        // The user is only looked at when root starts it. What is queued is written at every change.
        let configuration = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\nautosave_interval 1\n\
             autosave_on_changes true\nmax_queued_messages 0\npersistence_location {}/\nlog_dest none\n",
            self.port,
            self.directory.path().display()
        );
        let file = self.directory.path().join("mosquitto.conf");
        fs::write(&file, configuration).unwrap();
        let mut command = Command::new(self.program);
        command
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < deadline, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        kill(
            Pid::from_raw(i32::try_from(child.id()).unwrap()),
            Signal::SIGTERM,
        )
        .unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
