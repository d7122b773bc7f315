//! OpenSSH's sshd, private to the tests, with one key that may log in.

mod config;
mod tests;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use mirror_storage::adapter::sftp::{SftpAccount, SshSettings};
use rustix::process::Signal;

use super::{Guard, free_port, program};
use crate::support::{eventually, is_missing, processes, skipped};

/// Where sshd shuts itself in before it knows who comes, when root starts it.
/// Who starts a machine's own server makes it, at each boot.
const CELL: &str = "/run/sshd";

const KEY: &str = "client";
const KNOWN_HOSTS: &str = "known_hosts";

/// How a server differs from one that was just installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    Stock,
    /// No commands, SFTP alone.
    SftpOnly,
    WithoutHardlinks,
    ReadOnly,
    /// One session for each connection.
    OneSession,
    /// A login shell that takes its time.
    SlowShell,
    /// A login shell that greets where errors go.
    ChattyShell,
    /// A login shell that greets where the protocol is spoken.
    NoisyShell,
    /// For root's tests: a server that is run and used by somebody else.
    OtherUser,
}

/// Who logs in.
#[derive(Debug)]
struct Login {
    name: String,
    /// User and group, where it is not the tester.
    account: Option<(u32, u32)>,
}

/// One sshd. It is stopped, with all of its sessions, when dropped.
pub(crate) struct SftpServer {
    variant: Variant,
    login: Login,
    folder: PathBuf,
    port: u16,
    guard: Option<Guard>,
    roots: AtomicUsize,
}

impl SftpServer {
    /// Starts a server that answers, `None` with the reason told where there
    /// is none to start.
    pub(crate) fn start(variant: Variant) -> Option<Self> {
        let login = Login::for_variant(variant)?;
        if program("sshd").is_none() || config::sftp_server().is_none() {
            is_missing("OpenSSH's server");
            return None;
        }
        if config::shell(variant).is_some() && !login.has_shell() {
            skipped("this user has no login shell");
            return None;
        }
        login.makes_cell();
        // The guard removes it: an owner in here might never be dropped.
        let folder = tempfile::Builder::new().prefix("ms").tempdir_in("/tmp");
        let folder = folder.expect("a temporary folder").keep();
        config::set_mode(&folder, 0o755);
        for name in ["run", "files"] {
            fs::create_dir(folder.join(name)).expect("a folder of the server's");
        }
        let roots = AtomicUsize::default();
        let mut server = Self { variant, login, folder, port: 0, guard: None, roots };
        while server.guard.is_none() {
            server.port = free_port();
            server.tries_to_start();
        }
        server.trusts_host_key();
        Some(server)
    }

