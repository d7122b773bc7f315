//! Files that go by themselves, from one real daemon to another.

use std::time::{Duration, Instant};

use crate::support::{Machine, World, eventually, same_trees};

/// A machine whose files go both ways by themselves.
fn by_itself(machine: Machine) -> Machine {
    for (key, value) in [("poll_interval", "2s"), ("auto", "both")] {
        machine.runs(&["config", "set", key, value]).exits(0);
    }
    machine
}

fn holds(machine: &Machine, path: &str, content: &str) -> bool {
    std::fs::read_to_string(machine.path(path)).is_ok_and(|text| text == content)
}

#[test]
fn saved_file_is_on_the_other_machine_without_a_word() {
    let world = World::new();
    let laptop = by_itself(world.first_machine("laptop", &[("a.md", "one\ntwo\nthree\n")]));
    let desktop = by_itself(world.next_machine("desktop"));
    assert_eq!(laptop.asks(&["status"])["auto"], "both");

    // The best of three, as the tester's machine may be busy with others.
    let times = [1, 2, 3].map(|number| {
        let (saved, text) = (Instant::now(), format!("one, better {number}\ntwo\nthree\n"));
        laptop.writes("a.md", &text);
        eventually("the edit to arrive", || holds(&desktop, "a.md", &text));
        saved.elapsed()
    });
    let limit = Duration::from_secs(2 + 2 + 2);
    assert!(times.iter().any(|time| *time < limit), "{times:?}");

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
