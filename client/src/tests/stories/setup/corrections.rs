//! What fails when the backend is tried is said with its cause, and the answer
//! that it is about can be changed.

use mirror_proto::v1::{FaultClass, Finding, FindingLevel, Setting, TryBackendResponse};

use super::{
    ENTER, Home, KIND, MAKE, PATH, PLACE, SHELF, TO_THE_END, TO_THE_TRIAL, TOKEN, USER, answers,
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
        r#where: "far".to_owned(),
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
        .trying(refused("place", "no place is called nsa", "check its name"))
        .trying(refused("token", "there it is no use", "name another"))
        .trying(works())
        .start();
    let put_right = [(NEXT, ENTER), (PLACE, "there\n"), (NEXT, ENTER), (TOKEN, "/t\n")];

    let (reported, shown) = answers(
        &daemon,
        &format!("init {} --wizard", home.path("notes")),
        &[&TO_THE_TRIAL[..], &put_right, &TO_THE_END].concat(),
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let urls: Vec<_> = daemon.tried().into_iter().map(|tried| tried.url).collect();
    assert_eq!(urls, ["far://nsa/~/notes", "far://there/~/notes", "far://there/~/notes"]);
    assert_eq!(daemon.tried()[2].settings.len(), 1);
    assert!(shown.contains("fail  far  no place is called nsa\n"), "{shown}");
    assert!(shown.contains("fix: check its name\n"), "{shown}");
    assert!(shown.contains("or quit [place]: "), "{shown}");
    assert!(shown.contains("or quit [token]: "), "{shown}");
}

#[tokio::test]
async fn server_that_is_not_trusted_is_shown_with_the_command_and_tried_again() {
    let home = Home::new();
    let unknown = refused(
        "known_places",
        "nsa is not known here: it shows SHA256:abc",
        "by hand, run `far --ask nsa`, and answer yes if that is its own",
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
    assert!(shown.contains("fix: by hand, run `far --ask nsa`"), "{shown}");
    assert!(shown.contains("or quit [again]: "), "{shown}");
}

#[tokio::test]
async fn setting_that_is_wrong_may_be_said_anew_or_left_out() {
    let home = Home::new();
    let mistake = |about, what| failed(FaultClass::Usage, about, what, "correct it");
    let daemon = FakeDaemon::default()
        .trying(mistake(None, "\"poll\" is no key of a project"))
        .trying(mistake(Some("known_places"), "known_places is no file"))
        .trying(works())
        .start();
    let line =
        format!("init {} --wizard --set poll=5s --set known_places=known", home.path("notes"));
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
    assert!(shown.contains("token, settings, or quit [settings]: "), "{shown}");
    assert!(!shown.contains("SHA256"), "{shown}");
}

#[tokio::test]
async fn other_kind_of_backend_may_be_chosen_after_a_failure() {
    let home = Home::new();
    let daemon = FakeDaemon::default()
        .trying(refused("place", "nobody is there", "check its name"))
        .trying(works())
        .start();
    let other = [(NEXT, "kind\n"), (KIND, "near\n"), (SHELF, "top\n")];

    let (reported, _) = answers(
        &daemon,
        &format!("init {} --wizard", home.path("notes")),
        &[&TO_THE_TRIAL[..], &other, &TO_THE_END].concat(),
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    assert_eq!(daemon.set_ups().inits[0].url, "near:top");
}

#[tokio::test]
async fn whoever_quits_where_it_does_not_work_makes_nothing() {
    let home = Home::new();
    let line = format!("init {} --wizard", home.path("notes"));
    let daemon = FakeDaemon::default().trying(refused("place", "no such place", "")).start();
    let quits = [&TO_THE_TRIAL[..], &[(NEXT, "quit\n")]].concat();
    let (reported, _) = answers(&daemon, &line, &quits).await;
    given_up(reported, &daemon);
}

#[tokio::test]
async fn clone_from_where_no_project_is_asks_for_another_folder() {
    let home = Home::new();
    let daemon = FakeDaemon::default().trying(works()).trying(holding("shared")).start();
    let line = format!("clone far://there/~/wrong {} --wizard", home.path("new"));
    let enters = [KIND, PLACE, USER, PATH, TOKEN].map(|question| (question, ENTER));
    let rest = [(NEXT, ENTER), (PATH, "~/right\n"), (MAKE, ENTER)];

    let (reported, shown) =
        answers(&daemon, &line, &[&enters[..], &rest, &TO_THE_END].concat()).await;

    assert_eq!(reported.expect("cloned").exit, Exit::Done);
    assert!(shown.contains("No project is there"), "{shown}");
    assert_eq!(daemon.set_ups().clones[0].url, "far://there/~/right");
}
