//! `packaging/install.sh`, with a stand-in for Cargo that hands over the
//! programs under test instead of building them again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Machine, Outcome, World, binaries, daemons_of, repository, run, text};

/// A computer on which someone follows the README.
struct Newcomer {
    // Its daemon ends before the folders go.
    machine: Machine,
    world: World,
}

impl Newcomer {
    fn new() -> Self {
        let world = World::new();
        let machine = world.machine("laptop");
        Self { machine, world }
    }

    fn prefix(&self) -> PathBuf {
        self.world.path("a prefix")
    }

    /// A `cargo` and a `rustc` of this version.
    fn has_rust(&self, version: &str) {
        let tools = self.world.folder("tools");
        let cargo = format!(
            "#!/bin/sh\nset -eu\ncase $1 in --version) echo 'cargo {version} (x 2026-01-01)'; exit ;; esac\n\
             mkdir -p \"$CARGO_TARGET_DIR/release\"\n\
             cp '{0}/mirrord' '{0}/mirrorctl' '{0}/mirrorctl-mcp' \"$CARGO_TARGET_DIR/release/\"\n",
            text(binaries())
        );
        write_program(&tools.join("cargo"), &cargo);
        let rustc = format!("#!/bin/sh\necho 'rustc {version} (x 2026-01-01)'\n");
        write_program(&tools.join("rustc"), &rustc);
    }

    fn installs(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.script();
        command.args(arguments);
        run(command)
    }

    fn script(&self) -> Command {
        let mut command = self.machine.command(Path::new("/bin/sh"));
        let tools = self.world.folder("tools");
        command
            .arg(repository().join("packaging/install.sh"))
            .env("PATH", format!("{}:/usr/bin:/bin", tools.display()))
            .env("CARGO_TARGET_DIR", self.world.path("a target"))
            .env("MIRRORD_PREFIX", self.prefix());
        command
    }
}

fn write_program(path: &Path, script: &str) {
    fs::write(path, script).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn install_sets_a_project_up_and_may_run_again() {
    let newcomer = Newcomer::new();
    newcomer.has_rust("1.99.0");
    newcomer.machine.writes("mine.md", "mine\n");
    let root = newcomer.machine.root();

    newcomer.installs(&[text(&root)]).exits(0);
    newcomer.installs(&[text(&root)]).exits(0);

    for program in ["mirrord", "mirrorctl", "mirrorctl-mcp"] {
        assert!(newcomer.prefix().join("bin").join(program).is_file());
    }
    assert_eq!(newcomer.machine.status_of("mine.md")["status"], "in_sync");
}

#[test]
fn uninstall_takes_the_programs_back_and_leaves_the_files() {
    let newcomer = Newcomer::new();
    newcomer.has_rust("1.99.0");
    newcomer.machine.writes("mine.md", "mine\n");
    newcomer.installs(&[text(&newcomer.machine.root())]).exits(0);

    let done = newcomer.installs(&["--uninstall"]).exits(0);

    let left = fs::read_dir(newcomer.prefix().join("bin")).expect("the folder stays");
    assert_eq!(left.count(), 0);
    assert!(daemons_of(&newcomer.machine.home()).is_empty());
    assert_eq!(newcomer.machine.reads("mine.md"), "mine\n");
    assert!(newcomer.machine.home().join("data").is_dir(), "the history is gone");
    assert!(done.stdout.contains("data"), "what is left is not said: {done:#?}");
    newcomer.installs(&["--uninstall"]).exits(0);

    newcomer.installs(&[text(&newcomer.machine.root())]).exits(0);
    assert_eq!(newcomer.machine.status_of("mine.md")["status"], "in_sync");
}

#[test]
fn uninstall_takes_the_service_back() {
    let newcomer = Newcomer::new();
    newcomer.has_rust("1.99.0");
    let tools = newcomer.world.folder("tools");
    write_program(&tools.join("systemctl"), "#!/bin/sh\nexit 1\n");
    newcomer.installs(&[text(&newcomer.machine.root())]).exits(0);
    let mut enable = newcomer.machine.command(&newcomer.prefix().join("bin/mirrorctl"));
    enable.env("PATH", &tools).args(["daemon", "enable"]);
    // 4 where no systemd runs at all.
    assert!(matches!(run(enable).code, Some(0 | 4)));
    let home = newcomer.machine.home().with_file_name("person");
    let unit = home.join(".config/systemd/user/mirrord.service");
    assert!(unit.is_file());
    let other = unit.with_file_name("other.service");
    fs::write(&other, "somebody else's\n").expect("written");

    newcomer.installs(&["--uninstall"]).exits(0);

    assert!(!unit.exists() && other.is_file());
}

#[test]
fn uninstall_removes_nothing_that_may_be_nowhere_else() {
    let newcomer = Newcomer::new();
    newcomer.has_rust("1.99.0");
    newcomer.machine.writes("mine.md", "mine\n");
    newcomer.installs(&[text(&newcomer.machine.root())]).exits(0);
    newcomer.machine.writes("mine.md", "never pushed\n");
    newcomer.machine.runs(&["restore", "mine.md"]).exits(0);

    newcomer.installs(&["--uninstall"]).exits(1).says("1 stashed version").says("--discard");

    let stash = newcomer.machine.asks(&["stash", "list"]);
    assert_eq!(stash["stash"][0]["path"], "mine.md");
    assert!(newcomer.prefix().join("bin/mirrorctl").is_file());

    newcomer.installs(&["--uninstall", "--discard"]).exits(0);
    assert!(!newcomer.prefix().join("bin/mirrorctl").exists());
    let backend = newcomer.machine.home().join("data/quickstart/notes");
    assert_eq!(fs::read_to_string(backend.join("mine.md")).expect("it stays"), "mine\n");
}

/// The programs go last: without them nobody finds out what is left.
#[test]
fn uninstall_ends_where_projects_can_not_be_listed_or_removed() {
    let newcomer = Newcomer::new();
    newcomer.has_rust("1.99.0");
    newcomer.machine.writes("mine.md", "mine\n");
    newcomer.installs(&[text(&newcomer.machine.root())]).exits(0);
    let client = newcomer.prefix().join("bin/mirrorctl");
    let whole = client.with_file_name("whole");
    fs::rename(&client, &whole).expect("our own folder");
    for (call, code) in [("*projects*", 4), ("*remove*", 4), ("*remove*", 3)] {
        let stub = format!(
            "#!/bin/sh\ncase \"$*\" in {call}) exit {code} ;; esac\nexec '{}' \"$@\"\n",
            whole.display()
        );
        write_program(&client, &stub);

        newcomer.installs(&["--uninstall"]).exits(1);

        assert!(client.is_file() && newcomer.prefix().join("bin/mirrord").is_file(), "{call}");
        assert_eq!(newcomer.machine.status_of("mine.md")["status"], "in_sync");
    }
    fs::rename(&whole, &client).expect("our own folder");
    newcomer.installs(&["--uninstall"]).exits(0);
    assert!(!client.exists());
}

#[test]
fn install_says_which_rust_it_needs() {
    let newcomer = Newcomer::new();
    let mut without_rust = newcomer.script();
    without_rust.env("PATH", newcomer.world.folder("tools"));
    run(without_rust).exits(1).says("cargo").says("rustup");

    newcomer.has_rust("1.70.0");
    newcomer.installs(&[]).exits(1).says("1.70.0").says("1.95");

    assert!(!newcomer.prefix().exists());
}
