//! One file of ignore rules, read exactly as git reads a `.gitignore`.
//!
//! The usual crate for it differs from git on braces, named classes, trailing
//! blanks and more; a test holds this one against git itself.

use std::collections::HashMap;

use super::wildmatch::Wildmatch;

/// The rules of one file; of those that match, the last decides.
///
/// Those without a wildcard are looked up, however many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    all: Vec<Rule>,
    /// By the name or path that it is about, which rules have no wildcard.
    plain: HashMap<Box<str>, Vec<usize>>,
    /// The others.
    wild: Vec<usize>,
}

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
        let mut rules = Self::default();
        for rule in rules_in(text) {
            let at = rules.all.len();
            match rule.glob.plain() {
                Some(plain) => rules.plain.entry(plain.into()).or_default().push(at),
                None => rules.wild.push(at),
            }
            rules.all.push(rule);
        }
        rules
    }

    /// The rule that decides on what lies at `path`, seen from the file's folder.
    pub(super) fn deciding(&self, path: &str, is_folder: bool) -> Option<&Rule> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_about = |rule: &Rule| is_folder || !rule.folders_only;
        let plain = |text: &str, name_only: bool| {
            let mut places = self.plain.get(text)?.iter().rev();
            places.find(|at| self.all[**at].name_only == name_only && is_about(&self.all[**at]))
        };
        let plain = plain(name, true).max(plain(path, false)).copied();
        let later = self.wild.iter().rev().take_while(|at| Some(**at) > plain);
        let wild = later.copied().find(|at| {
            let rule = &self.all[*at];
            is_about(rule) && rule.glob.matches(if rule.name_only { name } else { path })
        });
        wild.or(plain).map(|at| &self.all[at])
    }
}

/// What the rules of a text cost: how many there are, and how many pieces of them
/// are compared one by one.
pub(super) fn costs_of(text: &str) -> impl Iterator<Item = usize> {
    rules_in(text).map(|rule| rule.glob.pieces())
}

fn rules_in(text: &str) -> impl Iterator<Item = Rule> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n').enumerate().filter_map(|(at, line)| Rule::new(at + 1, line))
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
