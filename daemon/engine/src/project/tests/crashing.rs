//! The power cut after every step of a job, and the project opened again.

use mirror_core::commit::Action;

use super::*;

/// More steps than any of these jobs takes.
pub(super) const MOST_STEPS: usize = 200;

/// Runs a job with power for so many steps, then opens the project again.
/// `false` when the power lasted.
pub(super) async fn cut(machine: &mut Machine, steps: usize, job: Job) -> bool {
    machine.power.ends_after(steps);
    let _ = machine.runs(job).await;
    let was_cut = machine.power.is_off();
    // What was in memory goes with the process.
    machine.project.take().expect("it was open").close().await;
    machine.power.comes_back();
    machine.open().await.unwrap();
    was_cut
}

async fn story() -> (World, Machine, Machine) {
    let world = World::on(MemoryProfile::RENAME).await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for name in ["edited.md", "deleted.md", "pulled.md", "gone.md"] {
        laptop.writes(name, "old");
    }
    converge(&laptop, &desktop).await;
    laptop.writes("pulled.md", "new");
    laptop.writes("more/fetched.md", "new");
    laptop.removes("gone.md");
    laptop.pushes().await;
    desktop.writes("edited.md", "new");
    desktop.writes("notes/sent.md", "new");
    desktop.removes("deleted.md");
    (world, laptop, desktop)
}

/// Cuts the power after each number of steps, until the job is through; each
/// time the desktop is as it should be after the job has run again.
async fn check_every_step(job: fn() -> Job) {
    for steps in 0..MOST_STEPS {
        let (world, laptop, mut desktop) = story().await;
        let was_cut = cut(&mut desktop, steps, job()).await;

        let case = format!("cut after {steps} steps");
        desktop.runs(job()).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        converge(&desktop, &laptop).await;

        let files = laptop.files();
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["edited.md", "more/fetched.md", "notes/sent.md", "pulled.md"], "{case}");
        assert!(files.values().all(|content| content == b"new"), "{case}");
        for path in ["edited.md", "notes/sent.md", "deleted.md", "gone.md", "pulled.md"] {
            let times = world.times_committed(path);
            assert!(times.values().all(|times| *times == 1), "{case}: {path} {times:?}");
        }
        if !was_cut {
            assert!(steps > 5, "the job takes steps");
            return;
        }
    }
    panic!("the job never came to its end");
}

#[tokio::test]
async fn push_cut_anywhere_is_made_good_at_the_next_start() {
    check_every_step(|| push_of(&[])).await;
}

#[tokio::test]
async fn pull_cut_anywhere_is_made_good_at_the_next_start() {
    check_every_step(|| Job::Pull { scope: Scope::default() }).await;
}

#[tokio::test]
async fn sync_cut_anywhere_is_made_good_at_the_next_start() {
    check_every_step(|| Job::Sync { scope: Scope::default(), message: None, settle: Settle::Wait })
        .await;
}

/// What a person does with a file while the daemon is down.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Edits,
    Removes,
}

#[tokio::test]
async fn edit_made_after_a_pull_was_cut_is_never_lost() {
    for (steps, meanwhile) in
        (0..30).flat_map(|steps| [(steps, Meanwhile::Edits), (steps, Meanwhile::Removes)])
    {
        let (_world, laptop, mut desktop) = story().await;
        desktop.power.ends_after(steps);
        let _ = desktop.tries_pull().await;
        desktop.project.take().unwrap().close().await;
        let case = format!("{meanwhile:?} after {steps} steps");
        let before = desktop.reads("pulled.md");
        match meanwhile {
            Meanwhile::Edits => desktop.writes("pulled.md", "edited here"),
            Meanwhile::Removes => desktop.removes("pulled.md"),
        }
        desktop.power.comes_back();
        desktop.open().await.unwrap();
        let report = desktop.syncs().await;
        match (meanwhile, before.as_deref()) {
            (Meanwhile::Edits, _) => {
                let kept = desktop.reads("pulled.md");
                assert_eq!(kept.as_deref(), Some("edited here"), "{case}: {report:?}");
            }
            // A removal that can't be told from a cut write is undone.
            (Meanwhile::Removes, _) => {
                laptop.syncs().await;
                let here = desktop.reads("pulled.md");
                assert!([None, Some("new")].contains(&here.as_deref()), "{case}: {here:?}");
            }
        }
        let left: Vec<_> =
            desktop.files().into_keys().filter(|name| name.contains(".mirrord-")).collect();
        assert_eq!(left, [""; 0], "{case}");
    }
}

#[tokio::test]
async fn panic_ends_its_own_job_only() {
    let (_world, laptop, desktop) = story().await;
    desktop.tree.haunt(|step, path| {
        assert!(step != meddling_tree::Step::Put || path.as_str() != "pulled.md", "expected here");
    });
    let error = desktop.tries_pull().await.unwrap_err();
    assert_eq!(error.class(), mirror_storage::FaultClass::Internal);

    assert_eq!(failed(&desktop.syncs().await), [""; 0]);
    converge(&desktop, &laptop).await;
    assert_eq!(desktop.reads("pulled.md").as_deref(), Some("new"));
}

