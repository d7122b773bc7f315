//! What other machines send while a push waits.

use super::queueing::*;
use super::replies::creates;
use super::*;

#[tokio::test]
async fn other_machines_files_do_not_hinder_a_queued_push() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    desktop.writes("other.md", "coffee");
    desktop.pushes().await;

    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]));
    converge(&laptop, &desktop).await;
    assert_eq!(laptop.reads("other.md").as_deref(), Some("coffee"));
}

#[tokio::test]
async fn version_that_another_machine_sent_meanwhile_is_not_sent_again() {
    let (world, laptop, desktop) = story().await;
    for machine in [&laptop, &desktop] {
        machine.writes("list.md", "eggs");
        machine.removes("gone.md");
    }
    queues(&laptop).await;
    laptop.writes("list.md", "later");
    queues(&laptop).await;
    desktop.pushes().await;

    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs", "later"]));
    converge(&laptop, &desktop).await;
    assert_eq!((world.head(), laptop.stashed()), (4, vec![]));
}

#[tokio::test]
async fn queued_version_is_merged_with_what_another_machine_sent_meanwhile() {
    for edits_on in [false, true] {
        let (world, laptop, desktop) = story().await;
        laptop.writes("list.md", "MILK\n\nbread\n");
        queues(&laptop).await;
        if edits_on {
            laptop.writes("list.md", "MILK\n\nbread\n\njam\n");
        }
        desktop.writes("list.md", "milk\n\nBREAD\n");
        desktop.pushes().await;

        round(&laptop).await;

        let merged = "MILK\n\nBREAD\n";
        assert_eq!(versions(&world, "list.md").last(), digests(&[merged]).last());
        let inputs = &world.commit(4).resolved[0].inputs;
        let queued = Digest::of(b"MILK\n\nbread\n");
        assert!(inputs.iter().any(|input| input.sha256 == queued));
        assert_eq!(laptop.unsettled().await.len(), 1, "the result comes with a sync");
        if !edits_on {
            converge(&laptop, &desktop).await;
            assert_eq!(laptop.reads("list.md").as_deref(), Some(merged));
            assert_eq!(world.head(), 4);
        }
    }
}

#[tokio::test]
async fn queued_version_that_does_not_merge_is_the_conflict_of_its_path() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.writes("other.md", "coffee");
    queues(&laptop).await;
    desktop.writes("list.md", "flour");
    desktop.pushes().await;

    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["flour"]));
    assert_eq!(versions(&world, "other.md")[1..], digests(&["coffee"]), "the rest is sent");
    assert_eq!(spool(&laptop), (0, 0));
    assert_eq!(laptop.reads("list.md").as_deref(), Some("eggs"));
    let report = laptop.syncs().await;
    assert_eq!((report.conflicts.as_slice(), failed(&report)), (&[rel("list.md")][..], vec![]));
    // It said "queued", so it is kept even from whoever edits the conflict.
    laptop.writes("list.md", "other eggs");
    laptop.syncs().await;
    let stashed = ("list.md".to_owned(), "queue".to_owned(), "eggs".to_owned());
    assert_eq!(laptop.stashed(), [stashed]);
}

#[tokio::test]
async fn queued_version_without_a_place_goes_to_the_stash() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    laptop.writes("list.md", "milk\n\nbread\n");
    desktop.writes("list.md", "flour");
    desktop.pushes().await;
    laptop.backend.plug_in();

    let report = laptop.pushes().await;

    let stashed = ("list.md".to_owned(), "queue".to_owned(), "eggs".to_owned());
    assert_eq!(laptop.stashed(), [stashed]);
    assert_eq!(failed(&report), ["list.md"], "it is told of");
    assert_eq!((spool(&laptop), world.head()), ((0, 0), 3));
    converge(&laptop, &desktop).await;
    assert_eq!(laptop.reads("list.md").as_deref(), Some("flour"));
}

#[tokio::test]
async fn queued_deletion_loses_to_an_edit_and_a_queued_edit_wins_over_a_deletion() {
    let (world, laptop, desktop) = story().await;
    laptop.removes("gone.md");
    laptop.writes("other.md", "coffee");
    queues(&laptop).await;
    desktop.writes("gone.md", "edited");
    desktop.removes("other.md");
    desktop.pushes().await;

    round(&laptop).await;
    converge(&laptop, &desktop).await;

    assert_eq!(desktop.reads("gone.md").as_deref(), Some("edited"));
    assert_eq!(desktop.reads("other.md").as_deref(), Some("coffee"));
    assert_eq!(world.head(), 4);
}

