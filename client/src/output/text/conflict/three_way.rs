//! The places where a file with conflict markers differs, three ways.
//!
//! For eyes only: what is sent to the daemon is never read from here.

use crate::output::escape::escape_content;
use crate::output::paint::Paint;

/// Equal lines around each place.
const AROUND: usize = 2;

/// Lines of one side that are worth reading before an editor is.
const MOST_LINES: usize = 20;

const MOST_PLACES: usize = 20;

/// In characters; a longer line is cut.
const LONGEST: usize = 400;

/// One place that did not merge.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place<'a> {
    /// Its first line in the file as it is here, from 1.
    line: usize,
    before: Vec<&'a str>,
    local: Vec<&'a str>,
    /// `None` where it is not known.
    base: Option<Vec<&'a str>>,
    remote: Vec<&'a str>,
    after: Vec<&'a str>,
}

/// Where in a marked file a line stands.
#[derive(Clone, Copy)]
enum Part {
    Between,
    Local,
    Base,
    Remote,
}

/// What the side is called that is not this folder.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    /// Fit for a terminal.
    pub(super) word: &'a str,
    /// As the last mark of a place has it.
    pub(super) end: &'a str,
}

pub(super) fn places(marked: &[u8], names: Names<'_>, paint: Paint) -> String {
    let marked = String::from_utf8_lossy(marked);
    let found = read(&marked, names.end);
    let shown = found.iter().take(MOST_PLACES);
    let mut text: String = shown.map(|one| show(one, names.word, paint)).collect();
    if found.len() > MOST_PLACES {
        text += &format!("… and {} more places\n", found.len() - MOST_PLACES);
    }
    text
}

fn read<'a>(marked: &'a str, end: &str) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    let mut part = Part::Between;
    let mut between: Vec<&str> = Vec::new();
    let mut line_here = 1;
    // Else a heading of the local side, underlined, would end it.
    let has_base = marked.lines().any(|line| line == "||||||| base");
    for line in marked.lines() {
        if let Some(next) = marker(part, line, has_base, end) {
            if matches!((part, next), (Part::Between, Part::Local)) {
                let before = between.split_off(between.len().saturating_sub(AROUND));
                let base = has_base.then(Vec::new);
                places.push(Place { line: line_here, before, base, ..Place::default() });
            }
            between.clear();
            part = next;
            continue;
        }
        if matches!(part, Part::Between | Part::Local) {
            line_here += 1;
        }
        match (part, places.last_mut()) {
            (Part::Local, Some(place)) => place.local.push(line),
            (Part::Base, Some(place)) => place.base.get_or_insert_default().push(line),
            (Part::Remote, Some(place)) => place.remote.push(line),
            (_, Some(place)) if place.after.len() < AROUND => place.after.push(line),
            _ => between.push(line),
        }
    }
    places
}

/// The part that begins after this line, when it is the marker that comes next.
fn marker(part: Part, line: &str, has_base: bool, end: &str) -> Option<Part> {
    match (part, line) {
        (Part::Between, "<<<<<<< here") => Some(Part::Local),
        (Part::Local, "||||||| base") => Some(Part::Base),
        (Part::Local, "=======") if !has_base => Some(Part::Remote),
        (Part::Base, "=======") => Some(Part::Remote),
        (Part::Remote, _) if line.strip_prefix(">>>>>>> ") == Some(end) => Some(Part::Between),
        _ => None,
    }
}

fn show(place: &Place<'_>, other: &str, paint: Paint) -> String {
    let plain = |line: &str| line.to_owned();
    let width = other.chars().count().max("here".len());
    let [around, here, base, there] =
        ["", "here", "base", other].map(|name| format!("{name:<width$}"));
    [
        paint.cyan(&format!("@@ line {}", place.line)) + "\n",
        side(&around, &place.before, plain),
        side(&here, &place.local, |line| paint.green(line)),
        place
            .base
            .as_ref()
            .map_or_else(String::new, |lines| side(&base, lines, |line| paint.dim(line))),
        side(&there, &place.remote, |line| paint.cyan(line)),
        side(&around, &place.after, plain),
    ]
    .concat()
}

