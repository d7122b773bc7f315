//! The `.gitignore` files of a working tree, where the project goes by them.
//!
//! They are read from the tree, as git reads them: each before its folder is
//! gone into, so that nothing below an ignored folder is looked at. One that is
//! a link says nothing, as to git.

use std::collections::BTreeMap;
use std::sync::Arc;

use mirror_core::patterns::{Coverage, CoverageSource, GIT_IGNORE_FILE, IgnoreCost};
use mirror_core::{Kind, RelPath};

use super::{IgnoreFile, read_whole};
use crate::api::EngineResult;
use crate::error::EngineError;
use crate::outside::{DirEntry, Tree, TreeError};
use crate::project::worker::{Unusable, Worker};

/// Texts of rules by their folder; the root's is `""`.
pub(crate) type Texts = BTreeMap<String, String>;

impl Worker {
    /// The texts of all `.gitignore` files here, read anew once one has changed.
    pub(super) async fn git_rules(
        &mut self,
        source: &CoverageSource,
    ) -> EngineResult<Result<Texts, Unusable>> {
        let is_as_before = |coverage: &Arc<Coverage>| {
            CoverageSource { gitignore: None, ..coverage.source().clone() } == *source
        };
        // Other rules may let other folders be gone into.
        let is_same = self.coverage.as_ref().is_some_and(is_as_before);
        if !is_same || self.index.have_rules_moved() {
            self.git_rules = None;
            self.index.rules_read();
        }
        if let Some(known) = &self.git_rules {
            return Ok(Ok(known.as_ref().clone()));
        }
        let (tree, source) = (self.parts.tree.clone(), source.clone());
        let read = self.parts.outside.offload(move || read_git_rules(tree.as_ref(), &source));
        let texts = read.await?;
        self.git_rules = texts.as_ref().ok().cloned().map(Arc::new);
        Ok(texts)
    }

    /// The same for who changes nothing: as they were read last, if they were.
    pub(super) async fn git_rules_here(
        &self,
        source: &CoverageSource,
    ) -> EngineResult<Option<Texts>> {
        if let Some(known) = &self.git_rules {
            return Ok(Some(known.as_ref().clone()));
        }
        let (tree, source) = (self.parts.tree.clone(), source.clone());
        let read = self.parts.outside.offload(move || read_git_rules(tree.as_ref(), &source));
        match read.await {
            Err(EngineError::Tree(TreeError::RootMissing)) => Ok(Some(Texts::new())),
            read => Ok(read?.ok()),
        }
    }

    /// The texts of all `.gitignore` files of the head.
    pub(super) async fn git_rules_at_head(
        &self,
        source: &CoverageSource,
    ) -> EngineResult<Result<Texts, Unusable>> {
        let manifest = self.log.history().manifest();
        let is_rules = |path: &&RelPath| path.name() == GIT_IGNORE_FILE;
        let mut files: Vec<&RelPath> = manifest.keys().filter(is_rules).collect();
        files.sort_by_key(|path| path.ancestors().count());
        let mut found = GitRules::new(source)?;
        for path in files {
            let Some(entry) = manifest.get(path).map(|placed| &placed.entry) else { continue };
            if entry.kind != Kind::File || !found.may_hold(path.parent().as_ref()) {
                continue;
            }
            let folder = folder_of(path);
            let is_here = self.index.get(path).is_some_and(|it| it.state.digest == entry.sha256);
            let here = self.git_rules.as_ref().filter(|_| is_here).and_then(|it| it.get(&folder));
            let text = match here {
                Some(text) => text.clone(),
                None => match self.text_of(path, entry.sha256).await? {
                    Some(bytes) => match text_of(path, bytes.into()) {
                        Ok(text) => text,
                        Err(unusable) => return Ok(Err(unusable)),
                    },
                    None => {
                        return Ok(Err(Unusable::new(path, "the head's version can't be read")));
                    }
                },
            };
            if let Err(unusable) = found.add(path, text) {
                return Ok(Err(unusable));
            }
        }
        Ok(Ok(found.into_texts()))
    }
}

