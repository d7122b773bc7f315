//! `sftp://[user@]host[:port]/path`.
//!
//! The host may be an alias of `ssh_config` or an IPv6 address in brackets;
//! `/~/path` lies under the login's home. What ssh could take for an option, a
//! command or a question never gets past here.

use std::fmt;

use super::percent::{decoded, encoded};

const HOME: &str = "~";

/// A folder on an SFTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SftpUrl {
    pub(crate) user: Option<String>,
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// Absolute, or relative to the login's home; never the top of either.
    pub(crate) root: String,
}

/// Why a text is no SFTP server of ours. Nothing of the text is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SftpUrlError {
    #[error("an SFTP URL begins with sftp://")]
    NoSlashes,
    #[error("the URL holds a password, and passwords don't belong in URLs")]
    Password,
    #[error("the URL names no host")]
    NoHost,
    #[error("the URL's user has a character that no login has")]
    BadUser,
    #[error("the URL's host has a character that no host has")]
    BadHost,
    #[error("the URL's port is not a number from 1 to 65535")]
    BadPort,
    #[error("the URL names no folder on the server")]
    NoFolder,
    #[error("the URL's path goes up by `..`")]
    Upwards,
    #[error("the URL's path has a control character or a wrong %-encoding")]
    BadPath,
    #[error("the URL has a part behind `?` or `#`, which SFTP doesn't know")]
    Tail,
}

impl SftpUrlError {
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Password => {
                "take it out and use a key: --set key_file=~/.ssh/id_ed25519, or your ssh agent"
            }
            Self::NoFolder => {
                "name one below the server's root or below your home there, as \
                 sftp://host/srv/notes or sftp://host/~/notes"
            }
            Self::Upwards => "write the whole path, as sftp://host/srv/notes",
            Self::BadPath | Self::Tail => "write `%` as %25, `?` as %3F, `#` as %23",
            Self::BadPort => "write it as sftp://host:2222/srv/notes",
            Self::NoSlashes | Self::NoHost | Self::BadUser | Self::BadHost => {
                "write sftp://user@host/srv/notes, or sftp://host/~/notes below your home there"
            }
        }
    }
}

impl SftpUrl {
    /// Reads what follows `sftp:`.
    pub(super) fn parse(text: &str) -> Result<Self, SftpUrlError> {
        let text = text.strip_prefix("//").ok_or(SftpUrlError::NoSlashes)?;
        if text.contains(['?', '#']) {
            return Err(SftpUrlError::Tail);
        }
        let (authority, path) = text.split_once('/').unwrap_or((text, ""));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(login(user)?), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        Ok(Self { user, host, port, root: root(path)? })
    }

