//! Folders of this machine that stand for shared ones, as a project's file names them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mirror_core::RelPath;
use mirror_core::patterns::MEMORY_FOLDER;
use serde::Deserialize;
use toml_edit::{DocumentMut, Item, Table};

use super::project::check_name;
use super::{Place, Problem};

/// The table that holds them.
pub(super) const MEMORY: &str = "memory";

/// One of them, by its shared name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemoryFolder {
    /// Whose memory it is: a folder that somebody works in.
    pub(crate) root: PathBuf,
    /// Where the agent keeps it, with all links followed.
    pub(crate) folder: PathBuf,
    /// Which folder that was when it was mapped.
    pub(crate) identity: String,
}

pub(crate) type MemoryFolders = BTreeMap<String, MemoryFolder>;

/// Says why no folder can stand for that name.
pub(crate) fn check_memory_name(name: &str) -> Result<(), &'static str> {
    check_name(name).map_err(|_| {
        "the name of a memory begins with a letter or digit and has at most 64 bytes, of letters, \
         digits, spaces and ._-"
    })?;
    match RelPath::new(&format!("{MEMORY_FOLDER}/{name}")) {
        Ok(_) => Ok(()),
        Err(_) => Err("some systems can't hold a folder of that name"),
    }
}

/// Each name has one folder, and each folder one name (B15).
pub(super) fn check(
    memory: &MemoryFolders,
    place_of: impl Fn(&str) -> Place,
) -> Result<(), Problem> {
    let mut names = BTreeMap::new();
    let mut folders: Vec<(&str, &Path)> = Vec::new();
    for (name, mapped) in memory {
        let wrong = |what: String| {
            let fix = "write it by `mirrorctl memory map DIR NAME`";
            Problem::with_fix(place_of(&format!("{MEMORY}.{name}")), what, fix)
        };
        check_memory_name(name).map_err(|what| wrong(what.to_owned()))?;
        for place in [&mapped.root, &mapped.folder] {
            if !place.is_absolute() {
                return Err(wrong(format!("{} is not absolute", place.display())));
            }
        }
        let path = RelPath::new(name).expect("its name was just checked");
        if let Some(other) = names.insert(path.folded(), name) {
            let what = format!("{name:?} and {other:?} are one name where case does not count");
            return Err(wrong(what));
        }
        let folder = mapped.folder.as_path();
        let meets = |other: &Path| folder.starts_with(other) || other.starts_with(folder);
        if let Some((other, _)) = folders.iter().find(|(_, other)| meets(other)) {
            let what = format!("{} is mapped to {other:?} already", folder.display());
            return Err(wrong(what));
        }
        folders.push((name, folder));
    }
    Ok(())
}

pub(super) fn write(table: &mut Table, memory: &MemoryFolders) {
    for (name, mapped) in memory {
        let folders = table.entry(MEMORY).or_insert_with(|| {
            let mut folders = Table::new();
            folders.set_implicit(true);
            Item::Table(folders)
        });
        folders[name.as_str()] = Item::Table(table_of(mapped));
    }
}

fn table_of(mapped: &MemoryFolder) -> Table {
    let mut table = Table::new();
    table["root"] = toml_edit::value(mapped.root.to_string_lossy().as_ref());
    table["folder"] = toml_edit::value(mapped.folder.to_string_lossy().as_ref());
    table["identity"] = toml_edit::value(mapped.identity.as_str());
    table
}

/// Gives a file's text with one of them mapped, or with none of that name.
pub(crate) fn with_memory(
    text: &str,
    name: &str,
    mapped: Option<&MemoryFolder>,
) -> Result<String, Problem> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let what = format!("the file to change is not TOML: {}", error.message());
        Problem::without_fix(Place::Request, what)
    })?;
    match mapped {
        Some(mapped) => {
            let one = MemoryFolders::from([(name.to_owned(), mapped.clone())]);
            write(document.as_table_mut(), &one);
        }
        None => {
            let folders = document.get_mut(MEMORY).and_then(Item::as_table_like_mut);
            let is_last = folders.is_some_and(|folders| {
                folders.remove(name);
                folders.is_empty()
            });
            if is_last {
                document.remove(MEMORY);
            }
        }
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{ProjectConfig, Source};
    use super::*;

    const BEFORE: &str = "root = \"/h\" # mine\nurl = \"/b\"\n";

    fn folder(place: &str) -> MemoryFolder {
        let (root, folder) = ("/code".into(), place.into());
        MemoryFolder { root, folder, identity: "7-1".to_owned() }
    }

    fn read(text: &str) -> Result<MemoryFolders, String> {
        let file = Path::new("/c/home.toml");
        let source = Source::parse(file, text).unwrap();
        let config = ProjectConfig::read(&source, file);
        config.map(|config| config.memory).map_err(|problem| problem.what)
    }

    fn with(text: &str, name: &str, place: &str) -> String {
        with_memory(text, name, Some(&folder(place))).unwrap()
    }

    #[test]
    fn what_was_mapped_reads_back_the_same_and_goes_without_a_trace() {
        let one = with(BEFORE, "notes", "/a");
        assert!(one.starts_with(BEFORE) && one.contains("[memory.notes]"), "{one}");
        let two = with(&one, "my work v1.2", "/b");
        let memory = read(&two).unwrap();
        assert_eq!(memory["notes"], folder("/a"));
        assert_eq!(memory["my work v1.2"], folder("/b"));
        let again = with(&two, "notes", "/c");
        assert_eq!(read(&again).unwrap()["notes"], folder("/c"));
        let left = with_memory(&again, "notes", None).unwrap();
        assert_eq!(read(&left).unwrap().len(), 1);
        assert_eq!(with_memory(&left, "my work v1.2", None).unwrap(), BEFORE);
    }

    #[test]
    fn one_folder_has_one_name_and_one_name_one_folder() {
        let refused = |name: &str, place: &str, says: &str| {
            let error = read(&with(&with(BEFORE, "notes", "/a/b"), name, place)).unwrap_err();
            assert!(error.contains(says), "{name} {place}: {error}");
        };
        refused("other", "/a/b", "mapped to \"notes\" already");
        refused("other", "/a/b/c", "already");
        refused("other", "/a", "already");
        refused("Notes", "/c", "one name");
        refused("other", "c", "not absolute");
        for name in [".notes", "a/b", "..", "a\tb", ""] {
            assert!(read(&with(BEFORE, name, "/c")).is_err(), "{name}");
        }
        assert!(read(&with(&with(BEFORE, "notes", "/a/b"), "other", "/a/bc")).is_ok());
    }

    #[test]
    fn a_mapping_says_which_folder_it_is() {
        let text = format!("{BEFORE}[memory.notes]\nroot = \"/r\"\nfolder = \"/f\"\n");
        assert!(read(&text).unwrap_err().contains("identity"));
        assert!(read(&format!("{text}identity = \"1\"\nfoldr = 1\n")).is_err());
    }
}
