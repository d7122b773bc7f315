//! A clone whose server falls silent half-way: it costs nobody an edit, holds
//! up no other project, and can be run again.

use std::thread;

use serde_json::json;

use super::super::errors::message_has;
use super::Site;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Chance, Machine, Outcome, eventually};

/// A project whose first file arrives long before its last.
fn slow_project(server: &SftpServer) -> (Site, Machine) {
    let site = Site::on(server);
    let laptop = site.world.machine("laptop");
    // Its rules come before anything else.
    laptop.writes(".mirrorignore", "*.tmp\n");
    laptop.writes("large.bin", Chance::new().noise(30_000_000));
    laptop.inits();
    laptop.runs(&["push"]).exits(0);
    (site, laptop)
}

/// Clones, and lets `meanwhile` happen once the first file is there and the
/// line is silent. What it gives says how the clone ended.
fn clones_meanwhile(site: &Site, machine: &Machine, meanwhile: impl FnOnce()) -> Outcome {
    let root = machine.root();
    let words = machine.words_of_clone(&root);
    thread::scope(|scope| {
        let cloning = scope.spawn(|| machine.tries(&words));
        eventually("the first file is there", || machine.path(".mirrorignore").exists());
        site.line.swallows();
        meanwhile();
        assert!(!cloning.is_finished(), "nothing was left to clone");
        site.line.plug_in();
        cloning.join().expect("the clone ends")
    })
}

#[test]
fn edit_made_while_a_clone_fails_stays_and_a_pull_goes_on() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let (site, laptop) = slow_project(server);
    let desktop = site.world.machine("desktop");

    let root = desktop.root();
    let words = desktop.words_of_clone(&root);
    let cloned = thread::scope(|scope| {
        let cloning = scope.spawn(|| desktop.tries(&words));
        eventually("the first file is there", || desktop.path(".mirrorignore").exists());
        site.line.swallows();
        desktop.writes(".mirrorignore", "*.tmp\n*.mine\n");
        desktop.writes("mine.md", "mine\n");
        site.line.unplug();
        cloning.join().expect("the clone ends")
    });
    site.line.plug_in();

    let error = cloned.exits(1).error();
    assert_eq!(error["class"], "transient");
    message_has(&error, &["notes", "stays"]);
    assert!(error["hint"].as_str().expect("a hint").contains("pull"), "{error:#}");
    assert_eq!(desktop.reads("mine.md"), "mine\n");
    assert_eq!(desktop.reads(".mirrorignore"), "*.tmp\n*.mine\n");
    desktop.runs(&["--project", "notes", "pull"]).exits(0);
    site.ends_well(&[&desktop, &laptop]);
    assert_eq!(laptop.reads(".mirrorignore"), "*.tmp\n*.mine\n");
    assert_eq!(laptop.reads("mine.md"), "mine\n");
}

#[test]
fn clone_that_fails_without_an_edit_leaves_nothing() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let (site, laptop) = slow_project(server);
    let desktop = site.world.machine("desktop");

    let cloned = clones_meanwhile(&site, &desktop, || {
        site.line.unplug();
        eventually("the clone is taken back", || !desktop.root().exists());
    });

    cloned.exits(1);
    assert_eq!(desktop.asks(&["projects"])["projects"], json!([]));
    desktop.clones();
    site.ends_well(&[&laptop, &desktop]);
}

#[test]
fn frozen_clone_holds_up_no_other_project() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let (site, laptop) = slow_project(server);
    let desktop = site.world.machine("desktop");
    let (other, backend) = (site.world.folder("other"), site.world.path("backend-of-other"));
    let init = ["init", other.to_str().expect("UTF-8"), "--to", backend.to_str().expect("UTF-8")];

    let cloned = clones_meanwhile(&site, &desktop, || {
        desktop.runs(&init).exits(0);
        desktop.runs(&["--project", "other", "config", "set", "poll_interval", "9s"]).exits(0);
        desktop.runs(&["reload"]).exits(0);
        desktop.runs(&["remove", "other"]).exits(0);
        // What it will be is taken already.
        let again = desktop.fails(1, &[&init[..], &["--name", "notes"]].concat());
        message_has(&again, &["being set up"]);
    });

    cloned.exits(0);
    site.ends_well(&[&laptop, &desktop]);
}

#[test]
fn clone_that_was_cut_off_by_a_stop_can_be_run_again() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let (site, laptop) = slow_project(server);
    let desktop = site.world.machine("desktop");

    let root = desktop.root();
    let words = desktop.words_of_clone(&root);
    let cloned = thread::scope(|scope| {
        let cloning = scope.spawn(|| desktop.tries(&words));
        eventually("the first file is there", || desktop.path(".mirrorignore").exists());
        site.line.swallows();
        desktop.runs(&["daemon", "stop"]).exits(0);
        site.line.plug_in();
        cloning.join().expect("the clone ends")
    });

    assert_ne!(cloned.code, Some(0), "{cloned:#?}");
    assert!(!root.exists(), "it is half-made");
    desktop.clones();
    site.ends_well(&[&laptop, &desktop]);
}
