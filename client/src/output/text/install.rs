//! `install` and `uninstall`: each part with what it changes, then what was done.

use super::bounded;
use crate::output::escape::{escape, escape_content};
use crate::output::paint::Paint;

/// What is shown before anybody is asked.
#[derive(Debug)]
pub(crate) struct Proposal<'a> {
    pub(crate) part: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) file: Option<String>,
    pub(crate) diff: &'a str,
}

pub(crate) fn proposal(proposal: &Proposal<'_>, paint: Paint) -> String {
    let mut text = format!("{}: {}\n", paint.bold(proposal.part), escape(proposal.purpose));
    if let Some(file) = &proposal.file {
        text += &format!("  {}\n", paint.bold(&escape(file)));
    }
    let lines = proposal.diff.lines().map(escape_content);
    text + &bounded(lines.map(|line| format!("  {}", painted(line, paint))).collect())
}

fn painted(line: String, paint: Paint) -> String {
    match line.as_bytes().first() {
        Some(b'-') => paint.red(&line),
        Some(b'+') => paint.green(&line),
        Some(b'@') => paint.cyan(&line),
        _ => line,
    }
}

/// A part for which there is nothing to do.
pub(crate) fn settled(proposal: &Proposal<'_>, why: &str, paint: Paint) -> String {
    let file = proposal.file.as_deref().map(|file| format!("{}: ", escape(file)));
    format!("{}: {}{}\n", paint.bold(proposal.part), file.unwrap_or_default(), escape(why))
}

pub(crate) fn done(file: &str, is_removed: bool, backup: Option<&str>) -> String {
    let file = escape(file);
    match (is_removed, backup) {
        (true, _) => format!("removed {file}\n"),
        (false, None) => format!("wrote {file}\n"),
        (false, Some(backup)) => format!("wrote {file}; as it was: {}\n", escape(backup)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposal_names_the_file_and_what_changes_in_it() {
        let told = Proposal {
            part: "hooks",
            purpose: "an agent is told",
            file: Some("~/a.json".to_owned()),
            diff: "@@ -1,0 +2,1 @@\n+\u{1b}[2Jx\n",
        };
        assert_eq!(
            proposal(&told, Paint::PLAIN),
            "hooks: an agent is told\n  ~/a.json\n  @@ -1,0 +2,1 @@\n  +\\u{1b}[2Jx\n"
        );
        assert_eq!(settled(&told, "is as it is", Paint::PLAIN), "hooks: ~/a.json: is as it is\n");
    }
}
