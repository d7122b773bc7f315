//! Steps that fail between two renames: what stood under a temporary name is
//! found again by the next job, and what lost its place is told of.

use super::meddling_tree::Step;
use super::*;

async fn pair() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("a.md", "old");
    converge(&laptop, &desktop).await;
    (world, laptop, desktop)
}

/// Where the new version of `a.md` waits for its turn.
fn temporary(root: &std::path::Path) -> PathBuf {
    let names = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut temporary = names.filter(|path| path.to_str().unwrap().contains(".mirrord-"));
    temporary.next().expect("something was staged")
}

/// Lets `program` act before the first put of a path, with the file's place and
/// that of its new version.
fn before_put(
    machine: &Machine,
    name: &'static str,
    program: impl Fn(&std::path::Path, &std::path::Path) + Send + 'static,
) {
    let root = machine.root("");
    let mut is_done = false;
    machine.tree.haunt(move |step, path| {
        if step == Step::Put && path.as_str() == name && !std::mem::replace(&mut is_done, true) {
            program(&root.join(name), &temporary(&root));
        }
    });
}

/// Lets a put of `a.md` end after the exchange, with an edit at the temporary
/// name, and then lets `more` happen to the file.
fn break_put(machine: &Machine, more: impl Fn(&std::path::Path) + Send + 'static) {
    before_put(machine, "a.md", move |file, temporary| {
        fs::remove_file(file).unwrap();
        fs::rename(temporary, file).unwrap();
        fs::write(temporary, "edited here").unwrap();
        more(file);
    });
}

fn stash_of(machine: &Machine) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(machine.home.path().join("data/stash")) else {
        return BTreeMap::new();
    };
    let files = entries.map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

#[tokio::test]
async fn edit_that_a_failed_put_left_aside_is_back_with_the_next_job() {
    let (_world, laptop, desktop) = pair().await;
    laptop.writes("a.md", "new");
    laptop.pushes().await;
    break_put(&desktop, |_| {});
    assert_eq!(failed(&desktop.pulls().await), ["a.md"]);

    let report = desktop.syncs().await;

    assert_eq!(desktop.reads("a.md").as_deref(), Some("edited here"));
    assert_eq!(report.conflicts.len(), 1);
    assert_eq!(desktop.files().len(), 1);
    assert_eq!(stash_of(&desktop), BTreeMap::new());
}

#[tokio::test]
async fn edit_left_aside_is_not_forgotten_when_the_same_job_looks_again() {
    let (_world, laptop, desktop) = pair().await;
    laptop.writes(".mirrorignore", "build/\n");
    converge(&laptop, &desktop).await;
    laptop.writes(".mirrorignore", "build/\nmore/\n");
    laptop.pushes().await;
    before_put(&desktop, ".mirrorignore", |file, temporary| {
        fs::remove_file(file).unwrap();
        fs::write(temporary, "edited here").unwrap();
    });
    assert_eq!(failed(&desktop.pulls().await), [".mirrorignore"]);

    desktop.syncs().await;

    assert_eq!(desktop.reads(".mirrorignore").as_deref(), Some("edited here"));
    assert_eq!(desktop.files().len(), 2);
}

#[tokio::test]
async fn edit_left_at_the_second_temporary_name_is_back_with_the_next_job() {
    let (_world, laptop, desktop) = pair().await;
    laptop.writes("a.md", "new");
    laptop.pushes().await;
    before_put(&desktop, "a.md", |file, temporary| {
        fs::remove_file(file).unwrap();
        fs::remove_file(temporary).unwrap();
        fs::write(format!("{}-new", temporary.display()), "edited here").unwrap();
    });
    assert_eq!(failed(&desktop.pulls().await), ["a.md"]);

    desktop.syncs().await;

    assert_eq!(desktop.reads("a.md").as_deref(), Some("edited here"));
    assert_eq!(desktop.files().len(), 1);
}

#[tokio::test]
async fn edit_that_a_failed_removal_left_aside_is_back_with_the_next_job() {
    let (_world, laptop, desktop) = pair().await;
    laptop.writes("b.md", "stays");
    laptop.removes("a.md");
    laptop.pushes().await;
    desktop.tree.fail_after_moving_out("edited here");
    assert_eq!(failed(&desktop.pulls().await), ["a.md"]);
    assert_eq!(desktop.reads("a.md"), None);

    desktop.syncs().await;

    assert_eq!(desktop.reads("a.md").as_deref(), Some("edited here"));
    assert_eq!(desktop.files().len(), 2);
}

