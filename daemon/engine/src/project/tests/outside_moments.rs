//! Whatever the moment at which a person writes into the view, a call fails or
//! the power is cut: what was written there is taken over, once.

use std::sync::atomic::{AtomicUsize, Ordering};

use mirror_core::commit::pack_name;

use super::faulty::Fault;
use super::outside_edits::*;
use super::*;

/// What a person does with the file in the view.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    Edits,
    Deletes,
}

/// A person does something just before call `number` of the job; `false` when
/// the job has fewer calls.
async fn interfere(world: &World, machine: &Machine, number: usize, doing: Doing) -> bool {
    let files = world.files.clone();
    let calls = AtomicUsize::new(0);
    let chooser = move |_: &str, _: &str| calls.fetch_add(1, Ordering::Relaxed) == number;
    let done = std::sync::Arc::new(AtomicUsize::new(0));
    let noted = done.clone();
    machine.backend.before(chooser, async move {
        noted.store(1, Ordering::Relaxed);
        let path = RemotePath::new("a.md").unwrap();
        match doing {
            Doing::Edits => drop(files.write(&path, FIRST.into(), Expect::Anything).await),
            Doing::Deletes => drop(files.remove(&path, Expect::Anything).await),
        }
    });
    machine.syncs().await;
    machine.backend.before(|_, _| false, async {});
    done.load(Ordering::Relaxed) == 1
}

#[tokio::test]
async fn edit_at_every_moment_of_a_projection_is_merged() {
    for profile in [MemoryProfile::SWAP, MemoryProfile::RENAME] {
        for number in 0.. {
            let (world, laptop, desktop) = agreed(profile).await;
            laptop.writes("a.md", FIFTH);
            if !interfere(&world, &laptop, number, Doing::Edits).await {
                assert!(number > 8, "the job makes calls");
                break;
            }
            let case = format!("{profile:?}, before call {number}");
            check_quiet(&world, [&laptop, &desktop], &case).await;
            // Made before it was seen that a newer version stood there, or after.
            let ends = laptop.reads("a.md").unwrap();
            assert!([BOTH, FIRST].contains(&ends.as_str()), "{case}: {ends:?}");
            assert_eq!(externals(&world), 1, "{case}");
        }
    }
}

#[tokio::test]
async fn deletion_at_every_moment_of_a_projection_is_undone() {
    for profile in [MemoryProfile::SWAP, MemoryProfile::RENAME] {
        for number in 0.. {
            let (world, laptop, desktop) = agreed(profile).await;
            laptop.writes("a.md", FIFTH);
            if !interfere(&world, &laptop, number, Doing::Deletes).await {
                break;
            }
            let case = format!("{profile:?}, before call {number}");
            check_quiet(&world, [&laptop, &desktop], &case).await;
            assert_eq!(laptop.reads("a.md").as_deref(), Some(FIFTH), "{case}");
        }
    }
}

/// An edit of the view, one here and one elsewhere: all three come together.
async fn three_edits(profile: MemoryProfile) -> (World, Machine, Machine) {
    let (world, laptop, desktop) = agreed(profile).await;
    desktop.writes("a.md", FIFTH);
    pushes_unseen(&desktop).await;
    laptop.writes("b.md", FIFTH);
    world.plant("a.md", FIRST);
    (world, laptop, desktop)
}

async fn check_three_edits(world: &World, laptop: &Machine, desktop: &Machine, case: &str) {
    check_quiet(world, [laptop, desktop], case).await;
    assert_eq!(laptop.reads("a.md").as_deref(), Some(BOTH), "{case}");
    assert_eq!(laptop.reads("b.md").as_deref(), Some(FIFTH), "{case}");
    assert_eq!(externals(world), 1, "{case}");
}

#[tokio::test]
async fn import_cut_anywhere_is_made_good_at_the_next_start() {
    for profile in [MemoryProfile::SWAP, MemoryProfile::TORN] {
        for steps in 0.. {
            let (world, mut laptop, desktop) = three_edits(profile).await;
            laptop.power.ends_after(steps);
            let _ = laptop.tries_sync().await;
            let was_cut = laptop.power.is_off();
            laptop.project.take().unwrap().close().await;
            laptop.power.comes_back();
            laptop.open().await.unwrap();
            let case = format!("{profile:?}, cut after {steps} steps");
            check_three_edits(&world, &laptop, &desktop, &case).await;
            if !was_cut {
                assert!(steps > 10, "the job takes steps");
                break;
            }
        }
    }
}

#[tokio::test]
async fn import_that_meets_any_failing_call_is_made_good() {
    let swap = MemoryProfile::SWAP;
    let rename = MemoryProfile::RENAME;
    for (profile, fault) in [
        (swap, Fault::Before),
        (rename, Fault::Before),
        (swap, Fault::After),
        (rename, Fault::After),
    ] {
        for number in 0.. {
            let (world, laptop, desktop) = three_edits(profile).await;
            laptop.backend.begin_story(Some((number, fault)));
            let _ = laptop.tries_sync().await;
            let has_failed = laptop.backend.has_failed();
            laptop.backend.begin_story(None);
            let case = format!("{profile:?}, {fault:?} at call {number}");
            check_three_edits(&world, &laptop, &desktop, &case).await;
            if !has_failed {
                break;
            }
        }
    }
}

