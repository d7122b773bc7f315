//! State lost (B5): never a deletion, never a loss, never a false conflict.

use std::sync::{Arc, Mutex};

use mirror_core::patterns::IGNORE_FILE;

use super::meddling_tree::Step;
use super::outside_edits::{BOTH, FIFTH, FIRST, FIVE, PROFILES, agreed};
use super::*;

/// What the two machines have agreed on, and what the head says meanwhile.
async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for name in ["equal.md", "absent.md", "behind.md", "deleted.md", "other.md", "both.md"] {
        laptop.writes(name, format!("old {name}"));
    }
    converge(&laptop, &desktop).await;
    laptop.writes("behind.md", "newer");
    laptop.writes("both.md", "from the laptop");
    laptop.removes("deleted.md");
    laptop.pushes().await;
    desktop.removes("absent.md");
    desktop.writes("both.md", "from the desktop");
    desktop.writes("other.md", "edited here");
    desktop.writes("new.md", "made here");
    (world, laptop, desktop)
}

async fn check(desktop: &Machine, laptop: &Machine) {
    let states = desktop.unsettled().await;
    let expected = [
        ("absent.md", FileState::NewRemote),
        ("behind.md", FileState::RemoteAhead),
        ("both.md", FileState::Diverged),
        ("deleted.md", FileState::NewLocal),
        ("new.md", FileState::NewLocal),
        ("other.md", FileState::Diverged),
    ];
    assert_eq!(states, expected.map(|(name, state)| (name.to_owned(), state)));

    let report = desktop.syncs().await;

    assert_eq!(report.conflicts, [rel("both.md"), rel("other.md")]);
    let kept: Vec<_> = report.notices.iter().map(|n| (n.kind, n.path.clone())).collect();
    assert_eq!(kept, [(NoticeKind::KeptUnknown, Some(rel("deleted.md")))]);
    assert_eq!(desktop.reads("equal.md").as_deref(), Some("old equal.md"));
    assert_eq!(desktop.reads("absent.md").as_deref(), Some("old absent.md"));
    assert_eq!(desktop.reads("behind.md").as_deref(), Some("newer"));
    assert_eq!(desktop.reads("both.md").as_deref(), Some("from the desktop"));
    assert_eq!(desktop.reads("other.md").as_deref(), Some("edited here"));
    assert_eq!(desktop.reads("deleted.md").as_deref(), Some("old deleted.md"));
    laptop.syncs().await;
    assert_eq!(laptop.reads("new.md").as_deref(), Some("made here"));
    assert_eq!(laptop.reads("deleted.md"), None);
    assert_eq!(laptop.files().len(), 6);

    desktop.tries_push(&["deleted.md"]).await.unwrap();
    laptop.syncs().await;
    assert_eq!(laptop.reads("deleted.md").as_deref(), Some("old deleted.md"), "it was named");
}

#[tokio::test]
async fn lost_state_costs_no_byte_and_makes_no_false_conflict() {
    let (_world, laptop, mut desktop) = story().await;
    desktop.loses_state();
    desktop.open().await.unwrap();
    check(&desktop, &laptop).await;
}

#[tokio::test]
async fn older_version_put_into_a_conflict_waits_for_its_person() {
    let (_world, _laptop, mut desktop) = story().await;
    desktop.loses_state();
    desktop.open().await.unwrap();
    assert_eq!(desktop.syncs().await.conflicts, [rel("both.md"), rel("other.md")]);

    desktop.writes("both.md", "old both.md");

    for _ in 0..2 {
        assert_eq!(desktop.syncs().await.conflicts, [rel("both.md"), rel("other.md")]);
        assert_eq!(desktop.reads("both.md").as_deref(), Some("old both.md"));
    }
    desktop.writes("both.md", "from the laptop");
    assert_eq!(desktop.syncs().await.conflicts, [rel("other.md")], "both sides are equal");
}

#[tokio::test]
async fn file_that_is_hidden_at_the_first_look_is_known_no_better_later() {
    let (_world, laptop, mut desktop) = story().await;
    let (file, aside) = (desktop.root("deleted.md"), desktop.home.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &file).unwrap();
    desktop.loses_state();
    desktop.open().await.unwrap();
    desktop.unsettled().await;

    fs::remove_file(&file).unwrap();
    fs::rename(&aside, &file).unwrap();

    check(&desktop, &laptop).await;
}

