//! Whoever asks how things stand is answered within two seconds, whatever servers
//! do, and is told what is wrong and how old the answer is.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::errors::message_has;
use super::super::standing::{people_are_told, wrong};
use super::Site;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Machine, Outcome, eventually};

/// Longer than this nobody waits for an answer.
const SOON: Duration = Duration::from_secs(2);

/// The answer of a command that comes soon; a busy machine is asked again.
#[track_caller]
fn soon(machine: &Machine, command: &[&str]) -> Value {
    let mut took = Vec::new();
    for _ in 0..8 {
        let asked = Instant::now();
        let answer: Outcome = machine.tries(command);
        took.push(asked.elapsed());
        if took.last().is_some_and(|took| *took < SOON) {
            return answer.exits(0).result();
        }
    }
    panic!("{command:?} took {took:?}");
}

fn begun(server: &SftpServer) -> (Site, Machine) {
    let site = Site::on(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    laptop.writes("a.md", "a, better\n");
    laptop.runs(&["push"]).exits(0);
    (site, laptop)
}

#[test]
fn server_that_hangs_is_waited_for_two_seconds_at_most() {
    let Some(server) = SftpServer::start(Variant::Stock) else { return };
    let (_site, laptop) = begun(&server);
    let seen = laptop.asks(&["status"])["checked_at"].clone();
    server.suspend();

    let status = soon(&laptop, &["status"]);

    assert_eq!(status["error"]["class"], "transient", "{status:#}");
    assert!(status["error"]["hint"].is_string(), "{status:#}");
    assert_eq!((&status["checked_at"], &status["head"]), (&seen, &3.into()));
    assert_eq!(status["summary"]["in_sync"], 1);
    let conflicts = soon(&laptop, &["conflict", "list"]);
    assert_eq!(
        (&conflicts["conflicts"], &conflicts["error"]["class"]),
        (&Value::Array(vec![]), &"transient".into())
    );
    people_are_told(&laptop, &["unreachable", "hint:"]);
    // A question that waits for the server holds up nobody either.
    let log = laptop.starts(&["log"]);
    soon(&laptop, &["status"]);
    server.resume();
    log.ends().exits(0);
    eventually("all is well", || laptop.asks(&["status"])["error"].is_null());
}

#[test]
fn age_of_what_is_known_outlives_a_daemon_that_was_started_without_its_server() {
    let Some(mut server) = SftpServer::start(Variant::Stock) else { return };
    let (_site, laptop) = begun(&server);
    let seen = laptop.asks(&["status"])["checked_at"].clone();
    assert!(seen.is_string());
    server.stop();
    let (status, _) = wrong(&laptop, "transient");
    assert_eq!(status["checked_at"], seen);

    laptop.runs(&["daemon", "stop"]).exits(0);
    let status = soon(&laptop, &["status"]);

    assert_eq!((&status["checked_at"], &status["head"]), (&seen, &3.into()));
    assert_eq!((&status["offline"], &status["state"]), (&true.into(), &"idle".into()));
    message_has(&status["error"], &["unreachable"]);
    people_are_told(&laptop, &["unreachable"]);
    message_has(&laptop.asks(&["projects"])["projects"][0]["error"], &["unreachable"]);
    server.start_again();
    eventually("the server is found", || laptop.asks(&["status"])["error"].is_null());
}

#[test]
fn several_servers_that_hang_are_waited_for_together() {
    let servers = [(); 2].map(|()| SftpServer::start(Variant::Stock));
    let [Some(one), Some(other)] = servers else { return };
    let (_site, laptop) = begun(&one);
    // What a machine there would type, typed here.
    let second = Site::on(&other);
    let there = second.world.machine("there");
    let roots = ["second", "third"].map(|name| second.world.folder(name));
    for (root, name) in roots.iter().zip(["second", "third"]) {
        let mut words = there.words_of_init(root);
        let url = format!("{}-{name}", second.world.url());
        words[3] = &url;
        laptop.runs(&words).exits(0);
    }
    one.suspend();
    other.suspend();

    let all = soon(&laptop, &["status", "--all"]);

    let projects = all["projects"].as_array().expect("a list");
    let names: Vec<_> = projects.iter().map(|project| &project["project"]).collect();
    assert_eq!(names, ["notes", "second", "third"]);
    for project in projects {
        assert_eq!(project["error"]["class"], "transient", "{project:#}");
    }
}
