//! The state folder is a cache: whatever becomes of it, no file is lost, and
//! none without an unpushed edit ends in a conflict.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::support::{Chance, Machine, World, files_below, same_trees, text};

/// What becomes of a folder's files.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Gone,
    Noise,
    /// A part in the middle, as a bad block leaves it.
    Scratched,
    CutOff,
    Emptied,
}

impl Damage {
    fn befalls(self, folder: &Path, chance: &mut Chance) {
        if matches!(self, Self::Gone) {
            fs::remove_dir_all(folder).expect("the folder goes away");
            return;
        }
        for path in files_below(folder) {
            let mut content = fs::read(&path).expect("the file can be read");
            let length = content.len();
            match self {
                Self::Noise => content = chance.noise(length),
                Self::Scratched => {
                    let (start, end) = (length / 3, length / 2);
                    let scratch = chance.noise(end - start);
                    content[start..end].copy_from_slice(&scratch);
                }
                Self::CutOff => content.truncate(length / 2),
                Self::Gone | Self::Emptied => content.clear(),
            }
            fs::write(&path, content).expect("the file can be written");
        }
    }
}

const DAMAGES: [Damage; 5] =
    [Damage::Gone, Damage::Noise, Damage::Scratched, Damage::CutOff, Damage::Emptied];

/// Two machines, and all that can have happened to a file since they agreed.
fn story() -> (World, Machine, Machine) {
    let files = ["still.md", "edited.md", "fetched.md", "removed.md", "deep/still.md"];
    let world = World::new();
    let laptop = world.first_machine("laptop", &files.map(|path| (path, "old\n")));
    let desktop = world.next_machine("desktop");
    laptop.writes("fetched.md", "from the laptop\n");
    laptop.writes("new.md", "from the laptop\n");
    laptop.removes("removed.md");
    laptop.runs(&["push"]).exits(0);
    desktop.writes("edited.md", "an unpushed edit\n");
    desktop.writes("mine.md", "an unpushed file\n");
    (world, laptop, desktop)
}

/// What holds after the desktop forgot all that it agreed on.
#[track_caller]
fn check(laptop: &Machine, desktop: &Machine, case: &str) {
    let synced = desktop.tries(&["sync"]);
    assert_eq!(synced.code, Some(3), "{case}: {synced:#?}");
    assert_eq!(synced.result()["conflicts"], serde_json::json!(["edited.md"]), "{case}");
    for (path, content) in [
        ("still.md", "old\n"),
        ("deep/still.md", "old\n"),
        ("edited.md", "an unpushed edit\n"),
        ("mine.md", "an unpushed file\n"),
        ("fetched.md", "from the laptop\n"),
        ("new.md", "from the laptop\n"),
        ("removed.md", "old\n"),
    ] {
        assert_eq!(desktop.reads(path), content, "{case}: {path}");
    }
    assert_eq!(desktop.tree().len(), 7, "{case}: {:?}", desktop.tree());
    laptop.syncs();
    assert_eq!(laptop.reads("mine.md"), "an unpushed file\n", "{case}");
    assert_eq!(laptop.reads("edited.md"), "old\n", "{case}");
    assert!(!laptop.tree().has("removed.md"), "{case}: a deletion was undone");
}

#[test]
fn damaged_state_loses_no_edit_and_makes_no_false_conflict() {
    let mut chance = Chance::new();
    for damage in DAMAGES {
        let (_world, laptop, desktop) = story();
        desktop.loses_daemon();
        damage.befalls(&desktop.home().join("state"), &mut chance);
        check(&laptop, &desktop, &format!("{damage:?}"));
    }
}

#[test]
fn state_damaged_while_the_daemon_runs_costs_nothing() {
    let mut chance = Chance::new();
    for damage in DAMAGES {
        let (world, laptop, desktop) = story();
        damage.befalls(&desktop.home().join("state"), &mut chance);
        // The second daemon finds what the first could still store, or nothing.
        for _ in 0..2 {
            desktop.syncs();
            laptop.syncs();
            same_trees(&laptop.tree(), &desktop.tree());
            same_trees(&desktop.tree(), &world.view());
            assert_eq!(laptop.reads("edited.md"), "an unpushed edit\n", "{damage:?}");
            desktop.loses_daemon();
        }
    }
}

