//! One file of ignore rules, read exactly as git reads a `.gitignore`.
//!
//! The usual crate for it differs from git on braces, named classes, trailing
//! blanks and more; a test holds this one against git itself.

use super::wildmatch::Wildmatch;

/// The rules of one file; of those that match, the last decides.
#[derive(Clone, Debug)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Which line of its file it is, from 1.
    pub(super) line: usize,
    /// `!`: what earlier rules drop comes back.
    pub(super) takes_back: bool,
    glob: Wildmatch,
    folders_only: bool,
    /// Without a slash a pattern is about names, wherever they are.
    name_only: bool,
}

impl Rules {
    /// A line that is no pattern drops nothing, silently, as in git.
    pub(super) fn new(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.split('\n').enumerate();
        Self(lines.filter_map(|(at, line)| Rule::new(at + 1, line)).collect())
    }

    /// The rule that decides on what lies at `path`, seen from the file's folder.
    pub(super) fn deciding(&self, path: &str, is_folder: bool) -> Option<&Rule> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let decides = |rule: &&Rule| {
            (is_folder || !rule.folders_only)
                && rule.glob.matches(if rule.name_only { name } else { path })
        };
        self.0.iter().rev().find(decides)
    }
}

impl Rule {
    fn new(number: usize, line: &str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let line = trim_end(line.strip_suffix('\r').unwrap_or(line));
        let (takes_back, line) = cut(line, line.strip_prefix('!'));
        let (folders_only, line) = cut(line, line.strip_suffix('/'));
        let name_only = !line.contains('/');
        let line = line.strip_prefix('/').unwrap_or(line);
        if line.is_empty() {
            return None;
        }
        let glob = Wildmatch::new(line.as_bytes())?;
        Some(Self { line: number, takes_back, glob, folders_only, name_only })
    }
}

fn cut<'a>(whole: &'a str, shorter: Option<&'a str>) -> (bool, &'a str) {
    (shorter.is_some(), shorter.unwrap_or(whole))
}

/// Drops spaces at the end, but not one that stands behind a backslash.
fn trim_end(line: &str) -> &str {
    let plain = line.trim_end_matches(' ');
    let backslashes = plain.bytes().rev().take_while(|byte| *byte == b'\\').count();
    let escaped = backslashes % 2 == 1 && plain.len() < line.len();
    &line[..plain.len() + usize::from(escaped)]
}
