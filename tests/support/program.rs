//! Starts a program the way the tests themselves were started: on this machine, or emulated.

use std::ffi::OsStr;
use std::process::Command;

/// The emulator the tests run under, with its arguments; set by `cross/test-as.sh`.
const RUNNER: &str = "THINKD_TEST_RUNNER";

/// The program at `path`, under the emulator where there is one.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let mut words = runner.split_whitespace();
    let Some(emulator) = words.next() else {
        return Command::new(path);
    };
    let mut command = Command::new(emulator);
    command.args(words).arg(path);
    command
}
