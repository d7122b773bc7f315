//! Which rules hold: those of the settings, of this machine, and of the ignore
//! file that stands in the working tree.
//!
//! Rules that can't be read are never taken for none: until they can, those
//! that were read last hold, and nothing new is pushed.

mod git;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use mirror_core::patterns::{Coverage, CoverageSource, IGNORE_FILE, IgnoreCost, Memories};
use mirror_core::{Kind, RelPath};
use mirror_storage::FaultClass;

use crate::api::{EngineResult, FileFault};
use crate::error::EngineError;
use crate::links;
use crate::outside::{DirEntry, Tree, TreeError};
use crate::project::worker::{Unusable, Worker};
pub(crate) use git::{GitRules, Texts, read_git_rules, text_of};

/// An ignore file larger than this is not read.
const MAX_IGNORE_BYTES: u64 = 4 << 20;

/// How often a file that changes while it is read is read again.
const TRIES: usize = 10;

/// What the place of the ignore file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IgnoreFile {
    /// Its text, empty where there is none, and where it leads to as a link.
    Rules { text: String, through: Vec<RelPath> },
    /// Something that no rules can be read from, and why.
    Unusable(String),
}

impl IgnoreFile {
    /// Takes bytes for rules, if they can be any.
    pub(crate) fn of(bytes: Vec<u8>, through: Vec<RelPath>) -> Self {
        if bytes.len() as u64 > MAX_IGNORE_BYTES {
            return Self::Unusable("it is larger than 4 MiB".to_owned());
        }
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => match IgnoreCost::default().add(&text) {
                Ok(()) => Self::Rules { text, through },
                Err(why) => Self::Unusable(why),
            },
            Ok(_) | Err(_) => Self::Unusable("it is no text in UTF-8".to_owned()),
        }
    }

    fn none() -> Self {
        Self::Rules { text: String::new(), through: Vec::new() }
    }
}

/// What the project mirrors, whatever this machine takes part in: by the ignore
/// file of the head, and by the one here that may follow it.
pub(crate) struct SharedRules {
    coverages: Vec<Coverage>,
    /// Whether all rules could be read.
    is_complete: bool,
}

impl SharedRules {
    /// Whether the project takes a file there, which it has already or not.
    pub(crate) fn take(&self, path: &RelPath, is_at_head: bool) -> bool {
        (self.is_complete || is_at_head) && self.coverages.iter().all(|rules| rules.covers(path))
    }
}

/// The path of the ignore file.
pub(crate) fn ignore_file() -> RelPath {
    RelPath::new(IGNORE_FILE).expect("our own name is allowed")
}

impl Worker {
    /// Makes the coverage anew when the settings or the ignore file changed.
    pub(crate) async fn refresh_coverage(&mut self) -> EngineResult<()> {
        let settings = self.log.history().settings().ok_or(EngineError::NoProject)?;
        let (project, by_git) = (settings.patterns(), settings.gitignore);
        let mut unusable = None;
        let (ignore, ignore_through) = match self.read_ignore_file().await? {
            IgnoreFile::Rules { text, through } => (text, through),
            IgnoreFile::Unusable(why) => {
                unusable = Some(Unusable::new(&ignore_file(), &why));
                let last = self.last_rules();
                (last.ignore, last.ignore_through)
            }
        };
        let tree = self.parts.tree.clone();
        let (of_settings, has_memories) = (settings.agent_folders(), settings.has_memories());
        let look = move || (tree.own_places(), tree.agent_folders(), tree.memories());
        let (own, mut agents, memories) = self.parts.outside.offload(look).await;
        let memories = memories.or_else(|| has_memories.then(Memories::default));
        agents.extend(of_settings);
        let narrowing = self.spec.narrowing.clone();
        let mut source = CoverageSource {
            project,
            narrowing,
            ignore,
            ignore_through,
            gitignore: None,
            own,
            agents,
            memories,
        };
        if by_git {
            source.gitignore = Some(match self.git_rules(&source).await? {
                Ok(texts) => texts,
                Err(unreadable) => {
                    unusable = Some(unreadable);
                    self.last_rules().gitignore.unwrap_or_default()
                }
            });
        }
        self.rules_unusable = unusable;
        if self.coverage.as_ref().is_some_and(|coverage| *coverage.source() == source) {
            return Ok(());
        }
        let coverage =
            Coverage::new(source).map_err(|error| EngineError::Usage(error.to_string()))?;
        self.coverage = Some(Arc::new(coverage));
        Ok(())
    }

    /// The rules as they could be read last.
    fn last_rules(&self) -> CoverageSource {
        let saved = || serde_json::from_str::<CoverageSource>(self.state.coverage()?).ok();
        let last = self.coverage.as_ref().map(|coverage| coverage.source().clone());
        last.or_else(saved).unwrap_or_default()
    }

