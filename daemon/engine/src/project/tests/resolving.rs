//! Conflicts settled by a person or an agent.

use mirror_core::commit::Strategy;
use mirror_storage::FaultClass;

use super::conflicts::{one, story, story_on};
use super::meddling_tree::Step;
use super::merging::packed;
use super::*;

const RESULT: &str = "laptop and desktop\n";

fn resolve(resolution: Resolution) -> Job {
    Job::Resolve { path: "a.md".to_owned(), resolution, token: None, no_push: false }
}

fn apply(text: &str) -> Job {
    resolve(Resolution::Merged(Bytes::copy_from_slice(text.as_bytes())))
}

/// The same, decided about what was shown with this token.
fn shown(job: Job, token: &str) -> Job {
    let Job::Resolve { path, resolution, no_push, .. } = job else { panic!("it resolves") };
    Job::Resolve { path, resolution, token: Some(token.to_owned()), no_push }
}

/// The same, left to the next push.
fn kept_here(job: Job) -> Job {
    let Job::Resolve { path, resolution, token, .. } = job else { panic!("it resolves") };
    Job::Resolve { path, resolution, token, no_push: true }
}

async fn token(machine: &Machine) -> String {
    one(&machine.project().conflicts().await.unwrap()).token
}

async fn is_refused(machine: &Machine, job: Job, class: FaultClass) {
    let before = machine.files();
    let error = machine.runs(job).await.unwrap_err();
    assert_eq!(error.class(), class, "{error}");
    assert!(error.hint().is_some());
    assert_eq!(machine.files(), before);
}

/// Nothing waits any more, and both machines have this text.
async fn is_settled(laptop: &Machine, desktop: &Machine, text: &str) {
    assert_eq!(desktop.project().conflicts().await.unwrap(), []);
    assert!(has_no_files(&desktop.home.path().join("data/conflicts")));
    converge(desktop, laptop).await;
    assert_eq!(laptop.reads("a.md").as_deref(), Some(text));
}

/// Whether a folder has no file left; empty folders may be.
fn has_no_files(folder: &std::path::Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).all(|path| path.is_dir() && has_no_files(&path))
}

/// Both versions that went into a resolution can be read from packs.
fn has_both_versions(world: &World) {
    for text in ["laptop\n", "desktop\n"] {
        let bytes = packed(world, Digest::of(text.as_bytes()));
        assert_eq!(bytes.as_deref(), Some(text.as_bytes()));
    }
}

#[tokio::test]
async fn applied_result_stands_on_both_machines_and_both_versions_stay_readable() {
    let (world, laptop, desktop) = story().await;
    let token = token(&desktop).await;

    let report = desktop.runs(shown(apply(RESULT), &token)).await.unwrap();

    assert_eq!((failed(&report), &report.conflicts), (vec![], &vec![]));
    assert_eq!(report.files.len(), 1);
    assert_eq!(report.files[0].action, FileAction::Merged);
    assert_eq!(report.commit.unwrap().0, 4);
    assert_eq!(desktop.reads("a.md").as_deref(), Some(RESULT));
    assert_eq!(world.text("a.md").as_deref(), Some(RESULT));
    let [resolved] = &world.commit(4).resolved[..] else { panic!("one path is settled") };
    assert_eq!((resolved.strategy, resolved.inputs.len()), (Strategy::Edited, 2));
    has_both_versions(&world);
    is_settled(&laptop, &desktop, RESULT).await;
}

#[tokio::test]
async fn local_version_is_taken_by_a_commit() {
    let (world, laptop, desktop) = story().await;
    let report = desktop.runs(resolve(Resolution::Local)).await.unwrap();
    assert_eq!(report.commit.unwrap().0, 4);
    assert_eq!(world.commit(4).resolved[0].strategy, Strategy::KeepLocal);
    assert_eq!(world.commit(4).resolved[0].inputs.len(), 2);
    has_both_versions(&world);
    is_settled(&laptop, &desktop, "desktop\n").await;
    assert_eq!(world.head(), 4);
}

#[tokio::test]
async fn remote_version_is_taken_without_a_commit_and_the_local_one_is_stashed() {
    let (world, laptop, desktop) = story().await;
    let report = desktop.runs(resolve(Resolution::Remote)).await.unwrap();
    assert_eq!(report.commit, None);
    assert_eq!(report.files[0].action, FileAction::Fetched);
    let stashed = ("a.md".to_owned(), "conflict".to_owned(), "desktop\n".to_owned());
    assert_eq!(desktop.stashed(), [stashed]);
    is_settled(&laptop, &desktop, "laptop\n").await;
    assert_eq!(world.head(), 3);
}

