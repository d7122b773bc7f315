//! What people read: short, aligned, the most important last.
//!
//! One file a noun. Every name and message that may come from elsewhere goes
//! through [`escape`](super::escape) first.

#![expect(
    clippy::format_push_string,
    reason = "a few lines a run; `write!` would add results that never fail"
)]

pub(crate) mod agents;
pub(crate) mod cancel;
pub(crate) mod config;
pub(crate) mod conflict;
pub(crate) mod daemon;
pub(crate) mod diff;
pub(crate) mod fault;
pub(crate) mod findings;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod inbox;
pub(crate) mod install;
pub(crate) mod job;
pub(crate) mod memory;
pub(crate) mod project;
pub(crate) mod prompt;
pub(crate) mod stash;
pub(crate) mod status;
mod waiting;
pub(crate) mod watch;

use std::collections::BTreeSet;

use mirror_proto::v1::FailedFile;

use super::escape::escape;
use super::paint::Paint;

/// How many lines of one kind are worth reading.
const MOST_LINES: usize = 200;

/// The first of many lines, and how many are left out.
fn bounded(lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(MOST_LINES);
    let mut text: String = lines.into_iter().take(MOST_LINES).map(|line| line + "\n").collect();
    if more > 0 {
        text += &format!("  … and {more} more\n");
    }
    text
}

/// Rows under each other; the last column is as wide as it is.
fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// Enough of a digest to tell versions apart.
fn short_digest(digest: &str) -> String {
    escape(digest).chars().take(12).collect()
}

fn conflicts(paths: &[String], paint: Paint) -> String {
    let line = |path: &String| {
        format!("  {} {}", paint.yellow("changed on both sides, left as it is:"), escape(path))
    };
    bounded(paths.iter().map(line).collect())
}

fn failed(files: &[FailedFile], paint: Paint) -> String {
    let line = |file: &FailedFile| {
        let why = file.fault.as_ref().map_or("", |fault| fault.message.as_str());
        let failed = paint.red("failed:");
        match why.contains(&file.path) {
            true => format!("  {failed} {}", escape(why)),
            false => format!("  {failed} {}: {}", escape(&file.path), escape(why)),
        }
    };
    let hints: BTreeSet<&str> =
        files.iter().filter_map(|file| file.fault.as_ref()?.hint.as_deref()).collect();
    let hints = hints.into_iter().map(|hint| format!("  {} {}", paint.cyan("hint:"), escape(hint)));
    bounded(files.iter().map(line).collect()) + &bounded(hints.collect())
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::Fault;

    use super::*;

    #[test]
    fn table_aligns_all_columns_but_the_last() {
        let rows = [["a", "bb", "c"], ["äää", "b", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), ["a    bb  c", "äää  b"]);
    }

    #[test]
    fn files_that_failed_for_one_reason_share_their_hint() {
        let file = |path: &str| FailedFile {
            path: path.to_owned(),
            fault: Some(Fault {
                message: format!("{path} has changes that are not pushed"),
                hint: Some("push them first".to_owned()),
                ..Fault::default()
            }),
        };
        assert_eq!(
            failed(&[file("a.md"), file("b.md")], Paint::PLAIN),
            "  failed: a.md has changes that are not pushed\n  \
             failed: b.md has changes that are not pushed\n  \
             hint: push them first\n"
        );
    }

    #[test]
    fn endless_lists_are_cut_and_counted() {
        let text = bounded(vec!["x".to_owned(); MOST_LINES + 3]);
        assert_eq!(text.lines().count(), MOST_LINES + 1);
        assert!(text.ends_with("  … and 3 more\n"));
    }
}
