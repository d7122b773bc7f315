//! `sftp://[user@]host[:port]/path`.
//!
//! The host may be an alias of `ssh_config` or an IPv6 address in brackets;
//! `/~/path` lies under the login's home. What ssh could take for an option, a
//! command or a question never gets past here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_storage::adapter::{SftpAccount, SftpBackend, SftpConnection};

use super::account::ServerAccount;
use super::keys::ssh_settings;
use crate::services::account::Account;
use crate::services::key::Settings;
use crate::services::kind::{Location, Site, Surroundings, WrongUrl};
use crate::services::percent::{decoded, encoded};

const HOME: &str = "~";

/// A folder on an SFTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SftpUrl {
    pub(super) user: Option<String>,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Absolute, or relative to the login's home; never the top of either.
    pub(super) root: String,
}

const SERVER: &str =
    "write sftp://user@host/srv/notes, or sftp://host/~/notes below your home there";
const ENCODE: &str = "write `%` as %25, `?` as %3F, `#` as %23";

const NO_SLASHES: WrongUrl =
    WrongUrl { what: "an SFTP URL begins with sftp://", fix: SERVER, about: None };
const PASSWORD: WrongUrl = WrongUrl {
    what: "the URL holds a password, and passwords don't belong in URLs",
    fix: "take it out and use a key: --set key_file=~/.ssh/id_ed25519, or your ssh agent",
    about: Some("user"),
};
const NO_HOST: WrongUrl =
    WrongUrl { what: "the URL names no host", fix: SERVER, about: Some("host") };
const BAD_USER: WrongUrl = WrongUrl {
    what: "the URL's user has a character that no login has",
    fix: SERVER,
    about: Some("user"),
};
const BAD_HOST: WrongUrl = WrongUrl {
    what: "the URL's host has a character that no host has",
    fix: SERVER,
    about: Some("host"),
};
const BAD_PORT: WrongUrl = WrongUrl {
    what: "the URL's port is not a number from 1 to 65535",
    fix: "write it as sftp://host:2222/srv/notes",
    about: Some("port"),
};
const NO_FOLDER: WrongUrl = WrongUrl {
    what: "the URL names no folder on the server",
    fix: "name one below the server's root or below your home there, as \
     sftp://host/srv/notes or sftp://host/~/notes",
    about: Some("path"),
};
const UPWARDS: WrongUrl = WrongUrl {
    what: "the URL's path goes up by `..`",
    fix: "write the whole path, as sftp://host/srv/notes",
    about: Some("path"),
};
const BAD_PATH: WrongUrl = WrongUrl {
    what: "the URL's path has a control character or a wrong %-encoding",
    fix: ENCODE,
    about: Some("path"),
};
const TAIL: WrongUrl = WrongUrl {
    what: "the URL has a part behind `?` or `#`, which SFTP doesn't know",
    fix: ENCODE,
    about: Some("path"),
};

impl SftpUrl {
    /// Reads what follows `sftp:`.
    pub(super) fn parse(text: &str) -> Result<Self, WrongUrl> {
        let text = text.strip_prefix("//").ok_or(NO_SLASHES)?;
        if text.contains(['?', '#']) {
            return Err(TAIL);
        }
        let (authority, path) = text.split_once('/').unwrap_or((text, ""));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(login(user)?), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        Ok(Self { user, host, port, root: root(path)? })
    }

    fn login(&self, settings: &Settings, home: &Path) -> SftpAccount {
        SftpAccount {
            user: self.user.clone(),
            host: self.host.clone(),
            port: self.port,
            ssh: ssh_settings(settings, home),
        }
    }

    /// Login, host and port as the URL has them.
    fn account(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{}@", encoded(user)));
        let port = self.port.map(|port| format!(":{port}"));
        let bracketed = self.host.contains(':');
        let host = if bracketed { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{}{host}{}", user.unwrap_or_default(), port.unwrap_or_default())
    }
}

impl Location for SftpUrl {
    fn site(&self) -> Site {
        Site::Account { account: self.account(), root: PathBuf::from(&self.root) }
    }