#[tokio::test]
async fn result_that_equals_the_head_makes_no_commit() {
    let (world, laptop, desktop) = story().await;
    desktop.runs(apply("laptop\n")).await.unwrap();
    assert_eq!(desktop.stashed().len(), 1);
    is_settled(&laptop, &desktop, "laptop\n").await;
    assert_eq!(world.head(), 3);
}

#[tokio::test]
async fn binary_file_is_settled_byte_for_byte() {
    for (settle, mine, bytes) in [
        (Settle::KeepLocal, true, &b"\0desktop\xff\r\n"[..]),
        (Settle::KeepRemote, false, b"\0laptop\xfe"),
    ] {
        for by_hand in [false, true] {
            let (world, laptop, desktop) = story().await;
            laptop.writes("a.md", b"\0laptop\xfe");
            laptop.pushes().await;
            desktop.writes("a.md", b"\0desktop\xff\r\n");
            if by_hand {
                desktop.syncs().await;
                let side = if mine { Resolution::Local } else { Resolution::Remote };
                desktop.runs(resolve(side)).await.unwrap();
            } else {
                let report = desktop.runs(sync(settle)).await.unwrap();
                assert_eq!((failed(&report), &report.conflicts), (vec![], &vec![]));
            }
            converge(&desktop, &laptop).await;
            assert_eq!(laptop.files()["a.md"], bytes);
            assert_eq!(world.content("a.md").as_deref(), Some(bytes));
            let kept = if mine {
                packed(&world, Digest::of(b"\0laptop\xfe"))
            } else {
                assert_eq!(desktop.stashed().len(), 1);
                Some(b"\0laptop\xfe".to_vec())
            };
            assert_eq!(kept.as_deref(), Some(&b"\0laptop\xfe"[..]));
        }
    }
}

#[tokio::test]
async fn resolution_is_refused_once_the_other_side_moved() {
    for job in [apply(RESULT), resolve(Resolution::Local), resolve(Resolution::Remote)] {
        let (world, laptop, desktop) = story().await;
        let token = token(&desktop).await;
        laptop.writes("a.md", "laptop again\n");
        laptop.pushes().await;
        is_refused(&desktop, shown(job.clone(), &token), FaultClass::Conflict).await;
        is_refused(&desktop, kept_here(shown(job.clone(), &token)), FaultClass::Conflict).await;
        is_refused(&desktop, job, FaultClass::Conflict).await;
        assert_eq!(world.head(), 4);
    }
}

#[tokio::test]
async fn resolution_is_refused_once_this_side_moved() {
    for job in [apply(RESULT), resolve(Resolution::Local), resolve(Resolution::Remote)] {
        let (world, _laptop, desktop) = story().await;
        let token = token(&desktop).await;
        desktop.writes("a.md", "desktop again\n");
        is_refused(&desktop, shown(job.clone(), &token), FaultClass::Conflict).await;
        is_refused(&desktop, job, FaultClass::Conflict).await;
        assert_eq!(world.head(), 3);
    }
}

#[tokio::test]
async fn resolution_that_loses_a_race_for_its_own_path_is_refused() {
    for same_bytes in [false, true] {
        let (world, laptop, desktop) = story().await;
        let entry = entry_path(if same_bytes { 5 } else { 4 });
        if same_bytes {
            // Away and back again: the same bytes, but another version.
            laptop.writes("a.md", "between\n");
            laptop.pushes().await;
            desktop.syncs().await;
        }
        let token = token(&desktop).await;
        laptop.writes("a.md", "laptop again\n");
        desktop.backend.before(
            move |verb, path| verb == "write" && path.starts_with(entry.trim_end_matches(".json")),
            async move { drop(laptop.pushes().await) },
        );
        is_refused(&desktop, shown(apply(RESULT), &token), FaultClass::Conflict).await;
        assert_eq!(world.text("a.md").as_deref(), Some("laptop again\n"));
        assert_eq!(world.times_committed("a.md").get(&Some(Digest::of(RESULT.as_bytes()))), None);
    }
}

