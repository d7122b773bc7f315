//! What becomes of files that are stored together.

use futures::future::join_all;
use mirror_storage::{Body, Expect, Guarded, NewFile, StorageError, Stored};

use super::place::{Place, new_file, streamed};

const FILES: usize = 60;

/// Files in several folders, each with a text of its own.
fn files(expect: &Expect, text: &str) -> Vec<(NewFile, Body)> {
    let file = |number| {
        let path = format!("{}/{number}.md", number % 7);
        (new_file(&path, expect.clone()), Body::from(format!("{text} {number}")))
    };
    (0..FILES).map(file).collect()
}

#[track_caller]
fn is_done(stored: &Stored) {
    assert!(matches!(stored, Ok(Guarded::Done(_))), "{stored:?}");
}

pub(crate) async fn files_stored_together_are_all_there(place: &Place) {
    place.store("3/3.md", "old").await;

    let stored = place.store_many(files(&Expect::Anything, "new")).await;

    assert_eq!(stored.len(), FILES);
    assert_eq!(place.files("").await.len(), FILES);
    for (number, stored) in stored.into_iter().enumerate() {
        let at = format!("{}/{number}.md", number % 7);
        let file = place.stat(&at).await.expect("it is there");
        assert_eq!(stored.ok(), Some(Guarded::Done(file.revision)), "{at}");
        assert_eq!(place.content(&at).await, format!("new {number}"));
    }
}

pub(crate) async fn each_of_many_files_ends_by_itself(place: &Place) {
    place.store("taken", "theirs").await;
    let file = |at, expect| (new_file(at, expect), Body::from("ours"));
    let short = (new_file("short", Expect::Anything), streamed(9, vec![Ok("four".into())]));

    let stored = place
        .store_many(vec![
            file("first", Expect::Absent),
            file("taken", Expect::Absent),
            file("taken/below", Expect::Anything),
            short,
            file("last", Expect::Anything),
        ])
        .await;

    let [first, taken, below, short, last] = stored.as_slice() else { panic!("{stored:?}") };
    is_done(first);
    assert!(matches!(taken, Ok(Guarded::Refused)), "{taken:?}");
    assert!(matches!(below, Err(StorageError::Rejected { .. })), "{below:?}");
    assert!(matches!(short, Err(StorageError::Source { .. })), "{short:?}");
    is_done(last);
    assert_eq!(place.names("").await, ["first", "last", "taken"]);
    assert_eq!(place.content("taken").await, "theirs");
}

pub(crate) async fn each_name_is_given_to_one_of_many_groups(place: &Place) {
    let groups = (0..4).map(|group| {
        let place = place.clone();
        let text = format!("group {group}");
        tokio::spawn(async move { place.store_many(files(&Expect::Absent, &text)).await })
    });
    let groups: Vec<_> =
        join_all(groups).await.into_iter().map(|end| end.expect("no panic")).collect();

    for number in 0..FILES {
        let won = |stored: &[Stored]| matches!(stored[number], Ok(Guarded::Done(_)));
        let winners: Vec<_> = (0..groups.len()).filter(|group| won(&groups[*group])).collect();
        let [winner] = winners.as_slice() else { panic!("{number}: {winners:?}") };
        let content = place.content(&format!("{}/{number}.md", number % 7)).await;
        assert_eq!(content, format!("group {winner} {number}"));
    }
}
