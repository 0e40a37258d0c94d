//! The daemon as its service manager sees it: a worker that hangs is noticed, and ended, and nothing is lost.
//!
//! `strace` holds one thread, the worker, in its next system call; all others run on.

use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::daemon::{Daemon, Surroundings};
use crate::scenarios::{askers, check, outcomes, paced, plans};
use crate::tracer::Tracer;
use crate::{Dice, Extent, mosquitto};

/// What the unit says in WatchdogSec=, and here less.
const PERIOD: Duration = Duration::from_secs(3);

struct Manager {
    socket: UnixDatagram,
    directory: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        Self { socket, directory }
    }

    fn surroundings(&self) -> Surroundings {
        let socket = self.directory.path().join("notify").display().to_string();
        let environment = [
            ("NOTIFY_SOCKET", socket),
            ("WATCHDOG_USEC", PERIOD.as_micros().to_string()),
        ];
        Surroundings {
            environment: environment
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            ..Surroundings::default()
        }
    }

    /// Waits for a sign of life, for so long at most.
    fn is_fed_within(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut buffer = [0; 4096];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            self.socket.set_read_timeout(Some(left)).unwrap();
            if let Ok(length) = self.socket.recv(&mut buffer)
                && buffer[..length]
                    .split(|&byte| byte == b'\n')
                    .any(|line| line == b"WATCHDOG=1")
            {
                return true;
            }
        }
    }

    /// Watches for a while as the service manager does: no period without a sign of life. Gives how many there were.
    fn watch(&self, what: &str) -> usize {
        let end = Instant::now() + 2 * PERIOD;
        let mut count = 0;
        while Instant::now() < end {
            assert!(
                self.is_fed_within(PERIOD),
                "no sign of life while it {what}"
            );
            count += 1;
        }
        count
    }
}

#[test]
fn a_worker_that_hangs_starves_the_watchdog_and_loses_nothing() {
    let Some(broker) = mosquitto() else { return };
    if !Tracer::is_there() {
        return;
    }
    let hangs = Extent::asked_for().count(2, 30);
    let begun = Instant::now();
    let manager = Manager::new();
    let mut daemon = Daemon::within(manager.surroundings(), broker.port(), &[]);
    daemon.wait_until_it_listens();
    let idle = manager.watch("is idle");
    // As many as it can answer meanwhile.
    let mut endless = plans(broker.port(), 1, usize::MAX, 8, None);
    endless[0].name = "endless".to_owned();
    endless[0].patience = 2 * PERIOD + Duration::from_secs(1);
    let computing = askers(endless);
    let busy = manager.watch("computes");
    let computed = outcomes(computing)[0].answers.len();
    let prompts = 8 * (4 + 4 * hangs);
    let (asking, allowed) = paced(plans(broker.port(), 8, prompts, 4, None));
    let mut slowest = Duration::ZERO;
    let mut dice = Dice::new(7);
    for _ in 0..hangs {
        daemon.wait_until_it_listens();
        std::thread::sleep(Duration::from_millis(dice.roll(500)));
        let worker = daemon.thread("worker");
        let tracer = Tracer::attach(&["-e", "inject=all:delay_enter=3600s"], worker);
        let hung = Instant::now();
        allowed.fetch_add(4, Ordering::Relaxed);
        while manager.is_fed_within(PERIOD) {
            assert!(
                hung.elapsed() < 4 * PERIOD,
                "it is fed while the worker hangs"
            );
        }
        slowest = slowest.max(hung.elapsed());
        // The rest of it lives: a service manager sees no other sign.
        assert!(daemon.is_running());
        daemon.signal(Signal::SIGABRT);
        // It cannot go while its thread is looked at.
        std::thread::sleep(Duration::from_millis(100));
        drop(tracer);
        let status = daemon.wait();
        assert_eq!(status.signal(), Some(Signal::SIGABRT as i32));
        daemon.start_again();
        assert!(
            manager.is_fed_within(10 * PERIOD),
            "no sign of life after a start"
        );
    }
    let scenario = format!(
        "a worker that hung {hangs} times, noticed after {:.1} watchdog periods at most and ended by SIGABRT ({idle} \
         signs of life in 2 periods idle, {busy} with {computed} answers)",
        slowest.as_secs_f64() / PERIOD.as_secs_f64()
    );
    check(&scenario, &outcomes(asking), &daemon, begun);
}