#[tokio::test]
async fn resolution_that_loses_a_race_for_another_path_is_carried_out() {
    let (world, laptop, desktop) = story().await;
    let laptop = Arc::new(laptop);
    let pushing = laptop.clone();
    laptop.writes("b.md", "meanwhile");
    let entry = entry_path(4);
    desktop.backend.before(
        move |verb, path| verb == "write" && path.starts_with(entry.trim_end_matches(".json")),
        async move { drop(pushing.pushes().await) },
    );
    let report = desktop.runs(apply(RESULT)).await.unwrap();
    assert_eq!(report.commit.unwrap().0, 5);
    is_settled(&laptop, &desktop, RESULT).await;
    assert_eq!(world.text("b.md").as_deref(), Some("meanwhile"));
}

#[tokio::test]
async fn edit_made_while_a_result_lands_is_kept() {
    for (job, is_refused) in [
        (apply(RESULT), false),
        (kept_here(apply(RESULT)), true),
        (resolve(Resolution::Remote), true),
    ] {
        let (_world, _laptop, desktop) = story().await;
        let file = desktop.root("a.md");
        let mut is_done = false;
        desktop.tree.haunt(move |step, _| {
            if step == Step::Put && !std::mem::replace(&mut is_done, true) {
                fs::write(&file, "edited meanwhile\n").unwrap();
            }
        });
        let ended = desktop.runs(job).await;
        assert_eq!(desktop.reads("a.md").as_deref(), Some("edited meanwhile\n"));
        match ended {
            Ok(report) => assert_eq!((failed(&report), is_refused), (vec!["a.md"], false)),
            Err(error) => assert_eq!((error.class(), is_refused), (FaultClass::Conflict, true)),
        }
        assert_eq!(desktop.unsettled().await.len(), 1);
    }
}

#[tokio::test]
async fn left_over_markers_are_refused() {
    let (world, laptop, desktop) = story().await;
    let marked = desktop.project().conflict("a.md".to_owned()).await.unwrap().marked.unwrap();
    let job = || resolve(Resolution::Merged(marked.clone()));
    is_refused(&desktop, job(), FaultClass::Rejected).await;
    is_refused(&desktop, kept_here(job()), FaultClass::Rejected).await;
    assert_eq!(world.head(), 3);
    // What is no text has no markers.
    let binary = Bytes::from(["\0\n".as_bytes(), &marked].concat());
    desktop.runs(resolve(Resolution::Merged(binary.clone()))).await.unwrap();
    converge(&desktop, &laptop).await;
    assert_eq!(laptop.files()["a.md"], binary);
}

#[tokio::test]
async fn what_is_not_in_conflict_is_not_resolved() {
    let (_world, _laptop, desktop) = story().await;
    desktop.writes("b.md", "b");
    for path in ["b.md", "never.md", "../a.md", ""] {
        let job = Job::Resolve {
            path: path.to_owned(),
            resolution: Resolution::Local,
            token: None,
            no_push: false,
        };
        is_refused(&desktop, job, FaultClass::NotFound).await;
    }
}

#[tokio::test]
async fn conflict_that_was_settled_since_it_was_shown_is_refused_as_moved() {
    let (_world, _laptop, desktop) = story().await;
    let token = token(&desktop).await;
    desktop.runs(resolve(Resolution::Remote)).await.unwrap();
    is_refused(&desktop, shown(resolve(Resolution::Local), &token), FaultClass::Conflict).await;
}

#[tokio::test]
async fn clash_of_names_is_settled_by_renaming_only() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("A.md", "laptop\n");
    laptop.pushes().await;
    desktop.writes("a.md", "desktop\n");
    desktop.syncs().await;
    for job in [apply(RESULT), resolve(Resolution::Local), resolve(Resolution::Remote)] {
        is_refused(&desktop, job, FaultClass::Rejected).await;
    }
}

#[tokio::test]
async fn file_or_link_is_taken_as_it_is() {
    for (resolution, text) in [(Resolution::Local, "desktop\n"), (Resolution::Remote, "linked")] {
        let (_world, laptop, desktop) = story_on(MemoryProfile::SWAP).await;
        laptop.writes("b.md", "linked");
        laptop.removes("a.md");
        std::os::unix::fs::symlink("b.md", laptop.root("a.md")).unwrap();
        laptop.pushes().await;
        desktop.syncs().await;
        let is_link = resolution == Resolution::Remote;
        desktop.runs(resolve(resolution)).await.unwrap();
        is_settled(&laptop, &desktop, text).await;
        for machine in [&laptop, &desktop] {
            let found = fs::symlink_metadata(machine.root("a.md")).unwrap();
            assert_eq!(found.is_symlink(), is_link);
        }
    }
}

