//! What a rename moves, and what it never replaces.

use futures::future::join_all;
use mirror_storage::Guarded;

use super::place::Place;

const ASIDE: &str = "_mirror/aside/machine/01J0/notes/a.txt";

pub(crate) async fn rename_moves_the_whole_file(place: &Place) {
    place.store("notes/a.txt", "one").await;

    assert_eq!(place.rename("notes/a.txt", ASIDE).await, Guarded::Done(()));

    assert_eq!(place.names("").await, [""; 0]);
    assert_eq!(place.content(ASIDE).await, "one");
    let made_again = place.store_if("notes", "two", mirror_storage::Expect::Absent).await;
    assert!(matches!(made_again, Guarded::Done(_)));
}

pub(crate) async fn rename_never_replaces(place: &Place) {
    place.store("a", "one").await;
    place.store("b", "two").await;

    assert_eq!(place.rename("a", "b").await, Guarded::Refused);

    assert_eq!(place.content("a").await, "one");
    assert_eq!(place.content("b").await, "two");
}

pub(crate) async fn rename_of_a_missing_file_is_refused(place: &Place) {
    place.store("folder/a", "one").await;

    assert_eq!(place.rename("missing", "b").await, Guarded::Refused);
    assert_eq!(place.rename("missing/too", "c/d").await, Guarded::Refused);
    assert_eq!(place.rename("folder", "e").await, Guarded::Refused);

    assert_eq!(place.names("").await, ["folder/a"]);
}

pub(crate) async fn one_of_many_renames_to_a_name_is_done(place: &Place) {
    for round in 0..20 {
        let target = format!("{round}/target");
        let sources: Vec<_> = (0..8).map(|n| format!("{round}/source-{n}")).collect();
        for source in &sources {
            place.store(source, source.clone()).await;
        }

        let tasks = sources.iter().cloned().map(|source| {
            let (place, target) = (place.clone(), target.clone());
            tokio::spawn(async move { (place.rename(&source, &target).await, source) })
        });
        let ends = join_all(tasks).await.into_iter().map(|end| end.expect("no panic"));
        let winners: Vec<_> = ends.filter(|(end, _)| *end == Guarded::Done(())).collect();

        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(place.content(&target).await, winners[0].1);
        assert_eq!(place.names(&round.to_string()).await.len(), 8);
    }
}
