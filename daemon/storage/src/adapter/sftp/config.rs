//! Which account on which host, and the words that say so to `ssh`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// One login on one host, as the machine's own `ssh` reaches it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SftpAccount {
    /// As the user's `ssh_config` says when `None`.
    pub user: Option<String>,
    /// A name, an address, or an alias in the user's `ssh_config`.
    pub host: String,
    pub port: Option<u16>,
    pub ssh: SshSettings,
}

/// What is said to `ssh` beyond what the user's `ssh_config` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SshSettings {
    /// The one key to log in with.
    pub key_file: Option<PathBuf>,
    pub known_hosts_file: Option<PathBuf>,
    pub identity_agent: Option<String>,
    /// `Key=value`, as in `ssh -o`.
    pub ssh_options: Vec<String>,
}

/// What the account's own options can't weaken, as `ssh` takes the first value
/// that it is given. The first two keep the promise that nobody is asked
/// anything and no host key is accepted unseen; the others keep a person's
/// settings for a terminal out of our connection. A connection that they share
/// would be another login than this one, and nothing in `~/.ssh` is changed.
pub(super) const OURS: [&str; 14] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "LogLevel=ERROR",
    "ConnectTimeout=15",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    "RequestTTY=no",
    "RemoteCommand=none",
    "PermitLocalCommand=no",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ControlMaster=no",
    "ControlPath=none",
    "UpdateHostKeys=no",
];

impl SftpAccount {
    /// `user@host:port`, as far as it is said.
    pub(super) fn name(&self) -> String {
        let user = self.user.as_ref().map_or(String::new(), |user| format!("{user}@"));
        let port = self.port.map_or(String::new(), |port| format!(":{port}"));
        format!("{user}{}{port}", self.host)
    }

    /// Whether the host can be nothing but a host to `ssh`.
    pub(super) fn is_plain_host(&self) -> bool {
        let is_plain = |letter: char| !letter.is_whitespace() && !letter.is_control();
        !self.host.is_empty() && !self.host.starts_with('-') && self.host.chars().all(is_plain)
    }

    /// Whether `ssh` will find its one key, if it has to be one. It says nothing
    /// of a key that is missing, and takes the public half for the name of one
    /// that an agent has. What it expands in a path itself is left to it.
    pub(super) fn has_its_key(&self) -> bool {
        self.ssh.key_file.as_ref().is_none_or(|key| {
            let is_expanded = key.to_string_lossy().contains(['%', '$']);
            let mut public = key.clone().into_os_string();
            public.push(".pub");
            is_expanded || key.exists() || Path::new(&public).exists()
        })
    }

    /// The arguments that make `ssh` speak SFTP with the host.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        let mut option = |text: OsString| arguments.extend(["-o".into(), text]);
        for ours in OURS {
            option(ours.into());
        }
        let ssh = &self.ssh;
        if let Some(file) = &ssh.key_file {
            option("IdentitiesOnly=yes".into());
            option(quoted("IdentityFile", file.as_os_str()));
        }
        if let Some(file) = &ssh.known_hosts_file {
            option(quoted("UserKnownHostsFile", file.as_os_str()));
        }
        if let Some(agent) = &ssh.identity_agent {
            option(quoted("IdentityAgent", agent.as_ref()));
        }
        for text in &ssh.ssh_options {
            option(text.into());
        }
        if let Some(port) = self.port {
            arguments.extend(["-p".into(), port.to_string().into()]);
        }
        if let Some(user) = &self.user {
            arguments.extend(["-l".into(), user.into()]);
        }
        arguments.extend(["-s", "--", &self.host, "sftp"].map(OsString::from));
        arguments
    }
}

/// A setting whose value may hold spaces.
fn quoted(key: &str, value: &std::ffi::OsStr) -> OsString {
    let mut text = OsString::from(format!("{key}=\""));
    text.push(value);
    text.push("\"");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(host: &str) -> SftpAccount {
        SftpAccount { user: None, host: host.to_owned(), port: None, ssh: SshSettings::default() }
    }

    fn words(account: &SftpAccount) -> Vec<String> {
        account.arguments().iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn own_options_come_before_the_accounts() {
        let mut lax = account("nas");
        lax.ssh.ssh_options = vec!["StrictHostKeyChecking=no".into(), "BatchMode=no".into()];

        let words = words(&lax);

        let at = |text: &str| words.iter().position(|word| word == text).expect("it is there");
        assert!(at("StrictHostKeyChecking=yes") < at("StrictHostKeyChecking=no"));
        assert!(at("BatchMode=yes") < at("BatchMode=no"));
    }

    #[test]
    fn key_file_is_there_or_its_public_half_or_left_to_ssh() {
        let folder = tempfile::tempdir().expect("a folder");
        let has = |name: &str| {
            let mut with_key = account("nas");
            with_key.ssh.key_file = Some(folder.path().join(name));
            with_key.has_its_key()
        };
        for name in ["id", "agent.pub"] {
            std::fs::write(folder.path().join(name), "a key").expect("a file");
        }

        for name in ["id", "agent", "%u", "${KEY}"] {
            assert!(has(name), "{name}");
        }
        assert!(!has("missing"));
        assert!(account("nas").has_its_key());
    }

    #[test]
    fn settings_become_options() {
        let mut full = account("nas");
        full.user = Some("ann".into());
        full.port = Some(2222);
        full.ssh = SshSettings {
            key_file: Some("/keys/one two".into()),
            known_hosts_file: Some("/keys/hosts".into()),
            identity_agent: Some("none".into()),
            ssh_options: vec!["ProxyJump=gate".into()],
        };

        let words = words(&full).join(" ");

        let own = "-o IdentitiesOnly=yes -o IdentityFile=\"/keys/one two\" \
                   -o UserKnownHostsFile=\"/keys/hosts\" -o IdentityAgent=\"none\" \
                   -o ProxyJump=gate -p 2222 -l ann -s -- nas sftp";
        assert!(words.ends_with(own), "{words}");
        assert_eq!(full.name(), "ann@nas:2222");
    }

    #[test]
    fn host_that_could_be_an_option_is_not_plain() {
        assert!(account("nas.example").is_plain_host());
        for host in ["", "-oProxyCommand=touch", "two words", "line\nend"] {
            assert!(!account(host).is_plain_host(), "{host:?}");
        }
    }
}
