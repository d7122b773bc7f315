//! What a person is asked before it is lost (B12), and what counts for that.

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn name(number: usize) -> String {
    format!("notes/{number}.md")
}

/// Two machines that agree on twelve files.
async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for number in 0..12 {
        laptop.writes(&name(number), number.to_string());
    }
    converge(&laptop, &desktop).await;
    (world, laptop, desktop)
}

pub(super) async fn agrees(machine: &Machine, job: Job) -> Report {
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job, dry_run: false, consent: true };
    machine.project().run(request, events, Cancel::new()).await.unwrap()
}

/// Nothing is done; gives what is asked.
#[track_caller]
fn asked(outcome: EngineResult<Report>) -> Deletions {
    match outcome {
        Err(crate::EngineError::Consent(asked)) => *asked,
        other => panic!("nothing was asked: {other:?}"),
    }
}

fn delete(names: &[&str]) -> Job {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Job::Delete { scope: Scope { names }, keep_local: false, message: None }
}

#[tokio::test]
async fn question_lists_the_first_and_the_folders() {
    let (_world, laptop, _desktop) = story().await;
    (0..5).for_each(|number| laptop.removes(&name(number)));

    let asked = asked(laptop.tries_push(&[]).await);

    assert_eq!((asked.count, asked.folders), (5, vec![("notes".to_owned(), 5)]));
    assert_eq!(asked.first.first(), Some(&rel("notes/0.md")));
    let three = "(notes/0.md, notes/1.md, notes/2.md and 2 more)";
    assert!(asked.message.ends_with(three), "{}", asked.message);
}

#[tokio::test]
async fn moved_files_count_neither_now_nor_for_the_hour() {
    let (_world, laptop, desktop) = story().await;
    for number in 0..12 {
        fs::create_dir_all(laptop.root("moved")).unwrap();
        let new = format!("moved/{number}.md");
        fs::rename(laptop.root(&name(number)), laptop.root(&new)).unwrap();
    }
    laptop.pushes().await;
    desktop.pulls().await;

    for machine in [&laptop, &desktop] {
        machine.syncs().await;
        machine.removes(if machine.author.machine == "laptop" {
            "moved/0.md"
        } else {
            "moved/1.md"
        });
        machine.syncs().await;
    }
}

#[tokio::test]
async fn files_that_are_copied_first_and_removed_later_are_moved() {
    let (_world, laptop, desktop) = story().await;
    (0..12).for_each(|n| laptop.writes(&format!("new/{n}.md"), n.to_string()));
    laptop.pushes().await;
    desktop.pulls().await;
    fs::remove_dir_all(laptop.root("notes")).unwrap();

    laptop.pushes().await;

    assert_eq!(desktop.pulls().await.files.len(), 12);
}

#[tokio::test]
async fn deletions_of_several_jobs_machines_and_runs_add_up() {
    let (world, mut laptop, desktop) = story().await;
    for number in [0, 1] {
        desktop.removes(&name(number));
    }
    desktop.pushes().await;
    laptop.pulls().await;
    for number in [2, 3] {
        laptop.removes(&name(number));
    }
    laptop.pushes().await;
    laptop.open().await.unwrap();
    laptop.removes(&name(4));

    assert_eq!(asked(laptop.tries_push(&[]).await).count, 1);

    world.advance(HOUR);
    laptop.pushes().await;
}

#[tokio::test]
async fn clock_that_is_set_back_keeps_no_deletion_for_longer_than_an_hour() {
    let (world, laptop, _desktop) = story().await;
    (0..4).for_each(|number| laptop.removes(&name(number)));
    laptop.pushes().await;
    world.goes_back(24 * HOUR);
    laptop.removes(&name(4));
    assert_eq!(asked(laptop.tries_push(&[]).await).count, 1);

    world.advance(HOUR);

    laptop.pushes().await;
}

#[tokio::test]
async fn pulled_deletions_are_asked_about_only_as_far_as_nobody_agreed() {
    let (_world, laptop, desktop) = story().await;
    (0..8).for_each(|number| laptop.removes(&name(number)));
    agrees(&laptop, push_of(&[])).await;
    (8..12).for_each(|number| laptop.writes(&name(number), "edited"));
    laptop.removes(&name(8));
    laptop.pushes().await;

    desktop.pulls().await;

    // One alone counts for the hour there, too.
    for number in [9, 10] {
        desktop.removes(&name(number));
    }
    assert_eq!(desktop.pushes().await.files.len(), 2);
}

#[tokio::test]
async fn emptied_files_are_asked_about_here_and_where_they_are_pulled() {
    let (world, laptop, desktop) = story().await;
    (0..6).for_each(|number| laptop.writes(&name(number), ""));

    let here = asked(laptop.tries_push(&[]).await);
    assert!(here.message.contains("6 files are emptied"), "{}", here.message);

    // In steps too small to ask, by two others.
    laptop.writes(&name(4), "4");
    laptop.writes(&name(5), "5");
    laptop.pushes().await;
    world.advance(HOUR);
    for number in [4, 5] {
        laptop.writes(&name(number), "");
    }
    laptop.pushes().await;
    assert_eq!(asked(desktop.tries_pull().await).count, 6);
    assert_eq!(desktop.reads(&name(0)).as_deref(), Some("0"));
    let pulled = agrees(&desktop, Job::Pull { scope: Scope::default() }).await;
    assert_eq!(pulled.files.len(), 6);
}

#[tokio::test]
async fn consent_to_emptied_files_is_in_the_commit() {
    let (world, laptop, desktop) = story().await;
    (0..6).for_each(|number| laptop.writes(&name(number), ""));
    agrees(&laptop, push_of(&[])).await;

    assert_eq!(world.commit(world.head()).consent, Some(true));
    assert_eq!(desktop.pulls().await.files.len(), 6);
}

#[tokio::test]
async fn file_deleted_by_its_name_needs_no_other_consent_and_a_pattern_does() {
    let (world, laptop, desktop) = story().await;
    let all: Vec<String> = (0..12).map(name).collect();
    let six: Vec<&str> = all.iter().take(6).map(String::as_str).collect();
    assert_eq!(asked(laptop.runs(delete(&["notes"])).await).count, 12);
    assert_eq!(asked(laptop.runs(delete(&["notes/*.md"])).await).count, 12);

    laptop.runs(delete(&six)).await.unwrap();

    assert_eq!(world.commit(world.head()).consent, Some(true));
    assert_eq!(desktop.pulls().await.files.len(), 6);
    // Nor does it count for what is deleted otherwise.
    laptop.removes(&name(6));
    laptop.pushes().await;
}

#[tokio::test]
async fn files_that_the_head_ignores_from_now_on_are_not_asked_about() {
    let (world, laptop, desktop) = story().await;
    laptop.writes(".mirrorignore", "notes\n");
    laptop.pushes().await;
    world.append(&deletion_of(&world, 12));

    let report = desktop.tries_pull().await.unwrap();

    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(desktop.reads(&name(0)).as_deref(), Some("0"));
}

/// A commit, by a machine that asked nobody, that deletes the first files.
fn deletion_of(world: &World, count: usize) -> mirror_core::Commit {
    let deletion = |number: usize| mirror_core::commit::Change {
        path: rel(&name(number)),
        from: Some(Digest::of(number.to_string().as_bytes())),
        to: None,
        renamed_from: None,
    };
    let mut changes: Vec<_> = (0..count).map(deletion).collect();
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    mirror_core::Commit { changes, ..world.draft() }
}