    fn open(&self, settings: &Settings, around: &Surroundings<'_>) -> Arc<dyn Account> {
        let account = self.login(settings, around.home);
        let connection = around.connections.of(&account, SftpConnection::new);
        let adapter = SftpBackend::open(connection.clone(), self.root.clone());
        Arc::new(ServerAccount { adapter: Arc::new(adapter), connection })
    }
}

impl fmt::Display for SftpUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sftp://{}", self.account())?;
        let below_home = !self.root.starts_with('/');
        if below_home {
            write!(out, "/{HOME}")?;
        }
        for (place, part) in self.root.trim_start_matches('/').split('/').enumerate() {
            if place == 0 && !below_home && part == HOME {
                out.write_str("/%7E")?;
            } else {
                write!(out, "/{}", encoded(part))?;
            }
        }
        Ok(())
    }
}

fn login(text: &str) -> Result<String, WrongUrl> {
    if text.contains(':') {
        return Err(PASSWORD);
    }
    decoded(text).filter(|user| is_login(user)).ok_or(BAD_USER)
}

pub(super) fn is_login(user: &str) -> bool {
    // As ssh itself: a login may be handed to a shell by ProxyCommand.
    let odd = |letter: char| {
        letter.is_control() || letter.is_whitespace() || "'`\";&<>|(){}$\\:".contains(letter)
    };
    !user.is_empty() && !user.starts_with('-') && !user.contains(odd)
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), WrongUrl> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or(BAD_HOST)?;
            let port = match rest.strip_prefix(':') {
                None if !rest.is_empty() => return Err(BAD_HOST),
                port => port,
            };
            (address(host)?, port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (name(host)?, Some(port)),
            None => (name(text)?, None),
        },
    };
    Ok((host.to_owned(), port.map(port_number).transpose()?))
}

/// A host name or an alias of `ssh_config`.
pub(super) fn name(text: &str) -> Result<&str, WrongUrl> {
    let known = |letter: char| letter.is_alphanumeric() || "-._+".contains(letter);
    match text {
        "" => Err(NO_HOST),
        _ if text.starts_with('-') || !text.chars().all(known) => Err(BAD_HOST),
        _ => Ok(text),
    }
}

/// An IPv6 address, with the zone that a link-local one needs.
pub(super) fn address(text: &str) -> Result<&str, WrongUrl> {
    let (number, zone) = text.split_once('%').unwrap_or((text, "zone"));
    let is_address = number.parse::<std::net::Ipv6Addr>().is_ok();
    let is_zone = !zone.is_empty() && zone.chars().all(|letter| letter.is_ascii_alphanumeric());
    if is_address && is_zone { Ok(text) } else { Err(BAD_HOST) }
}

pub(super) fn port_number(text: &str) -> Result<u16, WrongUrl> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    match text.parse() {
        Ok(port @ 1..) if digits => Ok(port),
        _ => Err(BAD_PORT),
    }
}

/// The root behind the first slash. The server's root and a home folder are
/// refused: everything in them would be the project's view.
fn root(path: &str) -> Result<String, WrongUrl> {
    let mut parts = path.split('/').filter(|part| !matches!(*part, "" | ".")).peekable();
    let below_home = parts.next_if(|part| *part == HOME).is_some();
    let parts = parts.map(folder_name).collect::<Result<Vec<_>, _>>()?;
    match (parts.is_empty(), below_home) {
        (true, _) => Err(NO_FOLDER),
        (false, true) => Ok(parts.join("/")),
        (false, false) => Ok(format!("/{}", parts.join("/"))),
    }
}

