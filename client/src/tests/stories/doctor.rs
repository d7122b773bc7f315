//! `doctor` and `auth`: findings, whatever they say, and an exit code for them.

use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::{FaultClass, Finding, FindingLevel};
use serde_json::json;

use crate::exit::Exit;
use crate::tests::testing::{FakeDaemon, run};

fn found(level: FindingLevel, class: Option<FaultClass>) -> Finding {
    Finding {
        level: level.into(),
        what: "what".to_owned(),
        r#where: "notes/primary".to_owned(),
        fix: None,
        class: class.map(i32::from),
        about: None,
    }
}

fn refused() -> Finding {
    found(FindingLevel::Fail, Some(FaultClass::Auth))
}

fn away() -> Finding {
    found(FindingLevel::Fail, Some(FaultClass::Transient))
}

async fn check(findings: Vec<Finding>, expected: Exit) {
    let count = findings.len();
    let daemon = FakeDaemon::default().finding(findings).start();
    for line in ["doctor --project notes", "auth --project notes", "auth --check --project notes"] {
        let reported = daemon.runs(line).await.expect("reported");
        assert_eq!(reported.exit, expected, "{line}");
        let told = reported.told.expect("findings at any exit");
        assert_eq!(told["findings"].as_array().map(Vec::len), Some(count), "{line}");
    }
}

#[tokio::test]
async fn findings_decide_the_exit_code_and_are_told_at_any() {
    let warning = || found(FindingLevel::Warn, None);
    check(vec![], Exit::Done).await;
    check(vec![found(FindingLevel::Ok, None), warning()], Exit::Done).await;
    check(vec![warning(), refused()], Exit::AccessNeeded).await;
    check(vec![away()], Exit::Failed).await;
    check(vec![refused(), away()], Exit::Failed).await;
    check(vec![found(FindingLevel::Fail, None)], Exit::Failed).await;
    check(vec![found(FindingLevel::Fail, Some(FaultClass::Usage))], Exit::Failed).await;
}

#[tokio::test]
async fn doctor_looks_at_the_project_and_the_backend_that_were_named() {
    let daemon = FakeDaemon::default().start();

    daemon.runs("doctor --project notes --backend primary").await.expect("examined");
    daemon.runs("doctor").await.expect("examined");
    daemon.runs("auth").await.expect("checked");

    let [named, all] = &daemon.examined()[..] else { panic!("two examinations") };
    let by = named.project.as_ref().and_then(|project| project.by.clone());
    assert_eq!(by, Some(By::Name("notes".to_owned())));
    assert_eq!(named.backend.as_deref(), Some("primary"));
    assert_eq!(named.client_version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!((&all.project, &all.backend), (&None, &None));
    assert_eq!(daemon.checked()[0].project, None);
}

#[tokio::test]
async fn doctor_without_a_daemon_finds_just_that() {
    let place = tempfile::tempdir().expect("a folder");

    let reported = run(&place.path().join("mirrord.sock"), "doctor").await.expect("reported");

    assert_eq!(reported.exit, Exit::NoDaemon);
    let told = reported.told.expect("findings");
    let finding = &told["findings"][0];
    assert_eq!((&finding["level"], &finding["where"]), (&json!("fail"), &json!("daemon")));
    assert!(finding["what"].as_str().expect("text").starts_with("no daemon answers"), "{told}");
    assert!(finding["fix"].is_string(), "{told}");
}

#[tokio::test]
async fn auth_without_a_daemon_is_a_failure() {
    let place = tempfile::tempdir().expect("a folder");
    let failed = run(&place.path().join("mirrord.sock"), "auth --check").await;
    assert_eq!(failed.expect_err("none").exit, Exit::NoDaemon);
}