#[test]
fn damaged_data_and_cache_come_back_from_the_backend() {
    let mut chance = Chance::new();
    for damage in DAMAGES {
        let (world, laptop, desktop) = story();
        desktop.loses_daemon();
        for folder in ["data", "cache"] {
            damage.befalls(&desktop.home().join(folder), &mut chance);
        }
        desktop.syncs();
        laptop.syncs();
        same_trees(&laptop.tree(), &desktop.tree());
        same_trees(&desktop.tree(), &world.view());
        assert_eq!(laptop.reads("edited.md"), "an unpushed edit\n", "{damage:?}");
        assert!(!desktop.tree().has("removed.md"), "{damage:?}");
    }
}

#[test]
fn everything_of_ours_lost_at_once_is_no_more_than_state_lost() {
    let mut chance = Chance::new();
    for damage in [Damage::Gone, Damage::Noise] {
        let (_world, laptop, desktop) = story();
        desktop.loses_daemon();
        for folder in ["state", "data", "cache"] {
            damage.befalls(&desktop.home().join(folder), &mut chance);
        }
        check(&laptop, &desktop, &format!("{damage:?}"));
    }
}

/// Copies a folder with all that is below it, but for sockets.
fn copy(from: &Path, to: &Path) {
    for path in files_below(from) {
        let place = to.join(path.strip_prefix(from).expect("it lies below"));
        fs::create_dir_all(place.parent().expect("it has a folder")).expect("a folder");
        fs::copy(&path, place).expect("a copy");
    }
}

/// Another computer that was set up from a copy of this one's home.
fn clone_of(machine: &Machine, world: &World) -> Machine {
    let clone = world.machine("clone");
    copy(&machine.root(), &clone.root());
    for folder in ["config", "data", "state", "cache"] {
        copy(&machine.home().join(folder), &clone.home().join(folder));
    }
    let file: PathBuf = clone.home().join("config/projects/notes.toml");
    let settings = fs::read_to_string(&file).expect("the project's file");
    let settings = settings.replace(text(&machine.root()), text(&clone.root()));
    File::create(file).expect("the project's file").write_all(settings.as_bytes()).expect("room");
    clone
}

fn machine_id(machine: &Machine) -> String {
    fs::read_to_string(machine.home().join("config/machine_id")).expect("an id")
}

#[test]
fn copied_home_works_side_by_side_with_the_first() {
    let (world, laptop, desktop) = story();
    desktop.loses_daemon();
    let clone = clone_of(&desktop, &world);
    clone.removes("edited.md");
    clone.writes("mine.md", "an unpushed file\n");

    for round in 0..5 {
        for (name, machine) in [("desktop", &desktop), ("clone", &clone), ("laptop", &laptop)] {
            machine.writes(format!("by {name}.md"), format!("round {round}\n"));
        }
        std::thread::scope(|scope| {
            for machine in [&desktop, &clone, &laptop] {
                scope.spawn(move || machine.runs(&["sync"]).exits(0));
            }
        });
    }
    for machine in [&desktop, &clone, &laptop] {
        machine.syncs();
    }

    assert_ne!(machine_id(&desktop), machine_id(&clone));
    for name in ["desktop", "clone", "laptop"] {
        assert_eq!(laptop.reads(format!("by {name}.md")), "round 4\n");
    }
    assert_eq!(laptop.reads("edited.md"), "an unpushed edit\n");
    same_trees(&laptop.tree(), &desktop.tree());
    same_trees(&laptop.tree().without("removed.md"), &clone.tree().without("removed.md"));
    assert_eq!(
        laptop.asks(&["log", "--limit", "1000"])["entries"]
            .to_string()
            .matches("\"void\":{")
            .count(),
        0
    );
}
