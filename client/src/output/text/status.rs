//! `status`: where the project stands, what differs, and a summary line.

use jiff::Timestamp;
use mirror_proto::v1::{
    FileState, FileStatus, ProjectState, QueuedWork, SkippedFile, StatusReport,
};

use super::fault::{self, hint};
use super::job::busy;
use super::{bounded, table, waiting};
use crate::output::escape::escape;
use crate::output::json::status::{STATES, count_in};
use crate::output::measure::{ago, bytes, until};
use crate::output::paint::Paint;
use crate::output::words;

/// How much of a project to show.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Detail {
    /// One line a file, nothing else.
    Short,
    Changes,
    /// Files in sync too, with sizes.
    Everything,
    /// What is left out, and why, and nothing else.
    Skipped,
}

pub(crate) fn report(
    report: &StatusReport,
    detail: Detail,
    now: Timestamp,
    paint: Paint,
) -> String {
    match detail {
        // For scripts too: every file, however many.
        Detail::Short => short(report, paint).into_iter().map(|line| line + "\n").collect(),
        Detail::Skipped => all_skipped(report),
        Detail::Changes | Detail::Everything => [
            header(report, now, paint),
            bounded(files(report, detail, paint)),
            skipped(&report.skipped, paint),
            queue(&report.queue, now, paint),
            waiting::deletions(report, paint),
            summary(report) + "\n",
        ]
        .concat(),
    }
}

/// Two letters a file: where it is newer (`>` here, `<` elsewhere), and how.
const fn letters(state: FileState) -> &'static str {
    match state {
        FileState::InSync => "==",
        FileState::LocalAhead => ">M",
        FileState::NewLocal => ">A",
        FileState::DeletedLocal => ">D",
        FileState::RemoteAhead => "<M",
        FileState::NewRemote => "<A",
        FileState::DeletedRemote => "<D",
        FileState::Diverged => "<>",
        FileState::Conflict => "!!",
        FileState::Unspecified => "??",
    }
}

fn painted(state: FileState, text: &str, paint: Paint) -> String {
    match state {
        FileState::InSync => paint.dim(text),
        FileState::LocalAhead | FileState::NewLocal | FileState::DeletedLocal => paint.green(text),
        FileState::RemoteAhead | FileState::NewRemote | FileState::DeletedRemote => {
            paint.cyan(text)
        }
        FileState::Diverged | FileState::Conflict | FileState::Unspecified => paint.yellow(text),
    }
}

fn differing(report: &StatusReport) -> impl Iterator<Item = &FileStatus> {
    let differs = |file: &&FileStatus| file.state() != FileState::InSync;
    report.files.iter().filter(differs)
}

fn short(report: &StatusReport, paint: Paint) -> Vec<String> {
    differing(report)
        .map(|file| {
            let state = file.state();
            let letters = painted(state, letters(state), paint);
            format!("{letters} {}", escape(&file.path))
        })
        .collect()
}

fn header(report: &StatusReport, now: Timestamp, paint: Paint) -> String {
    let mut text = format!(
        "{}  {}\n{}\n",
        paint.bold(&escape(&report.project)),
        escape(&report.root),
        position(report, now),
    );
    let state = report.state();
    if matches!(state, ProjectState::Paused | ProjectState::Stopped) {
        let reason = report.reason.as_deref().unwrap_or("no reason given");
        let line = format!("{}: {}", words::project_state(state), escape(reason));
        text += &format!("{}\n", paint.red(&line));
        text += &report.fault.as_ref().map(|fault| hint(fault, paint)).unwrap_or_default();
    } else if let Some(fault) = &report.fault {
        text += &fault::report(fault, paint);
    }
    text + &report.job.as_ref().map(|job| busy(job, paint)).unwrap_or_default()
}

/// Where the project stands. Only what was asked just now is called the head.
fn position(report: &StatusReport, now: Timestamp) -> String {
    let StatusReport { head, read_up_to, offline, files_unknown, .. } = *report;
    let backend = escape(&report.backend);
    let looked = match &report.checked_at {
        Some(time) if offline => format!("last looked at {}", escape(&ago(time, now))),
        Some(time) => format!("looked at {}", escape(&ago(time, now))),
        None => "never looked at".to_owned(),
    };
    let at = match head {
        0 if files_unknown => format!("nothing is known of {backend} yet"),
        0 => format!("no commit yet on {backend}"),
        head if files_unknown && offline => format!("#{head} is the newest known of {backend}"),
        head if files_unknown => format!("#{head} is the head on {backend}"),
        head if head != read_up_to => format!("at #{read_up_to} of #{head} on {backend}"),
        head if offline => format!("at #{head}, the newest known of {backend}"),
        head => format!("at #{head}, the head on {backend}"),
    };
    let offline = if offline { " (offline: as it was last read)" } else { "" };
    let auto = match report.auto.as_str() {
        "" | "off" => String::new(),
        auto => format!(", auto: {}", escape(auto)),
    };
    format!("{at}, {looked}{offline}{auto}")
}

