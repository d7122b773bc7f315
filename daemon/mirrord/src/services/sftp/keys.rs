//! How ssh reaches a server: the keys that stand beside an `sftp://` URL.
//!
//! Host keys are always checked and nobody is ever asked: an option that would
//! change either, or start anything but SFTP, is refused with its reason.

use std::path::{Path, PathBuf};

use mirror_storage::adapter::SshSettings;

use crate::services::key::{Key, Settings, Shape, Wrong};

pub(super) const KEY_FILE: &str = "key_file";
const KNOWN_HOSTS_FILE: &str = "known_hosts_file";
const IDENTITY_AGENT: &str = "identity_agent";
const SSH_OPTIONS: &str = "ssh_options";

/// Every key of this kind, in the order in which they are shown and written.
pub(super) static KEYS: [Key; 4] = [
    Key {
        name: KEY_FILE,
        shape: Shape::Text,
        is_secret: false,
        help: "the one key to use, instead of those that ssh would try",
        check: |path| check_path(KEY_FILE, path),
    },
    Key {
        name: KNOWN_HOSTS_FILE,
        shape: Shape::Text,
        is_secret: false,
        help: "known hosts in a file of their own",
        check: |path| check_path(KNOWN_HOSTS_FILE, path),
    },
    Key {
        name: IDENTITY_AGENT,
        shape: Shape::Text,
        is_secret: false,
        help: "the agent's socket: a path, `$A_VARIABLE`, `SSH_AUTH_SOCK`, or `none`",
        check: check_agent,
    },
    Key {
        name: SSH_OPTIONS,
        shape: Shape::List,
        is_secret: false,
        help: "any others, `Key=value`",
        check: check_option,
    },
];

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

/// As ssh takes them, `~` written out.
pub(super) fn ssh_settings(settings: &Settings, home: &Path) -> SshSettings {
    let path = |text: &str| match text.strip_prefix("~/") {
        Some(below) => home.join(below),
        None => PathBuf::from(text),
    };
    let agent = settings.text(IDENTITY_AGENT).map(path);
    SshSettings {
        key_file: settings.text(KEY_FILE).map(path),
        known_hosts_file: settings.text(KNOWN_HOSTS_FILE).map(path),
        identity_agent: agent.map(|agent| agent.to_string_lossy().into_owned()),
        ssh_options: settings.list(SSH_OPTIONS).to_vec(),
    }
}

fn check_path(key: &str, path: &str) -> Result<(), Wrong> {
    match is_path(path) {
        true => Ok(()),
        false => Err(Wrong {
            what: format!("{key} is not an absolute path"),
            fix: "write the whole path, or one below your home as ~/.ssh/…".into(),
        }),
    }
}

fn check_agent(agent: &str) -> Result<(), Wrong> {
    match is_agent(agent) {
        true => Ok(()),
        false => Err(Wrong {
            what: "identity_agent is no agent's socket".into(),
            fix: "write its whole path, SSH_AUTH_SOCK, $A_VARIABLE or none".into(),
        }),
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
        Err(Wrong { what: format!("{SSH_OPTIONS}: {what}"), fix: fix.into() })
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
    use crate::services::key::KeyValue;

    #[track_caller]
    fn check_refused(option: &str, reason: &str) {
        let wrong = check_option(option).unwrap_err();
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
        for own in ["ProxyJump=bastion", "UserKnownHostsFile=/k", "StrictHostKeyChecking=yes"] {
            assert_eq!(check_option(own), Ok(()), "{own}");
        }
    }

    #[test]
    fn paths_are_absolute_or_below_the_home_folder() {
        let [key_file, ..] = &KEYS;
        for bad in ["id_ed25519", "~ann/id"] {
            assert!((key_file.check)(bad).unwrap_err().what.starts_with(KEY_FILE), "{bad}");
        }
        for good in ["/k/id", "~/.ssh/id"] {
            assert_eq!((key_file.check)(good), Ok(()), "{good}");
        }
        let mut settings = Settings::default();
        settings.set(key_file, KeyValue::Text("~/.ssh/id".into()));
        let settings = ssh_settings(&settings, Path::new("/home/ann"));
        assert_eq!(settings.key_file.as_deref(), Some(Path::new("/home/ann/.ssh/id")));
    }

    #[test]
    fn agent_is_a_socket_a_variable_or_none() {
        for good in ["none", "SSH_AUTH_SOCK", "$MY_AGENT", "/run/agent", "~/agent.sock"] {
            assert_eq!(check_agent(good), Ok(()), "{good}");
        }
        for bad in ["agent", "$", "$(x)", "./agent"] {
            assert!(check_agent(bad).unwrap_err().what.starts_with(IDENTITY_AGENT), "{bad}");
        }
    }
}
