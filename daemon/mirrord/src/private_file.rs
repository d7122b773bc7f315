//! Writes files whole, for this user alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use mirror_core::Ulid;

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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

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