fn folder_name(part: &str) -> Result<String, WrongUrl> {
    let name = decoded(part).ok_or(BAD_PATH)?;
    match name.as_str() {
        ".." => Err(UPWARDS),
        "." | "" => Err(BAD_PATH),
        _ if name.contains(|letter: char| letter.is_control() || letter == '/') => Err(BAD_PATH),
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::key::KeyValue;

    fn parse(text: &str) -> SftpUrl {
        SftpUrl::parse(text.strip_prefix("sftp:").unwrap()).unwrap()
    }

    #[track_caller]
    fn check(text: &str, canonical: &str) {
        let url = parse(text);
        assert_eq!(url.to_string(), canonical);
        assert_eq!(parse(canonical), url);
    }

    #[track_caller]
    fn check_refused(text: &str, expected: WrongUrl) {
        assert_eq!(SftpUrl::parse(text.strip_prefix("sftp:").unwrap()), Err(expected), "{text}");
    }

    #[test]
    fn every_part_is_read() {
        let url = parse("sftp://ann@nas.example:2222/srv/notes");
        let (user, host) = (Some("ann".to_owned()), "nas.example".to_owned());
        assert_eq!(url, SftpUrl { user, host, port: Some(2222), root: "/srv/notes".into() });
        assert_eq!(parse("sftp://[fe80::1%eth0]:22/a").host, "fe80::1%eth0");
    }

    #[test]
    fn url_has_one_spelling() {
        check("sftp://nas/srv//notes/./", "sftp://nas/srv/notes");
        check("sftp://[::1]/a", "sftp://[::1]/a");
        check("sftp://ann%40corp@nas/a", "sftp://ann%40corp@nas/a");
        check("sftp://nas/a b/100%25/%C3%BC", "sftp://nas/a%20b/100%25/ü");
    }

    #[test]
    fn tilde_is_the_home_of_the_login() {
        assert_eq!(parse("sftp://nas/~/notes").root, "notes");
        check("sftp://nas/~/a/b/", "sftp://nas/~/a/b");
        assert_eq!(parse("sftp://nas/%7E/notes").root, "/~/notes");
        check("sftp://nas/%7E/notes", "sftp://nas/%7E/notes");
        check("sftp://nas/~/~", "sftp://nas/~/~");
    }

    #[test]
    fn password_is_refused() {
        check_refused("sftp://ann:secret@nas/a", PASSWORD);
        check_refused("sftp://ann:@nas/a", PASSWORD);
        check_refused("sftp://ann:p@ss@nas/a", PASSWORD);
        check_refused("sftp://ann%3Asecret@nas/a", BAD_USER);
    }

    #[test]
    fn nothing_that_ssh_would_take_for_an_option_or_a_command_is_a_name() {
        check_refused("sftp://-oProxyCommand=x/a", BAD_HOST);
        check_refused("sftp://$(x)/a", BAD_HOST);
        check_refused("sftp://-l@nas/a", BAD_USER);
        check_refused("sftp://a%60x%60@nas/a", BAD_USER);
        check_refused("sftp://a\nb/a", BAD_HOST);
        check_refused("sftp://[nas]/a", BAD_HOST);
        check_refused("sftp://[::1]x/a", BAD_HOST);
    }

    #[test]
    fn host_port_and_folder_must_be_there() {
        check_refused("sftp:nas/a", NO_SLASHES);
        check_refused("sftp:///a", NO_HOST);
        check_refused("sftp://ann@:22/a", NO_HOST);
        check_refused("sftp://@nas/a", BAD_USER);
        for port in ["", "0", "65536", "+22", "ssh"] {
            check_refused(&format!("sftp://nas:{port}/a"), BAD_PORT);
        }
    }

    #[test]
    fn top_of_a_server_or_a_home_is_no_folder_for_a_project() {
        for path in ["", "/", "//", "/.", "/~", "/~/", "/~/."] {
            check_refused(&format!("sftp://nas{path}"), NO_FOLDER);
        }
    }

    #[test]
    fn path_stays_below_where_it_begins() {
        check_refused("sftp://nas/a/../b", UPWARDS);
        check_refused("sftp://nas/~/%2E%2e/b", UPWARDS);
        check_refused("sftp://nas/a%2Fb", BAD_PATH);
        check_refused("sftp://nas/a%00b", BAD_PATH);
        check_refused("sftp://nas/a%0Ab", BAD_PATH);
        check_refused("sftp://nas/100%", BAD_PATH);
        check_refused("sftp://nas/a?b", TAIL);
    }

    #[test]
    fn other_login_port_or_key_is_another_account() {
        let login = |url: &str, settings: &Settings| parse(url).login(settings, Path::new("/h"));
        let none = Settings::default();
        let first = login("sftp://ann@nas/notes", &none);
        assert_eq!(first, login("sftp://ann@nas/work", &none));
        assert_ne!(first, login("sftp://bob@nas/notes", &none));
        assert_ne!(first, login("sftp://ann@nas:22/notes", &none));
        let mut keyed = Settings::default();
        keyed.set(&super::super::keys::KEYS[0], KeyValue::Text("~/.ssh/id".into()));
        assert_ne!(first, login("sftp://ann@nas/notes", &keyed));
    }
}