/// One line at least: a side without any says so by an empty one.
fn side(name: &str, lines: &[&str], paint: impl Fn(&str) -> String) -> String {
    let is_context = name.trim().is_empty();
    let mut text: String = lines
        .iter()
        .take(MOST_LINES)
        .map(|line| paint(&format!("{name} | {}", cut(line))) + "\n")
        .collect();
    if lines.is_empty() && !is_context {
        text += &(paint(&format!("{name} (nothing)")) + "\n");
    }
    if lines.len() > MOST_LINES {
        text += &format!("{name} … and {} more lines\n", lines.len() - MOST_LINES);
    }
    text
}

fn cut(line: &str) -> String {
    let head: String = line.chars().take(LONGEST).collect();
    let rest = if head.len() < line.len() { "…" } else { "" };
    escape_content(&head) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: Names<'_> = Names { word: "ann", end: "#2 by ann" };

    const MARKED: &str = "one\ntwo\nthree\n\
        <<<<<<< here\nmine\nmine too\n||||||| base\nold\n=======\n>>>>>>> #2 by ann\n\
        four\nfive\nsix\nseven\neight\n\
        <<<<<<< here\nhere\n||||||| base\n=======\nthere\n>>>>>>> #2 by ann\n";

    #[test]
    fn each_place_is_shown_three_ways_with_what_is_around_it() {
        assert_eq!(
            places(MARKED.as_bytes(), NAMES, Paint::PLAIN),
            "@@ line 4\n\
             \x20    | two\n\
             \x20    | three\n\
             here | mine\n\
             here | mine too\n\
             base | old\n\
             ann  (nothing)\n\
             \x20    | four\n\
             \x20    | five\n\
             @@ line 11\n\
             \x20    | seven\n\
             \x20    | eight\n\
             here | here\n\
             base (nothing)\n\
             ann  | there\n"
        );
    }

    #[test]
    fn unknown_base_is_left_out() {
        let marked = "<<<<<<< here\nmine\n=======\ntheirs\n>>>>>>> #2 by ann\n";
        assert_eq!(
            places(marked.as_bytes(), NAMES, Paint::PLAIN),
            "@@ line 1\nhere | mine\nann  | theirs\n"
        );
    }

    #[test]
    fn underlined_heading_is_no_marker() {
        let marked = "<<<<<<< here\nNew\n=======\n||||||| base\nOld\n=======\nOther\n\
            >>>>>>> #2 by ann\n";
        assert_eq!(
            places(marked.as_bytes(), NAMES, Paint::PLAIN),
            "@@ line 1\nhere | New\nhere | =======\nbase | Old\nann  | Other\n"
        );
    }

    #[test]
    fn file_without_markers_has_no_places() {
        assert_eq!(places(b"one\n=======\n>>>>>>> #2 by ann\n", NAMES, Paint::PLAIN), "");
    }

    #[test]
    fn long_sides_and_long_lines_are_cut_and_counted() {
        let long = "x".repeat(LONGEST + 1);
        let many = "y\n".repeat(MOST_LINES + 3);
        let marked =
            format!("<<<<<<< here\n{long}\n||||||| base\n=======\n{many}>>>>>>> #2 by ann\n");
        let text = places(marked.as_bytes(), NAMES, Paint::PLAIN);
        assert!(text.contains(&format!("{}…\n", "x".repeat(LONGEST))), "{text}");
        assert!(text.contains("ann  … and 3 more lines\n"), "{text}");

        let one = "<<<<<<< here\na\n||||||| base\n=======\nb\n>>>>>>> #2 by ann\n";
        let text = places(one.repeat(MOST_PLACES + 2).as_bytes(), NAMES, Paint::PLAIN);
        assert!(text.ends_with("… and 2 more places\n"), "{text}");
    }

    #[test]
    fn content_cannot_command_the_terminal() {
        let marked =
            "<<<<<<< here\n\u{1b}[2J\n||||||| base\n=======\n\u{202e}\n>>>>>>> #2 by ann\n";
        let text = places(marked.as_bytes(), NAMES, Paint::PLAIN);
        assert!(text.contains("\\u{1b}[2J") && text.contains("\\u{202e}"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
    }
}
