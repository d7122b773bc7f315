//! Ctrl-C, and `cancel`.

use mirror_proto::v1::cancel_request::Which;
use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::{
    CancelResponse, CancelledJob, JobBegun, JobEvent, JobFinished, ProjectRef, job_event,
};
use serde_json::{Value, json};

use super::{commit, pushed};
use crate::exit::Exit;
use crate::tests::testing::{FakeDaemon, Script, run};

/// A job that has begun under this id, and goes on.
fn working(id: &str) -> Script {
    let begun = job_event::Event::Begun(JobBegun { id: id.to_owned() });
    (vec![JobEvent { event: Some(begun) }], None)
}

fn cancelled(project: &str) -> JobFinished {
    JobFinished { commit: None, cancelled: true, ..pushed(project) }
}

#[tokio::test]
async fn ctrl_c_cancels_the_job_and_tells_how_it_ended() {
    for made in [None, Some(commit())] {
        let ending = JobFinished { commit: made.clone(), ..cancelled("notes") };
        let daemon = FakeDaemon::default().pushing("notes", working("7"));
        let daemon = daemon.working_until_cancelled(Some(ending)).start();

        daemon.presses_ctrl_c();
        let reported = daemon.runs("push --project notes").await.expect("told");

        assert_eq!(reported.exit, Exit::Interrupted);
        let told = reported.told.expect("a result");
        assert_eq!(told["cancelled"], true);
        assert_eq!(told["commit"], json!(made.map(|commit| commit.seq)));
        assert_eq!(daemon.cancels(), [Which::JobId("7".to_owned())]);
    }
}

#[tokio::test]
async fn job_that_was_done_before_it_could_be_cancelled_is_done() {
    let daemon = FakeDaemon::default().pushing("notes", working("7"));
    let daemon = daemon.working_until_cancelled(Some(pushed("notes"))).start();

    daemon.presses_ctrl_c();
    let reported = daemon.runs("push --project notes").await.expect("told");

    assert_eq!(reported.exit, Exit::Done);
    assert_eq!(reported.told.expect("a result")["cancelled"], false);
}

#[tokio::test]
async fn second_ctrl_c_waits_for_nothing() {
    let daemon = FakeDaemon::default().pushing("notes", working("7"));
    let daemon = daemon.working_until_cancelled(None).start();

    daemon.presses_ctrl_c();
    let person = async {
        daemon.is_asked_to_cancel().await;
        daemon.presses_ctrl_c();
    };
    let (reported, ()) = tokio::join!(daemon.runs("push --project notes"), person);

    let reported = reported.expect("told");
    assert_eq!(reported.exit, Exit::Interrupted);
    let told = reported.told.expect("a result");
    assert_eq!((&told["cancelled"], &told["project"]), (&true.into(), &Value::Null));
}

#[tokio::test]
async fn ctrl_c_ends_the_round_through_all_projects() {
    let daemon = FakeDaemon::default().pushing("a", working("7")).pushing("b", working("8"));
    let daemon = daemon.working_until_cancelled(Some(cancelled("a"))).start();

    daemon.presses_ctrl_c();
    let reported = daemon.runs("push --all").await.expect("told");

    assert_eq!(reported.exit, Exit::Interrupted);
    let told = reported.told.expect("a result");
    assert_eq!(told["projects"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told["projects"][0]["cancelled"], true);
    assert_eq!(daemon.pushes().len(), 1);
}

#[tokio::test]
async fn cancel_names_what_it_ended() {
    let job =
        CancelledJob { project: "notes".to_owned(), kind: "push".to_owned(), commit: Some(43) };
    let response = CancelResponse { cancelled: vec![job] };
    let named = ProjectRef { by: Some(By::Name("notes".to_owned())) };
    for (line, which) in
        [("cancel --project notes", Which::Project(named)), ("cancel --all", Which::All(true))]
    {
        let daemon = FakeDaemon::default().cancelling(response.clone()).start();

        let reported = daemon.runs(line).await.expect("answered");

        assert_eq!(reported.exit, Exit::Done);
        assert_eq!(
            reported.told.expect("a result"),
            json!({"cancelled": [{"project": "notes", "kind": "push", "commit": 43}]})
        );
        assert_eq!(daemon.cancels(), [which]);
    }
}

#[tokio::test]
async fn cancel_starts_no_daemon() {
    let place = tempfile::tempdir().expect("a folder");
    let socket = place.path().join("mirrord.sock");

    let reported = run(&socket, "cancel --all").await.expect("nothing to cancel");

    assert_eq!(reported.exit, Exit::Done);
    assert_eq!(reported.told.expect("a result"), json!({"cancelled": []}));
    assert!(!socket.exists(), "nothing was started");
}
