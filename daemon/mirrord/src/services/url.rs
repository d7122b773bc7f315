//! Where a backend is, as people write it.
//!
//! Every URL has one spelling, which `Display` gives and `parse` reads back.
//! Schemes of later versions are known so that their message is not
//! "mistyped". No message repeats a URL: one may hold a password.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use mirror_storage::FaultClass;

use super::account::Account;
use super::key::Settings;
use super::kind::{Kind, Location, Site, Surroundings, WrongUrl};
use super::question::Answers;
use super::{KINDS, PLANNED, kind_of};
use crate::error::Explained;
use crate::spelling::nearest;

/// One place that stores a project's files.
#[derive(Clone, Debug)]
pub(crate) struct BackendUrl {
    kind: &'static dyn Kind,
    location: Arc<dyn Location>,
}

/// Why a text is no backend of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("{0:?} backends are not built yet: this version has {names}", names = names(" and "))]
    NotBuilt(String),
    #[error("no backend has the scheme {typed:?}")]
    UnknownScheme { typed: String, meant: Option<String> },
    #[error("this looks like a server, and is no URL of one")]
    LooksLikeAServer,
    #[error("{}", .0.what)]
    Wrong(WrongUrl),
    /// The same where all of it was taken for a path.
    #[error("{}", .0.what)]
    WrongPath(WrongUrl),
}

impl Explained for UrlError {
    fn class(&self) -> FaultClass {
        FaultClass::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotBuilt(_) => format!("use what there is, as {}", examples(&KINDS, " or ")),
            Self::UnknownScheme { meant: Some(meant), .. } => format!("did you mean {meant:?}?"),
            Self::UnknownScheme { meant: None, .. } => {
                format!("write a folder's path, as {}", examples(&KINDS, ", or "))
            }
            Self::LooksLikeAServer => {
                let servers = examples(&KINDS[1..], ", or ");
                format!("write its URL, as {servers}; or ./… for a folder of that name")
            }
            Self::Wrong(wrong) => wrong.fix.to_owned(),
            Self::WrongPath(wrong) => {
                format!("{}, or {}", wrong.fix, examples(&KINDS[1..], ", or "))
            }
        })
    }

    fn about(&self) -> Option<&'static str> {
        match self {
            Self::Wrong(wrong) | Self::WrongPath(wrong) => wrong.about,
            Self::NotBuilt(_) | Self::UnknownScheme { .. } | Self::LooksLikeAServer => None,
        }
    }
}

fn names(between: &str) -> String {
    KINDS.map(Kind::name).join(between)
}

fn examples(kinds: &[&dyn Kind], between: &str) -> String {
    kinds.iter().map(|kind| kind.example()).collect::<Vec<_>>().join(between)
}

impl BackendUrl {
    /// Reads a URL, or a path alone; neither may be relative.
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        let (kind, rest) = kind_and_rest(text)?;
        let location = kind.parse(rest).map_err(|wrong| wrong_of(kind, wrong))?;
        Ok(Self { kind, location })
    }

    /// The same for one that was typed in a folder of this machine, where
    /// relative paths begin.
    pub(crate) fn typed(text: &str, here: &Path) -> Result<Self, UrlError> {
        let is_path = scheme_of(text).is_none_or(|(scheme, _)| scheme.len() == 1);
        let (kind, rest) = match is_path {
            true if looks_like_a_server(text) => return Err(UrlError::LooksLikeAServer),
            true => (KINDS[0], text),
            false => kind_and_rest(text)?,
        };
        let located = kind.resolve(rest, here).and_then(|rest| kind.parse(&rest));
        let location = located.map_err(|wrong| wrong_of(kind, wrong))?;
        Ok(Self { kind, location })
    }

    /// What can be told of a text that may be no URL yet: its kind, and the
    /// parts of it.
    pub(crate) fn proposed(text: &str, here: &Path) -> Option<(&'static dyn Kind, Answers)> {
        let (kind, rest) = kind_and_rest(text).ok()?;
        let rest = kind.resolve(rest, here).ok()?;
        Some((kind, kind.proposed(&rest)))
    }

    /// The URL of a folder of this machine.
    pub(crate) fn of_folder(path: &Path) -> Result<Self, UrlError> {
        Self::parse(&format!("{}:{}", KINDS[0].name(), path.display()))
    }

    pub(crate) fn kind(&self) -> &'static dyn Kind {
        self.kind
    }

    pub(crate) fn site(&self) -> Site {
        self.location.site()
    }

    /// Opens it with keys that were checked; reaches nothing.
    pub(crate) fn open(&self, settings: &Settings, around: &Surroundings<'_>) -> Arc<dyn Account> {
        self.location.open(settings, around)
    }
}

impl fmt::Display for BackendUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.location.fmt(out)
    }
}

