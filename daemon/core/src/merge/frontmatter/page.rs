//! A text that begins with frontmatter, taken apart so that its parts, laid end
//! to end, are the text again.
//!
//! Of YAML only what people and agents write there: keys, one a line, with a
//! value beside or blocks below them. A value that is no block of keys is taken
//! as it stands. What is anything else is no page.

use std::ops::Range;

/// Deeper is no page; nobody writes it.
const MAX_DEPTH: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Page<'t> {
    /// The line that opens the frontmatter, and the one that closes it.
    pub(super) fences: [&'t str; 2],
    pub(super) block: Block<'t>,
    pub(super) body: &'t str,
}

/// Keys of one depth.
#[derive(Debug, Default)]
pub(super) struct Block<'t> {
    pub(super) entries: Vec<Entry<'t>>,
    /// Comments and empty lines after the last.
    pub(super) rest: &'t str,
}

#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub(super) key: &'t str,
    /// Comments and empty lines before it.
    pub(super) gap: &'t str,
    /// The line of the key and all that belongs to it.
    pub(super) text: &'t str,
    /// The line of the key alone, with the keys below it, if it holds such.
    pub(super) inner: Option<(&'t str, Block<'t>)>,
}

impl<'t> Page<'t> {
    /// `None` where the text doesn't begin with frontmatter that is understood.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let lines = Lines::of(text);
        let is_fence = |at: &usize| lines.at(*at).trim_end() == "---";
        let close = (1..lines.ends.len()).find(is_fence).filter(|_| is_fence(&0))?;
        Some(Self {
            fences: [lines.at(0), lines.at(close)],
            block: lines.block(1..close, MAX_DEPTH)?,
            body: lines.from(close + 1),
        })
    }
}

struct Lines<'t> {
    text: &'t str,
    ends: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let mut end = 0;
        let ends = text.split_inclusive('\n').map(|line| {
            end += line.len();
            end
        });
        Self { text, ends: ends.collect() }
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    fn at(&self, at: usize) -> &'t str {
        &self.text[self.start(at)..self.ends[at]]
    }

    fn all(&self, lines: Range<usize>) -> &'t str {
        &self.text[self.start(lines.start)..self.start(lines.end)]
    }

    fn from(&self, at: usize) -> &'t str {
        &self.text[self.start(at)..]
    }

    /// All keys of one depth, with what is below them; `None` where a line is
    /// neither a key of that depth nor below one, or a key stands there twice.
    fn block(&self, lines: Range<usize>, depth: usize) -> Option<Block<'t>> {
        let depth = depth.checked_sub(1)?;
        let mut block = Block::default();
        let (mut gap, mut at) = (lines.start, lines.start);
        let first = lines.clone().find(|at| !is_idle(self.at(*at)));
        let indent = first.map_or(0, |first| indent(self.at(first)));
        while at < lines.end {
            let line = self.at(at);
            if is_idle(line) {
                at += 1;
                continue;
            }
            let (key, value) = key_of(line).filter(|_| indent == self::indent(line))?;
            if block.entries.iter().any(|entry| entry.key == key) {
                return None;
            }
            let end = self.end_of_value(at + 1..lines.end, indent);
            let below = (value.is_empty() && end > at + 1).then(|| self.block(at + 1..end, depth));
            block.entries.push(Entry {
                key,
                gap: self.all(gap..at),
                text: self.all(at..end),
                inner: below.flatten().map(|below| (line, below)),
            });
            (gap, at) = (end, end);
        }
        block.rest = self.all(gap..lines.end);
        Some(block)
    }

    /// Where what belongs to a key ends: it is indented further, or is a list.
    fn end_of_value(&self, lines: Range<usize>, indent: usize) -> usize {
        let mut end = lines.start;
        for at in lines {
            let line = self.at(at);
            let words = line.trim();
            let is_listed =
                self::indent(line) == indent && (words == "-" || words.starts_with("- "));
            if words.is_empty() {
                continue;
            }
            if self::indent(line) <= indent && !is_listed {
                break;
            }
            end = at + 1;
        }
        end
    }
}

/// Empty, or a comment.
fn is_idle(line: &str) -> bool {
    let words = line.trim();
    words.is_empty() || words.starts_with('#')
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// A key and what stands beside it, without a comment.
fn key_of(line: &str) -> Option<(&str, &str)> {
    let words = line.trim_start_matches(' ').trim_end();
    let (key, value) = match words.strip_suffix(':') {
        Some(key) if !key.contains(": ") => (key, ""),
        _ => words.split_once(": ")?,
    };
    let is_plain = |first: char| first.is_alphanumeric() || first == '_';
    let value = value.trim_start();
    let value = if value.starts_with('#') { "" } else { value };
    key.starts_with(is_plain).then_some((key, value))
}
