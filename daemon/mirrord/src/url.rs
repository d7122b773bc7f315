//! Where a backend is, as people write it.
//!
//! A folder is the only kind of this version; the other schemes are known so
//! that their message is not "mistyped".

use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::config::nearest;

/// Schemes of services whose adapters are not here yet.
const PLANNED: [&str; 10] =
    ["sftp", "s3", "webdavs", "webdav", "ftps", "ftp", "smb", "drive", "dropbox", "onedrive"];

/// One place that stores a project's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BackendUrl {
    /// An absolute path of this machine: a disk or a mounted share.
    Folder(PathBuf),
}

/// Why a text is no backend of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("the URL is empty")]
    Empty,
    #[error("{0:?} is not an absolute path")]
    Relative(String),
    #[error("{0:?} backends are not built yet: this version has folder only")]
    NotBuilt(String),
    #[error("no backend has the scheme {typed:?}")]
    UnknownScheme { typed: String, meant: Option<String> },
    #[error("the path has a character that no folder can have")]
    BadPath,
}

impl UrlError {
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Relative(_) => "write the whole path, as folder:/mnt/nas/notes".into(),
            Self::NotBuilt(_) => "use a folder, as folder:/mnt/nas/notes".into(),
            Self::UnknownScheme { meant: Some(meant), .. } => format!("did you mean {meant:?}?"),
            Self::Empty | Self::BadPath | Self::UnknownScheme { meant: None, .. } => {
                "write a folder's path, as folder:/mnt/nas/notes".into()
            }
        }
    }
}

impl BackendUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        match scheme_of(text) {
            Some(("folder", path)) => folder(path),
            Some((scheme, _)) if PLANNED.contains(&scheme) => {
                Err(UrlError::NotBuilt(scheme.to_owned()))
            }
            Some((scheme, _)) => Err(UrlError::UnknownScheme {
                typed: scheme.to_owned(),
                meant: nearest(scheme, PLANNED.into_iter().chain(["folder"])).map(str::to_owned),
            }),
            None => folder(text),
        }
    }

    /// The folder of this machine that the backend uses, if it is one.
    #[expect(clippy::unnecessary_wraps, reason = "most services are no folder here")]
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
        }
    }
}

impl fmt::Display for BackendUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(out, "folder:{}", path.display()),
        }
    }
}

/// Splits `scheme:rest`; a colon further on belongs to a path.
fn scheme_of(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
    is_scheme.then_some((scheme, rest))
}

fn folder(text: &str) -> Result<BackendUrl, UrlError> {
    let path = Path::new(text);
    if text.is_empty() {
        return Err(UrlError::Empty);
    }
    if text.contains(char::is_control) {
        return Err(UrlError::BadPath);
    }
    if !path.is_absolute() {
        return Err(UrlError::Relative(text.to_owned()));
    }
    let plain = path.components().filter(|part| *part != Component::CurDir);
    Ok(BackendUrl::Folder(plain.collect()))
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
        assert!(error.hint().contains(hint), "{}", error.hint());
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
        check_refused("sftp://host/x", "not built yet", "folder");
        check_refused("s3://bucket", "not built yet", "folder");
    }

    #[test]
    fn mistyped_scheme_names_the_one_that_was_meant() {
        check_refused("fodler:/mnt", "fodler", "did you mean \"folder\"?");
        check_refused("stfp://host", "stfp", "did you mean \"sftp\"?");
        check_refused("gopher://host", "gopher", "folder:/");
    }

    #[test]
    fn relative_and_empty_paths_are_refused() {
        check_refused("nas/notes", "not an absolute path", "whole path");
        check_refused("folder:nas", "not an absolute path", "whole path");
        check_refused("", "empty", "folder");
    }
}