    pub(crate) async fn read_ignore_file(&self) -> EngineResult<IgnoreFile> {
        let tree = self.parts.tree.clone();
        Ok(self.parts.outside.offload(move || read_ignore_file(tree.as_ref())).await?)
    }

    pub(crate) async fn shared_rules(&self) -> EngineResult<SharedRules> {
        let settings = self.log.history().settings().ok_or(EngineError::NoProject)?;
        let here = match self.read_ignore_file().await {
            Err(EngineError::Tree(TreeError::RootMissing)) => IgnoreFile::none(),
            here => here?,
        };
        let (mut coverages, mut is_complete) = (Vec::new(), true);
        for (rules, is_head) in [(self.ignore_file_at_head().await?, true), (here, false)] {
            let last = self.last_rules();
            let (ignore, ignore_through) = match rules {
                IgnoreFile::Rules { text, through } => (text, through),
                IgnoreFile::Unusable(_) => {
                    is_complete = false;
                    (last.ignore, last.ignore_through)
                }
            };
            let mut source = CoverageSource {
                project: settings.patterns(),
                ignore,
                ignore_through,
                own: last.own,
                agents: last.agents,
                ..CoverageSource::default()
            };
            if settings.gitignore {
                let texts = match is_head {
                    true => self.git_rules_at_head(&source).await?.ok(),
                    false => self.git_rules_here(&source).await?,
                };
                is_complete &= texts.is_some();
                source.gitignore = texts.or(last.gitignore).or_else(|| Some(Texts::new()));
            }
            let coverage = Coverage::new(source);
            coverages.push(coverage.map_err(|error| EngineError::Usage(error.to_string()))?);
        }
        Ok(SharedRules { coverages, is_complete })
    }

    /// What this machine will mirror by the head's ignore file; `None` where that
    /// can't be read.
    pub(crate) async fn coverage_at_head(&self) -> EngineResult<Option<Coverage>> {
        let settings = self.log.history().settings().ok_or(EngineError::NoProject)?;
        let IgnoreFile::Rules { text: ignore, through } = self.ignore_file_at_head().await? else {
            return Ok(None);
        };
        let last = self.last_rules();
        let mut source = CoverageSource {
            project: settings.patterns(),
            narrowing: self.spec.narrowing.clone(),
            ignore,
            ignore_through: through,
            own: last.own,
            agents: last.agents,
            memories: last.memories,
            gitignore: None,
        };
        if settings.gitignore {
            let Ok(texts) = self.git_rules_at_head(&source).await? else { return Ok(None) };
            source.gitignore = Some(texts);
        }
        let coverage = Coverage::new(source);
        coverage.map(Some).map_err(|error| EngineError::Usage(error.to_string()))
    }

    /// What the head's ignore file says, also where it is a link.
    async fn ignore_file_at_head(&self) -> EngineResult<IgnoreFile> {
        let manifest = self.log.history().manifest();
        let path = ignore_file();
        let unreadable = || IgnoreFile::Unusable("the head's version can't be read".to_owned());
        let Some(entry) = manifest.get(&path).map(|placed| &placed.entry) else {
            return Ok(IgnoreFile::none());
        };
        let Some(text) = self.text_of(&path, entry.sha256).await? else { return Ok(unreadable()) };
        if entry.kind == Kind::File {
            return Ok(IgnoreFile::of(text.into(), Vec::new()));
        }
        let mut targets: BTreeMap<RelPath, Vec<u8>> = BTreeMap::new();
        let way = loop {
            let link_at = |place: &RelPath| match manifest.get(place) {
                Some(placed) if placed.entry.kind == Kind::Link => match targets.get(place) {
                    Some(target) => Ok(Some(target.clone())),
                    None => Err((place.clone(), placed.entry.sha256)),
                },
                Some(_) | None => Ok(None),
            };
            match links::follow(&path, &text, link_at) {
                Ok(way) => break way,
                Err((place, digest)) => match self.text_of(&place, digest).await? {
                    Some(target) => drop(targets.insert(place, target.into())),
                    None => return Ok(unreadable()),
                },
            }
        };
        let end = way.and_then(|way| Some((manifest.get(&way.end)?, way)));
        let Some((placed, way)) = end else { return Ok(unreadable()) };
        let mut through = way.links;
        through.push(way.end.clone());
        Ok(match self.text_of(&way.end, placed.entry.sha256).await? {
            Some(text) => IgnoreFile::of(text.into(), through),
            None => unreadable(),
        })
    }

