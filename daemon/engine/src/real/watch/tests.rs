use std::fs;
use std::sync::mpsc;

use super::*;

/// Longer than any event takes: a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

struct Scene {
    watch: LocalWatch,
    root: PathBuf,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        fs::create_dir(&root).unwrap();
        let watch = LocalWatch::start(root.clone(), folder.path().join("state/cookies")).unwrap();
        let scene = Self { watch, root, folder };
        assert!(scene.watch.add(None));
        assert!(!scene.settle().everything);
        scene
    }

    fn settle(&self) -> Dirt {
        self.watch.settle(PATIENCE)
    }

    fn folder(&self, name: &str) -> PathBuf {
        let path = self.root.join(name);
        fs::create_dir_all(&path).unwrap();
        assert!(self.watch.add(Some(&relative(name))));
        path
    }

    #[track_caller]
    fn settles_with(&self, name: &str) {
        let dirt = self.settle();
        let is_named = dirt.paths.iter().chain(&dirt.folders).any(|path| path.as_str() == name);
        assert!(is_named && !dirt.everything, "{name} in {dirt:?}");
    }
}

fn relative(name: &str) -> RelPath {
    RelPath::new(name).unwrap()
}

#[test]
fn every_write_before_a_settle_is_named_by_it() {
    let scene = Scene::new();
    for round in 0..1_000 {
        let name = format!("{}.md", round % 7);
        fs::write(scene.root.join(&name), round.to_string()).unwrap();
        scene.settles_with(&name);
    }
}

#[test]
fn quiet_project_is_clean_and_cookies_are_no_dirt() {
    let scene = Scene::new();
    scene.settle();
    assert_eq!(scene.settle(), Dirt::default());
    assert_eq!(fs::read_dir(&scene.watch.cookies).unwrap().count(), 0);
}

#[test]
fn reading_files_is_no_dirt() {
    let scene = Scene::new();
    fs::write(scene.root.join("a.md"), "a").unwrap();
    scene.settle();
    fs::read(scene.root.join("a.md")).unwrap();
    assert_eq!(fs::read_dir(&scene.root).unwrap().count(), 1);
    assert_eq!(scene.settle(), Dirt::default());
}

