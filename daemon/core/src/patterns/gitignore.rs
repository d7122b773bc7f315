//! `.mirrorignore`, read exactly as git reads a `.gitignore` at the root.
//!
//! The usual crate for it differs from git on braces, named classes, trailing
//! blanks and more; a test holds this one against git itself.

use super::wildmatch::Wildmatch;
use crate::path::RelPath;

/// The rules of one `.mirrorignore`; of those that match, the last decides.
#[derive(Clone, Debug)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    glob: Wildmatch,
    /// `!`: what earlier rules drop comes back.
    takes_back: bool,
    folders_only: bool,
    /// Without a slash a pattern is about names, wherever they are.
    name_only: bool,
}

impl Rules {
    /// A line that is no pattern drops nothing, silently, as in git.
    pub(super) fn new(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self(text.split('\n').filter_map(Rule::new).collect())
    }

    pub(super) fn drop_file(&self, path: &RelPath) -> bool {
        self.drop_above(path) || self.drop(path.as_str(), false)
    }

    pub(super) fn drop_folder(&self, folder: &RelPath) -> bool {
        self.drop_above(folder) || self.drop(folder.as_str(), true)
    }

    /// From the root down: nothing below a dropped folder comes back.
    fn drop_above(&self, path: &RelPath) -> bool {
        !self.0.is_empty() && path.ancestors().any(|folder| self.drop(folder, true))
    }

    fn drop(&self, path: &str, is_folder: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let decides = |rule: &&Rule| {
            (is_folder || !rule.folders_only)
                && rule.glob.matches(if rule.name_only { name } else { path })
        };
        self.0.iter().rev().find(decides).is_some_and(|rule| !rule.takes_back)
    }
}

impl Rule {
    fn new(line: &str) -> Option<Self> {
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
        Some(Self { glob, takes_back, folders_only, name_only })
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