    /// Login, host and port as the URL has them.
    pub(crate) fn account(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{}@", encoded(user)));
        let port = self.port.map(|port| format!(":{port}"));
        let bracketed = self.host.contains(':');
        let host = if bracketed { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{}{host}{}", user.unwrap_or_default(), port.unwrap_or_default())
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

fn login(text: &str) -> Result<String, SftpUrlError> {
    if text.contains(':') {
        return Err(SftpUrlError::Password);
    }
    let user = decoded(text).ok_or(SftpUrlError::BadUser)?;
    // As ssh itself: a login may be handed to a shell by ProxyCommand.
    let odd = |letter: char| {
        letter.is_control() || letter.is_whitespace() || "'`\";&<>|(){}$\\:".contains(letter)
    };
    if user.is_empty() || user.starts_with('-') || user.contains(odd) {
        return Err(SftpUrlError::BadUser);
    }
    Ok(user)
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), SftpUrlError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or(SftpUrlError::BadHost)?;
            let port = match rest.strip_prefix(':') {
                None if !rest.is_empty() => return Err(SftpUrlError::BadHost),
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
fn name(text: &str) -> Result<&str, SftpUrlError> {
    let known = |letter: char| letter.is_alphanumeric() || "-._+".contains(letter);
    match text {
        "" => Err(SftpUrlError::NoHost),
        _ if text.starts_with('-') || !text.chars().all(known) => Err(SftpUrlError::BadHost),
        _ => Ok(text),
    }
}

/// An IPv6 address, with the zone that a link-local one needs.
fn address(text: &str) -> Result<&str, SftpUrlError> {
    let (number, zone) = text.split_once('%').unwrap_or((text, "zone"));
    let is_address = number.parse::<std::net::Ipv6Addr>().is_ok();
    let is_zone = !zone.is_empty() && zone.chars().all(|letter| letter.is_ascii_alphanumeric());
    if is_address && is_zone { Ok(text) } else { Err(SftpUrlError::BadHost) }
}

fn port_number(text: &str) -> Result<u16, SftpUrlError> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    match text.parse() {
        Ok(port @ 1..) if digits => Ok(port),
        _ => Err(SftpUrlError::BadPort),
    }
}

/// The root behind the first slash. The server's root and a home folder are
/// refused: everything in them would be the project's view.
fn root(path: &str) -> Result<String, SftpUrlError> {
    let mut parts = path.split('/').filter(|part| !matches!(*part, "" | ".")).peekable();
    let below_home = parts.next_if(|part| *part == HOME).is_some();
    let parts = parts.map(folder_name).collect::<Result<Vec<_>, _>>()?;
    match (parts.is_empty(), below_home) {
        (true, _) => Err(SftpUrlError::NoFolder),
        (false, true) => Ok(parts.join("/")),
        (false, false) => Ok(format!("/{}", parts.join("/"))),
    }
}

fn folder_name(part: &str) -> Result<String, SftpUrlError> {
    let name = decoded(part).ok_or(SftpUrlError::BadPath)?;
    match name.as_str() {
        ".." => Err(SftpUrlError::Upwards),
        "." | "" => Err(SftpUrlError::BadPath),
        _ if name.contains(|letter: char| letter.is_control() || letter == '/') => {
            Err(SftpUrlError::BadPath)
        }
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::BackendUrl;
    use super::*;

    fn parse(text: &str) -> SftpUrl {
        match BackendUrl::parse(text).unwrap() {
            BackendUrl::Sftp(url) => url,
            BackendUrl::Folder(_) => panic!("{text} is no folder"),
        }
    }

    #[track_caller]
    fn check(text: &str, canonical: &str) {
        let url = parse(text);
        assert_eq!(url.to_string(), canonical);
        assert_eq!(parse(canonical), url);
    }

    #[track_caller]
    fn check_refused(text: &str, expected: SftpUrlError) {
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
        check_refused("sftp://ann:secret@nas/a", SftpUrlError::Password);
        check_refused("sftp://ann:@nas/a", SftpUrlError::Password);
        check_refused("sftp://ann:p@ss@nas/a", SftpUrlError::Password);
        check_refused("sftp://ann%3Asecret@nas/a", SftpUrlError::BadUser);
    }

    #[test]
    fn nothing_that_ssh_would_take_for_an_option_or_a_command_is_a_name() {
        check_refused("sftp://-oProxyCommand=x/a", SftpUrlError::BadHost);
        check_refused("sftp://$(x)/a", SftpUrlError::BadHost);
        check_refused("sftp://-l@nas/a", SftpUrlError::BadUser);
        check_refused("sftp://a%60x%60@nas/a", SftpUrlError::BadUser);
        check_refused("sftp://a\nb/a", SftpUrlError::BadHost);
        check_refused("sftp://[nas]/a", SftpUrlError::BadHost);
        check_refused("sftp://[::1]x/a", SftpUrlError::BadHost);
    }

    #[test]
    fn host_port_and_folder_must_be_there() {
        check_refused("sftp:nas/a", SftpUrlError::NoSlashes);
        check_refused("sftp:///a", SftpUrlError::NoHost);
        check_refused("sftp://ann@:22/a", SftpUrlError::NoHost);
        check_refused("sftp://@nas/a", SftpUrlError::BadUser);
        for port in ["", "0", "65536", "+22", "ssh"] {
            check_refused(&format!("sftp://nas:{port}/a"), SftpUrlError::BadPort);
        }
    }

    #[test]
    fn top_of_a_server_or_a_home_is_no_folder_for_a_project() {
        for path in ["", "/", "//", "/.", "/~", "/~/", "/~/."] {
            check_refused(&format!("sftp://nas{path}"), SftpUrlError::NoFolder);
        }
    }

    #[test]
    fn path_stays_below_where_it_begins() {
        check_refused("sftp://nas/a/../b", SftpUrlError::Upwards);
        check_refused("sftp://nas/~/%2E%2e/b", SftpUrlError::Upwards);
        check_refused("sftp://nas/a%2Fb", SftpUrlError::BadPath);
        check_refused("sftp://nas/a%00b", SftpUrlError::BadPath);
        check_refused("sftp://nas/a%0Ab", SftpUrlError::BadPath);
        check_refused("sftp://nas/100%", SftpUrlError::BadPath);
        check_refused("sftp://nas/a?b", SftpUrlError::Tail);
    }
}
