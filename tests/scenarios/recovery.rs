//! The files come back without this program, by the commands that stand
//! beside them.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{World, recover_by_hand, repository, run, same_trees};

#[test]
fn newest_and_older_trees_are_rebuilt_by_hand() {
    let world = World::new();
    let laptop = world.first_machine(
        "laptop",
        &[("a.md", "a\n"), ("folder/with space.md", "b\n"), ("-e", ""), ("gone.md", "soon\n")],
    );
    let (older_commit, older_tree) = (laptop.head(), laptop.tree());
    laptop.writes("a.md", "a, better\n");
    laptop.writes("binary", (0..=255).collect::<Vec<u8>>().repeat(100));
    laptop.removes("gone.md");
    laptop.runs(&["push"]).exits(0);

    let newest = recover_by_hand(&world.backend(), None, &world.path("newest"));
    let older = recover_by_hand(&world.backend(), Some(older_commit), &world.path("older"));

    let (Some(newest), Some(older)) = (newest, older) else {
        return;
    };
    same_trees(&laptop.tree(), &newest);
    same_trees(&older_tree, &older);
}

#[test]
fn format_says_what_the_project_is() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

    let format = fs::read(world.backend().join("_mirror/FORMAT")).expect("FORMAT");
    let format: Value = serde_json::from_slice(&format).expect("JSON");

    let project = &laptop.asks(&["projects"])["projects"][0];
    assert_eq!(format["format"], 1);
    assert_eq!(format["project"], project["project_id"]);
    assert_eq!(format["name"], "notes");
    assert_eq!(format["patterns"], serde_json::json!(["**/*"]));
    assert!(format["exclude"].as_array().is_some_and(|globs| !globs.is_empty()));
}

#[test]
fn checkpoint_shows_its_tree_to_gunzip_and_jq() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    for save in 0..130 {
        laptop.writes("b.md", save.to_string());
        laptop.runs(&["push"]).exits(0);
    }

    let folder = world.backend().join("_mirror/checkpoints");
    let newest = fs::read_dir(folder).expect("checkpoints").flatten().map(|file| file.path()).max();
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", r#"gunzip -c "$1" | jq -c '.history.manifest | keys'"#, "sh"])
        .arg(newest.expect("a checkpoint after so many commits"));

    assert_eq!(run(shell).exits(0).stdout, "[\"a.md\",\"b.md\"]\n");
}

#[test]
fn format_carries_the_recovery_script_of_the_documents() {
    let world = World::new();
    let _laptop = world.first_machine("laptop", &[]);
    let script = repository().join("docs/recover.sh");
    let script = fs::read_to_string(script).expect("the script");

    let format = fs::read(world.backend().join("_mirror/FORMAT")).expect("FORMAT");
    let format: Value = serde_json::from_slice(&format).expect("JSON");

    let lines: Vec<&str> = script.lines().collect();
    assert_eq!(format["recover"], serde_json::json!(lines));
}
