//! `init` and `clone` where there is no way to the server: the cause is named,
//! and nothing is made, here or there.

use std::fs;

use serde_json::{Value, json};

use super::super::errors::message_has;
use super::Site;
use crate::support::Machine;
use crate::support::proxy::Proxy;
use crate::support::servers::free_port;
use crate::support::servers::sftp::{SftpServer, Variant};

impl Site {
    /// The backend at a URL that is made of the right one.
    fn at_url(server: &SftpServer, wrong: impl FnOnce(String) -> String) -> Self {
        let (line, root) = (Proxy::to(server.port()), server.new_root());
        let url = wrong(server.url_through(line.port(), &root));
        Self::reaching(server, line, root, url)
    }

    /// Neither `init` nor `clone` gets through; gives the error of `init`.
    #[track_caller]
    fn makes_nothing(&self, code: i32) -> Value {
        let laptop = self.world.machine("laptop");
        laptop.writes("a.md", "a\n");
        let root = laptop.root();
        let error = laptop.fails(code, &laptop.words_of_init(&root));
        let desktop = self.world.machine("desktop");
        let copy = desktop.root();
        let other = desktop.fails(code, &desktop.words_of_clone(&copy));

        assert_eq!(error["class"], other["class"]);
        assert!(!copy.exists(), "a folder is left of a clone");
        for machine in [&laptop, &desktop] {
            knows_no_project(machine);
        }
        assert_eq!(laptop.tree().len(), 1, "{:?}", laptop.tree());
        assert_eq!(self.world.everything().len(), 0, "{:?}", self.world.everything());
        self.keeps_secrets(&[&laptop, &desktop]);
        error
    }
}

#[track_caller]
fn knows_no_project(machine: &Machine) {
    assert_eq!(machine.asks(&["projects"])["projects"], json!([]));
    let files = machine.home().join("config/projects");
    let count = fs::read_dir(files).map_or(0, Iterator::count);
    assert_eq!(count, 0, "a project's file is left");
}

fn server() -> Option<&'static SftpServer> {
    SftpServer::shared(Variant::Stock)
}

#[test]
fn host_that_nobody_knows_is_named_as_such() {
    let Some(server) = server() else { return };
    let site = Site::at_url(server, |url| url.replace("127.0.0.1", "no-such-host.invalid"));
    let error = site.makes_nothing(1);
    assert_eq!(error["class"], "transient");
    message_has(&error, &["DNS"]);
}

#[test]
fn port_that_nobody_listens_on_is_named_as_such() {
    let Some(server) = server() else { return };
    let port = free_port();
    let site = Site::at_url(server, |url| {
        let (host, path) = url.split_once("@127.0.0.1:").expect("a port");
        let path = path.split_once('/').expect("a path").1;
        format!("{host}@127.0.0.1:{port}/{path}")
    });
    let error = site.makes_nothing(1);
    assert_eq!(error["class"], "transient");
    message_has(&error, &["port"]);
}

#[test]
fn host_that_is_not_known_waits_for_trust() {
    let Some(server) = server() else { return };
    let site = Site::on(server);
    fs::write(site.known_hosts(), "").expect("nobody is known");
    let error = site.makes_nothing(6);
    assert_eq!(error["class"], "auth");
    message_has(&error, &["host key", "not known", "SHA256:", "by hand", "known_hosts"]);
    assert_eq!(fs::read(site.known_hosts()).expect("known hosts"), b"");
}

#[test]
fn key_that_the_server_refuses_lets_nobody_in() {
    let Some(server) = server() else { return };
    let site = Site::on(server);
    fs::copy(site.login("other"), site.login("key")).expect("another key");
    let error = site.makes_nothing(6);
    assert_eq!(error["class"], "auth");
    message_has(&error, &["key"]);
}

#[test]
fn line_that_is_dead_makes_nothing() {
    let Some(server) = server() else { return };
    let site = Site::on(server);
    site.line.unplug();
    assert_eq!(site.makes_nothing(1)["class"], "transient");
}

#[test]
fn folder_whose_parent_is_not_there_makes_nothing() {
    let Some(server) = server() else { return };
    let site = Site::at_url(server, |url| format!("{url}/not/mounted"));
    message_has(&site.makes_nothing(1), &["mounted"]);
}

#[test]
fn server_that_can_only_be_read_makes_nothing() {
    let Some(server) = SftpServer::shared(Variant::ReadOnly) else { return };
    let site = Site::on(server);
    let laptop = site.world.machine("laptop");
    laptop.writes("a.md", "a\n");

    let root = laptop.root();
    let error = laptop.fails(1, &laptop.words_of_init(&root));

    assert_eq!(error["class"], "permission", "{error:#}");
    knows_no_project(&laptop);
    assert_eq!(site.world.everything().len(), 0);
    site.keeps_secrets(&[&laptop]);
}
