//! Earlier versions listed and brought back, from the log and from the stash.

use mirror_storage::FaultClass;

use super::crashing::MOST_STEPS;
use super::*;
use crate::error::EngineError;
use crate::real::LocalTree;

fn restore_of(names: &[&str], from: Option<u64>) -> Job {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Job::Restore { scope: Scope { names }, from, output: None }
}

pub(super) async fn restores(machine: &Machine, names: &[&str], from: u64) -> Report {
    machine.runs(restore_of(names, Some(from))).await.unwrap()
}

pub(super) fn actions(report: &Report) -> Vec<(&str, FileAction)> {
    report.files.iter().map(|file| (file.path.as_str(), file.action)).collect()
}

pub(super) fn restored<'a>(paths: &[&'a str]) -> Vec<(&'a str, FileAction)> {
    paths.iter().map(|path| (*path, FileAction::Restored)).collect()
}

/// `a.md` as one, two and three in commits 2 to 4, `b.md` from 2 to 3.
pub(super) async fn story() -> (World, Machine) {
    let world = World::on(MemoryProfile::RENAME).await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "one");
    laptop.writes("notes/b.md", "one");
    laptop.pushes().await;
    laptop.writes("a.md", "two");
    laptop.pushes().await;
    laptop.writes("a.md", "three");
    laptop.removes("notes/b.md");
    laptop.pushes().await;
    (world, laptop)
}

#[tokio::test]
async fn restored_version_is_an_edit_that_a_push_publishes() {
    let (world, laptop) = story().await;

    let report = restores(&laptop, &["a.md"], 2).await;

    assert_eq!(actions(&report), restored(&["a.md"]));
    assert_eq!(laptop.reads("a.md").as_deref(), Some("one"));
    assert_eq!(laptop.stashed(), [], "what stood there is in the log");
    assert_eq!(laptop.unsettled().await, [("a.md".to_owned(), FileState::LocalAhead)]);
    assert_eq!(world.head(), 4);
    laptop.pushes().await;
    let desktop = world.machine("desktop").await;
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("a.md").as_deref(), Some("one"));
}

#[tokio::test]
async fn deleted_file_is_restored_with_its_folder() {
    let (world, laptop) = story().await;
    fs::remove_dir(laptop.root("notes")).unwrap_or_default();

    let report = restores(&laptop, &["notes"], 3).await;

    assert_eq!(actions(&report), restored(&["notes/b.md"]));
    assert_eq!(laptop.reads("notes/b.md").as_deref(), Some("one"));
    assert_eq!(laptop.unsettled().await, [("notes/b.md".to_owned(), FileState::NewLocal)]);
    laptop.syncs().await;
    assert_eq!(world.text("notes/b.md").as_deref(), Some("one"));
}

#[tokio::test]
async fn whole_project_goes_back_and_deletes_nothing() {
    let (_world, laptop) = story().await;
    laptop.writes("new.md", "new");

    let report = restores(&laptop, &[], 3).await;

    assert_eq!(actions(&report), restored(&["a.md", "notes/b.md"]));
    let files: Vec<_> = laptop.files().into_keys().collect();
    assert_eq!(files, ["a.md", "new.md", "notes/b.md"]);
    assert_eq!(actions(&restores(&laptop, &[], 3).await), [], "nothing differs any more");
}

#[tokio::test]
async fn head_is_what_is_restored_when_nobody_says_which() {
    let (_world, laptop) = story().await;
    laptop.writes("a.md", "edited");
    laptop.runs(restore_of(&[], None)).await.unwrap();
    assert_eq!(laptop.reads("a.md").as_deref(), Some("three"));
    assert_eq!(laptop.unsettled().await, []);
}

/// The report names the one version of the stash.
async fn says_where_it_is(machine: &Machine, report: &Report) {
    let stash = machine.project().stash().await.unwrap();
    let ([kept], [notice]) = (&stash[..], &report.notices[..]) else {
        panic!("one version and one notice: {stash:?}, {report:?}")
    };
    assert_eq!((notice.kind, &notice.path), (NoticeKind::Stashed, &Some(kept.path.clone())));
    assert!(notice.message.contains(&kept.id.to_string()), "{notice:?}");
}

