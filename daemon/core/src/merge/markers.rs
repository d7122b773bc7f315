//! A text for a person to settle, in which open places are marked.

use super::lines::{LineId, Lines};
use super::weave::{Piece, differences, one_piece};
use super::{is_text, pieces};

const LOCAL: &[u8] = b"<<<<<<<";
const BASE: &[u8] = b"|||||||";
const MIDDLE: &[u8] = b"=======";
const REMOTE: &[u8] = b">>>>>>>";

/// Both sides as one text, with `<<<<<<<` and the first name, `||||||| base`,
/// `=======`, and `>>>>>>>` and the second name where both changed it. Without a
/// base its part is left out, and every difference is marked. `None` if one of them
/// is no text. Names are of one line.
#[must_use]
pub fn marked(base: Option<&[u8]>, sides: [&[u8]; 2], names: [&str; 2]) -> Option<Vec<u8>> {
    let [local, remote] = sides;
    if ![base.unwrap_or_default(), local, remote].into_iter().all(is_text) {
        return None;
    }
    let mut lines = Lines::default();
    let (ours, theirs) = (lines.split(local), lines.split(remote));
    let sides = [ours.as_slice(), theirs.as_slice()];
    let old = base.map(|base| lines.split(base));
    let pieces = match &old {
        Some(base) => pieces(base, sides).unwrap_or_else(|| one_piece(base, sides)),
        None => differences(sides[0], sides[1]),
    };
    let mut page = Page { lines: &lines, names, line_end: line_end(local), text: Vec::new() };
    for piece in pieces {
        page.put(piece, old.is_some());
    }
    Some(page.text)
}

/// Whether a text still holds marks. A line of `=======` alone is none: it
/// makes a heading in Markdown.
#[must_use]
pub fn has_markers(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        [LOCAL, BASE, REMOTE].iter().any(|mark| {
            line.strip_prefix(*mark).is_some_and(|rest| matches!(rest, [] | [b' ', ..] | [b'\r']))
        })
    })
}

/// Marks end as the lines do among which they stand.
fn line_end(text: &[u8]) -> &'static [u8] {
    let first = text.split_inclusive(|byte| *byte == b'\n').next();
    if first.is_some_and(|line| line.ends_with(b"\r\n")) { b"\r\n" } else { b"\n" }
}

struct Page<'t> {
    lines: &'t Lines<'t>,
    names: [&'t str; 2],
    line_end: &'static [u8],
    text: Vec<u8>,
}

impl Page<'_> {
    fn put(&mut self, piece: Piece<'_>, has_base: bool) {
        match piece {
            Piece::Settled(lines) => self.text.extend(self.lines.join(lines)),
            Piece::Open { base, sides: [local, remote] } => {
                self.part(LOCAL, self.names[0], local);
                if has_base {
                    self.part(BASE, "base", base);
                }
                self.part(MIDDLE, "", remote);
                self.part(REMOTE, self.names[1], &[]);
            }
        }
    }

    /// A mark, which begins a line, and the lines after it.
    fn part(&mut self, mark: &[u8], name: &str, lines: &[LineId]) {
        if self.text.last().is_some_and(|last| *last != b'\n') {
            self.text.extend(self.line_end);
        }
        let gap: &[u8] = if name.is_empty() { b"" } else { b" " };
        self.text.extend([mark, gap, name.as_bytes(), self.line_end].concat());
        self.text.extend(self.lines.join(lines));
    }
}