#[tokio::test]
async fn name_that_can_not_stand_beside_another_keeps_no_other_waiting() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("Twin.md", "here");
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    desktop.writes("twin.md", "there");
    desktop.pushes().await;

    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]));
    assert_eq!(versions(&world, "Twin.md"), []);
    assert_eq!(spool(&laptop), (0, 0));
    assert_eq!(laptop.reads("Twin.md").as_deref(), Some("here"));
}

#[tokio::test]
async fn deletion_comes_after_what_was_queued_before_it() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("gone.md", "newer");
    queues(&laptop).await;
    // Taken back; the queued version is history all the same.
    laptop.writes("gone.md", "old");
    laptop.backend.plug_in();
    let job = || {
        let scope = Scope { names: vec!["gone.md".to_owned()] };
        Job::Delete { scope, keep_local: false, message: None }
    };

    let refused = laptop.runs(job()).await.unwrap();

    assert_eq!(failed(&refused), ["gone.md"], "it was sent, and is edited again");
    laptop.pushes().await;
    assert_eq!(failed(&laptop.runs(job()).await.unwrap()), [""; 0]);
    converge(&laptop, &desktop).await;
    assert_eq!((desktop.reads("gone.md"), world.text("gone.md")), (None, None));
}

#[tokio::test]
async fn edit_queued_while_a_part_of_the_queue_is_out_follows_the_rest() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    laptop.writes("list.md", "more eggs");
    queues(&laptop).await;
    laptop.removes("list.md");
    queues(&laptop).await;
    // The first of them gets through.
    laptop.backend.plug_in();
    laptop.backend.refuse(|verb, path| verb == "write" && path == entry_path(4));
    laptop.writes("list.md", "flour");
    let report = laptop.pushes().await;
    assert!(report.queued && world.head() == 3, "{report:?}");
    laptop.writes("list.md", "more flour");

    round(&laptop).await;

    let mut news = digests(&["eggs", "more eggs", "", "flour"]);
    news[2] = None;
    assert_eq!(versions(&world, "list.md")[1..], news);
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("list.md").as_deref(), Some("more flour"));
}

#[tokio::test]
async fn edit_queued_after_an_unseen_append_was_found_follows_what_is_queued() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.backend.plug_in();
    let is_third = |_: &str, path: &str| path == entry_path(3);
    laptop.backend.lose_reply_of(is_third);
    queues(&laptop).await;
    laptop.writes("list.md", "more eggs");
    queues(&laptop).await;
    // The append is found to stand; nothing more gets through.
    laptop.backend.plug_in();
    laptop.backend.refuse(|verb, path| verb == "write" && path == entry_path(4));
    laptop.writes("list.md", "flour");
    let report = laptop.pushes().await;
    assert!(report.queued && world.head() == 3, "{report:?}");
    laptop.writes("list.md", "more flour");
    laptop.pushes().await;

    round(&laptop).await;

    let news = digests(&["eggs", "more eggs", "flour", "more flour"]);
    assert_eq!(versions(&world, "list.md")[1..], news);
    converge(&laptop, &desktop).await;
}

#[tokio::test]
async fn version_queued_behind_an_open_append_follows_it_however_late_that_is_found() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.backend.plug_in();
    laptop.backend.before(creates(3), {
        let (backend, file) = (laptop.backend.clone(), laptop.root("list.md"));
        async move {
            // It lands, and nothing can be asked afterwards.
            backend.refuse(|verb, _| verb == "read");
            backend.lose_reply_of(creates(3));
            fs::write(file, "more eggs").unwrap();
        }
    });
    queues(&laptop).await;
    unplug(&laptop);
    // The append is as open as before when more is queued.
    laptop.writes("list.md", "flour");
    queues(&laptop).await;

    round(&laptop).await;

    let news = digests(&["eggs", "more eggs", "flour"]);
    assert_eq!(versions(&world, "list.md")[1..], news);
    assert_eq!(laptop.stashed(), []);
    converge(&laptop, &desktop).await;
}

#[tokio::test]
async fn edit_queued_once_another_machine_has_sent_the_same_follows_the_rest() {
    let (world, laptop, desktop) = story().await;
    for text in ["eggs", "flour"] {
        laptop.writes("list.md", text);
        queues(&laptop).await;
    }
    desktop.writes("list.md", "eggs");
    desktop.pushes().await;
    // What the desktop sent is read, and nothing gets out.
    laptop.backend.refuse(|verb, _| verb == "write");
    laptop.project().poll().await.unwrap();
    assert_eq!(spool(&laptop), (1, 1), "the first of them is there already");
    laptop.writes("list.md", "more flour");
    queues(&laptop).await;

    round(&laptop).await;

    let news = digests(&["eggs", "flour", "more flour"]);
    assert_eq!(versions(&world, "list.md")[1..], news);
    converge(&laptop, &desktop).await;
}
