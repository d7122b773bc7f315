//! What a project leaves to a person, and how to go on from there.

use mirror_proto::v1::StatusReport;

use crate::output::escape::escape;
use crate::output::paint::Paint;

/// What nobody agreed to yet, and the command that asks.
pub(super) fn deletions(report: &StatusReport, paint: Paint) -> String {
    let paths = &report.waiting_deletions[..];
    let count = match paths {
        [] => return String::new(),
        [path] => format!("the deletion of {} waits for you", escape(path)),
        paths => format!("{} deletions wait for you", paths.len()),
    };
    let first: Vec<String> = paths.iter().take(3).map(|path| escape(path)).collect();
    let which = match paths.len() {
        1 => String::new(),
        2 | 3 => format!(" ({})", first.join(", ")),
        count => format!(" ({} and {} more)", first.join(", "), count - first.len()),
    };
    let command = match report.auto.as_str() {
        word @ ("pull" | "push") => word,
        _ => "sync",
    };
    let line = format!("{count}{which}: all else goes on; `mirrorctl {command}` asks");
    format!("  {}\n", paint.yellow(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_that_wait_are_told_with_the_command_that_asks() {
        let waiting = |auto: &str, count: usize| {
            let waiting_deletions = (0..count).map(|number| format!("{number}\n.md")).collect();
            let auto = auto.to_owned();
            let report = StatusReport { auto, waiting_deletions, ..StatusReport::default() };
            deletions(&report, Paint::PLAIN)
        };
        assert_eq!(waiting("both", 0), "");
        assert_eq!(
            waiting("both", 1),
            "  the deletion of 0\\n.md waits for you: all else goes on; `mirrorctl sync` asks\n"
        );
        assert_eq!(
            waiting("pull", 5),
            "  5 deletions wait for you (0\\n.md, 1\\n.md, 2\\n.md and 2 more): all else goes on; \
             `mirrorctl pull` asks\n"
        );
    }
}
