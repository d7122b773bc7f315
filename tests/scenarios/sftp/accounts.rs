//! Projects of one account share one connection, and lose it together.

use std::fs;

use super::Site;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Machine, eventually, same_trees, text};

/// Two projects of one machine on one account.
struct Pair {
    // Its daemon ends before the folders go.
    laptop: Machine,
    site: Site,
}

impl Pair {
    fn on(server: &SftpServer) -> Self {
        let site = Site::on(server);
        let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
        let second = site.world.folder("second");
        fs::write(second.join("b.md"), "b\n").expect("a file");
        let url = format!("{}-second", site.world.url());
        let mut words = laptop.words_of_init(&second);
        words[3] = &url;
        laptop.runs(&words).exits(0);
        laptop.runs(&["--project", "second", "push"]).exits(0);
        Self { laptop, site }
    }

    /// Both projects have an edit that goes out.
    #[track_caller]
    fn goes_on(&self, content: &str) {
        self.laptop.writes("a.md", content);
        fs::write(self.site.world.path("second/b.md"), content).expect("a file");
        for project in ["notes", "second"] {
            self.laptop.runs(&["--project", project, "push"]).exits(0);
        }
        let backend = self.site.world.backend();
        let beside = format!("{}-second", text(&backend));
        for file in [backend.join("a.md"), std::path::Path::new(&beside).join("b.md")] {
            assert_eq!(fs::read_to_string(file).expect("the view"), content);
        }
    }
}

fn two_projects_share_one_connection(variant: Variant) {
    let Some(server) = SftpServer::start(variant) else { return };
    let pair = Pair::on(&server);
    assert_eq!(pair.laptop.helpers().len(), 1);
    assert_eq!(pair.site.line.connection_count(), 1);

    for (round, content) in ["one\n", "two\n", "three\n"].into_iter().enumerate() {
        pair.goes_on(content);
        assert_eq!(pair.laptop.helpers().len(), 1);
        assert_eq!(pair.site.line.connection_count(), round + 1);
        pair.laptop.loses_connection();
    }

    assert_eq!(server.session_count(), pair.site.line.connection_count());
    pair.site.ends_well(&[&pair.laptop]);
}

#[test]
fn two_projects_share_one_connection_and_its_end() {
    two_projects_share_one_connection(Variant::Stock);
}

#[test]
fn one_session_for_each_connection_is_enough() {
    two_projects_share_one_connection(Variant::OneSession);
}

#[test]
fn connection_ends_with_the_last_project_of_its_account() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let pair = Pair::on(server);
    let view = pair.site.plain();

    pair.laptop.runs(&["remove", "second"]).exits(0);
    assert_eq!(pair.laptop.helpers().len(), 1);
    pair.laptop.runs(&["remove", "notes"]).exits(0);

    eventually("nobody is connected", || pair.laptop.helpers().is_empty());
    same_trees(&view, &pair.site.plain());
}
