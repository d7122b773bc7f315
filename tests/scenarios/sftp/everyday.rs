//! A backend on a server is used like any other, whatever server it is.

use std::fs;
use std::os::unix::fs::symlink;

use super::{Site, reads_on_server};
use crate::scenarios::watching::{by_itself, holds};
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Chance, World, eventually, files_below};

/// Edits, deletions, binaries and links travel between two machines.
fn work_of_two_machines_meets(variant: Variant) {
    let Some(server) = SftpServer::shared(variant) else { return };
    let site = Site::on(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n"), ("old/b.md", "b\n")]);
    let desktop = site.world.next_machine("desktop");
    site.ends_well(&[&laptop, &desktop]);
    assert_eq!(reads_on_server(&site, "old/b.md"), "b\n");

    let mut chance = Chance::new();
    laptop.writes("photos/größe 1.raw", chance.noise(700_000));
    laptop.writes("a.md", "a, better\n");
    symlink("../a.md", laptop.path("photos/link.md")).expect("a link");
    desktop.writes("zeros.bin", vec![0; 100_000]);
    desktop.writes("empty", "");
    desktop.removes("old/b.md");
    laptop.runs(&["push"]).exits(0);
    desktop.syncs();
    laptop.runs(&["pull"]).exits(0);

    site.ends_well(&[&laptop, &desktop]);
    site.is_tidy();
    assert!(!laptop.path("old/b.md").exists());
    let target = fs::read_link(desktop.path("photos/link.md")).expect("a link");
    assert_eq!(target.to_str(), Some("../a.md"));
    assert_eq!(reads_on_server(&site, "a.md"), "a, better\n");
}

/// Also where an entry is made as a folder.
#[test]
fn doctor_tries_the_log_and_leaves_no_trace() {
    for variant in [Variant::Stock, Variant::WithoutHardlinks] {
        let Some(server) = SftpServer::shared(variant) else { return };
        let site = Site::directly_on(server);
        let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
        let log = site.world.backend().join("_mirror/log");
        let age = || log.metadata().and_then(|log| log.modified()).expect("the log is there");
        let (before, log_before) = (files_below(&site.world.backend()), age());

        laptop.runs(&["doctor"]).exits(0);

        assert_ne!(age(), log_before, "the log was not tried");
        eventually("only the log's own folder is left", || {
            fs::read_dir(&log).expect("the log").count() == 1
        });
        assert_eq!(files_below(&site.world.backend()), before);
        site.is_tidy();
    }
}

#[test]
fn work_meets_on_a_stock_server() {
    work_of_two_machines_meets(Variant::Stock);
}

#[test]
fn work_meets_on_a_server_for_sftp_alone() {
    work_of_two_machines_meets(Variant::SftpOnly);
}

#[test]
fn work_meets_on_a_server_without_hardlinks() {
    work_of_two_machines_meets(Variant::WithoutHardlinks);
}

#[test]
fn work_meets_at_the_account_of_somebody_else() {
    work_of_two_machines_meets(Variant::OtherUser);
}

/// A server gives no hints: it is asked.
#[test]
fn saved_file_is_on_the_other_machine_without_a_word() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let site = Site::directly_on(server);
    let laptop = by_itself(site.world.first_machine("laptop", &[("a.md", "a\n")]), "2s");
    let desktop = by_itself(site.world.next_machine("desktop"), "2s");
    laptop.writes("a.md", "a, better\n");
    eventually("the edit to arrive", || holds(&desktop, "a.md", "a, better\n"));
    desktop.writes("b.md", "b\n");
    eventually("the new file to arrive", || holds(&laptop, "b.md", "b\n"));
    let project = &laptop.asks(&["daemon", "status"])["projects"][0];
    assert_eq!(project["backend_watch"], "polling");
    site.ends_well(&[&laptop, &desktop]);
}

/// The same log and view, by the server and by its disk.
#[test]
fn machine_on_the_server_itself_reaches_the_backend_as_a_folder() {
    let Some(server) = SftpServer::shared(Variant::WithoutHardlinks) else { return };
    let site = Site::on(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    let url = format!("folder:{}", site.world.backend().display());
    let beside = World::new().reaching(site.world.backend(), url, Vec::new());
    let nas = beside.next_machine("nas");

    nas.writes("a.md", "from the nas\n");
    nas.writes("b.md", "b\n");
    nas.runs(&["push"]).exits(0);
    laptop.writes("c.md", "c\n");

    site.ends_well(&[&laptop, &nas]);
    assert_eq!(laptop.reads("a.md"), "from the nas\n");
}
