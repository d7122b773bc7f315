//! All rules on what is mirrored, applied together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Patterns;
use super::agents::{AgentFolder, stays_here};
use super::code::runs_code;
use super::globs::{Globs, PatternError};
use super::ignore::{Dropped, GIT_IGNORE_FILE, Ignores};
use super::memories::{Memories, Side};
use super::never::{is_own_temporary, is_temporary};
use crate::path::RelPath;

/// The file at the root whose text says what isn't mirrored; itself always is.
pub const IGNORE_FILE: &str = ".mirrorignore";

/// What a coverage is made of. Kept beside the base, so that a path that has
/// left the patterns since is seen to have left (B7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoverageSource {
    pub project: Patterns,
    /// This machine's own, which only ever takes away.
    pub narrowing: Option<Patterns>,
    /// The text of `.mirrorignore`, empty when there is none.
    pub ignore: String,
    /// Where `.mirrorignore` leads to, when it is a link: mirrored as it is.
    pub ignore_through: Vec<RelPath>,
    /// The texts of all `.gitignore` files by their folder (the root's is `""`);
    /// `None` where the project doesn't go by them.
    pub gitignore: Option<BTreeMap<String, String>>,
    /// Folders and files of our own that lie in this tree.
    pub own: Vec<RelPath>,
    /// Where agents keep what must not leave this machine.
    pub agents: Vec<AgentFolder>,
    /// Which folders stand for shared ones; `None` where no project's memories are
    /// shared by other names than their own.
    pub memories: Option<Memories>,
}

/// Says of any path whether it is mirrored here.
///
/// Two are equal when their sources are, text for text.
#[derive(Clone, Debug)]
pub struct Coverage {
    source: CoverageSource,
    project: Globs,
    narrowing: Option<Globs>,
    rules: Ignores,
    git_rules: Ignores,
}

/// Why a path is not mirrored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// A program writes it at the moment.
    Temporary,
    /// It is ours.
    Own,
    /// It is an agent's, and of its machine alone.
    OfAgent,
    /// No folder of this machine stands for it.
    Unmapped,
    NoPattern {
        include: Vec<String>,
    },
    Excluded {
        glob: String,
    },
    /// By the patterns of this machine alone.
    Narrowed,
    Ignored {
        file: String,
        line: usize,
        rule: String,
    },
}

impl Coverage {
    pub fn new(source: CoverageSource) -> Result<Self, PatternError> {
        let git = source.gitignore.iter().flatten();
        let git_rules = Ignores::new(git.map(|(folder, text)| (folder.as_str(), text.as_str())));
        let ignore = (!source.ignore.is_empty()).then_some(("", source.ignore.as_str()));
        Ok(Self {
            project: Globs::new(&source.project)?,
            narrowing: source.narrowing.as_ref().map(Globs::new).transpose()?,
            rules: Ignores::new(ignore),
            git_rules,
            source,
        })
    }

    /// Lets the rules of one more `.gitignore` hold.
    pub fn add_git_rules(&mut self, folder: String, text: String) {
        self.git_rules.insert(folder.clone(), &text);
        self.source.gitignore.get_or_insert_default().insert(folder, text);
    }

    pub fn into_source(self) -> CoverageSource {
        self.source
    }

    pub fn source(&self) -> &CoverageSource {
        &self.source
    }

    /// Whether the file at `path` is mirrored.
    pub fn covers(&self, path: &RelPath) -> bool {
        self.holds_rules(path)
            || (!self.is_ours(path)
                && !self.stays_here(path)
                && self.memories().is_none_or(|memories| memories.may_be(path))
                && !is_temporary(path.name())
                && self.globs().all(|globs| globs.take(path))
                && self.dropped_file(path).is_none())
    }

    /// Whether a covered file may lie somewhere below `folder`. `false` is
    /// certain, so whoever walks the tree needn't enter.
    pub fn may_hold(&self, folder: &RelPath) -> bool {
        let holds_rules = |rules: &RelPath| rules.is_within(folder.as_str());
        !self.is_ours(folder)
            && !self.stays_here(folder)
            && self.memories().is_none_or(|memories| memories.may_hold(folder))
            && (self.source.ignore_through.iter().any(holds_rules)
                || (self.globs().all(|globs| globs.may_take_below(folder))
                    && !self.ignores(folder)))
    }