#[tokio::test]
async fn all_of_our_folders_lost_is_no_more_than_state_lost() {
    let (_world, laptop, mut desktop) = story().await;
    desktop.project.take().unwrap().close().await;
    desktop.loses_state();
    for folder in ["data", "cache"] {
        desktop.loses_folder(folder);
    }
    desktop.open().await.unwrap();
    check(&desktop, &laptop).await;
}

#[tokio::test]
async fn lost_data_and_cache_folders_come_back_from_the_backend() {
    let (world, laptop, mut desktop) = story().await;
    let before = desktop.unsettled().await;
    desktop.project.take().unwrap().close().await;
    for folder in ["data", "cache"] {
        desktop.loses_folder(folder);
    }
    desktop.open().await.unwrap();
    assert_eq!(desktop.unsettled().await, before);
    assert_eq!(desktop.log().await.len() as u64, world.head());
    drop(laptop);
}

#[tokio::test]
async fn lost_state_undoes_an_unpushed_deletion_only() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.writes("b.md", "tea");
    laptop.pushes().await;
    laptop.removes("a.md");
    laptop.loses_state();
    laptop.open().await.unwrap();

    let report = laptop.syncs().await;

    assert_eq!(report.commit, None);
    assert_eq!(laptop.files().len(), 2);
    assert_eq!(world.head(), 2);
}

#[tokio::test]
async fn state_of_another_folder_counts_as_lost() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    // The folder is put back by hand as an empty one of the same name.
    fs::rename(laptop.root(""), laptop.home.path().join("moved")).unwrap();
    fs::create_dir(laptop.root("")).unwrap();
    laptop.open().await.unwrap();

    let report = laptop.syncs().await;

    assert_eq!(report.commit, None, "no deletion");
    assert_eq!(laptop.reads("a.md").as_deref(), Some("milk"));
}

/// A mount point without its disk, an edit and a deletion that wait, and a start
/// of the daemon meanwhile.
async fn unmounted() -> (World, Machine, PathBuf) {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    for name in ["a.md", "b.md", "c.md", "d.md"] {
        laptop.writes(name, "one");
    }
    laptop.pushes().await;
    laptop.writes("a.md", "two");
    laptop.removes("b.md");
    let disk = laptop.home.path().join("disk");
    fs::rename(laptop.root(""), &disk).unwrap();
    fs::create_dir(laptop.root("")).unwrap();
    laptop.tree.is_on_device(1);
    laptop.open().await.unwrap();
    (world, laptop, disk)
}

#[tokio::test]
async fn start_without_the_disk_forgets_nothing_of_it() {
    let (world, mut laptop, disk) = unmounted().await;
    let error = laptop.tries_sync().await.unwrap_err();
    assert_eq!(error.class(), mirror_storage::FaultClass::Consent);
    assert_eq!(laptop.files().len(), 0);

    fs::remove_dir(laptop.root("")).unwrap();
    fs::rename(disk, laptop.root("")).unwrap();
    laptop.tree.is_on_device(0);
    laptop.open().await.unwrap();

    let waiting = [("a.md", FileState::LocalAhead), ("b.md", FileState::DeletedLocal)];
    assert_eq!(laptop.unsettled().await, waiting.map(|(name, state)| (name.to_owned(), state)));
    // It was gone while the disk was away, too: whether it was deleted, a person says.
    let error = laptop.tries_sync().await.unwrap_err();
    assert_eq!(error.class(), mirror_storage::FaultClass::Consent);
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: sync(Settle::Wait), dry_run: false, consent: true };
    let report = laptop.project().run(request, events, Cancel::new()).await.unwrap();
    assert_eq!(report.conflicts, []);
    assert_eq!(world.names("").len(), 3);
    assert_eq!(world.text("a.md").as_deref(), Some("two"));
}

#[tokio::test]
async fn folder_on_another_device_that_a_person_agreed_to_is_the_one_from_then_on() {
    let (_world, mut laptop, _disk) = unmounted().await;
    for name in ["a.md", "b.md", "c.md", "d.md"] {
        laptop.writes(name, "one");
    }
    laptop.writes("e.md", "three");
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: sync(Settle::Wait), dry_run: false, consent: true };
    laptop.project().run(request, events, Cancel::new()).await.unwrap();
    laptop.open().await.unwrap();
    assert_eq!(laptop.unsettled().await, []);
    laptop.syncs().await;

    // The state is this folder's by now, and says nothing about the next.
    fs::rename(laptop.root(""), laptop.home.path().join("away")).unwrap();
    fs::create_dir(laptop.root("")).unwrap();
    laptop.open().await.unwrap();
    assert_eq!(laptop.syncs().await.commit, None);
    assert_eq!(laptop.files().len(), 5);
}

