//! Every mistake that a new user makes: what is said, the exit code, and that
//! nothing is left half-made.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{
    Machine, Mount, World, binaries, eventually, has_project, run, same_trees, skipped, text,
};

/// No project was set up, here or on the backend.
#[track_caller]
fn nothing_was_made(world: &World, machine: &Machine) {
    assert_eq!(machine.asks(&["projects"])["projects"], serde_json::json!([]));
    assert!(!world.holds_a_project(), "the backend holds a project");
}

#[track_caller]
fn message_has(error: &Value, words: &[&str]) {
    let told = format!("{} {}", error["message"], error["hint"]).to_lowercase();
    for word in words {
        assert!(told.contains(&word.to_lowercase()), "{word:?} in {error:#}");
    }
}

fn init<'a>(root: &'a Path, url: &'a str) -> [&'a str; 4] {
    ["init", text(root), "--to", url]
}

#[test]
fn client_without_a_daemon_says_where_it_looked() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let alone = world.folder("alone").join("mirrorctl");
    fs::copy(binaries().join("mirrorctl"), &alone).expect("a copy of the client");

    let mut command = laptop.command(&alone);
    command.env("PATH", world.folder("empty")).env("MIRRORD_BIN", "/nowhere/mirrord").arg("status");

    run(command).exits(5).says("mirrord").says("MIRRORD_BIN");
}

#[test]
fn project_folder_is_made_but_not_the_folders_above_it() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let deep = world.path("missing/deeper");

    let error = laptop.fails(1, &init(&deep, &world.url()));

    message_has(&error, &["missing"]);
    assert!(!world.path("missing").exists());
    nothing_was_made(&world, &laptop);
}

#[test]
fn backend_that_is_away_makes_nothing() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let url = format!("folder:{}", world.path("unplugged/disk").display());

    laptop.fails(1, &init(&laptop.root(), &url));
    laptop.fails(1, &["clone", &url, text(&world.path("copy"))]);

    assert!(!world.path("unplugged").exists());
    assert!(!world.path("copy").exists());
    nothing_was_made(&world, &laptop);
}

#[test]
fn clone_of_a_place_without_a_project_makes_nothing() {
    let world = World::new();
    let laptop = world.machine("laptop");
    fs::create_dir(world.backend()).expect("an empty backend");

    laptop.fails(1, &["clone", &world.url(), text(&laptop.root())]);

    assert!(!laptop.root().exists());
    nothing_was_made(&world, &laptop);
}

#[test]
fn clone_into_a_folder_with_files_changes_nothing() {
    let world = World::new();
    let _laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.machine("desktop");
    desktop.writes("mine.md", "mine\n");
    let before = desktop.tree();

    desktop.fails(1, &["clone", &world.url(), text(&desktop.root())]);

    same_trees(&before, &desktop.tree());
    assert_eq!(desktop.asks(&["projects"])["projects"], serde_json::json!([]));
}

/// What waits for the backend of a machine, as `status` shows it.
#[track_caller]
fn queue(machine: &Machine) -> Vec<Value> {
    let status = machine.asks(&["status", "--offline"]);
    status["queue"].as_array().expect("a queue").clone()
}

#[test]
fn push_to_a_backend_that_is_away_is_queued_and_goes_out_by_itself() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let (head, away) = (laptop.head(), world.path("away"));
    fs::rename(world.backend(), &away).expect("the backend moves away");
    laptop.writes("a.md", "a, better\n");

    let pushed = laptop.tries(&["push"]).exits(4).result();

    assert_eq!((&pushed["queued"], &pushed["commit"]), (&Value::Bool(true), &Value::Null));
    let waiting = queue(&laptop);
    assert_eq!(
        (&waiting[0]["kind"], &waiting[0]["error"]["class"]),
        (&"push".into(), &"transient".into())
    );
    assert!(!world.backend().exists(), "the backend was made anew");
    // It survives a restart, and the working tree goes on changing meanwhile.
    laptop.loses_daemon();
    laptop.writes("a.md", "a, even better\n");
    assert_eq!(queue(&laptop).len(), 1);
    fs::rename(&away, world.backend()).expect("the backend comes back");
    eventually("the queued push is out", || queue(&laptop).is_empty());
    assert_eq!(laptop.head(), head + 1);
    assert_eq!(fs::read_to_string(world.backend().join("a.md")).expect("the view"), "a, better\n");
    assert_eq!(laptop.reads("a.md"), "a, even better\n");
    laptop.runs(&["push"]).exits(0);
    same_trees(&laptop.tree(), &world.view());
}

