//! A line that is cut after each number of bytes of a command in turn, while
//! it is new and while it is in use. `silences` has the cuts that nobody tells.
//!
//! Whatever the cut hit: the command recovers by itself or says that it did
//! not, and the same command again ends the work.

use serde_json::json;

use super::super::errors::message_has;
use super::{Site, recovers_or_says_so};
use crate::support::proxy::{Cut, Ending};
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Chance, Machine, Outcome, rounds, same_trees};

/// How connections end, and how many stories are told of it.
#[derive(Clone, Copy)]
pub(super) enum Cuts {
    /// Closed and reset by turns, and every eighth line stays down.
    Told,
    /// Nobody is told, and every other line stays silent. There are few, as each
    /// costs the seconds until it is noticed.
    Silent,
}

impl Cuts {
    fn count(self) -> usize {
        match self {
            Self::Told => rounds(20, 1000),
            Self::Silent => rounds(5, 50),
        }
    }

    /// One for each of many places in so many bytes.
    fn in_so_many(self, len: u64) -> impl Iterator<Item = Cut> {
        let count = self.count();
        (0..count).map(move |round| {
            let (ending, lasts) = match self {
                Self::Told if round.is_multiple_of(2) => (Ending::Close, false),
                Self::Told => (Ending::Reset, round % 8 == 5),
                Self::Silent => (Ending::Silence, round % 2 == 1),
            };
            Cut { after: 1 + len * round as u64 / count as u64, way: None, ending, lasts }
        })
    }

    /// Where such a story takes place.
    fn site(self, server: &SftpServer) -> Site {
        match self {
            Self::Told => Site::on(server),
            Self::Silent => Site::on(server).with_impatient_ssh(),
        }
    }

    /// Tells a story once for each cut; it says whether the cut came.
    fn each(self, len: u64, mut story: impl FnMut(usize, Cut) -> bool) {
        let mut came = 0;
        for (round, cut) in self.in_so_many(len).enumerate() {
            // Shown where the test fails.
            println!("{cut:?}");
            came += usize::from(story(round, cut));
        }
        // No two tellings are of the same length, but most get there.
        let count = self.count();
        assert!(came * 4 >= count * 3, "only {came} of {count} cuts came");
    }
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
pub(super) fn command_survives(victim: &str, cuts: Cuts) {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let site = cuts.site(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = site.world.next_machine("desktop");
    let mut chance = Chance::new();
    let machine = if victim == "pull" { &desktop } else { &laptop };
    let prepares = |round: usize, chance: &mut Chance| {
        works(&laptop, round, chance);
        match victim {
            "pull" => laptop.syncs(),
            "sync" => {
                desktop.writes("theirs.md", format!("{round}\n").repeat(300));
                desktop.syncs();
            }
            _ => {}
        }
    };
    prepares(0, &mut chance);
    let before = site.carried();
    machine.runs(&[victim]).exits(0);
    let len = site.carried() - before;

    cuts.each(len, |round, cut| {
        prepares(round + 1, &mut chance);
        let (_, came) = site.cuts(cut, machine, &[victim]);
        site.ends_well(&[&laptop, &desktop]);
        assert!(desktop.path(format!("new/{}.md", round + 1)).exists());
        came
    });
}

pub(super) fn clone_survives(cuts: Cuts) {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let site = cuts.site(server);
    let laptop = site.world.first_machine("laptop", &[("a.md", "a\n")]);
    works(&laptop, 0, &mut Chance::new());
    laptop.syncs();
    let before = site.carried();
    drop(site.world.next_machine("desktop"));
    let len = site.carried() - before;

    cuts.each(len, |round, cut| {
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

pub(super) fn init_survives(cuts: Cuts) {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let (len, _) = begins(&cuts.site(server), None);
    cuts.each(len, |_, cut| begins(&cuts.site(server), Some(cut)).1);
}

/// Makes a project over a line that is cut meanwhile; gives how many bytes the
/// making took, and whether the cut came.
fn begins(site: &Site, cut: Option<Cut>) -> (u64, bool) {
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
        if site.head() > 0 {
            message_has(&begun.error(), &["stay", "on the backend"]);
        }
        laptop.inits();
    }
    site.ends_well(&[&laptop]);
    same_trees(&files, &laptop.tree());
    (len, came)
}

#[test]
fn every_cut_of_a_push_is_survived() {
    command_survives("push", Cuts::Told);
}

#[test]
fn every_cut_of_a_pull_is_survived() {
    command_survives("pull", Cuts::Told);
}

#[test]
fn every_cut_of_a_sync_is_survived() {
    command_survives("sync", Cuts::Told);
}

#[test]
fn every_cut_of_a_clone_is_survived() {
    clone_survives(Cuts::Told);
}

#[test]
fn every_cut_of_an_init_is_survived() {
    init_survives(Cuts::Told);
}
