//! What does not merge by itself is recorded, and waits for a person.

use std::os::unix::fs::symlink;

use super::*;

/// `a.md` was edited on both machines in the same place; the laptop has pushed.
pub(super) async fn story_on(profile: MemoryProfile) -> (World, Machine, Machine) {
    let world = World::on(profile).await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    desktop.writes("a.md", "base\n");
    converge(&desktop, &laptop).await;
    laptop.writes("a.md", "laptop\n");
    laptop.pushes().await;
    desktop.writes("a.md", "desktop\n");
    (world, laptop, desktop)
}

/// The same, once the desktop has found out.
pub(super) async fn story() -> (World, Machine, Machine) {
    let (world, laptop, desktop) = story_on(MemoryProfile::SWAP).await;
    assert_eq!(desktop.syncs().await.conflicts, [rel("a.md")]);
    (world, laptop, desktop)
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// The one conflict of a machine.
#[track_caller]
pub(super) fn one(conflicts: &[Conflict]) -> Conflict {
    let [conflict] = conflicts else { panic!("one conflict in {conflicts:?}") };
    conflict.clone()
}

async fn conflict(machine: &Machine) -> Conflict {
    one(&machine.project().conflicts().await.unwrap())
}

async fn detail(machine: &Machine, path: &str) -> ConflictDetail {
    machine.project().conflict(path.to_owned()).await.unwrap()
}

/// What is kept of conflicts on a machine's disk.
fn kept(machine: &Machine) -> Vec<Vec<u8>> {
    let mut folders = vec![machine.home.path().join("data/conflicts")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none() {
                files.push(fs::read(path).unwrap());
            }
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn push_and_sync_record_a_conflict_and_send_everything_else() {
    for job in [push_of(&[]), sync(Settle::Wait)] {
        let (world, laptop, desktop) = story_on(MemoryProfile::SWAP).await;
        for name in ["b.md", "c.md"] {
            laptop.writes(name, "laptop");
        }
        laptop.pushes().await;
        desktop.writes("b.md", "desktop");
        desktop.writes("clean.md", "new");

        let report = desktop.runs(job).await.unwrap();

        assert_eq!(report.conflicts, [rel("a.md"), rel("b.md")]);
        assert_eq!(failed(&report), [""; 0]);
        assert_eq!(world.text("clean.md").as_deref(), Some("new"));
        assert_eq!(world.text("a.md").as_deref(), Some("laptop\n"));
        assert_eq!(desktop.reads("a.md").as_deref(), Some("desktop\n"));
        let conflicts = desktop.project().conflicts().await.unwrap();
        assert_eq!(conflicts.iter().map(|c| c.path.as_str()).collect::<Vec<_>>(), ["a.md", "b.md"]);
        let unsettled: BTreeMap<_, _> = desktop.unsettled().await.into_iter().collect();
        for path in ["a.md", "b.md"] {
            assert_eq!(unsettled[path], FileState::Conflict);
        }
        assert_eq!(conflicts[1].kind, ConflictKind::AddAdd);

        let first = &conflicts[0];
        assert_eq!((first.kind, first.binary), (ConflictKind::EditEdit, false));
        assert_eq!(first.base, Some(digest("base\n")));
        assert_eq!(
            (first.local, first.remote),
            (Some(digest("desktop\n")), Some(digest("laptop\n")))
        );
        let by = first.remote_by.as_ref().unwrap();
        assert_eq!((by.user.as_str(), by.machine.as_str(), by.seq), ("ada", "laptop", 3));
        assert_eq!(first.since, world.outside.clock.now());
    }
}

#[tokio::test]
async fn conflict_shows_all_that_is_needed_to_settle_it() {
    let (_world, _laptop, desktop) = story().await;
    let detail = detail(&desktop, "a.md").await;
    assert_eq!(detail.base.as_deref(), Some(&b"base\n"[..]));
    assert_eq!(detail.local.as_deref(), Some(&b"desktop\n"[..]));
    assert_eq!(detail.remote.as_deref(), Some(&b"laptop\n"[..]));
    assert_eq!(detail.merged, None);
    let marked =
        "<<<<<<< here\ndesktop\n||||||| base\nbase\n=======\nlaptop\n>>>>>>> #3 by ada on laptop\n";
    assert_eq!(detail.marked.as_deref(), Some(marked.as_bytes()));
    assert!(detail.unified.contains("-laptop\n+desktop\n"), "{}", detail.unified);
    assert_eq!(detail.conflict, conflict(&desktop).await);
}

#[tokio::test]
async fn conflict_vanishes_once_both_sides_are_equal() {
    let (_world, laptop, desktop) = story().await;
    assert_eq!(kept(&desktop).len(), 3);
    desktop.writes("a.md", "laptop\n");
    assert_eq!(desktop.unsettled().await, []);
    assert_eq!(desktop.project().conflicts().await.unwrap(), []);
    assert_eq!(kept(&desktop), [b""; 0]);
    converge(&laptop, &desktop).await;
}

#[tokio::test]
async fn conflict_follows_a_side_that_moves_and_keeps_its_age() {
    let (world, laptop, desktop) = story().await;
    let before = conflict(&desktop).await;
    world.advance(Duration::from_hours(1));
    laptop.writes("a.md", "laptop again\n");
    laptop.pushes().await;

    let pulled = desktop.pulls().await;

    assert_eq!(pulled.conflicts, [rel("a.md")]);
    let after = conflict(&desktop).await;
    assert_eq!((after.since, after.base), (before.since, before.base));
    assert_eq!(after.remote, Some(digest("laptop again\n")));
    assert_ne!(after.token, before.token);
    assert_eq!(kept(&desktop), [&b"base\n"[..], b"desktop\n", b"laptop again\n"]);

    desktop.writes("a.md", "desktop again\n");
    let moved = conflict(&desktop).await;
    assert_eq!(moved.local, Some(digest("desktop again\n")));
    assert_ne!(moved.token, after.token);
    assert_eq!(conflict(&desktop).await, moved, "looking moves nothing");
}

#[tokio::test]
async fn pull_records_nothing_by_itself() {
    let (_world, _laptop, desktop) = story_on(MemoryProfile::SWAP).await;
    assert_eq!(desktop.pulls().await.conflicts, [rel("a.md")]);
    assert_eq!(desktop.unsettled().await, [("a.md".to_owned(), FileState::Diverged)]);
    assert_eq!(desktop.project().conflicts().await.unwrap(), []);
    let error = desktop.project().conflict("a.md".to_owned()).await.unwrap_err();
    assert_eq!(error.class(), mirror_storage::FaultClass::NotFound);
}

#[tokio::test]
async fn conflict_that_merges_after_all_shows_the_merge_and_the_next_sync_makes_it() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("a.md", "base\nlaptop\n");
    laptop.pushes().await;
    desktop.writes("a.md", "desktop\nbase\n");

    let merged = detail(&desktop, "a.md").await.merged;

    assert_eq!(merged.as_deref(), Some(&b"desktop\nbase\nlaptop\n"[..]));
    converge(&desktop, &laptop).await;
    assert_eq!(laptop.files()["a.md"], merged.unwrap());
    assert_eq!(desktop.project().conflicts().await.unwrap(), []);
    assert_eq!(world.head(), 5);
}

#[tokio::test]
async fn records_outlive_the_daemon_and_the_loss_of_its_state() {
    let (_world, laptop, mut desktop) = story().await;
    let before = conflict(&desktop).await;
    desktop.open().await.unwrap();
    assert_eq!(conflict(&desktop).await, before);
    desktop.loses_state();
    desktop.loses_folder("cache");
    desktop.open().await.unwrap();

    assert_eq!(desktop.syncs().await.conflicts, [rel("a.md")]);

    assert_eq!(conflict(&desktop).await, before, "its base is known from the record");
    assert_eq!(detail(&desktop, "a.md").await.base.as_deref(), Some(&b"base\n"[..]));
    drop(laptop);
}

#[tokio::test]
async fn record_holds_bytes_that_the_log_has_lost() {
    let (world, _laptop, mut desktop) = story().await;
    for name in world.names("_mirror/packs") {
        world.lose(&name);
    }
    desktop.loses_folder("cache");
    desktop.open().await.unwrap();
    let detail = detail(&desktop, "a.md").await;
    assert_eq!(detail.base.as_deref(), Some(&b"base\n"[..]));
    assert_eq!(detail.remote.as_deref(), Some(&b"laptop\n"[..]));
}

#[tokio::test]
async fn conflict_that_was_lost_with_the_data_folder_is_found_again() {
    let (_world, _laptop, mut desktop) = story().await;
    desktop.loses_folder("data");
    desktop.open().await.unwrap();
    assert_eq!(desktop.unsettled().await, [("a.md".to_owned(), FileState::Diverged)]);
    desktop.pushes().await;
    assert_eq!(conflict(&desktop).await.kind, ConflictKind::EditEdit);
}

#[tokio::test]
async fn damaged_record_is_made_anew() {
    let (_world, _laptop, mut desktop) = story().await;
    let before = conflict(&desktop).await;
    for entry in fs::read_dir(desktop.home.path().join("data/conflicts")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::write(path, "{").unwrap();
            continue;
        }
        for content in fs::read_dir(path).unwrap() {
            fs::write(content.unwrap().path(), "noise").unwrap();
        }
    }
    desktop.open().await.unwrap();
    desktop.syncs().await;
    assert_eq!(conflict(&desktop).await.token, before.token);
    let detail = detail(&desktop, "a.md").await;
    assert_eq!(detail.local.as_deref(), Some(&b"desktop\n"[..]));
}

#[tokio::test]
async fn conflict_is_listed_by_what_was_read_while_the_backend_is_away() {
    let (_world, _laptop, desktop) = story().await;
    let before = conflict(&desktop).await;
    desktop.backend.refuse(|_, _| true);
    assert_eq!(conflict(&desktop).await, before);
    assert!(detail(&desktop, "a.md").await.marked.is_some());
}

#[tokio::test]
async fn file_that_was_there_before_its_project_conflicts_without_a_base() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "laptop\n");
    laptop.pushes().await;
    let mut desktop = Machine::new(&world, "desktop");
    desktop.writes("a.md", "desktop\n");
    desktop.open().await.unwrap();

    assert_eq!(desktop.syncs().await.conflicts, [rel("a.md")]);

    let conflict = conflict(&desktop).await;
    assert_eq!((conflict.kind, conflict.base), (ConflictKind::UnknownBase, None));
    assert_eq!(desktop.reads("a.md").as_deref(), Some("desktop\n"));
}