#[test]
fn queued_push_is_said_with_what_it_waits_for() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    fs::rename(world.backend(), world.path("away")).expect("the backend moves away");
    laptop.writes("a.md", "a, better\n");

    let pushed = laptop.runs(&["push"]).exits(4);

    assert!(pushed.stdout.contains("push queued to primary"), "{pushed:?}");
    assert!(pushed.stdout.contains("missing or not mounted"), "{pushed:?}");
}

#[test]
fn empty_mount_point_is_no_fork_and_work_goes_on_when_the_disk_is_back() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let disk = world.path("disk");
    fs::rename(world.backend(), &disk).expect("the disk goes away");
    fs::create_dir(world.backend()).expect("its mount point stays");
    laptop.writes("b.md", "b\n");

    for command in ["push", "sync"] {
        let pushed = laptop.tries(&[command]).exits(4).result();
        assert_eq!(pushed["queued"], true, "{command}: {pushed}");
    }
    let error = laptop.fails(1, &["pull"]);
    assert_eq!(error["class"], "transient", "{error}");
    message_has(&error, &["mounted"]);
    message_has(&queue(&laptop)[0]["error"], &["mounted"]);

    assert_eq!(world.view().len(), 0, "the mount point got a view");
    fs::remove_dir_all(world.backend()).expect("the mount point");
    fs::rename(&disk, world.backend()).expect("the disk is back");
    laptop.runs(&["push"]).exits(0);
    same_trees(&laptop.tree(), &world.view());
}

#[test]
fn missing_project_folder_deletes_nothing() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let (view, root) = (world.view(), laptop.root());
    fs::rename(&root, world.path("moved")).expect("the project folder moves away");

    for command in ["push", "sync", "pull"] {
        let error = laptop.fails(1, &["--project", "notes", command]);
        assert_eq!(error["class"], "consent", "{command}");
    }

    same_trees(&view, &world.view());
    assert!(!root.exists(), "the project folder was made anew");
}

#[test]
fn emptied_project_folder_asks_before_it_deletes() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let view = world.view();
    laptop.removes("a.md");
    laptop.removes("b.md");

    let error = laptop.fails(1, &["push"]);

    assert_eq!(error["class"], "consent");
    message_has(&error, &["--allow-deletes"]);
    same_trees(&view, &world.view());
    laptop.runs(&["push", "--allow-deletes"]).exits(0);
    assert_eq!(world.view().len(), 0);
}

#[test]
fn folder_that_belongs_to_another_project_is_refused_by_name() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("sub/a.md", "a\n")]);
    let second = format!("folder:{}", world.path("second").display());
    let (root, inside, above) = (laptop.root(), laptop.path("sub"), laptop.root());
    let above = above.parent().expect("a folder above");

    for folder in [&root, &inside, above] {
        let error = laptop.fails(1, &[&init(folder, &second)[..], &["--name", "other"]].concat());
        message_has(&error, &["notes"]);
    }

    assert!(!has_project(&world.path("second")));
    assert_eq!(laptop.asks(&["projects"])["projects"].as_array().map(Vec::len), Some(1));
}

#[test]
fn name_that_is_taken_is_refused() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let second = format!("folder:{}", world.path("second").display());
    let elsewhere = world.folder("elsewhere");

    let error = laptop.fails(1, &[&init(&elsewhere, &second)[..], &["--name", "notes"]].concat());

    message_has(&error, &["notes"]);
    assert!(!has_project(&world.path("second")));
}

#[test]
fn backend_and_project_inside_each_other_are_refused() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let inside = format!("folder:{}", laptop.path("backend").display());
    let around = format!("folder:{}", laptop.root().parent().expect("a parent").display());

    for url in [&inside, &around] {
        laptop.fails(1, &init(&laptop.root(), url));
    }

    assert!(!laptop.path("backend").exists());
    nothing_was_made(&world, &laptop);
}

#[test]
fn command_outside_any_project_says_how_to_make_one() {
    let world = World::new();
    let laptop = world.machine("laptop");

    for command in ["status", "push", "log", "diff"] {
        let error = laptop.fails(1, &[command]);
        message_has(&error, &["init"]);
    }
}

#[test]
fn unknown_path_is_an_error() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let head = laptop.head();
    laptop.writes("a.md", "a, better\n");

    for command in ["push", "pull", "diff", "delete"] {
        let error = laptop.fails(1, &[command, "nope.md"]);
        assert_eq!(error["class"], "not_found", "{command}");
        message_has(&error, &["nope.md"]);
    }

    assert_eq!(laptop.head(), head);
}

#[test]
fn unknown_project_is_an_error() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

    for command in [&["--project", "nope", "status"][..], &["remove", "nope"]] {
        let error = laptop.fails(1, command);
        message_has(&error, &["nope"]);
    }
}

