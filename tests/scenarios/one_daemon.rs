//! One daemon to a home, whatever kind of login looks for it and whatever a
//! cleaner has taken away; and nothing of whoever started it stays with it.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::errors::message_has;
use crate::support::{
    Outcome, World, binaries, daemons_holding, eventually, processes, run, skipped, text,
};

/// A person's home as a login has it: no variable but these.
struct Home {
    folder: PathBuf,
    root: PathBuf,
    store: PathBuf,
}

impl Home {
    /// Short, as the path of a socket is limited.
    fn new(world: &World, name: &str) -> Self {
        let folder = world.folder(name);
        let (root, store) = (folder.join("p"), world.folder(&format!("{name}-store")));
        fs::create_dir(&root).expect("made");
        fs::write(root.join("a.md"), "one\n").expect("written");
        Self { folder, root, store }
    }

    fn state(&self) -> PathBuf {
        self.folder.join(".local/state/mirrord")
    }

    /// A program with the runtime folder of a login, or without one as in cron.
    fn command(&self, program: &Path, runtime: Option<&Path>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.folder).current_dir(&self.root);
        if let Some(runtime) = runtime {
            command.env("XDG_RUNTIME_DIR", runtime);
        }
        command
    }

    fn tries(&self, runtime: Option<&Path>, arguments: &[&str]) -> Outcome {
        let mut command = self.command(&binaries().join("mirrorctl"), runtime);
        command.arg("--json").args(arguments);
        run(command)
    }

    #[track_caller]
    fn asks(&self, runtime: Option<&Path>, arguments: &[&str]) -> Value {
        self.tries(runtime, arguments).exits(0).result()
    }

    #[track_caller]
    fn inits(&self, runtime: Option<&Path>) {
        self.asks(runtime, &["init", text(&self.root), "--to", text(&self.store), "--name", "n"]);
    }

    #[track_caller]
    fn pid(&self, runtime: Option<&Path>) -> i32 {
        let pid = self.asks(runtime, &["daemon", "status"])["pid"].as_i64().expect("a pid");
        i32::try_from(pid).expect("a pid")
    }

    #[track_caller]
    fn socket(&self) -> PathBuf {
        let status = self.asks(None, &["daemon", "status"]);
        status["socket"].as_str().expect("a socket").into()
    }

    /// Runs a script in a shell of this login.
    #[track_caller]
    fn shell(&self, script: &str) {
        let mut command = self.command(Path::new("/bin/sh"), None);
        command.env("CTL", binaries().join("mirrorctl")).args(["-c", script]);
        run(command).exits(0);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        daemons_holding(&self.state()).into_iter().for_each(processes::kill);
    }
}

#[test]
fn every_kind_of_login_finds_the_same_daemon() {
    let world = World::new();
    let home = Home::new(&world, "h");
    let (desktop, other) = (world.folder("run"), world.folder("run2"));
    home.inits(Some(&desktop));
    let pid = home.pid(Some(&desktop));

    for runtime in [None, Some(&*other), Some(Path::new("/nowhere"))] {
        assert_eq!(home.pid(runtime), pid, "{runtime:?}");
        home.asks(runtime, &["push"]);
    }
    fs::remove_dir_all(&desktop).expect("logged out");
    home.asks(None, &["push"]);
    assert_eq!(home.pid(Some(&desktop)), pid);
}

#[test]
fn daemon_that_loses_its_socket_or_its_lock_is_found_again() {
    let world = World::new();
    let home = Home::new(&world, "h");
    home.inits(None);
    let pid = home.pid(None);
    let lock = home.state().join("mirrord.lock");
    let socket = home.socket();
    let remove = |path: &Path| fs::remove_file(path).expect("removed");
    let stale = || {
        remove(&socket);
        drop(std::os::unix::net::UnixListener::bind(&socket).expect("bound"));
    };
    let harms: [(&str, &dyn Fn()); 5] = [
        ("no socket", &|| remove(&socket)),
        ("a dead socket", &stale),
        ("no lock", &|| remove(&lock)),
        ("noise in the lock", &|| fs::write(&lock, "noise").expect("written")),
        ("no state folder", &|| fs::remove_dir_all(home.state()).expect("removed")),
    ];
    for (harm, befalls) in harms {
        befalls();
        home.tries(None, &["push"]).exits(0);
        assert_eq!(home.pid(None), pid, "{harm}");
        eventually("its lock is in place again", || daemons_holding(&home.state()) == [pid]);
    }
    home.asks(None, &["daemon", "stop"]);
    assert!(!processes::is_running(pid));
}

#[test]
fn two_homes_of_one_user_have_a_daemon_each() {
    let world = World::new();
    let runtime = world.folder("run");
    let (first, second) = (Home::new(&world, "h1"), Home::new(&world, "h2"));
    first.inits(Some(&runtime));
    second.inits(Some(&runtime));
    assert_ne!(first.pid(Some(&runtime)), second.pid(Some(&runtime)));

    // A home that was copied with its lock, while the first one's daemon runs.
    let copy = Home::new(&world, "h3");
    fs::create_dir_all(copy.state()).expect("made");
    for file in ["mirrord.lock", "mirrord.log"] {
        fs::copy(first.state().join(file), copy.state().join(file)).expect("copied");
    }
    copy.tries(Some(&runtime), &["daemon", "status"]).exits(5);
    assert_eq!(copy.asks(Some(&runtime), &["projects"])["projects"], serde_json::json!([]));
    assert_ne!(copy.pid(Some(&runtime)), first.pid(Some(&runtime)));
}

