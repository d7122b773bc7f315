//! Logins that fail: each says what is wrong, and nothing that is a secret.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use mirror_storage::adapter::sftp::{SftpAccount, SftpConnection};
use mirror_storage::{FaultClass, StorageError};

use super::{Place, all_of, in_time, is_of, path};
use crate::support::proxy::Proxy;
use crate::support::servers::free_port;
use crate::support::servers::sftp::{SftpServer, Variant};

/// A server that all may knock at, and a folder for what a login needs.
struct Door {
    server: &'static SftpServer,
    folder: tempfile::TempDir,
    /// Named to the person, who has to look into it.
    known_hosts: tempfile::NamedTempFile,
}

impl Door {
    fn new() -> Option<Self> {
        let server = SftpServer::shared(Variant::SftpOnly)?;
        let folder = tempfile::Builder::new().prefix("secret").tempdir().expect("a folder");
        let known_hosts = tempfile::NamedTempFile::new().expect("a file for ssh");
        Some(Self { server, folder, known_hosts })
    }

    /// The account on a machine that knows these hosts.
    fn account_knowing(&self, hosts: &str) -> SftpAccount {
        fs::write(&self.known_hosts, hosts).expect("a file for ssh");
        let mut account = self.server.account();
        account.ssh.known_hosts_file = Some(self.known_hosts.path().to_owned());
        account
    }

    /// What the server's own people say of its key.
    fn fingerprint(&self) -> String {
        let key = self.server.folder().join("host.pub");
        let said = Command::new("ssh-keygen").arg("-lf").arg(key).output().expect("ssh-keygen");
        let said = String::from_utf8(said.stdout).expect("text");
        said.split(' ').nth(1).expect("a fingerprint").to_owned()
    }

    /// Fails at the door with this class, and gives the error.
    async fn refuses(&self, account: SftpAccount, class: FaultClass) -> StorageError {
        let connection = Arc::new(SftpConnection::new(account));
        let error = in_time(connection.greet()).await.expect_err("nobody gets in");
        is_of(&error, class);
        let place = Place::over(connection, Path::new("/tmp"));
        let looked = in_time(place.backend().stat(&path("a"))).await;
        is_of(&looked.expect_err("nobody got in"), class);
        self.keeps_secrets(&error);
        error
    }

