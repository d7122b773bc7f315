//! Makes folders that were typed here mean the same in the daemon, whose current
//! folder is another one.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;

/// The absolute form of a path that was typed.
pub(crate) fn absolute(typed: &str) -> Result<String, Failure> {
    let path = resolve(Path::new(typed))
        .map_err(|error| Failure::usage(format!("`{typed}` leads nowhere: {error}")))?;
    text(path)
}

/// The current folder.
pub(crate) fn current() -> Result<String, Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("there is no current folder: {error}")))?;
    text(folder)
}

/// The folder in which Claude Code keeps its configuration.
pub(crate) fn claude_home() -> Result<String, Failure> {
    let moved = std::env::var_os("CLAUDE_CONFIG_DIR").filter(|folder| !folder.is_empty());
    let usual = || std::env::home_dir().map(|home| home.join(".claude"));
    let folder = moved.map(PathBuf::from).or_else(usual);
    text(folder.ok_or_else(|| Failure::usage("there is no home folder; name the folder"))?)
}

/// Whether a folder is, or lies inside, another; links are followed.
pub(crate) fn contains(root: &str, folder: &str) -> bool {
    let [root, folder] = [root, folder].map(Path::new);
    folder.starts_with(root) || root.canonicalize().is_ok_and(|root| folder.starts_with(root))
}

/// A path as messages name it: the home folder's own name is nobody's business.
pub(crate) fn shown(path: &Path) -> String {
    let home = std::env::home_dir().filter(|home| home.components().count() > 1);
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(below) => Path::new("~").join(below).display().to_string(),
        None => path.display().to_string(),
    }
}

fn text(path: PathBuf) -> Result<String, Failure> {
    path.into_os_string().into_string().map_err(|path| {
        Failure::usage(format!("the name of {} is not valid UTF-8", Path::new(&path).display()))
    })
}

/// `..` leaves the folder that a link leads to, so only the disk can say where
/// it goes; what comes after it need not exist.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let parts: Vec<_> = path.components().collect();
    let is_up = |part: &Component<'_>| *part == Component::ParentDir;
    match parts.iter().rposition(is_up) {
        None => Ok(path),
        Some(last) => {
            let (above, below) = parts.split_at(last + 1);
            let above = above.iter().collect::<PathBuf>().canonicalize()?;
            Ok(above.join(below.iter().collect::<PathBuf>()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn way_up_follows_the_disk() {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path().canonicalize().expect("there");
        std::fs::create_dir_all(root.join("far/deep")).expect("made");
        std::os::unix::fs::symlink(root.join("far/deep"), root.join("link")).expect("linked");

        let found = absolute(&root.join("link/../new").display().to_string());

        assert_eq!(found.expect("read"), root.join("far/new").display().to_string());
    }
}
