//! The server or the way to it goes away: work is kept, said to be kept, and
//! goes on by itself.

use std::fs;
use std::thread;

use serde_json::Value;

use super::super::errors::message_has;
use super::{Site, reads_on_server, recovers_or_says_so};
use crate::support::proxy::Way;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Chance, Machine, eventually, rounds, same_trees};

fn begun(server: &SftpServer) -> (Site, Machine, Machine) {
    let site = Site::on(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = site.world.next_machine("desktop");
    laptop.runs(&["config", "set", "poll_interval", "2s"]).exits(0);
    laptop.syncs();
    (site, laptop, desktop)
}

fn queue(machine: &Machine) -> Vec<Value> {
    let status = machine.asks(&["status", "--offline"]);
    status["queue"].as_array().expect("a list").clone()
}

#[test]
fn push_to_a_server_that_is_down_goes_out_by_itself_later() {
    let Some(mut server) = SftpServer::start(Variant::Stock) else { return };
    let (site, laptop, desktop) = begun(&server);
    let head = site.head();
    server.stop();
    laptop.writes("a.md", "a, better\n");

    let pushed = laptop.tries(&["push"]).exits(4).result();

    assert_eq!((&pushed["queued"], &pushed["commit"]), (&Value::Bool(true), &Value::Null));
    assert_eq!(queue(&laptop)[0]["error"]["class"], "transient");
    assert_eq!(desktop.fails(1, &["pull"])["class"], "transient");
    laptop.loses_daemon();
    laptop.writes("a.md", "a, even better\n");
    assert_eq!(queue(&laptop).len(), 1);
    server.start_again();
    eventually("the queued push is out", || site.head() > head && queue(&laptop).is_empty());
    assert_eq!(reads_on_server(&site, "a.md"), "a, better\n");
    site.ends_well(&[&laptop, &desktop]);
    assert_eq!(desktop.reads("a.md"), "a, even better\n");
}

/// Runs a command and kills its session after so many bytes; gives whether it
/// was still running.
fn is_killed_under(
    server: &SftpServer,
    site: &Site,
    machine: &Machine,
    command: &str,
    after: u64,
) -> bool {
    let enough = site.carried() + after;
    let (outcome, was_running) = thread::scope(|scope| {
        let command = scope.spawn(|| machine.tries(&[command]));
        let is_over = || command.is_finished();
        eventually("it is under way or over", || site.carried() > enough || is_over());
        let was_running = !is_over();
        server.kill_sessions();
        (command.join().expect("it ends"), was_running)
    });
    recovers_or_says_so(&outcome);
    was_running
}

#[test]
fn session_killed_under_any_command_costs_a_try_at_most() {
    let Some(server) = SftpServer::start(Variant::SftpOnly) else { return };
    let (site, laptop, desktop) = begun(&server);
    let (count, mut hits) = (rounds(6, 200), 0);
    let mut chance = Chance::new();
    for round in 0..count {
        for number in 0..20 {
            laptop.writes(format!("many/{number}.md"), format!("{round} {number}\n").repeat(50));
        }
        laptop.writes("large.bin", chance.noise(1_000_000));
        for (machine, command) in [(&laptop, "push"), (&desktop, "pull")] {
            let after = chance.below(if command == "push" { 2_000_000 } else { 900_000 }) as u64;
            hits += usize::from(is_killed_under(&server, &site, machine, command, after));
        }
        site.ends_well(&[&laptop, &desktop]);
    }
    assert!(hits >= count, "only {hits} of {count} pairs were hit");
}

/// It listens, and its sessions never say a word again.
#[test]
fn server_that_stops_answering_is_given_up_and_found_again() {
    let servers = [(); 3].map(|()| SftpServer::start(Variant::Stock));
    let [Some(deaf), Some(dozing), Some(lost)] = servers else { return };
    thread::scope(|scope| {
        scope.spawn(|| deaf_session_is_followed_by_another(&deaf));
        scope.spawn(|| session_that_wakes_up_in_time_goes_on(&dozing));
        scope.spawn(|| silent_line_ends_in_a_queued_push(&lost));
    });
}

fn deaf_session_is_followed_by_another(server: &SftpServer) {
    let (site, laptop, desktop) = begun(server);
    server.suspend();
    laptop.writes("a.md", "a, better\n");

    let pushed = laptop.tries(&["push"]);

    assert!(matches!(pushed.code, Some(0 | 4)), "{pushed:#?}");
    let pulled = desktop.tries(&["pull"]);
    assert!(matches!(pulled.code, Some(0 | 1)), "{pulled:#?}");
    site.ends_well(&[&laptop, &desktop]);
    server.resume();
    assert_eq!(desktop.reads("a.md"), "a, better\n");
}

fn session_that_wakes_up_in_time_goes_on(server: &SftpServer) {
    let (site, laptop, desktop) = begun(server);
    let connections = site.line.connection_count();
    server.suspend();
    laptop.writes("a.md", "a, better\n");
    let asked = site.line.carried(Way::Up);

    thread::scope(|scope| {
        let push = scope.spawn(|| laptop.runs(&["push"]).exits(0));
        eventually("the server is asked", || site.line.carried(Way::Up) > asked);
        server.resume();
        push.join().expect("it ends well");
    });

    assert_eq!(site.line.connection_count(), connections);
    site.ends_well(&[&laptop, &desktop]);
}

fn silent_line_ends_in_a_queued_push(server: &SftpServer) {
    let (site, laptop, desktop) = begun(server);
    let head = site.head();
    site.line.swallows();
    laptop.writes("a.md", "a, better\n");

    let pushed = laptop.tries(&["push"]).exits(4).result();

    assert_eq!(pushed["queued"], true, "{pushed}");
    site.line.plug_in();
    eventually("the queued push is out", || site.head() > head && queue(&laptop).is_empty());
    site.ends_well(&[&laptop, &desktop]);
}

#[test]
fn server_with_another_host_key_gets_nothing() {
    let Some(mut server) = SftpServer::start(Variant::Stock) else { return };
    let (site, laptop, desktop) = begun(&server);
    let head = site.head();
    let key_files = ["host", "host.pub"].map(|name| server.folder().join(name));
    let key = key_files.each_ref().map(|file| fs::read(file).expect("the server's key"));

    server.stop();
    server.starts_again_with_another_host_key();
    laptop.writes("a.md", "a, better\n");
    let (sessions, view) = (server.session_count(), site.plain());
    let error = in_the_end_refuses(&laptop, &["push"]);
    message_has(&error, &["host key", "127.0.0.1"]);
    assert!(error["hint"].is_string(), "{error:#}");
    in_the_end_refuses(&desktop, &["sync"]);
    assert_eq!((server.session_count(), site.head()), (sessions, head));
    same_trees(&view, &site.plain());

    server.stop();
    for (file, key) in key_files.iter().zip(key) {
        fs::remove_file(file).expect("the other key");
        fs::write(file, key).expect("the server's own key");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(file, private).expect("a mode");
    }
    server.start_again();
    comes_back(&laptop);
    site.ends_well(&[&laptop, &desktop]);
    assert_eq!(desktop.reads("a.md"), "a, better\n");
}

/// Exits 6; what was lost before may be told first.
#[track_caller]
pub(super) fn in_the_end_refuses(machine: &Machine, command: &[&str]) -> Value {
    let mut error = Value::Null;
    eventually("access is refused", || {
        let outcome = machine.tries(command);
        if outcome.code == Some(6) {
            error = outcome.error();
        } else {
            recovers_or_says_so(&outcome);
        }
        !error.is_null()
    });
    assert_eq!(error["class"], "auth", "{error:#}");
    error
}

/// A push is through; the last refusal may still be told for a while.
#[track_caller]
pub(super) fn comes_back(machine: &Machine) {
    eventually("a push is through", || {
        let outcome = machine.tries(&["push"]);
        assert!(matches!(outcome.code, Some(0 | 4 | 6 | 1)), "{outcome:#?}");
        outcome.code == Some(0)
    });
}
