//! `folder:/path`, or the path alone.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use mirror_storage::adapter::{FolderBackend, FolderEvents};

use super::account::FolderAccount;
use crate::path_args::absolute;
use crate::services::account::Account;
use crate::services::key::Settings;
use crate::services::kind::{Location, Site, Surroundings, WrongUrl};

/// An absolute path of this machine.
#[derive(Debug)]
pub(super) struct FolderUrl(PathBuf);

/// The account of all folders, whose events come by one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ThisMachine;

const EXAMPLE: &str = "write a folder's path, as folder:/mnt/nas/notes";

impl FolderUrl {
    pub(super) fn parse(text: &str) -> Result<Self, WrongUrl> {
        let path = Path::new(text);
        if text.is_empty() {
            return Err(WrongUrl { what: "the URL is empty", fix: EXAMPLE, about: None });
        }
        if text.contains(char::is_control) {
            let what = "the path has a character that no folder can have";
            return Err(WrongUrl { what, fix: EXAMPLE, about: Some("path") });
        }
        if !path.is_absolute() {
            let fix = "write the whole path, as folder:/mnt/nas/notes";
            return Err(WrongUrl {
                what: "this is not an absolute path",
                fix,
                about: Some("path"),
            });
        }
        let plain = path.components().filter(|part| *part != Component::CurDir);
        Ok(Self(plain.collect()))
    }
}

/// The absolute form of a path that was typed in a folder.
pub(super) fn resolve(typed: &str, here: &Path) -> Result<String, WrongUrl> {
    if typed.is_empty() {
        return Ok(String::new());
    }
    let path = absolute(here, Path::new(typed)).ok();
    path.and_then(|path| path.into_os_string().into_string().ok()).ok_or(WrongUrl {
        what: "the path leads nowhere",
        fix: "check each folder of it that `..` leaves",
        about: Some("path"),
    })
}

impl Location for FolderUrl {
    fn site(&self) -> Site {
        Site::Here(self.0.clone())
    }

    fn open(&self, _: &Settings, around: &Surroundings<'_>) -> Arc<dyn Account> {
        let events = around.connections.of(&ThisMachine, |_| FolderEvents::default());
        let adapter = FolderBackend::open_with(self.0.clone(), events);
        Arc::new(FolderAccount { adapter: Arc::new(adapter), path: self.0.clone() })
    }
}

impl fmt::Display for FolderUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "folder:{}", self.0.display())
    }
}
