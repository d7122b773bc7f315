//! What a person needs to say whether a host is the right one: the key that it
//! shows, and the commands that only a person may type.
//!
//! Nothing here trusts anything: it only reads what `ssh` says of a key.

use super::super::config::{OURS, SftpAccount};
use crate::Cause;

/// A host key that nobody here vouches for, as far as `ssh` tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownKey {
    fingerprint: Option<String>,
    /// What the host is called where another key is known for it.
    name: Option<String>,
    /// The file where it is.
    file: Option<String>,
}

impl ShownKey {
    pub(crate) const UNTOLD: Self = Self { fingerprint: None, name: None, file: None };

    /// Reads what `ssh` says of a key that is not the known one.
    pub(crate) fn parse(stderr: &str) -> Self {
        let fingerprint = stderr.split_whitespace().find(|word| word.starts_with("SHA256:"));
        let name = |line: &str| {
            Some(line.strip_prefix("Host key for ")?.split_once(" has changed")?.0.to_owned())
        };
        let file = |line: &str| {
            let (_, place) = line.strip_prefix("Offending ")?.split_once(" key in ")?;
            // The number of the line comes last.
            Some(place.rsplit_once(':')?.0.to_owned())
        };
        Self {
            fingerprint: fingerprint.map(|word| word.trim_end_matches('.').to_owned()),
            name: stderr.lines().find_map(name),
            file: stderr.lines().find_map(file),
        }
    }

    /// Adds which key the host shows, from all that `ssh -v` says on its way there.
    pub(crate) fn with_fingerprint_in(self, said: &str) -> Self {
        Self { fingerprint: fingerprint_in(said), ..self }
    }

    /// Nobody here has ever said that this is the right server.
    pub(crate) fn unknown(self, account: &SftpAccount) -> Cause {
        let hint = format!(
            "by hand, run `{}`, and answer yes if the fingerprint is the server's own; the daemon \
             never accepts a key by itself",
            accept(account),
        );
        let what = format!("the host key of {} is not known here{}", account.host, self.shown());
        Cause::from(what).with_hint(hint).concerning("known_hosts_file")
    }

    /// Another server than before answers, or somebody in between.
    pub(crate) fn changed(self, account: &SftpAccount) -> Cause {
        let hint = format!(
            "ask whoever runs the server whether its key was changed; only then run `{}`, and \
             `{}` to accept the new one",
            self.forget(account),
            accept(account),
        );
        let host = &account.host;
        let shown = self.shown();
        Cause::from(format!("the host key of {host} is not the one that is known here{shown}"))
            .with_hint(hint)
    }

    fn shown(&self) -> String {
        let told = |fingerprint| format!(": it shows {fingerprint}");
        self.fingerprint.as_ref().map(told).unwrap_or_default()
    }

    fn forget(&self, account: &SftpAccount) -> String {
        let host = &account.host;
        let usual = account.port.filter(|port| *port != 22);
        let usual = usual.map_or(host.clone(), |port| format!("[{host}]:{port}"));
        let name = word(self.name.as_ref().unwrap_or(&usual));
        let file = self.file.as_ref().map(|file| format!(" -f {}", word(file)));
        format!("ssh-keygen -R {name}{}", file.unwrap_or_default())
    }
}

/// The last one: a host on the way to this one has shown its own before.
fn fingerprint_in(said: &str) -> Option<String> {
    let shown = said.lines().rev().find_map(|line| line.strip_prefix("debug1: Server host key: "));
    shown?.split_whitespace().find(|word| word.starts_with("SHA256:")).map(str::to_owned)
}

/// Reaches the host as we do, except that `ssh` shows its key and asks.
fn accept(account: &SftpAccount) -> String {
    let mut words = vec!["ssh -o StrictHostKeyChecking=ask".to_owned()];
    let file =
        account.ssh.known_hosts_file.as_ref().map(|file| known_hosts(&file.to_string_lossy()));
    let others = account.ssh.ssh_options.iter().filter(|option| !is_ours(option)).cloned();
    words.extend(file.into_iter().chain(others).map(|option| format!("-o {}", word(&option))));
    words.extend(account.port.map(|port| format!("-p {port}")));
    words.extend(account.user.iter().map(|user| format!("-l {}", word(user))));
    words.push(word(&account.host));
    words.join(" ")
}