#[tokio::test]
async fn edit_of_a_twin_that_made_room_is_back_with_the_next_job() {
    let (_world, laptop, desktop) = pair().await;
    fs::rename(laptop.root("a.md"), laptop.root("A.md")).unwrap();
    laptop.pushes().await;
    desktop.tree.fail_after_moving_out("edited here");
    assert_eq!(failed(&desktop.pulls().await), ["A.md"]);
    assert_eq!(desktop.reads("a.md"), None);

    desktop.syncs().await;

    assert_eq!(desktop.reads("a.md").as_deref(), Some("edited here"));
    let left = desktop.files().into_keys().filter(|name| name.contains(".mirrord-"));
    assert_eq!(left.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn edit_that_lost_its_place_is_told_of_and_found_in_the_stash() {
    let (_world, laptop, desktop) = pair().await;
    laptop.writes("a.md", "new");
    laptop.pushes().await;
    break_put(&desktop, |file| fs::write(file, "edited again").unwrap());
    desktop.pulls().await;

    let report = desktop.syncs().await;

    assert_eq!(desktop.reads("a.md").as_deref(), Some("edited again"));
    let stash = stash_of(&desktop);
    let (id, content) = stash.iter().find(|(name, _)| !name.contains('.')).unwrap();
    assert_eq!(content, "edited here");
    let record: serde_json::Value = serde_json::from_str(&stash[&format!("{id}.json")]).unwrap();
    let expected = serde_json::json!({
        "id": id,
        "path": "a.md",
        "sha256": Digest::of(b"edited here").to_string(),
        "size": 11,
        "time": record["time"].as_str().expect("a time as text"),
        "reason": "pull",
        "kind": "file",
        "exec": false,
        "private": null,
    });
    assert_eq!(record, expected);
    let told = report.failed.iter().find(|fault| fault.message.contains(id.as_str()));
    assert_eq!(told.expect("it is told of").path, "a.md");
}

#[tokio::test]
async fn edit_in_the_stash_is_told_of_though_the_job_fails_afterwards() {
    let (_world, laptop, desktop) = pair().await;
    laptop.writes("a.md", "new");
    laptop.pushes().await;
    break_put(&desktop, |file| fs::write(file, "edited again").unwrap());
    desktop.pulls().await;
    // The edit is found while the project is settled, before anything is asked.
    desktop.backend.refuse(|_, _| true);
    desktop.tries_pull().await.unwrap_err();
    desktop.backend.plug_in();

    let report = desktop.pulls().await;

    let is_told = |fault: &FileFault| fault.message.contains("kept in the stash");
    assert_eq!(report.failed.iter().filter(|fault| is_told(fault)).count(), 1, "{report:?}");
    assert_eq!(failed(&desktop.pulls().await), [""; 0], "once");
}

#[tokio::test]
async fn half_written_file_of_a_killed_pull_is_nobodys_edit() {
    let (_world, laptop, mut desktop) = pair().await;
    laptop.writes("a.md", "new and whole");
    laptop.pushes().await;
    let (root, power) = (desktop.root(""), desktop.power.clone());
    desktop.tree.haunt(move |step, _| {
        // As it is when the process is killed while it writes.
        if step == Step::Put && !power.is_off() {
            let whole = temporary(&root);
            fs::write(format!("{}-stage", whole.display()), "new and").unwrap();
            fs::remove_file(whole).unwrap();
            power.ends_after(0);
        }
    });
    let _ = desktop.tries_pull().await;
    desktop.project.take().unwrap().close().await;
    desktop.tree.haunt(|_, _| {});
    desktop.power.comes_back();
    desktop.open().await.unwrap();

    assert_eq!(desktop.files(), [("a.md".to_owned(), b"old".to_vec())].into());
    converge(&desktop, &laptop).await;
    assert_eq!(desktop.reads("a.md").as_deref(), Some("new and whole"));
    assert_eq!(stash_of(&desktop), BTreeMap::new());
}

#[tokio::test]
async fn link_to_what_is_ignored_is_refused_where_it_lands() {
    let (world, laptop, desktop) = pair().await;
    laptop.writes("build/b.md", "built");
    std::os::unix::fs::symlink("build/b.md", laptop.root("link.md")).unwrap();
    laptop.pushes().await;
    laptop.writes(".mirrorignore", "build/\n");
    laptop.pushes().await;
    assert_eq!(world.times_committed("link.md").len(), 1, "it is not taken back");

    let report = desktop.syncs().await;

    assert_eq!(failed(&report), [""; 0]);
    assert!(fs::symlink_metadata(desktop.root("link.md")).is_err());
    assert_eq!(desktop.reads("a.md").as_deref(), Some("old"));
}

#[tokio::test]
async fn folder_that_became_a_link_deletes_nothing_at_the_head() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    let notes = Job::ChangeSettings { settings: settings(&["**/*.md"]) };
    laptop.runs(notes).await.unwrap();
    laptop.writes("notes/a.md", "milk");
    laptop.writes("b.md", "eggs");
    converge(&laptop, &desktop).await;

    fs::rename(laptop.root("notes"), laptop.home.path().join("notes")).unwrap();
    std::os::unix::fs::symlink("../notes", laptop.root("notes")).unwrap();
    laptop.syncs().await;
    desktop.syncs().await;

    assert_eq!(desktop.reads("notes/a.md").as_deref(), Some("milk"));
    assert_eq!(world.names(""), ["b.md".to_owned(), "notes/a.md".to_owned()].into());
    let skipped = laptop.project().status(false).await.unwrap().skipped;
    let notes = Skipped { path: "notes".to_owned(), reason: SkipReason::SymlinkOutside };
    assert_eq!(skipped, [notes]);
}