#[tokio::test]
async fn bytes_of_binary_files_are_kept_and_never_decoded() {
    let (_world, laptop, desktop) = story_on(MemoryProfile::SWAP).await;
    laptop.writes("a.md", b"\0laptop\xff");
    laptop.pushes().await;
    desktop.syncs().await;
    let detail = detail(&desktop, "a.md").await;
    assert!(detail.conflict.binary);
    assert_eq!((detail.marked, detail.merged, detail.unified.as_str()), (None, None, ""));
    assert_eq!(detail.remote.as_deref(), Some(&b"\0laptop\xff"[..]));
}

#[tokio::test]
async fn content_larger_than_a_text_is_recorded_and_left_out_of_the_answer() {
    let (_world, laptop, desktop) = story_on(MemoryProfile::SWAP).await;
    let large = vec![b'x'; (4 << 20) + 1];
    laptop.writes("a.md", &large);
    laptop.pushes().await;
    desktop.syncs().await;
    let detail = detail(&desktop, "a.md").await;
    assert!(detail.conflict.binary);
    assert_eq!((detail.remote, detail.local.is_some()), (None, true));
    assert!(kept(&desktop).contains(&large));
}

#[tokio::test]
async fn link_on_one_side_and_file_on_the_other_conflict_by_their_kind() {
    let (_world, laptop, desktop) = story_on(MemoryProfile::SWAP).await;
    laptop.writes("b.md", "b");
    laptop.removes("a.md");
    symlink("b.md", laptop.root("a.md")).unwrap();
    laptop.pushes().await;
    desktop.syncs().await;
    assert_eq!(conflict(&desktop).await.kind, ConflictKind::Type);
}

