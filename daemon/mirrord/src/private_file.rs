//! Writes files whole, for this user alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use mirror_core::Ulid;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// Ends the name under which a file is written first.
const TEMP_END: &str = ".tmp";

/// Writes a file for this user alone. After a crash it is the old or the new one.
pub(crate) fn write_private(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let temp = folder.join(format!(".{}{TEMP_END}", Ulid::generate()));
    let written = write_new(&temp, text)
        .and_then(|()| fs::rename(&temp, file))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // The file that matters is untouched; a left-over is only untidy.
        drop(fs::remove_file(&temp));
    }
    written
}

/// The same for a file that must not be there yet, not even as a link: at no
/// moment is there less than all of it.
pub(crate) fn create_private(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let temp = folder.join(format!(".{}{TEMP_END}", Ulid::generate()));
    let written = write_new(&temp, text)
        .and_then(|()| put_where_nothing_is(&temp, file))
        .and_then(|()| File::open(folder)?.sync_all());
    drop(fs::remove_file(&temp));
    written
}

fn put_where_nothing_is(temp: &Path, file: &Path) -> io::Result<()> {
    match renameat_with(CWD, temp, CWD, file, RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(()),
        Err(Errno::EXIST) => return Err(Errno::EXIST.into()),
        // Not every file system has it.
        Err(_) => {}
    }
    match fs::hard_link(temp, file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
        linked => return linked,
    }
    // Where there are no links either, nobody else makes files of ours at least.
    if file.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(temp, file)
}

/// Removes what a crash left of writes into a folder. Nobody writes there now.
pub(crate) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(TEMP_END));
        if id.is_some_and(|id| id.parse::<Ulid>().is_ok()) {
            drop(fs::remove_file(entry.path()));
        }
    }
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
    fn what_a_crash_left_of_a_write_is_swept_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let own = format!(".{}.tmp", Ulid::generate());
        for name in [own.as_str(), ".mine.tmp", "notes.toml", ".notes.toml.swp"] {
            fs::write(place.path().join(name), "x").unwrap();
        }

        sweep(place.path());

        assert!(!place.path().join(own).exists());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3);
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