    /// Whether an ignore file leaves out a folder at `path`, or one above it.
    /// Unlike patterns it is the same on every machine and speaks of folders.
    pub fn ignores(&self, path: &RelPath) -> bool {
        self.rules.drop_folder(path).is_some() || self.git_rules.drop_folder(path).is_some()
    }

    /// Whether `path` lies in a folder of our own, or is a temporary one of ours.
    pub fn is_ours(&self, path: &RelPath) -> bool {
        path.segments().any(is_own_temporary)
            || self.source.own.iter().any(|own| own == path || path.is_within(own.as_str()))
    }

    /// Whether nothing may bring `path` to another machine, nor write it on this one.
    pub fn stays_here(&self, path: &RelPath) -> bool {
        stays_here(path, &self.source.agents)
            || self.memories().is_some_and(|memories| memories.stays_here(path))
    }

    /// Whether `path` is one that a folder of this machine stands for.
    pub fn is_memory(&self, path: &RelPath) -> bool {
        let side = self.memories().map(|_| Side::of(path));
        matches!(side, Some(Side::Memories | Side::Memory { .. }))
    }

    fn memories(&self) -> Option<&Memories> {
        self.source.memories.as_ref()
    }

    /// Whether an agent takes what the file at `path` says for its own commands.
    pub fn runs_code(&self, path: &RelPath) -> bool {
        runs_code(path, &self.source.agents)
            || self.memories().is_some_and(|memories| memories.runs_code(path))
    }

    /// Why `path` isn't mirrored; `None` when it is.
    pub fn why_not(&self, path: &RelPath) -> Option<Left> {
        if self.covers(path) {
            return None;
        }
        if self.is_ours(path) {
            return Some(Left::Own);
        }
        if self.stays_here(path) {
            return Some(Left::OfAgent);
        }
        if self.memories().is_some_and(|memories| !memories.may_be(path)) {
            return Some(Left::Unmapped);
        }
        if is_temporary(path.name()) {
            return Some(Left::Temporary);
        }
        if let Some(glob) = self.project.leaving_out(path, &self.source.project.exclude) {
            return Some(Left::Excluded { glob });
        }
        if !self.project.take(path) {
            return Some(Left::NoPattern { include: self.source.project.include.clone() });
        }
        Some(self.dropping(path).unwrap_or(Left::Narrowed))
    }

    /// The rule that drops `path`, with the line that it is.
    fn dropping(&self, path: &RelPath) -> Option<Left> {
        let ignored = |name: &str, text: &str, Dropped { folder, rule }: Dropped<'_>| {
            let file = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let line = text.split('\n').nth(rule.line - 1).unwrap_or_default();
            Left::Ignored { file, line: rule.line, rule: line.trim_end().to_owned() }
        };
        if let Some(dropped) = self.rules.drop_file(path) {
            return Some(ignored(IGNORE_FILE, &self.source.ignore, dropped));
        }
        let dropped = self.git_rules.drop_file(path)?;
        let text = self.source.gitignore.as_ref().and_then(|texts| texts.get(dropped.folder));
        Some(ignored(GIT_IGNORE_FILE, text.map_or("", String::as_str), dropped))
    }

    fn dropped_file(&self, path: &RelPath) -> Option<Dropped<'_>> {
        self.rules.drop_file(path).or_else(|| self.git_rules.drop_file(path))
    }

    /// Whether the file at `path` says what is mirrored. Such files go wherever what
    /// they are about goes, whatever they say of themselves: else machines would
    /// not agree. What is our own or an agent's goes nowhere, be it called rules or not
    /// (B7).
    pub fn holds_rules(&self, path: &RelPath) -> bool {
        !self.is_ours(path)
            && !self.stays_here(path)
            && self.memories().is_none_or(|memories| memories.may_be(path))
            && (path.as_str() == IGNORE_FILE
                || self.source.ignore_through.contains(path)
                || self.is_git_rules(path))
    }

    fn is_git_rules(&self, path: &RelPath) -> bool {
        self.source.gitignore.is_some()
            && path.name() == GIT_IGNORE_FILE
            && path.parent().is_none_or(|folder| self.may_hold(&folder))
    }

    fn globs(&self) -> impl Iterator<Item = &Globs> {
        std::iter::once(&self.project).chain(&self.narrowing)
    }
}

impl PartialEq for Coverage {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Coverage {}

#[cfg(test)]
mod tests;