#[tokio::test]
async fn version_that_sync_replaces_as_asked_is_in_the_stash_and_said() {
    let (_world, _laptop, desktop) = super::conflicts::story().await;

    let report = desktop.runs(sync(Settle::KeepRemote)).await.unwrap();

    assert_eq!(desktop.reads("a.md").as_deref(), Some("laptop\n"));
    says_where_it_is(&desktop, &report).await;
}

#[tokio::test]
async fn edit_that_makes_way_for_a_restored_version_is_in_the_stash() {
    let (_world, laptop) = story().await;
    laptop.writes("a.md", "unpushed");

    let report = restores(&laptop, &["a.md"], 2).await;

    let stashed = ("a.md".to_owned(), "restore".to_owned(), "unpushed".to_owned());
    assert_eq!(laptop.stashed(), [stashed]);
    says_where_it_is(&laptop, &report).await;
    assert_eq!(laptop.reads("a.md").as_deref(), Some("one"));
}

#[tokio::test]
async fn restore_over_a_conflict_settles_it() {
    let (world, laptop) = story().await;
    let desktop = world.machine("desktop").await;
    desktop.syncs().await;
    desktop.writes("a.md", "four");
    desktop.pushes().await;
    laptop.writes("a.md", "unpushed");
    assert_eq!(laptop.syncs().await.conflicts, [rel("a.md")]);

    restores(&laptop, &["a.md"], 3).await;
    converge(&laptop, &desktop).await;

    assert_eq!(desktop.reads("a.md").as_deref(), Some("two"));
    assert_eq!(laptop.stashed().len(), 1);
}

#[tokio::test]
async fn what_is_not_there_to_restore_is_an_error_that_names_it() {
    let (world, laptop) = story().await;
    let draft = world.draft();
    let void = mirror_core::commit::Commit { parent: None, ..draft };
    world.append(&void);
    let class = |names: &[&str], from| {
        let job = restore_of(names, Some(from));
        let laptop = &laptop;
        async move { laptop.runs(job).await.unwrap_err().class() }
    };
    assert_eq!(class(&[], 0).await, FaultClass::NotFound);
    assert_eq!(class(&[], 99).await, FaultClass::NotFound);
    assert_eq!(class(&["b.md"], 2).await, FaultClass::NotFound);
    assert_eq!(class(&["notes/b.md"], 4).await, FaultClass::NotFound, "not at that commit");
    let missing = laptop.runs(Job::RestoreStash { id: "01K0".to_owned(), output: None }).await;
    assert_eq!(missing.unwrap_err().class(), FaultClass::NotFound);
    assert_eq!(laptop.project().stash().await.unwrap(), []);
}

/// A folder stands where the file was deleted, and then nothing does.
#[tokio::test]
async fn deletion_is_still_one_after_a_version_could_not_be_restored_over_it() {
    let (world, laptop) = story().await;
    laptop.writes("kept.md", "kept");
    laptop.pushes().await;
    laptop.removes("a.md");
    laptop.writes("a.md/in-the-way.md", "z");

    let report = restores(&laptop, &["a.md"], 2).await;

    assert_eq!(report.failed.len(), 1, "{report:?}");
    fs::remove_dir_all(laptop.root("a.md")).unwrap();
    assert_eq!(laptop.unsettled().await, [("a.md".to_owned(), FileState::DeletedLocal)]);
    laptop.pushes().await;
    assert_eq!(world.head(), 6, "the deletion is committed");
    let desktop = world.machine("desktop").await;
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("a.md"), None);
    assert_eq!(laptop.reads("a.md"), None);
}

#[tokio::test]
async fn dry_run_shows_what_would_be_restored() {
    let (_world, laptop) = story().await;
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: restore_of(&[], Some(3)), dry_run: true, consent: false };
    let report = laptop.project().run(request, events, Cancel::new()).await.unwrap();
    assert_eq!(actions(&report), restored(&["a.md", "notes/b.md"]));
    assert_eq!(laptop.reads("a.md").as_deref(), Some("three"));
}

