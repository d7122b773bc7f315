//! Earlier versions: what was, what comes back, what was set aside.

use crate::exit::Exit;
use crate::tests::testing::FakeDaemon;

#[tokio::test]
async fn restore_sends_what_was_typed() {
    let daemon = FakeDaemon::default().start();

    let line = "restore a.md sub --from #12 --output out --dry-run --project notes";
    let reported = daemon.runs(line).await.expect("planned");

    assert_eq!(reported.exit, Exit::Done);
    assert_eq!(reported.told.expect("a result")["files"][0]["action"], "restored");
    let [request] = &daemon.restored()[..] else { panic!("one restore") };
    let scope = request.scope.as_ref().expect("a scope");
    assert_eq!(scope.paths, ["a.md", "sub"]);
    assert_eq!(request.from.as_deref(), Some("#12"));
    assert!(request.output.ends_with("/out") && request.output.starts_with('/'));
    assert!(scope.dry_run);
}

#[tokio::test]
async fn restore_of_everything_names_nothing() {
    let daemon = FakeDaemon::default().start();
    daemon.runs("restore --project notes").await.expect("restored");
    let [request] = &daemon.restored()[..] else { panic!("one restore") };
    assert!(request.scope.as_ref().expect("a scope").paths.is_empty());
    assert!(request.from.is_none() && request.output.is_empty());
}

#[tokio::test]
async fn history_asks_for_one_file_and_a_range() {
    let daemon = FakeDaemon::default().start();

    let line = "history a.md --since 2026-04-15T10:00:00Z --until 1d --project notes";
    let told = daemon.runs(line).await.expect("listed").told.expect("a result");

    assert_eq!(told["path"], "a.md");
    let [request] = &daemon.listed()[..] else { panic!("one question") };
    assert_eq!(request.since.as_deref(), Some("2026-04-15T10:00:00Z"));
    assert!(request.until.is_some());
}

#[tokio::test]
async fn version_is_shown_whole_whatever_it_holds() {
    let daemon = FakeDaemon::default().stashing(&[b"a\xff", b"\0b"]).start();

    let told = daemon.runs("show a.md@12 --project notes").await.expect("shown").told;

    let told = told.expect("a result");
    assert_eq!((&told["path"], &told["seq"]), (&"a.md".into(), &12.into()));
    assert_eq!((&told["encoding"], &told["text"]), (&"base64".into(), &"Yf8AYg==".into()));
    let [request] = &daemon.shown()[..] else { panic!("one question") };
    assert_eq!(request.target, "a.md@12");
    assert!(request.folder.starts_with('/'));
}

#[tokio::test]
async fn stashed_version_is_shown_whole_whatever_it_holds() {
    let daemon = FakeDaemon::default().stashing(&[b"a\xff", b"\0b"]).start();
    let told = daemon.runs("stash show 01J --project notes").await.expect("shown").told;
    let told = told.expect("a result");
    assert_eq!((&told["encoding"], &told["text"]), (&"base64".into(), &"Yf8AYg==".into()));
}

#[tokio::test]
async fn stashed_version_is_restored_by_its_id() {
    let daemon = FakeDaemon::default().start();
    let reported = daemon.runs("stash restore 01J --dry-run --project notes").await;
    assert_eq!(reported.expect("planned").exit, Exit::Done);
    let [request] = &daemon.unstashed()[..] else { panic!("one restore") };
    assert!(request.id == "01J" && request.dry_run);
}
