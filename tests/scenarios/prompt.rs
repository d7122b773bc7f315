//! What a shell's prompt says of a project, from the daemon's memory alone.

use rustix::process::Signal;

use crate::support::{Machine, World, eventually, processes};

fn says(machine: &Machine) -> String {
    machine.runs(&["prompt"]).exits(0).stdout
}

#[test]
fn prompt_counts_what_waits_on_both_sides() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = world.next_machine("desktop");
    assert_eq!(says(&laptop), "✓");
    assert_eq!(laptop.runs(&["prompt", "--quiet-when-clean"]).exits(0).stdout, "");

    desktop.writes("b.md", "b, better\n");
    desktop.runs(&["push"]).exits(0);
    laptop.writes("a.md", "mine\n");
    // Its own events tell the daemon of the backend's commit.
    eventually("the commit to be counted", || says(&laptop) == "↑1 ↓1");
    assert_eq!(laptop.runs(&["prompt", "--format=ascii"]).exits(0).stdout, ">1 <1");
    let framed = ["prompt", "--format", "text", "--prefix", "(", "--suffix", ") "];
    assert_eq!(laptop.runs(&framed).exits(0).stdout, "(1 to send, 1 to fetch) ");

    laptop.writes("b.md", "b, otherwise\n");
    laptop.runs(&["sync", "--no-prompt"]).exits(3);
    assert_eq!(says(&laptop), "✗1");
    let known = laptop.asks(&["prompt"]);
    assert_eq!((&known["project"], &known["conflicts"]), (&"notes".into(), &1.into()));
    assert_eq!((&known["state"], &known["text"]), (&"idle".into(), &"✗1".into()));

    laptop.runs(&["pause"]).exits(0);
    assert_eq!(says(&laptop), "✗1 ⏸");
}

#[test]
fn prompt_is_empty_where_nobody_answers() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let mut elsewhere = laptop.mirrorctl(&["prompt"]);
    let elsewhere = elsewhere.current_dir("/").output().expect("it runs");
    assert!(
        elsewhere.status.success() && elsewhere.stdout.is_empty() && elsewhere.stderr.is_empty()
    );

    let [daemon] = processes::daemons_of(&laptop.home())[..] else { panic!("one daemon") };
    processes::send(daemon, Signal::STOP);
    assert_eq!(says(&laptop), "", "it hangs");
    processes::kill(daemon);
    assert_eq!(says(&laptop), "");
    let known = laptop.asks(&["prompt"]);
    assert!(known["project"].is_null() && known["state"].is_null() && known["local"] == 0);
    assert!(processes::daemons_of(&laptop.home()).is_empty(), "none was started");
}
