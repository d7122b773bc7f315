//! Makes folders and addresses that were typed here mean the same in the
//! daemon, whose current folder is another one.

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

/// The address of a backend; a folder's path becomes absolute.
pub(crate) fn address(typed: &str) -> Result<String, Failure> {
    match typed.split_once(':') {
        Some(("folder", path)) => Ok(format!("folder:{}", absolute(path)?)),
        Some((scheme, _)) if is_scheme(scheme) => Ok(typed.to_owned()),
        // Not repeated: it may hold a password.
        _ if looks_like_a_server(typed) => {
            let message = "this looks like a server, and is no URL of one";
            let hint = "write sftp://user@host/path, or ./… for a folder of that name";
            Err(Failure::usage(message).with_hint(hint))
        }
        _ => absolute(typed),
    }
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

/// Nobody means a new folder here by `ann@nas:notes` or `sftp//nas`.
fn looks_like_a_server(typed: &str) -> bool {
    let is_path = ["/", "./", "../", "~"].iter().any(|start| typed.starts_with(start));
    !is_path && (typed.contains(['@', ':']) || typed.contains("//"))
}

fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
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
    use crate::exit::Exit;

    #[test]
    fn address_of_a_folder_becomes_absolute() {
        let here = current().expect("a folder");
        assert_eq!(address("backup").expect("read"), format!("{here}/backup"));
        assert_eq!(address("folder:./b").expect("read"), format!("folder:{here}/b"));
        assert_eq!(address("/srv/b:c").expect("read"), "/srv/b:c");
    }

    #[test]
    fn address_of_a_service_stays_as_it_is() {
        for typed in ["sftp://host/~/b", "s3://bucket/p?region=x", "drive:ID", "dropbox:/p"] {
            assert_eq!(address(typed).expect("read"), typed);
        }
    }

    #[test]
    fn address_that_may_be_a_server_makes_no_folder_and_is_not_repeated() {
        for typed in ["ann@hunter2:notes", "sftp//ann:hunter2@nas/notes", "hunter2//notes"] {
            let refused = address(typed).expect_err(typed);
            assert_eq!(refused.exit, Exit::Usage);
            assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
            let here = current().expect("a folder");
            let folder = address(&format!("./{typed}")).expect("read");
            assert!(folder.starts_with(&here), "{folder}");
        }
    }

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