fn files(report: &StatusReport, detail: Detail, paint: Paint) -> Vec<String> {
    let shown: Vec<_> = match detail {
        Detail::Everything => report.files.iter().collect(),
        Detail::Short | Detail::Changes | Detail::Skipped => differing(report).collect(),
    };
    let width = |file: &&FileStatus| words::standing(file.state()).len();
    let width = shown.iter().map(width).max().unwrap_or(0);
    let line = |file: &FileStatus| {
        let state = file.state();
        let word = format!("{:<width$}", words::standing(state));
        let size = match detail {
            Detail::Everything => format!("  {}", bytes(file.size_bytes)),
            Detail::Short | Detail::Changes | Detail::Skipped => String::new(),
        };
        let held =
            if file.held { paint.yellow("  held: `mirrorctl held show`") } else { String::new() };
        format!("  {}  {}{size}{held}", painted(state, &word, paint), escape(&file.path))
    };
    shown.into_iter().map(line).collect()
}

fn skipped(files: &[SkippedFile], paint: Paint) -> String {
    let row = |file: &SkippedFile| {
        let reason = words::skip_reason(file.reason()).replace('_', " ");
        [format!("  skipped, {reason}"), escape(&file.path)]
    };
    let lines = table(&files.iter().map(row).collect::<Vec<_>>());
    bounded(lines.iter().map(|line| paint.dim(line)).collect())
}

/// Every one, however many, with the reason in words.
fn all_skipped(report: &StatusReport) -> String {
    let row = |file: &SkippedFile| {
        [format!("  {}", escape(&file.path)), words::why_skipped(file.reason()).to_owned()]
    };
    match report.skipped.as_slice() {
        [] if report.files_unknown => "it is not known what is skipped\n".to_owned(),
        // Nothing of it is mirrored now.
        [] if report.state() == ProjectState::Stopped => {
            "no file is skipped by itself, but the project is stopped\n".to_owned()
        }
        [] => "nothing is skipped\n".to_owned(),
        files => table(&files.iter().map(row).collect::<Vec<_>>())
            .into_iter()
            .map(|line| line + "\n")
            .collect(),
    }
}

/// What waits, since when, why, and when it is tried again.
pub(crate) fn queue(work: &[QueuedWork], now: Timestamp, paint: Paint) -> String {
    let line = |work: &QueuedWork| {
        let why = work.fault.as_ref().map_or("", |fault| fault.message.as_str());
        format!(
            "  {} to {}, {}, next try {}: {}",
            paint.yellow(&format!("{} queued", words::queued_kind(work.kind()))),
            escape(&work.backend),
            escape(&ago(&work.since, now)),
            escape(&until(&work.next_at, now)),
            escape(why),
        )
    };
    bounded(work.iter().map(line).collect())
}

