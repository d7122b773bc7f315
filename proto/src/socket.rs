//! Where the daemon's socket may lie, and who may use it.
//!
//! It lies with the daemon's state, which no logout and no cleaner of temporary
//! folders takes away and which every kind of login sees. Where it can't, the
//! lock of the state says where it is instead ([`crate::holder`]).
//! [`prepare_folder`] makes the folder, and [`check_folder`] refuses one that
//! anybody else could put a socket into.

use std::env;
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

/// Checks that a folder is this user's, or not there yet: in somebody else's, as
/// where `sudo` kept their `HOME`, we would leave files that lock them out.
pub fn check_owner(folder: &Path) -> Result<(), FolderError> {
    match fs::metadata(folder) {
        Ok(found) if found.uid() != user_id() => {
            Err(FolderError::Foreign { folder: folder.to_owned(), owner: found.uid() })
        }
        Ok(_) | Err(_) => Ok(()),
    }
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

/// Where the socket of the daemon with this state may lie, best first.
///
/// Outside of the state folder its name depends on it: two homes of one user
/// share a runtime folder, and no daemon.
pub fn candidates(state: &Path) -> Vec<PathBuf> {
    // Behind a link of its user's lies a folder like any other.
    let state = fs::canonicalize(state).unwrap_or_else(|_| state.to_owned());
    let named = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{}", user_id()));
    let runtime = named.into_iter().chain([usual]).filter(|folder| is_ours(folder));
    candidates_in(&state, runtime, user_id())
}

/// After `su`, the variable still names the folder of somebody else.
fn is_ours(folder: &Path) -> bool {
    folder.is_absolute()
        && fs::metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == user_id())
}

fn candidates_in(
    state: &Path,
    runtime: impl Iterator<Item = PathBuf>,
    user_id: u32,
) -> Vec<PathBuf> {
    let name = format!("{:016x}.sock", hash(state.as_os_str().as_bytes()));
    let shared = PathBuf::from(format!("/tmp/mirrord-{user_id}"));
    let elsewhere = runtime.map(|folder| folder.join("mirrord")).chain([shared]);
    let mut all = vec![state.join(FILE_NAME)];
    all.extend(elsewhere.map(|folder| folder.join(&name)));
    all.retain(|path| fits(path));
    all.dedup();
    all
}

/// Addresses of sockets are short, and our libraries want them in UTF-8.
fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= LONGEST_PATH
        && path.to_str().is_some_and(|text| !text.contains(char::is_control))
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
    fn check(state: &str, runtime: Option<&str>, expected: &[&str]) {
        let found = candidates_in(Path::new(state), runtime.map(PathBuf::from).into_iter(), 7);
        let name = format!("{:016x}.sock", hash(state.as_bytes()));
        let expected: Vec<_> =
            expected.iter().map(|path| path.replace("HASH.sock", &name)).collect();
        assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
    }

    #[test]
    fn socket_lies_with_the_state_before_anything_that_is_cleaned() {
        let runtime = "/run/user/7/mirrord/HASH.sock";
        let shared = "/tmp/mirrord-7/HASH.sock";
        check("/s", Some("/run/user/7"), &["/s/mirrord.sock", runtime, shared]);
        check("/s", None, &["/s/mirrord.sock", shared]);
    }

    #[test]
    fn path_that_no_socket_can_have_is_left_out() {
        let longest = format!("/{}", "h".repeat(LONGEST_PATH - "/mirrord.sock".len() - 1));
        let shared = "/tmp/mirrord-7/HASH.sock";
        check(&longest, None, &[&format!("{longest}/mirrord.sock"), shared]);
        check(&format!("{longest}h"), None, &[shared]);
        check("/s\n", None, &[shared]);
    }

    #[test]
    fn two_states_have_two_sockets_wherever_they_lie() {
        let of = |state: &str| {
            candidates_in(Path::new(state), [PathBuf::from("/run/user/7")].into_iter(), 7)
        };
        let both = of("/home/ann/state").into_iter().zip(of("/srv/ann/state"));
        assert!(both.into_iter().all(|(one, other)| one != other));
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

        for refused in [check_folder(&folder.join("mirrord.sock")), check_owner(folder)] {
            assert!(
                matches!(refused, Err(FolderError::Foreign { owner: found, .. }) if found == owner),
                "{refused:?}"
            );
        }
        assert!(
            check_owner(place.path()).is_ok() && check_owner(&place.path().join("new")).is_ok()
        );
    }
}
