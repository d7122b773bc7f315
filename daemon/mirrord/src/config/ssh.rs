//! How ssh reaches a server: the keys that stand beside an `sftp://` URL.
//!
//! Host keys are always checked and nobody is ever asked: an option that would
//! change either, or start anything but SFTP, is refused with its reason.

use std::path::{Path, PathBuf};

use mirror_storage::adapter::SshSettings;

use super::list;

/// Every key of this kind, in the order in which they are shown and written.
pub(crate) const SSH_KEYS: [&str; 4] =
    ["key_file", "known_hosts_file", "identity_agent", "ssh_options"];

/// The one whose value is a list.
pub(super) const SSH_OPTIONS: &str = "ssh_options";

/// As a project's file has it: paths with their `~`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SshConfig {
    pub(super) key_file: Option<String>,
    pub(super) known_hosts_file: Option<String>,
    pub(super) identity_agent: Option<String>,
    pub(super) ssh_options: Vec<String>,
}

/// What is wrong with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) key: &'static str,
    pub(super) what: String,
    pub(super) fix: String,
}

/// When an option is refused.
enum When {
    Always,
    /// Any other value is.
    UnlessValue(&'static str),
    /// Only this value is.
    IfValue(&'static str),
}

const UNSEEN: &str = "host keys are never accepted unchecked";
const NOBODY: &str = "nobody is there to answer ssh";
const SFTP_ONLY: &str = "the connection is for SFTP alone";
const IN_URL: &str = "it belongs in the URL, which tells accounts apart";
const LEFT_BEHIND: &str = "ssh would go on when the daemon has ended";

/// What would break a promise, and why. Names are compared in lower case.
const REFUSED: [(&str, When, &str); 22] = [
    ("stricthostkeychecking", When::UnlessValue("yes"), UNSEEN),
    ("nohostauthenticationforlocalhost", When::UnlessValue("no"), UNSEEN),
    ("batchmode", When::UnlessValue("yes"), NOBODY),
    ("passwordauthentication", When::UnlessValue("no"), NOBODY),
    ("kbdinteractiveauthentication", When::UnlessValue("no"), NOBODY),
    ("numberofpasswordprompts", When::UnlessValue("0"), NOBODY),
    ("updatehostkeys", When::UnlessValue("no"), "nothing in ~/.ssh is changed"),
    ("addkeystoagent", When::IfValue("ask"), NOBODY),
    ("addkeystoagent", When::IfValue("confirm"), NOBODY),
    ("remotecommand", When::UnlessValue("none"), SFTP_ONLY),
    ("requesttty", When::UnlessValue("no"), SFTP_ONLY),
    ("sessiontype", When::Always, SFTP_ONLY),
    ("stdinnull", When::UnlessValue("no"), SFTP_ONLY),
    ("tunnel", When::UnlessValue("no"), SFTP_ONLY),
    ("loglevel", When::Always, "the daemon goes by what ssh says"),
    ("user", When::Always, IN_URL),
    ("port", When::Always, IN_URL),
    ("forkafterauthentication", When::UnlessValue("no"), LEFT_BEHIND),
    ("controlmaster", When::UnlessValue("no"), LEFT_BEHIND),
    ("controlpath", When::UnlessValue("none"), "a login that is shared may be another one"),
    ("controlpersist", When::UnlessValue("no"), LEFT_BEHIND),
    ("include", When::Always, "what it reads could not be checked"),
];

impl SshConfig {
    /// Says what is wrong, if anything is. An empty text stands for no setting.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        for (key, path) in
            [("key_file", &self.key_file), ("known_hosts_file", &self.known_hosts_file)]
        {
            if path.as_deref().is_some_and(|path| !is_path(path)) {
                return Err(Wrong {
                    key,
                    what: format!("{key} is not an absolute path"),
                    fix: "write the whole path, or one below your home as ~/.ssh/…".into(),
                });
            }
        }
        if self.identity_agent.as_deref().is_some_and(|agent| !is_agent(agent)) {
            return Err(Wrong {
                key: "identity_agent",
                what: "identity_agent is no agent's socket".into(),
                fix: "write its whole path, SSH_AUTH_SOCK, $A_VARIABLE or none".into(),
            });
        }
        self.ssh_options.iter().try_for_each(|option| check_option(option))
    }

    /// As ssh takes it, `~` written out.
    pub(crate) fn with_home(&self, home: &Path) -> SshSettings {
        let path = |text: &String| match text.strip_prefix("~/") {
            Some(below) => home.join(below),
            None => PathBuf::from(text),
        };
        SshSettings {
            key_file: self.key_file.as_ref().map(path),
            known_hosts_file: self.known_hosts_file.as_ref().map(path),
            identity_agent: self
                .identity_agent
                .as_ref()
                .map(|agent| path(agent).to_string_lossy().into_owned()),
            ssh_options: self.ssh_options.clone(),
        }
    }

    /// Each key that is set, with its value.
    pub(super) fn values(&self) -> impl Iterator<Item = (&'static str, toml_edit::Value)> {
        let options = (!self.ssh_options.is_empty()).then(|| list(&self.ssh_options).into());
        let text = |text: &Option<String>| text.as_deref().map(toml_edit::Value::from);
        let values = [
            text(&self.key_file),
            text(&self.known_hosts_file),
            text(&self.identity_agent),
            options,
        ];
        SSH_KEYS.into_iter().zip(values).filter_map(|(key, value)| Some((key, value?)))
    }
}

fn is_path(text: &str) -> bool {
    (text.starts_with('/') || text.starts_with("~/")) && !text.contains(char::is_control)
}

fn is_agent(text: &str) -> bool {
    let is_variable = |name: &str| {
        !name.is_empty()
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    matches!(text, "none" | "SSH_AUTH_SOCK")
        || text.strip_prefix('$').is_some_and(is_variable)
        || is_path(text)
}

fn check_option(option: &str) -> Result<(), Wrong> {
    let wrong = |what: String, fix: &str| {
        Err(Wrong { key: SSH_OPTIONS, what: format!("ssh_options: {what}"), fix: fix.into() })
    };
    let Some((name, value)) = option.split_once('=') else {
        return wrong("an option is written Key=value".into(), "write it as in ssh_config(5)");
    };
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric());
    if !is_name || value.trim().is_empty() || value.contains(char::is_control) {
        return wrong("an option is written Key=value".into(), "write it as in ssh_config(5)");
    }
    let (lower, value) = (name.to_lowercase(), value.trim().to_lowercase());
    let refused = REFUSED.iter().find(|(known, when, _)| {
        *known == lower
            && match when {
                When::Always => true,
                When::UnlessValue(allowed) => value != *allowed,
                When::IfValue(bad) => value == *bad,
            }
    });
    match refused {
        None => Ok(()),
        Some((_, _, reason)) => wrong(format!("{name} can't be set here: {reason}"), "take it out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(options: &[&str]) -> SshConfig {
        let ssh_options = options.iter().map(|option| (*option).to_owned()).collect();
        SshConfig { ssh_options, ..SshConfig::default() }
    }

    #[track_caller]
    fn check_refused(option: &str, reason: &str) {
        let wrong = options(&["ServerAliveInterval=5", option]).check().unwrap_err();
        assert_eq!(wrong.key, "ssh_options");
        assert!(wrong.what.contains(reason), "{option}: {}", wrong.what);
    }

    #[test]
    fn option_that_would_trust_an_unseen_host_is_refused() {
        for value in ["no", "accept-new", "off", "ask", "NO"] {
            check_refused(&format!("StrictHostKeyChecking={value}"), "unchecked");
        }
        check_refused("stricthostkeychecking= no ", "unchecked");
        check_refused("NoHostAuthenticationForLocalhost=yes", "unchecked");
    }

    #[test]
    fn option_that_asks_or_starts_something_else_is_refused() {
        check_refused("BatchMode=no", "nobody");
        check_refused("PasswordAuthentication=yes", "nobody");
        check_refused("RemoteCommand=ls", "SFTP alone");
        check_refused("RequestTTY=force", "SFTP alone");
        check_refused("ControlMaster=auto", "has ended");
        check_refused("ControlPath=~/.ssh/%C", "shared");
        check_refused("UpdateHostKeys=yes", "~/.ssh");
        check_refused("User=root", "in the URL");
    }

    #[test]
    fn what_is_no_option_is_refused() {
        for option in ["ProxyJump", "Proxy Jump=a", "=a", "ProxyJump=", "A=b\nC=d", "-oA=b"] {
            check_refused(option, "Key=value");
        }
    }

    #[test]
    fn other_options_are_the_users_own() {
        let own = ["ProxyJump=bastion", "UserKnownHostsFile=/k", "StrictHostKeyChecking=yes"];
        assert_eq!(options(&own).check(), Ok(()));
    }

    #[test]
    fn paths_are_absolute_or_below_the_home_folder() {
        let key = |path: &str| SshConfig { key_file: Some(path.into()), ..SshConfig::default() };
        assert_eq!(key("id_ed25519").check().unwrap_err().key, "key_file");
        assert_eq!(key("~ann/id").check().unwrap_err().key, "key_file");
        assert_eq!(key("/k/id").check(), Ok(()));
        assert_eq!(key("~/.ssh/id").check(), Ok(()));
        let settings = key("~/.ssh/id").with_home(Path::new("/home/ann"));
        assert_eq!(settings.key_file.as_deref(), Some(Path::new("/home/ann/.ssh/id")));
    }

    #[test]
    fn agent_is_a_socket_a_variable_or_none() {
        let agent =
            |agent: &str| SshConfig { identity_agent: Some(agent.into()), ..SshConfig::default() };
        for good in ["none", "SSH_AUTH_SOCK", "$MY_AGENT", "/run/agent", "~/agent.sock"] {
            assert_eq!(agent(good).check(), Ok(()), "{good}");
        }
        for bad in ["agent", "$", "$(x)", "./agent"] {
            assert_eq!(agent(bad).check().unwrap_err().key, "identity_agent", "{bad}");
        }
    }
}
