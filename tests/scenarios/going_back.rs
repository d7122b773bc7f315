//! Earlier versions: listed, brought back, and nothing lost on the way.

use serde_json::Value;

use crate::support::{Machine, Session, World, text};

/// A machine that has pushed `a.md` once for each of these contents; gives the
/// commits, too.
fn with_versions(world: &World, contents: &[&str]) -> (Machine, Vec<u64>) {
    let laptop = world.first_machine("laptop", &[("b.md", "b\n")]);
    let commits = contents.iter().map(|content| {
        laptop.writes("a.md", content);
        laptop.asks(&["push"])["commit"].as_u64().expect("a commit")
    });
    let commits = commits.collect();
    (laptop, commits)
}

fn list(result: &Value, key: &str) -> Vec<Value> {
    result[key].as_array().expect("a list").clone()
}

#[test]
fn history_has_every_version_newest_first_across_renames() {
    let world = World::new();
    let (laptop, commits) = with_versions(&world, &["one\n", "two\n"]);
    std::fs::rename(laptop.path("a.md"), laptop.path("c.md")).expect("renamed");
    laptop.runs(&["push"]).exits(0);
    laptop.writes("c.md", "three\n");
    laptop.runs(&["push"]).exits(0);

    let versions = list(&laptop.asks(&["history", "c.md"]), "versions");

    let paths: Vec<_> = versions.iter().map(|version| version["path"].clone()).collect();
    assert_eq!(versions[0]["size"], 6);
    assert_eq!(versions.last().expect("the first")["seq"], commits[0]);
    assert!(paths.contains(&"a.md".into()) && paths[0] == "c.md", "{paths:?}");
    let later = laptop.asks(&["history", "c.md", "--since", "2000-01-01", "--until", "2000-01-02"]);
    assert!(list(&later, "versions").is_empty());
}

#[test]
fn restored_version_is_a_local_edit_that_push_publishes() {
    let world = World::new();
    let (laptop, commits) = with_versions(&world, &["one\n", "two\n"]);
    let desktop = world.next_machine("desktop");

    let from = format!("#{}", commits[0]);
    let restored = laptop.asks(&["restore", "a.md", "--from", &from]);

    assert_eq!(restored["files"][0]["action"], "restored");
    assert!(restored["commit"].is_null());
    assert_eq!(laptop.reads("a.md"), "one\n");
    assert_eq!(laptop.status_of("a.md")["status"], "local_ahead");
    laptop.runs(&["push"]).exits(0);
    desktop.runs(&["pull"]).exits(0);
    assert_eq!(desktop.reads("a.md"), "one\n");
}

#[test]
fn deleted_file_comes_back() {
    let world = World::new();
    let (laptop, commits) = with_versions(&world, &["one\n"]);
    laptop.runs(&["delete", "a.md"]).exits(0);

    laptop.runs(&["restore", "a.md", "--from", &commits[0].to_string()]).exits(0);

    assert_eq!(laptop.reads("a.md"), "one\n");
    let versions = list(&laptop.asks(&["history", "a.md"]), "versions");
    assert!(versions[0]["sha256"].is_null(), "{versions:?}");
}

#[test]
fn unpushed_edit_goes_to_the_stash_and_comes_back_from_there() {
    let world = World::new();
    let (laptop, _) = with_versions(&world, &["one\n"]);
    laptop.writes("a.md", "never pushed\n");

    let restored = laptop.runs(&["restore", "a.md"]).exits(0);

    assert_eq!(laptop.reads("a.md"), "one\n");
    let stash = list(&laptop.asks(&["stash", "list"]), "stash");
    let [version] = &stash[..] else { panic!("one version in {stash:?}") };
    assert_eq!((&version["path"], &version["reason"]), (&"a.md".into(), &"restore".into()));
    let id = version["id"].as_str().expect("an id");
    assert!(restored.stdout.contains(id), "{restored:?}");
    assert_eq!(laptop.runs(&["stash", "show", id]).exits(0).stdout, "never pushed\n");
    let beginning = &id[..id.len() - 1];
    assert_eq!(laptop.asks(&["stash", "show", beginning])["id"], id);
    laptop.runs(&["stash", "restore", beginning]).exits(0);
    assert_eq!(laptop.reads("a.md"), "never pushed\n");
}

