//! The one writer of configuration: whole files, comments kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use mirror_core::Ulid;
use toml_edit::{DocumentMut, Item, Table, Value};

use super::{Place, Problem};

/// Writes a file for this user alone. After a crash it is the old or the new one.
pub(crate) fn write_private(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let temp = folder.join(format!(".{}.tmp", Ulid::generate()));
    let written = write_new(&temp, text)
        .and_then(|()| fs::rename(&temp, file))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // The file that matters is untouched; a left-over is only untidy.
        drop(fs::remove_file(&temp));
    }
    written
}

/// The same for a file that must not be there yet, not even as a link.
pub(crate) fn create_private(file: &Path, text: &str) -> io::Result<()> {
    write_new(file, "")?;
    let written = write_private(file, text);
    if written.is_err() {
        drop(fs::remove_file(file));
    }
    written
}

/// The same for a file that may be a link, which stays: what it leads to is written.
pub(crate) fn write_through(file: &Path, text: &str) -> io::Result<()> {
    let real = fs::canonicalize(file);
    write_private(real.as_deref().unwrap_or(file), text)
}

fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Reads a value as it was typed: TOML, or else a bare word.
pub(crate) fn typed_value(text: &str) -> Value {
    let text = text.trim();
    text.parse().unwrap_or_else(|_| Value::from(text))
}

/// Gives `text` with `key` set, everything else as it was.
pub(crate) fn with_setting(text: &str, key: &str, value: Value) -> Result<String, Problem> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| Problem {
            place: Place::Request,
            what: format!("the file to change is not TOML: {}", error.message()),
            fix: None,
        })?;
    let mut table = document.as_table_mut();
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let item = table.entry(part).or_insert_with(|| Item::Table(Table::new()));
        table = item.as_table_mut().ok_or_else(|| Problem {
            place: Place::Request,
            what: format!("{part} is not written as a table [{part}]"),
            fix: Some(format!("write [{part}] on a line of its own")),
        })?;
    }
    place_value(table, last, value);
    Ok(document.to_string())
}

/// A comment behind a value belongs to the value's own decor.
fn place_value(table: &mut Table, key: &str, mut value: Value) {
    if let Some(old) = table.get_mut(key).and_then(Item::as_value_mut) {
        *value.decor_mut() = old.decor().clone();
        *old = value;
    } else {
        value.decor_mut().clear();
        table.insert(key, Item::Value(value));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn comments_and_order_stay_when_a_setting_changes() {
        let before = "# mine\nurl = \"/a\" # the NAS\nroot = \"/b\"\n\n# why\npoll_interval = 30\n";
        let after = with_setting(before, "url", typed_value("/c")).unwrap();
        assert_eq!(after, before.replace("/a", "/c"));
    }

    #[test]
    fn new_setting_of_a_table_makes_the_table() {
        let text = with_setting("user = \"ann\"\n", "log.level", typed_value("debug")).unwrap();
        assert_eq!(text, "user = \"ann\"\n\n[log]\nlevel = \"debug\"\n");
    }

    #[test]
    fn value_is_toml_or_a_bare_word() {
        assert_eq!(typed_value("30").as_integer(), Some(30));
        assert_eq!(typed_value("laptop").as_str(), Some("laptop"));
        assert_eq!(typed_value("\"42\"").as_str(), Some("42"));
        assert_eq!(typed_value("[\"a\", \"b\"]").as_array().map(toml_edit::Array::len), Some(2));
        assert_eq!(typed_value("/a b/c").as_str(), Some("/a b/c"));
    }

    #[test]
    fn file_is_replaced_whole_and_is_private() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("mirrord.toml");
        fs::write(&file, "old").unwrap();

        write_private(&file, "new").unwrap();

        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn file_of_somebody_else_is_not_created_over() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("notes.toml");

        create_private(&file, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");

        let refused = create_private(&file, "newer").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn link_stays_and_its_target_is_written() {
        let place = tempfile::tempdir().unwrap();
        let (file, target) = (place.path().join("mirrord.toml"), place.path().join("dotfile"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink("dotfile", &file).unwrap();

        write_through(&file, "new").unwrap();

        assert!(file.is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    }

    #[test]
    fn failed_write_leaves_no_file_behind() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("folder");
        fs::create_dir(&target).unwrap();

        assert!(write_private(&target, "new").is_err());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }
}
