//! The files that an sshd of our own is started with.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Login, Variant};

/// Where systems keep the server that sshd starts for SFTP.
const SFTP_SERVERS: [&str; 4] = [
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
];

/// Writes what the server needs into its folder, once.
pub(super) fn write(folder: &Path, port: u16, variant: Variant, login: &Login) {
    let text = sshd_config(folder, port, variant);
    fs::write(folder.join("sshd_config"), text).expect("the configuration is written");
    if let Some(script) = shell(variant) {
        let path = folder.join("shell");
        fs::write(&path, script).expect("the script is written");
        set_mode(&path, 0o755);
    }
    for key in ["host", "client", "other"].iter().filter(|key| !folder.join(key).exists()) {
        make_key(&folder.join(key));
    }
    if let Some((user, group)) = login.account {
        // It reads its key and keeps its files, and nothing else here is its.
        chown(folder.join("host"), Some(user), Some(group)).expect("the key is given away");
        chown(folder.join("run"), Some(user), Some(group)).expect("the folder is given away");
    }
}

fn make_key(path: &Path) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status();
    assert!(status.expect("ssh-keygen starts").success(), "no key at {}", path.display());
}

fn sshd_config(folder: &Path, port: u16, variant: Variant) -> String {
    let folder = folder.display();
    let mut text = format!(
        "ListenAddress 127.0.0.1\n\
         Port {port}\n\
         HostKey {folder}/host\n\
         PidFile {folder}/run/pid\n\
         AuthorizedKeysFile {folder}/client.pub\n\
         StrictModes no\n\
         UsePAM no\n\
         PasswordAuthentication no\n\
         KbdInteractiveAuthentication no\n\
         PermitRootLogin prohibit-password\n\
         UseDNS no\n\
         PrintMotd no\n\
         LogLevel VERBOSE\n\
         MaxStartups 200:30:400\n"
    );
    if version() >= (9, 8) {
        // From then on it shuts out whoever failed to log in, that is, all tests.
        text += "PerSourcePenalties no\n";
    }
    text + &match variant {
        Variant::Stock => "Subsystem sftp internal-sftp\n".to_owned(),
        Variant::SftpOnly | Variant::OtherUser => {
            "Subsystem sftp internal-sftp\nForceCommand internal-sftp\n".to_owned()
        }
        Variant::WithoutHardlinks => "Subsystem sftp internal-sftp -P hardlink\n".to_owned(),
        Variant::ReadOnly => "Subsystem sftp internal-sftp -R\n".to_owned(),
        Variant::OneSession => "Subsystem sftp internal-sftp\nMaxSessions 1\n".to_owned(),
        Variant::SlowShell | Variant::ChattyShell | Variant::NoisyShell => {
            format!("Subsystem sftp unused\nForceCommand {folder}/shell\n")
        }
    }
}

/// What stands in the place of a login shell.
pub(super) fn shell(variant: Variant) -> Option<String> {
    let beginning = match variant {
        Variant::SlowShell => "sleep 1",
        Variant::ChattyShell => "echo 'Welcome to this machine' >&2",
        Variant::NoisyShell => "echo 'Welcome to this machine'",
        _ => return None,
    };
    let server = sftp_server().expect("looked for before");
    Some(format!("#!/bin/sh\n{beginning}\nexec {}\n", server.display()))
}

pub(super) fn sftp_server() -> Option<PathBuf> {
    SFTP_SERVERS.iter().map(PathBuf::from).find(|server| server.is_file())
}

/// What `ssh -V` says: `OpenSSH_9.2p1 Debian-2`.
fn version() -> (u32, u32) {
    let output = Command::new("ssh").arg("-V").output().expect("ssh starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut numbers = text
        .trim_start_matches(|letter: char| !letter.is_ascii_digit())
        .split(|letter: char| !letter.is_ascii_digit())
        .map_while(|number| number.parse().ok());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

pub(super) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode is set");
}
