//! Two machines that push at the same moment.

use super::*;

#[tokio::test]
async fn pushes_of_different_files_at_the_same_moment_both_stand() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for round in 0..100 {
        laptop.writes(&format!("laptop/{}.md", round % 10), format!("laptop {round}"));
        desktop.writes(&format!("desktop/{}.md", round % 10), format!("desktop {round}"));

        let (one, other) = futures::join!(laptop.pushes(), desktop.pushes());

        for report in [&one, &other] {
            assert_eq!((failed(report), &report.conflicts), (vec![], &vec![]), "round {round}");
        }
        let mut seqs = [one.commit.unwrap().0, other.commit.unwrap().0];
        seqs.sort_unstable();
        assert_eq!(seqs, [2 + 2 * round, 3 + 2 * round], "round {round}");
    }
    converge(&laptop, &desktop).await;

    assert_eq!(world.head(), 201, "one commit a push");
    assert_eq!(laptop.files().len(), 20);
    assert_eq!(laptop.reads("desktop/9.md").as_deref(), Some("desktop 99"));
    assert!(laptop.log().await.iter().all(|commit| commit.void.is_none()));
    assert_eq!(world.names(""), laptop.files().into_keys().collect());
}

#[tokio::test]
async fn pushes_of_one_file_at_the_same_moment_lose_neither_version() {
    for round in 0..10 {
        let world = World::new().await;
        let laptop = world.machine("laptop").await;
        let desktop = world.machine("desktop").await;
        laptop.writes("a.md", format!("laptop {round}"));
        desktop.writes("a.md", format!("desktop {round}"));

        let (one, other) = futures::join!(laptop.pushes(), desktop.pushes());

        assert_eq!(world.head(), 2);
        assert_eq!(one.conflicts.len() + other.conflicts.len(), 1);
        assert_eq!(laptop.reads("a.md"), Some(format!("laptop {round}")));
        assert_eq!(desktop.reads("a.md"), Some(format!("desktop {round}")));
        let winner = if one.commit.is_some() { "laptop" } else { "desktop" };
        assert_eq!(world.text("a.md"), Some(format!("{winner} {round}")));
    }
}

#[tokio::test]
async fn sync_and_push_at_the_same_moment_both_stand() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for round in 0..20 {
        laptop.writes("laptop.md", format!("{round}"));
        desktop.writes("desktop.md", format!("{round}"));
        let (one, other) = futures::join!(laptop.syncs(), desktop.pushes());
        assert_eq!((failed(&one), failed(&other)), (vec![], vec![]));
    }
    converge(&laptop, &desktop).await;
    assert_eq!(laptop.files().len(), 2);
    assert_eq!(world.times_committed("laptop.md").len(), 20);
    assert!(world.times_committed("laptop.md").values().all(|times| *times == 1));
}

#[tokio::test]
async fn equal_files_made_on_both_machines_are_no_conflict() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("a.md", "same");
    desktop.writes("a.md", "same");
    let (one, other) = futures::join!(laptop.pushes(), desktop.pushes());
    assert_eq!(one.conflicts.len() + other.conflicts.len(), 0);
    assert_eq!(world.head(), 2);
    converge(&laptop, &desktop).await;
}
