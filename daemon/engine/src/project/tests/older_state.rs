//! A state that comes back from an older copy, beside files that are newer: it
//! knows no base better than a state that was lost (B5).

use super::*;

/// Both machines agree; the laptop's state of that moment.
async fn story() -> (World, Machine, Machine, crate::store::MemoryStore) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("a.md", "one\n\nend\n");
    converge(&laptop, &desktop).await;
    let older = laptop.store.copied();
    (world, laptop, desktop, older)
}

async fn comes_back(laptop: &mut Machine, older: crate::store::MemoryStore) {
    laptop.store.replace(older);
    laptop.open().await.unwrap();
}

#[tokio::test]
async fn file_that_came_since_is_no_conflict() {
    let (_world, mut laptop, desktop, older) = story().await;
    desktop.writes("new.md", "one\n");
    desktop.pushes().await;
    laptop.syncs().await;
    comes_back(&mut laptop, older).await;
    desktop.writes("new.md", "two\n");
    desktop.pushes().await;

    let report = laptop.syncs().await;

    assert_eq!(report.conflicts, []);
    assert_eq!(laptop.reads("new.md").as_deref(), Some("two\n"));
}

#[tokio::test]
async fn file_that_came_since_and_was_deleted_elsewhere_does_not_come_back() {
    let (world, mut laptop, desktop, older) = story().await;
    desktop.writes("new.md", "one\n");
    desktop.pushes().await;
    laptop.syncs().await;
    comes_back(&mut laptop, older).await;
    desktop.removes("new.md");
    desktop.pushes().await;

    laptop.syncs().await;

    assert_eq!(world.names(""), ["a.md".to_owned()].into());
    assert_eq!(laptop.reads("new.md").as_deref(), Some("one\n"), "and it is kept here");
    assert_eq!(laptop.unsettled().await, [("new.md".to_owned(), FileState::NewLocal)]);
}

#[tokio::test]
async fn edit_of_the_view_is_not_taken_for_one_of_what_was_seen_then() {
    let (world, mut laptop, desktop, older) = story().await;
    desktop.writes("a.md", "new\none\n\nend\n");
    desktop.pushes().await;
    laptop.syncs().await;
    comes_back(&mut laptop, older).await;
    // A person takes out again what came since, and adds something elsewhere.
    world.plant("a.md", "one\n\nend, and more\n");

    let report = laptop.syncs().await;

    assert_eq!(report.conflicts, [rel("a.md")]);
}