/// Rules as they are found, outermost first: each holds for what follows.
pub(crate) struct GitRules {
    coverage: Coverage,
    cost: IgnoreCost,
}

impl GitRules {
    pub(crate) fn new(source: &CoverageSource) -> EngineResult<Self> {
        let source = CoverageSource { gitignore: Some(Texts::new()), ..source.clone() };
        let coverage = Coverage::new(source);
        let coverage = coverage.map_err(|error| EngineError::Usage(error.to_string()))?;
        Ok(Self { coverage, cost: IgnoreCost::default() })
    }

    /// Whether anything mirrored may lie in a folder, by the rules so far.
    pub(crate) fn may_hold(&self, folder: Option<&RelPath>) -> bool {
        folder.is_none_or(|folder| self.coverage.may_hold(folder))
    }

    /// Takes up the file of rules at `path`.
    pub(crate) fn add(&mut self, path: &RelPath, text: String) -> Result<(), Unusable> {
        self.cost.add(&text).map_err(|why| Unusable::new(path, &why))?;
        self.coverage.add_git_rules(folder_of(path), text);
        Ok(())
    }

    pub(crate) fn into_texts(self) -> Texts {
        self.coverage.into_source().gitignore.unwrap_or_default()
    }
}

/// Reads the rules of a whole tree, level by level.
pub(crate) fn read_git_rules(
    tree: &dyn Tree,
    source: &CoverageSource,
) -> EngineResult<Result<Texts, Unusable>> {
    let mut found = GitRules::new(source)?;
    let mut level: Vec<Option<RelPath>> = vec![None];
    while !level.is_empty() {
        let mut below = Vec::new();
        for folder in &level {
            let entries = match tree.list(folder.as_ref()) {
                Err(error @ (TreeError::RootMissing | TreeError::RootFailed(_))) => {
                    return Err(error.into());
                }
                // It is named by whoever looks for files in it.
                entries => entries.unwrap_or_default(),
            };
            for entry in entries {
                let join = |name: &str| match folder {
                    Some(folder) => folder.join(name),
                    None => RelPath::new(name),
                };
                let Some(Ok(path)) = entry.name.as_deref().map(join) else { continue };
                match entry.entry {
                    DirEntry::Folder => below.push(path),
                    DirEntry::File(stamp)
                        if stamp.kind == Kind::File && path.name() == GIT_IGNORE_FILE =>
                    {
                        let text = read(tree, &path)?;
                        if let Err(unusable) = text.and_then(|text| found.add(&path, text)) {
                            return Ok(Err(unusable));
                        }
                    }
                    DirEntry::File(_) | DirEntry::Special | DirEntry::Unreadable => {}
                }
            }
        }
        level = below.into_iter().filter(|at| found.may_hold(Some(at))).map(Some).collect();
    }
    Ok(Ok(found.into_texts()))
}

fn read(tree: &dyn Tree, path: &RelPath) -> EngineResult<Result<String, Unusable>> {
    Ok(match read_whole(tree, path) {
        Ok(bytes) => text_of(path, bytes.unwrap_or_default()),
        Err(error @ (TreeError::RootMissing | TreeError::RootFailed(_))) => {
            return Err(error.into());
        }
        Err(TreeError::Forbidden(_)) => Err(Unusable::new(path, "it is not readable")),
        Err(error) => Err(Unusable::new(path, &error.to_string())),
    })
}

/// Bytes as rules, unless they can't be any.
pub(crate) fn text_of(path: &RelPath, bytes: Vec<u8>) -> Result<String, Unusable> {
    match IgnoreFile::of(bytes, Vec::new()) {
        IgnoreFile::Rules { text, .. } => Ok(text),
        IgnoreFile::Unusable(why) => Err(Unusable::new(path, &why)),
    }
}

pub(crate) fn folder_of(path: &RelPath) -> String {
    path.parent().map_or_else(String::new, |folder| folder.as_str().to_owned())
}