#[test]
fn state_too_deep_for_a_socket_has_its_daemon_all_the_same() {
    let world = World::new();
    let runtime = world.folder("run");
    let home = Home::new(&world, &format!("{}/h", "deep".repeat(20)));
    home.inits(Some(&runtime));
    let (pid, socket) = (home.pid(None), home.socket());
    assert!(socket.starts_with(&runtime), "{}", socket.display());

    fs::remove_dir_all(&runtime).expect("logged out");

    assert_eq!(home.pid(None), pid);
    let elsewhere = home.socket();
    assert_ne!(elsewhere, socket);
    home.asks(None, &["daemon", "stop"]);
    assert!(!elsewhere.exists());
}

#[test]
fn second_daemon_says_who_holds_the_state_and_ends() {
    let world = World::new();
    let home = Home::new(&world, "h");
    home.inits(None);
    let pid = home.pid(None);

    let mirrord = binaries().join("mirrord");
    run(home.command(&mirrord, Some(&world.folder("run")))).exits(3).says(&format!("pid {pid}"));

    // With a state of its own it would share the settings and the stash.
    let mut apart = home.command(&mirrord, None);
    apart.env("XDG_STATE_HOME", world.folder("apart"));
    run(apart).exits(3).says(&format!("pid {pid}"));
    let mut client = home.command(&binaries().join("mirrorctl"), None);
    client.env("XDG_STATE_HOME", world.folder("apart")).args(["--json", "projects"]);
    let error = run(client).exits(5).error();
    message_has(&error, &[&format!("pid {pid}"), "XDG_STATE_HOME"]);

    assert_eq!(home.asks(None, &["projects"])["projects"][0]["state"], "idle");
}

#[test]
fn daemon_is_not_started_in_the_folders_of_another_user() {
    let world = World::new();
    let home = Home::new(&world, "h");
    fs::create_dir_all(home.state()).expect("made");
    if chown(home.state(), Some(12_345), None).is_err() {
        return skipped("only root can give a folder away");
    }

    let error = home.tries(None, &["projects"]).exits(5).error();

    message_has(&error, &["belongs to user 12345", "sudo -H"]);
    run(home.command(&binaries().join("mirrord"), None)).exits(1).says("belongs to user 12345");
    assert_eq!(fs::read_dir(home.state()).expect("there").count(), 0, "something was left");
}

#[test]
fn home_behind_a_link_is_the_same_home() {
    let world = World::new();
    let home = Home::new(&world, "h");
    home.inits(None);
    let link = world.path("link");
    symlink(&home.folder, &link).expect("linked");
    let by_link = || {
        let mut command = home.command(&binaries().join("mirrorctl"), None);
        command.env("HOME", &link).args(["--json", "daemon", "status"]);
        run(command)
    };
    let [pid] = daemons_holding(&home.state())[..] else { panic!("one daemon") };
    let status = by_link().exits(0).result();
    assert_eq!(status["pid"], pid);

    // Started by the other way, it is the same machine to the others.
    home.asks(None, &["daemon", "stop"]);
    let mut start = home.command(&binaries().join("mirrorctl"), None);
    start.env("HOME", &link).args(["daemon", "start"]);
    run(start).exits(0);
    assert_eq!(by_link().exits(0).result()["machine_id"], status["machine_id"]);
    assert_ne!(home.pid(None), pid);
}

#[test]
fn crashed_daemon_is_followed_by_another() {
    let world = World::new();
    let home = Home::new(&world, "h");
    home.inits(None);
    let pid = home.pid(None);
    let socket = home.socket();

    processes::kill(pid);

    assert!(socket.exists(), "a crash leaves it behind");
    home.tries(None, &["daemon", "status"]).exits(5);
    home.asks(None, &["push"]);
    assert_ne!(home.pid(None), pid);
}

#[test]
fn daemon_keeps_nothing_of_the_script_that_started_it() {
    let world = World::new();
    let home = Home::new(&world, "h");
    home.shell(
        "trap '' TERM INT HUP QUIT; umask 0327; exec 7>lock 8<lock 9<. 2>&1; \"$CTL\" daemon start",
    );
    let pid = home.pid(None);
    let process = PathBuf::from(format!("/proc/{pid}"));

    let inherited: Vec<PathBuf> = fs::read_dir(process.join("fd"))
        .expect("listed")
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.starts_with(&home.root))
        .collect();
    assert_eq!(inherited, [] as [PathBuf; 0]);
    assert_eq!(fs::read_link(process.join("cwd")).expect("there"), Path::new("/"));
    let stat = fs::read_to_string(process.join("stat")).expect("there");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    assert_eq!((fields[3], fields[4]), (&*pid.to_string(), "0"), "session and terminal");
    let status = home.asks(None, &["daemon", "status"]);
    assert_eq!(status["umask"], "0027", "its own user may read and write");

    processes::send(pid, Signal::TERM);
    eventually("a signal that the script ignores ends it", || !processes::is_running(pid));
}

#[test]
fn end_of_the_log_is_one_document_whether_or_not_the_daemon_runs() {
    let world = World::new();
    let home = Home::new(&world, "h");
    home.inits(None);
    let running = home.asks(None, &["daemon", "logs", "--lines", "2"]);
    home.asks(None, &["daemon", "stop"]);
    let stopped = home.asks(None, &["daemon", "logs", "--lines", "2"]);

    for logs in [&running, &stopped] {
        let lines = logs["lines"].as_array().expect("lines");
        assert!(lines.len() == 2 && lines.iter().all(Value::is_string), "{logs:#}");
    }
    assert_eq!(running["log_file"], stopped["log_file"]);
    assert!(Path::new(stopped["log_file"].as_str().expect("a file")).is_file());
}
