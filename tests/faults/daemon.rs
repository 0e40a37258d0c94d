//! The program as a process that can be killed and started again with the same state.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// What the daemon is called.
pub(crate) const DEVICE: &str = "faulty";

pub(crate) struct Daemon {
    child: Option<Child>,
    directory: tempfile::TempDir,
    port: u16,
    settings: Vec<String>,
    starts: usize,
}

impl Daemon {
    /// Starts the daemon with a state of its own.
    pub(crate) fn start(broker_port: u16, settings: &[&str]) -> Self {
        let mut daemon = Self {
            child: None,
            directory: tempfile::tempdir().unwrap(),
            port: broker_port,
            settings: settings.iter().map(|&text| text.to_owned()).collect(),
            starts: 0,
        };
        daemon.start_again();
        daemon
    }

    /// As [`Self::start`], and the broker knows that it wants prompts.
    pub(crate) fn listening(broker_port: u16, settings: &[&str]) -> Self {
        let daemon = Self::start(broker_port, settings);
        daemon.wait_until_it_listens();
        daemon
    }

    pub(crate) fn wait_until_it_listens(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.raw_log().contains("Listening for prompts.") {
            assert!(
                Instant::now() < deadline,
                "the daemon does not listen: {}",
                self.raw_log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn start_again(&mut self) {
        self.starts += 1;
        let log = File::create(
            self.directory
                .path()
                .join(format!("log-{:05}", self.starts)),
        )
        .unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_thinkd"));
        command
            .args(["serve", "--device", DEVICE, "--broker"])
            .arg(format!("mqtt://127.0.0.1:{}", self.port))
            .arg("--set")
            .arg(format!("store.directory={}", self.state().display()))
            .args(["--set", "mqtt.keep_alive_seconds=5"])
            .args(["--set", "log.format=json", "--set", "engine.threads=1"])
            .args(["--set", "model.packed_cache=off"])
            .args(self.settings.iter().flat_map(|setting| ["--set", setting]))
            .current_dir(root)
            .env_clear()
            .env("THINKD_CONFIG", "systemd/config.toml")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// Kills it as the kernel does when memory is short.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it as the service manager does; gives its exit status.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        kill(
            Pid::from_raw(i32::try_from(child.id()).unwrap()),
            Signal::SIGTERM,
        )
        .unwrap();
        child.wait().unwrap().code()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Waits until it ends by itself; gives its exit status.
    pub(crate) fn end_within(&mut self, patience: Duration) -> Option<i32> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.child.as_mut()?.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    pub(crate) fn resident_bytes(&self) -> u64 {
        let id = self.child.as_ref().unwrap().id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
            * 1024
    }

    /// Bytes that it has had written to disk, as the kernel counts.
    pub(crate) fn written_bytes(&self) -> u64 {
        let id = self.child.as_ref().unwrap().id();
        let io = fs::read_to_string(format!("/proc/{id}/io")).unwrap();
        let line = io
            .lines()
            .find(|line| line.starts_with("write_bytes:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Seconds of processor time so far.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let id = self.child.as_ref().unwrap().id();
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks / 100.0
    }

    /// Everything it has logged, over all its starts.
    pub(crate) fn log(&self) -> Vec<Value> {
        let mut names: Vec<PathBuf> = fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with("log-")
            })
            .collect();
        names.sort();
        let texts = names.iter().map(|path| fs::read_to_string(path).unwrap());
        texts
            .flat_map(|text| {
                text.lines()
                    .filter_map(|line| serde_json::from_str(line).ok())
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// What the last start has written.
    pub(crate) fn raw_log(&self) -> String {
        fs::read_to_string(
            self.directory
                .path()
                .join(format!("log-{:05}", self.starts)),
        )
        .unwrap()
    }

    /// When the answer to each id was computed to its end, microseconds of the day.
    pub(crate) fn inferences(&self) -> HashMap<String, Vec<u64>> {
        let mut times: HashMap<String, Vec<u64>> = HashMap::new();
        for line in self
            .log()
            .iter()
            .filter(|line| line["message"] == "Answer finished.")
        {
            let id = line["job.id"].as_str().unwrap_or_default().to_owned();
            times
                .entry(id)
                .or_default()
                .push(time_of_day(line["time"].as_str().unwrap()));
        }
        times
    }

    /// What it has said of panics.
    pub(crate) fn panics(&self) -> usize {
        let mut count = 0;
        for entry in fs::read_dir(self.directory.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                count += fs::read_to_string(path)
                    .unwrap_or_default()
                    .matches("panicked")
                    .count();
            }
        }
        count
    }
}

/// The time of `2026-11-24T10:20:30.123456Z`, microseconds of the day.
fn time_of_day(time: &str) -> u64 {
    let clock = time.split_once('T').unwrap().1.trim_end_matches('Z');
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let seconds = whole
        .split(':')
        .fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    let micros = format!("{fraction:0<6}")[..6].parse::<u64>().unwrap();
    seconds * 1_000_000 + micros
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
