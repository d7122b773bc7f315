//! What a command makes of the daemon's answers, from arguments to exit code.

mod agents;
mod cancel;
mod doctor;
mod pause;
mod resolve;
mod restore;
mod setup;
mod written;

use mirror_proto::v1::{
    Committed, Fault, FaultClass, FileState, FileStatus, JobEvent, JobFinished, StatusReport,
    job_event,
};
use serde_json::Value;

use crate::exit::Exit;
use crate::tests::testing::{FakeDaemon, Pty, Script, run};

fn commit() -> Committed {
    Committed { seq: 43, id: "01J".to_owned() }
}

/// A job that commits and finishes like this.
fn finishing(finished: JobFinished) -> Script {
    let events = [job_event::Event::Committed(commit()), job_event::Event::Finished(finished)];
    (events.map(|event| JobEvent { event: Some(event) }).into(), None)
}

fn pushed(project: &str) -> JobFinished {
    JobFinished { project: project.to_owned(), commit: Some(commit()), ..JobFinished::default() }
}

/// A job that ends in a fault.
fn failing(class: FaultClass) -> Script {
    let fault = Fault {
        class: class.into(),
        message: "why".to_owned(),
        hint: Some("what to do".to_owned()),
        ..Fault::default()
    };
    (Vec::new(), Some(fault))
}

#[tokio::test]
async fn push_sends_what_was_typed_and_reports_the_commit() {
    let daemon = FakeDaemon::default().pushing("notes", finishing(pushed("notes"))).start();

    let reported = daemon.runs("push a.md ./b --message hello --no-wait --project notes");

    let reported = reported.await.expect("pushed");
    assert_eq!(reported.exit, Exit::Done);
    assert_eq!(reported.told.expect("a result")["commit"], 43);
    let [request] = &daemon.pushes()[..] else {
        panic!("one push");
    };
    let scope = request.scope.as_ref().expect("a scope");
    assert_eq!(scope.paths, ["a.md", "./b"]);
    assert_eq!(request.message, "hello");
    assert!(request.no_wait && !request.force_local && !scope.dry_run && !scope.allow_deletes);
    assert!(std::path::Path::new(&scope.folder).is_absolute());
}

#[tokio::test]
async fn conflicts_are_exit_3_with_the_result_on_stdout() {
    let job = JobFinished { conflicts: vec!["b.md".to_owned()], ..pushed("notes") };
    let daemon = FakeDaemon::default().pushing("notes", finishing(job)).start();

    let reported = daemon.runs("push --project notes").await.expect("pushed");

    assert_eq!(reported.exit, Exit::Conflicts);
    assert_eq!(reported.told.expect("a result")["conflicts"][0], "b.md");
}

#[tokio::test]
async fn fault_at_the_end_of_a_stream_decides_the_exit_code() {
    for (class, exit) in [
        (FaultClass::Auth, Exit::AccessNeeded),
        (FaultClass::Transient, Exit::Failed),
        (FaultClass::Consent, Exit::Failed),
    ] {
        let daemon = FakeDaemon::default().pushing("notes", failing(class)).start();
        let failure = daemon.runs("push --project notes").await.expect_err("failed");
        assert_eq!(failure.exit, exit);
        assert_eq!(failure.fault.hint.as_deref(), Some("what to do"));
        assert_eq!(daemon.pushes().len(), 1, "without a terminal nothing is repeated");
    }
}

#[tokio::test]
async fn person_who_is_asked_reads_the_reason_once() {
    for (answer, tries, hint) in [("n\n", 1, None), ("y\n", 2, Some("what to do"))] {
        let daemon = FakeDaemon::default().pushing("notes", failing(FaultClass::Consent)).start();
        let pty = Pty::open();
        let person = async {
            pty.shows("why\nGo on? [y/N] ", 1).await;
            pty.types(answer);
        };

        let push = daemon.runs_at(pty.terminal("false"), "push --project notes");
        let (refused, ()) = tokio::join!(push, person);

        let failure = refused.expect_err("refused by the person, then by the daemon");
        assert_eq!((failure.exit, failure.fault.class()), (Exit::Failed, FaultClass::Consent));
        assert!(!failure.fault.message.contains("why"), "{}", failure.fault.message);
        assert_eq!(failure.fault.hint.as_deref(), hint);
        let pushes = daemon.pushes();
        let consents = pushes.iter().flat_map(|push| &push.scope).map(|scope| scope.allow_deletes);
        assert_eq!(consents.collect::<Vec<_>>(), [false, true][..tries]);
    }
}

