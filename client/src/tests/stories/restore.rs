//! Earlier versions: what was, what comes back, what was set aside.

use clap::Parser;
use mirror_proto::v1::FaultClass;

use crate::exit::Exit;
use crate::tests::testing::{FakeDaemon, Pty, RunningDaemon};

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
    daemon.runs("restore --yes --project notes").await.expect("restored");
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

#[tokio::test]
async fn restore_of_everything_is_not_done_where_nobody_can_be_asked() {
    let daemon = FakeDaemon::default().start();
    let failure = daemon.runs("restore --project notes").await.expect_err("refused");
    assert_eq!((failure.exit, failure.fault.class()), (Exit::Failed, FaultClass::Consent));
    assert_eq!(failure.fault.message, "1 file would change; nothing was done");
    assert!(failure.fault.hint.as_deref().is_some_and(|hint| hint.contains("--yes")));
    assert_eq!(dry_runs(&daemon), [true], "only a plan was made");
}

#[tokio::test]
async fn restore_of_everything_asks_at_a_terminal_and_never_for_a_plan_or_a_path() {
    for (answer, runs) in [("n\n", &[true][..]), ("y\n", &[true, false])] {
        let daemon = FakeDaemon::default().start();
        let pty = Pty::open();
        let person = async {
            pty.shows("1 file would change. Restore the whole project? [y/N] ", 1).await;
            pty.types(answer);
        };
        let restore = daemon.runs_at(pty.terminal("false"), "restore --project notes");
        let (restored, ()) = tokio::join!(restore, person);
        assert_eq!(restored.is_ok(), runs.len() == 2);
        assert_eq!(dry_runs(&daemon), runs);
    }
    for line in ["restore --dry-run", "restore a.md", "restore --output out", "restore --yes"] {
        let daemon = FakeDaemon::default().start();
        let line = format!("{line} --project notes");
        daemon.runs(&line).await.expect("nothing is asked");
        assert_eq!(dry_runs(&daemon).len(), 1, "{line}");
    }
}

fn dry_runs(daemon: &RunningDaemon) -> Vec<bool> {
    let scopes = daemon.restored().into_iter().filter_map(|request| request.scope);
    scopes.map(|scope| scope.dry_run).collect()
}

#[tokio::test]
async fn stashed_versions_are_dropped_by_the_ids_that_were_shown() {
    for (answer, drops) in [("n\n", 1), ("y\n", 2)] {
        let daemon = FakeDaemon::default().start();
        let pty = Pty::open();
        let person = async {
            pty.shows("01JWHOLE  once  10 B  before restore  a.md\nDrop for good? [y/N] ", 1).await;
            pty.types(answer);
        };
        let drop = daemon.runs_at(pty.terminal("false"), "stash drop --all --project notes");
        let (dropped, ()) = tokio::join!(drop, person);
        assert_eq!(dropped.is_ok(), drops == 2);
        let requests = daemon.stash_drops();
        assert_eq!(requests.len(), drops);
        assert!(requests[0].dry_run && requests[0].all, "{requests:?}");
        assert!(requests.iter().skip(1).all(|one| one.ids == ["01JWHOLE"] && !one.dry_run));
    }
}

#[tokio::test]
async fn stashed_versions_are_dropped_without_a_terminal_by_a_word_alone() {
    let daemon = FakeDaemon::default().start();
    let failure = daemon.runs("stash drop 01J --project notes").await.expect_err("refused");
    assert_eq!((failure.exit, failure.fault.class()), (Exit::Failed, FaultClass::Consent));
    assert_eq!(
        failure.fault.message,
        "1 stashed version (10 B) would go for good; nothing was done"
    );
    let told = daemon.runs("stash drop 01J --yes --project notes").await.expect("dropped").told;
    assert_eq!(told.expect("a result")["dropped"][0]["id"], "01JWHOLE");
    let dry: Vec<bool> = daemon.stash_drops().iter().map(|one| one.dry_run).collect();
    assert_eq!(dry, [true, true, false]);
    for line in ["stash drop", "stash drop 01J --all"] {
        assert!(
            crate::arguments::Cli::try_parse_from(
                std::iter::once("mirrorctl").chain(line.split(' '))
            )
            .is_err()
        );
    }
}
