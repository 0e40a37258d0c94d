//! One line on a terminal that says how far it is.

use std::io::Write;
use std::time::{Duration, Instant};

/// Writes the line, over itself and not too often; nothing where there is no terminal.
pub(super) struct Progress<'w> {
    out: Option<&'w mut dyn Write>,
    total: usize,
    done: usize,
    right: usize,
    started: Instant,
    shown: Option<Instant>,
}

impl<'w> Progress<'w> {
    pub(super) fn new(out: Option<&'w mut dyn Write>, total: usize) -> Self {
        Self {
            out,
            total,
            done: 0,
            right: 0,
            started: Instant::now(),
            shown: None,
        }
    }

    /// One more has been answered.
    pub(super) fn answered(&mut self, right: bool) {
        self.done += 1;
        self.right += usize::from(right);
        self.show();
    }

    /// Brings the line up to date where the last time is long enough ago.
    pub(super) fn show(&mut self) {
        if self.shown.is_some_and(|shown| shown.elapsed() < SHOW_EVERY) {
            return;
        }
        if let Some(out) = &mut self.out {
            let line = line(self.done, self.total, self.right, self.started.elapsed());
            // Where the terminal is gone there is nobody left to tell.
            write!(out, "\r{line}{ERASE_REST}").ok();
            out.flush().ok();
            self.shown = Some(Instant::now());
        }
    }
}

/// The line makes room for what comes after, be it a report or an error.
impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let (Some(out), Some(_)) = (&mut self.out, self.shown) {
            write!(out, "\r{ERASE_REST}").ok();
            out.flush().ok();
        }
    }
}

/// At most 79 characters for up to 99,999 problems in 99 hours, so that it fits every terminal.
fn line(done: usize, total: usize, right: usize, elapsed: Duration) -> String {
    let filled = BAR_WIDTH * done / total.max(1);
    let bar = format!("{}{}", "#".repeat(filled), "-".repeat(BAR_WIDTH - filled));
    let elapsed_clock = clock(elapsed);
    if done == 0 {
        return format!("[{bar}] {done}/{total}  {elapsed_clock}");
    }
    let percent = 100 * right / done;
    let left = elapsed.div_f64(done as f64).mul_f64((total - done) as f64);
    let left_clock = clock(left);
    format!("[{bar}] {done}/{total}  {percent} % right  {elapsed_clock}, {left_clock} left")
}

/// Hours only where there are any.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

const BAR_WIDTH: usize = 24;

/// Few enough to cost nothing, often enough to look alive.
const SHOW_EVERY: Duration = Duration::from_millis(100);

const ERASE_REST: &str = "\u{1b}[K";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is_and_how_long_it_takes() {
        for (done, total, right, seconds, shown) in [
            (0, 8, 0, 3, "[------------------------] 0/8  0:03"),
            (
                2,
                8,
                1,
                60,
                "[######------------------] 2/8  50 % right  1:00, 3:00 left",
            ),
            (
                8,
                8,
                8,
                3601,
                "[########################] 8/8  100 % right  1:00:01, 0:00 left",
            ),
        ] {
            assert_eq!(
                line(done, total, right, Duration::from_secs(seconds)),
                shown
            );
        }
        let longest = line(49_999, 99_999, 49_999, Duration::from_secs(99 * 3600));
        assert!(longest.len() < 80, "{longest}");
    }

    #[test]
    fn it_is_not_written_more_often_than_can_be_seen_and_leaves_no_trace() {
        let mut out = Vec::new();
        let mut progress = Progress::new(Some(&mut out), 1000);
        for _ in 0..1000 {
            progress.answered(true);
        }
        let shown_max = 1 + progress.started.elapsed().as_millis() / SHOW_EVERY.as_millis();
        drop(progress);
        let text = String::from_utf8(out).unwrap();
        let shown = text.matches("\r[").count();
        assert!(shown as u128 <= shown_max, "{shown} of {shown_max}");
        assert!(text.starts_with("\r["), "{text}");
        assert!(text.ends_with("\r\u{1b}[K"), "{text}");
    }

    #[test]
    fn nothing_is_written_where_there_is_no_terminal() {
        let mut progress = Progress::new(None, 1);
        progress.show();
        progress.answered(true);
        assert!(progress.shown.is_none());
    }
}
