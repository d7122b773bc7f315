//! What a copy at the far end makes of a part of a file.

use mirror_storage::{Expect, Guarded, NewFile, StorageError, Stored, StoredRange};

use super::place::{Place, new_file, path, varied};

const PACK: &str = "_mirror/packs/7Q/01ARZ3NDEKTSV4RRFFQ69G5F7Q.zip";

/// Where the part begins that is copied.
const START: u64 = 1_000;

/// Stores a pack that is long enough for copies, and tells how long one may be.
async fn packed(place: &Place) -> (Vec<u8>, u64) {
    let len = place.copy_range().least().max(70_000);
    let pack = varied(usize::try_from(START + len + 500).expect("it fits in memory"));
    place.store(PACK, pack.clone()).await;
    (pack, len)
}

async fn copy(place: &Place, (start, len): (u64, u64), file: NewFile) -> Stored {
    let range = StoredRange { path: path(PACK), start, len };
    place.copy_range().copy(&range, &file).await
}

pub(crate) async fn copied_range_is_a_file_of_its_own(place: &Place) {
    let (pack, len) = packed(place).await;
    let before = place.stat(PACK).await;
    let end = usize::try_from(START + len).expect("it fits in memory");
    let part = &pack[usize::try_from(START).expect("small")..end];

    let copied = copy(place, (START, len), new_file("notes/photo", Expect::Absent)).await;

    let file = place.stat("notes/photo").await.expect("it is there");
    assert_eq!(file.size, len);
    assert_eq!(copied.ok(), Some(Guarded::Done(file.revision)));
    assert!(place.bytes("notes/photo").await.as_deref() == Some(part));
    assert_eq!(place.stat(PACK).await, before);
    assert!(place.bytes(PACK).await.as_ref() == Some(&pack));
    place.remove(PACK).await;
    assert!(place.bytes("notes/photo").await.as_deref() == Some(part), "it went with its pack");
}

pub(crate) async fn range_that_is_not_there_makes_no_copy(place: &Place) {
    let (pack, len) = packed(place).await;
    let whole = pack.len() as u64;
    let file = || new_file("notes/photo", Expect::Absent);

    for range in [(whole - len + 1, len), (whole + 1, len), (START, u64::MAX)] {
        let copied = copy(place, range, file()).await;
        assert!(copied.is_err(), "{range:?}: {copied:?}");
    }
    place.remove(PACK).await;
    let copied = copy(place, (START, len), file()).await;
    assert!(copied.is_err(), "{copied:?}");

    place.holds_nothing().await;
}

pub(crate) async fn copy_is_guarded_as_a_write_is(place: &Place) {
    let (_, len) = packed(place).await;
    let first = place.store("taken", "one").await;
    place.store("taken", "two").await;

    for expect in [Expect::Absent, Expect::At(first)] {
        let copied = copy(place, (START, len), new_file("taken", expect)).await;
        assert!(matches!(copied, Ok(Guarded::Refused)), "{copied:?}");
    }
    let below = copy(place, (START, len), new_file("taken/below", Expect::Anything)).await;
    assert!(matches!(below, Err(StorageError::Rejected { .. })), "{below:?}");

    assert_eq!(place.names("").await, ["taken"]);
    assert_eq!(place.content("taken").await, "two");
}

pub(crate) async fn copy_takes_the_place_of_a_file_where_it_may(place: &Place) {
    let (_, len) = packed(place).await;
    place.store("photo", "old").await;

    let copied = copy(place, (START, len), new_file("photo", Expect::Anything)).await;

    assert!(matches!(copied, Ok(Guarded::Done(_))), "{copied:?}");
    assert_eq!(place.stat("photo").await.map(|file| file.size), Some(len));
    assert_eq!(place.names("").await, ["photo"]);
}