#[tokio::test]
async fn names_that_clash_are_shown_until_one_is_renamed() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("A.md", "laptop\n");
    laptop.pushes().await;
    desktop.writes("a.md", "desktop\n");

    assert_eq!(desktop.syncs().await.conflicts, [rel("A.md"), rel("a.md")]);

    let conflicts = desktop.project().conflicts().await.unwrap();
    assert!(conflicts.iter().all(|conflict| conflict.kind == ConflictKind::NameClash));
    assert_eq!((conflicts[0].local, conflicts[0].remote), (None, Some(digest("laptop\n"))));
    assert_eq!((conflicts[1].local, conflicts[1].remote), (Some(digest("desktop\n")), None));
    assert_eq!(detail(&desktop, "a.md").await.local.as_deref(), Some(&b"desktop\n"[..]));
    let states = desktop.unsettled().await.into_iter().map(|(_, state)| state);
    assert_eq!(states.collect::<Vec<_>>(), [FileState::Conflict, FileState::Conflict]);

    fs::rename(desktop.root("a.md"), desktop.root("b.md")).unwrap();
    converge(&desktop, &laptop).await;
    assert_eq!(desktop.project().conflicts().await.unwrap(), []);
    assert_eq!(laptop.reads("b.md").as_deref(), Some("desktop\n"));
    assert_eq!(desktop.reads("A.md").as_deref(), Some("laptop\n"));
}

