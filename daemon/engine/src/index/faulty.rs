//! What the index concludes from a tree that can't be looked at properly.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use mirror_core::patterns::{CoverageSource, Patterns};
use mirror_core::{Digest, Kind};

use super::*;
use crate::api::SkipReason;
use crate::outside::tree::Opened;
use crate::outside::{
    DirEntry, Expected, Found, Identity, Manner, ManualWatch, Outside, Put, Staged, Taken, Tree,
    TreeError, TreeTraits, Watch,
};
use crate::real::{SystemClock, SystemEntropy, TokioSpawner};

/// A tree of `folder/a.md` and `b.md` that fails as it is told to.
#[derive(Default)]
struct FaultyTree {
    /// Can't be listed, or can't be opened.
    closed: Mutex<Option<&'static str>>,
    /// While set, each stamp differs from the one before.
    is_busy: Mutex<bool>,
    looks: AtomicI64,
    /// Another folder takes the root's place after this many questions.
    root_lasts: AtomicI64,
}

impl FaultyTree {
    fn check(&self, path: &str) -> Result<(), TreeError> {
        if *self.closed.lock().unwrap() == Some(path) {
            return Err(TreeError::Forbidden(RelPath::new(path).unwrap()));
        }
        Ok(())
    }

    fn stamp_of(&self, path: &str) -> Option<Stamp> {
        let is_busy = *self.is_busy.lock().unwrap() && path == "b.md";
        let ctime_ns = if is_busy { self.looks.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let identity = Identity { dev: 1, inode: 1, ctime_ns };
        let stamp = Stamp {
            kind: Kind::File,
            identity,
            size: 1,
            mtime_ns: 0,
            exec: false,
            private: false,
            is_linked: false,
        };
        ["folder/a.md", "b.md"].contains(&path).then_some(stamp)
    }

    fn found(&self, path: &str, name: &str) -> Found {
        let entry = self.stamp_of(path).map_or(DirEntry::Folder, DirEntry::File);
        Found { name: Some(name.to_owned()), shown: name.to_owned(), entry }
    }
}

impl Tree for FaultyTree {
    fn root_identity(&self) -> io::Result<Option<(u64, u64)>> {
        let has_gone = self.root_lasts.fetch_sub(1, Ordering::Relaxed) == 0;
        Ok(Some(if has_gone { (2, 2) } else { (1, 1) }))
    }

    fn list(&self, folder: Option<&RelPath>) -> Result<Vec<Found>, TreeError> {
        self.check(folder.map_or("", RelPath::as_str))?;
        Ok(match folder {
            None => vec![self.found("folder", "folder"), self.found("b.md", "b.md")],
            Some(_) => vec![self.found("folder/a.md", "a.md")],
        })
    }

    fn stamp(&self, path: &RelPath) -> Result<Option<Stamp>, TreeError> {
        Ok(self.stamp_of(path.as_str()))
    }

    fn open(&self, path: &RelPath) -> Result<Option<Opened>, TreeError> {
        self.check(path.as_str())?;
        let stamp = self.stamp_of(path.as_str());
        Ok(stamp.map(|stamp| (stamp, Box::new(b"x".as_slice()) as _)))
    }

    fn traits(&self) -> TreeTraits {
        TreeTraits { exec: true }
    }

    fn stage(
        &self,
        _: &RelPath,
        _: Manner,
        _: &str,
        _: &mut dyn io::Read,
    ) -> Result<Staged, TreeError> {
        unreachable!("the index only looks")
    }

    fn put(
        &self,
        _: &Staged,
        _: Expected,
        _: &mut dyn FnMut(&mut dyn io::Read) -> io::Result<()>,
    ) -> Result<Put, TreeError> {
        unreachable!("the index only looks")
    }

    fn take(
        &self,
        _: &RelPath,
        _: State,
        _: &str,
        _: &mut dyn FnMut(&mut dyn io::Read) -> io::Result<()>,
    ) -> Result<Taken, TreeError> {
        unreachable!("the index only looks")
    }

    fn restore_temp(&self, _: &RelPath, _: &str) -> Result<bool, TreeError> {
        unreachable!("the index only looks")
    }

