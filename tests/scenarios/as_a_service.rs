//! The daemon as a service of its user: what is written, and who starts it then.
//!
//! `systemctl` is played by a script, so that no test touches the tester's own
//! services; what it is told to start, it starts.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::errors::message_has;
use crate::support::{Outcome, World, binaries, daemons_holding, eventually, processes, run};

/// Starts the program that the unit names, as systemd would.
const SYSTEMD: &str = "#!/bin/sh
echo \"$*\" >> \"$HOME/asked\"
case $* in
*' start mirrord.service')
  program=$(sed -n 's/^ExecStart=\"\\(.*\\)\"$/\\1/p' \"$HOME/.config/systemd/user/mirrord.service\")
  \"$program\" > /dev/null 2>&1 < /dev/null & ;;
esac
";

const NO_SESSION: &str = "#!/bin/sh\nexit 1\n";

/// A home whose `systemctl` is this script.
struct Home {
    folder: PathBuf,
    path: PathBuf,
}

impl Home {
    fn new(world: &World, systemctl: &str) -> Self {
        let (folder, path) = (world.folder("h"), world.folder("bin"));
        let program = path.join("systemctl");
        fs::write(&program, systemctl).expect("written");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("set");
        Self { folder, path }
    }

    fn mirrorctl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries().join("mirrorctl"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path: Vec<_> =
            [self.path.clone()].into_iter().chain(std::env::split_paths(&path)).collect();
        command.env_clear().env("HOME", &self.folder).current_dir(&self.folder).arg("--json");
        command.env("PATH", std::env::join_paths(path).expect("a path")).args(arguments);
        command
    }

    fn tries(&self, arguments: &[&str]) -> Outcome {
        run(self.mirrorctl(arguments))
    }

    #[track_caller]
    fn asks(&self, arguments: &[&str]) -> Value {
        self.tries(arguments).exits(0).result()
    }

    fn unit(&self) -> PathBuf {
        self.folder.join(".config/systemd/user/mirrord.service")
    }

    fn link(&self) -> PathBuf {
        self.folder.join(".config/systemd/user/default.target.wants/mirrord.service")
    }

    fn daemons(&self) -> Vec<i32> {
        daemons_holding(&self.folder.join(".local/state/mirrord"))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.daemons().into_iter().for_each(processes::kill);
    }
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).expect("there")
}

#[test]
fn service_is_written_started_and_taken_back() {
    let world = World::new();
    let home = Home::new(&world, SYSTEMD);

    let shown = home.asks(&["daemon", "enable", "--dry-run"]);
    assert!(!home.unit().exists(), "only shown");

    let enabled = home.asks(&["daemon", "enable"]);
    assert_eq!((&enabled["change"], &enabled["is_service"]), (&"written".into(), &true.into()));
    assert_eq!(shown["text"], text_of(&home.unit()));
    assert_eq!(home.link().canonicalize().expect("leads there"), home.unit());

    let again = home.asks(&["daemon", "enable"]);
    assert_eq!((&again["change"], &again["pid"]), (&"none".into(), &enabled["pid"]));

    // Whatever needs the daemon next, it comes back as the service.
    home.asks(&["daemon", "stop"]);
    home.asks(&["projects"]);
    assert_eq!(home.asks(&["daemon", "enable"])["is_service"], true);

    assert_eq!(home.asks(&["daemon", "disable"])["change"], "removed");
    assert_eq!(home.asks(&["daemon", "disable"])["change"], "none");
    assert!(!home.unit().exists() && !home.link().exists());
    assert!(!home.folder.join(".config/systemd").exists(), "nothing is in it");
    assert_eq!(home.daemons().len(), 1, "what runs goes on");
}

#[test]
fn daemon_that_a_client_started_hands_over_at_a_restart() {
    let world = World::new();
    let home = Home::new(&world, SYSTEMD);
    home.asks(&["daemon", "start"]);
    let [first] = home.daemons()[..] else { panic!("one daemon") };
    assert_eq!(home.asks(&["daemon", "enable"])["is_service"], false);

    let pid = home.asks(&["daemon", "restart"])["pid"].clone();

    assert_ne!(pid, first);
    eventually("the first is gone", || !processes::is_running(first));
    let enabled = home.asks(&["daemon", "enable"]);
    assert_eq!((&enabled["pid"], &enabled["is_service"]), (&pid, &true.into()));
}

#[test]
fn login_without_systemd_is_told_what_will_start_it() {
    let world = World::new();
    let home = Home::new(&world, NO_SESSION);
    let has_systemd = Path::new("/run/systemd/system").is_dir();
    let outcome = home.tries(&["daemon", "enable"]).exits(if has_systemd { 0 } else { 4 });
    let told = outcome.result();
    assert_eq!(told["change"], "written");
    if !has_systemd {
        let cron = told["cron"].as_str().expect("a line");
        assert!(cron.ends_with("mirrorctl sync --all --no-prompt --quiet"), "{cron}");
        let words: Vec<&str> = cron.split(' ').skip(6).collect();
        home.tries(&words).exits(0);
    }

    // The service can't be started here, and any command starts one all the same.
    home.asks(&["projects"]);
    assert_eq!(home.daemons().len(), 1);
}

#[test]
fn systemd_that_looks_elsewhere_is_told_of() {
    let world = World::new();
    let elsewhere = "#!/bin/sh\ncase $* in *' show -p FragmentPath '*) echo FragmentPath=;; esac\n";
    let home = Home::new(&world, elsewhere);

    let told = home.tries(&["daemon", "enable"]).exits(4).result();

    assert_eq!((&told["manager"], &told["change"]), (&"looks_elsewhere".into(), &"written".into()));
    let mut apart = home.mirrorctl(&["daemon", "enable"]);
    let own = world.folder("an own home");
    apart.env("MIRRORD_HOME", &own);
    fs::remove_file(home.unit()).expect("removed");
    let cron = run(apart).exits(4).result()["cron"].as_str().expect("a line").to_owned();
    assert!(cron.contains(&format!(" MIRRORD_HOME='{}' ", own.display())), "{cron}");
}

#[test]
fn unit_of_somebody_else_or_of_another_home_stays() {
    let world = World::new();
    let home = Home::new(&world, SYSTEMD);
    let folder = home.unit();
    fs::create_dir_all(folder.parent().expect("a folder")).expect("made");
    fs::write(home.unit(), "[Service]\nExecStart=/mine\n").expect("written");
    for verb in ["enable", "disable"] {
        let error = home.tries(&["daemon", verb]).exits(1).error();
        message_has(&error, &["mirrord.service", "not made by mirrorctl", "move it away"]);
    }
    assert!(text_of(&home.unit()).contains("/mine"));

    fs::remove_file(home.unit()).expect("removed");
    home.asks(&["daemon", "enable"]);
    let mut apart = home.mirrorctl(&["daemon", "enable"]);
    apart.env("MIRRORD_HOME", world.folder("apart"));
    message_has(&run(apart).exits(1).error(), &["another home", "daemon disable"]);
}
