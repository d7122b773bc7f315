//! What a folder answers when the machine under it does not cooperate.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::process::geteuid;
use tempfile::TempDir;

use super::sys::lacking::{self, Lack};
use super::*;

fn path(text: &str) -> RemotePath {
    RemotePath::new(text).expect("a normal path")
}

fn folder() -> (TempDir, FolderBackend) {
    let folder = TempDir::new().expect("a folder for one test");
    let backend = FolderBackend::open(folder.path().to_owned());
    (folder, backend)
}

/// Tells why a test proves nothing here, past the capture of its output.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Something mounted on a folder of its own, unmounted when dropped.
struct Mount(TempDir);

impl Mount {
    fn new(arguments: &[&str]) -> Option<Self> {
        let folder = TempDir::new().expect("a folder for one test");
        let mount = Command::new("mount").args(arguments).arg(folder.path()).output();
        mount.is_ok_and(|mount| mount.status.success()).then_some(Self(folder))
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[tokio::test]
async fn missing_folder_is_unreachable_and_says_so() {
    let (root, backend) = folder();
    let gone = root.path().display().to_string();
    drop(root);

    let errors = [
        backend.stat(&path("a")).await.expect_err("no folder"),
        backend.read(&path("a"), ByteRange::ALL).await.err().expect("no folder"),
        backend.list(&RemotePath::ROOT).try_collect::<Vec<_>>().await.expect_err("no folder"),
        backend.write(&path("a"), "one".into(), Expect::Absent).await.expect_err("no folder"),
        backend.remove(&path("a"), Expect::Anything).await.expect_err("no folder"),
        backend.rename(&path("a"), &path("b")).await.expect_err("no folder"),
    ];

    for error in errors {
        let StorageError::Unreachable(cause) = error else {
            panic!("{error:?}");
        };
        assert_eq!(cause.to_string(), format!("folder {gone} is missing or not mounted"));
    }
    assert!(!Path::new(&gone).exists());
}

#[tokio::test]
async fn full_disk_is_full_and_takes_no_room() {
    let Some(disk) = Mount::new(&["-t", "tmpfs", "-o", "size=256k", "tmpfs"]) else {
        return skipped("no file system can be mounted here");
    };
    let backend = FolderBackend::open(disk.path());
    let body = Bytes::from(vec![7; 1024 * 1024]);

    for expect in [Expect::Absent, Expect::Anything] {
        let stored = backend.write(&path("large"), body.clone().into(), expect).await;
        assert!(matches!(stored, Err(StorageError::Full)), "{stored:?}");
    }

    assert_eq!(backend.stat(&path("large")).await.expect("a lookup"), None);
    let left_over: Vec<_> = backend.list(&path("_mirror")).try_collect().await.expect("a listing");
    assert_eq!(left_over, []);
    let small = backend.write(&path("small"), vec![7; 100_000].into(), Expect::Absent).await;
    assert!(matches!(small, Ok(Guarded::Done(_))), "{small:?}");
}

#[tokio::test]
async fn read_only_disk_is_forbidden() {
    let Some(disk) = Mount::new(&["-t", "tmpfs", "-o", "ro", "tmpfs"]) else {
        return skipped("no file system can be mounted here");
    };
    let backend = FolderBackend::open(disk.path());

    let stored = backend.write(&path("a"), "one".into(), Expect::Absent).await;

    assert!(matches!(stored, Err(StorageError::Forbidden { .. })), "{stored:?}");
    assert_eq!(backend.stat(&path("a")).await.expect("a lookup"), None);
}

#[tokio::test]
async fn folder_without_permission_is_forbidden() {
    use std::os::unix::fs::PermissionsExt;
    if geteuid().is_root() {
        return skipped("root may write anywhere");
    }
    let (root, backend) = folder();
    let permissions = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(root.path(), permissions(0o500)).expect("our own folder");

    let stored = backend.write(&path("a"), "one".into(), Expect::Absent).await;

    std::fs::set_permissions(root.path(), permissions(0o700)).expect("our own folder");
    assert!(matches!(stored, Err(StorageError::Forbidden { .. })), "{stored:?}");
}

/// Whoever may write there can make a chain of folders that no path reaches.
#[tokio::test]
async fn listing_goes_no_deeper_than_any_project() {
    let (home, backend) = folder();
    let (folder, new) = (OFlags::DIRECTORY, OFlags::CREATE | OFlags::WRONLY);
    let mut below = openat(CWD, home.path(), folder, Mode::empty()).unwrap();
    for _ in 0..3_000 {
        mkdirat(&below, "deep", Mode::RWXU).unwrap();
        below = openat(&below, "deep", folder, Mode::empty()).unwrap();
    }
    drop(openat(&below, "a.md", new, Mode::RWXU).unwrap());
    std::fs::write(home.path().join("deep/a.md"), "x").unwrap();

    let files: Vec<_> = backend.list(&RemotePath::ROOT).try_collect().await.unwrap();

    let names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["deep/a.md"]);
}

#[tokio::test]
async fn read_outlives_the_file_it_began() {
    let (_root, backend) = folder();
    let content = vec![7; 2_000_000];
    backend.write(&path("a"), content.clone().into(), Expect::Absent).await.expect("room");

    let bytes = backend.read(&path("a"), ByteRange::ALL).await.expect("a read");
    backend.write(&path("a"), "new".into(), Expect::Anything).await.expect("room");
    backend.remove(&path("a"), Expect::Anything).await.expect("a removal");

    let chunks: Vec<Bytes> = bytes.expect("a file").try_collect().await.expect("its bytes");
    assert!(chunks.len() > 1 && chunks.concat() == content);
}

/// Gives half of what it promises, and then nothing more.
struct Endless;

impl crate::Source for Endless {
    fn open(&self) -> ByteStream {
        let first = futures::stream::iter([Ok(Bytes::from_static(b"12345"))]);
        first.chain(futures::stream::pending()).boxed()
    }
}

#[tokio::test]
async fn upload_that_nobody_waits_for_leaves_nothing() {
    let (root, backend) = folder();
    let body = Body::Source { len: 10, source: Arc::new(Endless) };
    let tmp = root.path().join("_mirror/tmp");
    let uploads = |tmp: &Path| std::fs::read_dir(tmp).map_or(0, Iterator::count);

    let target = path("a");
    let given_up = async {
        let mut write = backend.write(&target, body, Expect::Absent);
        while uploads(&tmp) == 0 {
            assert!(futures::poll!(&mut write).is_pending());
            tokio::task::yield_now().await;
        }
        drop(write);
        while uploads(&tmp) > 0 {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(30);
    tokio::time::timeout(limit, given_up).await.expect("it is cleared away soon");

    assert_eq!(backend.stat(&path("a")).await.expect("a lookup"), None);
}

fn mode_of(at: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::symlink_metadata(at).expect("it is there").permissions().mode() & 0o777
}

/// What takes the place of `old` in a project for a group.
fn in_place_of_old() -> NewFile {
    let rights_of = Some(path("old"));
    NewFile { rights_of, ..NewFile::plain(path("a"), Expect::Absent) }
}

#[tokio::test]
async fn upload_in_the_place_of_a_file_is_its_owners_until_it_is_whole() {
    use std::os::unix::fs::PermissionsExt;
    let (root, backend) = folder();
    backend.set_access(Access::Group);
    let old = root.path().join("old");
    std::fs::write(&old, "one").expect("our own folder");
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o640)).expect("our own file");
    let file = in_place_of_old();

    let tmp = root.path().join("_mirror/tmp");
    let body = Body::Source { len: 10, source: Arc::new(Endless) };
    let mut write = backend.write_as(&file, body);
    let begun = loop {
        assert!(futures::poll!(&mut write).is_pending());
        let mut uploads = std::fs::read_dir(&tmp).into_iter().flatten().flatten();
        let has_bytes = |at: &PathBuf| at.metadata().is_ok_and(|upload| upload.len() == 5);
        if let Some(upload) = uploads.next().map(|upload| upload.path()).filter(has_bytes) {
            break upload;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(mode_of(&begun) & 0o077, 0);
    drop(write);

    backend.write_as(&file, "two".into()).await.expect("room");
    assert_eq!(mode_of(&root.path().join("a")), 0o640);
}

#[tokio::test]
async fn file_whose_predecessor_can_not_be_read_is_its_owners() {
    let (root, backend) = folder();
    backend.set_access(Access::World);
    // Gone: it is for whom all are.
    backend.write_as(&in_place_of_old(), "one".into()).await.expect("room");
    assert_eq!(mode_of(&root.path().join("a")), 0o664);

    std::os::unix::fs::symlink("elsewhere", root.path().join("old")).expect("our own folder");
    let file = NewFile { path: path("b"), ..in_place_of_old() };
    backend.write_as(&file, "one".into()).await.expect("room");
    assert_eq!(mode_of(&root.path().join("b")), 0o600);
}

/// Stores a text at a path on this thread, whose file system lacks what a test says.
fn store_here(root: &Path, path: &RemotePath, text: &str) -> Guarded<Revision> {
    let (chunks, received) = tokio::sync::mpsc::channel(2);
    chunks.try_send(Ok(Some(Bytes::from(text.to_owned())))).expect("there is room");
    chunks.try_send(Ok(None)).expect("there is room");
    let root = Root::open(root, path).expect("it is there");
    write::store(&root, &NewFile::plain(path.clone(), Expect::Absent), received)
        .expect("it can be stored")
}

#[test]
fn log_entry_has_one_writer_also_without_links_and_exclusive_renames() {
    let entry = path("_mirror/log/0000000/0000000001.json");
    for lack in [Lack::LinksAndRenames, Lack::TrueLinks] {
        let (folder, backend) = folder();
        lacking::set(lack);

        let first = store_here(folder.path(), &entry, "one");
        let second = store_here(folder.path(), &entry, "two");

        lacking::set(Lack::Nothing);
        assert!(matches!(first, Guarded::Done(_)), "{lack:?}: {first:?}");
        assert_eq!(second, Guarded::Refused, "{lack:?}");
        // Another machine, whose system has links, reads it and writes none over it.
        let third = store_here(folder.path(), &entry, "three");
        assert_eq!(third, Guarded::Refused);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read: Vec<Bytes> = runtime.block_on(async {
            let read = backend.read(&entry, ByteRange::ALL).await.expect("it is readable");
            read.expect("it is there").try_collect().await.expect("whole")
        });
        assert_eq!(read.concat(), b"one");
        let temps = std::fs::read_dir(folder.path().join("_mirror/tmp")).expect("a folder");
        assert_eq!(temps.count(), 0, "{lack:?} leaves nothing");
    }
}

/// Whichever way a name is given, what somebody saved there meanwhile stays.
#[test]
fn file_that_was_saved_meanwhile_is_never_taken_for_ours_nor_replaced() {
    for name in ["_mirror/log/0000000/0000000001.json", "_mirror/packs/AB/01AB.zip", "a.md"] {
        for lack in [Lack::TrueLinksAndOvertaken, Lack::LinksAndRenamesAndOvertaken] {
            let (folder, _) = folder();
            lacking::set(lack);
            let stored = store_here(folder.path(), &path(name), "ours");
            lacking::set(Lack::Nothing);
            assert_eq!(stored, Guarded::Refused, "{name} {lack:?}");
            let there = std::fs::read(folder.path().join(name)).expect("a plain file");
            assert_eq!(there, lacking::THEIRS, "{name} {lack:?}");
        }
    }
}

#[test]
fn pack_and_plain_file_have_their_names_also_without_links_and_exclusive_renames() {
    for name in ["_mirror/packs/AB/01AB.zip", "notes/a.md"] {
        let (folder, _) = folder();
        lacking::set(Lack::LinksAndRenames);
        let first = store_here(folder.path(), &path(name), "one");
        let second = store_here(folder.path(), &path(name), "two");
        lacking::set(Lack::Nothing);
        assert!(matches!(first, Guarded::Done(_)), "{first:?}");
        assert_eq!(second, Guarded::Refused);
        let stored = std::fs::read_to_string(folder.path().join(name)).expect("a plain file");
        assert_eq!(stored, "one");
    }
}
