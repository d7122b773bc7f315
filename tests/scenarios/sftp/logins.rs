//! The server doesn't let a machine in any more: exit 6, what to do about it,
//! and no word about what would let it in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::errors::message_has;
use super::Site;
use super::losses::{comes_back, in_the_end_refuses};
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Machine, eventually, run, same_trees};

fn begun(server: &SftpServer) -> (Site, Machine) {
    let site = Site::on(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    (site, laptop)
}

/// Out of hearing: the answer repeats what was set.
fn sets(machine: &Machine, key: &str, value: &Path) {
    let mut command = machine.mirrorctl(&["config", "set", key]);
    command.arg(value);
    run(command).exits(0);
}

/// The exit code of a command, and all that it found wrong.
fn wrong(machine: &Machine, command: &[&str]) -> (Option<i32>, String) {
    let outcome = machine.tries(command);
    let findings = outcome.result()["findings"].clone();
    let findings = findings.as_array().expect("findings at any exit");
    let wrong = findings.iter().filter(|found| found["level"] == "fail");
    (outcome.code, wrong.map(ToString::to_string).collect())
}

#[track_caller]
fn found_by_all(machine: &Machine, code: i32, words: &str) {
    for command in [&["doctor"][..], &["auth", "--check"]] {
        let (ended, wrong) = wrong(machine, command);
        assert_eq!(ended, Some(code), "{command:?}: {wrong}");
        assert!(wrong.contains(words), "{words:?} in {command:?}: {wrong}");
    }
}

#[test]
fn key_that_the_server_refuses_stops_pushes_until_it_is_right() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let (site, laptop) = begun(server);
    let head = site.head();
    found_by_all(&laptop, 0, "");

    sets(&laptop, "key_file", &site.login("other"));
    laptop.writes("a.md", "a, better\n");
    let error = in_the_end_refuses(&laptop, &["push"]);
    message_has(&error, &["key"]);
    assert!(error["hint"].is_string(), "{error:#}");
    found_by_all(&laptop, 6, "key");
    sets(&laptop, "key_file", &site.login("nobody-made-this"));
    in_the_end_refuses(&laptop, &["sync"]);
    found_by_all(&laptop, 6, "key");
    assert_eq!(site.head(), head);

    sets(&laptop, "key_file", &site.login("key"));
    comes_back(&laptop);
    site.ends_well(&[&laptop]);
    found_by_all(&laptop, 0, "");
}

#[test]
fn host_that_is_not_known_any_more_is_not_trusted() {
    let Some(server) = SftpServer::start(Variant::SftpOnly) else { return };
    let (site, laptop) = begun(&server);
    let head = site.head();
    let known = fs::read(site.known_hosts()).expect("known hosts");

    fs::write(site.known_hosts(), "").expect("nobody is known");
    server.kill_sessions();
    laptop.writes("a.md", "a, better\n");
    let error = in_the_end_refuses(&laptop, &["push"]);
    message_has(&error, &["host key", "ssh"]);
    found_by_all(&laptop, 6, "host key");
    assert_eq!(site.head(), head);
    assert_eq!(fs::read(site.known_hosts()).expect("known hosts"), b"", "it was accepted unseen");

    fs::write(site.known_hosts(), known).expect("known again");
    comes_back(&laptop);
    site.ends_well(&[&laptop]);
}

#[test]
fn doctor_tells_a_server_that_is_away_from_a_folder_that_is_gone() {
    let Some(mut server) = SftpServer::start(Variant::Stock) else { return };
    let site = Site::directly_on(&server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    found_by_all(&laptop, 0, "");

    server.stop();
    eventually("the connection is lost", || laptop.helpers().is_empty());
    found_by_all(&laptop, 1, "listens");
    server.start_again();
    found_by_all(&laptop, 0, "");

    let backend = site.world.backend();
    let away = backend.with_extension("away");
    fs::rename(&backend, &away).expect("the folder goes");
    assert_eq!(wrong(&laptop, &["doctor"]).0, Some(1));
    fs::rename(&away, &backend).expect("the folder is back");
    site.ends_well(&[&laptop]);
}

/// Files come from there, and none goes there.
#[test]
fn machine_that_may_only_read_still_gets_every_file() {
    let servers = [Variant::Stock, Variant::ReadOnly].map(SftpServer::shared);
    let [Some(server), Some(read_only)] = servers else { return };
    let site = Site::on(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    let same_place = Site::at(read_only, site.world.backend());
    let desktop = same_place.world.next_machine("desktop");
    laptop.writes("a.md", "a, better\n");
    laptop.syncs();
    let backend = site.world.everything();

    desktop.runs(&["pull"]).exits(0);
    assert_eq!(desktop.reads("a.md"), "a, better\n");
    desktop.writes("b.md", "b\n");
    for command in ["push", "sync"] {
        let error = desktop.fails(1, &[command]);
        assert_eq!(error["class"], "permission", "{error:#}");
        assert!(error["hint"].is_string(), "{error:#}");
    }
    let (code, found) = wrong(&desktop, &["doctor"]);
    assert!(code == Some(1) && found.contains("no permission"), "{found}");
    assert_eq!(wrong(&desktop, &["auth", "--check"]).0, Some(0));

    same_trees(&backend, &site.world.everything());
    same_place.keeps_secrets(&[&desktop]);
}

#[test]
fn folder_of_somebody_else_is_named_and_nothing_is_made() {
    let Some(server) = SftpServer::shared(Variant::OtherUser) else { return };
    let closed = server.new_root();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).expect("a mode");
    let site = Site::at(server, closed.join("notes"));
    let laptop = site.world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let root = laptop.root();

    let error = laptop.fails(1, &laptop.words_of_init(&root));

    assert_eq!(error["class"], "permission", "{error:#}");
    assert_eq!(laptop.asks(&["projects"])["projects"], serde_json::json!([]));
    assert!(!site.world.backend().exists());
    site.keeps_secrets(&[&laptop]);
}