#[tokio::test]
async fn folder_that_is_away_drops_no_record() {
    let (_world, _laptop, mut desktop) = story().await;
    let before = kept(&desktop);
    fs::rename(desktop.root(""), desktop.home.path().join("away")).unwrap();
    let patience = Duration::from_secs(1);
    let known = desktop.project().conflicts_within(patience).await.unwrap();
    assert_eq!(known.answer.len(), 1, "it is told as it was recorded");
    let fault = known.fault.expect("what is wrong is told");
    assert!(fault.message.contains("missing") && fault.hint.is_some(), "{fault:?}");
    fs::create_dir(desktop.root("")).unwrap();
    desktop.project().status(false).await.unwrap();
    assert_eq!(kept(&desktop), before);
    fs::remove_dir(desktop.root("")).unwrap();
    fs::rename(desktop.home.path().join("away"), desktop.root("")).unwrap();
    desktop.open().await.unwrap();
    assert_eq!(conflict(&desktop).await.local, Some(digest("desktop\n")));
}

#[tokio::test]
async fn recording_cut_anywhere_is_made_good_by_the_next_sync() {
    for steps in 0.. {
        let (_world, _laptop, mut desktop) = story_on(MemoryProfile::SWAP).await;
        let was_cut = cut(&mut desktop, steps, sync(Settle::Wait)).await;
        let case = format!("cut after {steps} steps");
        for shown in desktop.project().conflicts().await.unwrap() {
            let shown = detail(&desktop, shown.path.as_str()).await;
            assert!(shown.local.is_some() && shown.remote.is_some(), "{case}");
        }
        assert_eq!(desktop.syncs().await.conflicts, [rel("a.md")], "{case}");
        assert_eq!(detail(&desktop, "a.md").await.base.as_deref(), Some(&b"base\n"[..]), "{case}");
        assert_eq!(desktop.reads("a.md").as_deref(), Some("desktop\n"), "{case}");
        if !was_cut {
            assert!(steps > 5, "the job takes steps");
            return;
        }
    }
}
