//! A line that is cut after each number of bytes of a command in turn, while
//! it is new and while it is in use.
//!
//! Whatever the cut hit: the command recovers by itself or says that it did
//! not, and the same command again ends the work.

use serde_json::json;

use super::{Site, recovers_or_says_so};
use crate::support::proxy::{Cut, Ending};
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Chance, Machine, Outcome, rounds, same_trees};

/// Tells a story once for each of many places in so many bytes, with a cut
/// there; every eighth lasts. The story says whether the cut came.
fn at_each_cut(len: u64, mut story: impl FnMut(usize, Cut) -> bool) {
    let count = rounds(20, 1000);
    let mut came = 0;
    for round in 0..count {
        let cut = Cut {
            after: 1 + len * round as u64 / count as u64,
            way: None,
            ending: if round.is_multiple_of(2) { Ending::Close } else { Ending::Reset },
            lasts: round % 8 == 5,
        };
        // Shown where the test fails.
        println!("{cut:?}");
        came += usize::from(story(round, cut));
    }
    // No two tellings are of the same length, but most get there.
    assert!(came * 4 >= count * 3, "only {came} of {count} cuts came");
}

impl Site {
    /// Runs a command over a line that is cut meanwhile, and mends the line.
    /// Gives whether the cut came, too.
    #[track_caller]
    fn cuts(&self, cut: Cut, machine: &Machine, command: &[&str]) -> (Outcome, bool) {
        self.line.cuts_after(cut);
        let outcome = machine.tries(command);
        let came = self.line.was_cut();
        self.line.plug_in();
        recovers_or_says_so(&outcome);
        (outcome, came)
    }
}

/// A laptop with work of every sort, of another content each round.
fn works(laptop: &Machine, round: usize, chance: &mut Chance) {
    for number in 0..6 {
        laptop.writes(format!("notes/{number}.md"), format!("{round} {number}\n").repeat(200));
    }
    laptop.writes("large.bin", chance.noise(40_000));
    laptop.writes(format!("new/{round}.md"), "new\n");
    if let Some(before) = round.checked_sub(1) {
        laptop.removes(&format!("new/{before}.md"));
    }
}

/// One machine's command is cut, the other's is not.
fn command_survives(victim: &str) {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let site = Site::on(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = site.world.next_machine("desktop");
    let mut chance = Chance::new();
    let machine = if victim == "push" { &laptop } else { &desktop };
    let prepares = |round: usize, chance: &mut Chance| {
        works(&laptop, round, chance);
        if victim != "push" {
            laptop.syncs();
        }
    };
    prepares(0, &mut chance);
    let before = site.carried();
    machine.runs(&[victim]).exits(0);
    let len = site.carried() - before;

    at_each_cut(len, |round, cut| {
        prepares(round + 1, &mut chance);
        let (_, came) = site.cuts(cut, machine, &[victim]);
        site.ends_well(&[&laptop, &desktop]);
        assert!(desktop.path(format!("new/{}.md", round + 1)).exists());
        came
    });
}

#[test]
fn every_cut_of_a_push_is_survived() {
    command_survives("push");
}

#[test]
fn every_cut_of_a_pull_is_survived() {
    command_survives("pull");
}

#[test]
fn every_cut_of_a_clone_is_survived() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let site = Site::on(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    works(&laptop, 0, &mut Chance::new());
    laptop.syncs();
    let before = site.carried();
    drop(site.world.next_machine("desktop"));
    let len = site.carried() - before;

    at_each_cut(len, |round, cut| {
        let desktop = site.world.machine(&format!("desktop-{round}"));
        let root = desktop.root();
        let (cloned, came) = site.cuts(cut, &desktop, &desktop.words_of_clone(&root));
        if cloned.code == Some(1) {
            assert!(!root.exists(), "it is half-made: {cloned:#?}");
            assert_eq!(desktop.asks(&["projects"])["projects"], json!([]));
            desktop.clones();
        }
        site.ends_well(&[&laptop, &desktop]);
        came
    });
}

/// Makes a project over a line that is cut meanwhile; gives how many bytes the
/// making took, and whether the cut came.
fn begins(server: &SftpServer, cut: Option<Cut>) -> (u64, bool) {
    let site = Site::on(server);
    let laptop = site.world.machine("laptop");
    works(&laptop, 0, &mut Chance::new());
    let (root, files) = (laptop.root(), laptop.tree());
    let words = laptop.words_of_init(&root);
    let (begun, came) = match cut {
        Some(cut) => site.cuts(cut, &laptop, &words),
        None => (laptop.tries(&words).exits(0), false),
    };
    let len = site.carried();
    if begun.code == Some(1) {
        assert_eq!(laptop.asks(&["projects"])["projects"], json!([]));
        laptop.inits();
    }
    site.ends_well(&[&laptop]);
    same_trees(&files, &laptop.tree());
    (len, came)
}

#[test]
fn every_cut_of_an_init_is_survived() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let (len, _) = begins(server, None);
    at_each_cut(len, |_, cut| begins(server, Some(cut)).1);
}
