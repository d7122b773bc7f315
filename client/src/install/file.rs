//! One file of a person's: read and written whole, in its own place.
//!
//! A link is followed to the file that it leads to; that one is replaced in one step
//! and keeps its mode. A file of another user's is left alone.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use mirror_proto::v1::FaultClass;

use crate::failure::Failure;
use crate::paths;

/// No settings file comes near.
const LARGEST: u64 = 64 << 20;

/// The file that a name leads to, whether it is there or not.
pub(super) fn real(named: &Path) -> Result<PathBuf, Failure> {
    match named.canonicalize() {
        Ok(real) => Ok(real),
        Err(_) if named.is_symlink() => Err(refused(
            named,
            "is a link that leads nowhere",
            "remove the link, or make what it leads to",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => in_real_folder(named),
        Err(error) => Err(unusable(named, &error)),
    }
}

/// The name that a file will have once it is there: its folders may be links, too.
fn in_real_folder(named: &Path) -> Result<PathBuf, Failure> {
    let (Some(folder), Some(name)) = (named.parent(), named.file_name()) else {
        return Ok(named.to_owned());
    };
    Ok(real(folder)?.join(name))
}

/// The text of a file; `None` where there is none.
pub(super) fn read(file: &Path) -> Result<Option<String>, Failure> {
    let found = match fs::metadata(file) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(file, &error)),
    };
    if !found.is_file() || found.len() > LARGEST {
        return Err(refused(file, "is no settings file", "move it away"));
    }
    let bytes = fs::read(file).map_err(|error| unusable(file, &error))?;
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| refused(file, "is not valid UTF-8", "put that right first"))
}

/// The same of a file that is to be written: one of another user's is refused.
pub(super) fn read_own(file: &Path) -> Result<Option<String>, Failure> {
    let text = read(file)?;
    let owner = fs::metadata(file).ok().map(|found| found.uid());
    if owner.is_some_and(|owner| owner != mirror_proto::socket::user_id()) {
        let hint = "run this as that user; by `sudo -H` or `su -`, HOME is your own";
        return Err(refused(file, "belongs to another user", hint));
    }
    Ok(text)
}

/// Writes it whole: after a crash it is the old text or the new one. Gives the folders
/// that had to be made.
pub(super) fn write(file: &Path, text: &str, is_private: bool) -> Result<Vec<PathBuf>, Failure> {
    let made = write_if(file, text, is_private, || Ok(true))?;
    Ok(made.unwrap_or_default())
}

/// The same where the file is still as it was read; `None` where it isn't, and stays.
pub(super) fn put(
    file: &Path,
    before: Option<&str>,
    after: &str,
    is_private: bool,
) -> Result<Option<Vec<PathBuf>>, Failure> {
    write_if(file, after, is_private, || Ok(read_own(file)?.as_deref() == before))
}

/// Removes a file that we made, where it is still as it was read; says whether it was.
pub(super) fn take(file: &Path, before: Option<&str>, made: &[PathBuf]) -> Result<bool, Failure> {
    if read_own(file)?.as_deref() != before {
        return Ok(false);
    }
    remove(file, made)?;
    Ok(true)
}

fn write_if(
    file: &Path,
    text: &str,
    is_private: bool,
    is_agreed: impl Fn() -> Result<bool, Failure>,
) -> Result<Option<Vec<PathBuf>>, Failure> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let missing = folder.ancestors().take_while(|folder| !folder.exists());
    let made: Vec<_> = missing.map(Path::to_owned).collect();
    let unusable = |error| unusable(file, &error);
    let temporary = prepared(folder, file, text, is_private).map_err(unusable)?;
    // As late as can be: what another program writes after this is lost.
    if !is_agreed()? {
        return Ok(None);
    }
    temporary.persist(file).map_err(|error| unusable(error.error))?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(unusable)?;
    Ok(Some(made))
}

/// The whole text beside the file, with the mode of the file.
fn prepared(
    folder: &Path,
    file: &Path,
    text: &str,
    is_private: bool,
) -> io::Result<tempfile::NamedTempFile> {
    fs::create_dir_all(folder)?;
    let mode = if is_private { 0o600 } else { 0o666 };
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(".mirrorctl").permissions(Permissions::from_mode(mode));
    let mut temporary = builder.tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    if let Ok(found) = fs::metadata(file) {
        temporary.as_file().set_permissions(found.permissions())?;
    }
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Removes a file that we made, and of the folders that we made for it those that are
/// empty, the innermost first.
pub(super) fn remove(file: &Path, made: &[PathBuf]) -> Result<(), Failure> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(file, &error)),
        Ok(()) | Err(_) => {}
    }
    for folder in made {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

pub(super) fn refused(file: &Path, why: &str, hint: &str) -> Failure {
    Failure::new(FaultClass::Rejected, format!("{} {why}", paths::shown(file))).with_hint(hint)
}

pub(super) fn unusable(file: &Path, error: &io::Error) -> Failure {
    let message = format!("{} can't be read or changed: {error}", paths::shown(file));
    Failure::new(FaultClass::Permission, message)
        .with_hint("see who owns it and its folder, or leave this part out with --only")
}
