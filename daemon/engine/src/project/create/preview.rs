//! What a project would take of a folder, before it is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use mirror_core::patterns::{Coverage, CoverageSource, Memories, Patterns};
use mirror_core::{Kind, RelPath};

use crate::api::{Covered, CoveredFolder, EngineResult, SharedSettings};
use crate::error::EngineError;
use crate::outside::{DirEntry, Outside, Tree, TreeError};
use crate::project::rules::{IgnoreFile, Texts, read_git_rules, read_ignore_file};

/// Counts the files of a tree that these settings cover, by their folders at the
/// root. What can't be looked at is left out.
pub async fn preview(
    tree: Arc<dyn Tree>,
    outside: &Outside,
    settings: &SharedSettings,
    narrowing: Option<Patterns>,
) -> EngineResult<Covered> {
    let settings = settings.clone();
    let look = move || {
        let coverage = coverage_of(tree.as_ref(), &settings, narrowing)?;
        count(tree.as_ref(), &coverage)
    };
    outside.offload(look).await
}

fn coverage_of(
    tree: &dyn Tree,
    settings: &SharedSettings,
    narrowing: Option<Patterns>,
) -> EngineResult<Coverage> {
    let (ignore, ignore_through) = match read_ignore_file(tree)? {
        IgnoreFile::Rules { text, through } => (text, through),
        IgnoreFile::Unusable(_) => (String::new(), Vec::new()),
    };
    let mut source = CoverageSource {
        project: settings.patterns(),
        narrowing,
        ignore,
        ignore_through,
        own: tree.own_places(),
        agents: tree.agent_folders().into_iter().chain(settings.agent_folders()).collect(),
        memories: tree.memories().or_else(|| settings.has_memories().then(Memories::default)),
        gitignore: None,
    };
    if settings.gitignore {
        source.gitignore = read_git_rules(tree, &source)?.ok().or_else(|| Some(Texts::new()));
    }
    Coverage::new(source).map_err(|error| EngineError::Usage(error.to_string()))
}

fn count(tree: &dyn Tree, coverage: &Coverage) -> EngineResult<Covered> {
    let mut folders: BTreeMap<String, CoveredFolder> = BTreeMap::new();
    let mut left: Vec<Option<RelPath>> = vec![None];
    while let Some(folder) = left.pop() {
        if folder.as_ref().is_some_and(|folder| tree.is_own(folder)) {
            continue;
        }
        let entries = match tree.list(folder.as_ref()) {
            Err(error @ (TreeError::RootMissing | TreeError::RootFailed(_))) => {
                return Err(error.into());
            }
            entries => entries.unwrap_or_default(),
        };
        for entry in entries {
            let join = |name: &str| match &folder {
                Some(folder) => folder.join(name),
                None => RelPath::new(name),
            };
            let Some(Ok(path)) = entry.name.as_deref().map(join) else { continue };
            match entry.entry {
                DirEntry::Folder if coverage.may_hold(&path) => left.push(Some(path)),
                DirEntry::File(stamp) if coverage.covers(&path) => {
                    let top = path.ancestors().next().unwrap_or_default().to_owned();
                    let found = folders.entry(top.clone()).or_insert_with(|| CoveredFolder {
                        path: top,
                        files: 0,
                        bytes: 0,
                    });
                    found.files += 1;
                    found.bytes += if stamp.kind == Kind::File { stamp.size } else { 0 };
                }
                _ => {}
            }
        }
    }
    Ok(Covered { folders: folders.into_values().collect(), exclude: Vec::new() })
}
