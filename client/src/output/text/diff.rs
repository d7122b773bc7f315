//! `diff`: unified, coloured, the words that differ within a line inverted.

use mirror_proto::v1::{DiffReport, FileDiff};

use crate::output::escape::{escape, escape_content};
use crate::output::paint::Paint;
use crate::output::words;

/// Larger changes are no longer read word by word.
const MARKED_LINES: usize = 64;

/// In bytes; a longer line is data.
const MARKED_LENGTH: usize = 2_000;

pub(crate) fn report(report: &DiffReport, paint: Paint) -> String {
    report.files.iter().map(|file| difference(file, paint)).collect()
}

fn difference(file: &FileDiff, paint: Paint) -> String {
    let what = match (file.from.as_str(), file.to.as_str()) {
        ("head", "local") => words::standing(file.state()).to_owned(),
        (from, to) => format!("{} → {}", end(from), end(to)),
    };
    let header = paint.bold(&format!("{} ({what})", escape(&file.path)));
    if let Some(fault) = &file.fault {
        return format!("{header}\ncan't be shown now: {}\n", escape(&fault.message));
    }
    if file.binary {
        return format!("{header}\nbinary, differs\n");
    }
    let lines: Vec<_> = file.unified.lines().map(escape_content).collect();
    let mut text = header + "\n";
    let mut next = 0;
    while next < lines.len() {
        let removed = run(&lines[next..], '-');
        let added = run(&lines[next + removed..], '+');
        // Never a part of a change alone: the rest would be counted again.
        let end = next + (removed + added).max(1);
        let change = &lines[next..end];
        if is_marked(change, removed, added) {
            text += &replaced(change, removed, paint);
        } else {
            text.extend(change.iter().map(|line| plain(line, paint)));
        }
        next = end;
    }
    text
}

fn end(name: &str) -> String {
    escape(if name == "local" { "here" } else { name })
}

/// Whether the words that differ within the lines of a change stand out.
fn is_marked(change: &[String], removed: usize, added: usize) -> bool {
    let fits = |line: &String| line.len() <= MARKED_LENGTH;
    (1..=MARKED_LINES).contains(&removed) && removed == added && change.iter().all(fits)
}

/// How many lines at the start carry this sign; headers of files don't count.
fn run(lines: &[String], sign: char) -> usize {
    let header = format!("{sign}{sign}{sign} ");
    lines.iter().take_while(|line| line.starts_with(sign) && !line.starts_with(&header)).count()
}

fn plain(line: &str, paint: Paint) -> String {
    let painted = match line.as_bytes().first() {
        _ if line.starts_with("--- ") || line.starts_with("+++ ") => paint.bold(line),
        Some(b'-') => paint.red(line),
        Some(b'+') => paint.green(line),
        Some(b'@') => paint.cyan(line),
        _ => line.to_owned(),
    };
    painted + "\n"
}

/// As many lines out as in: each is shown beside what became of it.
fn replaced(lines: &[String], removed: usize, paint: Paint) -> String {
    let (before, after) = lines.split_at(removed);
    let pairs: Vec<_> =
        before.iter().zip(after).map(|(old, new)| mark(&old[1..], &new[1..], paint)).collect();
    let old = pairs.iter().map(|(old, _)| paint.red(&format!("-{old}")) + "\n");
    let new = pairs.iter().map(|(_, new)| paint.green(&format!("+{new}")) + "\n");
    old.chain(new).collect()
}

/// Inverts what lies between the words that both lines begin and end with.
fn mark(old: &str, new: &str, paint: Paint) -> (String, String) {
    let (old_words, new_words) = (split(old), split(new));
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let start = old_words.iter().zip(&new_words).take_while(same).count();
    let rest = (&old_words[start..], &new_words[start..]);
    let end = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(same).count();
    if start + end == 0 {
        return (old.to_owned(), new.to_owned());
    }
    let show = |words: &[&str]| {
        let middle = start..words.len() - end;
        [
            words[..start].concat(),
            paint.inverse(&words[middle.clone()].concat()),
            words[middle.end..].concat(),
        ]
        .concat()
    };
    (show(&old_words), show(&new_words))
}

