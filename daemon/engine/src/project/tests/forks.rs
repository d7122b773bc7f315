//! A log that contradicts what was read before stops the project (L7): nothing
//! is written or deleted anywhere, and the message says what is known.

use super::*;
use crate::error::EngineError;

/// Five commits that the laptop has made and the desktop has pulled.
async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for number in 2..=5 {
        laptop.writes("a.md", format!("version {number}"));
        laptop.writes(&format!("{number}.md"), "more");
        laptop.pushes().await;
    }
    desktop.pulls().await;
    (world, laptop, desktop)
}

/// All but packs: the head is compared beside their upload (L3), and one that
/// no commit names changes nothing.
fn backend_of(world: &World) -> BTreeMap<String, Bytes> {
    let names = world.names("_mirror").into_iter().chain(world.names(""));
    let lasting = names.filter(|name| !name.starts_with("_mirror/packs/"));
    lasting.map(|name| (name.clone(), world.content(&name).unwrap())).collect()
}

/// Every job is refused with the same reason, and changes nothing.
async fn check_stopped(world: &World, machine: &Machine, reason: &str) {
    let (tree, backend) = (machine.files(), backend_of(world));
    let jobs = [
        push_of(&[]),
        Job::Pull { scope: Scope::default() },
        Job::Sync { scope: Scope::default(), message: None, settle: Settle::Wait },
    ];
    for job in jobs {
        let error = machine.runs(job.clone()).await.unwrap_err();
        assert!(matches!(error, EngineError::Stopped { .. }), "{job:?}: {error:?}");
        assert!(error.to_string().contains(reason), "{job:?}: {error}");
        assert!((&machine.files(), &backend_of(world)) == (&tree, &backend), "{job:?}");
    }
    assert!(matches!(machine.project().phase(), Phase::Stopped { .. }));
}

