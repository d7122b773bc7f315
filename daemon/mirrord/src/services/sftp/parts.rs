//! A URL in the parts that are asked for.

use super::url::{SftpUrl, port_number};
use crate::services::percent::decoded;
use crate::services::question::Answers;

pub(super) const HOST: &str = "host";
pub(super) const USER: &str = "user";
pub(super) const PORT: &str = "port";
pub(super) const PATH: &str = "path";

/// What can be told of the parts, strict about nothing.
pub(super) fn proposed(rest: &str) -> Option<Answers> {
    let (authority, path) = rest.strip_prefix("//")?.split_once('/').unwrap_or((&rest[2..], ""));
    let (user, place) = match authority.rsplit_once('@') {
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
        "" => None,
        path if path.starts_with("~/") => Some(decoded(path)?),
        path => Some(format!("/{}", decoded(path)?)),
    };
    let user = match user {
        Some(user) => Some(decoded(user)?),
        None => None,
    };
    let port = port.filter(|port| port_number(port).is_ok()).map(str::to_owned);
    let host = Some(host.to_owned()).filter(|host| !host.is_empty());
    let parts = [(HOST, host), (USER, user), (PORT, port), (PATH, path)];
    Some(parts.into_iter().filter_map(|(part, said)| Some((part.to_owned(), said?))).collect())
}

/// The URL of parts that were answered.
pub(super) fn url(answers: &Answers) -> SftpUrl {
    let part = |name: &str| answers.get(name).filter(|said| !said.is_empty());
    let path = part(PATH).map(String::as_str).unwrap_or_default();
    SftpUrl {
        user: part(USER).cloned(),
        host: part(HOST).cloned().unwrap_or_default(),
        port: part(PORT).and_then(|port| port.parse().ok()),
        root: path.strip_prefix("~/").unwrap_or(path).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The URL of these parts, which gives the same parts back.
    #[track_caller]
    fn check_parts(parts: &[(&str, &str)], expected: &str) {
        let own = |(name, said): &(&str, &str)| ((*name).to_owned(), (*said).to_owned());
        let answers: Answers = parts.iter().map(own).collect();
        assert_eq!(url(&answers).to_string(), expected);
        assert_eq!(proposed(expected.strip_prefix("sftp:").unwrap()), Some(answers));
    }

    #[test]
    fn url_has_what_was_answered_and_nothing_else() {
        check_parts(&[(HOST, "nas"), (PATH, "/srv/notes")], "sftp://nas/srv/notes");
        let all = [(HOST, "nas"), (USER, "ann@corp"), (PORT, "2222"), (PATH, "~/a b/100%")];
        check_parts(&all, "sftp://ann%40corp@nas:2222/~/a%20b/100%25");
        check_parts(&[(HOST, "fe80::1"), (PORT, "22"), (PATH, "/a")], "sftp://[fe80::1]:22/a");
        check_parts(&[(HOST, "nas"), (PATH, "/grüße?#")], "sftp://nas/grüße%3F%23");
        check_parts(&[(HOST, "nas"), (PATH, "/~/a")], "sftp://nas/%7E/a");
    }

    #[test]
    fn password_in_a_url_is_never_proposed() {
        let answers = proposed("//ann:hunter2@nas/a").unwrap();
        assert_eq!(answers.get(USER).map(String::as_str), Some("ann"));
        assert!(!format!("{answers:?}").contains("hunter2"));
    }
}