#[tokio::test]
async fn start_that_is_cut_itself_is_made_good_at_the_next() {
    for (steps, more) in (6..24).flat_map(|steps| [(steps, 0), (steps, 1), (steps, 3), (steps, 6)])
    {
        let (_world, laptop, mut desktop) = story().await;
        desktop.power.ends_after(steps);
        let _ = desktop.tries_pull().await;
        desktop.project.take().unwrap().close().await;
        desktop.writes("pulled.md", "edited here");
        desktop.power.ends_after(more);
        let _ = desktop.open().await;
        desktop.power.comes_back();
        desktop.open().await.unwrap();
        desktop.syncs().await;
        let case = format!("cut after {steps} steps, and again after {more}");
        assert_eq!(desktop.reads("pulled.md").as_deref(), Some("edited here"), "{case}");
        assert_eq!(desktop.files().len(), 4, "{case}: {:?}", desktop.files().keys());
        drop(laptop);
    }
}

#[tokio::test]
async fn folder_replaced_after_a_pull_was_cut_does_not_keep_the_project_closed() {
    for steps in 4..24 {
        let (_world, _laptop, mut desktop) = story().await;
        desktop.power.ends_after(steps);
        let _ = desktop.tries_pull().await;
        desktop.project.take().unwrap().close().await;
        let _ = fs::remove_dir_all(desktop.root("more"));
        desktop.writes("more", "a file now");
        desktop.power.comes_back();
        let opened = desktop.open().await;
        assert!(opened.is_ok(), "after {steps} steps: {opened:?}");
        desktop.syncs().await;
        assert_eq!(desktop.reads("more").as_deref(), Some("a file now"));
    }
}

#[tokio::test]
async fn pull_cut_before_the_folder_went_away_is_settled_when_it_is_back() {
    for steps in 4..24 {
        let (_world, _laptop, mut desktop) = story().await;
        desktop.power.ends_after(steps);
        let _ = desktop.tries_pull().await;
        desktop.project.take().unwrap().close().await;
        desktop.writes("pulled.md", "edited here");
        let away = desktop.home.path().join("away");
        fs::rename(desktop.root(""), &away).unwrap();
        desktop.power.comes_back();
        desktop.open().await.unwrap();
        desktop.tries_sync().await.unwrap_err();
        fs::rename(&away, desktop.root("")).unwrap();
        desktop.syncs().await;
        let kept = desktop.reads("pulled.md");
        assert_eq!(kept.as_deref(), Some("edited here"), "after {steps} steps");
        assert_eq!(desktop.files().len(), 4, "after {steps} steps: {:?}", desktop.files().keys());
    }
}

#[tokio::test]
async fn deletion_cut_anywhere_is_never_half_undone() {
    let delete = || Job::Delete {
        scope: Scope { names: vec!["edited.md".to_owned()] },
        keep_local: false,
        message: None,
    };
    for steps in 0..MOST_STEPS {
        let world = World::on(MemoryProfile::RENAME).await;
        let laptop = world.machine("laptop").await;
        let mut desktop = world.machine("desktop").await;
        for name in ["edited.md", "other.md"] {
            laptop.writes(name, "old");
        }
        converge(&laptop, &desktop).await;
        let was_cut = cut(&mut desktop, steps, delete()).await;
        if was_cut {
            // Refused when the first try has already got through.
            let _ = desktop.runs(delete()).await;
        }
        converge(&desktop, &laptop).await;
        let case = format!("cut after {steps} steps");
        assert_eq!(laptop.files().into_keys().collect::<Vec<_>>(), ["other.md"], "{case}");
        assert!(world.times_committed("edited.md").values().all(|times| *times == 1), "{case}");
        if !was_cut {
            return;
        }
    }
    panic!("the job never came to its end");
}

#[tokio::test]
async fn narrower_settings_cut_anywhere_delete_nothing_and_count_once() {
    let change = || Job::ChangeSettings { settings: settings(&["edited.md"]) };
    for steps in 0..MOST_STEPS {
        let (world, laptop, mut desktop) = story().await;
        let before = [laptop.files(), desktop.files()];
        let was_cut = cut(&mut desktop, steps, change()).await;

        let case = format!("cut after {steps} steps");
        desktop.runs(change()).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        for machine in [&desktop, &laptop, &desktop] {
            machine.syncs().await;
        }

        let [mut ours, theirs] = before;
        ours.insert("edited.md".to_owned(), b"new".to_vec());
        assert_eq!([laptop.files(), desktop.files()], [ours, theirs], "{case}");
        let entries = desktop.log().await;
        let is_change =
            |entry: &&CommitSummary| entry.seq > 1 && entry.action == Some(Action::Settings);
        assert_eq!(entries.iter().filter(is_change).count(), 1, "{case}");
        assert!(!world.times_committed("deleted.md").contains_key(&None), "{case}");
        if !was_cut {
            return;
        }
    }
    panic!("the job never came to its end");
}