#[tokio::test]
async fn restore_below_another_folder_touches_nothing_here() {
    let (_world, laptop) = story().await;
    laptop.writes("a.md", "unpushed");
    let output = laptop.home.path().join("output");
    fs::create_dir(&output).unwrap();
    let tree = Arc::new(OutputTree(Arc::new(LocalTree::open(output.clone()))));
    let job = Job::Restore { scope: Scope::default(), from: Some(3), output: Some(tree) };

    let report = laptop.runs(job).await.unwrap();

    assert_eq!(actions(&report), restored(&["a.md", "notes/b.md"]));
    assert_eq!(fs::read_to_string(output.join("a.md")).unwrap(), "two");
    assert_eq!(laptop.reads("a.md").as_deref(), Some("unpushed"));
    assert_eq!(laptop.stashed(), []);
}

#[tokio::test]
async fn file_whose_content_is_gone_keeps_no_other_from_being_restored() {
    let (world, mut laptop) = story().await;
    laptop.loses_folder("cache");
    laptop.open().await.unwrap();
    let pack = world.commit(3).packs[0].name;
    world.lose(&format!("_mirror/{}", mirror_core::commit::pack_name(pack)));
    laptop.writes("a.md", "unpushed");

    let report = restores(&laptop, &[], 3).await;

    assert_eq!(failed(&report), ["a.md"]);
    assert_eq!(actions(&report), restored(&["notes/b.md"]));
    assert_eq!(laptop.reads("a.md").as_deref(), Some("unpushed"));
    assert_eq!(laptop.stashed(), []);
}

#[tokio::test]
async fn file_that_is_not_mirrored_here_is_left_alone() {
    let (_world, laptop) = story().await;
    laptop.writes(".mirrorignore", "notes/\n");
    assert_eq!(actions(&restores(&laptop, &[], 2).await), restored(&["a.md"]));
    let report = restores(&laptop, &["notes/b.md"], 2).await;
    assert_eq!((failed(&report), laptop.reads("notes/b.md")), (vec!["notes/b.md"], None));
}

#[tokio::test]
async fn restore_cut_anywhere_loses_and_publishes_nothing() {
    for steps in 0..MOST_STEPS {
        let (world, mut laptop) = story().await;
        laptop.writes("a.md", "unpushed");
        let was_cut = cut(&mut laptop, steps, restore_of(&[], Some(3))).await;
        let case = format!("cut after {steps} steps");
        let kept = laptop.stashed().iter().any(|(_, _, text)| text == "unpushed");
        assert!(kept || laptop.reads("a.md").as_deref() == Some("unpushed"), "{case}");
        assert_eq!(world.head(), 4, "{case}");
        laptop.pulls().await;
        let here = laptop.reads("a.md");
        assert!([Some("unpushed"), Some("two")].contains(&here.as_deref()), "{case}: {here:?}");

        restores(&laptop, &[], 3).await;
        laptop.pushes().await;

        assert_eq!(laptop.stashed().len(), 1, "{case}");
        assert_eq!(world.text("a.md").as_deref(), Some("two"), "{case}");
        assert_eq!(world.text("notes/b.md").as_deref(), Some("one"), "{case}");
        assert_eq!(laptop.unsettled().await, [], "{case}");
        if !was_cut {
            assert!(steps > 5, "the job takes steps");
            return;
        }
    }
    panic!("the job never came to its end");
}

#[tokio::test]
async fn file_that_a_commit_lacks_leads_to_its_history() {
    let (_world, laptop) = story().await;
    let hint = async |names: &[&str], from| {
        let refused = laptop.runs(restore_of(names, from)).await.unwrap_err();
        assert_eq!(refused.class(), FaultClass::NotFound);
        refused.hint().unwrap()
    };
    assert!(hint(&["notes/b.md"], None).await.contains("mirrorctl history notes/b.md"));
    assert!(hint(&["notes"], Some(4)).await.contains("mirrorctl history notes/b.md"));
    assert!(hint(&["a.md"], Some(1)).await.contains("mirrorctl history a.md"));
    assert!(!hint(&["never.md"], None).await.contains("history"));
}

