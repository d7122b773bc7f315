//! Where the daemon's socket lies, and who may use it.
//!
//! The daemon binds what a client looks for, so both ask here. Nothing but the
//! environment, the user id and the owners of a few folders decides; nothing
//! is read from a configuration. [`prepare_folder`] makes the folder, and
//! [`check_folder`] refuses one that anybody else could put a socket into.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The longest path that fits a socket address, its closing zero left out.
const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

const FILE_NAME: &str = "mirrord.sock";

/// Why a folder can't hold the socket.
#[derive(Debug)]
pub enum FolderError {
    Unusable {
        folder: PathBuf,
        source: io::Error,
    },
    NotAFolder(PathBuf),
    /// The folder belongs to the user with this id.
    Foreign {
        folder: PathBuf,
        owner: u32,
    },
    /// Other users may enter or change the folder.
    Open {
        folder: PathBuf,
        mode: u32,
    },
}

impl std::fmt::Display for FolderError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unusable { folder, .. } => {
                write!(out, "the folder {} can't be used", folder.display())
            }
            Self::NotAFolder(folder) => write!(out, "{} is not a folder", folder.display()),
            Self::Foreign { folder, owner } => {
                write!(out, "the folder {} belongs to user {owner}", folder.display())
            }
            Self::Open { folder, mode } => write!(
                out,
                "the folder {} is open to other users (mode {mode:o}, wanted 700)",
                folder.display()
            ),
        }
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unusable { source, .. } => Some(source),
            Self::NotAFolder(_) | Self::Foreign { .. } | Self::Open { .. } => None,
        }
    }
}

/// What decides the path.
#[derive(Debug)]
struct Surroundings {
    /// `MIRRORD_HOME`, absolute.
    home: Option<PathBuf>,
    /// The runtime folder of the login, present only if it is ours.
    runtime: Option<PathBuf>,
    user_id: u32,
}

/// The path of this user's socket.
pub fn path_from_environment() -> io::Result<PathBuf> {
    Ok(path_in(&Surroundings::look()?))
}

/// The id of the user that everything here must belong to.
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Makes the folder of the socket for this user alone, and checks it.
pub fn prepare_folder(socket: &Path) -> Result<(), FolderError> {
    let folder = folder_of(socket);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| FolderError::Unusable { folder: folder.to_owned(), source })?;
    check_folder(socket)
}

/// Checks that nobody else can put a socket into the folder of this one.
pub fn check_folder(socket: &Path) -> Result<(), FolderError> {
    let folder = folder_of(socket).to_owned();
    // Not followed: in a shared folder a link may be anybody's.
    let found = match fs::symlink_metadata(&folder) {
        Ok(found) => found,
        Err(source) => return Err(FolderError::Unusable { folder, source }),
    };
    let mode = found.mode() & 0o777;
    match (found.is_dir(), found.uid() == user_id(), mode & 0o077) {
        (false, _, _) => Err(FolderError::NotAFolder(folder)),
        (true, false, _) => Err(FolderError::Foreign { folder, owner: found.uid() }),
        (true, true, 0) => Ok(()),
        (true, true, _) => Err(FolderError::Open { folder, mode }),
    }
}

fn folder_of(socket: &Path) -> &Path {
    match socket.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

impl Surroundings {
    fn look() -> io::Result<Self> {
        let user_id = user_id();
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let named = set("XDG_RUNTIME_DIR").map(PathBuf::from);
        let usual = PathBuf::from(format!("/run/user/{user_id}"));
        Ok(Self {
            home: set("MIRRORD_HOME").map(std::path::absolute).transpose()?,
            runtime: named.into_iter().chain([usual]).find(|folder| is_ours(folder, user_id)),
            user_id,
        })
    }
}

/// After `su`, the variable still names the folder of somebody else.
fn is_ours(folder: &Path, user_id: u32) -> bool {
    folder.is_absolute()
        && fs::metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == user_id)
}

