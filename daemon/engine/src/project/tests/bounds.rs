//! Work grows with what there is to do, and not with its square.

use futures::FutureExt;

use mirror_core::{Timestamp, Ulid};

use super::faulty::Call;
use super::queueing::{queues, unplug};
use super::reading::beside_a_push;
use super::*;
use crate::data::notices::Journal;
use crate::real::start_watch;

#[tokio::test]
async fn large_entries_are_read_one_by_one() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    for _ in 0..40 {
        world.plant(&entry_path(world.head() + 1), "no commit");
    }
    for _ in 0..40 {
        world.plant(&entry_path(world.head() + 1), vec![b'x'; 1 << 20]);
    }

    laptop.pulls().await;

    assert_eq!(laptop.project().head(), world.head());
    let most = laptop.backend.most_read_at_once();
    assert!(most < 9 << 20, "{most} bytes at once");
}

/// Everything is looked at again after ten minutes: once, and not by each question.
#[tokio::test]
async fn question_beside_a_long_job_spares_the_next_one_its_look_at_the_disk() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.watch = Some(start_watch(laptop.root(""), Vec::new(), laptop.root("../cookies")));
    laptop.open().await.unwrap();
    for number in 0..20 {
        laptop.writes(&format!("{number}/a.md"), "milk");
    }

    let asks = async {
        world.advance(Duration::from_mins(11));
        let before = laptop.tree.lists();
        laptop.project().status(false).await.unwrap();
        let first = laptop.tree.lists();
        assert!(first - before > 20, "everything is looked at");
        laptop.writes("3/a.md", "bread");
        let status = laptop.project().status(false).await.unwrap();
        let file = status.files.iter().find(|file| file.path == rel("3/a.md")).unwrap();
        assert_eq!(file.local, Some(Digest::of(b"bread")));
        assert!(laptop.tree.lists() - first < 20, "what is new alone is looked at");
    };
    beside_a_push(&laptop, asks.boxed_local()).await;

    laptop.syncs().await;
    assert_eq!(world.text("3/a.md").as_deref(), Some("bread"));
}

#[tokio::test]
async fn files_of_machines_are_read_up_to_a_bound() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let place = |number| format!("_mirror/machines/{}.json", Ulid::from_parts(number, 7));
    for number in 0..1_100 {
        world.plant(&place(number), "{}");
    }
    world.plant(&place(2_000), vec![b' '; (16 << 20) + 1]);
    for number in 2_001..2_008 {
        world.plant(&place(number), vec![b' '; 10 << 20]);
    }
    laptop.backend.begin_story(None);

    laptop.syncs().await;

    let read = laptop.backend.ended();
    let of_machines =
        |call: &&Call| call.verb == "read" && call.path.starts_with("_mirror/machines/");
    let read: Vec<&str> = read.iter().filter(of_machines).map(|call| call.path.as_str()).collect();
    assert!(read.len() > 900 && read.len() <= 1_001, "{} files were read", read.len());
    assert!(!read.contains(&place(2_000).as_str()), "larger than any");
    let large = (2_001..2_008).filter(|number| read.contains(&place(*number).as_str()));
    assert!(large.count() <= 6, "no more than 64 MiB of all together");
}

#[tokio::test]
async fn notices_that_nobody_reads_are_kept_up_to_a_bound() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let mut journal = Journal::load(&laptop.parts()).await.unwrap();
    for number in 0..1_500 {
        let notice = Notice {
            kind: NoticeKind::ViewUnreadable,
            path: None,
            message: number.to_string(),
            time: Timestamp(number),
            stash: None,
        };
        journal.add(&notice, false).await;
    }

    let told: Vec<&str> = journal.untold().iter().map(|notice| notice.message.as_str()).collect();
    assert_eq!((told.len(), told[0], told[999]), (1_000, "500", "1499"));
    let again = Journal::load(&laptop.parts()).await.unwrap();
    assert_eq!(again.untold(), journal.untold());
}

#[tokio::test]
async fn stash_is_read_once_for_all_that_is_dropped() {
    let world = World::on(MemoryProfile::RENAME).await;
    let laptop = world.machine("laptop").await;
    for round in 0..2 {
        for number in 0..50 {
            laptop.writes(&format!("{number}.md"), format!("{round} {number}"));
        }
        unplug(&laptop);
        queues(&laptop).await;
        let before = laptop.room.looks();
        let dropped = laptop.project().drop_queued(None).await.unwrap();
        assert_eq!(dropped.stashed.len(), 50);
        let looks = laptop.room.looks() - before;
        assert!(looks < 50 * 8, "{looks} looks for 50 files");
    }
}

#[tokio::test]
async fn queue_is_not_gone_through_for_each_push_that_is_sent() {
    let world = World::on(MemoryProfile::RENAME).await;
    let laptop = world.machine("laptop").await;
    unplug(&laptop);
    for number in 0..40 {
        laptop.writes(&format!("{number}.md"), format!("{number}"));
        queues(&laptop).await;
    }
    laptop.backend.plug_in();
    let before = laptop.room.looks();

    laptop.syncs().await;

    assert_eq!(world.names("").len(), 40);
    let looks = laptop.room.looks() - before;
    assert!(looks < 40 * 10, "{looks} looks for 40 pushes");
}
