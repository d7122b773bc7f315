//! What the data folder holds of queued pushes, on a disk that fails.

use super::queueing::*;
use super::*;

/// Queues a version of `list.md` that no other place holds by now.
async fn queued() -> (World, Machine, Machine) {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.writes("new.md", "new");
    queues(&laptop).await;
    laptop.writes("list.md", "milk\n\nbread\n");
    (world, laptop, desktop)
}

fn content_of(machine: &Machine, text: &str) -> PathBuf {
    let content = Digest::of(text.as_bytes());
    machine.home.path().join("data/queue").join(content.to_string())
}

/// What the laptop's own push tells once the backend is back.
async fn sends(laptop: &Machine) -> Report {
    laptop.backend.plug_in();
    laptop.tries_push(&["other.md"]).await.unwrap()
}

#[tokio::test]
async fn content_that_could_not_be_read_once_is_sent_by_a_later_round() {
    let (world, laptop, _desktop) = queued().await;
    laptop.room.fails_once();

    round(&laptop).await;
    assert_eq!((world.head(), spool(&laptop)), (2, (1, 2)), "all of it stays queued");
    world.advance(Duration::from_hours(1));
    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]));
    assert_eq!(versions(&world, "new.md"), digests(&["new"]));
    assert_eq!((waiting(&laptop).await, spool(&laptop)), (None, (0, 0)));
}

#[tokio::test]
async fn content_that_was_damaged_goes_to_the_stash_and_the_others_are_sent() {
    let (world, laptop, _desktop) = queued().await;
    fs::write(content_of(&laptop, "eggs"), "eggz").unwrap();

    let report = sends(&laptop).await;

    assert_eq!(failed(&report), ["list.md"], "{report:?}");
    let stashed = ("list.md".to_owned(), "queue".to_owned(), "eggz".to_owned());
    assert_eq!(laptop.stashed(), [stashed]);
    assert!(report.failed[0].message.contains("in the stash as"), "{report:?}");
    assert_eq!(versions(&world, "new.md"), digests(&["new"]));
    assert_eq!(spool(&laptop), (0, 0));
}

#[tokio::test]
async fn content_that_is_gone_is_told_of_wherever_its_push_ends() {
    for changed_elsewhere in [false, true] {
        let (world, laptop, desktop) = queued().await;
        fs::remove_file(content_of(&laptop, "eggs")).unwrap();
        if changed_elsewhere {
            desktop.writes("list.md", "flour");
            desktop.pushes().await;
        }

        let report = sends(&laptop).await;

        assert_eq!(failed(&report), ["list.md"], "{report:?}");
        assert!(report.failed[0].message.contains("gone"), "{report:?}");
        assert_eq!(versions(&world, "new.md"), digests(&["new"]));
        assert_eq!(spool(&laptop), (0, 0));
    }
}

#[tokio::test]
async fn content_that_a_record_names_and_is_gone_is_kept_anew() {
    let (world, laptop, _desktop) = queued().await;
    fs::remove_file(content_of(&laptop, "eggs")).unwrap();
    laptop.writes("copy.md", "eggs");

    queues(&laptop).await;
    round(&laptop).await;

    assert_eq!(versions(&world, "copy.md"), digests(&["eggs"]));
    assert_eq!(versions(&world, "list.md")[1..2], digests(&["eggs"]));
}