fn path_in(surroundings: &Surroundings) -> PathBuf {
    let shared = PathBuf::from(format!("/tmp/mirrord-{}", surroundings.user_id));
    let path = match (&surroundings.home, &surroundings.runtime) {
        (Some(home), _) => home.join("run"),
        (None, Some(runtime)) => runtime.join("mirrord"),
        (None, None) => shared.clone(),
    }
    .join(FILE_NAME);
    if fits(path.as_os_str()) {
        return path;
    }
    let mut name = OsString::from(format!("{:016x}", hash(path.as_os_str().as_bytes())));
    name.push(".sock");
    shared.join(name)
}

/// Addresses of sockets are short, and our libraries want them in UTF-8.
fn fits(path: &OsStr) -> bool {
    path.len() <= LONGEST_PATH && path.to_str().is_some()
}

/// FNV-1a of 64 bits: tells paths apart, keeps nothing secret.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[track_caller]
    fn check(home: Option<&str>, runtime: Option<&str>, expected: &str) {
        let path = path_in(&Surroundings {
            home: home.map(PathBuf::from),
            runtime: runtime.map(PathBuf::from),
            user_id: 7,
        });
        assert_eq!(path, Path::new(expected));
    }

    #[test]
    fn home_comes_before_the_runtime_folder_and_that_before_tmp() {
        check(Some("/h"), Some("/run/user/7"), "/h/run/mirrord.sock");
        check(None, Some("/run/user/7"), "/run/user/7/mirrord/mirrord.sock");
        check(None, None, "/tmp/mirrord-7/mirrord.sock");
    }

    #[test]
    fn path_too_long_for_a_socket_goes_to_tmp_under_its_hash() {
        let longest = format!("/{}", "h".repeat(LONGEST_PATH - "/run/mirrord.sock".len() - 1));
        check(Some(&longest), None, &format!("{longest}/run/mirrord.sock"));

        let too_long = path_in(&Surroundings {
            home: Some(PathBuf::from(format!("{longest}h"))),
            runtime: None,
            user_id: 7,
        });
        let name = too_long.file_stem().and_then(OsStr::to_str).expect("a name");
        assert_eq!(too_long.parent(), Some(Path::new("/tmp/mirrord-7")));
        assert_eq!(name.len(), 16);
        assert!(name.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn hash_is_fnv_1a() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn folder_is_made_for_us_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let socket = place.path().join("home/run/mirrord.sock");

        prepare_folder(&socket).expect("made");

        let mode = fs::metadata(folder_of(&socket)).expect("there").mode();
        assert_eq!(mode & 0o777, 0o700);
        prepare_folder(&socket).expect("still good");
    }

    #[test]
    fn folder_open_to_others_or_behind_a_link_is_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let socket = place.path().join("run/mirrord.sock");
        prepare_folder(&socket).expect("made");

        fs::set_permissions(folder_of(&socket), Permissions::from_mode(0o750)).expect("opened");
        assert!(matches!(check_folder(&socket), Err(FolderError::Open { mode: 0o750, .. })));

        symlink(place.path(), place.path().join("link")).expect("linked");
        let behind = place.path().join("link/mirrord.sock");
        assert!(matches!(check_folder(&behind), Err(FolderError::NotAFolder(_))));
    }

    #[test]
    fn folder_of_another_user_is_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let theirs = place.path().join("theirs");
        fs::create_dir(&theirs).expect("made");
        // Only root can give a folder away; anybody else has root's at hand.
        let (folder, owner) = match std::os::unix::fs::chown(&theirs, Some(12_345), None) {
            Ok(()) => (theirs.as_path(), 12_345),
            Err(_) => (Path::new("/"), 0),
        };

        let refused = check_folder(&folder.join("mirrord.sock"));

        assert!(
            matches!(refused, Err(FolderError::Foreign { owner: found, .. }) if found == owner),
            "{refused:?}"
        );
    }
}