/// The file is edited as it is moved aside, and the power cut at some step
/// after that.
#[tokio::test]
async fn aside_left_by_a_crash_is_taken_over_with_its_own_base() {
    for profile in [MemoryProfile::RENAME, MemoryProfile::TORN] {
        for steps in 0.. {
            let (world, mut laptop, desktop) = agreed(profile).await;
            laptop.writes("a.md", FIFTH);
            let (files, power) = (world.files.clone(), laptop.power.clone());
            let chooser = |verb: &str, path: &str| verb == "rename" && path == "a.md";
            laptop.backend.before(chooser, async move {
                let path = RemotePath::new("a.md").unwrap();
                files.write(&path, FIRST.into(), Expect::Anything).await.unwrap();
                power.ends_after(steps);
            });
            let _ = laptop.tries_push(&[]).await;
            let was_cut = laptop.power.is_off();
            laptop.project.take().unwrap().close().await;
            laptop.power.comes_back();
            laptop.open().await.unwrap();
            // The next job writes the view before it has looked at all of it.
            laptop.writes("b.md", FIFTH);
            laptop.pushes().await;
            let case = format!("{profile:?}, cut after {steps} more steps");
            check_quiet(&world, [&laptop, &desktop], &case).await;
            assert_eq!(laptop.reads("a.md").as_deref(), Some(BOTH), "{case}");
            if !was_cut {
                break;
            }
        }
    }
}

#[tokio::test]
async fn aside_of_a_machine_that_never_came_back_is_taken_over_after_a_week() {
    let (world, laptop, desktop) = agreed(MemoryProfile::RENAME).await;
    let aside = format!("_mirror/aside/{}/{}/new.md", world.outside.ulid(), world.outside.ulid());
    world.plant(&aside, "put there by a person");
    laptop.syncs().await;
    assert_eq!(world.names("_mirror/aside").len(), 1);
    // The service's clock says that a week has passed, by what is written then.
    let week = Duration::from_hours(8 * 24) + Duration::from_secs(1_790_000_000);
    let later = std::time::UNIX_EPOCH + week;
    let own = format!("_mirror/machines/{}.json", laptop.author.machine_id);
    let said = world.content(&own).unwrap();
    let own = RemotePath::new(own).unwrap();
    world.files.dated(later).write(&own, said.into(), Expect::Anything).await.unwrap();
    laptop.syncs().await;
    check_quiet(&world, [&laptop, &desktop], "").await;
    assert_eq!(desktop.reads("new.md").as_deref(), Some("put there by a person"));
}

#[tokio::test]
async fn file_torn_by_a_crash_is_written_again_and_a_truncation_is_not() {
    let (world, mut laptop, desktop) = agreed(MemoryProfile::TORN).await;
    laptop.writes("a.md", BOTH);
    let power = laptop.power.clone();
    let chooser = |verb: &str, path: &str| verb == "write" && path == "a.md";
    // One step for the call itself: the power ends half-way through it.
    laptop.backend.before(chooser, async move { power.ends_after(1) });
    let _ = laptop.tries_push(&[]).await;
    laptop.project.take().unwrap().close().await;
    let torn = world.text("a.md").unwrap();
    assert!(BOTH.starts_with(&torn) && torn.len() < BOTH.len(), "{torn:?}");
    laptop.power.comes_back();
    // Another machine finds it first, and reads the note.
    desktop.syncs().await;
    world.advance(Duration::from_secs(10));
    desktop.syncs().await;
    assert_eq!(world.text("a.md").as_deref(), Some(BOTH));
    laptop.open().await.unwrap();
    check_quiet(&world, [&laptop, &desktop], "").await;
    assert_eq!(externals(&world), 0);

    world.plant("a.md", "one, and more\n");
    laptop.syncs().await;
    world.advance(Duration::from_secs(10));
    laptop.syncs().await;
    check_quiet(&world, [&laptop, &desktop], "").await;
    assert_eq!(desktop.reads("a.md").as_deref(), Some("one, and more\n"));
}

#[tokio::test]
async fn clock_that_was_ahead_for_a_while_keeps_no_edit_of_the_view_waiting() {
    let (world, laptop, desktop) = agreed(MemoryProfile::SWAP).await;
    world.advance(Duration::from_hours(10_000));
    laptop.project().poll().await.unwrap();
    world.goes_back(Duration::from_hours(10_000));
    world.plant("a.md", FIRST);

    laptop.project().poll().await.unwrap();

    assert_eq!(externals(&world), 1);
    desktop.syncs().await;
    assert_eq!(desktop.reads("a.md").as_deref(), Some(FIRST));
}

#[tokio::test]
async fn import_that_fails_again_and_again_fills_no_disk() {
    let (world, laptop, _desktop) = agreed(MemoryProfile::SWAP).await;
    world.plant("large.bin", vec![7; 5 << 20]);
    laptop.backend.refuse(|verb, path| verb == "write" && path.starts_with("_mirror/packs"));
    for _ in 0..3 {
        laptop.syncs().await;
    }
    let held = laptop.home.path().join("data/outside");
    assert_eq!(fs::read_dir(held).into_iter().flatten().count(), 0);
}

#[tokio::test]
async fn edit_that_can_not_be_kept_keeps_no_other_waiting() {
    let (world, laptop, desktop) = agreed(MemoryProfile::SWAP).await;
    for name in ["a.md", "b.md"] {
        desktop.writes(name, format!("the head's own {name}\n"));
        pushes_unseen(&desktop).await;
        world.plant(name, format!("{FIVE}{name} in the view\n"));
    }
    for pack in &world.commit(3).packs {
        world.lose(&format!("_mirror/{}", pack_name(pack.name)));
    }

    let report = laptop.syncs().await;

    assert!(failed(&report).contains(&"a.md"));
    assert_eq!(report.conflicts, [rel("b.md")]);
}