#[tokio::test]
async fn log_of_a_path_that_never_was_is_refused() {
    let (_world, laptop) = story().await;
    laptop.writes("c.md", "not pushed");
    let log = async |path: &str| {
        let query = LogQuery { path: Some(path.to_owned()), ..LogQuery::default() };
        laptop.project().log(query).await.map(|page| page.commits.len())
    };
    assert_eq!(log("notes/b.md").await.ok(), Some(2), "a deleted file has a log");
    assert_eq!(log("notes").await.ok(), Some(2));
    assert!(matches!(log("d.md").await, Err(EngineError::UnknownPaths(_))));
    assert_eq!(log("c.md").await.ok(), Some(0), "known here, and in no commit yet");
}

#[tokio::test]
async fn history_of_a_file_follows_its_names() {
    let (world, laptop) = story().await;
    fs::rename(laptop.root("a.md"), laptop.root("c.md")).unwrap();
    laptop.pushes().await;
    laptop.writes("a.md", "another");
    laptop.pushes().await;
    laptop.removes("c.md");
    laptop.pushes().await;
    world.advance(Duration::from_hours(1));
    laptop.writes("c.md", "again");
    laptop.pushes().await;
    let versions = |path: &str, since| {
        let (project, path) = (laptop.project().clone(), path.to_owned());
        async move { project.versions(path, since, None).await }
    };
    let said = |versions: &[FileVersion]| -> Vec<_> {
        versions
            .iter()
            .map(|v| (v.seq.unwrap_or(0), v.path.as_str().to_owned(), v.sha256))
            .collect()
    };

    let found = versions("./c.md", None).await.unwrap();

    let content = |text: &str| Some(Digest::of(text.as_bytes()));
    let expected = [
        (8, "c.md", content("again")),
        (7, "c.md", None),
        (5, "c.md", content("three")),
        (4, "a.md", content("three")),
        (3, "a.md", content("two")),
        (2, "a.md", content("one")),
    ];
    let expected = expected.map(|(seq, path, sha256)| (seq, path.to_owned(), sha256));
    assert_eq!(said(&found), expected);
    assert_eq!((found[5].size, found[5].machine.as_str()), (3, "laptop"));
    let since = Some(world.outside.clock.now());
    assert_eq!(said(&versions("c.md", since).await.unwrap()), expected[..1]);
    let deleted = versions("notes/b.md", None).await.unwrap();
    assert_eq!(said(&deleted)[0], (4, "notes/b.md".to_owned(), None));
    for unknown in ["nowhere.md", "../a.md", ""] {
        let error = versions(unknown, None).await.unwrap_err();
        assert_eq!(error.class(), FaultClass::NotFound, "{unknown:?}");
    }
}

#[tokio::test]
async fn restore_after_an_append_that_landed_unseen_stays_what_was_chosen() {
    let (world, laptop) = story().await;
    let desktop = world.machine("desktop").await;
    desktop.pulls().await;
    desktop.writes("a.md", "four\n\nfive\n");
    desktop.pushes().await;
    laptop.pulls().await;
    desktop.writes("a.md", "FOUR\n\nfive\n");
    desktop.pushes().await;
    laptop.writes("a.md", "four\n\nFIVE\n");
    super::replies::lands_unseen(&laptop, 7);
    drop(laptop.tries_push(&[]).await);
    assert_eq!(world.head(), 7, "the merge stands, and nobody here knows");
    laptop.backend.plug_in();

    restores(&laptop, &["a.md"], 2).await;

    let report = laptop.pushes().await;
    assert_eq!(report.conflicts, []);
    assert_eq!(laptop.reads("a.md").as_deref(), Some("one"));
    assert_eq!(world.text("a.md").as_deref(), Some("one"));
}
