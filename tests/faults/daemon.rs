//! The program as a process that can be killed and started again with the same state.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// What the daemon is called.
pub(crate) const DEVICE: &str = "faulty";

/// What is round the daemon, and not a setting of its own.
#[derive(Default)]
pub(crate) struct Surroundings {
    /// Words before the program's name.
    pub(crate) before: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Where its state is; in a directory of its own, if not said.
    pub(crate) state: Option<PathBuf>,
    /// The broker as the settings have it; the one at the port, if not said.
    pub(crate) broker: Option<String>,
}

pub(crate) struct Daemon {
    child: Option<Child>,
    directory: tempfile::TempDir,
    port: u16,
    settings: Vec<String>,
    surroundings: Surroundings,
    starts: usize,
}

impl Daemon {
    /// Starts the daemon with a state of its own.
    pub(crate) fn start(broker_port: u16, settings: &[&str]) -> Self {
        Self::within(Surroundings::default(), broker_port, settings)
    }

    /// As [`Self::start`], with something round it.
    pub(crate) fn within(surroundings: Surroundings, broker_port: u16, settings: &[&str]) -> Self {
        let mut daemon = Self {
            child: None,
            directory: tempfile::tempdir().unwrap(),
            port: broker_port,
            settings: settings.iter().map(|&text| text.to_owned()).collect(),
            surroundings,
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
        let words = self.surroundings.before.iter().map(String::as_str);
        let mut words = words.chain([env!("CARGO_BIN_EXE_thinkd")]);
        let mut command = Command::new(words.next().unwrap());
        let broker = self.surroundings.broker.clone();
        command
            .args(words)
            .args(["serve", "--device", DEVICE, "--broker"])
            .arg(broker.unwrap_or_else(|| format!("mqtt://127.0.0.1:{}", self.port)))
            .arg("--set")
            .arg(format!("store.directory={}", self.state().display()))
            .args(["--set", "mqtt.keep_alive_seconds=5"])
            .args(["--set", "log.format=json", "--set", "engine.threads=1"])
            .args(["--set", "model.packed_cache=off"])
            .args(self.settings.iter().flat_map(|setting| ["--set", setting]))
            .current_dir(root)
            .env_clear()
            // For what stands before the program.
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("THINKD_CONFIG", root.join("systemd/config.toml"))
            .envs(self.surroundings.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    pub(crate) fn state(&self) -> PathBuf {
        let own = || self.directory.path().join("state");
        self.surroundings.state.clone().unwrap_or_else(own)
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
        self.signal(Signal::SIGTERM);
        self.wait().code()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.id()).unwrap()), signal).unwrap();
    }

    /// Waits for its end, as long as it takes.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.take().unwrap().wait().unwrap()
    }

    /// Its number among the processes.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// The number of its thread called `name`.
    pub(crate) fn thread(&self, name: &str) -> u32 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id())).unwrap();
        let is_it = |path: &PathBuf| {
            fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name)
        };
        let mut paths = threads.map(|entry| entry.unwrap().path());
        let path = paths.find(is_it).unwrap();
        path.file_name().unwrap().to_string_lossy().parse().unwrap()
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
        let id = self.id();
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
        let id = self.id();
        let io = fs::read_to_string(format!("/proc/{id}/io")).unwrap();
        let line = io
            .lines()
            .find(|line| line.starts_with("write_bytes:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Seconds of processor time so far.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let id = self.id();
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

    /// How often it has said `message`, over all its starts.
    pub(crate) fn said(&self, message: &str) -> usize {
        let log = self.log();
        log.iter().filter(|line| line["message"] == message).count()
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
        if std::thread::panicking() {
            let log = self.raw_log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(30)..];
            println!("the last it said:\n{}", last.join("\n"));
        }
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