#[test]
fn versions_can_be_written_beside_the_project() {
    let world = World::new();
    let (laptop, commits) = with_versions(&world, &["one\n", "two\n"]);
    let output = world.path("then");
    let from = commits[0].to_string();

    laptop.runs(&["restore", "--from", &from, "--output", text(&output)]).exits(0);

    let read = |name: &str| std::fs::read_to_string(output.join(name)).expect("written");
    assert_eq!((read("a.md"), read("b.md")), ("one\n".to_owned(), "b\n".to_owned()));
    assert_eq!(laptop.reads("a.md"), "two\n");
}

#[test]
fn dry_run_restores_nothing() {
    let world = World::new();
    let (laptop, commits) = with_versions(&world, &["one\n", "two\n"]);

    let from = commits[0].to_string();
    let planned = laptop.asks(&["restore", "--from", &from, "--dry-run"]);
    let output = world.path("then");
    let dry = ["restore", "--from", &from, "--dry-run", "--output", text(&output)];
    let beside = laptop.asks(&dry);

    assert_eq!(planned["dry_run"], true);
    assert_eq!(planned["files"][0]["path"], "a.md");
    assert_eq!(laptop.reads("a.md"), "two\n");
    assert_eq!(beside["files"].as_array().map(Vec::len), Some(2), "{beside}");
    assert!(!output.exists(), "a dry run made a folder");
}

#[test]
fn what_is_not_there_is_said() {
    let world = World::new();
    let (laptop, _) = with_versions(&world, &["one\n"]);
    for arguments in [
        &["restore", "--from", "#9999"][..],
        &["restore", "no-such-file.md"],
        &["history", "no-such-file.md"],
        &["stash", "show", "01JZZZZZZZZZZZZZZZZZZZZZZZ"],
    ] {
        laptop.fails(1, arguments);
    }
    for arguments in [&["restore", "--from", "someday"][..], &["stash", "show", "nonsense"]] {
        laptop.fails(2, arguments);
    }
}

#[test]
fn whole_project_is_restored_by_a_word_alone() {
    let world = World::new();
    let (laptop, commits) = with_versions(&world, &["one\n", "two\n"]);
    let from = commits[0].to_string();

    let refused = laptop.fails(1, &["restore", "--from", &from]);

    assert_eq!(refused["class"], "consent", "{refused}");
    assert_eq!(refused["message"], "1 file would change; nothing was done");
    assert_eq!(laptop.reads("a.md"), "two\n");
    let mut asked = Session::of(laptop.mirrorctl(&["restore", "--from", &from]));
    asked.shows("1 file would change. Restore the whole project? [y/N] ");
    asked.types("n\n");
    asked.exits(1);
    assert_eq!(laptop.reads("a.md"), "two\n");
    laptop.runs(&["restore", "--from", &from, "--yes"]).exits(0);
    assert_eq!(laptop.reads("a.md"), "one\n");
    // Nothing would change any more: there is nothing to ask.
    laptop.runs(&["restore", "--from", &from]).exits(0);
}

#[test]
fn stashed_version_is_dropped_once_a_person_has_seen_it() {
    let world = World::new();
    let (laptop, _) = with_versions(&world, &["one\n"]);
    laptop.writes("a.md", "never pushed\n");
    laptop.runs(&["restore", "a.md"]).exits(0);
    let id = laptop.asks(&["stash", "list"])["stash"][0]["id"].as_str().expect("an id").to_owned();

    for (answer, code, left) in [("\n", 1, 1), ("y\n", 0, 0)] {
        let mut asked = Session::of(laptop.mirrorctl(&["stash", "drop", &id]));
        asked.shows(&id);
        asked.shows("13 B");
        asked.shows("a.md");
        asked.shows("Drop for good? [y/N] ");
        asked.types(answer);
        asked.exits(code);
        assert_eq!(list(&laptop.asks(&["stash", "list"]), "stash").len(), left);
    }
    let history = laptop.asks(&["history", "a.md"]);
    assert!(list(&history, "versions").iter().all(|one| one["role"] != "stash"), "{history}");
    laptop.runs(&["remove", "notes"]).exits(0);
}
