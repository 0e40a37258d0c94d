//! What time it is for what is stored: the board's clock as it was when the first process since the board's start looked.
//!
//! Clocks are set while they run, by hours where a board has no battery for one, and what is stored says how old it is.
//! So within one start of the board all processes go by the time since then, and nothing is too late, or forgotten, or
//! asked again because the clock was set. Over a start of the board there is only its clock to go by.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::mqtt::milliseconds;

/// Says at what time the board started, beside the store.
const FILE: &str = "clock";

/// A clock that is never set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    at: Instant,
    unix_ms: u64,
}

impl Clock {
    /// It is `unix_ms` milliseconds since 1970 at `at`.
    pub(super) fn new(at: Instant, unix_ms: u64) -> Self {
        Self { at, unix_ms }
    }

    /// It is `now`, and as late as the processes before us would say who kept their things in `directory`, since the
    /// board started. `root` stands before `/proc`.
    pub(super) fn start(now: Instant, directory: Option<&Path>, root: &Path) -> Self {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let unix_ms = milliseconds(since_1970);
        let agreed = directory.and_then(|directory| agree(unix_ms, directory, root));
        Self::new(now, agreed.unwrap_or(unix_ms))
    }

    /// When this clock was started, milliseconds since 1970.
    pub(super) fn started_ms(&self) -> u64 {
        self.unix_ms
    }

    /// What it says at `now`.
    pub(super) fn unix_ms(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.at);
        self.unix_ms.saturating_add(milliseconds(passed))
    }

    /// When it was `unix_ms`; its start where that lies ahead.
    pub(super) fn instant(&self, unix_ms: u64) -> Instant {
        let age = Duration::from_millis(self.unix_ms.saturating_sub(unix_ms));
        self.at.checked_sub(age).unwrap_or(self.at)
    }
}

/// What `directory` says of the time; where it says nothing of this start of the board, it is told that it is `unix_ms`.
fn agree(unix_ms: u64, directory: &Path, root: &Path) -> Option<u64> {
    let boot = fs::read_to_string(root.join("proc/sys/kernel/random/boot_id")).ok()?;
    let boot = boot.trim();
    let uptime = fs::read_to_string(root.join("proc/uptime")).ok()?;
    let seconds: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let up_ms = milliseconds(Duration::try_from_secs_f64(seconds).ok()?);
    let path = directory.join(FILE);
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let started_ms = kept
        .split_once(' ')
        .filter(|(of, _)| *of == boot)
        .and_then(|(_, started_ms)| started_ms.trim().parse::<u64>().ok());
    if let Some(started_ms) = started_ms {
        return Some(started_ms.saturating_add(up_ms));
    }
    let started_ms = unix_ms.saturating_sub(up_ms);
    if let Err(error) = replace(&path, &format!("{boot} {started_ms}\n")) {
        tracing::warn!(%error, "The time cannot be kept: a clock that is set may make prompts late.");
    }
    None
}

/// Writes a file whole or not at all.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A board that started as `boot`, so many seconds ago.
    fn board(boot: &str, seconds: u64) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let random = root.path().join("proc/sys/kernel/random");
        fs::create_dir_all(&random).unwrap();
        fs::write(random.join("boot_id"), format!("{boot}\n")).unwrap();
        let uptime = format!("{seconds}.25 17.00\n");
        fs::write(root.path().join("proc/uptime"), uptime).unwrap();
        root
    }

    #[test]
    fn a_clock_that_is_set_between_two_processes_changes_nothing() {
        const DAY: u64 = 86_400_000;
        let directory = tempfile::tempdir().unwrap();
        let at = |unix_ms, boot, seconds| {
            agree(unix_ms, directory.path(), board(boot, seconds).path()).unwrap_or(unix_ms)
        };
        let first = at(100 * DAY, "a", 50);
        assert_eq!(first, 100 * DAY);
        assert_eq!(at(101 * DAY, "a", 60), first + 10_000, "a day ahead");
        assert_eq!(at(99 * DAY, "a", 70), first + 20_000, "a day behind");
        assert_eq!(at(102 * DAY, "b", 5), 102 * DAY, "the board started again");
        assert_eq!(at(7 * DAY, "b", 6), 102 * DAY + 1_000);
    }

    #[test]
    fn what_is_kept_may_be_anything() {
        let directory = tempfile::tempdir().unwrap();
        for kept in ["", "a", "a ", "a b", "a -1", "\n\n"] {
            fs::write(directory.path().join(FILE), kept).unwrap();
            let root = board("a", 1);
            assert_eq!(
                agree(9_000, directory.path(), root.path()),
                None,
                "{kept:?}"
            );
            assert_eq!(agree(0, directory.path(), root.path()), Some(9_000));
        }
    }

    #[test]
    fn without_a_place_to_keep_it_or_a_board_that_tells_the_clock_holds() {
        let directory = tempfile::tempdir().unwrap();
        let nowhere = directory.path().join("not/there");
        assert_eq!(agree(9, directory.path(), &nowhere), None);
        assert_eq!(agree(9, &nowhere, board("a", 1).path()), None);
    }

    #[test]
    fn what_lies_ahead_is_now() {
        let now = Instant::now();
        let clock = Clock::new(now, 10_000);
        assert_eq!(
            clock.instant(9_000),
            now.checked_sub(Duration::from_secs(1)).unwrap()
        );
        assert_eq!(clock.instant(11_000), now);
        assert_eq!(clock.unix_ms(now + Duration::from_secs(2)), 12_000);
    }
}
