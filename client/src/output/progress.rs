//! One line on stderr that says how far a job has come.
//!
//! It is drawn on a terminal only, and gone before anything else is printed.

use std::io::Write;
use std::time::{Duration, Instant};

use mirror_proto::v1::Progress;

use super::escape::escape;
use super::measure::{bytes, duration};

/// Drawing more often shows nothing more.
const PAUSE: Duration = Duration::from_millis(100);

/// Fits the narrowest terminal in use, so that the line never wraps.
const WIDTH: usize = 78;

#[derive(Debug)]
pub(crate) struct ProgressLine {
    is_shown: bool,
    is_drawn: bool,
    started: Instant,
    drawn_at: Option<Instant>,
}

impl ProgressLine {
    pub(crate) fn new(is_shown: bool) -> Self {
        Self { is_shown, is_drawn: false, started: Instant::now(), drawn_at: None }
    }

    pub(crate) fn draw(&mut self, progress: &Progress) {
        let is_due = self.drawn_at.is_none_or(|last| last.elapsed() >= PAUSE);
        if self.is_shown && is_due {
            let line = line(progress, self.started.elapsed());
            self.write(&format!("\r\u{1b}[K{line}"));
            self.is_drawn = true;
            self.drawn_at = Some(Instant::now());
        }
    }

    /// Shows these words until there is more progress.
    pub(crate) fn draw_words(&mut self, words: &str) {
        if self.is_shown {
            self.write(&format!("\r\u{1b}[K{words}"));
            self.is_drawn = true;
        }
    }

    pub(crate) fn clear(&mut self) {
        if self.is_drawn {
            self.write("\r\u{1b}[K");
            self.is_drawn = false;
        }
    }

    /// A terminal that is gone needs no progress.
    fn write(&mut self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        let written = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
        self.is_shown &= written.is_ok();
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

fn line(progress: &Progress, elapsed: Duration) -> String {
    let mut parts = vec![escape(&progress.step)];
    if progress.total_file_count > 0 {
        parts.push(format!("{}/{} files", progress.done_file_count, progress.total_file_count));
    }
    if progress.total_bytes > 0 {
        parts.push(format!("{} of {}", bytes(progress.done_bytes), bytes(progress.total_bytes)));
    }
    if let Some(rate) = rate(progress.done_bytes, elapsed) {
        let left = progress.total_bytes.saturating_sub(progress.done_bytes);
        parts.push(format!("{}/s", bytes(rate)));
        parts.push(format!("{} left", duration(left.div_ceil(rate))));
    }
    parts.join("  ").chars().take(WIDTH).collect()
}

/// Bytes in a second, once there is something to tell.
fn rate(done: u64, elapsed: Duration) -> Option<u64> {
    let milliseconds = u64::try_from(elapsed.as_millis()).ok()?;
    if milliseconds < 500 {
        return None;
    }
    Some(done.saturating_mul(1_000) / milliseconds).filter(|rate| *rate > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_tells_files_bytes_rate_and_what_is_left() {
        let progress = Progress {
            step: "sending".to_owned(),
            done_file_count: 12,
            total_file_count: 40,
            done_bytes: 4_000_000,
            total_bytes: 10_000_000,
        };
        assert_eq!(
            line(&progress, Duration::from_secs(2)),
            "sending  12/40 files  4.0 MB of 10 MB  2.0 MB/s  3 s left"
        );
    }

    #[test]
    fn line_says_nothing_that_is_not_known() {
        let progress = Progress { step: "looking".to_owned(), ..Progress::default() };
        assert_eq!(line(&progress, Duration::from_mins(1)), "looking");
    }

    #[test]
    fn line_never_wraps_and_obeys_no_control_character() {
        let progress =
            Progress { step: format!("\u{1b}{}", "x".repeat(500)), ..Progress::default() };
        let line = line(&progress, Duration::ZERO);
        assert_eq!(line.chars().count(), WIDTH);
        assert!(!line.contains('\u{1b}'));
    }
}
