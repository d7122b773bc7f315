//! What a write does, and what a refused one leaves alone.

use mirror_storage::{Expect, Guarded, Revision, StorageError};

use super::place::Place;

pub(crate) async fn refused_write_changes_nothing(place: &Place) {
    let first = place.store("a.txt", "one").await;
    place.store("a.txt", "two").await;
    let before = place.stat("a.txt").await;

    let late = place.store_if("a.txt", "three", Expect::At(first)).await;

    assert_eq!(late, Guarded::Refused);
    assert_eq!(place.content("a.txt").await, "two");
    assert_eq!(place.stat("a.txt").await, before);
    assert_eq!(place.names("").await, ["a.txt"]);
    assert_eq!(place.names("_mirror").await, [""; 0]);
}

pub(crate) async fn absent_write_over_a_file_is_refused(place: &Place) {
    let first = place.store_if("a.txt", "one", Expect::Absent).await;
    let second = place.store_if("a.txt", "two", Expect::Absent).await;

    assert!(matches!(first, Guarded::Done(_)));
    assert_eq!(second, Guarded::Refused);
    assert_eq!(place.content("a.txt").await, "one");
}

pub(crate) async fn write_at_a_stale_revision_is_refused(place: &Place) {
    let made_up = Revision("made up".to_owned());
    let absent = place.store_if("a.txt", "one", Expect::At(made_up)).await;
    let first = place.store("a.txt", "one").await;
    place.remove("a.txt").await;
    let gone = place.store_if("a.txt", "two", Expect::At(first.clone())).await;
    place.store("a.txt", "one").await;
    let made_again = place.store_if("a.txt", "two", Expect::At(first)).await;

    assert_eq!([absent, gone, made_again], [const { Guarded::Refused }; 3]);
    assert_eq!(place.content("a.txt").await, "one");
}

pub(crate) async fn write_at_the_current_revision_is_done(place: &Place) {
    let first = place.store("a.txt", "one").await;

    let second = place.store_if("a.txt", "two", Expect::At(first)).await;

    assert!(matches!(second, Guarded::Done(_)));
    assert_eq!(place.content("a.txt").await, "two");
}

pub(crate) async fn revision_changes_with_each_write(place: &Place) {
    let first = place.store("a.txt", "same").await;
    let looked_up = place.stat("a.txt").await.map(|file| file.revision);
    let second = place.store("a.txt", "same").await;

    assert_eq!(looked_up.as_ref(), Some(&first));
    assert_ne!(first, second);
}

pub(crate) async fn file_below_a_file_is_rejected(place: &Place) {
    place.store("a", "one").await;

    is_rejected(place, "a/b", Expect::Absent).await;
    is_rejected(place, "a/b/c", Expect::Anything).await;

    assert_eq!(place.names("").await, ["a"]);
    assert_eq!(place.content("a").await, "one");
}

pub(crate) async fn file_in_place_of_a_folder_is_rejected(place: &Place) {
    place.store("a/b/c", "one").await;

    is_rejected(place, "a", Expect::Absent).await;
    is_rejected(place, "a/b", Expect::Anything).await;

    assert_eq!(place.names("").await, ["a/b/c"]);
    assert_eq!(place.content("a/b/c").await, "one");
}

async fn is_rejected(place: &Place, at: &str, expect: Expect) {
    let stored = place.try_store(at, "two", expect).await;
    assert!(matches!(stored, Err(StorageError::Rejected { .. })), "{stored:?}");
}

pub(crate) async fn emptied_folder_is_in_no_files_way(place: &Place) {
    place.store("a/b/c", "one").await;
    place.store("a/b/d", "one").await;
    place.remove("a/b/c").await;
    place.remove("a/b/d").await;

    let stored = place.store_if("a", "two", Expect::Absent).await;

    assert!(matches!(stored, Guarded::Done(_)));
    assert_eq!(place.names("").await, ["a"]);
}
