//! What `status` and `conflict list` say of a backend that is gone, went back or
//! does not answer: what is wrong, and how old the answer is.

use mirror_core::Timestamp;
use mirror_storage::FaultClass;

use super::conflicts::story as conflict;
use super::queueing::unplug;
use super::*;
use crate::project::Project;
use crate::store::{Store as _, Table};

/// A machine that has pushed three commits, and when its head was last seen.
async fn story() -> (World, Machine, Timestamp) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    for text in ["one", "two"] {
        laptop.writes("a.md", text);
        laptop.pushes().await;
    }
    let seen = status(&laptop).await.checked_at.unwrap();
    world.advance(HOUR);
    (world, laptop, seen)
}

const HOUR: Duration = Duration::from_hours(1);
const PATIENCE: Duration = Duration::from_millis(1_600);

async fn status(machine: &Machine) -> StatusReport {
    machine.project().status(false).await.unwrap()
}

/// What is wrong, and of which class.
fn wrong(status: &StatusReport) -> (FaultClass, &str) {
    let fault = status.fault.as_ref().expect("something is wrong");
    assert!(fault.hint.is_some(), "nothing can be done about it: {fault:?}");
    assert!(status.offline);
    (fault.class, &fault.message)
}

/// Waits for what happens beside the test.
async fn in_the_end(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn status_of_a_backend_that_is_well_knows_the_head_of_now() {
    let (world, laptop, seen) = story().await;
    let desktop = world.machine("desktop").await;
    desktop.pulls().await;
    desktop.writes("b.md", "new");
    desktop.pushes().await;

    let found = status(&laptop).await;

    assert_eq!((found.head, found.read_up_to, found.offline, &found.fault), (4, 3, false, &None));
    assert!(found.checked_at > Some(seen));
    assert_eq!(laptop.project().head(), 4, "what was found is kept");
}

#[tokio::test]
async fn empty_mount_point_is_no_all_clear() {
    let (world, laptop, seen) = story().await;
    for name in world.names("_mirror") {
        world.lose(&name);
    }

    let found = status(&laptop).await;

    let (class, message) = wrong(&found);
    assert_eq!(class, FaultClass::Transient);
    assert!(message.contains("nothing of the project"), "{message}");
    assert_eq!((found.head, found.checked_at, found.phase), (3, Some(seen), Phase::Idle));
    assert_eq!(found.files.len(), 1, "what is here is told all the same");
    assert!(laptop.project().backend_fault().is_some_and(|fault| fault.of_backend));
}

/// The log lost its end, or has another one.
async fn check_fork(break_log: fn(&World)) {
    let (world, laptop, seen) = story().await;
    break_log(&world);

    for _ in 0..2 {
        let found = status(&laptop).await;
        let (class, message) = wrong(&found);
        assert_eq!(class, FaultClass::Stopped);
        assert!(message.contains("entry 3"), "{message}");
        assert_eq!((found.head, found.checked_at), (3, Some(seen)));
        let Phase::Stopped { hint: Some(hint), .. } = found.phase else { panic!("it goes on") };
        assert!(hint.contains("mirrorctl reload"), "{hint}");
    }
    assert_eq!(laptop.tries_push(&[]).await.unwrap_err().class(), FaultClass::Stopped);
}

#[tokio::test]
async fn head_that_moved_backwards_stops_the_project() {
    check_fork(|world| world.lose(&entry_path(3))).await;
}

#[tokio::test]
async fn head_that_is_another_one_stops_the_project() {
    check_fork(|world| {
        let other = world.commit(3);
        world.append(&mirror_core::commit::Commit { message: Some("other".to_owned()), ..other });
    })
    .await;
}

#[tokio::test]
async fn head_that_others_went_on_from_elsewhere_stops_the_project() {
    check_fork(|world| {
        world.lose(&entry_path(3));
        let mut other = world.draft();
        other.message = Some("after the backup was restored".to_owned());
        world.append(&other);
        let next = world.draft();
        world.append(&next);
    })
    .await;
}

#[tokio::test]
async fn refused_credentials_are_told_and_not_failed_on() {
    let (_world, laptop, _) = story().await;
    laptop.backend.refuse_credentials();

    assert_eq!(wrong(&status(&laptop).await).0, FaultClass::Auth);
}

#[tokio::test]
async fn age_of_what_is_known_outlives_a_restart() {
    let (world, mut laptop, seen) = story().await;
    unplug(&laptop);
    assert_eq!(status(&laptop).await.checked_at, Some(seen));

    world.advance(HOUR);
    laptop.open().await.unwrap();
    let found = status(&laptop).await;

    assert_eq!(found.checked_at, Some(seen));
    assert_eq!(wrong(&found), (FaultClass::Transient, "storage is unreachable: the line is cut"));
    laptop.open().await.unwrap();
    assert!(laptop.project().backend_fault().is_some(), "it is known before anybody asks");
    laptop.backend.plug_in();
    let found = status(&laptop).await;
    assert_eq!((found.checked_at, found.fault), (Some(world.outside.clock.now()), None));
    assert_eq!(laptop.project().backend_fault(), None);
}

#[tokio::test]
async fn age_of_what_is_known_is_right_to_a_minute_when_nobody_saw_it_end() {
    let (world, mut laptop, _) = story().await;
    for _ in 0..6 {
        world.advance(Duration::from_secs(30));
        laptop.project().poll().await.unwrap();
    }
    let last = world.outside.clock.now();
    unplug(&laptop);
    world.advance(HOUR);

    laptop.open().await.unwrap();

    let checked = status(&laptop).await.checked_at.unwrap();
    let age = last.milliseconds() - checked.milliseconds();
    assert!((0..60_000).contains(&age), "{age} ms too old");
}

#[tokio::test]
async fn nobody_waits_longer_than_they_can_for_a_backend_that_is_silent() {
    let (world, laptop, seen) = story().await;
    laptop.backend.falls_silent();
    let project = laptop.project();

    let found = project.status_within(PATIENCE).await.unwrap();
    let begun = laptop.backend.begun();
    let again = project.status_within(PATIENCE).await.unwrap();
    let conflicts = project.conflicts_within(PATIENCE).await.unwrap();

    assert_eq!(wrong(&found).0, FaultClass::Transient);
    assert!(wrong(&found).1.contains("no answer within 1.6 s"), "{:?}", found.fault);
    assert_eq!((found.head, found.checked_at, found.files.len()), (3, Some(seen), 1));
    assert_eq!((again.fault, conflicts.fault.is_some()), (found.fault, true));
    // The look goes on beside, and what comes of it is not lost.
    assert_eq!(laptop.backend.begun(), begun);
    laptop.backend.speaks_again();
    in_the_end(|| project.backend_fault().is_none()).await;
    assert!(project.status(true).await.unwrap().checked_at > Some(seen));
    assert_eq!(world.head(), 3);
}

#[tokio::test]
async fn status_waits_for_no_other_question_that_waits_for_the_backend() {
    let (_world, laptop, _) = story().await;
    let project = laptop.project();
    laptop.backend.falls_silent();
    let asks = async {
        tokio::task::yield_now().await;
        let found = project.status_within(PATIENCE).await.unwrap();
        laptop.backend.speaks_again();
        found
    };

    let questions = async {
        let (log, diff) =
            futures::join!(project.log(LogQuery::default()), project.diff(Scope::default(), 3));
        (log.unwrap().commits.len(), diff.unwrap().len())
    };
    let (answered, found) = futures::join!(questions, asks);

    assert_eq!(answered, (3, 0));
    assert_eq!(wrong(&found).0, FaultClass::Transient);
}

#[tokio::test]
async fn conflicts_are_listed_and_shown_without_the_backend() {
    let (_world, _laptop, desktop) = conflict().await;
    desktop.backend.falls_silent();
    let project = desktop.project();

    let listed = project.conflicts_within(PATIENCE).await.unwrap();
    let shown = project.conflict_within("a.md".to_owned(), PATIENCE).await.unwrap();

    assert_eq!(listed.answer.len(), 1);
    assert_eq!(shown.answer.local.as_deref(), Some(&b"desktop\n"[..]));
    assert_eq!(shown.answer.remote.as_deref(), Some(&b"laptop\n"[..]));
    for fault in [listed.fault, shown.fault] {
        assert!(fault.is_some_and(|fault| fault.of_backend && fault.hint.is_some()));
    }
}

#[tokio::test]
async fn folder_that_is_missing_is_told_and_nothing_is_said_of_its_files() {
    let (_world, laptop, _) = story().await;
    fs::rename(laptop.root(""), laptop.home.path().join("moved")).unwrap();

    let found = status(&laptop).await;

    let fault = found.fault.expect("something is wrong");
    assert_eq!((fault.class, fault.of_backend), (FaultClass::Consent, false));
    assert!(fault.message.contains("is missing") && fault.hint.is_some(), "{fault:?}");
    assert_eq!((found.files, found.files_known, found.offline), (vec![], false, false));
    assert_eq!((found.head, found.skipped), (3, vec![]));
}

fn stopped() -> ProjectFault {
    let message = "the log has forked".to_owned();
    ProjectFault { class: FaultClass::Stopped, message, hint: None, of_backend: false }
}

#[tokio::test]
async fn project_that_can_not_be_opened_is_told_of_as_it_was_known_and_stays_as_it_is() {
    let (world, mut laptop, seen) = story().await;
    laptop.writes("a.md", "edited since");
    world.lose(&entry_path(3));
    assert_eq!(laptop.open().await.unwrap_err().class(), FaultClass::Stopped);
    let (files, calls) = (laptop.all_that_is_kept(), laptop.backend.begun());

    let aside = Project::look_aside(laptop.spec(), laptop.parts(), &stopped()).await.unwrap();
    let found = aside.status(true).await.unwrap();
    aside.close().await;

    let state = (found.files[0].path.as_str(), found.files[0].state);
    assert_eq!(state, ("a.md", FileState::LocalAhead));
    assert_eq!((found.head, found.checked_at, found.offline), (3, Some(seen), true));
    assert_eq!(laptop.all_that_is_kept(), files);
    assert_eq!(laptop.backend.begun(), calls);
}

#[tokio::test]
async fn copies_of_the_log_that_are_gone_take_no_state_along() {
    let (world, mut laptop, _seen) = story().await;
    laptop.writes("a.md", "edited since");
    world.lose(&entry_path(3));
    assert_eq!(laptop.open().await.unwrap_err().class(), FaultClass::Stopped);
    let rows = || Table::ALL.map(|table| laptop.store.load(table).unwrap());
    let kept = rows();
    let log = laptop.home.path().join("data/log");
    std::fs::remove_dir_all(log).unwrap();

    let aside = Project::keep_aside(laptop.spec(), laptop.parts(), &stopped()).await.unwrap();
    assert_eq!(aside.head(), 0);
    aside.close().await;

    assert_eq!(rows(), kept);
}

#[tokio::test]
async fn nothing_is_known_of_a_project_that_was_never_read() {
    let world = World::new().await;
    let laptop = Machine::new(&world, "laptop");
    let aside = Project::look_aside(laptop.spec(), laptop.parts(), &stopped()).await.unwrap();
    assert_eq!((aside.head(), aside.stash().await.unwrap()), (0, vec![]));
    assert!(aside.conflicts().await.unwrap().is_empty());
}

#[tokio::test]
async fn hint_has_the_log_read_and_leaves_all_else_to_the_round() {
    let (world, laptop, _) = story().await;
    let desktop = world.machine("desktop").await;
    desktop.pulls().await;
    desktop.writes("b.md", "new");
    desktop.pushes().await;
    laptop.backend.refuse(|verb, path| verb != "read" || !path.contains("/log/"));

    assert!(laptop.project().read_on().await.unwrap());

    assert_eq!(laptop.project().head(), 4);
    assert!(!laptop.project().read_on().await.unwrap(), "there is no more");
    laptop.project().poll().await.unwrap_err();
}

#[tokio::test]
async fn diff_shows_what_it_can_and_names_the_rest() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    for name in ["a.md", "b.md"] {
        laptop.writes(name, format!("{name}\n"));
    }
    laptop.pushes().await;
    laptop.writes("a.md", "better\n");
    let of = |names: &[&str]| Scope { names: names.iter().map(|&name| name.to_owned()).collect() };
    laptop.project().diff(of(&["a.md"]), 3).await.unwrap();
    laptop.writes("b.md", "better, too\n");
    unplug(&laptop);

    let shown = laptop.project().diff(of(&[]), 3).await.unwrap();

    let faults = shown.iter().map(|diff| diff.fault.as_ref().map(|fault| fault.class));
    assert_eq!(faults.collect::<Vec<_>>(), [None, Some(FaultClass::Transient)]);
    assert!(shown[0].unified.contains("+better") && shown[1].unified.is_empty());
    let error = laptop.project().diff(of(&["b.md"]), 3).await.unwrap_err();
    assert_eq!(error.class(), FaultClass::Transient, "there is nothing else to show");
}
