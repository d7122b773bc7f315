//! What a person is asked for about a folder.

use std::path::Path;

use crate::services::local_path::{is_there_or_can_be, typed_path};
use crate::services::question::{Asked, Question};

pub(super) const PATH: &str = "path";

pub(super) static QUESTIONS: [Question; 1] = [Question {
    name: PATH,
    word: "folder",
    words: "Path of that folder, on a disk or a NAS mount",
    unsaid: None,
    usual: |_| None,
    check: path,
}];

fn path(typed: &str, asked: &Asked<'_>) -> Result<String, String> {
    let path = typed_path(typed, asked)?;
    match asked.may_make {
        true => is_apart(&path, asked.project)?,
        false if path.is_dir() => {}
        false => return Err("there is no such folder; is its disk mounted?".to_owned()),
    }
    path.into_os_string().into_string().map_err(|_| "its name is not valid UTF-8".to_owned())
}

fn is_apart(path: &Path, project: &Path) -> Result<(), String> {
    is_there_or_can_be(path)?;
    match path.starts_with(project) || project.starts_with(path) {
        true => Err("the project's folder and the backend's may not lie in each other".to_owned()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backend_is_a_folder_apart_from_the_project() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        let (a, b) = (root.join("a"), root.join("b"));
        let asked = |may_make, project| Asked { may_make, project, here: root, home: root };
        let check = |path: &Path, asked: Asked<'_>| super::path(path.to_str().unwrap(), &asked);

        assert!(check(&b, asked(true, &a)).is_ok());
        assert!(check(&b, asked(true, root)).unwrap_err().contains("in each other"));
        assert!(check(root, asked(true, &a)).unwrap_err().contains("in each other"));
        assert!(check(&b, asked(false, &a)).unwrap_err().contains("no such folder"));
        assert!(check(root, asked(false, &a)).is_ok());
    }
}
