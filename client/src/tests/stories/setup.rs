//! A person at a terminal sets a project up with the wizard.

mod corrections;

use std::path::{Path, PathBuf};

use mirror_proto::v1::{Finding, FindingLevel, Setting, TryBackendResponse};
use tempfile::TempDir;

use crate::context::Reported;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::tests::testing::{FakeDaemon, Pty, RunningDaemon};

/// Folders of a person who sets something up.
struct Home {
    _folder: TempDir,
    at: PathBuf,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().canonicalize().expect("there");
        Self { _folder: folder, at }
    }

    fn path(&self, name: &str) -> String {
        self.at.join(name).display().to_string()
    }
}

fn works() -> TryBackendResponse {
    let findings = vec![Finding {
        level: FindingLevel::Ok.into(),
        what: "lets us in".to_owned(),
        r#where: "credentials".to_owned(),
        ..Finding::default()
    }];
    TryBackendResponse { findings, ..TryBackendResponse::default() }
}

fn holding(project: &str) -> TryBackendResponse {
    TryBackendResponse { project: Some(project.to_owned()), ..works() }
}

/// Types each answer once its question stands there: after the words that are
/// given with it, counted from the beginning.
async fn answers(
    daemon: &RunningDaemon,
    line: &str,
    answers: &[(&str, &str)],
) -> (Result<Reported, Failure>, String) {
    let pty = Pty::open();
    let person = async {
        for (number, (question, answer)) in answers.iter().enumerate() {
            let asked = answers[..=number].iter().filter(|(other, _)| other == question).count();
            pty.shows(question, asked).await;
            pty.types(answer);
        }
    };
    let command = daemon.runs_at(pty.terminal("false"), line);
    let (reported, ()) = tokio::join!(command, person);
    (reported, pty.all_shown().await)
}

/// Questions, by words that stand in no other.
const MIRROR: &str = "Folder to mirror [";
const KIND: &str = "near or far [";
const SHELF: &str = "Which shelf";
const PLACE: &str = "Which place";
const USER: &str = "Who is known there [";
const PATH: &str = "Which folder there [";
const TOKEN: &str = "With which token [";
const MAKE: &str = "Folder to make of it [";
const NAME: &str = "Name of the project here [";
const GLOBS: &str = "spaces between them [";
const AHEAD: &str = "Go ahead, yes or no [";

const ENTER: &str = "\n";

#[track_caller]
fn given_up(reported: Result<Reported, Failure>, daemon: &RunningDaemon) {
    let failure = reported.expect_err("given up");
    assert_eq!(failure.exit, Exit::Failed);
    assert_eq!(failure.fault.message, "given up: nothing was made");
    let set_ups = daemon.set_ups();
    assert!(set_ups.inits.is_empty() && set_ups.clones.is_empty());
}

/// Up to where the backend is tried.
const TO_THE_TRIAL: [(&str, &str); 6] = [
    (MIRROR, ENTER),
    (KIND, "far\n"),
    (PLACE, "nsa\n"),
    (USER, ENTER),
    (PATH, ENTER),
    (TOKEN, ENTER),
];

const TO_THE_END: [(&str, &str); 3] = [(NAME, ENTER), (GLOBS, ENTER), (AHEAD, ENTER)];

