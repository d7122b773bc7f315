//! `pause` and `resume`: one project, or each.

use serde_json::{Value, json};

use super::{finishing, pushed};
use crate::exit::Exit;
use crate::tests::testing::FakeDaemon;

async fn told(line: &str) -> Value {
    let daemon = FakeDaemon::default()
        .pushing("notes", finishing(pushed("notes")))
        .pushing("still", finishing(pushed("still")));
    let daemon = daemon.start();
    let reported = daemon.runs(line).await.expect("answered");
    assert_eq!(reported.exit, Exit::Done);
    reported.told.expect("a result")
}

#[tokio::test]
async fn pause_and_resume_say_what_is_so_now_and_whether_it_is_new() {
    let project = |name: &str, paused: bool, changed: bool| {
        json!({
            "project": name, "root": format!("/{name}"), "paused": paused, "changed": changed,
            "auto": "both",
        })
    };
    assert_eq!(told("pause --project notes").await, project("notes", true, true));
    assert_eq!(told("resume --project still").await, project("still", false, false));

    let mut each = [project("notes", true, true), project("still", true, false)];
    for project in &mut each {
        project["error"] = Value::Null;
    }
    assert_eq!(told("pause --all").await, json!({"projects": each}));
}
