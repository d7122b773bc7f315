//! The daemon's log: one file that rotates, panics included.
//!
//! Secrets and file contents are never logged.

mod rotate;

use std::backtrace::Backtrace;
use std::io;
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;

use crate::config::LogLevel;
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

/// Starts logging into `file`, which becomes another one at `max_size_mb`.
pub(crate) fn start(file: PathBuf, level: LogLevel, max_size_mb: u64) -> io::Result<LogControl> {
    let file = RotatingFile::open(file, max_size_mb * 1024 * 1024)?;
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(Mutex::new(file))
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