#[tokio::test]
async fn result_that_is_left_to_the_next_push_is_written_here_only() {
    for (job, here, stashed) in [
        (apply(RESULT), RESULT, 1),
        (resolve(Resolution::Local), "desktop\n", 0),
        (apply("desktop\n"), "desktop\n", 0),
    ] {
        let (world, laptop, desktop) = story().await;
        let report = desktop.runs(kept_here(job)).await.unwrap();
        assert_eq!((report.commit, world.head()), (None, 3));
        assert_eq!(desktop.reads("a.md").as_deref(), Some(here));
        assert_eq!(desktop.stashed().len(), stashed);
        assert_eq!(desktop.unsettled().await, [("a.md".to_owned(), FileState::LocalAhead)]);
        is_settled(&laptop, &desktop, here).await;
        assert_eq!(world.head(), 4);
    }
}

#[tokio::test]
async fn dry_run_refuses_what_moved_and_changes_nothing() {
    let (world, laptop, desktop) = story().await;
    let preview = async || {
        let (events, _) = mpsc::channel(64);
        let request = JobRequest { job: apply(RESULT), dry_run: true, consent: false };
        desktop.project().run(request, events, Cancel::new()).await
    };
    assert_eq!(preview().await.unwrap().files.len(), 1);
    assert_eq!((world.head(), desktop.reads("a.md").as_deref()), (3, Some("desktop\n")));
    laptop.writes("a.md", "laptop again\n");
    laptop.pushes().await;
    assert_eq!(preview().await.unwrap_err().class(), FaultClass::Conflict);
}

/// Cuts a resolution after each number of steps. It has either happened or can
/// be made again, and no version is lost.
async fn check_every_step(job: fn() -> Job, result: &str) {
    for steps in 0.. {
        let (world, laptop, mut desktop) = story().await;
        let was_cut = cut(&mut desktop, steps, job()).await;
        let case = format!("cut after {steps} steps");

        let here = desktop.reads("a.md").unwrap();
        assert!([result, "desktop\n"].contains(&here.as_str()), "{case}: {here:?}");
        if !desktop.project().conflicts().await.unwrap().is_empty() {
            assert_eq!(here, "desktop\n", "{case}: a conflict is between the two versions");
            if let Err(error) = desktop.runs(job()).await {
                // What was cut had been saved, and has come through first.
                assert_eq!(error.class(), FaultClass::Conflict, "{case}: {error}");
                assert_eq!(desktop.project().conflicts().await.unwrap(), [], "{case}");
            }
        }

        converge(&desktop, &laptop).await;
        assert_eq!(laptop.reads("a.md").as_deref(), Some(result), "{case}");
        assert_eq!(desktop.files().len(), 1, "{case}: {:?}", desktop.files().keys());
        let stashed = desktop.stashed().iter().any(|(_, _, text)| text == "desktop\n");
        let packed = packed(&world, Digest::of(b"desktop\n")).is_some();
        assert!(stashed || packed, "{case}: the version made here is lost");
        let times = world.times_committed("a.md");
        assert!(times.values().all(|times| *times == 1), "{case}: {times:?}");
        assert_eq!(desktop.project().conflicts().await.unwrap(), [], "{case}");
        if !was_cut {
            assert!(steps > 3, "the job takes steps");
            return;
        }
    }
}

#[tokio::test]
async fn applying_cut_anywhere_is_never_half_done() {
    check_every_step(|| apply(RESULT), RESULT).await;
}

#[tokio::test]
async fn taking_the_local_version_cut_anywhere_is_never_half_done() {
    check_every_step(|| resolve(Resolution::Local), "desktop\n").await;
}

#[tokio::test]
async fn taking_the_remote_version_cut_anywhere_is_never_half_done() {
    check_every_step(|| resolve(Resolution::Remote), "laptop\n").await;
}

#[tokio::test]
async fn applying_here_only_cut_anywhere_is_never_half_done() {
    check_every_step(|| kept_here(apply(RESULT)), RESULT).await;
}
