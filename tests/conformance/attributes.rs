//! Who may use a file, and when it was changed.

use std::time::{Duration, SystemTime};

use mirror_storage::{Access, Attributes, Expect, Guarded, Revision, Stored};

use super::place::{Place, new_file};

const PRIVATE: Attributes = Attributes { is_private: true, modified: None };

fn dated(modified: SystemTime) -> Attributes {
    Attributes { modified: Some(modified), ..Attributes::default() }
}

/// A moment of last year, in whole seconds.
fn last_year() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

async fn try_store(place: &Place, at: &str, attributes: Attributes, expect: Expect) -> Stored {
    let file = mirror_storage::NewFile { attributes, ..new_file(at, expect) };
    place.keep_attributes().write_as(&file, "text".into()).await
}

async fn store(place: &Place, at: &str, attributes: Attributes) -> Revision {
    match try_store(place, at, attributes, Expect::Anything).await {
        Ok(Guarded::Done(revision)) => revision,
        other => panic!("{at}: {other:?}"),
    }
}

async fn modified(place: &Place, at: &str) -> SystemTime {
    place.stat(at).await.and_then(|file| file.modified).expect("the service says when")
}

pub(crate) async fn file_has_the_time_that_was_asked_for(place: &Place) {
    store(place, "notes/a", dated(last_year())).await;

    assert_eq!(place.content("notes/a").await, "text");
    assert_eq!(modified(place, "notes/a").await, last_year());
    assert_eq!(place.files("").await[0].modified, Some(last_year()));
}

pub(crate) async fn time_ahead_of_the_service_is_the_moment_of_the_write(place: &Place) {
    place.store("before", "text").await;
    let tomorrow = SystemTime::now() + Duration::from_hours(24);
    store(place, "ahead", dated(tomorrow)).await;
    place.store("after", "text").await;

    let ahead = modified(place, "ahead").await;

    assert!(modified(place, "before").await <= ahead);
    assert!(ahead <= modified(place, "after").await);
}

pub(crate) async fn same_file_written_again_is_another_revision(place: &Place) {
    let first = store(place, "a", dated(last_year())).await;
    let looked_up = place.stat("a").await.map(|file| file.revision);
    let second = store(place, "a", dated(last_year())).await;

    assert_eq!(looked_up.as_ref(), Some(&first));
    assert_ne!(first, second);
}

pub(crate) async fn private_file_is_for_its_owner_alone(place: &Place) {
    for access in [Access::Owner, Access::Group, Access::World] {
        place.keep_attributes().set_access(access);

        store(place, "notes/private", PRIVATE).await;
        store(place, "notes/other", Attributes::default()).await;

        assert_eq!(place.access("notes/private"), Some(Access::Owner), "{access:?}");
        assert_eq!(place.access("notes/other"), Some(access));
    }
}

pub(crate) async fn private_file_is_told_from_others(place: &Place) {
    place.keep_attributes().set_access(Access::Group);
    store(place, "private", PRIVATE).await;
    store(place, "other", Attributes::default()).await;

    for (at, expected) in [("private", true), ("other", false)] {
        let looked_up = place.stat(at).await.and_then(|file| file.is_private);
        assert_eq!(looked_up, Some(expected), "{at}");
        let listed = place.files("").await.into_iter().find(|file| file.path.as_str() == at);
        assert_eq!(listed.and_then(|file| file.is_private), Some(expected), "{at}");
    }
}

pub(crate) async fn access_is_that_of_the_time_of_the_write_by_any_call(place: &Place) {
    place.keep_attributes().set_access(Access::Group);
    place.store("a", "one").await;
    place.store("_mirror/log/0000000/0000000001.json", "one").await;
    place.keep_attributes().set_access(Access::World);
    place.store("b", "one").await;

    assert_eq!(place.access("a"), Some(Access::Group));
    assert_eq!(place.access("_mirror/log/0000000/0000000001.json"), Some(Access::Group));
    assert_eq!(place.access("b"), Some(Access::World));
}

pub(crate) async fn file_has_no_attributes_of_the_one_that_it_replaces(place: &Place) {
    place.keep_attributes().set_access(Access::Group);
    store(place, "a", Attributes { modified: Some(last_year()), ..PRIVATE }).await;

    place.store("a", "text").await;

    assert_eq!(place.access("a"), Some(Access::Group));
    assert!(modified(place, "a").await > last_year());
}

pub(crate) async fn refused_write_changes_no_attributes(place: &Place) {
    place.keep_attributes().set_access(Access::Group);
    let first = place.store("a", "one").await;
    place.store("a", "two").await;
    let before = place.stat("a").await;

    for expect in [Expect::Absent, Expect::At(first)] {
        let late =
            try_store(place, "a", Attributes { modified: Some(last_year()), ..PRIVATE }, expect);
        assert!(matches!(late.await, Ok(Guarded::Refused)));
    }

    assert_eq!(place.stat("a").await, before);
    assert_eq!(place.access("a"), Some(Access::Group));
}