/// The same answer comes from a project that is open and from one that starts.
async fn check_fork(reason: &str, break_log: fn(&World)) {
    let (world, laptop, mut desktop) = story().await;
    break_log(&world);
    laptop.writes("unsent.md", "edit");
    check_stopped(&world, &laptop, reason).await;

    let error = desktop.open().await.unwrap_err();
    assert!(matches!(error, EngineError::Stopped { .. }), "{error:?}");
    assert!(error.to_string().contains(reason), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn log_whose_tail_is_cut_off_is_a_fork() {
    check_fork("is gone", |world| {
        world.lose(&entry_path(5));
        world.lose(&entry_path(4));
    })
    .await;
}

#[tokio::test]
async fn log_whose_head_is_another_is_a_fork() {
    check_fork("not the one that this machine has read", |world| {
        let mut other = world.commit(5);
        other.message = Some("something else".to_owned());
        world.append(&other);
    })
    .await;
}

#[tokio::test]
async fn log_with_another_first_entry_is_another_project() {
    check_fork("another project", |world| {
        let mut other = world.commit(1);
        other.id = world.outside.ulid();
        for seq in 2..=5 {
            world.lose(&entry_path(seq));
        }
        world.append(&other);
    })
    .await;
}

#[tokio::test]
async fn log_that_was_cut_and_went_on_elsewhere_is_a_fork() {
    check_fork("not the one that this machine has read", |world| {
        world.lose(&entry_path(5));
        world.append(&world.draft());
        world.append(&world.draft());
    })
    .await;
}

#[tokio::test]
async fn log_that_vanished_as_a_whole_is_waited_for_and_changes_nothing() {
    let (world, laptop, mut desktop) = story().await;
    let log: Vec<Bytes> = (1..=5).map(|seq| world.entry(seq).unwrap()).collect();
    (1..=5).for_each(|seq| world.lose(&entry_path(seq)));
    laptop.writes("unsent.md", "edit");
    laptop.removes("2.md");
    let (tree, backend) = (laptop.files(), backend_of(&world));
    let error = laptop.tries_pull().await.unwrap_err();
    assert!(error.to_string().contains("unreachable"), "{error}");
    assert!(laptop.pushes().await.queued);
    assert!((&laptop.files(), &backend_of(&world)) == (&tree, &backend));
    desktop.open().await.unwrap();
    assert!(desktop.tries_sync().await.is_err());

    (1..=5).zip(log).for_each(|(seq, entry)| world.plant(&entry_path(seq), entry));
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("unsent.md").as_deref(), Some("edit"));
}

#[tokio::test]
async fn conflicted_copy_among_the_entries_is_a_fork() {
    for copy in ["0000000005 (conflicted copy).json", "0000000005.sync-conflict-1.json"] {
        let (world, _laptop, mut desktop) = story().await;
        world.plant(&format!("_mirror/log/0000000/{copy}"), "{}");
        let error = desktop.open().await.unwrap_err();
        assert!(matches!(error, EngineError::Stopped { .. }), "{error:?}");
        assert!(error.to_string().contains(copy), "{error}");
    }
}

#[tokio::test]
async fn entry_of_an_unknown_format_stops_and_says_which_is_needed() {
    let (world, laptop, mut desktop) = story().await;
    world.plant(&entry_path(6), r#"{"format":9,"shape":"unheard of"}"#);
    laptop.writes("unsent.md", "edit");
    check_stopped(&world, &laptop, "format 9").await;
    assert!(desktop.open().await.unwrap_err().to_string().contains("format 9"));
    assert_eq!(world.head(), 6);
}

#[tokio::test]
async fn purge_or_an_encrypted_entry_stops_and_is_no_void_entry() {
    for (entry, reason) in [
        (r#"{"format":1,"seq":6,"action":"purge","purged":[]}"#, r#"the action "purge""#),
        ("age-encryption.org/v1\n-> X25519 a\n", "it is encrypted"),
    ] {
        let (world, laptop, mut desktop) = story().await;
        world.plant(&entry_path(6), entry);
        laptop.writes("unsent.md", "edit");
        check_stopped(&world, &laptop, reason).await;
        assert!(desktop.open().await.unwrap_err().to_string().contains("later version"));
        assert_eq!(world.head(), 6);
    }
}

#[tokio::test]
async fn pushes_that_were_acknowledged_are_not_undone_by_a_restored_backend() {
    let (world, laptop, mut desktop) = story().await;
    // A void entry in between must not shorten what a machine remembers.
    world.plant(&entry_path(6), "not a commit");
    desktop.writes("late.md", "acknowledged");
    desktop.pushes().await;
    desktop.writes("late.md", "acknowledged twice");
    desktop.pushes().await;
    world.lose(&entry_path(8));

    let opened = desktop.open().await;

    assert!(matches!(opened, Err(EngineError::Stopped { .. })), "{opened:?}");
    drop(laptop);
}

#[tokio::test]
async fn quiet_project_finds_a_server_that_went_back_within_twenty_polls() {
    let (world, laptop, _desktop) = story().await;
    world.lose(&entry_path(5));
    let mut polls = 0;
    while laptop.project().poll().await.is_ok() {
        polls += 1;
        assert!(polls <= 20, "it was never looked at");
    }
    assert!(matches!(laptop.project().phase(), Phase::Stopped { .. }));
}

#[tokio::test]
async fn head_replaced_just_before_a_commit_keeps_it_from_being_made() {
    let (world, laptop, _desktop) = story().await;
    let mut other = world.commit(5);
    other.message = Some("something else".to_owned());
    let (files, path) = (world.files.clone(), RemotePath::new(entry_path(5)).unwrap());
    let is_look = |verb: &str, path: &str| verb == "read" && path == entry_path(5);
    laptop.backend.before(is_look, async move {
        files.write(&path, other.to_bytes().into(), Expect::Anything).await.unwrap();
    });
    laptop.writes("late.md", "edit");

    let pushed = laptop.tries_push(&[]).await;

    assert!(matches!(pushed, Err(EngineError::Stopped { .. })), "{pushed:?}");
    assert_eq!(world.head(), 5);
    assert_eq!(laptop.reads("late.md").as_deref(), Some("edit"));
}

#[tokio::test]
async fn log_that_was_cut_is_a_fork_also_for_a_machine_that_lost_its_copy() {
    let (world, _laptop, mut desktop) = story().await;
    desktop.project.take().unwrap().close().await;
    desktop.loses_folder("data");
    world.lose(&entry_path(5));
    let opened = desktop.open().await;
    assert!(matches!(opened, Err(EngineError::Stopped { .. })), "{opened:?}");
    assert_eq!(desktop.reads("a.md").as_deref(), Some("version 5"));
}

/// The desktop acted on entry 5; a loss of power takes its copy of that, and
/// the backend, which was set back, has another entry in its place.
async fn forgotten_entry_replaced(desktop: &mut Machine, world: &World) {
    desktop.project.take().unwrap().close().await;
    fs::remove_file(desktop.home.path().join("data").join(entry_name(5))).unwrap();
    let mut other = world.commit(5);
    other.message = Some("something else".to_owned());
    world.append(&other);
}

#[tokio::test]
async fn log_that_went_on_elsewhere_is_a_fork_also_for_a_machine_that_lost_its_copy() {
    let (world, _laptop, mut desktop) = story().await;
    forgotten_entry_replaced(&mut desktop, &world).await;

    for _ in 0..2 {
        let opened = desktop.open().await;
        let error = opened.expect_err("it follows another log").to_string();
        assert!(error.contains("entry 5 is not the one that this machine has read"), "{error}");
    }
}

#[tokio::test]
async fn forgotten_entry_is_compared_once_the_backend_is_there_again() {
    let (world, _laptop, mut desktop) = story().await;
    forgotten_entry_replaced(&mut desktop, &world).await;
    desktop.backend.refuse(|_, _| true);
    desktop.open().await.unwrap();
    assert!(desktop.tries_pull().await.is_err());
    desktop.writes("late.md", "edit");
    assert!(desktop.pushes().await.queued);

    desktop.backend.plug_in();
    let pushed = desktop.tries_push(&[]).await;

    assert!(matches!(pushed, Err(EngineError::Stopped { .. })), "{pushed:?}");
    assert_eq!(world.head(), 5);
    assert_eq!(desktop.reads("a.md").as_deref(), Some("version 5"));
}

#[tokio::test]
async fn attempt_on_an_entry_that_was_replaced_is_not_sent_again() {
    let (world, _laptop, mut desktop) = story().await;
    desktop.writes("late.md", "edit");
    desktop.backend.refuse(|verb, path| verb == "write" && path == entry_path(6));
    assert!(desktop.pushes().await.queued);
    forgotten_entry_replaced(&mut desktop, &world).await;

    let opened = desktop.open().await;

    assert!(matches!(opened, Err(EngineError::Stopped { .. })), "{opened:?}");
    assert_eq!(world.head(), 5);
}

/// The opening that finds the fork keeps a copy of what it read. The next one,
/// while the backend is away, goes by that copy.
#[tokio::test]
async fn attempt_is_not_sent_into_the_other_log_once_a_copy_of_that_is_here() {
    let (world, _laptop, mut desktop) = story().await;
    desktop.writes("late.md", "edit");
    desktop.backend.refuse(|verb, path| verb == "write" && path == entry_path(6));
    assert!(desktop.pushes().await.queued);
    forgotten_entry_replaced(&mut desktop, &world).await;
    desktop.backend.plug_in();
    desktop.open().await.expect_err("it follows another log");
    desktop.backend.refuse(|_, _| true);
    desktop.open().await.unwrap();

    desktop.backend.plug_in();
    let synced = desktop.tries_sync().await;

    assert!(matches!(synced, Err(EngineError::Stopped { .. })), "{synced:?}");
    assert_eq!(world.head(), 5);
}
