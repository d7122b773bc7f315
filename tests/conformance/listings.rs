//! What a listing holds.

use futures::{StreamExt, stream};

use super::place::Place;

pub(crate) async fn listing_is_complete(place: &Place) {
    let mut names: Vec<_> = (0..1500).map(|n| format!("all/{}/{n}.txt", n % 7)).collect();
    stream::iter(&names)
        .for_each_concurrent(16, async |name| {
            place.store(name, "content").await;
        })
        .await;
    names.sort();

    assert_eq!(place.names("all").await, names);
    assert_eq!(place.names("").await, names);
}

pub(crate) async fn listing_holds_only_what_is_below_its_prefix(place: &Place) {
    for name in ["a/b", "a/bc/d", "a/bc/e/f", "a/bcd", "a/bc.txt", "a/bc-d/e", "other"] {
        place.store(name, "content").await;
    }

    assert_eq!(place.names("a/bc").await, ["a/bc/d", "a/bc/e/f"]);
    assert_eq!(place.names("a/bc/e").await, ["a/bc/e/f"]);
    assert_eq!(place.names("other").await, [""; 0]);
}

pub(crate) async fn listing_the_root_leaves_out_our_folder(place: &Place) {
    let ours = ["_mirror/FORMAT", "_mirror/packs/7Q/1.zip"];
    for name in ours.into_iter().chain(["_mirrored", "notes/_mirror/a"]) {
        place.store(name, "content").await;
    }

    assert_eq!(place.names("").await, ["_mirrored", "notes/_mirror/a"]);
    assert_eq!(place.names("_mirror").await, ours);
    assert_eq!(place.names("_mirror/packs").await, [ours[1]]);
}

/// A snapshot folder of a NAS holds all of its disk again, and again.
pub(crate) async fn listing_enters_no_folder_of_a_system_but_the_one_that_is_asked_for(
    place: &Place,
) {
    let plain = ["docs/._a.md", "docs/a.md", "docs/recycle/b.md", "Thumbs.db"];
    let inside = [".snapshots/1/a.md", "docs/#recycle/b.md", "docs/@eaDir/._c/d.md"];
    let ours = "_mirror/aside/1/.snapshots/1/a.md";
    for name in plain.into_iter().chain(inside).chain([ours]) {
        place.store(name, "content").await;
    }
    let mut expected = plain.to_vec();
    expected.sort_unstable();

    assert_eq!(place.names("").await, expected);
    assert_eq!(place.names(".snapshots").await, [inside[0]]);
    assert_eq!(place.names("docs/@eaDir").await, [""; 0]);
    assert_eq!(place.names("docs/@eaDir/._c").await, [inside[2]]);
    assert_eq!(place.names("_mirror/aside").await, [ours]);
}

pub(crate) async fn listing_a_file_or_nothing_is_empty(place: &Place) {
    assert_eq!(place.names("").await, [""; 0]);
    place.store("a", "content").await;

    assert_eq!(place.names("a").await, [""; 0]);
    assert_eq!(place.names("a/b").await, [""; 0]);
    assert_eq!(place.names("missing/folder").await, [""; 0]);
}

pub(crate) async fn parents_appear_and_are_never_listed(place: &Place) {
    place.store("one/two/three/a", "content").await;
    place.store("one/b", "content").await;

    assert_eq!(place.names("").await, ["one/b", "one/two/three/a"]);
}

pub(crate) async fn listing_describes_files_as_a_lookup_does(place: &Place) {
    place.store("folder/a", "content").await;
    place.store("b", "").await;

    for listed in place.files("").await {
        assert_eq!(place.stat(listed.path.as_str()).await, Some(listed));
    }
}
