//! What people mean by the names that they type.
//!
//! A name that exists, here or in anything that the project keeps, is that file
//! or folder alone; only what doesn't exist can be a glob.

use std::collections::BTreeSet;

use mirror_core::RelPath;
use mirror_core::path::display_safe;
use mirror_core::patterns::{Coverage, Left};
use mirror_core::plan::{Selection, UnknownNames, possible_globs};

use crate::api::{EngineResult, SkipReason};
use crate::error::EngineError;
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
        let is_it = |known: &RelPath| *known == path || known.is_within(name);
        let (history, index) = (self.log.history(), self.index.entries());
        index.has_within(name)
            || history.manifest().has_within(name)
            || history.past().has_within(&path)
            || self.state.bases().has_within(name)
            || self.conflicts.has_within(name)
            || self.outside_conflicts.values().any(|record| is_it(&record.path))
            || self.queue.pushes().iter().flat_map(|push| &push.changes).any(|c| is_it(&c.path))
    }

    /// Refuses names of nothing that is mirrored here, and says why it isn't.
    pub(crate) async fn check_names(&self, selection: &Selection) -> EngineResult<()> {
        let twins: BTreeSet<RelPath> = self.twins().into_iter().collect();
        let is_mirrored = |path: &&RelPath| {
            let covered = self.coverage.as_ref().is_none_or(|coverage| coverage.covers(path));
            covered && !self.index.is_hidden(path) && !twins.contains(*path)
        };
        match selection.check(self.known_paths().filter(is_mirrored)) {
            Ok(()) => Ok(()),
            Err(unknown) => Err(self.why_unknown(unknown).await),
        }
    }

    pub(crate) fn known_paths(&self) -> impl Iterator<Item = &RelPath> {
        let manifest = self.log.history().manifest().keys();
        self.index.entries().keys().chain(manifest).chain(self.state.bases().keys())
    }

    /// What to say of names that no mirrored file goes by: of the first one that
    /// stands here or at the head all the same, why it isn't mirrored.
    pub(crate) async fn why_unknown(&self, unknown: UnknownNames) -> EngineError {
        let UnknownNames(names) = unknown;
        let here = self.standing_here(&names).await;
        for typed in &names {
            let plain = typed.trim_end_matches('/');
            let (name, is_at_head) = (display_safe(plain), self.is_at_head(plain));
            let stands = is_at_head || here.contains(typed) || self.is_skipped(plain);
            let Some(why) = self.why_left_out(plain).filter(|_| stands) else { continue };
            let hint = match is_at_head {
                true => format!("`mirrorctl delete --ignored` takes {name} out of the project"),
                false => "`mirrorctl status --long` lists what is mirrored".to_owned(),
            };
            return EngineError::LeftOut { name, why, hint };
        }
        EngineError::UnknownPaths(names)
    }

    fn is_at_head(&self, name: &str) -> bool {
        self.log.history().manifest().has_within(name)
    }

    /// What leaves out a file of this name, in words.
    pub(crate) fn why_left_out(&self, name: &str) -> Option<String> {
        let above = name.match_indices('/').map(|(end, _)| &name[..end]);
        if let Some(skip) = above.chain([name]).find_map(|at| self.index.skipped_at(at)) {
            let (at, why) = (display_safe(&skip.path), why_skipped(skip.reason));
            let is_it = skip.path == name;
            return Some(if is_it {
                why.to_owned()
            } else {
                format!("{at} stands above it: {why}")
            });
        }
        let path = RelPath::new(name).ok()?;
        if self.twins().contains(&path) {
            return Some(why_skipped(SkipReason::NameClash).to_owned());
        }
        why_not(self.coverage.as_ref()?, &path)
    }

    fn is_skipped(&self, name: &str) -> bool {
        self.index.skipped_at(name).is_some()
    }

    /// The files here that make way for another of their name.
    fn twins(&self) -> Vec<RelPath> {
        let manifest = self.log.history().manifest();
        self.index.twins(|path| manifest.contains_key(path))
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

/// The rule that leaves a path out, in words.
fn why_not(coverage: &Coverage, path: &RelPath) -> Option<String> {
    Some(match coverage.why_not(path)? {
        Left::Own => "it is mirrord's own".to_owned(),
        Left::OfAgent => "an agent keeps it to its machine, and no setting changes that".to_owned(),
        Left::Unmapped => {
            "no folder of this machine is mapped to it (`mirrorctl memory list`)".to_owned()
        }
        Left::Temporary => "it is named as programs name what they are writing".to_owned(),
        Left::NoPattern { include } => {
            let globs: Vec<String> = include.iter().map(|glob| display_safe(glob)).collect();
            format!("no pattern covers it ({})", globs.join(", "))
        }
        Left::Excluded { glob } => format!("`exclude` leaves it out ({})", display_safe(&glob)),
        Left::Narrowed => "this machine's own patterns leave it out".to_owned(),
        Left::Ignored { file, line, rule } => {
            let (file, rule) = (display_safe(&file), display_safe(&rule));
            format!("line {line} of {file} ignores it ({rule})")
        }
    })
}

fn why_skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NotUtf8 => "its name is not UTF-8",
        SkipReason::NameNotAllowed => "some systems can't hold its name",
        SkipReason::Unreadable => "it can't be read",
        SkipReason::SymlinkOutside => {
            "it is a link that leads out of the project, or to what is ignored"
        }
        SkipReason::NameClash => "another file has the same name where case does not count",
        SkipReason::SpecialFile => "it is a pipe, a socket or a device",
        SkipReason::NotMounted => "it is not mounted as it was: its files are left as they are",
        SkipReason::RulesUnusable => "no rules can be read from it",
        SkipReason::Own => "it is mirrord's own",
    }
}