    /// The file that holds the rules: the ignore file, or what it leads to.
    pub(crate) fn file_of_rules(&self) -> RelPath {
        let through = self.coverage.as_ref().map(|coverage| &coverage.source().ignore_through);
        through.and_then(|through| through.last()).cloned().unwrap_or_else(ignore_file)
    }

    /// Why nothing new is pushed, where the rules can't be read.
    pub(crate) fn fault_of_rules(&self) -> Option<FileFault> {
        let Unusable { file, why } = self.rules_unusable.as_ref()?;
        Some(FileFault {
            path: file.as_str().to_owned(),
            class: FaultClass::Rejected,
            message: format!(
                "the rules of {file} can't be read: {why}; nothing new is pushed until they can"
            ),
            hint: Some(match file.as_str() {
                IGNORE_FILE => format!("make {file} a text file, or a link to one in the project"),
                _ => format!("make {file} a text file that can be read"),
            }),
        })
    }
}

/// Reads the ignore file of a tree, which may be a link to another file in it.
pub(crate) fn read_ignore_file(tree: &dyn Tree) -> Result<IgnoreFile, TreeError> {
    let path = ignore_file();
    match tree.link_at(&path) {
        Ok(Some(target)) => return read_through(tree, &path, &target),
        Ok(None) => {}
        Err(error) => return unusable(error),
    }
    match read_whole(tree, &path) {
        Ok(Some(bytes)) => Ok(IgnoreFile::of(bytes, Vec::new())),
        Ok(None) => Ok(match what_stands(tree, &path)? {
            Some(what) => IgnoreFile::Unusable(format!("it is {what}")),
            None => IgnoreFile::none(),
        }),
        Err(error) => unusable(error),
    }
}

fn read_through(tree: &dyn Tree, path: &RelPath, target: &[u8]) -> Result<IgnoreFile, TreeError> {
    let text = std::str::from_utf8(target).ok();
    let inside =
        text.filter(|text| text.starts_with('/')).map(|text| tree.path_of(Path::new(text)));
    let target = match &inside {
        // As it would be written from the root, where the ignore file is.
        Some(Some(inside)) => inside.as_str().as_bytes(),
        Some(None) => b"..",
        None => target,
    };
    let link_at = |place: &RelPath| match tree.link_at(place) {
        Err(TreeError::Obstructed(_)) => Ok(None),
        answer => answer,
    };
    let way = match links::follow(path, target, link_at) {
        Ok(Some(way)) => way,
        Ok(None) => {
            let why = "it is a link that leads out of the project, or nowhere";
            return Ok(IgnoreFile::Unusable(why.to_owned()));
        }
        Err(error) => return unusable(error),
    };
    let mut through = way.links;
    through.push(way.end.clone());
    match read_whole(tree, &way.end) {
        Ok(Some(bytes)) => Ok(IgnoreFile::of(bytes, through)),
        Ok(None) => Ok(IgnoreFile::Unusable(format!(
            "it is a link to {}, where no file can be read",
            mirror_core::path::display_safe(way.end.as_str()),
        ))),
        Err(error) => unusable(error),
    }
}

/// What is the matter with the ignore file alone; else the error itself.
fn unusable(error: TreeError) -> Result<IgnoreFile, TreeError> {
    match error {
        TreeError::RootMissing | TreeError::RootFailed(_) => Err(error),
        TreeError::Forbidden(_) => Ok(IgnoreFile::Unusable("it is not readable".to_owned())),
        error => Ok(IgnoreFile::Unusable(error.to_string())),
    }
}

/// A file's bytes, one more than a text may have at most, as they were at one
/// moment; `None` where no file is.
fn read_whole(tree: &dyn Tree, path: &RelPath) -> Result<Option<Vec<u8>>, TreeError> {
    let failed = |cause| TreeError::Failed { path: path.clone(), cause };
    for _ in 0..TRIES {
        let Some((before, reader)) = tree.open(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        reader.take(MAX_IGNORE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if before.kind == Kind::File && tree.stamp(path)? == Some(before) {
            return Ok(Some(bytes));
        }
    }
    Err(failed(std::io::Error::other("it changes all the time")))
}

/// Tells nothing at all from what no file is.
fn what_stands(tree: &dyn Tree, path: &RelPath) -> Result<Option<&'static str>, TreeError> {
    let found = tree.list(path.parent().as_ref())?;
    let found = found.into_iter().find(|found| found.name.as_deref() == Some(path.name()));
    Ok(found.and_then(|found| match found.entry {
        DirEntry::Folder => Some("a folder"),
        DirEntry::Special => Some("no file, but a pipe, a socket or a device"),
        DirEntry::Unreadable => Some("not readable"),
        // It came meanwhile: the next look reads it.
        DirEntry::File(_) => None,
    }))
}
