//! Whether git is at work in a repository.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use mirror_core::RelPath;

use super::LocalTree;

/// What stands in git's folder while it changes the working tree, or waits for a
/// person half-way.
const SIGNS: [&str; 6] =
    ["index.lock", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"];

/// A file that names git's folder is shorter.
const LONGEST: u64 = 8_192;

impl LocalTree {
    pub(super) fn git_at_work(&self, folder: Option<&RelPath>) -> bool {
        let root = self.root.path();
        let found = match folder {
            Some(folder) => git_folder(&root.join(folder.as_str())),
            None => root.ancestors().find_map(git_folder),
        };
        found.is_some_and(|git| SIGNS.iter().any(|sign| exists(&git.join(sign))))
    }
}

/// Git's own folder of the working tree that begins here.
fn git_folder(tree: &Path) -> Option<PathBuf> {
    let git = tree.join(".git");
    let kind = fs::symlink_metadata(&git).ok()?;
    if !kind.is_file() {
        return Some(git);
    }
    // Of a worktree or a submodule: it lies elsewhere.
    let mut text = String::new();
    File::open(&git).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(tree.join(text.strip_prefix("gitdir:")?.trim()))
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::Tree as _;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    #[test]
    fn git_is_at_work_while_it_holds_its_index_or_a_rebase_is_open() {
        let home = tempfile::tempdir().unwrap();
        let git = home.path().join("code/.git");
        fs::create_dir_all(&git).unwrap();
        fs::create_dir(home.path().join("code/notes")).unwrap();
        let tree = LocalTree::open(home.path().to_owned());
        let below = LocalTree::open(home.path().join("code/notes"));
        assert!(!tree.is_git_at_work(Some(&path("code"))) && !below.is_git_at_work(None));

        fs::write(git.join("index.lock"), "").unwrap();
        assert!(tree.is_git_at_work(Some(&path("code"))) && below.is_git_at_work(None));
        assert!(!tree.is_git_at_work(None), "another folder's repository");
        assert!(!tree.is_git_at_work(Some(&path("code/notes"))));

        fs::remove_file(git.join("index.lock")).unwrap();
        fs::create_dir(git.join("rebase-merge")).unwrap();
        assert!(tree.is_git_at_work(Some(&path("code"))));
    }

    #[test]
    fn worktree_names_where_its_git_folder_lies() {
        let home = tempfile::tempdir().unwrap();
        let git = home.path().join("main/.git/worktrees/side");
        fs::create_dir_all(&git).unwrap();
        let side = home.path().join("side");
        fs::create_dir(&side).unwrap();
        fs::write(side.join(".git"), format!("gitdir: {}\n", git.display())).unwrap();
        let tree = LocalTree::open(side);
        assert!(!tree.is_git_at_work(None));

        fs::write(git.join("MERGE_HEAD"), "0").unwrap();
        assert!(tree.is_git_at_work(None));
    }
}
