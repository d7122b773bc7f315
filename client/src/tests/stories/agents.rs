//! What settles conflicts without a person: options and the `conflict`
//! commands.

use mirror_proto::v1::resolve_conflict_request::Resolution;
use mirror_proto::v1::{Conflict, ConflictDetail, JobFinished, Side, Strategy};
use serde_json::{Value, json};

use super::finishing;
use crate::exit::Exit;
use crate::tests::testing::FakeDaemon;

fn conflict(token: &str) -> ConflictDetail {
    ConflictDetail {
        conflict: Some(Conflict {
            path: "a.md".to_owned(),
            token: token.to_owned(),
            ..Conflict::default()
        }),
        local_content: Some(b"mine\n".to_vec()),
        remote_content: Some(b"theirs\n".to_vec()),
        ..ConflictDetail::default()
    }
}

#[tokio::test]
async fn strategy_goes_with_the_sync() {
    for (words, strategy) in [
        ("", Strategy::Unspecified),
        ("--strategy keep-local", Strategy::KeepLocal),
        ("--strategy keep-remote", Strategy::KeepRemote),
        ("--strategy merge --no-prompt", Strategy::Merge),
    ] {
        let daemon = FakeDaemon::default().syncing(finishing(JobFinished::default())).start();
        let line = format!("sync --project notes {words}");
        daemon.runs(line.trim()).await.expect("synced");
        assert_eq!(daemon.syncs()[0].strategy(), strategy, "{words}");
    }
}

#[tokio::test]
async fn list_and_envelope_carry_the_token() {
    let daemon = FakeDaemon::default().conflicting(conflict("t1")).start();

    let listed = daemon.runs("conflict list --project notes").await.expect("listed");
    let shown = daemon.runs("conflict show a.md --project notes").await.expect("shown");

    assert_eq!((listed.exit, shown.exit), (Exit::Done, Exit::Done));
    assert_eq!(listed.told.expect("a result")["conflicts"][0]["token"], "t1");
    let shown = shown.told.expect("a result");
    assert_eq!((&shown["token"], &shown["local_text"]), (&"t1".into(), &"mine\n".into()));
}

#[tokio::test]
async fn taken_side_is_settled_and_told() {
    let daemon = FakeDaemon::default().conflicting(conflict("t1")).start();

    let reported = daemon.runs("conflict take a.md remote --token t1 --project notes").await;

    let reported = reported.expect("settled");
    assert_eq!(reported.exit, Exit::Done);
    assert_eq!(
        reported.told.expect("a result"),
        json!({"path": "a.md", "resolution": "remote", "commit": 44, "queued": false,
            "pull_pending": false, "failed": [], "cancelled": false, "stash_id": null,
            "notices": [],
            "error": null})
    );
    let [settled] = &daemon.settled()[..] else { panic!("one decision") };
    assert_eq!(settled.resolution, Some(Resolution::Side(Side::Remote.into())));
    assert_eq!(settled.token.as_deref(), Some("t1"));
    assert!(std::path::Path::new(&settled.folder).is_absolute());
}

#[tokio::test]
async fn side_is_taken_by_the_name_that_people_read() {
    for (word, resolution, told) in [
        ("here", Resolution::Side(Side::Local.into()), "local"),
        ("there", Resolution::Side(Side::Remote.into()), "remote"),
        ("desktop", Resolution::NamedSide("desktop".to_owned()), "remote"),
    ] {
        let daemon = FakeDaemon::default().conflicting(conflict("t1")).start();
        let line = format!("conflict take a.md {word} --project notes");
        let reported = daemon.runs(&line).await.expect("settled");
        assert_eq!(reported.told.expect("a result")["resolution"], told, "{word}");
        assert_eq!(daemon.settled()[0].resolution, Some(resolution), "{word}");
    }
}

#[tokio::test]
async fn applied_file_goes_byte_for_byte_and_may_stay_here() {
    let place = tempfile::tempdir().expect("a folder");
    let merged = place.path().join("merged");
    std::fs::write(&merged, b"\xff\0both\n").expect("written");
    let daemon = FakeDaemon::default().conflicting(conflict("t1")).start();

    let line =
        format!("conflict apply a.md --merged-file {} --no-push --project notes", merged.display());
    let reported = daemon.runs(&line).await.expect("settled");

    assert_eq!(reported.told.expect("a result")["commit"], Value::Null);
    let [settled] = &daemon.settled()[..] else { panic!("one decision") };
    assert_eq!(settled.resolution, Some(Resolution::MergedContent(b"\xff\0both\n".to_vec())));
    assert!(settled.no_push);
    assert_eq!(settled.token, None);
}

#[tokio::test]
async fn decision_on_what_has_moved_is_exit_3_with_its_result_on_stdout() {
    let daemon = FakeDaemon::default().conflicting(conflict("t2")).start();

    let reported = daemon.runs("conflict take a.md local --token t1 --project notes").await;

    let reported = reported.expect("told");
    assert_eq!(reported.exit, Exit::Conflicts);
    let told = reported.told.expect("a result");
    assert_eq!((&told["commit"], &told["resolution"]), (&Value::Null, &Value::Null));
    assert_eq!(told["error"]["class"], "conflict");
    assert!(daemon.settled().is_empty());
}

#[tokio::test]
async fn leftover_markers_are_exit_1() {
    let place = tempfile::tempdir().expect("a folder");
    let merged = place.path().join("merged");
    std::fs::write(&merged, "<<<<<<< here\n").expect("written");
    let daemon = FakeDaemon::default().conflicting(conflict("t1")).start();

    let line = format!("conflict apply a.md --merged-file {} --project notes", merged.display());
    let failure = daemon.runs(&line).await.expect_err("refused");

    assert_eq!(failure.exit, Exit::Failed);
    assert!(daemon.settled().is_empty());
}

#[tokio::test]
async fn file_that_is_no_conflict_is_exit_1() {
    let daemon = FakeDaemon::default().start();
    let failure = daemon.runs("conflict show b.md --project notes").await.expect_err("none");
    assert_eq!(failure.exit, Exit::Failed);
}
