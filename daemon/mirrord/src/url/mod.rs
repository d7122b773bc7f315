//! Where a backend is, as people write it.
//!
//! Every URL has one spelling, which `Display` gives and `parse` reads back.
//! Schemes of later versions are known so that their message is not
//! "mistyped". No message repeats a URL: one may hold a password.

mod percent;
mod sftp;

use std::fmt;
use std::path::{Component, Path, PathBuf};

pub(crate) use sftp::{SftpUrl, SftpUrlError};

use crate::spelling::nearest;

/// Schemes of services whose adapters are not here yet.
const PLANNED: [&str; 9] =
    ["s3", "webdavs", "webdav", "ftps", "ftp", "smb", "drive", "dropbox", "onedrive"];

/// Schemes of services that are.
const BUILT: [&str; 2] = ["folder", "sftp"];

/// One place that stores a project's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BackendUrl {
    /// An absolute path of this machine: a disk or a mounted share.
    Folder(PathBuf),
    Sftp(SftpUrl),
}

/// Why a text is no backend of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("the URL is empty")]
    Empty,
    #[error("this is not an absolute path")]
    Relative,
    #[error("{0:?} backends are not built yet: this version has folder and sftp")]
    NotBuilt(String),
    #[error("no backend has the scheme {typed:?}")]
    UnknownScheme { typed: String, meant: Option<String> },
    #[error("the path has a character that no folder can have")]
    BadPath,
    #[error(transparent)]
    Sftp(#[from] SftpUrlError),
}

impl UrlError {
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Relative => {
                "write the whole path, as folder:/mnt/nas/notes, or sftp://host/folder".into()
            }
            Self::NotBuilt(_) => {
                "use a folder or an SFTP server, as folder:/mnt/nas/notes or sftp://host/folder"
                    .into()
            }
            Self::UnknownScheme { meant: Some(meant), .. } => format!("did you mean {meant:?}?"),
            Self::Empty | Self::BadPath | Self::UnknownScheme { meant: None, .. } => {
                "write a folder's path, as folder:/mnt/nas/notes, or sftp://host/folder".into()
            }
            Self::Sftp(error) => error.hint().to_owned(),
        }
    }
}

impl BackendUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, UrlError> {
        match scheme_of(text) {
            Some(("folder", path)) => folder(path),
            Some(("sftp", rest)) => Ok(Self::Sftp(SftpUrl::parse(rest)?)),
            Some((scheme, _)) if PLANNED.contains(&scheme) => {
                Err(UrlError::NotBuilt(scheme.to_owned()))
            }
            Some((scheme, _)) => Err(UrlError::UnknownScheme {
                typed: scheme.to_owned(),
                meant: nearest(scheme, PLANNED.into_iter().chain(BUILT)).map(str::to_owned),
            }),
            None => folder(text),
        }
    }

    /// The folder of this machine that the backend uses, if it is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::Sftp(_) => None,
        }
    }

    pub(crate) fn scheme(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Sftp(_) => "sftp",
        }
    }
}

impl fmt::Display for BackendUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(out, "folder:{}", path.display()),
            Self::Sftp(url) => url.fmt(out),
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
        return Err(UrlError::Relative);
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
            assert!(!format!("{error} {} {error:?}", error.hint()).contains("hunter2"), "{error}");
        }
    }
}