/// `ssh` itself takes what is not in quotes for several files.
fn known_hosts(file: &str) -> String {
    match is_plain(file) {
        true => format!("UserKnownHostsFile={file}"),
        false => format!("UserKnownHostsFile=\"{file}\""),
    }
}

/// Whether an option says what our own say already, or would unsay it.
fn is_ours(option: &str) -> bool {
    let name = |option: &str| option.split('=').next().unwrap_or_default().to_lowercase();
    OURS.iter().any(|ours| name(ours) == name(option))
}

fn is_plain(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-._/:@%+=,".contains(letter);
    !text.is_empty() && text.chars().all(is_plain)
}

/// A word as every POSIX shell reads it. A path has no quotes around it, which
/// would keep the shell from reading a `~` at its beginning.
fn word(text: &str) -> String {
    match (is_plain(text), text.starts_with('/')) {
        (true, _) => text.to_owned(),
        (false, true) => {
            let escape = |letter: char| match is_plain(letter.encode_utf8(&mut [0; 4])) {
                true => letter.to_string(),
                false => format!("\\{letter}"),
            };
            text.chars().map(escape).collect()
        }
        (false, false) => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::config::SshSettings;
    use super::*;

    fn account(port: Option<u16>, known_hosts: Option<&str>, options: &[&str]) -> SftpAccount {
        let ssh = SshSettings {
            known_hosts_file: known_hosts.map(Into::into),
            ssh_options: options.iter().map(|option| (*option).to_owned()).collect(),
            ..SshSettings::default()
        };
        SftpAccount { user: Some("ann".to_owned()), host: "nas".to_owned(), port, ssh }
    }

    #[test]
    fn host_is_accepted_the_way_that_it_is_reached() {
        let ask = "ssh -o StrictHostKeyChecking=ask";
        assert_eq!(accept(&account(None, None, &[])), format!("{ask} -l ann nas"));
        assert_eq!(
            accept(&account(Some(2222), Some("/my hosts"), &["ProxyJump=gate"])),
            format!(
                "{ask} -o 'UserKnownHostsFile=\"/my hosts\"' -o ProxyJump=gate -p 2222 -l ann nas"
            ),
        );
        let options = ["stricthostkeychecking=yes", "BatchMode=yes", "Compression=yes"];
        assert_eq!(
            accept(&account(None, Some("/k"), &options)),
            format!("{ask} -o UserKnownHostsFile=/k -o Compression=yes -l ann nas"),
        );
    }

    const CHANGED: &str = "The fingerprint for the ED25519 key sent by the remote host is\n\
        SHA256:6uEBnHnI0Xz/Lw.\r\n\
        Add correct host key in /home/ann/my hosts to get rid of this message.\r\n\
        Offending ED25519 key in /home/ann/my hosts:3\r\n\
        Host key for [10.0.0.2]:2222 has changed and you have requested strict checking.\r\n";

    #[test]
    fn changed_key_is_forgotten_where_ssh_knows_the_old_one() {
        let key = ShownKey::parse(CHANGED);
        assert_eq!(key.fingerprint.as_deref(), Some("SHA256:6uEBnHnI0Xz/Lw"));
        assert_eq!(
            key.forget(&account(Some(22), None, &[])),
            "ssh-keygen -R '[10.0.0.2]:2222' -f /home/ann/my\\ hosts",
        );
    }

    #[test]
    fn host_at_another_port_has_a_name_of_its_own() {
        let forget = |port| ShownKey::UNTOLD.forget(&account(port, None, &[]));
        assert_eq!(forget(None), "ssh-keygen -R nas");
        assert_eq!(forget(Some(22)), "ssh-keygen -R nas");
        assert_eq!(forget(Some(2222)), "ssh-keygen -R '[nas]:2222'");
    }

    #[test]
    fn fingerprint_is_that_of_the_last_host_on_the_way() {
        let said = "debug1: Server host key: ssh-ed25519 SHA256:gate\r\n\
                    debug1: Host 'gate' is known and matches the ED25519 host key.\r\n\
                    debug1: Server host key: ssh-ed25519 SHA256:nas\r\n\
                    No ED25519 host key is known for nas and you have requested strict checking.\r\n";
        assert_eq!(fingerprint_in(said).as_deref(), Some("SHA256:nas"));
        assert_eq!(fingerprint_in("Server host key: ssh-ed25519 SHA256:banner\r\n"), None);
    }
}