fn summary(report: &StatusReport) -> String {
    if report.files_unknown {
        return "nothing is known of its files".to_owned();
    }
    let part = |state: FileState| {
        let count = count_in(report, state);
        let word = words::standing(state);
        (count > 0).then(|| format!("{count} {word}"))
    };
    let mut parts: Vec<_> = STATES.into_iter().filter_map(part).collect();
    if parts.is_empty() {
        parts.push("no files".to_owned());
    }
    let held = report.files.iter().filter(|file| file.held).count();
    if held > 0 {
        parts.push(format!("{held} held"));
    }
    for (size, way) in [(report.bytes_up, "up"), (report.bytes_down, "down")] {
        if size > 0 {
            parts.push(format!("{} to go {way}", bytes(size)));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{Fault, QueuedKind, SkipReason};

    use super::*;

    fn sample() -> StatusReport {
        let file = |path: &str, state: FileState| FileStatus {
            path: path.to_owned(),
            state: state.into(),
            size_bytes: 12_345,
            ..FileStatus::default()
        };
        StatusReport {
            project: "notes".to_owned(),
            root: "/n".to_owned(),
            backend: "primary".to_owned(),
            head: 42,
            read_up_to: 41,
            checked_at: Some("2026-04-15T09:59:00Z".to_owned()),
            bytes_up: 12_345,
            files: vec![
                file("a.md", FileState::LocalAhead),
                file("b\u{202e}.md", FileState::NewRemote),
                file("c.md", FileState::InSync),
            ],
            in_sync_count: 8,
            ..StatusReport::default()
        }
    }

    #[track_caller]
    fn check(detail: Detail, expected: &str) {
        let now = "2026-04-15T10:00:00Z".parse().expect("a moment");
        assert_eq!(report(&sample(), detail, now, Paint::PLAIN), expected);
    }

    #[test]
    fn status_names_what_differs_and_sums_up() {
        check(
            Detail::Changes,
            "notes  /n\n\
             at #41 of #42 on primary, looked at 60 s ago\n\
             \x20 changed here   a.md\n\
             \x20 new elsewhere  b\\u{202e}.md\n\
             9 in sync, 1 changed here, 1 new elsewhere, 12 kB to go up\n",
        );
    }

    #[test]
    fn short_status_is_one_line_a_file() {
        check(Detail::Short, ">M a.md\n<A b\\u{202e}.md\n");
    }

    #[test]
    fn skipped_files_are_listed_with_the_reason_in_words() {
        let now = "2026-04-15T10:00:00Z".parse().expect("a moment");
        let skipped =
            SkippedFile { path: "pipe\n.md".to_owned(), reason: SkipReason::SpecialFile.into() };
        let some = StatusReport { skipped: vec![skipped], ..sample() };
        assert_eq!(
            report(&some, Detail::Skipped, now, Paint::PLAIN),
            "  pipe\\n.md  it is a pipe, a socket or a device\n"
        );
        assert_eq!(report(&sample(), Detail::Skipped, now, Paint::PLAIN), "nothing is skipped\n");
        let unknown = StatusReport { files_unknown: true, ..sample() };
        assert_eq!(
            report(&unknown, Detail::Skipped, now, Paint::PLAIN),
            "it is not known what is skipped\n"
        );
    }

    fn away() -> Fault {
        Fault {
            message: "storage is unreachable".to_owned(),
            hint: Some("plug it in".to_owned()),
            ..Fault::default()
        }
    }

    #[test]
    fn what_is_wrong_stands_above_what_was_last_read() {
        let now = "2026-04-15T10:00:00Z".parse().expect("a moment");
        let lost = StatusReport {
            head: 41,
            offline: true,
            fault: Some(away()),
            files: Vec::new(),
            bytes_up: 0,
            ..sample()
        };
        assert_eq!(
            report(&lost, Detail::Changes, now, Paint::PLAIN),
            "notes  /n\n\
             at #41, the newest known of primary, last looked at 60 s ago (offline: as it was \
             last read)\n\
             error: storage is unreachable\n\
             hint: plug it in\n\
             8 in sync\n",
        );
    }

    #[test]
    fn stopped_project_says_what_to_do_and_nothing_of_files_that_it_did_not_see() {
        let now = "2026-04-15T10:00:00Z".parse().expect("a moment");
        let stopped = StatusReport {
            project: "notes".to_owned(),
            root: "/n".to_owned(),
            backend: "primary".to_owned(),
            offline: true,
            state: ProjectState::Stopped.into(),
            reason: Some("storage is unreachable".to_owned()),
            fault: Some(away()),
            files_unknown: true,
            ..StatusReport::default()
        };
        assert_eq!(
            report(&stopped, Detail::Changes, now, Paint::PLAIN),
            "notes  /n\n\
             nothing is known of primary yet, never looked at (offline: as it was last read)\n\
             stopped: storage is unreachable\n\
             hint: plug it in\n\
             nothing is known of its files\n",
        );
    }

    #[test]
    fn long_status_has_files_in_sync_and_sizes() {
        let now = "2026-04-15T10:00:00Z".parse().expect("a moment");
        let text = report(&sample(), Detail::Everything, now, Paint::PLAIN);
        assert!(text.contains("  in sync        c.md  12 kB\n"), "{text}");
    }

    #[test]
    fn queued_push_says_since_when_and_why_and_when_it_is_tried_again() {
        let now = "2026-04-15T10:00:00Z".parse().expect("a moment");
        let work = QueuedWork {
            backend: "primary".to_owned(),
            kind: QueuedKind::Push.into(),
            since: "2026-04-15T09:50:00Z".to_owned(),
            attempt_count: 4,
            next_at: "2026-04-15T10:00:40Z".to_owned(),
            fault: Some(Fault { message: "storage is unreachable".to_owned(), ..Fault::default() }),
        };
        assert_eq!(
            queue(&[work], now, Paint::PLAIN),
            "  push queued to primary, 10 min ago, next try in 40 s: storage is unreachable\n"
        );
    }
}
