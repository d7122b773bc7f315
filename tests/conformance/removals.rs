//! What a removal takes away, and what it leaves.

use mirror_storage::{Expect, Guarded};

use super::place::Place;

pub(crate) async fn removed_file_is_gone(place: &Place) {
    place.store("folder/a", "one").await;
    place.store("folder/b", "two").await;

    place.remove("folder/a").await;

    assert_eq!(place.stat("folder/a").await, None);
    assert_eq!(place.names("").await, ["folder/b"]);
}

pub(crate) async fn removing_what_is_gone_is_done(place: &Place) {
    let revision = place.store("folder/a", "one").await;
    place.store("b", "two").await;
    place.remove("folder/a").await;

    for expect in [Expect::Anything, Expect::Absent, Expect::At(revision)] {
        for gone in ["folder/a", "never", "no/such/folder", "b/below"] {
            let removed = place.remove_if(gone, expect.clone()).await;
            assert_eq!(removed, Guarded::Done(()), "{gone} {expect:?}");
        }
    }
    assert_eq!(place.names("").await, ["b"]);
}

pub(crate) async fn guarded_removal_of_another_version_is_refused(place: &Place) {
    let first = place.store("a", "one").await;
    let second = place.store("a", "two").await;

    let stale = place.remove_if("a", Expect::At(first)).await;
    let absent = place.remove_if("a", Expect::Absent).await;
    assert_eq!([stale, absent], [const { Guarded::Refused }; 2]);
    assert_eq!(place.content("a").await, "two");

    assert_eq!(place.remove_if("a", Expect::At(second)).await, Guarded::Done(()));
    assert_eq!(place.stat("a").await, None);
}

pub(crate) async fn removing_a_folder_removes_nothing(place: &Place) {
    place.store("folder/inner/a", "one").await;

    place.remove("folder").await;
    place.remove("folder/inner").await;

    assert_eq!(place.content("folder/inner/a").await, "one");
}
