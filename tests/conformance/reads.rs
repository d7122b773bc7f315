//! What a read and a lookup give.

use mirror_storage::ByteRange;

use super::place::{Place, varied};

pub(crate) async fn missing_file_is_none(place: &Place) {
    place.store("there/a", "one").await;

    for missing in ["a", "there/b", "there/a/b", "no/such/folder"] {
        assert_eq!(place.stat(missing).await, None, "{missing}");
        assert_eq!(place.bytes(missing).await, None, "{missing}");
    }
}

pub(crate) async fn folder_is_no_file(place: &Place) {
    place.store("folder/inner/a", "one").await;

    for folder in ["", "folder", "folder/inner"] {
        assert_eq!(place.stat(folder).await, None, "{folder}");
        assert_eq!(place.bytes(folder).await, None, "{folder}");
    }
}

pub(crate) async fn range_gives_its_bytes(place: &Place) {
    place.store("a", "0123456789").await;

    reads(place, (0, Some(3)), "012").await;
    reads(place, (4, Some(2)), "45").await;
    reads(place, (7, None), "789").await;
    reads(place, (0, None), "0123456789").await;
    reads(place, (5, Some(0)), "").await;
}

pub(crate) async fn range_past_the_end_gives_what_there_is(place: &Place) {
    place.store("a", "0123456789").await;

    reads(place, (8, Some(100)), "89").await;
    reads(place, (10, Some(1)), "").await;
    reads(place, (10, None), "").await;
    reads(place, (99, Some(1)), "").await;
    reads(place, (8, Some(u64::MAX)), "89").await;
}

pub(crate) async fn empty_file_reads_as_no_bytes(place: &Place) {
    place.store("a", "").await;

    reads(place, (0, None), "").await;
    reads(place, (0, Some(5)), "").await;
    assert_eq!(place.stat("a").await.map(|file| file.size), Some(0));
    assert_eq!(place.names("").await, ["a"]);
}

async fn reads(place: &Place, (start, len): (u64, Option<u64>), expected: &str) {
    let range = ByteRange { start, len };
    let bytes = place.range("a", range).await.expect("the file is there");
    assert_eq!(String::from_utf8_lossy(&bytes), expected, "{range:?}");
}

pub(crate) async fn range_in_a_large_file_gives_its_bytes(place: &Place) {
    let bytes = varied(3_000_000);
    place.store("a", bytes.clone()).await;

    let range = ByteRange { start: 1_234_567, len: Some(1_500_000) };
    let read = place.range("a", range).await.expect("the file is there");

    assert!(read == bytes[1_234_567..2_734_567]);
}
