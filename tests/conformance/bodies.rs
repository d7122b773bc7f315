//! What becomes of a body, complete or not.

use bytes::Bytes;
use mirror_storage::{Body, Expect, Guarded, StorageError};

use super::place::{Place, streamed, varied};

pub(crate) async fn short_body_fails_and_leaves_nothing(place: &Place) {
    let body = streamed(10, vec![Ok("123456789".into())]);
    fails_and_leaves_nothing(place, &body).await;
}

pub(crate) async fn long_body_fails_and_leaves_nothing(place: &Place) {
    let body = streamed(10, vec![Ok("1234567890".into()), Ok("1".into())]);
    fails_and_leaves_nothing(place, &body).await;
}

pub(crate) async fn broken_body_fails_and_leaves_nothing(place: &Place) {
    let body = streamed(10, vec![Ok("12345".into()), Err("the cable came out")]);
    fails_and_leaves_nothing(place, &body).await;
}

async fn fails_and_leaves_nothing(place: &Place, body: &Body) {
    for expect in [Expect::Absent, Expect::Anything] {
        let stored = place.try_store("notes/a.txt", body.clone(), expect).await;

        assert!(matches!(stored, Err(StorageError::Source { .. })), "{stored:?}");
        place.holds_nothing().await;
    }
}

pub(crate) async fn failed_replacement_keeps_the_old_content(place: &Place) {
    let revision = place.store("a.txt", "one").await;
    let body = streamed(3, vec![Ok("tw".into())]);

    for expect in [Expect::Anything, Expect::At(revision)] {
        let stored = place.try_store("a.txt", body.clone(), expect).await;

        assert!(stored.is_err(), "{stored:?}");
        assert_eq!(place.content("a.txt").await, "one");
    }
}

pub(crate) async fn large_body_arrives_byte_for_byte(place: &Place) {
    let bytes = varied(9_000_001);
    let chunks = bytes.chunks(77_777).map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
    let body = streamed(9_000_001, chunks.collect());

    let stored = place.store_if("large", body, Expect::Absent).await;

    assert!(matches!(stored, Guarded::Done(_)));
    assert!(place.bytes("large").await.is_some_and(|read| read == bytes));
    assert_eq!(place.stat("large").await.map(|file| file.size), Some(9_000_001));
}
