//! What people mean by the names that they type.
//!
//! A name that exists, here or in anything that the project keeps, is that file
//! or folder alone; only what doesn't exist can be a glob.

use std::collections::BTreeSet;
use std::ops::Bound;

use mirror_core::RelPath;
use mirror_core::plan::{Selection, possible_globs};

use crate::outside::Tree;
use crate::project::worker::Worker;

impl Worker {
    /// The paths that these names are for; none is the whole project.
    pub(crate) async fn selection_of(&mut self, names: &[String]) -> Selection {
        let doubtful = possible_globs(names);
        if doubtful.is_empty() {
            return Selection::of(names, |_| false);
        }
        // What others have by such a name exists, too.
        if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "names go by what was read before");
        }
        let here = self.standing_here(&doubtful).await;
        let stashed = self.stash().await.unwrap_or_default();
        let is_stashed = |name: &str| {
            let mut paths = stashed.iter().map(|stashed| &stashed.path);
            paths.any(|path| path.as_str() == name || path.is_within(name))
        };
        Selection::of(names, |name| here.contains(name) || self.is_known(name) || is_stashed(name))
    }

    /// Whether the project knows a file or folder of this very name: here, at
    /// the head, in its past, or in what waits for a person.
    pub(crate) fn is_known(&self, name: &str) -> bool {
        let Ok(path) = RelPath::new(name) else { return false };
        let below = format!("{path}/");
        let is_it = |known: &RelPath| *known == path || known.as_str().starts_with(&below);
        let bounds = (Bound::Included(below.as_str()), Bound::Unbounded);
        let history = self.log.history();
        let index = self.index.entries();
        index.contains_key(&path)
            || index.range::<str, _>(bounds).next().is_some_and(|(known, _)| is_it(known))
            || history.manifest().keys().any(is_it)
            || history.past().iter().any(|past| is_it(&past.path))
            || self.state.bases().keys().any(is_it)
            || self.conflicts.keys().any(is_it)
            || self.outside_conflicts.values().any(|record| is_it(&record.path))
            || self.queue.pushes().iter().flat_map(|push| &push.changes).any(|c| is_it(&c.path))
    }

    /// Those of these names that something on the disk has, mirrored or not.
    async fn standing_here(&self, names: &[String]) -> BTreeSet<String> {
        let (tree, names) = (self.parts.tree.clone(), names.to_vec());
        self.parts
            .outside
            .offload(move || {
                let stands = |name: &String| stands(tree.as_ref(), name);
                names.into_iter().filter(stands).collect()
            })
            .await
    }
}

/// Whether its folder lists something by this very name.
fn stands(tree: &dyn Tree, name: &str) -> bool {
    let Ok(path) = RelPath::new(name) else { return false };
    let found = tree.list(path.parent().as_ref()).unwrap_or_default();
    found.iter().any(|found| found.name.as_deref() == Some(path.name()))
}
