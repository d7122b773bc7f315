//! `push`, `pull`, `sync` and `delete`: what became of each file.

use std::collections::BTreeMap;

use mirror_proto::v1::{Committed, FileAction, FileChange, JobFinished, JobProgress, Notice};

use super::{bounded, conflicts, failed, held};
use crate::output::escape::escape;
use crate::output::paint::Paint;
use crate::output::set_aside::is_said;

/// What runs, and how much of it is done.
pub(super) fn busy(job: &JobProgress, paint: Paint) -> String {
    let line = match share(job) {
        Some(percent) => format!("busy: {}, {percent} %", escape(&job.kind)),
        None => format!("busy: {}", escape(&job.kind)),
    };
    format!("{}\n", paint.yellow(&line))
}

/// By bytes, where they are known; in whole percents.
fn share(job: &JobProgress) -> Option<u64> {
    let (done, total) = match job.total_bytes {
        0 => (job.done_file_count, job.total_file_count),
        total => (job.done_bytes, total),
    };
    done.saturating_mul(100).checked_div(total).map(|percent| percent.min(100))
}

pub(crate) fn committed(commit: &Committed, paint: Paint) -> String {
    format!("{} #{}\n", paint.green("committed"), commit.seq)
}

/// What is left to say after `committed`. Problems are always said.
pub(crate) fn finished(job: &JobFinished, is_quiet: bool, paint: Paint) -> String {
    let problems = conflicts(&job.conflicts, paint) + &problems(job, paint);
    if is_quiet {
        // Where a version of a person's is now is no mere note.
        let stashed = notices(job, |notice| notice.stash_id.is_some(), paint);
        return stashed + &problems + &cancelled(job, paint);
    }
    let width = job.files.iter().map(|file| word(file.action()).len()).max().unwrap_or(0);
    let files = job.files.iter().map(|file| change(file, width, paint)).collect();
    [
        bounded(files),
        notices(job, |_| true, paint),
        problems,
        summary(job),
        skipped(job),
        cancelled(job, paint),
    ]
    .concat()
}

/// What is left to do, or can't be done.
pub(super) fn problems(job: &JobFinished, paint: Paint) -> String {
    failed(&job.failed, paint) + &held::left(&job.held, paint) + &pending(job, paint)
}

fn word(action: FileAction) -> &'static str {
    match action {
        FileAction::Sent => "sent",
        FileAction::Fetched => "fetched",
        FileAction::Merged => "merged",
        FileAction::DeletedRemote => "deleted there",
        FileAction::DeletedLocal => "deleted here",
        FileAction::Adopted => "equal already",
        FileAction::Renamed => "renamed",
        FileAction::Restored => "restored",
        FileAction::Unspecified => "changed",
    }
}

fn change(file: &FileChange, width: usize, paint: Paint) -> String {
    let action = file.action();
    let word = format!("{:<width$}", word(action));
    let word = match action {
        FileAction::DeletedLocal | FileAction::DeletedRemote => paint.red(&word),
        FileAction::Adopted | FileAction::Unspecified => paint.dim(&word),
        FileAction::Sent
        | FileAction::Fetched
        | FileAction::Merged
        | FileAction::Renamed
        | FileAction::Restored => paint.green(&word),
    };
    match &file.from {
        Some(from) => format!("  {word}  {} → {}", escape(from), escape(&file.path)),
        None => format!("  {word}  {}", escape(&file.path)),
    }
}

/// What a failure says is not said again.
fn notices(job: &JobFinished, are: impl Fn(&Notice) -> bool, paint: Paint) -> String {
    let said = job.notices.iter().filter(|notice| are(notice) && !is_said(notice, job));
    bounded(said.map(|notice| told(notice, paint)).collect())
}

pub(super) fn told(notice: &Notice, paint: Paint) -> String {
    format!("  {} {}", paint.cyan("note:"), escape(&notice.message))
}

fn pending(job: &JobFinished, paint: Paint) -> String {
    let mut text = String::new();
    if job.queued {
        let line = "the push is queued; the daemon tries again by itself";
        text += &format!("{}\n", paint.yellow(line));
    } else if job.waiting_count > 0 {
        let pushes = if job.waiting_count == 1 { "push waits" } else { "pushes wait" };
        let line =
            format!("{} {pushes} for the backend: `mirrorctl queue list`", job.waiting_count);
        text += &format!("{}\n", paint.yellow(&line));
    }
    if job.view_pending {
        let line = "the plain files on the backend are not all written yet; the daemon goes on";
        text += &format!("{}\n", paint.yellow(line));
    }
    if job.pull_pending {
        let line = "the files of the commit come here with the next pull";
        text += &format!("{}\n", paint.yellow(line));
    }
    text
}

/// What there is to go on from.
fn cancelled(job: &JobFinished, paint: Paint) -> String {
    let stands = match &job.commit {
        _ if !job.cancelled => return String::new(),
        Some(commit) => format!("commit #{} stands", commit.seq),
        None => "nothing was committed".to_owned(),
    };
    format!("{} {stands}; the same command goes on from here\n", paint.yellow("cancelled:"))
}

/// That not all was taken, and where it says why.
fn skipped(job: &JobFinished) -> String {
    match job.skipped_count {
        0 => String::new(),
        count => format!("{count} skipped: `mirrorctl status --skipped`\n"),
    }
}

