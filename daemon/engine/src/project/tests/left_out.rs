//! A name of what isn't mirrored is told why, and can be deleted all the same.

use std::os::unix::fs::symlink;

use super::*;

/// A project of notes with one that was pushed before it was ignored.
async fn story() -> (World, Machine) {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.writes("leak.md", "secret");
    laptop.writes("a.md", "a");
    laptop.pushes().await;
    laptop.narrowing = Some(Patterns::default());
    laptop.open().await.unwrap();
    laptop.writes(".mirrorignore", "# private\nleak*\n");
    laptop.pushes().await;
    (world, laptop)
}

fn scope(name: &str) -> Scope {
    Scope { names: vec![name.to_owned()] }
}

fn delete(name: &str) -> Job {
    Job::Delete { scope: scope(name), keep_local: false, message: None }
}

fn delete_ignored(name: &str) -> Job {
    Job::DeleteIgnored { scope: scope(name), message: None }
}

#[track_caller]
fn check_said(result: EngineResult<Report>, words: &str) {
    let error = result.expect_err("it is not mirrored");
    assert!(error.to_string().contains(words), "{words:?} in {error}");
    assert!(error.hint().is_some(), "{error}");
}

#[tokio::test]
async fn name_of_what_is_not_mirrored_is_told_why() {
    let (_world, laptop) = story().await;
    laptop.writes("script.py", "x");
    laptop.writes("src/deep.py", "x");
    laptop.writes("a.md~", "x");
    symlink("/etc/hosts", laptop.root("out.md")).unwrap();
    laptop.writes("back\\slash.md", "x");
    for (name, words) in [
        ("leak.md", "line 2 of .mirrorignore ignores it (leak*)"),
        ("script.py", "own patterns leave it out"),
        ("src", "own patterns leave it out"),
        ("a.md~", "named as programs name"),
        ("out.md", "leads out of the project"),
        ("back\\slash.md", "can't hold its name"),
    ] {
        check_said(laptop.tries_push(&[name]).await, words);
        check_said(laptop.runs(delete(name)).await, words);
        let diff = laptop.project().diff(scope(name), 3).await.unwrap_err();
        assert!(diff.to_string().contains(words), "{diff}");
    }
    check_said(laptop.tries_push(&["gone.md"]).await, "matches \"gone.md\"");
    check_said(laptop.tries_push(&["a.md", "leak.md"]).await, "ignores it");
}

#[tokio::test]
async fn what_is_ignored_now_can_be_deleted_from_the_project() {
    let (world, laptop) = story().await;
    let desktop = world.machine("desktop").await;
    desktop.pulls().await;
    desktop.writes("leak.md", "its own");

    let report = laptop.runs(delete_ignored("leak.md")).await.unwrap();

    let files: Vec<_> = report.files.iter().map(|f| (f.path.as_str(), f.action)).collect();
    assert_eq!(files, [("leak.md", FileAction::DeletedRemote)]);
    assert_eq!((world.text("leak.md"), laptop.reads("leak.md").as_deref()), (None, Some("secret")));
    assert_eq!(laptop.syncs().await.files, []);
    assert!(laptop.runs(delete_ignored("leak.md")).await.is_err(), "it is gone");
    // There it is ignored, too.
    desktop.syncs().await;
    assert_eq!(desktop.reads("leak.md").as_deref(), Some("its own"));
    assert_eq!(world.text("leak.md"), None);
}

#[tokio::test]
async fn restoring_what_is_not_mirrored_is_told_why() {
    let (_world, laptop) = story().await;
    let job = Job::Restore { scope: scope("leak.md"), from: Some(2), output: None };
    let report = laptop.runs(job).await.unwrap();
    let said = report.failed.iter().any(|it| it.message.contains("line 2 of .mirrorignore"));
    assert!(said, "{report:?}");
}

#[tokio::test]
async fn what_is_mirrored_is_not_deleted_as_ignored() {
    let (world, laptop) = story().await;
    let refused = laptop.runs(delete_ignored("a.md")).await.unwrap_err();
    assert!(refused.to_string().contains("a.md is mirrored here"), "{refused}");
    assert!(laptop.runs(delete_ignored("gone.md")).await.is_err());
    assert_eq!(world.text("a.md").as_deref(), Some("a"));
}

#[tokio::test]
async fn what_something_else_hides_is_deleted_from_the_project_by_name_alone() {
    let (world, laptop) = story().await;
    laptop.removes("a.md");
    symlink("/etc/hosts", laptop.root("a.md")).unwrap();
    laptop.syncs().await;
    assert_eq!(world.text("a.md").as_deref(), Some("a"));

    laptop.runs(delete_ignored("a.md")).await.unwrap();
    assert_eq!(world.text("a.md"), None);
    assert!(laptop.root("a.md").is_symlink());
    laptop.syncs().await;
    assert_eq!(world.text("a.md"), None);
}

#[tokio::test]
async fn deletion_of_many_ignored_files_asks_first() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    for number in 0..120 {
        laptop.writes(&format!("old/{number}"), "x");
    }
    laptop.pushes().await;
    laptop.writes(".mirrorignore", "old/\n");
    laptop.pushes().await;

    let refused = laptop.runs(delete_ignored("old")).await.unwrap_err();
    assert!(matches!(refused, crate::error::EngineError::Consent(_)), "{refused}");
    assert!(world.text("old/7").is_some());
}
