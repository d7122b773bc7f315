//! A project that a person paused does nothing by itself, and all that it is told to.

use std::fs;

use super::*;

fn text(world: &World, path: &str) -> Option<String> {
    fs::read_to_string(world.at(path)).ok()
}

/// A machine whose project goes both ways by itself, and one elsewhere.
async fn by_itself(world: &World) -> (Arc<Registry>, Open, Arc<Registry>, Open) {
    let machine = machine_that_goes_round(world).await;
    set(&machine, Some("notes"), "auto", "both").await;
    let open = opened(&machine, "notes", |open| open.config.auto.mode() == AutoMode::Both).await;
    comes_to_pass("a watch", || open.is_told()).await;
    let (desk, elsewhere) = commits_elsewhere(world).await;
    (machine, open, desk, elsewhere)
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_project_knows_of_changes_and_moves_none_until_it_is_resumed() {
    let world = World::new();
    let (machine, open, desk, elsewhere) = by_itself(&world).await;
    assert!(machine.pause("notes", true).await.unwrap());
    assert!(!machine.pause("notes", true).await.unwrap(), "it was paused before");

    let head = commit(&world, &elsewhere, "theirs").await;
    fs::write(world.at("notes/mine.md"), "mine").unwrap();
    comes_to_pass("the commit", || open.project.head() == head).await;
    machine.look_at("notes", &open).await;
    let status = open.project.status(true).await.unwrap();
    assert_eq!(text(&world, "notes/a.md").as_deref(), Some("a"), "{status:?}");
    assert_eq!(open.project.head(), head);

    assert!(machine.pause("notes", false).await.unwrap());
    comes_to_pass("the file", || text(&world, "notes/a.md").as_deref() == Some("theirs")).await;
    comes_to_pass("the commit", || open.project.head() > head).await;
    assert!(!open.project.is_closed(), "nothing that runs has to end for a pause");
    desk.close().await;
    machine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_outlives_the_daemon_and_holds_up_nobody_who_asks() {
    let world = World::new();
    let (machine, open, desk, elsewhere) = by_itself(&world).await;
    machine.pause("notes", true).await.unwrap();
    machine.close().await;
    drop((machine, open));

    let machine = world.machine("laptop");
    tokio::spawn(machine.clone().make_rounds());
    let open = opened(&machine, "notes", |_| true).await;
    assert!(*open.paused().borrow());
    let head = commit(&world, &elsewhere, "theirs").await;
    comes_to_pass("the commit", || open.project.head() == head).await;
    assert_eq!(text(&world, "notes/a.md").as_deref(), Some("a"));

    fs::write(world.at("notes/mine.md"), "mine").unwrap();
    assert_eq!(push(&open).await.commit.map(|(seq, _)| seq), Some(head + 1));
    desk.close().await;
    machine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_project_sends_nothing_that_waits_for_its_backend() {
    let world = World::new();
    let (machine, open, desk, _) = by_itself(&world).await;
    machine.pause("notes", true).await.unwrap();
    fs::rename(world.at("nas"), world.at("away")).unwrap();
    fs::write(world.at("notes/mine.md"), "mine").unwrap();
    assert!(push(&open).await.commit.is_none());
    let waiting = || async { open.project.queue().await.unwrap().pushes.len() };
    assert_eq!(waiting().await, 1);

    fs::rename(world.at("away"), world.at("nas")).unwrap();
    machine.look_at("notes", &open).await;
    assert_eq!(waiting().await, 1);

    machine.pause("notes", false).await.unwrap();
    comes_to_pass("the push", || text(&world, "nas/mine.md").is_some()).await;
    desk.close().await;
    machine.close().await;
}
