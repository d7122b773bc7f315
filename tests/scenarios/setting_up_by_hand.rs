//! A person sets a project up with the wizard, and finds out later what is wrong.

use std::fs;
use std::path::Path;

use crate::support::servers::free_port;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Machine, Session, World, same_trees, text};

fn wizard(machine: &Machine, arguments: &[&str]) -> Session {
    let mut command = machine.mirrorctl(arguments);
    command.arg("--wizard").env("NO_COLOR", "1");
    Session::of(command)
}

/// Takes what is proposed, or answers something else.
fn answers(session: &mut Session, rest: &[(&str, &str)]) {
    for (question, answer) in rest {
        session.shows(question);
        session.types(&format!("{answer}\n"));
    }
}

const TO_THE_FOLDER: [(&str, &str); 2] =
    [("Folder to mirror [", ""), ("folder or sftp [folder]: ", "")];

const TO_THE_END: [(&str, &str); 3] =
    [("Name of the project here [", ""), ("spaces between them [", ""), ("Go ahead", "")];

#[track_caller]
fn made_nothing(machine: &Machine, backend: &Path) {
    assert_eq!(machine.asks(&["projects"])["projects"], serde_json::json!([]));
    assert!(!backend.exists(), "something stands at the backend");
}

#[test]
fn folder_is_set_up_by_answering_questions() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");

    let mut session = wizard(&laptop, &["init", text(&laptop.root())]);
    answers(&mut session, &TO_THE_FOLDER);
    answers(&mut session, &[("NAS mount: ", text(&world.backend()))]);
    answers(&mut session, &TO_THE_END);

    let shown = session.exits(0);
    assert!(shown.contains("mirrorctl init "), "{shown}");
    laptop.runs(&["push"]).exits(0);
    same_trees(&laptop.tree(), &world.view());

    let desktop = world.machine("desktop");
    let mut session = wizard(&desktop, &["clone"]);
    answers(&mut session, &[("folder or sftp", ""), ("NAS mount: ", text(&world.backend()))]);
    answers(&mut session, &[("Folder to make of it", text(&desktop.root()))]);
    answers(&mut session, &TO_THE_END);
    session.exits(0);
    same_trees(&desktop.tree(), &world.view());
}

#[test]
fn nothing_is_made_by_whoever_presses_ctrl_c() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let backend = world.backend();
    let disk = [("NAS mount: ", text(&backend))];
    let answered = [&TO_THE_FOLDER[..], &disk, &TO_THE_END].concat();
    for (stage, (question, _)) in answered.iter().enumerate() {
        let mut session = wizard(&laptop, &["init", text(&laptop.root())]);
        answers(&mut session, &answered[..stage]);
        session.shows(question);
        session.interrupts();
        let shown = session.exits(130);
        assert!(shown.contains("nothing was made"), "{shown}");
        made_nothing(&laptop, &backend);
    }
}

#[test]
fn disk_that_is_not_mounted_is_told_before_anything_is_made() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let missing = world.path("not/mounted");

    let failed = laptop.fails(1, &["init", text(&laptop.root()), "--to", text(&missing)]);

    assert_eq!(failed["class"], "not_found");
    let mut session = wizard(&laptop, &["init", text(&laptop.root())]);
    answers(&mut session, &TO_THE_FOLDER);
    answers(&mut session, &[("NAS mount: ", text(&missing))]);
    session.shows("is its disk mounted?");
    answers(&mut session, &[("NAS mount: ", text(&world.backend()))]);
    session.shows("the folder is not there yet");
    session.shows("Name of the project here [");
    session.types("\u{4}");
    session.exits(1);
    made_nothing(&laptop, &world.backend());
}

/// The answers about a server, up to the port.
fn to_the_server(server: &SftpServer) -> [(&'static str, &str); 4] {
    [
        ("Folder to mirror [", ""),
        ("folder or sftp [folder]: ", "sftp"),
        ("config calls it: ", "127.0.0.1"),
        ("User on that host [as ssh has it]: ", server.user()),
    ]
}

#[test]
fn server_is_set_up_once_each_cause_is_put_right() {
    let Some(server) = SftpServer::start(Variant::Stock) else { return };
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let root = server.new_root().join("notes");
    let closed = free_port().to_string();
    let (port, known) = (server.port().to_string(), world.path("known"));
    fs::write(&known, "").expect("nobody is known");
    let setting = format!("known_hosts_file={}", known.display());

    let mut session = wizard(&laptop, &["init", text(&laptop.root()), "--set", &setting]);
    answers(&mut session, &to_the_server(&server));
    answers(&mut session, &[("Port [", &closed), ("Folder on that host", text(&root))]);
    answers(&mut session, &[("private key [", text(&server.other_key()))]);
    session.shows("nothing listens at that port");
    answers(&mut session, &[("or quit [port]: ", ""), ("Port [", &port)]);
    session.shows("the host key of 127.0.0.1 is not known here: it shows SHA256:");
    session.shows(&format!("UserKnownHostsFile={} -p {port}", known.display()));
    session.shows("or quit [again]: ");
    fs::copy(server.known_hosts(), &known).expect("the host is known now");
    session.types("\n");
    session.shows("accepts no key");
    answers(&mut session, &[("or quit [key]: ", ""), ("private key [", text(&server.key()))]);
    session.shows("lets us in");
    answers(&mut session, &TO_THE_END);
    session.exits(0);

    laptop.runs(&["push"]).exits(0);
    assert_eq!(fs::read_to_string(root.join("a.md")).expect("the view"), "a\n");
}

/// The exit code of a command and the levels of what it found.
fn found(machine: &Machine, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let outcome = machine.tries(arguments);
    let findings = outcome.result()["findings"].clone();
    let findings = findings.as_array().expect("findings at any exit");
    let level = |found: &serde_json::Value| found["level"].as_str().map(str::to_owned);
    (outcome.code, findings.iter().filter_map(level).collect())
}

#[test]
fn later_trouble_with_a_server_is_told_apart() {
    let Some(mut server) = SftpServer::start(Variant::SftpOnly) else { return };
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let (root, settings) = (text(&laptop.root()).to_owned(), server.settings());
    let url = server.url(&server.new_root());
    let mut init = vec!["init", &root, "--to", &url];
    init.extend(settings.iter().map(String::as_str));
    laptop.runs(&init).exits(0);

    assert_eq!(found(&laptop, &["auth", "--check"]), (Some(0), vec!["ok".to_owned()]));
    let (code, levels) = found(&laptop, &["doctor"]);
    assert_eq!((code, levels.contains(&"fail".to_owned())), (Some(0), false), "{levels:?}");

    server.stop();
    let (code, levels) = found(&laptop, &["auth", "--check"]);
    assert_eq!((code, levels), (Some(1), vec!["fail".to_owned()]));
    assert_eq!(found(&laptop, &["doctor"]).0, Some(1));

    server.starts_again_with_another_host_key();
    let (code, levels) = found(&laptop, &["auth", "--check"]);
    assert_eq!((code, levels), (Some(6), vec!["fail".to_owned()]));
    assert_eq!(found(&laptop, &["doctor", "--backend", "primary"]).0, Some(6));
}