#[tokio::test]
async fn step_that_was_cut_off_waits_for_its_disk() {
    let world = World::new().await;
    let (mut laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    laptop.writes("a.md", "one");
    converge(&laptop, &desktop).await;
    desktop.writes("a.md", "two");
    desktop.pushes().await;
    let power = laptop.power.clone();
    laptop.tree.haunt(move |step, _| {
        if step == Step::Put {
            power.ends_after(0);
        }
    });
    let _ = laptop.tries_pull().await;
    laptop.tree.haunt(|_, _| {});
    laptop.power.comes_back();
    let disk = laptop.home.path().join("disk");
    fs::rename(laptop.root(""), &disk).unwrap();
    fs::create_dir(laptop.root("")).unwrap();
    laptop.tree.is_on_device(1);
    laptop.open().await.unwrap();
    let _ = laptop.tries_pull().await;

    fs::remove_dir(laptop.root("")).unwrap();
    fs::rename(disk, laptop.root("")).unwrap();
    laptop.tree.is_on_device(0);
    laptop.open().await.unwrap();

    let behind = [("a.md".to_owned(), FileState::RemoteAhead)];
    assert_eq!(laptop.unsettled().await, behind);
    assert_eq!(laptop.files().into_keys().collect::<Vec<_>>(), ["a.md"]);
}

/// A cloned home has other folders, and another id (B6).
#[tokio::test]
async fn state_of_a_cloned_machine_counts_as_lost() {
    let (_world, mut laptop, _disk) = unmounted().await;
    laptop.author.machine_id = laptop.outside.ulid();
    laptop.open().await.unwrap();

    assert_eq!(laptop.syncs().await.commit, None);
    assert_eq!(laptop.reads("b.md").as_deref(), Some("one"));
}

#[tokio::test]
async fn missing_folder_says_nothing_about_its_files() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    let away = laptop.home.path().join("away");
    fs::rename(laptop.root(""), &away).unwrap();
    laptop.open().await.unwrap();
    let error = laptop.tries_sync().await.unwrap_err();
    assert_eq!(error.class(), mirror_storage::FaultClass::Consent);
    assert_eq!(world.head(), 2);

    fs::rename(&away, laptop.root("")).unwrap();
    assert_eq!(laptop.syncs().await.commit, None);
    assert_eq!(laptop.unsettled().await, []);
}

#[tokio::test]
async fn state_that_is_kept_spares_reading_the_files_again() {
    let world = World::new().await;
    // Long after the files were written, so that none of them is racy (B10).
    world.advance(Duration::from_hours(100 * 365 * 24));
    let mut laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    let read = Arc::new(Mutex::new(Vec::new()));
    let seen = read.clone();
    laptop.tree.haunt(move |step, path| {
        if step == Step::Open && path.as_str() != IGNORE_FILE {
            seen.lock().unwrap().push(path.clone());
        }
    });

    laptop.open().await.unwrap();
    assert_eq!(laptop.unsettled().await, []);
    assert_eq!(*read.lock().unwrap(), []);

    laptop.loses_state();
    laptop.open().await.unwrap();
    laptop.unsettled().await;
    assert_eq!(*read.lock().unwrap(), [rel("a.md")]);
}

/// What is learnt after a loss holds, though the log stands where it stood then.
#[tokio::test]
async fn lost_state_is_forgotten_once_and_not_at_every_start() {
    for profile in PROFILES {
        let (world, mut laptop, desktop) = agreed(profile).await;
        laptop.loses_state();
        laptop.open().await.unwrap();
        laptop.syncs().await;
        desktop.writes("a.md", FIFTH);
        desktop.pushes().await;
        laptop.open().await.unwrap();
        laptop.writes("a.md", FIRST);

        let report = laptop.syncs().await;

        assert_eq!(report.conflicts, [], "{profile:?}");
        assert_eq!(world.text("a.md").as_deref(), Some(BOTH), "{profile:?}");
    }
}

#[tokio::test]
async fn older_version_put_back_after_a_loss_and_a_restart_is_an_edit() {
    let (world, mut laptop, _desktop) = agreed(MemoryProfile::SWAP).await;
    laptop.loses_state();
    laptop.open().await.unwrap();
    laptop.syncs().await;
    laptop.writes("a.md", "one\n");
    laptop.pushes().await;
    world.plant("a.md", FIVE);
    laptop.open().await.unwrap();

    laptop.syncs().await;

    assert_eq!(laptop.reads("a.md").as_deref(), Some(FIVE));
}
