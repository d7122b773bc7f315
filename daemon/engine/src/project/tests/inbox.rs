//! The inbox: what others did, for each reader from where it stopped (S7).

use mirror_core::Timestamp;
use mirror_core::readers::{Read, Spans};

use super::*;
use crate::data::notices::Journal;
use crate::project::tests::outside_edits::agreed;

async fn look(machine: &Machine, reader: &str) -> Inbox {
    machine.project().inbox(reader, false, None).await.unwrap()
}

/// Reads all there is, as a client that shows it does.
async fn reads(machine: &Machine, reader: &str) -> Vec<u64> {
    let inbox = look(machine, reader).await;
    machine.project().confirm_inbox(reader, &inbox.shown).await.unwrap();
    commits(&inbox)
}

fn commits(inbox: &Inbox) -> Vec<u64> {
    inbox.events.iter().map(|commit| commit.seq).collect()
}

/// Pushes one more version of a file.
async fn changes(machine: &Machine, path: &str, content: &str) {
    machine.writes(path, content);
    machine.pushes().await;
}

/// Two machines; the person at the laptop knows of the project's beginning.
async fn two() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    assert_eq!(reads(&laptop, "person").await, [1], "somebody else began it");
    (world, laptop, desktop)
}

#[tokio::test]
async fn commits_of_others_are_told_to_each_reader_once() {
    let (_world, laptop, desktop) = two().await;
    changes(&laptop, "a.md", "milk").await;
    changes(&desktop, "b.md", "tea").await;

    assert_eq!(reads(&laptop, "person").await, [3]);
    assert_eq!(reads(&laptop, "person").await, Vec::<u64>::new());
    assert_eq!(reads(&laptop, "bot").await, [1, 3], "nobody's reading moves another's place");

    changes(&desktop, "b.md", "more tea").await;
    assert_eq!(reads(&laptop, "person").await, [4]);
    assert_eq!(reads(&desktop, "person").await, [1, 2]);
}

#[tokio::test]
async fn what_was_not_shown_is_told_again_also_after_a_restart() {
    let (_world, mut laptop, desktop) = two().await;
    changes(&desktop, "b.md", "tea").await;

    assert_eq!(commits(&look(&laptop, "person").await), [2]);
    laptop.open().await.unwrap();
    assert_eq!(reads(&laptop, "person").await, [2]);
    laptop.open().await.unwrap();
    assert_eq!(reads(&laptop, "person").await, Vec::<u64>::new());
}

#[tokio::test]
async fn peek_moves_nothing_and_remembers_nobody() {
    let (_world, laptop, desktop) = two().await;
    changes(&desktop, "b.md", "tea").await;
    let before = laptop.all_that_is_kept();
    for _ in 0..2 {
        for (reader, unread) in [("person", vec![2]), ("bot", vec![1, 2])] {
            let inbox = laptop.project().inbox(reader, true, None).await.unwrap();
            assert_eq!(commits(&inbox), unread);
        }
    }
    let readers = |files: BTreeMap<String, Vec<u8>>| -> Vec<_> {
        files.into_iter().filter(|(name, _)| name.contains("readers")).collect()
    };
    assert_eq!(readers(laptop.all_that_is_kept()), readers(before));
}

/// Where the design lets one begin: the newest twenty, and what is not here yet.
#[tokio::test]
async fn reader_that_comes_new_begins_with_the_newest_and_what_is_not_here() {
    let (_world, laptop, desktop) = two().await;
    changes(&desktop, "early.md", "not fetched").await;
    for round in 0..25 {
        changes(&desktop, "b.md", &format!("tea {round}")).await;
    }
    let scope = Scope { names: vec!["b.md".to_owned()] };
    laptop.runs(Job::Pull { scope }).await.unwrap();

    let told = reads(&laptop, "bot").await;

    assert_eq!(told[0], 2, "what is not in this tree yet");
    assert_eq!(told[1..], (8..=27).collect::<Vec<_>>());
    changes(&desktop, "b.md", "last").await;
    assert_eq!(reads(&laptop, "bot").await, [28]);
}

#[tokio::test]
async fn more_than_fits_is_counted_and_comes_next() {
    let (_world, laptop, desktop) = two().await;
    for round in 0..105 {
        changes(&desktop, "b.md", &format!("tea {round}")).await;
    }

    let inbox = look(&laptop, "person").await;
    assert_eq!((inbox.events.len(), inbox.events[0].seq, inbox.unread), (100, 2, 5));
    laptop.project().confirm_inbox("person", &inbox.shown).await.unwrap();
    let rest = look(&laptop, "person").await;
    assert_eq!((commits(&rest), rest.unread), ((102..=106).collect(), 0));
}

