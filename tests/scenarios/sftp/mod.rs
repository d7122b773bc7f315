//! The same stories with the backend on an SSH server: what it shows, what is
//! done to it, and how the way to it fails.

mod accounts;
mod crashes;
mod cuts;
mod everyday;
mod first_pushes;
mod frozen_setups;
mod full_disks;
mod logins;
mod losses;
mod outside_edits;
mod races;
mod refused_setups;
mod silences;
mod standing;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::proxy::{Proxy, Way};
use crate::support::servers::sftp::SftpServer;
use crate::support::{Machine, Outcome, Tree, World, files_below, same_trees};

/// Where the stories keep what a login needs; no output may name it.
const LOGIN: &str = "login-of-ada";

const KNOWN_HOSTS: &str = "known_hosts";

/// The first value that `ssh` is given is the one that counts.
const IMPATIENT: &str = "-o ServerAliveInterval=1 -o ServerAliveCountMax=3 -o ConnectTimeout=4";

/// A world whose backend lies on a server, at the end of a line of its own.
struct Site {
    world: World,
    line: Proxy,
    login: PathBuf,
}

impl Site {
    fn on(server: &SftpServer) -> Self {
        Self::at(server, server.new_root())
    }

    /// A world with its backend at this folder of the server.
    fn at(server: &SftpServer, root: PathBuf) -> Self {
        let line = Proxy::to(server.port());
        let url = server.url_through(line.port(), &root);
        Self::reaching(server, line, root, url)
    }

    /// A world that reaches its backend without the line.
    fn directly_on(server: &SftpServer) -> Self {
        let root = server.new_root();
        let url = server.url(&root);
        Self::reaching(server, Proxy::to(server.port()), root, url)
    }

    /// The same, where `ssh` gives a silent server up after few seconds: the
    /// daemon tells it to wait for half a minute.
    fn with_impatient_ssh(self) -> Self {
        Self { world: self.world.with_ssh(IMPATIENT), ..self }
    }

    /// A world that reaches its backend by a URL that may be wrong.
    fn reaching(server: &SftpServer, line: Proxy, root: PathBuf, url: String) -> Self {
        let world = World::new();
        let login = world.folder(LOGIN);
        for (from, name) in [(server.key(), "key"), (server.other_key(), "other")] {
            fs::copy(from, login.join(name)).expect("a copy for this world");
            let private = fs::Permissions::from_mode(0o600);
            fs::set_permissions(login.join(name), private).expect("a mode");
        }
        let known = world.path(KNOWN_HOSTS);
        fs::copy(server.known_hosts(), &known).expect("a copy for this world");
        let settings = [
            format!("key_file={}", login.join("key").display()),
            format!("known_hosts_file={}", known.display()),
        ];
        let settings = settings.into_iter().flat_map(|one| ["--set".to_owned(), one]).collect();
        Self { world: world.reaching(root, url, settings), line, login }
    }

    /// What `ssh` reads to let a machine in: `key` or `other`.
    fn login(&self, name: &str) -> PathBuf {
        self.login.join(name)
    }

    /// The hosts that a machine knows. Whoever has to accept one is told where.
    fn known_hosts(&self) -> PathBuf {
        self.world.path(KNOWN_HOSTS)
    }

    /// How many bytes have come over the line, whichever way.
    fn carried(&self) -> u64 {
        self.line.carried(Way::Up) + self.line.carried(Way::Down)
    }

    /// How many entries the log has that stand on the server.
    fn head(&self) -> u64 {
        self.world.head()
    }

    /// Nothing is left to move: every machine and the server's plain files are
    /// the same, and nobody's login was told.
    #[track_caller]
    fn ends_well(&self, machines: &[&Machine]) {
        for machine in machines.iter().chain(machines) {
            machine.syncs();
        }
        for machine in machines {
            same_trees(&machines[0].tree(), &machine.tree());
            same_trees(&machine.tree().without_modes().without_links(), &self.plain());
        }
        self.keeps_secrets(machines);
    }

    /// The server's plain files, in whichever mode it has made them.
    fn plain(&self) -> Tree {
        self.world.view().without_modes()
    }

    /// No upload was left under way.
    #[track_caller]
    fn is_tidy(&self) {
        let uploads = self.world.backend().join("_mirror/tmp");
        let left = if uploads.exists() { files_below(&uploads) } else { Vec::new() };
        assert!(left.is_empty(), "{left:?}");
    }

    /// Neither what was printed nor the daemon's log tells how to log in.
    #[track_caller]
    fn keeps_secrets(&self, machines: &[&Machine]) {
        let keys = ["key", "other"]
            .map(|name| fs::read_to_string(self.login(name)).expect("a private key"));
        let lines = keys.iter().flat_map(|key| key.lines()).filter(|line| line.len() > 20);
        let secrets: Vec<&str> =
            lines.filter(|line| !line.starts_with("-----")).chain([LOGIN, "/person"]).collect();
        for machine in machines {
            let log = fs::read_to_string(log_of(machine)).expect("the daemon's log");
            for (place, text) in [("printed", machine.said()), ("logged", log)] {
                for secret in &secrets {
                    assert!(!text.contains(secret), "{secret} was {place}: {text}");
                }
            }
        }
    }
}

/// What a lost connection may do to a command: nothing, or to leave work for
/// later, or to end it.
#[track_caller]
fn recovers_or_says_so(outcome: &Outcome) {
    match outcome.code {
        Some(0 | 4) => {}
        Some(1) => assert_eq!(outcome.error()["class"], "transient", "{outcome:#?}"),
        _ => panic!("{outcome:#?}"),
    }
}

fn log_of(machine: &Machine) -> PathBuf {
    machine.home().join("state/mirrord.log")
}

/// Writes a file of the view as another program does.
fn writes_on_server(site: &Site, path: &str, content: impl AsRef<[u8]>) {
    let file = site.world.backend().join(path);
    fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("a folder");
    fs::write(file, content).expect("the view can be written");
}

fn reads_on_server(site: &Site, path: impl AsRef<Path>) -> String {
    fs::read_to_string(site.world.backend().join(path)).expect("it stands on the server")
}
