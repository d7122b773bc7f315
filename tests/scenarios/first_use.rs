//! The first minutes with the program.

use std::fs;
use std::path::Path;
use std::thread;

use crate::support::{Tree, World, daemons_of, run, same_trees, text};

#[test]
fn quickstart_makes_a_sample_project_that_is_pushed() {
    let world = World::new();
    let laptop = world.machine("laptop");

    let made = laptop.asks(&["quickstart"]);

    let root = Path::new(made["root"].as_str().expect("a root"));
    assert!(root.ends_with("person/mirrord-sample"), "{made}");
    let sample = Tree::read(root);
    assert!(sample.has("CLAUDE.md"), "{sample:?}");
    assert_eq!(sample.len(), 3);
    let status = laptop.asks(&["--project", text(root), "status"]);
    assert_eq!(status["summary"]["in_sync"], 3);
}

#[test]
fn quickstart_again_says_what_is_there() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("mine.md", "mine\n");
    let quickstart = ["quickstart", text(&laptop.root())].map(str::to_owned);
    let quickstart: Vec<&str> = quickstart.iter().map(String::as_str).collect();

    laptop.runs(&quickstart).exits(0);
    let (head, tree) = (laptop.head(), laptop.tree());
    laptop.runs(&quickstart).exits(0);

    assert_eq!(laptop.head(), head);
    same_trees(&tree, &laptop.tree());
    assert_eq!(laptop.status_of("mine.md")["status"], "in_sync");
}

#[test]
fn init_adopts_plain_files_that_stand_on_the_backend() {
    let world = World::new();
    fs::create_dir_all(world.backend().join("docs")).expect("a folder");
    fs::write(world.backend().join("docs/old.md"), "was here first\n").expect("a file");
    let laptop = world.machine("laptop");

    laptop.inits();
    laptop.syncs();

    assert_eq!(laptop.reads("docs/old.md"), "was here first\n");
    same_trees(&laptop.tree(), &world.view());
}

#[test]
fn init_joins_the_project_that_the_backend_holds() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.machine("desktop");
    fs::create_dir(desktop.root()).expect("a folder");

    let (root, url) = (desktop.root(), world.url());
    let joined = desktop.asks(&["init", text(&root), "--to", &url, "--join"]);

    assert_eq!(joined["joined"], true);
    desktop.syncs();
    same_trees(&laptop.tree(), &desktop.tree());
    let id = |machine: &crate::support::Machine| {
        machine.asks(&["projects"])["projects"][0]["project_id"].clone()
    };
    assert_eq!(id(&laptop), id(&desktop));
}

#[test]
fn project_is_found_from_any_folder_inside_it() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("deep/down/a.md", "a\n")]);

    let mut status = laptop.mirrorctl(&["--json", "status"]);
    status.current_dir(laptop.path("deep/down"));

    assert_eq!(run(status).exits(0).result()["project"], "notes");
}

#[test]
fn remove_leaves_the_files_and_the_backend() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let (tree, view) = (laptop.tree(), world.view());

    laptop.runs(&["remove", "notes"]).exits(0);

    assert_eq!(laptop.asks(&["projects"])["projects"], serde_json::json!([]));
    same_trees(&tree, &laptop.tree());
    same_trees(&view, &world.view());
    assert!(world.holds_a_project());
}

#[test]
fn many_clients_at_once_start_one_daemon() {
    let world = World::new();
    let laptop = world.machine("laptop");

    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| laptop.runs(&["projects"]).exits(0));
        }
    });

    let status = laptop.asks(&["daemon", "status"]);
    let daemons = daemons_of(&laptop.home());
    assert_eq!(serde_json::json!(daemons), serde_json::json!([status["pid"]]));
}

#[test]
fn daemon_stops_when_told_and_status_starts_none() {
    let world = World::new();
    let laptop = world.machine("laptop");

    laptop.runs(&["daemon", "status"]).exits(5);
    laptop.runs(&["daemon", "start"]).exits(0);
    laptop.runs(&["daemon", "status"]).exits(0);
    laptop.runs(&["daemon", "stop"]).exits(0);

    assert!(daemons_of(&laptop.home()).is_empty());
    laptop.runs(&["daemon", "stop"]).exits(0);
    laptop.runs(&["daemon", "status"]).exits(5);
}

#[test]
fn project_goes_on_after_the_daemon_was_stopped() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

    laptop.runs(&["daemon", "stop"]).exits(0);
    laptop.writes("a.md", "saved while no daemon ran\n");

    assert_eq!(laptop.status_of("a.md")["status"], "local_ahead");
    laptop.runs(&["push"]).exits(0);
    same_trees(&laptop.tree(), &world.view());
}

#[test]
fn losing_the_state_folder_costs_nothing() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let (head, tree) = (laptop.head(), laptop.tree());

    laptop.runs(&["daemon", "stop"]).exits(0);
    fs::remove_dir_all(laptop.home().join("state")).expect("a state folder");
    laptop.syncs();

    assert_eq!(laptop.head(), head);
    same_trees(&tree, &laptop.tree());
    assert_eq!(laptop.asks(&["status"])["summary"]["in_sync"], 2);
}

#[test]
fn init_adopts_more_files_than_may_be_open_at_once() {
    const FILES: usize = 1_500;
    let world = World::new();
    let laptop = world.machine("laptop");
    fs::create_dir_all(world.backend()).expect("a folder");
    for number in 0..FILES {
        fs::write(world.backend().join(format!("{number}.md")), number.to_string())
            .expect("a plain file");
    }
    fs::write(world.backend().join(".mirrorignore"), "7.md\n").expect("a plain file");

    laptop.inits();

    assert_eq!(laptop.tree().len(), FILES, "all but the ignored one, and the ignore file");
    assert!(!laptop.tree().has("7.md"));
    assert_eq!(laptop.reads("1499.md"), "1499");
}
