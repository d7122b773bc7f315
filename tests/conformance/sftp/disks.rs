//! What stands on the server's disk, and what that disk refuses.

use std::fs;

use mirror_storage::{Expect, FaultClass, Guarded};

use super::{Place, is_of, varied};
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Mount, Tree, in_the_end, same_trees};

const ENTRY: &str = "_mirror/log/0000000/0000000001.json";

/// However an entry was written, each adapter reads it and leaves it alone.
#[tokio::test]
async fn entry_of_one_adapter_is_an_entry_for_all() {
    let servers = [Variant::Stock, Variant::WithoutHardlinks].map(SftpServer::shared);
    let [Some(stock), Some(without)] = servers else { return };
    for writer in 0..3 {
        let root = stock.new_root();
        let places = [Place::on(stock, &root), Place::on(without, &root), Place::folder(&root)];
        let written = places[writer].store_if(ENTRY, "one", Expect::Absent).await;
        assert!(matches!(written, Guarded::Done(_)));
        // Only without hard links an entry is spelled as a folder.
        assert_eq!(root.join(ENTRY).is_dir(), writer == 1, "writer {writer}");

        for place in &places {
            assert_eq!(place.content(ENTRY).await, "one");
            in_the_end("only the entry is left", async || place.names("_mirror").await == [ENTRY])
                .await;
            assert_eq!(place.stat(ENTRY).await.map(|file| file.size), Some(3));
            let late = place.store_if(ENTRY, "late", Expect::Absent).await;
            assert_eq!(late, Guarded::Refused);
        }
        assert_eq!(places[0].content(ENTRY).await, "one");
    }
}

#[tokio::test]
async fn read_only_server_is_no_permission_and_changes_nothing() {
    let Some(server) = SftpServer::shared(Variant::ReadOnly) else { return };
    let root = server.new_root();
    let beside = Place::folder(&root);
    beside.store("notes/a.md", "one").await;
    beside.store(ENTRY, "entry").await;
    let before = Tree::read(&root);
    let place = Place::on(server, &root);

    for (at, expect) in [
        ("notes/a.md", Expect::Anything),
        ("new.md", Expect::Absent),
        ("_mirror/log/0000000/0000000002.json", Expect::Absent),
    ] {
        let stored = place.try_store(at, "two", expect).await;
        is_of(&stored.expect_err("a read-only server"), FaultClass::Permission);
    }
    let removed = place.backend().remove(&super::path("notes/a.md"), Expect::Anything).await;
    is_of(&removed.expect_err("a read-only server"), FaultClass::Permission);
    let renamed = place.try_rename("notes/a.md", "b").await;
    is_of(&renamed.expect_err("a read-only server"), FaultClass::Permission);

    assert_eq!(place.content("notes/a.md").await, "one");
    same_trees(&before, &Tree::read(&root));
}

#[tokio::test]
async fn folder_without_permission_is_named() {
    let Some(server) = SftpServer::shared(Variant::OtherUser) else { return };
    let root = server.new_root();
    let place = Place::on(server, &root);
    let closed = place.makes_folder("closed");
    fs::write(closed.join("a"), "one").expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o555);
    fs::set_permissions(&closed, mode).expect("the mode is set");

    for (at, expect) in [
        ("closed/a", Expect::Anything),
        ("closed/b", Expect::Absent),
        ("closed/new/c", Expect::Absent),
    ] {
        let error = place.try_store(at, "two", expect).await.expect_err("a closed folder");
        is_of(&error, FaultClass::Permission);
        assert!(error.to_string().contains(at), "{error}");
    }

    place.store("open/a", "three").await;
    assert_eq!(place.names("").await, ["closed/a", "open/a"]);
    assert_eq!(place.content("closed/a").await, "one");
}

#[tokio::test]
async fn full_disk_leaves_every_good_copy() {
    for variant in [Variant::Stock, Variant::WithoutHardlinks] {
        let Some(server) = SftpServer::shared(variant) else { return };
        let root = server.new_root();
        let Some(_mount) = Mount::of_size(&root, 600) else { return };
        let place = Place::on(server, &root);
        let good = varied(100_000);
        place.store("notes/a.bin", good.clone()).await;
        place.store("b.md", "one").await;
        let before = Tree::read(&root);

        for (at, expect) in [
            ("notes/a.bin", Expect::Anything),
            ("b.md", Expect::Anything),
            ("new/c.bin", Expect::Absent),
            ("_mirror/packs/7Q/1.zip", Expect::Absent),
            (ENTRY, Expect::Absent),
        ] {
            let stored = place.try_store(at, varied(2_000_000), expect).await;
            is_of(&stored.expect_err("a full disk"), FaultClass::Quota);
            in_the_end("all is as before", async || Tree::read(&root) == before).await;
        }

        place.store("small.md", "there is room for this").await;
        place.remove("notes/a.bin").await;
        place.store("notes/a.bin", good).await;
        assert_eq!(place.names("").await, ["b.md", "notes/a.bin", "small.md"]);
    }
}

/// The rest of a listing comes, wherever such a name stands in it.
#[tokio::test]
async fn names_that_are_not_text_are_left_out_of_a_listing_of_many() {
    use std::os::unix::ffi::OsStrExt;
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let place = Place::on(server, &server.new_root());
    let folder = place.makes_folder("folder");
    let mut names: Vec<String> = (0..300).map(|n| format!("folder/{n:03}.txt")).collect();
    for (number, name) in names.iter().enumerate() {
        fs::write(place.on_disk().join(name), "text").expect("a file");
        let mut latin = format!("caf{number}").into_bytes();
        latin.push(0xe9);
        fs::write(folder.join(std::ffi::OsStr::from_bytes(&latin)), "latin").expect("a file");
    }
    let latin = folder.join(std::ffi::OsStr::from_bytes(b"folder\xff"));
    fs::create_dir(&latin).expect("a folder");
    fs::write(latin.join("below"), "hidden").expect("a file");
    names.sort();

    assert_eq!(place.names("").await, names);
}

/// Most parts of the listing hold such names alone, and none of them is its end.
#[tokio::test]
async fn names_that_are_not_text_do_not_end_a_listing() {
    use std::os::unix::ffi::OsStrExt;
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let place = Place::on(server, &server.new_root());
    let folder = place.makes_folder("folder");
    for number in 0..500 {
        let mut latin = format!("caf{number}").into_bytes();
        latin.push(0xe9);
        fs::write(folder.join(std::ffi::OsStr::from_bytes(&latin)), "latin").expect("a file");
    }
    let names: Vec<String> = (0..20).map(|number| format!("folder/{number:02}.txt")).collect();
    for name in &names {
        fs::write(place.on_disk().join(name), "text").expect("a file");
    }

    assert_eq!(place.names("").await, names);
}
