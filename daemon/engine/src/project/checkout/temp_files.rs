//! Finds versions under temporary names that can't be settled (B3): the state is
//! lost that knew of them (B5), or their folder has another name by now.
//!
//! What the log holds is removed. Anything else may be an edit, and goes to the
//! stash: nobody knows any more which file it was.

use mirror_core::patterns::Coverage;
use mirror_core::{Digest, History, RelPath};

use super::faults::notices_of_stash;
use crate::api::{EngineResult, Notice};
use crate::data::stash::Stash;
use crate::outside::tree::{TEMP_PREFIX, UNFINISHED_SUFFIX, digest_of};
use crate::outside::{DirEntry, Tree, TreeError};
use crate::project::worker::Worker;

/// A file of ours that no target knows at this place.
struct Leftover {
    path: RelPath,
    /// `None` for what was never whole, and so is nobody's version.
    digest: Option<Digest>,
}

impl Worker {
    /// Cleans up what no step will, and says what went to the stash. Called while none
    /// is under way.
    pub(crate) async fn take_up_leftovers(&mut self) -> EngineResult<Vec<Notice>> {
        self.refresh_coverage().await?;
        let Some(coverage) = self.coverage.clone() else { return Ok(Vec::new()) };
        let tree = self.parts.tree.clone();
        let found = self.parts.outside.offload(move || find(tree.as_ref(), &coverage)).await?;
        let places = self
            .state
            .targets()
            .iter()
            .filter_map(|(path, target)| below(path.parent().as_ref(), &target.temp_name));
        let places: Vec<RelPath> = places.collect();
        let is_unknown = |leftover: &Leftover| {
            !places.iter().any(|place| leftover.path.as_str().starts_with(place.as_str()))
        };
        let mut notices = Vec::new();
        for leftover in found.into_iter().filter(is_unknown) {
            let is_known = is_known(self.log.history(), &leftover);
            let (parts, path) = (self.parts.clone(), leftover.path.clone());
            let mut stash = Stash::of(&found_as(&path), &parts).because_of("crash");
            let clear = move || {
                let cleared = clear(parts.tree.as_ref(), &leftover, is_known, &mut stash);
                (cleared, stash)
            };
            let (cleared, stash) = self.parts.outside.offload(clear).await;
            let why = "a crash left a version that no commit has";
            notices.extend(notices_of_stash(&found_as(&path), &stash, self.now(), why));
            if let Err(error) = cleared {
                tracing::warn!(%path, %error, "a version that a crash left stays where it is");
            }
        }
        Ok(notices)
    }
}

/// Whether nothing is lost with it.
fn is_known(history: &History, leftover: &Leftover) -> bool {
    leftover.digest.is_none_or(|digest| history.place(digest).is_some())
}

/// Looks into every folder that may hold mirrored files, and that can be read.
fn find(tree: &dyn Tree, coverage: &Coverage) -> Result<Vec<Leftover>, TreeError> {
    let (mut found, mut folders) = (Vec::new(), vec![None]);
    while let Some(folder) = folders.pop() {
        let listed = match tree.list(folder.as_ref()) {
            Err(error) if folder.is_some() => {
                tracing::warn!(?folder, %error, "a folder can't be searched for what a crash left");
                continue;
            }
            listed => listed?,
        };
        for entry in listed {
            let Some(path) = entry.name.as_deref().and_then(|name| below(folder.as_ref(), name))
            else {
                continue;
            };
            match entry.entry {
                DirEntry::Folder if coverage.may_hold(&path) => folders.push(Some(path)),
                DirEntry::File(_) if path.name().starts_with(TEMP_PREFIX) => {
                    match look(tree, path.clone()) {
                        Ok(leftover) => found.extend(leftover),
                        Err(error) => tracing::warn!(%path, %error, "it can't be read"),
                    }
                }
                _ => {}
            }
        }
    }
    // Removing one removes the names made of it, which are longer.
    found.sort_by_key(|leftover| std::cmp::Reverse(leftover.path.as_str().len()));
    Ok(found)
}

fn below(folder: Option<&RelPath>, name: &str) -> Option<RelPath> {
    let path = folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
    RelPath::new(&path).ok()
}

fn look(tree: &dyn Tree, path: RelPath) -> Result<Option<Leftover>, TreeError> {
    if path.name().ends_with(UNFINISHED_SUFFIX) {
        return Ok(Some(Leftover { path, digest: None }));
    }
    let Some(mut reader) = tree.open_temp(&path, path.name())? else { return Ok(None) };
    let failed = |cause| TreeError::Failed { path: path.clone(), cause };
    let (digest, _) = digest_of(reader.as_mut()).map_err(failed)?;
    Ok(Some(Leftover { path, digest: Some(digest) }))
}

fn clear(
    tree: &dyn Tree,
    leftover: &Leftover,
    is_known: bool,
    stash: &mut Stash,
) -> Result<(), TreeError> {
    let Leftover { path, digest: _ } = leftover;
    if !is_known && let Some(mut reader) = tree.open_temp(path, path.name())? {
        let failed = |cause| TreeError::Failed { path: path.clone(), cause };
        stash.keep(reader.as_mut()).map_err(failed)?;
    }
    tree.remove_temp(path, path.name())
}

/// A name that a person may see, beside where it was found.
fn found_as(path: &RelPath) -> RelPath {
    let name = path.name().trim_start_matches('.').replacen("mirrord", "recovered", 1);
    below(path.parent().as_ref(), &name).unwrap_or_else(|| path.clone())
}