#[tokio::test]
async fn project_is_set_up_with_what_stands_in_brackets() {
    let (home, daemon) = (Home::new(), FakeDaemon::default().trying(works()).start());
    let root = home.path("notes");

    let (reported, shown) = answers(
        &daemon,
        &format!("init {root} --wizard"),
        &[
            (MIRROR, ENTER),
            (KIND, ENTER),
            (SHELF, "top\n"),
            (NAME, ENTER),
            (GLOBS, ENTER),
            (AHEAD, ENTER),
        ],
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let [request] = &daemon.set_ups().inits[..] else { panic!("one init") };
    assert_eq!((&request.folder, &*request.url), (&root, "near:top"));
    assert_eq!((&request.name, request.patterns.len()), (&None, 0));
    assert_eq!(daemon.tried()[0].url, request.url);
    assert!(shown.contains("ok    credentials  lets us in\n"), "{shown}");
    assert!(shown.contains(&format!("  mirrorctl init {root} --to near:top\n")), "{shown}");
    assert!(!Path::new(&root).exists(), "the daemon makes it");
}

#[tokio::test]
async fn server_is_set_up_with_all_that_was_answered() {
    let (home, daemon) = (Home::new(), FakeDaemon::default().trying(works()).start());
    let root = home.path("notes");

    let (reported, shown) = answers(
        &daemon,
        &format!("init {root} --wizard --set poll_interval=5s"),
        &[
            (MIRROR, ENTER),
            (KIND, "far\n"),
            (PLACE, "there\n"),
            (USER, "ann\n"),
            (PATH, ENTER),
            (TOKEN, "/t\n"),
            (NAME, "mine\n"),
            (GLOBS, "**/*.md docs/**\n"),
            (AHEAD, "y\n"),
        ],
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let [request] = &daemon.set_ups().inits[..] else { panic!("one init") };
    assert_eq!(request.url, "far://ann@there/~/notes");
    assert_eq!(request.name.as_deref(), Some("mine"));
    assert_eq!(request.patterns, ["**/*.md", "docs/**"]);
    let setting = |key: &str, value: &str| Setting { key: key.into(), value: value.into() };
    let expected = [setting("poll_interval", "5s"), setting("token", "/t")];
    assert_eq!(request.settings, expected);
    assert_eq!(daemon.tried()[0].settings, expected);
    let line = format!(
        "mirrorctl init {root} --to far://ann@there/~/notes --name mine \
         --pattern '**/*.md' --pattern 'docs/**' --set poll_interval=5s --set token=/t"
    );
    assert!(shown.contains(&line), "{shown}");
}

#[tokio::test]
async fn answer_that_can_not_be_used_is_asked_for_again_with_the_reason() {
    let (home, daemon) = (Home::new(), FakeDaemon::default().trying(works()).start());

    let (reported, shown) = answers(
        &daemon,
        &format!("init {} --wizard", home.path("notes")),
        &[
            (MIRROR, "bad folder\n"),
            (MIRROR, ENTER),
            (KIND, "bad kind\n"),
            (KIND, "far\n"),
            (PLACE, ENTER),
            (PLACE, "there\n"),
            (USER, "bad user\n"),
            (USER, "-\n"),
            (PATH, "/srv\n"),
            (TOKEN, ENTER),
            (NAME, ENTER),
            (GLOBS, "bad globs\n"),
            (GLOBS, ENTER),
            (AHEAD, "maybe\n"),
            (AHEAD, "yes\n"),
        ],
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let [request] = &daemon.set_ups().inits[..] else { panic!("one init") };
    assert_eq!(request.url, "far://there/srv");
    assert!(request.settings.is_empty());
    for reason in [
        "  bad folder: no\n",
        "  bad kind: no\n",
        "  place: say something\n",
        "  bad user: no\n",
        "  bad globs: no\n",
        "  yes or no\n",
    ] {
        assert!(shown.contains(reason), "{reason:?} in {shown}");
    }
}

#[tokio::test]
async fn giving_up_at_any_question_makes_nothing() {
    let home = Home::new();
    let line = format!("init {} --wizard", home.path("notes"));
    let all = [&TO_THE_TRIAL[..], &TO_THE_END].concat();
    for last in 0..all.len() {
        let daemon = FakeDaemon::default().trying(works()).start();
        let asked = [&all[..last], &[(all[last].0, "\u{4}")]].concat();
        let (reported, _) = answers(&daemon, &line, &asked).await;
        given_up(reported, &daemon);
    }
}

#[tokio::test]
async fn whoever_does_not_go_ahead_may_change_each_answer() {
    let (home, daemon) = (Home::new(), FakeDaemon::default().trying(works()).start());
    let (root, other) = (home.path("notes"), home.path("other"));
    let elsewhere = format!("{other}\n");
    let again = [(MIRROR, elsewhere.as_str()), (KIND, ENTER), (PLACE, "there\n"), (USER, ENTER)];
    let rest = [(PATH, ENTER), (TOKEN, ENTER)];

    let (reported, shown) = answers(
        &daemon,
        &format!("init {root} --wizard"),
        &[
            &TO_THE_TRIAL[..],
            &[(NAME, "mine\n"), (GLOBS, "docs/**\n"), (AHEAD, "no\n")],
            &again,
            &rest,
            &TO_THE_END,
        ]
        .concat(),
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let [request] = &daemon.set_ups().inits[..] else { panic!("one init") };
    assert_eq!((&request.folder, &*request.url), (&other, "far://there/~/notes"));
    assert_eq!(
        (request.name.as_deref(), &request.patterns[..]),
        (Some("mine"), &["docs/**".to_owned()][..])
    );
    assert!(shown.contains("Once more, then"), "{shown}");
}

#[tokio::test]
async fn project_that_is_there_already_is_joined_and_said() {
    let (home, daemon) = (Home::new(), FakeDaemon::default().trying(holding("shared")).start());

    let (reported, shown) = answers(
        &daemon,
        &format!("init {} --wizard", home.path("notes")),
        &[&TO_THE_TRIAL[..], &TO_THE_END].concat(),
    )
    .await;

    assert_eq!(reported.expect("joined").exit, Exit::Done);
    assert!(shown.contains("already holds the project shared: this folder joins it"), "{shown}");
    assert!(shown.contains("[all that the project has]: "), "{shown}");
    assert!(daemon.set_ups().inits[0].patterns.is_empty());
}

#[tokio::test]
async fn clone_is_asked_for_in_its_own_order() {
    let (home, daemon) = (Home::new(), FakeDaemon::default().trying(holding("shared")).start());
    let root = home.path("new");

    let (reported, shown) = answers(
        &daemon,
        "clone --wizard",
        &[
            (KIND, ENTER),
            (SHELF, "top\n"),
            (MAKE, &format!("{root}\n")),
            (NAME, ENTER),
            (GLOBS, ENTER),
            (AHEAD, ENTER),
        ],
    )
    .await;

    assert_eq!(reported.expect("cloned").exit, Exit::Done);
    let [request] = &daemon.set_ups().clones[..] else { panic!("one clone") };
    assert_eq!((&request.folder, &request.name), (&root, &None));
    assert!(shown.contains("/shared]: "), "the project's own name is proposed: {shown}");
    assert!(shown.contains("Name of the project here [shared]: "), "{shown}");
}

#[tokio::test]
async fn without_a_terminal_the_wizard_is_a_mistake_of_usage() {
    let daemon = FakeDaemon::default().start();
    for line in ["init --wizard", "clone --wizard"] {
        let failure = daemon.runs(line).await.expect_err("nobody to ask");
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.fault.hint.expect("a hint").contains("--help"));
    }
}
