//! The server's disk is full, at each stage of a push: what stands there stays
//! whole, and the push is done once there is room.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::super::two_machines::nothing_is_void;
use super::Site;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Chance, Machine, Mount, Tree, rounds, same_trees, whole_log};

/// What a push needs, more or less: once in a pack, once in the view.
const NEED: usize = 2 * 200_000;

/// New files, and another version of an old one.
fn works(laptop: &Machine, round: usize, chance: &mut Chance) {
    laptop.writes("edited.bin", chance.noise(60_000));
    laptop.writes(format!("{round}/large.bin"), chance.noise(100_000));
    for number in 0..10 {
        laptop.writes(format!("{round}/{number}.bin"), chance.noise(4_000));
    }
}

fn full_disk_leaves_every_good_copy(variant: Variant) {
    let Some(server) = SftpServer::shared(variant) else { return };
    let disk = server.new_root();
    let Some(_mount) = Mount::of_size(&disk, 128 * 1024) else { return };
    server.give(&disk);
    let site = Site::at(server, disk.join("notes"));
    let laptop = site.world.machine("laptop");
    let mut chance = Chance::new();
    works(&laptop, 0, &mut chance);
    laptop.inits();
    laptop.runs(&["push"]).exits(0);
    let filler = disk.join("filler");
    let steps = rounds(10, 100);
    let mut codes = BTreeSet::new();

    for step in 0..steps {
        let (old, head) = (site.plain(), site.head());
        works(&laptop, step + 1, &mut chance);
        let new = laptop.tree();
        fills(&disk, &filler, NEED * step / steps);

        let pushed = laptop.tries(&["push"]);

        codes.insert(pushed.code);
        match pushed.code {
            Some(0) => {}
            Some(1) => assert_eq!(pushed.error()["class"], "quota", "{pushed:#?}"),
            Some(4) => {
                let result = pushed.result();
                assert!(result["queued"] == true || result["view"] == "pending", "{pushed:#?}");
            }
            _ => panic!("{pushed:#?}"),
        }
        assert!(site.head() >= head);
        good_copies_stand(&site, &old, &new);
        fs::remove_file(&filler).expect("there is room again");
        laptop.runs(&["push"]).exits(0);
        same_trees(&new, &site.plain());
    }
    // No room for the contents; none for the plain files.
    assert!(codes.is_superset(&[Some(1), Some(4)].into()), "{codes:?}");
    site.ends_well(&[&laptop]);
    nothing_is_void(&laptop);
    let desktop = site.world.next_machine("desktop");
    site.ends_well(&[&laptop, &desktop]);
}

/// Each file that stood there still does, in the old version or the new one, and
/// so does the history.
#[track_caller]
fn good_copies_stand(site: &Site, old: &Tree, new: &Tree) {
    let plain = site.plain();
    plain.is_made_of(&[old, new]);
    plain.has_every_path_of(old);
    whole_log(&site.world);
}

/// Leaves that many bytes of room on a disk.
fn fills(disk: &Path, filler: &Path, room: usize) {
    let free = rustix::fs::statvfs(disk).expect("the disk can be asked");
    let free = usize::try_from(free.f_bavail * free.f_frsize).expect("a small disk");
    fs::write(filler, vec![1; free - room]).expect("it fits");
}

#[test]
fn full_disk_leaves_every_good_copy_of_a_stock_server() {
    full_disk_leaves_every_good_copy(Variant::Stock);
}

#[test]
fn full_disk_leaves_every_good_copy_without_hardlinks() {
    full_disk_leaves_every_good_copy(Variant::WithoutHardlinks);
}
