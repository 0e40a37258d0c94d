//! Faults: the daemon is killed, the broker is killed, the wire is cut, the disk is full, the clock jumps, the worker
//! hangs, payloads are nonsense, and no prompt is lost.
//!
//! The program itself, with the shipped model, beside mosquitto. A short form runs with the other tests; the full counts
//! take an hour or two:
//!
//! ```sh
//! THINKD_FAULTS=full cargo test --release --test faults -- --nocapture --test-threads 1
//! ```
//! Each scenario prints one line of figures, and fails where a promise is broken: every prompt has an answer, no id has
//! two different ones, nothing is computed again after its answer was seen, and each client's answers come in order.
//!
//! | file | what is done to the daemon | needs, or is skipped |
//! |---|---|---|
//! | `scenarios` | it, the broker and the wire are stopped, killed, cut; many ask at once | mosquitto |
//! | `disk` | its disk is full, read-only, failing, damaged | a mount namespace of our own, `strace` |
//! | `clock` | its clock is set by days | `faketime` |
//! | `watchdog` | its worker hangs | `strace` |
//! | `flood` | nonsense, payloads too large, a client that never reads | |
//! | `restart` | it is killed between the turns of a session, and again and again over one prompt | mosquitto |

#![cfg(feature = "embedded-broker")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what they skip"
)]

mod asker;
mod clock;
mod daemon;
mod disk;
mod ear;
mod flood;
mod restart;
mod scenarios;
mod tracer;
mod watchdog;
#[allow(dead_code, reason = "each test file uses its part of what they share")]
#[path = "../support"]
mod support {
    pub(crate) mod broker;
    pub(crate) mod emulator;
    pub(crate) mod proxy;
}

use support::broker::TestBroker;

/// How often a fault happens: a short form for every run of the tests, or all that was promised.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) is_full: bool,
}

impl Extent {
    pub(crate) fn asked_for() -> Self {
        let is_full = std::env::var("THINKD_FAULTS").is_ok_and(|word| word == "full");
        Self { is_full }
    }

    pub(crate) fn count(self, short: usize, full: usize) -> usize {
        if self.is_full { full } else { short }
    }
}

/// Whether the tests run under an emulator (`cross/test-as.sh`): to kill that tells nothing of the daemon. Says so.
pub(crate) fn is_emulated() -> bool {
    let is_emulated = support::emulator::is_emulated();
    if is_emulated {
        println!("skipped: the daemon would run under an emulator");
    }
    is_emulated
}

/// Mosquitto as it is to be set up where prompts count: what is queued is written at every change.
pub(crate) fn mosquitto() -> Option<TestBroker> {
    let settings = "allow_anonymous true\nautosave_interval 1\nautosave_on_changes true\nmax_queued_messages 0\n";
    (!is_emulated()).then(|| TestBroker::mosquitto_with(|_| settings.to_owned()))?
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}
