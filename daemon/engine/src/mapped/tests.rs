use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_core::patterns::Agent;
use mirror_core::{Digest, Kind, RelPath, State};
use tempfile::TempDir;

use super::*;
use crate::outside::{Expected, Manner, Put, Taken};
use crate::real::LocalTree;

/// A project's folder, in which the memory of `notes` lies under a name of this machine.
struct Scene {
    home: TempDir,
    tree: MappedTree,
}

const FOLDER: &str = "projects/-home-ann-notes/memory";

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn state_of(text: &str) -> State {
    State { kind: Kind::File, digest: Digest::of(text.as_bytes()), exec: false }
}

impl Scene {
    fn new() -> Self {
        Self::at(FOLDER)
    }

    fn at(folder: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join(folder);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("MEMORY.md"), "one").unwrap();
        let agents = || vec![(Agent::Claude, home.path().to_owned())];
        let root = Arc::new(LocalTree::open(home.path().to_owned()).with_agents(agents()));
        let (device, _) = root.root_identity().unwrap().unwrap();
        let tree: Arc<dyn Tree> = Arc::new(LocalTree::open(place.clone()).with_agents(agents()));
        let identity = identity_of(tree.as_ref(), device).unwrap().unwrap();
        let folder = MappedFolder { name: "notes".to_owned(), place, identity, tree };
        let tree = MappedTree::new(root, vec![folder]);
        Self { home, tree }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.home.path().join(FOLDER).join(name)
    }

    fn looks(&self) -> Vec<String> {
        self.tree.root_identity().unwrap();
        self.tree.memories().unwrap().names().map(str::to_owned).collect()
    }

    fn names(&self, folder: Option<&str>) -> Vec<String> {
        let found = self.tree.list(folder.map(path).as_ref()).unwrap();
        let mut names: Vec<String> = found.into_iter().map(|found| found.shown).collect();
        names.sort();
        names
    }

    fn stages(
        &self,
        name: &str,
        kind: Kind,
        text: &str,
    ) -> Result<crate::outside::Staged, TreeError> {
        let manner = Manner::of(kind, false);
        self.tree.stage(&path(name), manner, ".mirrord-1", &mut text.as_bytes())
    }

    /// Everything that can be asked of a memory answers that it isn't there, not that
    /// its files are gone.
    #[track_caller]
    fn is_unmapped(&self) {
        let file = path("memory/notes/MEMORY.md");
        let is_unmapped = |error: Option<TreeError>| matches!(error, Some(TreeError::Unmapped(_)));
        assert!(is_unmapped(self.tree.list(Some(&path("memory/notes"))).err()));
        assert!(is_unmapped(self.tree.stamp(&file).err()));
        assert!(is_unmapped(self.tree.open(&file).err()));
        assert!(is_unmapped(self.stages("memory/notes/new.md", Kind::File, "x").err()));
        let taken = self.tree.take(&file, state_of("one"), ".mirrord-2", &mut |_| Ok(()));
        assert!(is_unmapped(taken.err()));
    }
}

fn move_to(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

#[test]
fn a_shared_path_is_one_in_the_mapped_folder() {
    let scene = Scene::new();
    assert_eq!(scene.names(None), ["memory", "projects"]);
    assert_eq!(scene.names(Some("memory")), ["notes"]);
    assert_eq!(scene.names(Some("memory/notes")), ["MEMORY.md"]);
    let staged = scene.stages("memory/notes/deep/new.md", Kind::File, "two").unwrap();
    assert_eq!(staged.path, path("memory/notes/deep/new.md"));
    let put = scene.tree.put(&staged, Expected::Absent, &mut |_| Ok(())).unwrap();
    assert!(matches!(put, Put::Done(_)));
    assert_eq!(fs::read_to_string(scene.place("deep/new.md")).unwrap(), "two");
    let (new, old) = (path("memory/notes/deep/new.md"), path("memory/notes/MEMORY.md"));
    assert!(scene.tree.stamp(&new).unwrap().is_some() && scene.tree.open(&new).unwrap().is_some());
    scene.tree.flush(&new).unwrap();
    for (gone, text) in [(new, "two"), (old, "one")] {
        let taken = scene.tree.take(&gone, state_of(text), ".mirrord-2", &mut |_| Ok(()));
        assert_eq!(taken.unwrap(), Taken::Done);
        assert_eq!(scene.tree.stamp(&gone).unwrap(), None);
    }
    assert!(scene.place("").is_dir() && !scene.place("deep").exists());
    assert!(!scene.home.path().join("memory").exists());
}

#[test]
fn what_lies_where_shared_memories_would_is_not_seen() {
    let scene = Scene::new();
    for name in ["memory/notes", "memory/other", "Memory"] {
        fs::create_dir_all(scene.home.path().join(name)).unwrap();
        fs::write(scene.home.path().join(name).join("MEMORY.md"), "literal").unwrap();
    }
    assert_eq!(scene.names(None), ["memory", "projects"]);
    assert_eq!(scene.names(Some("memory")), ["notes"]);
    let mut text = String::new();
    let (_, mut reader) = scene.tree.open(&path("memory/notes/MEMORY.md")).unwrap().unwrap();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "one");
    assert!(matches!(scene.tree.stamp(&path("memory/other/a.md")), Err(TreeError::Unmapped(_))));
}

