//! The difference of two texts as a unified diff.

use std::fmt::Write as _;
use std::ops::Range;

use mirror_core::RelPath;
use mirror_core::merge::{LineChange, line_changes};

/// One side of a difference.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    /// The folder that its file is said to be in.
    pub(crate) name: &'a str,
    /// Whose it is, if that is worth saying.
    pub(crate) note: &'a str,
    /// `None` where there is no file.
    pub(crate) text: Option<&'a str>,
}

impl Named<'_> {
    fn header(&self, path: &RelPath) -> String {
        match (self.text, self.note) {
            (None, _) => "/dev/null".to_owned(),
            (Some(_), "") => format!("{}/{path}", self.name),
            (Some(_), note) => format!("{}/{path}\t{note}", self.name),
        }
    }
}

/// Compares as merges do, so that the work is bounded whatever the texts are.
pub(crate) fn unified(path: &RelPath, from: Named<'_>, to: Named<'_>, context: usize) -> String {
    let [old, new] = [from, to].map(|side| side.text.unwrap_or_default());
    let changes = line_changes(old.as_bytes(), new.as_bytes());
    if changes.is_empty() {
        return String::new();
    }
    let mut shown = format!("--- {}\n+++ {}\n", from.header(path), to.header(path));
    let [old, new] = [old, new].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    for hunk in changes.chunk_by(|one, next| next.old.start - one.old.end <= 2 * context) {
        show(hunk, [&old, &new], context, &mut shown);
    }
    shown
}

/// Changes with the lines around them.
fn show(changes: &[LineChange], [old, new]: [&[&str]; 2], context: usize, shown: &mut String) {
    let [Some(first), Some(last)] = [changes.first(), changes.last()] else { return };
    let before = context.min(first.old.start);
    let after = context.min(old.len() - last.old.end);
    let old_range = first.old.start - before..last.old.end + after;
    let new_range = first.new.start - before..last.new.end + after;
    let _ = writeln!(shown, "@@ -{} +{} @@", place(&old_range), place(&new_range));
    let mut next = old_range.start;
    for LineChange { old: gone, new: come } in changes {
        put(' ', &old[next..gone.start], shown);
        put('-', &old[gone.clone()], shown);
        put('+', &new[come.clone()], shown);
        next = gone.end;
    }
    put(' ', &old[next..old_range.end], shown);
}

/// Lines are counted from 1; none stand behind the one before them.
fn place(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => (lines.start + 1).to_string(),
        count => format!("{},{count}", lines.start + 1),
    }
}

fn put(sign: char, lines: &[&str], shown: &mut String) {
    for line in lines {
        shown.push(sign);
        shown.push_str(line);
        if !line.ends_with('\n') {
            shown.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: Option<&str>, new: Option<&str>, context: usize) -> String {
        let side = |name, text| Named { name, note: "", text };
        unified(&RelPath::new("a.md").unwrap(), side("head", old), side("here", new), context)
    }

    #[track_caller]
    fn check(old: &str, new: &str, context: usize, hunks: &str) {
        let expected = format!("--- head/a.md\n+++ here/a.md\n{hunks}");
        assert_eq!(diff(Some(old), Some(new), context), expected);
    }

    #[test]
    fn changes_have_the_lines_around_them() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        check(old, "1\n2\n3\n4\nx\n6\n7\n8\n9\n", 1, "@@ -4,3 +4,3 @@\n 4\n-5\n+x\n 6\n");
        check(old, "1\n2\n3\n4\nx\n6\n7\n8\n9\n", 0, "@@ -5 +5 @@\n-5\n+x\n");
        let two = "x\n2\n3\n4\n5\n6\n7\n8\n";
        check(old, two, 1, "@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -8,2 +8 @@\n 8\n-9\n");
        check("a\nb\nc\n", "x\nb\ny\n", 1, "@@ -1,3 +1,3 @@\n-a\n+x\n b\n-c\n+y\n");
        check("a\nb\n", "a\nx\nb\n", 0, "@@ -1,0 +2 @@\n+x\n");
    }

    #[test]
    fn missing_line_end_is_told() {
        let hint = "\\ No newline at end of file\n";
        check("a\nb", "a\nb\n", 3, &format!("@@ -1,2 +1,2 @@\n a\n-b\n{hint}+b\n"));
        check("a\nb", "x\nb", 3, &format!("@@ -1,2 +1,2 @@\n-a\n+x\n b\n{hint}"));
    }

    #[test]
    fn file_that_one_side_lacks_is_dev_null() {
        let new = "--- /dev/null\n+++ here/a.md\n@@ -0,0 +1,2 @@\n+a\n+b\n";
        assert_eq!(diff(None, Some("a\nb\n"), 3), new);
        let gone = "--- head/a.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n";
        assert_eq!(diff(Some("a\n"), None, 3), gone);
        assert_eq!(diff(Some("a\n"), Some("a\n"), 3), "");
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_compared_in_time() {
        let text = |turn: usize| -> String {
            let lines = (0..300_000).map(|line| (line * turn % 30_011).to_string());
            lines.collect::<Vec<_>>().join("\n") + "\n"
        };
        let (old, new) = (text(7), text(11));
        let shown = diff(Some(&old), Some(&new), 3);
        let lines = |sign: char| -> String {
            let mine = shown.lines().skip(2).filter(|line| line.starts_with([sign, ' ']));
            mine.map(|line| &line[1..]).collect::<Vec<_>>().join("\n") + "\n"
        };
        assert!(lines('-') == old && lines('+') == new, "all of both is there");
    }
}
