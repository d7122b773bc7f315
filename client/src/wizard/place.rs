//! Where a backend is, in the parts that are asked for, and as a URL.

use std::fmt::Write;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An absolute path.
    Folder(String),
    Sftp(Account),
}

/// A folder on a server. What is absent, ssh's own configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) host: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    /// `/srv/notes`, or `~/notes` below the login's home.
    pub(super) path: String,
    /// The file of a private key.
    pub(super) key: Option<String>,
}

impl Place {
    pub(super) fn url(&self) -> String {
        match self {
            Self::Folder(path) => format!("folder:{path}"),
            Self::Sftp(account) => account.url(),
        }
    }

    /// The parts of what was typed as a URL, to propose them; the daemon alone
    /// says whether it is one.
    pub(super) fn proposed_by(url: &str) -> Option<Self> {
        match url.split_once(':') {
            Some(("sftp", rest)) => Account::proposed_by(rest.strip_prefix("//")?).map(Self::Sftp),
            Some(("folder", path)) => Some(Self::Folder(path.to_owned())),
            _ if url.starts_with('/') => Some(Self::Folder(url.to_owned())),
            _ => None,
        }
    }
}

impl Account {
    fn url(&self) -> String {
        let user = self.user.as_deref().map(|user| encoded(user, false) + "@");
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        let port = self.port.map(|port| format!(":{port}"));
        let path = match self.path.strip_prefix('/') {
            // A folder that is really called so.
            Some(path) if path == "~" || path.starts_with("~/") => {
                format!("%7E{}", encoded(&path[1..], true))
            }
            Some(path) => encoded(path, true),
            None => encoded(&self.path, true),
        };
        format!("sftp://{}{host}{}/{path}", user.unwrap_or_default(), port.unwrap_or_default())
    }

    fn proposed_by(rest: &str) -> Option<Self> {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, place) = match authority.rsplit_once('@') {
            // Never a password: what is proposed is shown.
            Some((user, place)) => (user.split(':').next(), place),
            None => (None, authority),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(address) => {
                let (host, port) = address.split_once(']')?;
                (host, port.strip_prefix(':'))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let path = match path {
            "" => String::new(),
            path if path.starts_with("~/") => decoded(path)?,
            path => format!("/{}", decoded(path)?),
        };
        Some(Self {
            host: host.to_owned(),
            user: match user {
                Some(user) => Some(decoded(user)?),
                None => None,
            },
            port: port.and_then(|port| port.parse().ok()),
            path,
            key: None,
        })
    }
}

/// Encodes what would end a part of a URL or be read as an encoding.
fn encoded(text: &str, is_path: bool) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() || "-._~!$&'()*+,=".contains(letter) || is_path && letter == '/'
        {
            shown.push(letter);
            continue;
        }
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            // Writing into a string never fails.
            let _ = write!(shown, "%{byte:02X}");
        }
    }
    shown
}

/// `None` where a `%` begins no encoding, or the bytes are no text.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The URL of these parts, which gives the same parts back.
    #[track_caller]
    fn check(host: &str, user: Option<&str>, port: Option<u16>, path: &str, expected: &str) {
        let place = Place::Sftp(Account {
            host: host.to_owned(),
            user: user.map(str::to_owned),
            port,
            path: path.to_owned(),
            key: None,
        });
        assert_eq!(place.url(), expected);
        assert_eq!(Place::proposed_by(expected), Some(place));
    }

    #[test]
    fn url_has_what_was_answered_and_nothing_else() {
        check("nas", None, None, "/srv/notes", "sftp://nas/srv/notes");
        check("nas", Some("ann"), Some(2222), "~/notes", "sftp://ann@nas:2222/~/notes");
        check("fe80::1", None, Some(22), "/a", "sftp://[fe80::1]:22/a");
    }

    #[test]
    fn what_means_something_in_a_url_is_encoded() {
        check("nas", Some("ann@corp"), None, "/a b/100%", "sftp://ann%40corp@nas/a%20b/100%25");
        check("nas", None, None, "/grüße?#", "sftp://nas/grüße%3F%23");
    }

    #[test]
    fn folder_called_tilde_is_not_the_home() {
        let account = Account { host: "nas".to_owned(), path: "/~/a".to_owned(), ..<_>::default() };
        assert_eq!(Place::Sftp(account).url(), "sftp://nas/%7E/a");
    }

    #[test]
    fn password_in_a_url_is_never_proposed() {
        let Some(Place::Sftp(account)) = Place::proposed_by("sftp://ann:hunter2@nas/a") else {
            panic!("an account");
        };
        assert_eq!(account.user.as_deref(), Some("ann"));
        assert!(!format!("{account:?}").contains("hunter2"));
    }

    #[test]
    fn folder_is_proposed_with_and_without_its_scheme() {
        let expected = Some(Place::Folder("/mnt/nas".to_owned()));
        assert_eq!(Place::proposed_by("folder:/mnt/nas"), expected);
        assert_eq!(Place::proposed_by("/mnt/nas"), expected);
        assert_eq!(Place::proposed_by("s3://bucket"), None);
    }
}