#[tokio::test]
async fn daemon_that_dies_at_work_is_exit_5_and_the_command_can_be_repeated() {
    let begun = vec![JobEvent { event: Some(job_event::Event::Committed(commit())) }];
    for events in [Vec::new(), begun] {
        let daemon = FakeDaemon::default().pushing("notes", (events, None)).killed_at_work();

        let failure = daemon.start().runs("push --project notes").await.expect_err("failed");

        assert_eq!(failure.exit, Exit::NoDaemon);
        assert_eq!(failure.fault.class(), FaultClass::Transient);
        assert_eq!(failure.fault.message, "the daemon ended while it worked; run it again");
        assert_eq!(failure.fault.hint.as_deref(), Some("see `mirrorctl daemon logs`"));
    }
}

#[tokio::test]
async fn stream_that_just_ends_is_a_failure() {
    let daemon = FakeDaemon::default().pushing("notes", (Vec::new(), None)).start();
    let failure = daemon.runs("push --project notes").await.expect_err("failed");
    assert_eq!(failure.fault.class(), FaultClass::Internal);
}

#[tokio::test]
async fn all_goes_through_every_project_and_tells_the_worst() {
    let daemon = FakeDaemon::default()
        .pushing("bad", failing(FaultClass::Stopped))
        .pushing("good", finishing(pushed("good")))
        .start();

    let reported = daemon.runs("push --all").await.expect("pushed");

    assert_eq!(reported.exit, Exit::Failed);
    let told = reported.told.expect("a result");
    let [bad, good] = &told["projects"].as_array().expect("a list")[..] else {
        panic!("two projects in {told}");
    };
    assert_eq!((&bad["project"], &good["project"]), (&"bad".into(), &"good".into()));
    assert_eq!(bad["error"]["class"], "stopped");
    assert_eq!(bad["commit"], Value::Null);
    assert_eq!(good["error"], Value::Null);
    assert_eq!(good["commit"], 43);
    let keys =
        |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
    assert_eq!(keys(bad), keys(good));
}

#[tokio::test]
async fn status_of_a_large_project_arrives_whole() {
    let file = |number: usize| FileStatus {
        path: format!("{number}/{}", "x".repeat(300)),
        state: FileState::LocalAhead.into(),
        ..FileStatus::default()
    };
    let report = StatusReport { files: (0..20_000).map(file).collect(), ..StatusReport::default() };
    let daemon = FakeDaemon::default().reporting(report).start();

    let told = daemon.runs("status --offline").await.expect("shown").told;

    assert_eq!(told.expect("a result")["summary"]["local_ahead"], 20_000);
}

#[tokio::test]
async fn daemon_of_another_protocol_is_exit_5_and_says_both_versions() {
    let daemon = FakeDaemon::default().of_protocol(99).start();
    let failure = daemon.runs("reload").await.expect_err("refused");
    assert_eq!(failure.exit, Exit::NoDaemon);
    assert!(failure.fault.message.contains("protocol 99"), "{}", failure.fault.message);
}

#[tokio::test]
async fn stopping_no_daemon_is_done_and_its_status_is_exit_5() {
    let place = tempfile::tempdir().expect("a folder");
    let socket = place.path().join("mirrord.sock");

    let stopped = run(&socket, "daemon stop").await.expect("nothing to stop");
    assert_eq!(stopped.told.expect("a result")["done"], true);

    let failure = run(&socket, "daemon status").await.expect_err("none");
    assert_eq!(failure.exit, Exit::NoDaemon);
    assert!(!socket.exists(), "nothing was started");
}