#[test]
fn mistyped_commands_and_urls_are_usage_errors() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let url = world.url().replacen("folder:", "fodler:", 1);

    let error = laptop.fails(2, &init(&laptop.root(), &url));
    message_has(&error, &["fodler", "folder"]);
    laptop.runs(&["psuh"]).exits(2).says("push");
    laptop.runs(&["push", "--nope"]).exits(2).says("--nope");
    laptop.runs(&["init"]).exits(2).says("--to");

    nothing_was_made(&world, &laptop);
}

#[test]
fn broken_project_file_is_named_and_stops_no_other_project() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    laptop.runs(&["quickstart"]).exits(0);
    let file = project_file(&laptop, "notes");
    let good = fs::read_to_string(&file).expect("the project's file");
    fs::write(&file, format!("pol_interval = 5\n{good}")).expect("a mistake");

    let mut check = laptop.mirrorctl(&["--json", "config", "check"]);
    check.current_dir(world.path("laptop"));
    let findings = run(check).result().to_string();
    let sample = laptop.asks(&["--project", "mirrord-sample", "status"]);

    for words in ["notes.toml", "pol_interval", "poll_interval", "fail"] {
        assert!(findings.contains(words), "{words} in {findings}");
    }
    assert_eq!(sample["state"], "idle");
}

fn project_file(machine: &Machine, name: &str) -> PathBuf {
    machine.home().join(format!("config/projects/{name}.toml"))
}

#[test]
fn broken_daemon_settings_are_named_with_their_place() {
    let world = World::new();
    let laptop = world.machine("laptop");
    fs::create_dir_all(laptop.home().join("config")).expect("a config folder");
    fs::write(laptop.home().join("config/mirrord.toml"), "machine = [\n").expect("a mistake");

    laptop.runs(&["projects"]).exits(5).says("mirrord.toml");
}

#[test]
fn read_only_backend_changes_nothing() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let disk = world.folder("disk");
    let Some(mount) = Mount::of_size(&disk, 1024) else {
        return;
    };
    mount.becomes_read_only();

    let url = format!("folder:{}", disk.join("backend").display());
    laptop.fails(1, &init(&laptop.root(), &url));

    nothing_was_made(&world, &laptop);
}

#[test]
fn read_only_project_folder_is_named_by_pull() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("locked/a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    laptop.writes("locked/a.md", "a, better\n");
    laptop.runs(&["push"]).exits(0);
    let locked = desktop.path("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).expect("a mode");
    if fs::File::create(locked.join("probe")).is_ok() {
        fs::remove_file(locked.join("probe")).expect("the probe goes away");
        skipped("root may write anywhere");
        return;
    }

    let pulled = desktop.tries(&["pull"]).exits(4).result();

    assert_eq!(pulled["failed"][0]["path"], "locked/a.md");
    assert_eq!(pulled["failed"][0]["error"]["class"], "permission");
    assert_eq!(desktop.reads("locked/a.md"), "a\n");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).expect("a mode");
    desktop.runs(&["pull"]).exits(0);
    assert_eq!(desktop.reads("locked/a.md"), "a, better\n");
}

/// What no compression makes smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

#[test]
fn full_backend_takes_no_part_of_a_push() {
    let world = World::new();
    let disk = world.folder("disk");
    let Some(_mount) = Mount::of_size(&disk, 512) else {
        return;
    };
    let backend = disk.join("backend");
    let url = format!("folder:{}", backend.display());
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    laptop.runs(&[&init(&laptop.root(), &url)[..], &["--pattern", "**/*"]].concat()).exits(0);
    laptop.runs(&["push"]).exits(0);
    let head = laptop.head();

    laptop.writes("large", noise(1 << 20));
    laptop.writes("a.md", "a, better\n");
    let error = laptop.fails(1, &["push"]);

    assert_eq!(error["class"], "quota");
    assert_eq!(laptop.head(), head);
    assert_eq!(fs::read_to_string(backend.join("a.md")).expect("the view"), "a\n");
    laptop.removes("large");
    laptop.runs(&["push"]).exits(0);
    assert_eq!(laptop.head(), head + 1);
}

#[test]
fn full_disk_leaves_every_pulled_file_whole() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.machine("desktop");
    fs::create_dir(desktop.root()).expect("a project folder");
    let Some(_mount) = Mount::of_size(&desktop.root(), 512) else {
        return;
    };
    desktop.clones();

    laptop.writes("large", noise(1 << 20));
    laptop.writes("a.md", "a, better\n");
    laptop.runs(&["push"]).exits(0);
    let pulled = desktop.tries(&["pull"]);

    assert!(matches!(pulled.code, Some(1 | 4)), "{pulled:#?}");
    assert!(!desktop.tree().has("large"));
    assert!(["a\n", "a, better\n"].contains(&desktop.reads("a.md").as_str()));
    assert_eq!(desktop.tree().len(), 1, "left-overs: {:?}", desktop.tree());
}
