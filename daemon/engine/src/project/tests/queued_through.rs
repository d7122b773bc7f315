//! Queued pushes through lost replies, cut power and a full disk.

use super::crashing::MOST_STEPS;
use super::queueing::*;
use super::replies::creates;
use super::*;
use crate::store::{Batch, Store as _, Table};

#[tokio::test]
async fn push_that_landed_unheard_is_not_sent_again_from_the_queue() {
    for (between, after) in [
        (None, None),
        (None, Some("later")),
        (Some("between"), None),
        (Some("between"), Some("later")),
    ] {
        for (loses_state, other_goes_on) in
            [(false, false), (true, false), (false, true), (true, true)]
        {
            let (world, mut laptop, desktop) = story().await;
            laptop.backend.plug_in();
            laptop.writes("list.md", "milk\n\nbread\n\neggs\n");
            laptop.writes("new.md", "new");
            laptop.backend.before(creates(3), {
                let (backend, file) = (laptop.backend.clone(), laptop.root("list.md"));
                async move {
                    // The write itself still lands; nothing can be asked afterwards.
                    backend.refuse(|verb, _| verb == "read");
                    backend.lose_reply_of(creates(3));
                    if let Some(text) = between {
                        fs::write(file, text).unwrap();
                    }
                }
            });
            queues(&laptop).await;
            assert_eq!(world.head(), 3, "it has landed");
            unplug(&laptop);
            if let Some(text) = after {
                laptop.writes("list.md", text);
            }
            if other_goes_on {
                desktop.pulls().await;
                desktop.writes("list.md", "milk\n\nBREAD\n\neggs\n");
                desktop.pushes().await;
            }
            if loses_state {
                laptop.loses_state();
                laptop.open().await.unwrap();
            }

            round(&laptop).await;

            let case = format!("{between:?} {after:?} {loses_state} {other_goes_on}");
            let sent = versions(&world, "list.md");
            let sent_first = digests(&["milk\n\nbread\n\neggs\n"]);
            let once = sent.iter().filter(|sent| [**sent] == sent_first[..]).count();
            assert_eq!((once, versions(&world, "new.md").len()), (1, 1), "{case}: {sent:?}");
            assert_eq!(spool(&laptop), (0, 0), "{case}");
            if between.is_none() {
                assert_eq!(laptop.stashed(), [], "{case}");
                assert_eq!(world.head(), if other_goes_on { 4 } else { 3 }, "{case}");
            } else if !other_goes_on {
                assert_eq!(sent[2..], digests(&["between"]), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn full_disk_queues_nothing_and_says_so() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.writes("new.md", "new");
    for writes in 0..3 {
        laptop.room.fills_up_after(writes);
        let error = laptop.tries_push(&[]).await.unwrap_err();
        assert_eq!(error.class(), mirror_storage::FaultClass::Quota, "{error}");
        assert_eq!((waiting(&laptop).await, spool(&laptop)), (None, (0, 0)));
    }
    laptop.room.is_made();
    queues(&laptop).await;
    round(&laptop).await;
    converge(&laptop, &desktop).await;
    assert_eq!(world.head(), 3);
}

#[tokio::test]
async fn queueing_cut_anywhere_keeps_all_or_nothing() {
    for steps in 0..MOST_STEPS {
        let (world, mut laptop, desktop) = story().await;
        laptop.writes("list.md", "eggs");
        laptop.writes("new.md", "new");
        laptop.removes("gone.md");
        let was_cut = cut(&mut laptop, steps, push_of(&[])).await;
        let case = format!("cut after {steps} steps");
        let held = spool(&laptop);
        assert!([(0, 0), (1, 2)].contains(&held), "{case}: {held:?}");
        assert_eq!(waiting(&laptop).await.is_some(), held.0 == 1, "{case}");
        laptop.backend.plug_in();

        laptop.pushes().await;

        assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]), "{case}");
        assert_eq!((world.head(), spool(&laptop)), (3, (0, 0)), "{case}");
        converge(&laptop, &desktop).await;
        if !was_cut {
            assert!(steps > 3, "queueing takes steps");
            return;
        }
    }
    panic!("the job never came to its end");
}

#[tokio::test]
async fn sending_cut_anywhere_sends_each_version_once() {
    for (steps, loses_state) in (0..MOST_STEPS).flat_map(|steps| [(steps, false), (steps, true)]) {
        let (world, mut laptop, desktop) = story().await;
        laptop.writes("list.md", "MILK\n\nbread\n");
        laptop.writes("new.md", "one");
        laptop.writes("clash.md", "here");
        laptop.removes("gone.md");
        queues(&laptop).await;
        laptop.writes("new.md", "two");
        laptop.writes("clash.md", "here, later");
        queues(&laptop).await;
        desktop.writes("list.md", "milk\n\nBREAD\n");
        desktop.writes("clash.md", "there");
        desktop.pushes().await;
        laptop.backend.plug_in();

        let was_cut = cut(&mut laptop, steps, push_of(&["other.md"])).await;
        let case = format!("cut after {steps} steps, state lost: {loses_state}");
        if loses_state {
            laptop.loses_state();
            laptop.open().await.unwrap();
        }
        // Somebody goes on from there before this machine is back.
        desktop.pulls().await;
        desktop.writes("new.md", "three");
        let before = desktop.syncs().await;
        assert_eq!(before.conflicts, [], "{case}");
        laptop.tries_push(&["other.md"]).await.unwrap_or_else(|error| panic!("{case}: {error}"));

        assert_eq!(spool(&laptop), (0, 0), "{case}");
        for path in ["list.md", "new.md", "gone.md", "clash.md"] {
            let times = world.times_committed(path);
            assert!(times.values().all(|times| *times == 1), "{case}: {path} {times:?}");
        }
        let queued = [
            ("list.md", "MILK\n\nbread\n"),
            ("new.md", "one"),
            ("new.md", "two"),
            ("clash.md", "here"),
        ];
        for (path, text) in queued {
            let digest = Digest::of(text.as_bytes());
            let commits = (1..=world.head()).map(|seq| world.commit(seq));
            let is_known = commits.flat_map(|commit| {
                let inputs = commit.resolved.into_iter().flat_map(|r| r.inputs).map(|i| i.sha256);
                let changes = commit.changes.into_iter().filter_map(|c| Some(c.to?.sha256));
                inputs.chain(changes).collect::<Vec<_>>()
            });
            let in_log = is_known.into_iter().any(|known| known == digest);
            let stashed = laptop
                .stashed()
                .iter()
                .filter(|(p, _, t)| (p.as_str(), t.as_str()) == (path, text))
                .count();
            let stands = laptop.reads(path).as_deref() == Some(text);
            assert!(in_log || stashed == 1 || stands, "{case}: {path} {text:?}");
        }
        if !was_cut && loses_state {
            assert!(steps > 10, "sending takes steps");
            return;
        }
    }
    panic!("the job never came to its end");
}

#[tokio::test]
async fn edit_queued_after_the_power_went_follows_what_was_queued_before() {
    for (steps, loses_unflushed) in
        (0..MOST_STEPS).flat_map(|steps| [(steps, false), (steps, true)])
    {
        let (world, mut laptop, desktop) = story().await;
        for text in ["eggs", "flour"] {
            laptop.writes("list.md", text);
            queues(&laptop).await;
        }
        laptop.backend.plug_in();
        laptop.power.ends_after(steps);
        let _ = laptop.project().poll().await;
        let was_cut = laptop.power.is_off();
        laptop.project.take().unwrap().close().await;
        if loses_unflushed {
            laptop.store.forgets_unflushed();
        }
        for seq in 3..=world.head() {
            // Kept unflushed, whatever becomes of the state.
            let _ = fs::remove_file(laptop.home.path().join("data").join(entry_name(seq)));
        }
        unplug(&laptop);
        laptop.power.comes_back();
        laptop.open().await.unwrap();
        laptop.writes("list.md", "more flour");
        queues(&laptop).await;

        round(&laptop).await;

        let case = format!("cut after {steps} steps, loses the unflushed: {loses_unflushed}");
        let news = digests(&["eggs", "flour", "more flour"]);
        assert_eq!(versions(&world, "list.md")[1..], news, "{case}");
        assert_eq!(laptop.stashed(), [], "{case}");
        converge(&laptop, &desktop).await;
        if !was_cut && loses_unflushed {
            assert!(steps > 10, "sending takes steps");
            return;
        }
    }
    panic!("the job never came to its end");
}

/// The queue is stored for good at once, and must not be ahead of that.
#[tokio::test]
async fn what_an_earlier_run_left_unflushed_is_flushed_at_the_next_start() {
    let (_world, mut laptop, _desktop) = story().await;
    laptop.project.take().unwrap().close().await;
    let mut batch = Batch::default();
    batch.put(Table::Facts, "left", b"unflushed".to_vec());
    laptop.store.apply(batch, false).unwrap();

    laptop.open().await.unwrap();
    laptop.store.forgets_unflushed();

    let left = laptop.store.get(Table::Facts, b"left").unwrap();
    assert_eq!(left.as_deref(), Some(&b"unflushed"[..]));
}
