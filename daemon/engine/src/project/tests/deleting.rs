//! What a deletion says before it is done.

use mirror_storage::FaultClass;

use super::meddling_tree::Step;
use super::*;

/// Two files that both sides have.
async fn story() -> (World, Machine) {
    let world = World::on(MemoryProfile::RENAME).await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "a");
    laptop.writes("b.md", "b");
    laptop.pushes().await;
    (world, laptop)
}

fn delete(name: &str, keep_local: bool) -> Job {
    Job::Delete { scope: Scope { names: vec![name.to_owned()] }, keep_local, message: None }
}

async fn plans(machine: &Machine, job: Job, consent: bool) -> EngineResult<Report> {
    let (events, _) = mpsc::channel(64);
    machine.project().run(JobRequest { job, dry_run: true, consent }, events, Cancel::new()).await
}

fn actions(report: &Report) -> Vec<(&str, FileAction)> {
    report.files.iter().map(|file| (file.path.as_str(), file.action)).collect()
}

#[tokio::test]
async fn planned_deletion_shows_what_goes_here_and_there() {
    let (world, laptop) = story().await;

    let both = plans(&laptop, delete("a.md", false), false).await.unwrap();
    let there = plans(&laptop, delete("a.md", true), false).await.unwrap();

    let (remote, local) = (FileAction::DeletedRemote, FileAction::DeletedLocal);
    assert_eq!(actions(&both), [("a.md", remote), ("a.md", local)]);
    assert_eq!(actions(&there), [("a.md", remote)]);
    assert_eq!((world.head(), laptop.reads("a.md").as_deref()), (2, Some("a")));
    let done = laptop.runs(delete("a.md", false)).await.unwrap();
    assert_eq!(actions(&done), actions(&both));
}

#[tokio::test]
async fn plan_says_that_consent_will_be_asked_for() {
    let (world, laptop) = story().await;
    let needs = |report: &Report| {
        let kinds = report.notices.iter().map(|notice| notice.kind);
        kinds.filter(|kind| *kind == NoticeKind::ConsentNeeded).count()
    };
    let deleted = plans(&laptop, delete("*.md", false), false).await.unwrap();
    laptop.removes("a.md");
    let one = plans(&laptop, push_of(&[]), false).await.unwrap();
    laptop.removes("b.md");
    let all = plans(&laptop, push_of(&[]), false).await.unwrap();
    let agreed = plans(&laptop, push_of(&[]), true).await.unwrap();

    assert_eq!((needs(&deleted), needs(&one), needs(&all), needs(&agreed)), (1, 0, 1, 0));
    assert_eq!(all.files.len(), 2, "the plan is shown all the same");
    assert!(all.notices[0].message.contains("--allow-deletes"), "{:?}", all.notices);
    assert_eq!(laptop.tries_push(&[]).await.unwrap_err().class(), FaultClass::Consent);
    assert_eq!(world.head(), 2);
}

#[tokio::test]
async fn folder_that_is_missing_is_named() {
    let (_world, laptop) = story().await;
    fs::rename(laptop.root(""), laptop.home.path().join("moved")).unwrap();

    let refused = [
        laptop.tries_push(&[]).await.unwrap_err(),
        plans(&laptop, push_of(&[]), true).await.unwrap_err(),
        laptop.runs(delete("a.md", false)).await.unwrap_err(),
    ];

    for error in refused {
        let root = laptop.root("").display().to_string();
        assert!(error.to_string().contains(root.trim_end_matches('/')), "{error}");
        assert_eq!(error.class(), FaultClass::Consent);
    }
}

#[tokio::test]
async fn ignore_file_outlives_a_cut_while_a_line_is_added_to_it() {
    let (_world, mut laptop) = story().await;
    laptop.writes(".mirrorignore", "*.log\n");
    laptop.writes("private.log", "not for others");
    laptop.pushes().await;
    laptop.tree.cut_between_renames();

    assert!(cut(&mut laptop, 1_000, delete("a.md", true)).await);

    assert_eq!(laptop.reads(".mirrorignore").as_deref(), Some("*.log\n"));
    laptop.pushes().await;
    assert_eq!(laptop.unsettled().await, []);
    laptop.runs(delete("a.md", true)).await.unwrap();
    assert_eq!(laptop.reads(".mirrorignore").as_deref(), Some("*.log\n/a.md\n"));
    assert_eq!(laptop.files().len(), 4);
}

#[tokio::test]
async fn ignore_file_is_as_it_was_when_nothing_was_deleted_after_all() {
    for before in [None, Some("*.log\n")] {
        let (world, laptop) = story().await;
        if let Some(text) = before {
            laptop.writes(".mirrorignore", text);
            laptop.pushes().await;
        }
        let (files, deletions) = (laptop.files(), world.head());
        laptop.backend.refuse(|verb, _| verb == "write");

        laptop.runs(delete("a.md", true)).await.unwrap_err();

        assert_eq!((laptop.files(), world.head()), (files, deletions), "{before:?}");
        laptop.backend.plug_in();
        assert_eq!(laptop.unsettled().await, []);
    }
}

/// A program saves the ignore file in the same moment.
#[tokio::test]
async fn ignore_file_that_changes_meanwhile_is_left_alone() {
    let (world, laptop) = story().await;
    laptop.writes(".mirrorignore", "*.log\n");
    laptop.pushes().await;
    let file = laptop.root(".mirrorignore");
    laptop.tree.haunt(move |step, path| {
        if step == Step::Put && path.as_str() == ".mirrorignore" {
            fs::write(&file, "*.tmp\n").unwrap();
        }
    });

    let error = laptop.runs(delete("a.md", true)).await.unwrap_err();

    assert_eq!(error.class(), FaultClass::Usage, "{error}");
    assert_eq!(laptop.reads(".mirrorignore").as_deref(), Some("*.tmp\n"));
    assert_eq!(world.head(), 3);
}
