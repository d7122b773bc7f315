//! A person at a terminal sets a project up with the wizard.

mod corrections;

use std::path::{Path, PathBuf};

use mirror_proto::v1::{FaultClass, Finding, FindingLevel, Setting, TryBackendResponse};
use tempfile::TempDir;

use super::{failing, finishing, pushed};
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

    /// The file of a private key.
    fn key(&self) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = self.at.join("id_nas");
        std::fs::write(&path, "key").expect("written");
        let closed = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, closed).expect("set");
        path.display().to_string()
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
const KIND: &str = "folder or sftp [";
const DISK: &str = "NAS mount";
const HOST: &str = "config calls it";
const USER: &str = "User on that host [";
const PORT: &str = "Port [";
const PATH: &str = "from your home ~/";
const KEY: &str = "private key [";
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
const TO_THE_TRIAL: [(&str, &str); 7] = [
    (MIRROR, ENTER),
    (KIND, "sftp\n"),
    (HOST, "nsa\n"),
    (USER, ENTER),
    (PORT, ENTER),
    (PATH, ENTER),
    (KEY, ENTER),
];

const TO_THE_END: [(&str, &str); 3] = [(NAME, ENTER), (GLOBS, ENTER), (AHEAD, ENTER)];

#[tokio::test]
async fn folder_is_set_up_with_what_stands_in_brackets() {
    let (home, daemon) = (Home::new(), FakeDaemon::default().trying(works()).start());
    let (root, disk) = (home.path("notes"), home.path("disk"));

    let (reported, shown) = answers(
        &daemon,
        &format!("init {root} --wizard"),
        &[
            (MIRROR, ENTER),
            (KIND, ENTER),
            (DISK, &format!("{disk}\n")),
            (NAME, ENTER),
            (GLOBS, ENTER),
            (AHEAD, ENTER),
        ],
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let [request] = &daemon.set_ups().inits[..] else { panic!("one init") };
    assert_eq!((&request.folder, &request.url), (&root, &format!("folder:{disk}")));
    assert_eq!((&request.name, request.patterns.len()), (&None, 0));
    assert_eq!(daemon.tried()[0].url, request.url);
    assert!(shown.contains("ok    credentials  lets us in\n"), "{shown}");
    assert!(shown.contains(&format!("  mirrorctl init {root} --to folder:{disk}\n")), "{shown}");
    assert!(!Path::new(&root).exists(), "the daemon makes it");
}

#[tokio::test]
async fn server_is_set_up_with_all_that_was_answered() {
    let (home, daemon) = (Home::new(), FakeDaemon::default().trying(works()).start());
    let (root, key) = (home.path("notes"), home.key());

    let (reported, shown) = answers(
        &daemon,
        &format!("init {root} --wizard --set poll_interval=5s"),
        &[
            (MIRROR, ENTER),
            (KIND, "sftp\n"),
            (HOST, "nas\n"),
            (USER, "ann\n"),
            (PORT, "2222\n"),
            (PATH, ENTER),
            (KEY, &format!("{key}\n")),
            (NAME, "mine\n"),
            (GLOBS, "**/*.md docs/**\n"),
            (AHEAD, "y\n"),
        ],
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let [request] = &daemon.set_ups().inits[..] else { panic!("one init") };
    assert_eq!(request.url, "sftp://ann@nas:2222/~/notes");
    assert_eq!(request.name.as_deref(), Some("mine"));
    assert_eq!(request.patterns, ["**/*.md", "docs/**"]);
    let setting = |key: &str, value: &str| Setting { key: key.into(), value: value.into() };
    let expected = [setting("key_file", &key), setting("poll_interval", "5s")];
    assert_eq!(request.settings, expected);
    assert_eq!(daemon.tried()[0].settings, expected);
    let line = format!(
        "mirrorctl init {root} --to sftp://ann@nas:2222/~/notes --name mine \
         --pattern '**/*.md' --pattern 'docs/**' --set key_file={key} --set poll_interval=5s"
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
            (MIRROR, &format!("{}\n", home.path("not/there"))),
            (MIRROR, ENTER),
            (KIND, "floppy\n"),
            (KIND, "s\n"),
            (HOST, "ann@nas\n"),
            (HOST, "nas\n"),
            (USER, ENTER),
            (PORT, "0\n"),
            (PORT, "-\n"),
            (PATH, "notes\n"),
            (PATH, "/srv/notes\n"),
            (KEY, "/nowhere\n"),
            (KEY, ENTER),
            (NAME, "a/b\n"),
            (NAME, ENTER),
            (GLOBS, "/docs\n"),
            (GLOBS, ENTER),
            (AHEAD, "maybe\n"),
            (AHEAD, "yes\n"),
        ],
    )
    .await;

    assert_eq!(reported.expect("set up").exit, Exit::Done);
    let [request] = &daemon.set_ups().inits[..] else { panic!("one init") };
    assert_eq!(request.url, "sftp://nas/srv/notes");
    assert!(request.settings.is_empty());
    for reason in [
        "is its disk mounted?",
        "  folder (a disk or a NAS mount) or sftp",
        "the host alone",
        "a number from 1 to 65535",
        "begin it with /",
        "there is no such file",
        "only letters, digits",
        "/docs begins with /",
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
    let again = [(MIRROR, elsewhere.as_str()), (KIND, ENTER), (HOST, "nas\n"), (USER, ENTER)];
    let rest = [(PORT, ENTER), (PATH, ENTER), (KEY, ENTER)];

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
    assert_eq!((&request.folder, &*request.url), (&other, "sftp://nas/~/notes"));
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
    let disk = home.path("");
    let root = home.path("new");

    let (reported, shown) = answers(
        &daemon,
        "clone --wizard",
        &[
            (KIND, ENTER),
            (DISK, &format!("{disk}\n")),
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
async fn folder_of_another_project_is_refused_by_its_name() {
    let home = Home::new();
    let daemon = FakeDaemon::default()
        .trying(works())
        .pushing("notes", finishing(pushed("notes")))
        .pushing("other", failing(FaultClass::Stopped))
        .start();

    let (reported, shown) = answers(
        &daemon,
        &format!("init {} --wizard", home.path("new")),
        &[(MIRROR, "/notes\n"), (MIRROR, ENTER), (KIND, "\u{4}")],
    )
    .await;

    given_up(reported, &daemon);
    assert!(shown.contains("belongs to the project notes already"), "{shown}");
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