    fn look_at_temp(&self, _: &RelPath, _: &str) -> Result<Option<State>, TreeError> {
        unreachable!("the index only looks")
    }

    fn open_temp(
        &self,
        _: &RelPath,
        _: &str,
    ) -> Result<Option<Box<dyn io::Read + Send>>, TreeError> {
        unreachable!("the index only looks")
    }

    fn remove_temp(&self, _: &RelPath, _: &str) -> Result<(), TreeError> {
        unreachable!("the index only looks")
    }

    fn flush(&self, _: &RelPath) -> Result<(), TreeError> {
        unreachable!("the index only looks")
    }
}

struct Scene {
    tree: Arc<FaultyTree>,
    index: Index,
}

impl Scene {
    fn new() -> Self {
        let tree = FaultyTree { root_lasts: AtomicI64::new(-1), ..FaultyTree::default() };
        Self { tree: Arc::new(tree), index: Index::new() }
    }

    async fn refresh(&mut self) -> Result<Refreshed, TreeError> {
        let outside =
            Outside::new(Arc::new(SystemClock), Arc::new(SystemEntropy), Arc::new(TokioSpawner));
        let project = Patterns { include: vec!["**/*.md".to_owned()], exclude: Vec::new() };
        let source = CoverageSource { project, ..CoverageSource::default() };
        let coverage = Arc::new(Coverage::new(source).unwrap());
        let tree: Arc<dyn Tree> = Arc::<FaultyTree>::clone(&self.tree);
        let watch: Arc<dyn Watch> = Arc::new(ManualWatch);
        self.index.refresh(&tree, &watch, &coverage, &outside).await
    }

    fn skips(&self) -> Vec<(&str, SkipReason)> {
        self.index.skipped().map(|skip| (skip.path.as_str(), skip.reason)).collect()
    }
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

#[tokio::test]
async fn folder_that_can_not_be_read_keeps_its_entries() {
    let mut scene = Scene::new();
    scene.refresh().await.unwrap();
    *scene.tree.closed.lock().unwrap() = Some("folder");
    assert_eq!(scene.refresh().await.unwrap().changed, []);
    assert!(scene.index.get(&path("folder/a.md")).is_some());
    assert_eq!(scene.skips(), [("folder", SkipReason::Unreadable)]);
    assert!(scene.index.is_hidden(&path("folder/other.md")));
    assert!(!scene.index.is_hidden(&path("b.md")));

    *scene.tree.closed.lock().unwrap() = None;
    scene.refresh().await.unwrap();
    assert_eq!(scene.skips(), []);
}

#[tokio::test]
async fn file_that_can_not_be_read_is_named_and_the_others_go_on() {
    let mut scene = Scene::new();
    *scene.tree.closed.lock().unwrap() = Some("b.md");
    assert_eq!(scene.refresh().await.unwrap().changed, [path("folder/a.md")]);
    assert_eq!(scene.skips(), [("b.md", SkipReason::Unreadable)]);
    assert!(scene.index.is_hidden(&path("b.md")));
}

#[tokio::test]
async fn file_that_changes_while_it_is_read_is_tried_again_later() {
    let mut scene = Scene::new();
    *scene.tree.is_busy.lock().unwrap() = true;
    let refreshed = scene.refresh().await.unwrap();
    assert_eq!(refreshed.unsettled, [path("b.md")]);
    assert!(scene.index.get(&path("b.md")).is_none());

    *scene.tree.is_busy.lock().unwrap() = false;
    let refreshed = scene.refresh().await.unwrap();
    assert_eq!((refreshed.changed, refreshed.unsettled), (vec![path("b.md")], vec![]));
    assert_eq!(scene.index.get(&path("b.md")).unwrap().state.digest, Digest::of(b"x"));
}

#[tokio::test]
async fn root_that_is_replaced_during_a_look_changes_nothing() {
    let mut scene = Scene::new();
    scene.refresh().await.unwrap();
    // The first question of the next look is still answered by the old root.
    scene.tree.root_lasts.store(1, Ordering::Relaxed);
    *scene.tree.is_busy.lock().unwrap() = true;
    assert!(matches!(scene.refresh().await, Err(TreeError::RootMissing)));
    assert_eq!(scene.index.entries().len(), 2);
}