/// Words and what stands between them, together the whole line.
fn split(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_alphanumeric();
        let end =
            rest.find(|letter: char| letter.is_alphanumeric() != is_word).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::FileState;

    use super::*;
    use crate::output::paint::ColorChoice;

    fn sample(unified: &str) -> DiffReport {
        DiffReport {
            files: vec![FileDiff {
                path: "a.md".to_owned(),
                state: FileState::LocalAhead.into(),
                binary: false,
                unified: unified.to_owned(),
                fault: None,
                from: "head".to_owned(),
                to: "local".to_owned(),
            }],
        }
    }

    #[test]
    fn plain_diff_is_the_unified_diff() {
        let unified = "--- a.md\n+++ a.md\n@@ -1,2 +1,2 @@\n-buy milk\n+buy bread\n rest\n";
        assert_eq!(
            report(&sample(unified), Paint::PLAIN),
            format!("a.md (changed here)\n{unified}")
        );
    }

    #[test]
    fn words_that_differ_within_a_line_stand_out() {
        let paint = Paint::for_stdout(ColorChoice::Always, &std::io::stdout());
        let text = report(&sample("-buy milk now\n+buy bread now\n"), paint);
        assert!(text.contains("-buy \u{1b}[7mmilk\u{1b}[27m now"), "{text:?}");
        assert!(text.contains("+buy \u{1b}[7mbread\u{1b}[27m now"), "{text:?}");
    }

    #[test]
    fn lines_with_nothing_in_common_are_left_whole() {
        let paint = Paint::for_stdout(ColorChoice::Always, &std::io::stdout());
        let text = report(&sample("-one\n+two\n"), paint);
        assert!(!text.contains("\u{1b}[7m"), "{text:?}");
    }

    #[test]
    fn runs_of_unequal_length_are_left_whole() {
        let paint = Paint::for_stdout(ColorChoice::Always, &std::io::stdout());
        let text = report(&sample("-buy milk now\n-and eggs\n+buy bread now\n"), paint);
        assert!(!text.contains("\u{1b}[7m"), "{text:?}");
    }

    #[test]
    fn words_are_compared_in_small_changes_only() {
        let paint = Paint::for_stdout(ColorChoice::Always, &std::io::stdout());
        let (old, new) = ("-buy milk now\n", "+buy bread now\n");
        let has_marks = |unified: &str| report(&sample(unified), paint).contains("\u{1b}[7m");
        let run = |count: usize| old.repeat(count) + &new.repeat(count);
        assert!(has_marks(&run(MARKED_LINES)));
        assert!(!has_marks(&run(MARKED_LINES + 1)));

        let line = |words: usize| format!("-{0}old\n+{0}new\n", "a ".repeat(words));
        assert!(has_marks(&line(MARKED_LENGTH / 2 - 2)));
        assert!(!has_marks(&line(MARKED_LENGTH / 2)));
    }

    #[test]
    fn two_large_texts_with_nothing_in_common_are_shown_whole() {
        let unified = "-old\n".repeat(200_000) + &"+new\n".repeat(200_001);
        let text = report(&sample(&unified), Paint::PLAIN);
        assert_eq!(text, format!("a.md (changed here)\n{unified}"));
    }

    #[test]
    fn file_that_can_not_be_shown_says_why() {
        let mut sample = sample("");
        let message = "storage is unreachable".to_owned();
        sample.files[0].fault = Some(mirror_proto::v1::Fault { message, ..Default::default() });
        assert_eq!(
            report(&sample, Paint::PLAIN),
            "a.md (changed here)\ncan't be shown now: storage is unreachable\n"
        );
    }

    #[test]
    fn content_cannot_command_the_terminal() {
        let text = report(&sample("+\u{1b}]0;owned\u{7}\n"), Paint::PLAIN);
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
