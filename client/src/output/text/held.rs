//! `held`, and what other commands say of it.

use mirror_proto::v1::{DiffReport, HeldDetail, HeldFile, JobFinished, ListHeldResponse};

use super::{bounded, diff};
use crate::output::escape::escape;
use crate::output::paint::Paint;

/// So much of a digest names a version.
const SHORT_DIGEST: usize = 12;

pub(crate) fn list(listed: &ListHeldResponse, paint: Paint) -> String {
    if listed.held.is_empty() {
        let known = if listed.fault.is_some() {
            "nothing is known to be held\n"
        } else {
            "nothing is held\n"
        };
        return known.to_owned();
    }
    let line = |file: &HeldFile| format!("{}\n  {}", paint.yellow(&escape(&file.path)), said(file));
    let hint = format!(
        "{} `mirrorctl held show FILE` shows what it would change, `held accept FILE` brings it, \
         `held reject FILE` keeps what is here\n",
        paint.cyan("hint:")
    );
    bounded(listed.held.iter().map(line).collect()) + &hint
}

pub(crate) fn detail(detail: &HeldDetail, paint: Paint) -> String {
    let file = detail.held.clone().unwrap_or_default();
    let changes = DiffReport { files: detail.diff.clone().into_iter().collect() };
    let digits: String = file.sha256.chars().take(SHORT_DIGEST).collect();
    let path = escape(&file.path);
    let hint = format!(
        "{} `mirrorctl held accept {path} --sha256 {}` brings it, `mirrorctl held reject {path}` \
         keeps what is here\n",
        paint.cyan("hint:"),
        escape(&digits),
    );
    format!("{}\n{}{hint}", said(&file), diff::report(&changes, paint))
}

/// Who made it, and what it is.
fn said(file: &HeldFile) -> String {
    let what = if file.is_link { "a link that an agent may follow" } else { "an agent may run it" };
    let refused = if file.refused { ", rejected here" } else { "" };
    let (user, machine) = (escape(&file.user), escape(&file.machine));
    format!("#{} by {user} on {machine}: {what}{refused}", file.seq)
}

/// What a job left where it is, as nobody here has agreed to it.
pub(super) fn left(paths: &[String], paint: Paint) -> String {
    let line = |path: &String| {
        format!("  {} {}", paint.yellow("held, as an agent may run it:"), escape(path))
    };
    let hint = match paths.is_empty() {
        true => String::new(),
        false => format!("  {} look with `mirrorctl held show FILE`\n", paint.cyan("hint:")),
    };
    bounded(paths.iter().map(line).collect()) + &hint
}

/// That nothing was written, here or elsewhere.
pub(crate) fn rejected(job: &JobFinished) -> String {
    let dry = if job.dry_run { "dry run, nothing changed: " } else { "" };
    format!("{dry}{} keeps what it has; a newer version is held again\n", escape(&job.project))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> HeldFile {
        HeldFile {
            path: "skills/x\n/SKILL.md".to_owned(),
            seq: 43,
            user: "ann".to_owned(),
            machine: "laptop".to_owned(),
            sha256: "0123456789abcdef".to_owned(),
            ..HeldFile::default()
        }
    }

    #[test]
    fn each_file_says_who_changed_it() {
        let listed = ListHeldResponse {
            held: vec![sample(), HeldFile { refused: true, is_link: true, ..sample() }],
            fault: None,
        };
        let text = list(&listed, Paint::PLAIN);
        assert!(
            text.starts_with("skills/x\\n/SKILL.md\n  #43 by ann on laptop: an agent may run it\n"),
            "{text}"
        );
        assert!(text.contains("a link that an agent may follow, rejected here\n"), "{text}");
        assert_eq!(list(&ListHeldResponse::default(), Paint::PLAIN), "nothing is held\n");
    }

    #[test]
    fn what_is_shown_ends_with_the_command_that_agrees_to_that_very_version() {
        let shown = HeldDetail { held: Some(sample()), ..HeldDetail::default() };
        let text = detail(&shown, Paint::PLAIN);
        let command = "`mirrorctl held accept skills/x\\n/SKILL.md --sha256 0123456789ab`";
        assert!(text.contains(command), "{text}");
    }
}
