//! What all machines of a project share, as it stands in the log.
//!
//! Whoever changes one of them writes all of them again, also those that it does
//! not understand: an older program never takes a newer one's settings away.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::RelPath;
use crate::merge::Merger;
use crate::patterns::{Agent, AgentFolder, Patterns, Seen, compile_glob};

/// A word of the settings, such as a backend's name, is not longer.
const MAX_WORD_BYTES: usize = 64;

/// The preset of a project whose root is the configuration folder of Claude Code.
pub const CLAUDE_HOME: &str = "claude-home";

/// A URL is not longer.
const MAX_URL_BYTES: usize = 2_048;

/// What all machines of a project share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub name: String,
    pub patterns: Vec<String>,
    pub exclude: Vec<String>,
    /// Whether what git ignores stays out, on every machine.
    #[serde(default, skip_serializing_if = "is_off")]
    pub gitignore: bool,
    /// Who may use what stands on the backend.
    #[serde(default, skip_serializing_if = "SharedMode::is_private")]
    pub shared_mode: SharedMode,
    /// Which set of settings the project was made with; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// How paths are merged; the first glob that fits decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merge: Vec<MergeRule>,
    /// Where the project stands, without secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<NamedBackend>,
    /// Settings of a later version, kept as they are.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// Who on a machine or a server, besides the person who mirrors, may use what
/// stands on the backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum SharedMode {
    #[default]
    Private,
    /// The folder's group reads and writes.
    Group,
    /// The owner writes, and everybody reads.
    World,
    /// A word of a later version, kept as it is. This one lets nobody else in.
    Later(String),
}

impl SharedMode {
    /// The word that stands in the log.
    pub fn word(&self) -> &str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::World => "world",
            Self::Later(word) => word,
        }
    }

    /// Reads a word that this version knows.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Private, Self::Group, Self::World].into_iter().find(|mode| mode.word() == word)
    }

    fn is_private(&self) -> bool {
        *self == Self::Private
    }
}

impl From<String> for SharedMode {
    fn from(word: String) -> Self {
        Self::from_word(&word).unwrap_or(Self::Later(word))
    }
}

impl From<SharedMode> for String {
    fn from(mode: SharedMode) -> Self {
        mode.word().to_owned()
    }
}

/// How the paths that a glob takes are merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeRule {
    pub glob: String,
    /// The word of a [`Merger`], or of a later version.
    pub how: String,
}

/// One place where the project stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedBackend {
    pub name: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "is_off")]
    pub primary: bool,
}

impl Settings {
    /// A project of this name that mirrors what the patterns take.
    pub fn new(name: impl Into<String>, patterns: Patterns) -> Self {
        Self {
            name: name.into(),
            patterns: patterns.include,
            exclude: patterns.exclude,
            gitignore: false,
            shared_mode: SharedMode::Private,
            preset: None,
            merge: Vec::new(),
            backends: Vec::new(),
            other: BTreeMap::new(),
        }
    }

    pub fn patterns(&self) -> Patterns {
        Patterns { include: self.patterns.clone(), exclude: self.exclude.clone() }
    }

    /// The folders of agents that the project stands for, wherever its root is.
    pub fn agent_folders(&self) -> Vec<AgentFolder> {
        self.has_memories()
            .then_some(AgentFolder { agent: Agent::Claude, seen: Seen::Around(None) })
            .into_iter()
            .collect()
    }

    /// Whether `memory/<name>/` stands for a folder of each machine (B15).
    pub fn has_memories(&self) -> bool {
        self.preset.as_deref() == Some(CLAUDE_HOME)
    }

    /// How two versions of this path are merged: the first rule whose glob fits
    /// decides. `None` for a way of a later version, which waits for a person: two
    /// machines that merge differently would do so for ever (M4).
    pub fn merger(&self, path: &RelPath) -> Option<Merger> {
        let fits = |rule: &&MergeRule| {
            let glob = compile_glob(&rule.glob);
            glob.is_ok_and(|glob| glob.compile_matcher().is_match(path.as_str()))
        };
        match self.merge.iter().find(fits) {
            Some(rule) => Merger::from_word(&rule.how),
            None => Some(Merger::default()),
        }
    }

    /// Says what no project can have, in words for the entry that brings it (L6).
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let named = !self.name.is_empty() && self.name.len() <= 255;
        if !named || self.name.contains(char::is_control) {
            return Err("the project's name is not allowed");
        }
        let globs = self.merge.iter().map(|rule| rule.glob.clone()).collect();
        let merge = Patterns { include: globs, exclude: Vec::new() };
        if self.patterns().check().is_err() || merge.check().is_err() {
            return Err("a pattern cannot be understood");
        }
        let words = self.merge.iter().map(|rule| rule.how.as_str());
        let words = words.chain(self.preset.as_deref()).chain([self.shared_mode.word()]);
        if !words.chain(self.backends.iter().map(|it| it.name.as_str())).all(is_word) {
            return Err("a word in its settings is not allowed");
        }
        self.check_backends()
    }

    fn check_backends(&self) -> Result<(), &'static str> {
        let names: BTreeSet<&str> = self.backends.iter().map(|b| b.name.as_str()).collect();
        if names.len() != self.backends.len() {
            return Err("two of its backends have one name");
        }
        let primaries = self.backends.iter().filter(|backend| backend.primary).count();
        if primaries != usize::from(!self.backends.is_empty()) {
            return Err("not exactly one of its backends is the primary");
        }
        let good = |url: &str| {
            !url.is_empty() && url.len() <= MAX_URL_BYTES && !url.contains(char::is_control)
        };
        match self.backends.iter().all(|backend| good(&backend.url)) {
            true => Ok(()),
            false => Err("the URL of a backend is not allowed"),
        }
    }
}

/// A preset, a way to merge, the name of a backend.
fn is_word(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_WORD_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_off(flag: &bool) -> bool {
    !flag
}
