//! Which names a place has to take as they are.

use super::place::Place;

/// Names that some service or encoding is known to trip over.
const UNUSUAL: [&str; 20] = [
    "100%.txt",
    "50%20off",
    "#1 hash",
    "a b  c ",
    " leading space",
    "a+b&c=d;e",
    "it's \"quoted\"",
    "back\\slash",
    "caf\u{e9}",
    "e\u{301}toile",
    "日本語/ファイル.md",
    "🦀.rs",
    "עברית",
    ".hidden/.file",
    "..twice",
    "dots...",
    "~tilde$`{}[]()!^@,",
    "question?*<>|:",
    "new\nline\ttab",
    "-rf",
];

pub(crate) async fn unusual_names_come_back_as_they_went(place: &Place) {
    for name in UNUSUAL {
        place.store(name, name.to_owned()).await;
    }

    for name in UNUSUAL {
        assert_eq!(place.content(name).await, name);
    }
    let mut sorted = UNUSUAL;
    sorted.sort_unstable();
    assert_eq!(place.names("").await, sorted);
}

pub(crate) async fn longest_segment_is_accepted(place: &Place) {
    let longest = "x".repeat(255);
    let name = format!("{longest}/{longest}");

    place.store(&name, "content").await;

    assert_eq!(place.content(&name).await, "content");
    assert_eq!(place.names("").await, [name]);
}

pub(crate) async fn deep_path_is_accepted(place: &Place) {
    let name = format!("{}end", "d/".repeat(500));

    place.store(&name, "content").await;

    assert_eq!(place.content(&name).await, "content");
    assert_eq!(place.names("d/d").await, std::slice::from_ref(&name));
    place.remove(&name).await;
    place.holds_nothing().await;
}

pub(crate) async fn names_that_differ_in_normalization_are_two_files(place: &Place) {
    place.store("caf\u{e9}", "composed").await;
    place.store("cafe\u{301}", "decomposed").await;

    assert_eq!(place.content("caf\u{e9}").await, "composed");
    assert_eq!(place.content("cafe\u{301}").await, "decomposed");
    assert_eq!(place.names("").await.len(), 2);
}
