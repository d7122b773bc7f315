//! What fails when the backend is tried is said with its cause, and the answer
//! that it is about can be changed.

use mirror_proto::v1::{FaultClass, Finding, FindingLevel, Setting, TryBackendResponse};

use super::{
    DISK, ENTER, HOST, Home, KEY, KIND, MAKE, PATH, PORT, TO_THE_END, TO_THE_TRIAL, USER, answers,
    given_up, holding, works,
};
use crate::exit::Exit;
use crate::tests::testing::FakeDaemon;

const NEXT: &str = "or quit [";

const SETTING: &str = "Setting [";

fn failed(class: FaultClass, about: Option<&str>, what: &str, fix: &str) -> TryBackendResponse {
    let finding = Finding {
        level: FindingLevel::Fail.into(),
        what: what.to_owned(),
        r#where: "sftp".to_owned(),
        fix: Some(fix.to_owned()),
        class: Some(class.into()),
        about: about.map(str::to_owned),
    };
    TryBackendResponse { findings: vec![finding], ..TryBackendResponse::default() }
}

fn refused(about: &str, what: &str, fix: &str) -> TryBackendResponse {
    failed(FaultClass::Auth, Some(about), what, fix)
}

#[tokio::test]
async fn answer_that_a_finding_is_about_is_proposed_and_put_right() {
    let home = Home::new();
    let daemon = FakeDaemon::default()
        .trying(refused("host", "no host is called nsa", "check its name"))
        .trying(refused("key_file", "nas accepts none of our keys", "name another"))
        .trying(works())
        .start();
    let key = format!("{}\n", home.key());
    let put_right = [(NEXT, ENTER), (HOST, "nas\n"), (NEXT, ENTER), (KEY, key.as_str())];

    let (reported, shown) = answers(
        &daemon,
        &format!("init {} --wizard", home.path("notes")),
        &[&TO_THE_TRIAL[..], &put_right, &TO_THE_END].concat(),
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let urls: Vec<_> = daemon.tried().into_iter().map(|tried| tried.url).collect();
    assert_eq!(urls, ["sftp://nsa/~/notes", "sftp://nas/~/notes", "sftp://nas/~/notes"]);
    assert_eq!(daemon.tried()[2].settings.len(), 1);
    assert!(shown.contains("fail  sftp  no host is called nsa\n"), "{shown}");
    assert!(shown.contains("fix: check its name\n"), "{shown}");
    assert!(shown.contains("or quit [host]: "), "{shown}");
    assert!(shown.contains("or quit [key]: "), "{shown}");
}

#[tokio::test]
async fn unknown_host_key_is_shown_with_the_command_and_tried_again() {
    let home = Home::new();
    let unknown = refused(
        "known_hosts_file",
        "the host key of nsa is not known here: it shows SHA256:abc",
        "by hand, run `ssh -o StrictHostKeyChecking=ask -p 2222 nsa`, and answer yes if the \
         fingerprint is the server's own; the daemon never accepts a key by itself",
    );
    let daemon = FakeDaemon::default().trying(unknown).trying(works()).start();

    let (reported, shown) = answers(
        &daemon,
        &format!("init {} --wizard", home.path("notes")),
        &[&TO_THE_TRIAL[..], &[(NEXT, ENTER)], &TO_THE_END].concat(),
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    assert_eq!(daemon.tried().len(), 2);
    assert!(shown.contains("it shows SHA256:abc"), "{shown}");
    let command = "fix: by hand, run `ssh -o StrictHostKeyChecking=ask -p 2222 nsa`";
    assert!(shown.contains(command), "{shown}");
    assert!(shown.contains("or quit [again]: "), "{shown}");
}

#[tokio::test]
async fn setting_that_is_wrong_may_be_said_anew_or_left_out() {
    let home = Home::new();
    let mistake = |about, what| failed(FaultClass::Usage, about, what, "correct it");
    let daemon = FakeDaemon::default()
        .trying(mistake(None, "\"poll\" is no key of a project"))
        .trying(mistake(Some("known_hosts_file"), "known_hosts_file is not an absolute path"))
        .trying(works())
        .start();
    let line =
        format!("init {} --wizard --set poll=5s --set known_hosts_file=known", home.path("notes"));
    let put_right = [
        (NEXT, ENTER),
        (SETTING, "poll_interval=5s\n"),
        (SETTING, ENTER),
        (NEXT, ENTER),
        (SETTING, ENTER),
        (SETTING, "-\n"),
    ];

    let (reported, shown) =
        answers(&daemon, &line, &[&TO_THE_TRIAL[..], &put_right, &TO_THE_END].concat()).await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let setting = Setting { key: "poll_interval".into(), value: "5s".into() };
    assert_eq!(daemon.set_ups().inits[0].settings, [setting]);
    assert!(shown.contains("key, settings, or quit [settings]: "), "{shown}");
    assert!(!shown.contains("SHA256"), "{shown}");
}

#[tokio::test]
async fn other_kind_of_backend_may_be_chosen_after_a_failure() {
    let home = Home::new();
    let daemon = FakeDaemon::default()
        .trying(refused("port", "nothing listens there", "check the port"))
        .trying(works())
        .start();
    let disk = format!("{}\n", home.path("disk"));
    let other = [(NEXT, "kind\n"), (KIND, "folder\n"), (DISK, disk.as_str())];

    let (reported, _) = answers(
        &daemon,
        &format!("init {} --wizard", home.path("notes")),
        &[&TO_THE_TRIAL[..], &other, &TO_THE_END].concat(),
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    assert_eq!(daemon.set_ups().inits[0].url, format!("folder:{}", home.path("disk")));
}

#[tokio::test]
async fn whoever_quits_where_it_does_not_work_makes_nothing() {
    let home = Home::new();
    let line = format!("init {} --wizard", home.path("notes"));
    let daemon = FakeDaemon::default().trying(refused("host", "no such host", "")).start();
    let quits = [&TO_THE_TRIAL[..], &[(NEXT, "quit\n")]].concat();
    let (reported, _) = answers(&daemon, &line, &quits).await;
    given_up(reported, &daemon);
}

#[tokio::test]
async fn clone_from_where_no_project_is_asks_for_another_folder() {
    let home = Home::new();
    let daemon = FakeDaemon::default().trying(works()).trying(holding("shared")).start();
    let line = format!("clone sftp://nas/~/wrong {} --wizard", home.path("new"));
    let enters = [KIND, HOST, USER, PORT, PATH, KEY].map(|question| (question, ENTER));
    let rest = [(NEXT, ENTER), (PATH, "~/right\n"), (MAKE, ENTER)];

    let (reported, shown) =
        answers(&daemon, &line, &[&enters[..], &rest, &TO_THE_END].concat()).await;

    assert_eq!(reported.expect("cloned").exit, Exit::Done);
    assert!(shown.contains("No project is there"), "{shown}");
    assert_eq!(daemon.set_ups().clones[0].url, "sftp://nas/~/right");
}