#[test]
fn change_of_mode_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    fs::write(scene.root.join("a.sh"), "a").unwrap();
    scene.settle();
    fs::set_permissions(scene.root.join("a.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    scene.settles_with("a.sh");
}

#[test]
fn folder_that_is_not_added_is_not_watched() {
    let scene = Scene::new();
    fs::create_dir(scene.root.join("ignored")).unwrap();
    scene.settle();
    fs::write(scene.root.join("ignored/a.md"), "a").unwrap();
    assert_eq!(scene.settle(), Dirt::default());
}

#[test]
fn moved_folder_is_watched_at_its_new_place_once_added_there() {
    let scene = Scene::new();
    scene.folder("old");
    scene.folder("old/deep");
    scene.settle();
    for _ in 0..20 {
        fs::rename(scene.root.join("old"), scene.root.join("new")).unwrap();
        // A walk may be under way and find it before the move is settled.
        scene.folder("new");
        scene.folder("new/deep");
        scene.settles_with("new");
        scene.folder("new");
        scene.folder("new/deep");
        fs::write(scene.root.join("new/deep/a.md"), "a").unwrap();
        scene.settles_with("new/deep/a.md");
        fs::remove_file(scene.root.join("new/deep/a.md")).unwrap();

        fs::rename(scene.root.join("new"), scene.root.join("old")).unwrap();
        scene.settles_with("old");
        scene.folder("old");
        scene.folder("old/deep");
    }
}

#[test]
fn folder_moved_out_of_sight_tells_nothing_more() {
    let scene = Scene::new();
    let moved = scene.folder("a");
    scene.settle();
    let away = scene.folder.path().join("away");
    fs::rename(moved, &away).unwrap();
    scene.settles_with("a");
    fs::write(away.join("b.md"), "b").unwrap();
    assert_eq!(scene.settle(), Dirt::default());
}

#[test]
fn replaced_root_makes_everything_differ_until_it_is_added_again() {
    let scene = Scene::new();
    for round in 0..5 {
        fs::rename(&scene.root, scene.folder.path().join(format!("away {round}"))).unwrap();
        assert!(scene.settle().everything);
        fs::create_dir(&scene.root).unwrap();
        assert!(scene.settle().everything);
        scene.watch.add(None);
        scene.settle();
        fs::write(scene.root.join("a.md"), "a").unwrap();
        scene.settles_with("a.md");
    }
}

#[test]
fn deleted_root_makes_everything_differ_until_it_is_added_again() {
    let scene = Scene::new();
    for _ in 0..5 {
        fs::remove_dir_all(&scene.root).unwrap();
        fs::create_dir(&scene.root).unwrap();
        assert!(scene.settle().everything);
        scene.watch.add(None);
        scene.settle();
        fs::write(scene.root.join("a.md"), "a").unwrap();
        scene.settles_with("a.md");
    }
}

#[test]
fn lost_cookie_folder_costs_one_walk() {
    let scene = Scene::new();
    fs::remove_dir_all(scene.folder.path().join("state")).unwrap();
    assert!(scene.watch.settle(Duration::from_millis(1)).everything);
    assert!(!scene.settle().everything);
}

#[test]
fn overflow_makes_everything_differ_once() {
    let scene = Scene::new();
    let (blocked, unblocks) = mpsc::channel::<()>();
    let unblocks = Mutex::new(unblocks);
    scene.watch.on_change(Box::new(move |_| {
        unblocks.lock().unwrap().recv().ok();
    }));
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")
        .map_or(16_384, |text| text.trim().parse().unwrap());
    // Each round is several events, and none is like the one before it.
    for _ in 0..=most / 2 {
        fs::write(scene.root.join("a.md"), "a").unwrap();
        fs::remove_file(scene.root.join("a.md")).unwrap();
    }
    drop(blocked);
    assert!(scene.settle().everything);
    scene.watch.add(None);
    scene.settle();
    fs::write(scene.root.join("b.md"), "b").unwrap();
    scene.settles_with("b.md");
}

#[test]
fn change_wakes_and_our_own_cookie_does_not() {
    let scene = Scene::new();
    let (woken, wakes) = mpsc::channel();
    scene.watch.on_change(Box::new(move |dirt| {
        woken.send(dirt.clone()).ok();
    }));
    scene.settle();
    assert!(wakes.try_recv().is_err());
    fs::write(scene.root.join("a.md"), "a").unwrap();
    let told = wakes.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, Dirt { paths: vec![relative("a.md")], ..Dirt::default() });
}

#[test]
fn name_that_no_path_can_hold_dirties_its_folder() {
    let scene = Scene::new();
    let folder = scene.folder("a");
    scene.settle();
    fs::write(folder.join("back\\slash.md"), "a").unwrap();
    scene.settles_with("a");
}

#[test]
fn a_folder_of_another_place_is_heard_by_its_name_in_the_tree() {
    let folder = tempfile::tempdir().unwrap();
    // One within the root is heard by that name alone.
    for place in ["elsewhere", "project/projects/-home-ann-notes/memory"] {
        let (root, place) = (folder.path().join("project"), folder.path().join(place));
        fs::create_dir_all(place.join("deep")).unwrap();
        fs::create_dir_all(&root).unwrap();
        let places = vec![(relative("memory/notes"), place.clone())];
        let cookies = folder.path().join("state/cookies");
        let watch = LocalWatch::start_with(root, places, cookies).unwrap();
        assert!(watch.add(None) && watch.add(Some(&relative("memory/notes"))));
        assert!(watch.add(Some(&relative("memory/notes/deep"))));
        assert!(!watch.settle(PATIENCE).everything);
        fs::write(place.join("MEMORY.md"), "a").unwrap();
        fs::write(place.join("deep/b.md"), "b").unwrap();
        let dirt = watch.settle(PATIENCE);
        let named = ["memory/notes/MEMORY.md", "memory/notes/deep/b.md"].map(relative);
        assert!(!dirt.everything && named.iter().all(|path| dirt.paths.contains(path)), "{dirt:?}");
        assert!(watch.quiet_for(&named[0]).is_some());
    }
}