fn summary(job: &JobFinished) -> String {
    let mut counts = BTreeMap::new();
    for file in &job.files {
        *counts.entry(word(file.action())).or_insert(0_usize) += 1;
    }
    let parts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let waits = job.queued || job.waiting_count > 0 || job.view_pending || job.pull_pending;
    let lists = [job.conflicts.len(), job.failed.len(), job.held.len()];
    let has_problems = lists.iter().any(|length| *length > 0) || waits || job.cancelled;
    let view = match (&job.commit, job.view_pending) {
        (Some(_), false) => "; plain files written",
        _ => "",
    };
    match (parts.is_empty(), job.dry_run, has_problems) {
        (false, true, _) => format!("dry run, nothing changed: {}\n", parts.join(", ")),
        (false, false, _) => format!("{}{view}\n", parts.join(", ")),
        (true, _, true) => String::new(),
        (true, _, false) if job.commit.is_some() || !job.notices.is_empty() => String::new(),
        (true, _, false) => "nothing to do\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> JobFinished {
        JobFinished {
            commit: Some(Committed { seq: 43, id: "01J".to_owned() }),
            files: vec![
                FileChange { path: "a.md".to_owned(), action: FileAction::Sent.into(), from: None },
                FileChange {
                    path: "c.md".to_owned(),
                    action: FileAction::Renamed.into(),
                    from: Some("b.md".to_owned()),
                },
            ],
            ..JobFinished::default()
        }
    }

    #[test]
    fn running_job_says_how_much_of_it_is_done() {
        let job = JobProgress {
            kind: "push".to_owned(),
            done_file_count: 9,
            total_file_count: 10,
            done_bytes: 40,
            total_bytes: 100,
            ..JobProgress::default()
        };
        assert_eq!(busy(&job, Paint::PLAIN), "busy: push, 40 %\n");
        let without_bytes = JobProgress { total_bytes: 0, ..job };
        assert_eq!(busy(&without_bytes, Paint::PLAIN), "busy: push, 90 %\n");
        let unknown = JobProgress { total_file_count: 0, ..without_bytes };
        assert_eq!(busy(&unknown, Paint::PLAIN), "busy: push\n");
    }

    #[test]
    fn finished_job_names_files_and_sums_up() {
        assert_eq!(
            finished(&sample(), false, Paint::PLAIN),
            "  sent     a.md\n  renamed  b.md → c.md\n1 renamed, 1 sent; plain files written\n"
        );
    }

    #[test]
    fn dry_run_says_that_nothing_changed() {
        let job = JobFinished { commit: None, dry_run: true, ..sample() };
        let text = finished(&job, false, Paint::PLAIN);
        assert!(text.ends_with("dry run, nothing changed: 1 renamed, 1 sent\n"), "{text}");
    }

    #[test]
    fn job_with_nothing_to_do_says_so() {
        let text = finished(&JobFinished::default(), false, Paint::PLAIN);
        assert_eq!(text, "nothing to do\n");
    }

    #[test]
    fn what_waits_is_never_nothing_to_do() {
        let waiting = [
            JobFinished { queued: true, ..JobFinished::default() },
            JobFinished { waiting_count: 1, ..JobFinished::default() },
            JobFinished { view_pending: true, ..JobFinished::default() },
            JobFinished { conflicts: vec!["a.md".to_owned()], ..JobFinished::default() },
            JobFinished { pull_pending: true, ..JobFinished::default() },
        ];
        for job in waiting {
            let text = finished(&job, false, Paint::PLAIN);
            assert!(!text.is_empty() && !text.contains("nothing to do"), "{text:?} of {job:?}");
        }
    }

    #[test]
    fn cancelled_job_says_what_stands() {
        let job = JobFinished { cancelled: true, view_pending: true, ..sample() };
        let text = finished(&job, true, Paint::PLAIN);
        assert!(
            text.ends_with("cancelled: commit #43 stands; the same command goes on from here\n"),
            "{text}"
        );

        let fetched =
            FileChange { path: "a.md".to_owned(), action: FileAction::Fetched.into(), from: None };
        let job = JobFinished { cancelled: true, files: vec![fetched], ..JobFinished::default() };
        assert_eq!(
            finished(&job, false, Paint::PLAIN),
            "  fetched  a.md\n1 fetched\n\
             cancelled: nothing was committed; the same command goes on from here\n"
        );
    }

    #[test]
    fn job_ends_with_how_much_was_skipped_and_where_it_says_why() {
        let job = JobFinished { skipped_count: 11, ..JobFinished::default() };
        assert_eq!(
            finished(&job, false, Paint::PLAIN),
            "nothing to do\n11 skipped: `mirrorctl status --skipped`\n"
        );
        assert_eq!(finished(&job, true, Paint::PLAIN), "");
    }

    #[test]
    fn quiet_job_still_names_its_problems() {
        let job =
            JobFinished { conflicts: vec!["d.md".to_owned()], view_pending: true, ..sample() };
        let text = finished(&job, true, Paint::PLAIN);
        assert!(text.contains("changed on both sides, left as it is: d.md\n"), "{text}");
        assert!(text.contains("not all written yet"), "{text}");
        assert!(!text.contains("a.md"), "{text}");
    }
}
