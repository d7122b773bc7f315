//! Who may read and write what a project makes: its person alone, unless the
//! settings in its log share it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::support::{Machine, World, skipped};

/// A person of this machine who is nobody else, and the group of both.
const ADA: u32 = 61_001;
const BOB: u32 = 61_002;
const FRIENDS: u32 = 61_100;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

/// Everything below a folder, links left out.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder can be listed") {
            let entry = entry.expect("an entry");
            if entry.file_type().expect("a type").is_dir() {
                folders.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found
}

/// Nobody but the owner gets at anything, file by file; but for the files of the
/// database, which lie in a folder that nobody else may enter.
#[track_caller]
fn is_closed(folder: &Path) {
    for path in all_below(folder) {
        let folder = path.parent().expect("it is below a folder");
        let is_database = folder.components().any(|part| part.as_os_str() == "index");
        if !is_database {
            assert_eq!(mode(&path) & 0o077, 0, "{}: {:o}", path.display(), mode(&path));
        }
    }
}

#[test]
fn what_is_made_is_for_its_person_alone() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("sub/b.md", "b\n")]);
    let desktop = world.machine("desktop");
    desktop.clones();
    for (machine, path) in [(&desktop, "a.md"), (&laptop, "sub/b.md")] {
        machine.writes(path, "edited\n");
        machine.syncs();
    }
    laptop.syncs();

    is_closed(&world.backend());
    for machine in [&laptop, &desktop] {
        is_closed(&machine.home());
        // A working tree goes by the umask.
        assert_ne!(mode(&machine.path("a.md")) & 0o044, 0);
    }
    let shared = laptop.asks(&["config", "show", "--project", "notes"]);
    assert!(
        shared.to_string().contains(r#""key":"shared_mode","origin":"shared","value":"private""#)
    );
}

#[test]
fn rights_that_a_person_gave_to_a_file_of_the_view_stay() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    set_mode(&world.backend().join("a.md"), 0o644);
    laptop.writes("a.md", "better\n");
    laptop.writes("b.md", "better\n");
    set_mode(&laptop.path("a.md"), 0o644);
    laptop.runs(&["push"]).exits(0);

    assert_eq!(mode(&world.backend().join("a.md")), 0o644);
    assert_eq!(mode(&world.backend().join("b.md")), 0o600);

    set_mode(&laptop.path("a.md"), 0o600);
    laptop.runs(&["push"]).exits(0);
    assert_eq!(mode(&world.backend().join("a.md")), 0o600, "it is private now");
}

/// A place that two people of this machine may enter, where this is asked by root.
fn common_place() -> Option<tempfile::TempDir> {
    if !rustix::process::geteuid().is_root() {
        skipped("only root can be two other people");
        return None;
    }
    let everybody = fs::Permissions::from_mode(0o755);
    let place = tempfile::Builder::new().permissions(everybody).tempdir().expect("a folder");
    Some(place)
}

fn person(place: &Path, name: &str, user: u32) -> Option<Machine> {
    let folder = place.join(name);
    fs::create_dir_all(folder.join("notes")).expect("a folder");
    let url = format!("folder:{}", place.join("store").display());
    let machine = Machine::new(name, &folder, url, Vec::new()).of_person(user, FRIENDS);
    for path in all_below(&folder).into_iter().chain([folder]) {
        chown(&path, Some(user), Some(FRIENDS)).expect("root gives it away");
    }
    if machine.runs(&["--version"]).code != Some(0) {
        skipped("others may not run the programs from where they are");
        return None;
    }
    Some(machine)
}

#[test]
fn two_people_work_in_one_folder_of_their_group_whatever_their_umask() {
    let Some(place) = common_place() else { return };
    let store = place.path().join("store");
    fs::create_dir(&store).expect("a folder");
    chown(&store, Some(0), Some(FRIENDS)).expect("root gives it away");
    set_mode(&store, 0o2770);
    let (Some(ada), Some(bob)) =
        (person(place.path(), "ada", ADA), person(place.path(), "bob", BOB))
    else {
        return;
    };
    let write = |machine: &Machine, path: &str, content: &str, user: u32| {
        machine.writes(path, content);
        for one in all_below(&machine.root()) {
            chown(&one, Some(user), Some(FRIENDS)).expect("root gives it away");
        }
    };
    write(&ada, "a.md", "one\n", ADA);
    write(&ada, "mine.md", "mine\n", ADA);
    set_mode(&ada.path("mine.md"), 0o600);
    let made = ada.tries(&ada.words_of_init(&ada.root())).exits(0).result();
    assert_eq!(made["shared_mode"], "group");
    ada.runs(&["push"]).exits(0);
    fs::remove_dir(bob.root()).expect("an empty folder");
    bob.clones();

    for (round, text) in ["two\n", "three\n", "four\n"].into_iter().enumerate() {
        let (writer, user) = if round % 2 == 0 { (&bob, BOB) } else { (&ada, ADA) };
        write(writer, "a.md", text, user);
        write(writer, &format!("new/{round}.md"), text, user);
        writer.runs(&["push"]).exits(0);
        for machine in [&ada, &bob] {
            machine.syncs();
            assert_eq!(machine.reads("a.md"), text);
        }
    }

    assert_eq!(bob.reads("mine.md"), "mine\n");
    assert_eq!(mode(&bob.path("mine.md")), 0o600);
    for path in all_below(&store) {
        let (rights, found) = (mode(&path), fs::symlink_metadata(&path).expect("it is there"));
        let expected = match (found.is_dir(), path.ends_with("mine.md")) {
            (true, _) => 0o2770,
            (false, true) => 0o600,
            (false, false) => 0o660,
        };
        assert_eq!(rights, expected, "{}: {rights:o}", path.display());
        assert_eq!(found.gid(), FRIENDS, "{}", path.display());
    }
    // One that is private can be written by the login alone whose it is.
    write(&bob, "mine.md", "bob's\n", BOB);
    set_mode(&bob.path("mine.md"), 0o600);
    let pushed = bob.tries(&["push"]).exits(4).result();
    assert_eq!(pushed["failed"][0]["path"], "mine.md", "{pushed:#}");
    let hint = pushed["failed"][0]["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("another login's") && hint.contains("chmod g+rw"), "{hint}");
}

#[test]
fn daemon_with_a_narrow_umask_makes_nothing_private_for_the_others() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let careful = world.machine("careful").with_umask(0o077);
    careful.clones();
    assert_eq!(mode(&careful.path("a.md")), 0o600);
    let head = careful.head();
    careful.syncs();
    assert_eq!(careful.head(), head);

    careful.writes("a.md", "edited\n");
    careful.syncs();
    laptop.syncs();
    assert_eq!(laptop.reads("a.md"), "edited\n");
    assert_ne!(mode(&laptop.path("a.md")) & 0o044, 0, "it is as it was");
}
