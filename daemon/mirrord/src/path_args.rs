//! Turns paths as people type them into names inside a project.
//!
//! `./a.md`, `sub/../a.md`, absolute paths and globs all become relative to the
//! project's root; what lies outside is refused by its name. The last component
//! is never resolved: a link is mirrored as a link.

use std::io;
use std::path::{Component, Path, PathBuf};

use mirror_storage::FaultClass;

use crate::error::Explained;

/// Why a typed path names nothing in the project.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("{typed:?} is outside the project, which is {root}")]
    Outside { typed: String, root: String },
    #[error("a path is empty")]
    Empty,
}

impl Explained for NameError {
    fn class(&self) -> FaultClass {
        FaultClass::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("name files of the project".into())
    }
}

/// Names inside the project at `root`, which is canonical; none when one of
/// them is the root itself, and so the whole project is meant.
///
/// Relative ones are meant from `folder` where that lies inside the project,
/// else from the root.
pub(crate) fn in_project(
    root: &Path,
    folder: &str,
    typed: &[String],
) -> Result<Vec<String>, NameError> {
    let start = inside(root, Path::new(folder)).map_or(root.to_owned(), |below| root.join(below));
    let mut names = Vec::new();
    for one in typed {
        names.push(name(root, &start, one)?);
    }
    if names.iter().any(String::is_empty) {
        names.clear();
    }
    Ok(names)
}

fn name(root: &Path, start: &Path, typed: &str) -> Result<String, NameError> {
    if typed.is_empty() {
        return Err(NameError::Empty);
    }
    let below = inside(root, &start.join(typed)).ok_or_else(|| NameError::Outside {
        typed: typed.to_owned(),
        root: root.display().to_string(),
    })?;
    Ok(below.to_string_lossy().into_owned())
}

/// `path` relative to `root`, when it lies there: as it is spelled, or once the
/// links above it are followed.
fn inside(root: &Path, path: &Path) -> Option<PathBuf> {
    if !path.is_absolute() {
        return None;
    }
    let spelled = without_dots(path);
    let below = |path: &Path| path.strip_prefix(root).ok().map(Path::to_owned);
    below(&spelled)
        .or_else(|| {
            below(&spelled.canonicalize().ok()?).filter(|below| below.as_os_str().is_empty())
        })
        .or_else(|| {
            let last = spelled.file_name()?;
            below(&resolved(spelled.parent()?).join(last))
        })
}

/// Follows links in the part of a path that exists.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            let rest = path.strip_prefix(ancestor).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path.to_owned()
}

/// The absolute form of a path that was typed in `here`. `..` leaves the folder
/// that a link leads to, so only the disk can say where it goes; what comes
/// after it need not exist.
pub(crate) fn absolute(here: &Path, typed: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(here.join(typed))?;
    let parts: Vec<_> = path.components().collect();
    let Some(last) = parts.iter().rposition(|part| *part == Component::ParentDir) else {
        return Ok(path);
    };
    let (above, below) = parts.split_at(last + 1);
    let above = above.iter().collect::<PathBuf>().canonicalize()?;
    Ok(above.join(below.iter().collect::<PathBuf>()))
}

/// Takes `.` and `..` out of an absolute path by its spelling alone.
pub(crate) fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    struct Place {
        _all: tempfile::TempDir,
        all: PathBuf,
        root: PathBuf,
    }

    /// A project `notes` with a folder `sub`, and a link `short` to it.
    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let all = dir.path().canonicalize().unwrap();
        let root = all.join("notes");
        fs::create_dir_all(root.join("sub")).unwrap();
        symlink(&root, all.join("short")).unwrap();
        Place { _all: dir, all, root }
    }

    impl Place {
        #[track_caller]
        fn check(&self, folder: &str, typed: &str, expected: &str) {
            let folder = self.all.join(folder).display().to_string();
            let typed = typed.replace("ALL", &self.all.display().to_string());
            let names = in_project(&self.root, &folder, std::slice::from_ref(&typed)).unwrap();
            let expected: Vec<&str> =
                Some(expected).filter(|name| !name.is_empty()).into_iter().collect();
            assert_eq!(names, expected, "{typed} from {folder}");
        }
    }

    #[test]
    fn typed_paths_become_names_inside_the_project() {
        let place = place();
        place.check("notes", "./a.md", "a.md");
        place.check("notes/sub", "a.md", "sub/a.md");
        place.check("notes/sub", "../b.md", "b.md");
        place.check("notes/sub", "*.md", "sub/*.md");
        place.check("notes", "ALL/notes/sub/gone.md", "sub/gone.md");
        place.check("notes", "sub/", "sub");
    }

    #[test]
    fn root_means_the_whole_project() {
        let place = place();
        place.check("notes", ".", "");
        place.check("notes/sub", "..", "");
        place.check("notes", "ALL/short", "");
    }

    #[test]
    fn links_above_the_project_are_followed() {
        let place = place();
        place.check("short/sub", "a.md", "sub/a.md");
        place.check("notes", "ALL/short/new/a.md", "new/a.md");
    }

    #[test]
    fn link_inside_the_project_is_named_as_itself() {
        let place = place();
        symlink("/etc/hosts", place.root.join("link")).unwrap();
        place.check("notes", "link", "link");
    }

    #[test]
    fn relative_path_from_elsewhere_is_meant_from_the_root() {
        place().check("", "sub/a.md", "sub/a.md");
    }

    #[test]
    fn way_up_follows_the_disk() {
        let place = place();
        symlink(place.root.join("sub"), place.all.join("deep")).unwrap();
        let way_up = Path::new("deep/../new");
        assert_eq!(absolute(&place.all, way_up).unwrap(), place.root.join("new"));
        assert_eq!(absolute(&place.all, Path::new("a/./b/")).unwrap(), place.all.join("a/b"));
    }

    #[test]
    fn path_outside_the_project_is_refused_by_name() {
        let place = place();
        for typed in ["../other.md", "/etc/passwd"] {
            let folder = place.root.display().to_string();
            let refused = in_project(&place.root, &folder, &[typed.to_owned()]);
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains(typed) && refused.contains("outside"), "{refused}");
        }
    }
}