#[test]
fn nothing_is_written_where_nothing_is_mapped() {
    let scene = Scene::new();
    for name in ["memory/other/a.md", "memory/a.md", "projects/x/memory/a.md", "Memory/notes/a.md"]
    {
        let staged = scene.stages(name, Kind::File, "x");
        assert!(matches!(staged, Err(TreeError::Unmapped(_))), "{name}: {staged:?}");
    }
    assert!(scene.stages("CLAUDE.md", Kind::File, "x").is_ok());
    let link = scene.stages("memory/notes/a.md", Kind::Link, "../../../CLAUDE.md");
    assert!(matches!(link, Err(TreeError::LinkRefused(_))), "{link:?}");
    let kept = scene.stages("memory/notes/0b1c.jsonl", Kind::File, "x");
    assert!(matches!(kept, Err(TreeError::OfAgent(_))), "{kept:?}");
}

#[test]
fn a_folder_that_is_missing_stands_for_nothing_until_it_is_back() {
    let scene = Scene::new();
    let away = scene.home.path().join("away");
    move_to(&scene.place(""), &away);
    scene.is_unmapped();
    assert_eq!(scene.looks(), [""; 0]);
    assert_eq!(scene.names(None), ["away", "projects"]);
    move_to(&away, &scene.place(""));
    assert_eq!(scene.looks(), ["notes"]);
    assert_eq!(scene.names(Some("memory/notes")), ["MEMORY.md"]);
}

#[test]
fn a_folder_that_was_made_anew_is_another_one() {
    let scene = Scene::new();
    // The file system may give it the very number of the old one.
    for _ in 0..8 {
        fs::remove_dir_all(scene.place("")).unwrap();
        fs::create_dir(scene.place("")).unwrap();
        fs::write(scene.place("MEMORY.md"), "one").unwrap();
        scene.is_unmapped();
        assert_eq!(scene.looks(), [""; 0]);
    }
}

#[test]
fn a_link_in_the_way_is_no_folder() {
    for name in [FOLDER, "projects"] {
        let scene = Scene::new();
        let (at, away) = (scene.home.path().join(name), scene.home.path().join("away"));
        move_to(&at, &away);
        symlink(&away, &at).unwrap();
        scene.is_unmapped();
        assert_eq!(scene.looks(), [""; 0], "{name}");
    }
}

#[test]
fn a_folder_that_goes_during_a_look_is_not_an_empty_one() {
    let scene = Scene::new();
    assert_eq!(scene.looks(), ["notes"]);
    fs::remove_dir_all(scene.place("")).unwrap();
    let listed = scene.tree.list(Some(&path("memory/notes")));
    assert!(matches!(listed, Err(TreeError::Unmapped(_))), "{listed:?}");
    assert!(matches!(
        scene.tree.stamp(&path("memory/notes/MEMORY.md")),
        Err(TreeError::Unmapped(_))
    ));
    assert!(scene.tree.list(None).is_ok(), "the project itself is there");
}

#[test]
fn a_name_that_a_person_types_means_the_shared_one() {
    let scene = Scene::new();
    let path_of = |place: PathBuf| scene.tree.path_of(&place).map(|path| path.to_string());
    assert_eq!(path_of(scene.place("MEMORY.md")).unwrap(), "memory/notes/MEMORY.md");
    assert_eq!(path_of(scene.home.path().join("CLAUDE.md")).unwrap(), "CLAUDE.md");
    assert_eq!(path_of(scene.home.path().join("memory/notes/a.md")).unwrap(), "memory/notes/a.md");
}

#[test]
fn what_is_told_of_a_folder_is_where_it_really_lies() {
    let scene = Scene::new();
    let memories = scene.tree.memories().unwrap();
    let told = serde_json::to_value(&memories).unwrap();
    assert_eq!(told["notes"]["below"], FOLDER);
    let real = scene.home.path().join(FOLDER);
    assert_eq!(told["notes"]["real"], real.to_str().unwrap().trim_start_matches('/'));
    assert_eq!(told["notes"]["agents"][0]["agent"], "claude");
}
