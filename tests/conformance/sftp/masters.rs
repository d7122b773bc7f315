//! Logins go by the account's own settings, whatever `ssh` could use instead.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use mirror_storage::StorageError;
use mirror_storage::adapter::sftp::{SftpAccount, SftpConnection};

use super::{all_of, in_time};
use crate::support::eventually;
use crate::support::servers::sftp::{SftpServer, Variant};

/// A connection that a person keeps open for others to join.
struct Master(Child);

impl Master {
    fn at(socket: &Path, server: &SftpServer) -> Self {
        let option = |name: &str, path: &Path| format!("-o{name}={}", path.display());
        let ssh = Command::new("ssh")
            .args(["-F", "none", "-M", "-N", "-oBatchMode=yes", "-oIdentitiesOnly=yes"])
            .arg(option("IdentityFile", &server.key()))
            .arg(option("UserKnownHostsFile", &server.known_hosts()))
            .arg(option("ControlPath", socket))
            .args(["-p", &server.port().to_string(), "-l", server.user(), "127.0.0.1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let master = Self(ssh.expect("ssh starts"));
        eventually("the master listens", || socket.exists());
        master
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn refused(account: SftpAccount) -> StorageError {
    let connection = Arc::new(SftpConnection::new(account));
    let error = in_time(connection.greet()).await.expect_err("nobody gets in");
    assert!(matches!(error, StorageError::CredentialsRefused(_)), "{}", all_of(&error));
    error
}

#[tokio::test]
async fn connection_of_a_person_is_not_joined() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let folder = tempfile::tempdir_in("/tmp").expect("a folder with a short name");
    let socket = folder.path().join("master");
    let _master = Master::at(&socket, server);
    let mut account = server.account();
    account.ssh.key_file = Some(server.other_key());
    account.ssh.ssh_options = vec![format!("ControlPath={}", socket.display())];

    let error = refused(account).await;

    assert!(all_of(&error).contains("accepts no key"), "{}", all_of(&error));
}

#[tokio::test]
async fn key_file_that_is_missing_is_named_by_its_setting() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut account = server.account();
    account.ssh.key_file = Some(folder.path().join("id"));

    let error = refused(account).await;

    let said = all_of(&error);
    assert!(said.contains("the key file (key_file) is missing or can't be read"), "{said}");
    assert!(!said.contains(folder.path().to_str().expect("UTF-8")), "{said}");
}

/// `ssh` takes the public half for the name of a key that an agent has.
#[tokio::test]
async fn key_file_of_which_only_the_public_half_is_there_is_left_to_ssh() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("id");
    let public = server.key().with_extension("pub");
    std::fs::copy(public, key.with_extension("pub")).expect("the public half");
    let mut account = server.account();
    account.ssh.key_file = Some(key);
    account.ssh.identity_agent = Some("none".to_owned());

    let error = refused(account).await;

    assert!(!all_of(&error).contains("is missing"), "{}", all_of(&error));
}
