mod links;
mod watched;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use mirror_core::patterns::{CoverageSource, Patterns};
use mirror_core::{Digest, Kind};

use super::*;
use crate::api::SkipReason;
use crate::outside::{Clock, ManualWatch, Outside, Tree, TreeError, Watch};
use crate::real::{LocalTree, LocalWatch, SystemClock, SystemEntropy, TokioSpawner};

/// The machine's clock, put forward at will.
#[derive(Default)]
struct MovedClock(AtomicI64);

#[async_trait::async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().milliseconds() + self.0.load(Ordering::Relaxed))
    }

    async fn wait(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

struct Scene {
    index: Index,
    root: PathBuf,
    tree: Arc<dyn Tree>,
    watch: Arc<dyn Watch>,
    coverage: Arc<Coverage>,
    clock: Arc<MovedClock>,
    outside: Outside,
    _folder: tempfile::TempDir,
}

fn covering(include: &[&str], ignore: &str) -> Arc<Coverage> {
    let include = include.iter().map(|&glob| glob.to_owned()).collect();
    let project = Patterns { include, exclude: Vec::new() };
    let source = CoverageSource { project, ignore: ignore.to_owned(), ..CoverageSource::default() };
    Arc::new(Coverage::new(source).unwrap())
}

impl Scene {
    /// A project in which only walks find changes.
    fn walked() -> Self {
        Self::new(|_, _| Arc::new(ManualWatch))
    }

    /// A project in which events do.
    fn watched() -> Self {
        Self::new(|root, cookies| Arc::new(LocalWatch::start(root, cookies).unwrap()))
    }

    fn new(watch: impl FnOnce(PathBuf, PathBuf) -> Arc<dyn Watch>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        fs::create_dir(&root).unwrap();
        let clock = Arc::new(MovedClock::default());
        let outside =
            Outside::new(Arc::clone(&clock) as _, Arc::new(SystemEntropy), Arc::new(TokioSpawner));
        Self {
            index: Index::new(),
            tree: Arc::new(LocalTree::open(root.clone())),
            watch: watch(root.clone(), folder.path().join("cookies")),
            coverage: covering(&["**/*"], ""),
            root,
            clock,
            outside,
            _folder: folder,
        }
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    async fn try_refresh(&mut self) -> Result<Refreshed, TreeError> {
        self.index.refresh(&self.tree, &self.watch, &self.coverage, &self.outside).await
    }

    async fn refresh(&mut self) -> Refreshed {
        self.try_refresh().await.unwrap()
    }

    async fn changes(&mut self) -> Vec<String> {
        let refreshed = self.refresh().await;
        refreshed.changed.iter().map(ToString::to_string).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.index.entries().keys().map(RelPath::as_str).collect()
    }

    fn digest(&self, name: &str) -> Option<Digest> {
        self.index.get(&path(name)).map(|indexed| indexed.state.digest)
    }

    fn skips(&self) -> Vec<(&str, SkipReason)> {
        self.index.skipped().map(|skip| (skip.path.as_str(), skip.reason)).collect()
    }

    /// Lets so much time pass for the index that no entry is racy.
    async fn settles(&mut self) {
        self.clock.0.fetch_add(60_000, Ordering::Relaxed);
        self.refresh().await;
    }
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

#[tokio::test]
async fn refresh_finds_what_was_added_altered_and_removed() {
    for mut scene in [Scene::walked(), Scene::watched()] {
        scene.write("a.md", "one");
        scene.write("notes/b.md", "two");
        assert_eq!(scene.changes().await, ["a.md", "notes/b.md"]);
        assert_eq!(scene.digest("notes/b.md"), Some(Digest::of(b"two")));
        assert_eq!(scene.changes().await, [""; 0]);

        scene.write("a.md", "ONE");
        fs::remove_file(scene.root.join("notes/b.md")).unwrap();
        scene.write("c.md", "three");
        assert_eq!(scene.changes().await, ["a.md", "c.md", "notes/b.md"]);
        assert_eq!(scene.names(), ["a.md", "c.md"]);
    }
}

#[tokio::test]
async fn only_covered_files_are_indexed() {
    let mut scene = Scene::watched();
    scene.coverage = covering(&["**/*.md"], "drafts/\n");
    for name in ["a.md", "b.txt", "drafts/c.md", ".git/d.md", ".e.md.swp"] {
        scene.write(name, "x");
    }
    assert_eq!(scene.changes().await, ["a.md"]);
    assert_eq!(scene.skips(), []);
}

#[tokio::test]
async fn new_coverage_is_looked_at_whole() {
    let mut scene = Scene::watched();
    scene.write("a.md", "x");
    scene.write("drafts/b.md", "x");
    scene.refresh().await;
    scene.coverage = covering(&["**/*.md"], "drafts/\n");
    let refreshed = scene.refresh().await;
    assert!(refreshed.walked);
    assert_eq!(refreshed.changed, [path("drafts/b.md")]);
    scene.coverage = covering(&["**/*.md"], "");
    assert_eq!(scene.changes().await, ["drafts/b.md"]);
}

#[tokio::test]
async fn file_and_folder_may_take_each_others_place() {
    for mut scene in [Scene::walked(), Scene::watched()] {
        scene.write("a", "x");
        scene.refresh().await;
        fs::remove_file(scene.root.join("a")).unwrap();
        scene.write("a/b", "y");
        assert_eq!(scene.changes().await, ["a", "a/b"]);
        fs::remove_dir_all(scene.root.join("a")).unwrap();
        scene.write("a", "z");
        assert_eq!(scene.changes().await, ["a", "a/b"]);
        assert_eq!(scene.names(), ["a"]);
    }
}

#[tokio::test]
async fn racy_entry_is_read_again_until_it_has_settled() {
    let mut scene = Scene::watched();
    scene.write("a.md", "x");
    scene.refresh().await;
    let first = *scene.index.get(&path("a.md")).unwrap();
    assert!(first.is_racy());
    // As often as one likes, also within one tick of the clock.
    for _ in 0..20 {
        scene.refresh().await;
    }
    scene.clock.0.fetch_add(1, Ordering::Relaxed);
    scene.refresh().await;
    assert_ne!(scene.index.get(&path("a.md")), Some(&first));

    scene.settles().await;
    let settled = *scene.index.get(&path("a.md")).unwrap();
    assert!(!settled.is_racy());
    scene.refresh().await;
    assert_eq!(scene.index.get(&path("a.md")), Some(&settled));
}

#[tokio::test]
async fn touch_is_no_change_but_a_mode_is() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::watched();
    scene.write("a.sh", "x");
    scene.settles().await;
    let file = fs::File::options().write(true).open(scene.root.join("a.sh")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(scene.changes().await, [""; 0]);
    fs::set_permissions(scene.root.join("a.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(scene.changes().await, ["a.sh"]);
}

#[tokio::test]
async fn link_is_indexed_by_its_target_and_skipped_when_it_leads_out() {
    use std::os::unix::fs::symlink;
    for mut scene in [Scene::walked(), Scene::watched()] {
        scene.write("notes/a.md", "x");
        symlink("a.md", scene.root.join("notes/in.md")).unwrap();
        symlink("../../out.md", scene.root.join("notes/out.md")).unwrap();
        symlink("/etc", scene.root.join("etc")).unwrap();
        scene.refresh().await;
        assert_eq!(scene.names(), ["notes/a.md", "notes/in.md"]);
        let link = scene.index.get(&path("notes/in.md")).unwrap().state;
        assert_eq!((link.kind, link.digest), (Kind::Link, Digest::of(b"a.md")));
        let out = SkipReason::SymlinkOutside;
        assert_eq!(scene.skips(), [("etc", out), ("notes/out.md", out)]);
        scene.refresh().await;
        assert_eq!(scene.skips().len(), 2);

        fs::remove_file(scene.root.join("etc")).unwrap();
        scene.refresh().await;
        assert_eq!(scene.skips(), [("notes/out.md", out)]);
    }
}

#[tokio::test]
async fn file_that_is_removed_and_made_again_is_never_taken_for_a_special_one() {
    let mut scene = Scene::watched();
    scene.refresh().await;
    let (place, is_over) = (scene.root.join("a.md"), Arc::new(AtomicBool::new(false)));
    let program = std::thread::spawn({
        let is_over = is_over.clone();
        move || {
            while !is_over.load(Ordering::Relaxed) {
                fs::write(&place, "text").unwrap();
                fs::remove_file(&place).unwrap();
            }
        }
    });

    let end = Instant::now() + std::time::Duration::from_millis(500);
    let mut skips = Vec::new();
    while Instant::now() < end {
        scene.refresh().await;
        skips.extend(scene.skips().into_iter().map(|(_, reason)| reason));
    }

    is_over.store(true, Ordering::Relaxed);
    program.join().unwrap();
    assert_eq!(skips, []);
}

#[tokio::test]
async fn special_files_and_names_that_no_path_can_hold_are_named() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::UnixListener;
    for mut scene in [Scene::walked(), Scene::watched()] {
        scene.coverage = covering(&["**/*.md"], "");
        scene.write("notes/a.md", "x");
        scene.refresh().await;
        fs::write(scene.root.join(OsStr::from_bytes(b"notes/\xff.md")), "x").unwrap();
        fs::write(scene.root.join(OsStr::from_bytes(b"notes/\xff.txt")), "x").unwrap();
        scene.write("notes/back\\slash.md", "x");
        let _socket = UnixListener::bind(scene.root.join("socket.md")).unwrap();
        scene.refresh().await;
        assert_eq!(scene.names(), ["notes/a.md"]);
        let expected = [
            ("notes/back\\slash.md", SkipReason::NameNotAllowed),
            ("notes/\u{fffd}.md", SkipReason::NotUtf8),
            ("socket.md", SkipReason::SpecialFile),
        ];
        assert_eq!(scene.skips(), expected);
    }
}

#[tokio::test]
async fn missing_root_changes_nothing() {
    for mut scene in [Scene::walked(), Scene::watched()] {
        scene.write("a.md", "x");
        scene.refresh().await;
        let away = scene.root.with_file_name("away");
        fs::rename(&scene.root, &away).unwrap();
        assert!(matches!(scene.try_refresh().await, Err(TreeError::RootMissing)));
        assert_eq!(scene.names(), ["a.md"]);

        fs::rename(&away, &scene.root).unwrap();
        scene.write("b.md", "y");
        assert_eq!(scene.changes().await, ["b.md"]);
        scene.write("c.md", "z");
        assert_eq!(scene.changes().await, ["c.md"]);
    }
}

#[tokio::test]
async fn root_that_was_made_again_is_looked_at_whole() {
    let mut scene = Scene::watched();
    scene.write("a.md", "x");
    scene.refresh().await;
    fs::remove_dir_all(&scene.root).unwrap();
    scene.write("b.md", "y");
    assert_eq!(scene.changes().await, ["a.md", "b.md"]);
    scene.write("c.md", "z");
    assert_eq!(scene.changes().await, ["c.md"]);
}

#[tokio::test]
async fn index_is_taken_up_where_it_was_saved() {
    use crate::store::{MemoryStore, Store};
    let mut scene = Scene::walked();
    scene.write("a.md", "x");
    scene.write("b.md", "y");
    scene.settles().await;
    let store = MemoryStore::new();
    let save = |index: &mut Index| {
        let mut batch = Batch::default();
        index.save(&mut batch);
        let count = batch.changes.len();
        store.apply(batch, true).unwrap();
        count
    };
    assert_eq!(save(&mut scene.index), 2);
    assert_eq!(save(&mut scene.index), 0);
    fs::remove_file(scene.root.join("b.md")).unwrap();
    scene.refresh().await;
    assert_eq!(save(&mut scene.index), 1);

    let entries = scene.index.entries().clone();
    scene.index = Index::load(&store.load(Table::Index).unwrap());
    assert_eq!(scene.index.entries(), &entries);
    scene.write("c.md", "z");
    assert_eq!(scene.changes().await, ["c.md"]);
    assert_eq!(scene.index.get(&path("a.md")), entries.get(&path("a.md")));
}

#[tokio::test]
async fn of_twins_the_one_that_the_head_has_is_mirrored_else_the_first() {
    let mut scene = Scene::walked();
    scene.write("A.md", "x");
    scene.write("a.md", "y");
    scene.write("b.md", "z");
    scene.refresh().await;
    if scene.names().len() < 3 {
        return; // This file system holds no twins.
    }
    assert_eq!(scene.index.twins(|_| false), [path("a.md")]);
    assert_eq!(scene.index.twins(|twin| *twin == path("a.md")), [path("A.md")]);
    fs::remove_file(scene.root.join("A.md")).unwrap();
    scene.refresh().await;
    assert_eq!(scene.index.twins(|_| false), []);
}

#[tokio::test]
async fn noted_file_is_no_change_at_the_next_refresh() {
    let mut scene = Scene::watched();
    scene.refresh().await;
    scene.write("a.md", "x");
    let stamp = scene.tree.stamp(&path("a.md")).unwrap().unwrap();
    let state = State { kind: Kind::File, digest: Digest::of(b"x"), exec: false };
    let indexed = Indexed { stamp, state, hashed_at: scene.clock.now() };
    scene.index.note(path("a.md"), Some(indexed));
    assert_eq!(scene.changes().await, [""; 0]);
    scene.write("a.md", "y");
    assert_eq!(scene.changes().await, ["a.md"]);
}

/// Prints how long the first scan and a quiet refresh take; see the numbers to
/// hold in `docs/performance.md`.
#[tokio::test]
async fn quiet_refresh_does_not_depend_on_the_number_of_files() {
    let mut scene = Scene::watched();
    let body = "x".repeat(4_090);
    for number in 0..5_000 {
        scene.write(&format!("{}/{number}.md", number % 100), &format!("{number}{body}"));
    }
    let start = Instant::now();
    assert_eq!(scene.refresh().await.changed.len(), 5_000);
    println!("first look: {:?}", start.elapsed());
    scene.settles().await;
    let start = Instant::now();
    let refreshed = scene.refresh().await;
    println!("quiet look: {:?}", start.elapsed());
    assert_eq!(refreshed, Refreshed::default());
}
