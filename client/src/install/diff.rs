//! What changes between two texts, as people are used to read it.

/// Longer stretches that differ are shown as all out, all in.
const COMPARED: usize = 2_000;

/// A unified diff without its header; empty where nothing differs.
pub(crate) fn unified(before: &str, after: &str, context: usize) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (lines(before), lines(after));
    let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
    let start = old.iter().zip(&new).take_while(same).count();
    let rest = (&old[start..], &new[start..]);
    let end = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(same).count();
    let middle = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let mut edits: Vec<Edit> = vec![Edit::Same; start];
    edits.extend(compared(middle.0, middle.1));
    edits.extend(vec![Edit::Same; end]);
    hunks(&old, &new, &edits, context)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Same,
    Out,
    In,
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// By the longest sequence of lines that both have.
fn compared(old: &[&str], new: &[&str]) -> Vec<Edit> {
    if old.len() > COMPARED || new.len() > COMPARED {
        return [vec![Edit::Out; old.len()], vec![Edit::In; new.len()]].concat();
    }
    let mut longest = vec![vec![0_u16; new.len() + 1]; old.len() + 1];
    for (row, line) in old.iter().enumerate().rev() {
        for (column, other) in new.iter().enumerate().rev() {
            longest[row][column] = match line == other {
                true => longest[row + 1][column + 1] + 1,
                false => longest[row + 1][column].max(longest[row][column + 1]),
            };
        }
    }
    let (mut row, mut column, mut edits) = (0, 0, Vec::new());
    while row < old.len() || column < new.len() {
        let is_in = row == old.len()
            || column < new.len() && longest[row][column + 1] > longest[row + 1][column];
        let edit = match row < old.len() && column < new.len() && old[row] == new[column] {
            true => Edit::Same,
            false if is_in => Edit::In,
            false => Edit::Out,
        };
        row += usize::from(edit != Edit::In);
        column += usize::from(edit != Edit::Out);
        edits.push(edit);
    }
    edits
}

fn hunks(old: &[&str], new: &[&str], edits: &[Edit], context: usize) -> String {
    let mut text = String::new();
    let (mut row, mut column, mut at) = (0, 0, 0);
    while let Some(next) = edits[at..].iter().position(|edit| *edit != Edit::Same) {
        let lead = next.min(context);
        (row, column, at) = (row + next - lead, column + next - lead, at + next - lead);
        let end = end_of_hunk(edits, at + lead, context);
        let hunk = &edits[at..end];
        let count = |other: Edit| hunk.iter().filter(|edit| **edit != other).count();
        let (outs, ins) = (count(Edit::In), count(Edit::Out));
        let first = |line: usize, count: usize| if count == 0 { line } else { line + 1 };
        let (old_line, new_line) = (first(row, outs), first(column, ins));
        text.extend([format!("@@ -{old_line},{outs} +{new_line},{ins} @@\n")]);
        for edit in hunk {
            let (sign, line) = match edit {
                Edit::Same => (' ', old[row]),
                Edit::Out => ('-', old[row]),
                Edit::In => ('+', new[column]),
            };
            text.push(sign);
            text += line.trim_end_matches(['\n', '\r']);
            text += if line.ends_with('\n') { "\n" } else { "\n\\ No newline at end of file\n" };
            row += usize::from(*edit != Edit::In);
            column += usize::from(*edit != Edit::Out);
        }
        at = end;
    }
    text
}

/// Changes that lie close together are one hunk.
fn end_of_hunk(edits: &[Edit], start: usize, context: usize) -> usize {
    let mut last = start;
    for (place, edit) in edits.iter().enumerate().skip(start) {
        if *edit != Edit::Same {
            last = place;
        } else if place > last + 2 * context {
            break;
        }
    }
    (last + 1 + context).min(edits.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_come_and_go_are_shown_where_they_are() {
        let (before, after) = ("a\nb\nc\nd\ne\n", "a\nB\nc\nd\ne\nf\n");
        let expected = "@@ -2,1 +2,1 @@\n-b\n+B\n@@ -5,0 +6,1 @@\n+f\n";
        assert_eq!(unified(before, after, 0), expected);
        assert_eq!(
            unified(before, after, 1),
            "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n@@ -5,1 +5,2 @@\n e\n+f\n"
        );
        assert_eq!(unified(before, before, 3), "");
        assert_eq!(unified("", "a", 1), "@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n");
    }

    #[test]
    fn applying_it_with_patch_gives_the_other_text() {
        let place = tempfile::tempdir().expect("a folder");
        let texts = ["", "a\n", "a\nb\nc\n", "c\nb\na\n", "x\na\ny\nb\nz\nc\nw\n", "a\nq\nq\nc\n"];
        for before in texts {
            for after in texts {
                for context in [0, 1, 3] {
                    let file = place.path().join("file");
                    std::fs::write(&file, before).expect("written");
                    assert_eq!(patched(&file, &unified(before, after, context)), after);
                }
            }
        }
    }

    /// Applies hunks by their numbers alone, as `patch` does.
    fn patched(file: &std::path::Path, diff: &str) -> String {
        let text = std::fs::read_to_string(file).expect("there");
        let old: Vec<_> = text.split_inclusive('\n').collect();
        let (mut made, mut at) = (String::new(), 0);
        for line in diff.lines() {
            if let Some(numbers) = line.strip_prefix("@@ -") {
                let (start, count) = numbers.split(' ').next().unwrap().split_once(',').unwrap();
                let start: usize = start.parse().unwrap();
                let start = if count == "0" { start } else { start - 1 };
                made.extend(old[at..start].iter().copied());
                at = start;
                continue;
            }
            match line.split_at(1) {
                ("+", line) => made.extend([line, "\n"]),
                ("-", line) => {
                    assert_eq!(old[at].trim_end(), line);
                    at += 1;
                }
                (_, line) => {
                    assert_eq!(old[at].trim_end(), line);
                    made.extend([line, "\n"]);
                    at += 1;
                }
            }
        }
        made.extend(old[at..].iter().copied());
        made
    }
}