    /// The one server of a variant that all tests of this process share.
    pub(crate) fn shared(variant: Variant) -> Option<&'static Self> {
        static SERVERS: Mutex<Vec<(Variant, &'static SftpServer)>> = Mutex::new(Vec::new());
        // Who panicked while starting one has left the others as they were. The
        // next to ask tries again: each test says itself why it has no server.
        let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, server)) = servers.iter().find(|(one, _)| *one == variant) {
            return Some(server);
        }
        let server = &*Box::leak(Box::new(Self::start(variant)?));
        servers.push((variant, server));
        Some(server)
    }

    /// Starts the server; without success when somebody else has its port.
    fn tries_to_start(&mut self) {
        config::write(&self.folder, self.port, self.variant, &self.login);
        let _ = fs::remove_file(self.folder.join("run/pid"));
        let guard = Guard::start(&self.folder, &self.command());
        eventually("sshd answers or has ended", || !guard.is_running() || self.answers());
        if guard.is_running() {
            self.guard = Some(guard);
            return;
        }
        let said = guard.output() + &self.log();
        assert!(said.contains("Address already in use"), "sshd does not start: {said}");
        guard.stop();
    }

    fn command(&self) -> Vec<String> {
        let sshd = program("sshd").expect("looked for before");
        let mut command = match self.login.account {
            Some((user, group)) => {
                let (user, group) = (format!("--reuid={user}"), format!("--regid={group}"));
                vec!["setpriv".to_owned(), user, group, "--clear-groups".to_owned()]
            }
            None => Vec::new(),
        };
        let file = |name: &str| self.folder.join(name).display().to_string();
        let options = ["-D", "-f", &file("sshd_config"), "-E", &file("run/log")];
        command.push(sshd.display().to_string());
        command.extend(options.map(str::to_owned));
        command
    }

    /// It writes its pid once it listens; only then the answer is its own.
    fn answers(&self) -> bool {
        let mut banner = String::new();
        self.folder.join("run/pid").exists()
            && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
                .and_then(|lane| BufReader::new(lane).read_line(&mut banner))
                .is_ok_and(|_| banner.starts_with("SSH-2.0"))
    }

    /// Makes the clients trust the key that the server has now, on any port:
    /// the way may lead through a proxy.
    fn trusts_host_key(&self) {
        let key = fs::read_to_string(self.folder.join("host.pub")).expect("a host key");
        fs::write(self.known_hosts(), format!("[127.0.0.1]:* {key}")).expect("known hosts");
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn user(&self) -> &str {
        &self.login.name
    }

    /// The private key that may log in.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join(KEY)
    }

    /// A private key that the server does not know.
    pub(crate) fn other_key(&self) -> PathBuf {
        self.folder.join("other")
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.folder.join(KNOWN_HOSTS)
    }

    /// A place for other files of a test; no client sees it.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// An empty folder on the server's disk that no other test has.
    pub(crate) fn new_root(&self) -> PathBuf {
        let number = self.roots.fetch_add(1, Ordering::Relaxed);
        let root = self.folder.join("files").join(number.to_string());
        fs::create_dir(&root).expect("a new folder");
        self.give(&root);
        root
    }

    /// Makes a file or folder the property of whoever logs in.
    pub(crate) fn give(&self, path: &Path) {
        if let Some((user, group)) = self.login.account {
            chown(path, Some(user), Some(group)).expect("it is given away");
        }
    }

    /// The URL of a folder on the server.
    pub(crate) fn url(&self, root: &Path) -> String {
        self.url_through(self.port, root)
    }

    /// The same by way of a proxy on another port.
    pub(crate) fn url_through(&self, port: u16, root: &Path) -> String {
        format!("sftp://{}@127.0.0.1:{port}{}", self.user(), root.display())
    }

    /// Who logs in, with which key.
    pub(crate) fn account(&self) -> SftpAccount {
        account_on(&self.folder, self.user(), self.port)
    }

    /// What `mirrorctl` has to be told besides the URL.
    pub(crate) fn settings(&self) -> Vec<String> {
        let key = format!("key_file={}", self.key().display());
        let known = format!("known_hosts_file={}", self.known_hosts().display());
        ["--set".to_owned(), key, "--set".to_owned(), known].to_vec()
    }

    /// What the server has written down so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("run/log")).unwrap_or_default()
    }

    /// How many sessions clients have begun so far.
    pub(crate) fn session_count(&self) -> usize {
        self.log().matches("Starting session:").count()
    }

    fn sessions(&self) -> Vec<i32> {
        self.guard.as_ref().map(Guard::children).unwrap_or_default()
    }

    /// Ends every session without a word to its client.
    pub(crate) fn kill_sessions(&self) {
        self.sessions().into_iter().for_each(processes::kill);
    }

    /// Leaves every session connected and deaf.
    pub(crate) fn suspend(&self) {
        self.sessions().into_iter().for_each(|pid| processes::send(pid, Signal::STOP));
    }

    pub(crate) fn resume(&self) {
        self.sessions().into_iter().for_each(|pid| processes::send(pid, Signal::CONT));
    }

    /// The machine is gone: nobody listens.
    pub(crate) fn stop(&mut self) {
        self.guard.take().expect("a server that runs").stop();
    }

    /// It is back on its port, with all of its files.
    pub(crate) fn start_again(&mut self) {
        eventually("the server has its port back", || {
            self.tries_to_start();
            self.guard.is_some()
        });
    }

    /// Another machine took its place, as far as a client can tell.
    pub(crate) fn starts_again_with_another_host_key(&mut self) {
        for name in ["host", "host.pub"] {
            fs::remove_file(self.folder.join(name)).expect("the old host key");
        }
        self.start_again();
    }
}

/// The account on a server that keeps its keys in this folder.
pub(crate) fn account_on(folder: &Path, user: &str, port: u16) -> SftpAccount {
    let ssh = SshSettings {
        key_file: Some(folder.join(KEY)),
        known_hosts_file: Some(folder.join(KNOWN_HOSTS)),
        identity_agent: Some("none".to_owned()),
        // What the tester's machine knows is no part of a test.
        ssh_options: ["GlobalKnownHostsFile", "ProxyCommand", "ControlPath"]
            .map(|option| format!("{option}=none"))
            .to_vec(),
    };
    let (user, host) = (Some(user.to_owned()), "127.0.0.1".to_owned());
    SftpAccount { user, host, port: Some(port), ssh }
}

impl Login {
    fn for_variant(variant: Variant) -> Option<Self> {
        let is_root = rustix::process::geteuid().is_root();
        if variant != Variant::OtherUser || !is_root {
            return Some(Self { name: own_name(), account: None });
        }
        let found = account_of("daemon");
        if found.is_none() || program("setpriv").is_none() {
            skipped("there is no user `daemon`, or no setpriv to become it");
            return None;
        }
        Some(Self { name: "daemon".to_owned(), account: found })
    }

    /// Nothing else makes it on a machine whose own server never ran.
    fn makes_cell(&self) {
        if self.account.is_none() && rustix::process::geteuid().is_root() {
            let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(CELL);
            made.unwrap_or_else(|error| panic!("{CELL}: {error}"));
        }
    }

    /// Whether a server may run commands for this user.
    fn has_shell(&self) -> bool {
        let without = ["/nologin", "/false"];
        let shell = line_of(&self.name).and_then(|line| line.rsplit(':').next().map(str::to_owned));
        shell.is_none_or(|shell| !without.iter().any(|one| shell.ends_with(one)))
    }
}

fn own_name() -> String {
    let output = Command::new("id").arg("-un").output().expect("id starts");
    String::from_utf8(output.stdout).expect("a name").trim().to_owned()
}

/// The user and group of an account of this machine.
fn account_of(name: &str) -> Option<(u32, u32)> {
    let line = line_of(name)?;
    let mut numbers = line.split(':').skip(2).map_while(|number| number.parse().ok());
    numbers.next().zip(numbers.next())
}

fn line_of(name: &str) -> Option<String> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find(|line| line.split(':').next() == Some(name)).map(str::to_owned)
}
