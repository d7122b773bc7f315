//! What is mirrored is what a person means, and what isn't is said.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::support::{World, same_trees};

fn paths<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().expect("a list").iter().map(|one| one[key].as_str().expect("text")).collect()
}

#[test]
fn own_files_of_a_mirrored_home_stay_out() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let home = laptop.home().parent().expect("a folder around it").to_owned();
    fs::write(home.join("a.md"), "a\n").expect("a file can be written");
    laptop.runs(&laptop.words_of_init(&home)).exits(0);

    laptop.runs(&["--project", "laptop", "push"]).exits(0);
    let again = laptop.asks(&["--project", "laptop", "push"]);
    let status = laptop.asks(&["--project", "laptop", "status", "--long"]);

    assert_eq!(again["commit"], Value::Null);
    assert_eq!(paths(&status["files"], "path"), ["a.md"]);
    assert_eq!(world.view().len(), 1);
}

#[test]
fn pull_writes_nothing_where_own_files_lie() {
    let world = World::new();
    let desktop = world.first_machine("desktop", &[("h/config/mirrord.toml", "poison\n")]);
    desktop.writes("a.md", "a\n");
    desktop.runs(&["push"]).exits(0);
    let laptop = world.machine("laptop");
    let home = laptop.home().parent().expect("a folder around it").to_owned();
    laptop.runs(&[&laptop.words_of_init(&home)[..], &["--join"]].concat()).exits(0);

    laptop.runs(&["--project", "laptop", "sync"]).exits(0);
    assert_eq!(fs::read_to_string(home.join("a.md")).expect("it came"), "a\n");
    assert!(!laptop.home().join("config/mirrord.toml").exists());
    assert!(world.view().has("h/config/mirrord.toml"), "nor is it deleted");

    let own = desktop.home().join("state");
    let own = own.to_str().expect("paths of tests are UTF-8");
    desktop.runs(&["pull", "--output", own]).exits(2).says("its own files");
}

#[test]
fn deletion_of_a_name_that_exists_is_of_that_file_alone() {
    let world = World::new();
    let files =
        [("[a].md", "1\n"), ("a.md", "1\n"), ("app/[x]/p.md", "1\n"), ("app/x/p.md", "1\n")];
    let laptop = world.first_machine("laptop", &files);
    for number in 0..9 {
        laptop.writes(format!("k{number}.md"), "1\n");
    }
    laptop.runs(&["push"]).exits(0);

    laptop.runs(&["delete", "[a].md"]).exits(0);
    laptop.runs(&["delete", "app/[x]"]).exits(0);

    assert!(laptop.tree().has("a.md") && laptop.tree().has("app/x/p.md"));
    assert!(!laptop.tree().has("[a].md") && !laptop.tree().has("app/[x]/p.md"));
    same_trees(&laptop.tree(), &world.view());
}

#[test]
fn rules_behind_a_link_hold_and_those_that_can_not_be_read_keep_new_files_here() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    laptop.writes(".gitignore", "secret*\n");
    symlink(".gitignore", laptop.path(".mirrorignore")).expect("a link can be made");
    laptop.writes("secret.md", "secret\n");
    laptop.runs(&["push"]).exits(0);
    assert!(!world.view().has("secret.md"));

    laptop.removes(".mirrorignore");
    symlink("/etc/hosts", laptop.path(".mirrorignore")).expect("a link can be made");
    laptop.writes("new.md", "new\n");
    let told = laptop.runs(&["push"]).exits(4).stdout;
    assert!(told.contains("the rules of .mirrorignore can't be read"), "{told}");
    assert!(!world.view().has("secret.md") && !world.view().has("new.md"));
}

#[test]
fn name_of_what_is_left_out_is_told_why_and_can_be_deleted_from_the_project() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("leak.md", "secret\n")]);
    laptop.writes(".mirrorignore", "leak*\n");
    laptop.runs(&["push"]).exits(0);

    laptop.runs(&["delete", "leak.md"]).exits(1).says("line 1 of .mirrorignore ignores it");
    laptop.runs(&["push", "leak.md"]).exits(1).says("delete --ignored");
    laptop.runs(&["delete", "--ignored", "--dry-run", "leak.md"]).exits(0);
    assert!(world.view().has("leak.md"));
    laptop.runs(&["delete", "--ignored", "leak.md"]).exits(0);

    assert!(!world.view().has("leak.md"));
    assert_eq!(laptop.reads("leak.md"), "secret\n");
    laptop.runs(&["delete", "--ignored", "a.md"]).exits(2).says("is mirrored here");
}

