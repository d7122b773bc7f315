//! The servers are what they say, and nothing is left of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{SftpServer, Variant};
use crate::support::{Outcome, eventually, processes, run};

/// OpenSSH's own client, with these commands.
fn client(server: &SftpServer, commands: &str) -> Outcome {
    let batch = server.folder().join("batch");
    fs::write(&batch, commands).expect("the commands");
    let mut sftp = Command::new("sftp");
    sftp.args(["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"])
        .arg(format!("-oUserKnownHostsFile={}", server.known_hosts().display()))
        .arg("-i")
        .arg(server.key())
        .arg("-b")
        .arg(batch)
        .args(["-P", &server.port().to_string()])
        .arg(format!("{}@127.0.0.1", server.user()));
    run(sftp)
}

fn puts(server: &SftpServer, root: &Path) -> Outcome {
    let key = server.folder().join("known_hosts");
    client(server, &format!("put {} {}/put", key.display(), root.display()))
}

#[test]
fn every_server_takes_a_file_unless_it_is_read_only() {
    for variant in [
        Variant::Stock,
        Variant::SftpOnly,
        Variant::WithoutHardlinks,
        Variant::OneSession,
        Variant::SlowShell,
        Variant::ChattyShell,
        Variant::OtherUser,
        Variant::ReadOnly,
    ] {
        let Some(server) = SftpServer::start(variant) else { continue };
        let root = server.new_root();
        let takes = variant != Variant::ReadOnly;
        let outcome = puts(&server, &root);
        assert_eq!(outcome.code == Some(0), takes, "{variant:?}: {outcome:?} {}", server.log());
        assert_eq!(root.join("put").exists(), takes, "{variant:?}");
    }
}

#[test]
fn nothing_is_left_of_a_server() {
    let Some(server) = SftpServer::start(Variant::SftpOnly) else { return };
    let (folder, port) = (server.folder().to_owned(), server.port());
    let mut sftp = Command::new("sftp");
    sftp.args(["-q", "-F", "none", "-P", &port.to_string(), "-i"])
        .arg(server.key())
        .arg(format!("-oUserKnownHostsFile={}", server.known_hosts().display()))
        .arg(format!("{}@127.0.0.1", server.user()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut sftp = sftp.spawn().expect("sftp starts");
    eventually("a session has begun", || server.session_count() == 1);
    let sessions = server.sessions();
    assert!(!sessions.is_empty());

    server.suspend();
    drop(server);

    eventually("every session is dead", || !sessions.iter().any(|pid| processes::is_running(*pid)));
    assert!(!folder.exists());
    std::net::TcpListener::bind(("127.0.0.1", port)).expect("its port is free");
    sftp.wait().expect("the client notices");
}

#[test]
fn server_comes_back_with_its_files() {
    let Some(mut server) = SftpServer::start(Variant::Stock) else { return };
    let root = server.new_root();
    puts(&server, &root).exits(0);

    server.stop();
    assert_ne!(puts(&server, &root).code, Some(0));
    server.start_again();
    puts(&server, &root).exits(0);

    server.stop();
    server.starts_again_with_another_host_key();
    let refused = puts(&server, &root);
    assert!(refused.stderr.contains("IDENTIFICATION HAS CHANGED"), "{refused:?}");
}