    /// Neither where keys lie nor what is in them.
    fn keeps_secrets(&self, error: &StorageError) {
        let text = all_of(error);
        let keys = ["client", "client.pub", "other.pub", "host.pub"];
        let keys =
            keys.map(|key| fs::read_to_string(self.server.folder().join(key)).expect("a key"));
        let secrets =
            keys.iter().flat_map(|key| key.split_whitespace()).filter(|word| word.len() > 20);
        let folders = [self.server.folder(), self.folder.path()];
        let folders = folders.map(|folder| folder.to_str().expect("UTF-8"));
        for secret in secrets.chain(folders).chain(["known-to-us"]) {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[tokio::test]
async fn unknown_host_key_is_a_matter_of_trust() {
    let Some(door) = Door::new() else { return };

    let error = door.refuses(door.account_knowing(""), FaultClass::Auth).await;

    assert!(error.to_string().contains(&door.fingerprint()), "{error}");
    let known = fs::read_to_string(&door.known_hosts).expect("the file");
    assert_eq!(known, "", "a key was accepted unseen");
}

#[tokio::test]
async fn changed_host_key_is_a_matter_of_trust() {
    let Some(door) = Door::new() else { return };
    let other = fs::read_to_string(door.server.other_key().with_extension("pub"));
    let line = format!("[127.0.0.1]:* {}", other.expect("a key"));

    let error = door.refuses(door.account_knowing(&line), FaultClass::Auth).await;

    assert!(error.to_string().contains(&door.fingerprint()), "{error}");
    let unknown = door.refuses(door.account_knowing(""), FaultClass::Auth).await;
    assert_ne!(all_of(&error), all_of(&unknown), "a changed key is no unknown one");
}

/// The commands of a hint, as they are shown to a person.
fn commands_of(error: &StorageError) -> Vec<String> {
    let hint = error.hint().expect("a hint");
    hint.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Runs what a person types who answers yes to all that is asked.
fn types(door: &Door, command: &str) {
    let person = door.folder.path().join("person");
    fs::write(&person, "#!/bin/sh\necho yes\n").expect("a program");
    fs::set_permissions(&person, fs::Permissions::from_mode(0o700)).expect("a mode");
    // It may end as it likes: no key of this person is let in.
    let _ended = Command::new("sh")
        .args(["-c", command])
        .env("SSH_ASKPASS", person)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
}

#[tokio::test]
async fn commands_of_the_hint_make_the_host_known() {
    let Some(door) = Door::new() else { return };
    let other = fs::read_to_string(door.server.other_key().with_extension("pub"));
    let another = format!("[127.0.0.1]:{} {}", door.server.port(), other.expect("a key"));
    for known in ["", &another] {
        let account = door.account_knowing(known);
        let error = door.refuses(account.clone(), FaultClass::Auth).await;

        for command in commands_of(&error) {
            types(&door, &command);
        }

        let greeting = in_time(SftpConnection::new(account).greet()).await;
        greeting.unwrap_or_else(|error| panic!("{known:?}: {}", all_of(&error)));
    }
}

#[tokio::test]
async fn refused_key_is_refused_credentials() {
    let Some(door) = Door::new() else { return };
    for key in [door.server.other_key(), door.folder.path().join("missing")] {
        let mut account = door.server.account();
        account.ssh.key_file = Some(key);

        let error = door.refuses(account, FaultClass::Auth).await;

        assert!(matches!(error, StorageError::CredentialsRefused(_)), "{error:?}");
    }
}

#[tokio::test]
async fn user_without_a_login_is_refused() {
    let Some(door) = Door::new() else { return };
    let mut account = door.server.account();
    account.user = Some("nobody-of-that-name".to_owned());

    door.refuses(account, FaultClass::Auth).await;
}

#[tokio::test]
async fn port_that_nobody_listens_on_is_unreachable() {
    let Some(door) = Door::new() else { return };
    let mut account = door.server.account();
    account.port = Some(free_port());

    door.refuses(account, FaultClass::Transient).await;
}

#[tokio::test]
async fn host_that_nobody_knows_is_unreachable() {
    let Some(door) = Door::new() else { return };
    let mut account = door.server.account();
    account.host = "no-such-host.invalid".to_owned();

    door.refuses(account, FaultClass::Transient).await;
}

#[tokio::test]
async fn line_that_is_reset_at_once_is_unreachable() {
    let Some(door) = Door::new() else { return };
    let proxy = Proxy::to(door.server.port());
    proxy.unplug();
    let mut account = door.server.account();
    account.port = Some(proxy.port());

    door.refuses(account, FaultClass::Transient).await;
}

/// A host that lets nobody in, after a while, and counts who knocked.
fn closed_after(wait: Duration) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let knocks = count.clone();
    std::thread::spawn(move || {
        while let Ok((lane, _)) = listener.accept() {
            knocks.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(wait);
            drop(lane);
        }
    });
    (port, count)
}

#[tokio::test]
async fn all_who_wait_for_a_try_hear_how_it_ended() {
    let Some(door) = Door::new() else { return };
    let (port, knocks) = closed_after(Duration::from_millis(500));
    let mut account = door.server.account();
    account.port = Some(port);
    let connection = SftpConnection::new(account);

    let greetings = join_all((0..5).map(|_| connection.greet())).await;

    assert!(greetings.iter().all(Result::is_err), "{greetings:?}");
    assert_eq!(knocks.load(Ordering::SeqCst), 1);
    connection.greet().await.expect_err("still closed");
    assert_eq!(knocks.load(Ordering::SeqCst), 2, "who asks later is told nothing old");
}

/// Whatever it is, the person has to look at the port.
#[tokio::test]
async fn port_of_another_service_ends_in_an_error() {
    let Some(door) = Door::new() else { return };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let mut account = door.server.account();
    account.port = Some(listener.local_addr().expect("an address").port());
    std::thread::spawn(move || {
        while let Ok((mut lane, _)) = listener.accept() {
            let page = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".repeat(100);
            // The client may be gone before the end.
            let _ = std::io::Write::write_all(&mut lane, page.as_bytes());
        }
    });

    let greeting = in_time(SftpConnection::new(account).greet()).await;

    door.keeps_secrets(&greeting.expect_err("that is no sshd"));
}

#[tokio::test]
async fn key_can_come_from_an_agent() {
    let Some(door) = Door::new() else { return };
    let socket = door.folder.path().join("agent");
    let mut agent = std::process::Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("ssh-agent starts");
    crate::support::eventually("the agent listens", || socket.exists());
    let added = std::process::Command::new("ssh-add")
        .arg("-q")
        .arg(door.server.key())
        .env("SSH_AUTH_SOCK", &socket)
        .status();
    let mut account = door.server.account();
    account.ssh.key_file = None;
    account.ssh.identity_agent = Some(socket.to_str().expect("UTF-8").to_owned());

    let greeting = in_time(SftpConnection::new(account).greet()).await;

    agent.kill().expect("the agent ends");
    agent.wait().expect("the agent has ended");
    assert!(added.expect("ssh-add starts").success());
    greeting.expect("the agent has the key");
}
