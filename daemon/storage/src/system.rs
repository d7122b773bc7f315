//! What systems and NAS software keep among people's files.
//!
//! Nothing of it is anybody's writing: a listing of the view enters no such folder,
//! and nobody has to be able to read it. What a project itself has under such a
//! name is looked at all the same, by its path.

use crate::RemotePath;

/// Names of their own, letter case ignored.
const NAMES: [&str; 20] = [
    "lost+found",
    "#recycle",
    "@recycle",
    "@recently-snapshot",
    "@eadir",
    "#snapshot",
    "@snapshot",
    ".snapshot",
    ".snapshots",
    ".zfs",
    "~snapshot",
    "$recycle.bin",
    "system volume information",
    "recycler",
    ".ds_store",
    ".spotlight-v100",
    ".fseventsd",
    ".trashes",
    ".temporaryitems",
    "thumbs.db",
];

/// How the others begin.
const BEGINNINGS: [&str; 4] = [".trash-", "._", ".nfs", ".fuse_hidden"];

/// Whether a file or folder of this name is a system's.
#[must_use]
pub fn is_system_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str())
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning) && name != *beginning)
}

/// Whether a path lies in one, or is one.
#[must_use]
pub fn is_system_path(path: &str) -> bool {
    path.split('/').any(is_system_name)
}

/// Whether a path lies in a folder of a system's, which no listing enters.
#[must_use]
pub fn is_in_system_folder(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folders, _)| is_system_path(folders))
}

/// Whether a listing leaves a folder out that it meets.
pub(crate) fn is_passed_over(folder: &RemotePath) -> bool {
    !folder.is_ours() && is_system_name(folder.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_systems_are_told_from_those_of_people() {
        for system in [
            "lost+found",
            ".Trash-0",
            ".Trash-1000",
            "#recycle",
            "@eaDir",
            ".snapshot",
            "System Volume Information",
            "$RECYCLE.BIN",
            "._notes.md",
            ".DS_Store",
            ".nfs000000012",
        ] {
            assert!(is_system_path(&format!("docs/{system}/a.md")), "{system}");
        }
        assert!(is_in_system_folder("docs/.snapshots/a/b.md"));
        assert!(!is_in_system_folder("docs/.snapshots") && !is_in_system_folder("._a.md"));
        for plain in ["lost", "found.md", ".trash", "._", "recycle", "snapshot.md", "a._b", ".nfs"]
        {
            assert!(!is_system_path(&format!("docs/{plain}")), "{plain}");
        }
    }

    /// Another implementation has to pass over the same.
    #[test]
    fn names_stand_in_the_format() {
        let format = include_str!("../../../docs/formats.md").to_ascii_lowercase();
        let (_, table) = format.split_once("### names of systems").expect("there is a table");
        let (table, _) = table.split_once("\n## ").expect("and something behind it");
        let named = table.split('`').skip(1).step_by(2).count();
        assert_eq!(named, NAMES.len() + BEGINNINGS.len());
        for name in NAMES.iter().chain(&BEGINNINGS) {
            assert!(table.contains(&format!("`{name}`")), "{name}");
        }
    }
}