#[test]
fn init_says_what_it_takes_before_it_makes_anything() {
    let world = World::new();
    let laptop = world.machine("laptop");
    for (path, content) in [
        ("a.md", "a\n"),
        ("notes/b.md", "bb\n"),
        ("notes/deep/c.md", "ccc\n"),
        ("notes/x.py", "x\n"),
        ("node_modules/x/README.md", "x\n"),
        ("web/dist/index.md", "x\n"),
        ("target", "a file\n"),
    ] {
        laptop.writes(path, content);
    }
    let words = laptop.words_of_init(&laptop.root()).join(" ").replace("**/*", "**/*.md");
    let words: Vec<&str> = words.split(' ').collect();
    let told = laptop.runs(&words).exits(0).stdout;
    assert!(told.starts_with("to be mirrored: 3 files, 9 B\n"), "{told}");
    assert!(told.contains("notes  2 files"), "{told}");
    assert!(told.contains("left out: **/node_modules/**"), "{told}");
    laptop.runs(&["push"]).exits(0);
    for left in ["node_modules/x/README.md", "web/dist/index.md", "notes/x.py", "target"] {
        assert!(!world.view().has(left), "{left}");
    }
    assert!(world.view().has("notes/deep/c.md"));

    let settings = laptop.asks(&["config", "show"]);
    let values = settings["settings"].as_array().expect("a list");
    let exclude = values.iter().find(|one| one["key"] == "exclude").expect("it is shown");
    assert_eq!(exclude["origin"], "shared");
    assert!(exclude["value"].as_str().is_some_and(|it| it.contains("node_modules")));
    laptop.runs(&["config", "set", "--shared", "exclude", "[]"]).exits(0);
    laptop.runs(&["push"]).exits(0);
    assert!(world.view().has("node_modules/x/README.md"), "what is excluded can be changed");
}

#[test]
fn project_by_gits_rules_leaves_out_what_git_ignores() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes(".gitignore", "secret*\n");
    laptop.writes("docs/.gitignore", "draft*\n");
    for path in ["a.md", "secret.md", "docs/draft.md", "docs/b.md"] {
        laptop.writes(path, "x\n");
    }
    let root = laptop.root();
    let mut words = laptop.words_of_init(&root);
    words.push("--gitignore");
    let covered = &laptop.asks(&words)["covered"];
    assert_eq!(covered["files"], 4, "{covered}");
    assert_eq!(paths(&covered["folders"], "path"), [".", "docs"]);
    laptop.runs(&["push"]).exits(0);
    assert!(world.view().has("docs/.gitignore") && world.view().has("docs/b.md"));
    assert!(!world.view().has("secret.md") && !world.view().has("docs/draft.md"));

    let desktop = world.next_machine("desktop");
    desktop.writes("secret-too.md", "x\n");
    desktop.runs(&["push", "secret-too.md"]).exits(1).says("line 1 of .gitignore ignores it");
    desktop.runs(&["config", "set", "--shared", "gitignore", "false"]).exits(0);
    desktop.runs(&["push"]).exits(0);
    assert!(world.view().has("secret-too.md"));
}

#[test]
fn what_was_skipped_is_counted_and_listed_on_request() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    symlink("/etc/hosts", laptop.path("out.md")).expect("a link can be made");
    laptop.writes("back\\slash.md", "x\n");

    for command in ["push", "pull", "sync"] {
        assert_eq!(laptop.asks(&[command])["skipped_count"], 2, "{command}");
        let told = laptop.runs(&[command]).exits(0).stdout;
        assert!(told.ends_with("2 skipped: `mirrorctl status --skipped`\n"), "{told}");
    }
    let skipped = &laptop.asks(&["status", "--skipped"])["skipped"];
    assert_eq!(paths(skipped, "reason"), ["name_not_allowed", "symlink_outside"]);
    let told = laptop.runs(&["status", "--skipped"]).exits(0).stdout;
    assert!(told.contains("out.md") && told.contains("leads out of the project"), "{told}");
}
