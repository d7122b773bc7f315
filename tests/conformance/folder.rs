//! What holds only where other programs can reach the same files.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use mirror_storage::{Expect, Guarded, StorageError};

use super::place::{Place, path};
use crate::support::eventually;

const ENTRY: &str = "_mirror/log/0000000/0000000001.json";

/// Puts an entry there as adapters without hard links write it.
fn entry_as_a_folder(place: &Place) {
    fs::write(place.makes_folder(ENTRY).join("body"), "one").expect("its body");
}

pub(crate) async fn entry_spelled_as_a_folder_is_a_file(place: &Place) {
    entry_as_a_folder(place);
    // What a NAS and a file manager add to any folder.
    for (folder, name) in [("@eaDir", "body@SynoEAStream"), (".", ".DS_Store")] {
        let folder = place.makes_folder(&format!("{ENTRY}/{folder}"));
        fs::write(folder.join(name), "theirs").expect("a file");
    }
    place.store("_mirror/log/0000000/0000000002.json", "two").await;

    assert_eq!(place.content(ENTRY).await, "one");
    let listed = place.files("_mirror/log").await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].path.as_str(), ENTRY);
    assert_eq!(place.stat(ENTRY).await.as_ref(), Some(&listed[0]));
    assert_eq!(place.names(ENTRY).await, [""; 0]);
}

pub(crate) async fn entry_spelled_as_a_folder_is_in_the_way_of_another(place: &Place) {
    entry_as_a_folder(place);

    let late = place.store_if(ENTRY, "late", Expect::Absent).await;

    assert_eq!(late, Guarded::Refused);
    assert_eq!(place.content(ENTRY).await, "one");
    assert_eq!(place.names("_mirror").await, [ENTRY]);
}

pub(crate) async fn body_above_the_entries_hides_none_of_them(place: &Place) {
    place.store(ENTRY, "one").await;
    let folders = ["_mirror/log", "_mirror/log/0000000"];
    for folder in folders {
        fs::write(place.on_disk().join(folder).join("body"), "theirs").expect("a file");
    }

    for folder in folders {
        let names = place.names(folder).await;
        assert!(names.contains(&ENTRY.to_owned()), "{folder}: {names:?}");
        assert_eq!(place.stat(folder).await, None, "{folder}");
    }
    assert_eq!(place.content(ENTRY).await, "one");
}

pub(crate) async fn folder_with_a_body_outside_of_the_log_is_a_folder(place: &Place) {
    place.store("notes/body", "one").await;
    place.store("_mirror/full/body", "two").await;

    assert_eq!(place.names("").await, ["notes/body"]);
    assert_eq!(place.names("_mirror").await, ["_mirror/full/body"]);
    assert_eq!(place.stat("notes").await, None);
}

pub(crate) async fn links_lead_nowhere(place: &Place) {
    let elsewhere = Place::local_folder();
    elsewhere.store("secret", "theirs").await;
    let link = |target: &str, name: &str| {
        let target = elsewhere.on_disk().join(target);
        symlink(target, place.on_disk().join(name)).expect("a link");
    };
    link("", "folder");
    link("secret", "file");
    link("new", "dangling");

    assert_eq!(place.names("").await, [""; 0]);
    assert_eq!(place.names("folder").await, [""; 0]);
    for name in ["file", "dangling", "folder", "folder/secret"] {
        assert_eq!(place.bytes(name).await, None, "{name}");
        assert_eq!(place.stat(name).await, None, "{name}");
        place.remove(name).await;
        is_rejected(place, name, Expect::Absent).await;
        is_rejected(place, name, Expect::Anything).await;
    }
    is_rejected(place, "folder/new/file", Expect::Absent).await;

    assert_eq!(elsewhere.names("").await, ["secret"]);
    assert_eq!(elsewhere.content("secret").await, "theirs");
    assert_eq!(fs::read_dir(place.on_disk()).expect("the folder").count(), 4);
}

async fn is_rejected(place: &Place, at: &str, expect: Expect) {
    let stored = place.try_store(at, "ours", expect).await;
    assert!(matches!(stored, Err(StorageError::Rejected { .. })), "{at}: {stored:?}");
}

pub(crate) async fn names_that_are_not_text_and_pipes_do_not_exist_for_us(place: &Place) {
    let not_text = std::ffi::OsStr::from_bytes(b"caf\xe9");
    fs::write(place.on_disk().join(not_text), "latin").expect("a file");
    let pipe = place.on_disk().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a pipe");
    place.store("a", "one").await;

    assert_eq!(place.names("").await, ["a"]);
    assert_eq!(place.bytes("pipe").await, None);
    is_rejected(place, "pipe", Expect::Absent).await;
}

pub(crate) async fn name_too_long_for_the_file_system_is_rejected(place: &Place) {
    is_rejected(place, &format!("folder/{}", "x".repeat(256)), Expect::Absent).await;

    place.holds_nothing().await;
    assert!(!place.on_disk().join("folder").exists());
}

pub(crate) async fn emptied_folders_of_the_view_go_and_others_stay(place: &Place) {
    place.store("notes/deep/a", "one").await;
    place.store("notes/b", "two").await;
    place.store("_mirror/packs/7Q/1.zip", "three").await;

    place.remove("notes/deep/a").await;
    assert!(place.on_disk().join("notes").exists());
    is_cleared(place, "notes/deep");

    assert_eq!(place.rename("notes/b", "other/b").await, Guarded::Done(()));
    is_cleared(place, "notes");

    let aside = "_mirror/aside/machine/01J0/other/b";
    assert_eq!(place.rename("other/b", aside).await, Guarded::Done(()));
    // Nothing takes its place.
    let nothing = place.backend().remove(&path("other/b"), Expect::Absent).await;
    assert_eq!(nothing.expect("a removal"), Guarded::Done(()));
    is_cleared(place, "other");

    place.remove("_mirror/packs/7Q/1.zip").await;
    place.remove(aside).await;
    assert!(place.on_disk().join("_mirror/packs").exists());
    is_cleared(place, "_mirror/aside/machine");
    assert!(place.on_disk().exists());
}

pub(crate) async fn folder_of_a_file_that_is_replaced_keeps_its_mode(place: &Place) {
    place.store("notes/a", "one").await;
    let folder = place.on_disk().join("notes");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("its mode is set");

    let aside = "_mirror/aside/machine/01J0/notes/a";
    assert_eq!(place.rename("notes/a", aside).await, Guarded::Done(()));
    let stored = place.store_if("notes/a", "two", Expect::Absent).await;

    assert!(matches!(stored, Guarded::Done(_)));
    let mode = folder.metadata().expect("the folder").permissions().mode();
    assert_eq!(mode & 0o7777, 0o700, "it is another folder");
}

/// Nobody waits for the end of that where it takes a server.
#[track_caller]
fn is_cleared(place: &Place, folder: &str) {
    eventually(&format!("{folder} is gone"), || !place.on_disk().join(folder).exists());
}

pub(crate) async fn empty_folders_made_by_others_are_in_no_files_way(place: &Place) {
    place.makes_folder("a/b/c");
    place.makes_folder("d/e");
    place.store("f", "two").await;

    place.store("a", "one").await;
    assert_eq!(place.rename("f", "d").await, Guarded::Done(()));

    assert_eq!(place.names("").await, ["a", "d"]);
}
