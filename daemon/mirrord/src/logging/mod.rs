//! The daemon's log: one file that rotates, panics included.
//!
//! Secrets and file contents are never logged, and the home folder reads as `~`,
//! whoever logs it.

mod rotate;

use std::backtrace::Backtrace;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;

use crate::config::LogLevel;
use crate::folders::{Folders, with_tilde};
use rotate::RotatingFile;

/// Changes how much is logged while the daemon runs.
#[derive(Clone)]
pub(crate) struct LogControl(Arc<dyn Fn(EnvFilter) + Send + Sync>);

impl std::fmt::Debug for LogControl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("LogControl")
    }
}

impl LogControl {
    /// Controls nothing.
    #[cfg(test)]
    pub(crate) fn idle() -> Self {
        Self(Arc::new(drop))
    }

    pub(crate) fn set_level(&self, level: LogLevel) {
        (self.0)(filter(level));
    }
}

/// Starts logging into the log file, which becomes another one at `max_size_mb`.
pub(crate) fn start(
    folders: &Folders,
    level: LogLevel,
    max_size_mb: u64,
) -> io::Result<LogControl> {
    let file = RotatingFile::open(folders.log_file(), max_size_mb * 1024 * 1024)?;
    let file = Tilded { home: folders.home.clone(), file };
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        // It would be told on stderr, which may lie on the same full disk: a panic
        // there would log itself into the very log that waits for it.
        .log_internal_errors(false)
        .with_env_filter(filter(level))
        .with_filter_reloading();
    let handle = subscriber.reload_handle();
    subscriber.try_init().map_err(|error| io::Error::other(error.to_string()))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(LogControl(Arc::new(move |filter| {
        // Only a daemon at its end has no log left to change.
        drop(handle.reload(filter));
    })))
}

/// Writes the home folder as `~`: a log is shown to others.
struct Tilded<W> {
    home: PathBuf,
    file: W,
}

impl<W: Write> Write for Tilded<W> {
    /// A line that finds no room is lost, and nobody is told: that is no trouble of
    /// whoever logs it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let shown = with_tilde(&String::from_utf8_lossy(line), &self.home);
        drop(self.file.write_all(shown.as_bytes()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// `MIRRORD_LOG` goes before the level in the settings.
fn filter(level: LogLevel) -> EnvFilter {
    let ours = ["mirrord", "mirror_engine", "mirror_storage"]
        .map(|part| format!("{part}={}", level.as_str()))
        .join(",");
    std::env::var("MIRRORD_LOG")
        .ok()
        .filter(|directives| !directives.is_empty())
        .and_then(|directives| EnvFilter::try_new(directives).ok())
        .unwrap_or_else(|| EnvFilter::new(format!("warn,{ours}")))
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let trace = Backtrace::capture();
    tracing::error!(%place, message, %trace, "a panic ended one piece of work");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_folder_is_written_as_a_tilde_whoever_logs_it() {
        let mut log = Tilded { home: "/home/ann".into(), file: Vec::new() };
        let line = "WARN reason=\"no folder /home/ann/notes\" state=/home/ann/.local\n";

        log.write_all(line.as_bytes()).unwrap();

        let written = String::from_utf8(log.file).unwrap();
        assert_eq!(written, "WARN reason=\"no folder ~/notes\" state=~/.local\n");
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _line: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn line_that_finds_no_room_is_nobodys_trouble() {
        let mut log = Tilded { home: "/home/ann".into(), file: Full };
        assert!(log.write_all(b"WARN no room\n").is_ok());
    }
}