#[tokio::test]
async fn answers_that_are_confirmed_out_of_order_lose_nothing() {
    let (_world, laptop, desktop) = two().await;
    changes(&desktop, "b.md", "tea").await;
    let early = look(&laptop, "person").await;
    changes(&desktop, "b.md", "more tea").await;
    let late = Read { commits: Spans::from(vec![(3, 3)]), notices: Spans::default() };

    laptop.project().confirm_inbox("person", &late).await.unwrap();
    assert_eq!(commits(&look(&laptop, "person").await), [2]);
    laptop.project().confirm_inbox("person", &early.shown).await.unwrap();
    assert_eq!(reads(&laptop, "person").await, Vec::<u64>::new());
}

#[tokio::test]
async fn conflicts_are_told_as_long_as_they_wait() {
    let (_world, laptop, desktop) = two().await;
    changes(&laptop, "a.md", "milk").await;
    desktop.syncs().await;
    changes(&desktop, "a.md", "tea").await;
    laptop.writes("a.md", "coffee");
    laptop.syncs().await;

    for _ in 0..2 {
        let inbox = look(&laptop, "person").await;
        assert_eq!(inbox.conflicts, [rel("a.md")]);
        laptop.project().confirm_inbox("person", &inbox.shown).await.unwrap();
    }
    laptop.writes("a.md", "tea");
    assert_eq!(look(&laptop, "person").await.conflicts, Vec::<RelPath>::new());
}

#[tokio::test]
async fn edits_of_the_plain_files_are_nobody_s_here() {
    let (world, laptop, _) = agreed(MemoryProfile::RENAME).await;
    reads(&laptop, "person").await;
    world.plant("a.md", "written on the NAS, by somebody who does not run this\n");
    world.advance(Duration::from_secs(10));
    laptop.syncs().await;
    let log = laptop.log().await;

    let inbox = look(&laptop, "person").await;

    let action = |seq: u64| log[usize::try_from(seq).unwrap() - 1].action;
    let actions: Vec<_> = commits(&inbox).into_iter().map(action).collect();
    assert_eq!(actions, [Some(mirror_core::commit::Action::External)], "{inbox:?}");
}

fn notice(message: &str) -> Notice {
    let (kind, time) = (NoticeKind::ViewUnreadable, Timestamp(0));
    Notice { kind, path: None, message: message.to_owned(), time, stash: None }
}

/// What is told, and dealt with from then on.
async fn notices(machine: &Machine, reader: &str) -> Vec<String> {
    let inbox = look(machine, reader).await;
    machine.project().confirm_inbox(reader, &inbox.shown).await.unwrap();
    inbox.notices.into_iter().map(|notice| notice.message).collect()
}

#[tokio::test]
async fn notices_are_told_to_each_reader_once_also_after_one_that_had_no_room() {
    let (_world, mut laptop, _) = two().await;
    let mut journal = Journal::load(&laptop.parts()).await.unwrap();
    journal.add(&notice("first"), false).await;
    laptop.open().await.unwrap();
    assert_eq!(notices(&laptop, "person").await, ["first"]);
    assert_eq!(notices(&laptop, "person").await, Vec::<String>::new());

    let in_the_way = laptop.home.path().join("data/notices/0000000002.json");
    fs::create_dir_all(in_the_way.join("x")).unwrap();
    journal.add(&notice("no room"), false).await;
    fs::remove_dir_all(in_the_way).unwrap();
    laptop.open().await.unwrap();
    assert_eq!(notices(&laptop, "person").await, Vec::<String>::new());
    // As a daemon does that was started anew meanwhile.
    journal.add(&notice("second"), false).await;
    laptop.open().await.unwrap();
    assert_eq!(notices(&laptop, "person").await, ["second"], "its number was not dealt with");
    assert_eq!(notices(&laptop, "bot").await, ["first", "second"]);
}

#[tokio::test]
async fn backend_that_is_away_leaves_what_is_known_here() {
    let (_world, laptop, desktop) = two().await;
    changes(&desktop, "b.md", "tea").await;
    laptop.project().poll().await.unwrap();
    laptop.backend.refuse(|_, _| true);

    let inbox = look(&laptop, "person").await;

    assert_eq!(commits(&inbox), [2]);
    assert!(inbox.fault.is_some());
}

#[tokio::test]
async fn name_of_a_reader_is_plain() {
    let (_world, laptop, _) = two().await;
    for name in ["", "../x", "a b", &"x".repeat(65)] {
        let refused = laptop.project().inbox(name, false, None).await;
        assert!(refused.is_err(), "{name}");
    }
}
