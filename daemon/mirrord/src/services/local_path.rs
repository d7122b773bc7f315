//! Folders and files of this machine, as a person types them.

use std::path::{Path, PathBuf};

use super::question::Asked;
use crate::path_args::absolute;

/// The absolute form of a path; `~/` is the home, as in a shell.
pub(crate) fn typed_path(typed: &str, asked: &Asked<'_>) -> Result<PathBuf, String> {
    if typed.is_empty() {
        return Err("a folder is needed".to_owned());
    }
    if typed.contains(char::is_control) {
        return Err("a path has no control characters".to_owned());
    }
    let path = match typed.strip_prefix('~') {
        Some("") => asked.home.to_owned(),
        Some(below) if below.starts_with('/') => asked.home.join(below.trim_start_matches('/')),
        _ => PathBuf::from(typed),
    };
    absolute(asked.here, &path).map_err(|error| format!("`{typed}` leads nowhere: {error}"))
}

/// A path that leads nowhere is more often a disk that is not mounted.
pub(crate) fn is_there_or_can_be(path: &Path) -> Result<(), String> {
    match (path.is_dir(), path.exists(), path.parent()) {
        (true, ..) => Ok(()),
        (false, true, _) => Err("this is not a folder".to_owned()),
        (false, false, Some(above)) if above.is_dir() => Ok(()),
        (false, false, _) => {
            Err("the folder above it is not there either; is its disk mounted?".to_owned())
        }
    }
}
