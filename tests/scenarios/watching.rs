//! Files that go by themselves, from one real daemon to another.

use crate::support::{Machine, World, eventually, same_trees};

/// A machine whose files go both ways by themselves. It asks its backend so often.
pub(super) fn by_itself(machine: Machine, poll_interval: &str) -> Machine {
    for (key, value) in [("poll_interval", poll_interval), ("auto", "both")] {
        machine.runs(&["config", "set", key, value]).exits(0);
    }
    machine
}

pub(super) fn holds(machine: &Machine, path: &str, content: &str) -> bool {
    std::fs::read_to_string(machine.path(path)).is_ok_and(|text| text == content)
}

/// Waits until a project is watched at both ends.
#[track_caller]
fn hears_of_all(machine: &Machine) {
    eventually("events of both sides", || {
        let project = &machine.asks(&["daemon", "status"])["projects"][0];
        project["watch"] == "events" && project["backend_watch"] == "events"
    });
}

/// Nobody asks the backend within the time that this takes: its events tell.
#[test]
fn saved_file_is_on_the_other_machine_without_a_word() {
    let world = World::new();
    let laptop = by_itself(world.first_machine("laptop", &[("a.md", "one\ntwo\nthree\n")]), "1h");
    let desktop = by_itself(world.next_machine("desktop"), "1h");
    assert_eq!(laptop.asks(&["status"])["auto"], "both");
    [&laptop, &desktop].into_iter().for_each(hears_of_all);

    for number in 1..=3 {
        let text = format!("one, better {number}\ntwo\nthree\n");
        laptop.writes("a.md", &text);
        eventually("the edit to arrive", || holds(&desktop, "a.md", &text));
    }

    // Both sides at once, in lines of their own.
    laptop.writes("a.md", "one, better 3\ntwo\nthree, too\n");
    desktop.writes("a.md", "ONE\ntwo\nthree\n");
    desktop.writes("new.md", "new\n");
    let both = "ONE\ntwo\nthree, too\n";
    eventually("both edits to meet", || {
        [&laptop, &desktop].iter().all(|here| holds(here, "a.md", both))
    });
    eventually("the new file to arrive", || holds(&laptop, "new.md", "new\n"));
    same_trees(&laptop.tree(), &desktop.tree());
}

#[test]
fn paused_project_waits_until_it_is_resumed_whatever_becomes_of_its_daemon() {
    let world = World::new();
    let laptop = by_itself(world.first_machine("laptop", &[("a.md", "a\n")]), "1h");
    let desktop = by_itself(world.next_machine("desktop"), "1h");
    [&laptop, &desktop].into_iter().for_each(hears_of_all);
    assert_eq!(desktop.asks(&["pause"])["changed"], true);
    assert_eq!(desktop.asks(&["pause", "--all"])["projects"][0]["changed"], false);

    laptop.writes("a.md", "a, better\n");
    eventually("the commit", || desktop.head() == 3);
    desktop.loses_daemon();
    assert_eq!(desktop.asks(&["status"])["state"], "paused");
    assert_eq!(desktop.asks(&["projects"])["projects"][0]["state"], "paused");
    assert_eq!(desktop.asks(&["daemon", "status"])["projects"][0]["state"], "paused");
    assert_eq!(desktop.reads("a.md"), "a\n");

    desktop.writes("b.md", "b\n");
    desktop.runs(&["push"]).exits(0);
    eventually("what was pushed to arrive", || holds(&laptop, "b.md", "b\n"));
    assert_eq!(desktop.reads("a.md"), "a\n");

    desktop.runs(&["resume"]).exits(0);
    eventually("what waited to arrive", || holds(&desktop, "a.md", "a, better\n"));
    assert_eq!(desktop.asks(&["status"])["state"], "idle");
}

#[test]
fn deletions_that_wait_for_a_person_are_told_wherever_projects_are_listed() {
    let names = ["0.md", "1.md", "2.md", "3.md", "4.md", "5.md", "6.md", "7.md", "8.md", "9.md"];
    let world = World::new();
    let laptop = by_itself(world.first_machine("laptop", &names.map(|name| (name, name))), "1h");
    names[..9].iter().for_each(|name| laptop.removes(name));

    eventually("the deletions to wait", || laptop.asks(&["status"])["state"] == "consent");

    let states = || {
        let [listed, running] = [&["projects"][..], &["daemon", "status"]].map(|words| {
            laptop.asks(words)["projects"][0]["state"].as_str().expect("a state").to_owned()
        });
        [listed, running]
    };
    eventually("both lists to say so", || states() == ["consent", "consent"]);
    let told = laptop.runs(&["projects"]).exits(0).stdout;
    assert!(told.contains("consent: deletions wait for you"), "{told}");
    laptop.runs(&["sync", "--allow-deletes"]).exits(0);
    eventually("nothing to wait", || states() == ["idle", "idle"]);
}