/// A place has one spelling.
impl PartialEq for BackendUrl {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for BackendUrl {}

fn kind_and_rest(text: &str) -> Result<(&'static dyn Kind, &str), UrlError> {
    let Some((scheme, rest)) = scheme_of(text) else {
        return Ok((KINDS[0], text));
    };
    match kind_of(scheme) {
        Some(kind) => Ok((kind, rest)),
        None if PLANNED.contains(&scheme) => Err(UrlError::NotBuilt(scheme.to_owned())),
        None => {
            let built = KINDS.into_iter().flat_map(|kind| kind.schemes().iter().copied());
            let meant = nearest(scheme, PLANNED.into_iter().chain(built)).map(str::to_owned);
            Err(UrlError::UnknownScheme { typed: scheme.to_owned(), meant })
        }
    }
}

fn wrong_of(kind: &dyn Kind, wrong: WrongUrl) -> UrlError {
    match kind.name() == KINDS[0].name() {
        true => UrlError::WrongPath(wrong),
        false => UrlError::Wrong(wrong),
    }
}

/// Splits `scheme:rest`; a colon further on belongs to a path.
fn scheme_of(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
    is_scheme.then_some((scheme, rest))
}

/// Nobody means a new folder here by `ann@nas:notes` or `sftp//nas`.
fn looks_like_a_server(typed: &str) -> bool {
    let is_path = ["/", "./", "../", "~"].iter().any(|start| typed.starts_with(start));
    !is_path && (typed.contains(['@', ':']) || typed.contains("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(BackendUrl::parse(text).unwrap().to_string(), expected);
    }

    #[track_caller]
    fn check_refused(text: &str, message: &str, hint: &str) {
        let error = BackendUrl::parse(text).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        let told = error.hint().unwrap_or_default();
        assert!(told.contains(hint), "{told}");
    }

    #[test]
    fn folder_is_a_path_with_or_without_its_scheme() {
        check("/mnt/nas", "folder:/mnt/nas");
        check("folder:/mnt/nas/", "folder:/mnt/nas");
        check("folder:///mnt/./nas", "folder:/mnt/nas");
        check("/mnt/a:b", "folder:/mnt/a:b");
    }

    #[test]
    fn service_of_a_later_version_is_not_called_mistyped() {
        check_refused("s3://bucket", "not built yet", "folder");
        check_refused("drive:ID", "not built yet", "sftp");
    }

    #[test]
    fn mistyped_scheme_names_the_one_that_was_meant() {
        check_refused("fodler:/mnt", "fodler", "did you mean \"folder\"?");
        check_refused("stfp://host", "stfp", "did you mean \"sftp\"?");
        check_refused("gopher://host", "gopher", "folder:/");
        check_refused("nas:/mnt/notes", "nas", "sftp://host/folder");
    }

    #[test]
    fn relative_and_empty_paths_are_refused() {
        check_refused("nas/notes", "not an absolute path", "whole path");
        check_refused("folder:nas", "not an absolute path", "whole path");
        check_refused("", "empty", "folder");
    }

    #[test]
    fn no_message_repeats_what_may_be_a_password() {
        let bad = [
            "sftp://ann:hunter2@host/notes",
            "sftp://ann:hunter2/x@host/notes",
            "sftp//ann:hunter2@host/notes",
            "ann@host:hunter2",
            "sftp://host:hunter2/notes",
        ];
        for text in bad {
            let error = BackendUrl::parse(text).unwrap_err();
            let told = format!("{error} {:?} {error:?}", error.hint());
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn path_that_was_typed_begins_where_it_was_typed() {
        let typed = |text: &str| BackendUrl::typed(text, Path::new("/here")).unwrap().to_string();
        assert_eq!(typed("backup"), "folder:/here/backup");
        assert_eq!(typed("folder:./b"), "folder:/here/b");
        assert_eq!(typed("/srv/b:c"), "folder:/srv/b:c");
        assert_eq!(typed("sftp://host/~/b"), "sftp://host/~/b");
        let refused = BackendUrl::typed("drive:ID", Path::new("/here")).unwrap_err();
        assert_eq!(refused, UrlError::NotBuilt("drive".into()));
        assert!(BackendUrl::typed("", Path::new("/here")).is_err());
    }

    #[test]
    fn path_that_may_be_a_server_makes_no_folder_and_is_not_repeated() {
        for text in ["ann@hunter2:notes", "sftp//ann:hunter2@nas/notes", "hunter2//notes"] {
            let refused = BackendUrl::typed(text, Path::new("/here")).unwrap_err();
            assert_eq!(refused, UrlError::LooksLikeAServer);
            let told = format!("{refused} {:?} {refused:?}", refused.hint());
            assert!(told.contains("sftp://host/folder") && !told.contains("hunter2"), "{told}");
            let folder = BackendUrl::typed(&format!("./{text}"), Path::new("/here")).unwrap();
            assert!(folder.site().folder().unwrap().starts_with("/here"), "{folder}");
        }
    }
}
