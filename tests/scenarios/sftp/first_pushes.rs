//! The first push of many files: all arrive, byte by byte, every time.

use super::Site;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Chance, Tree, rounds, same_trees};

/// Pushes that many files from one machine, and fetches them on another.
fn all_arrive(variant: Variant, count: usize, times: usize) {
    let Some(server) = SftpServer::shared(variant) else { return };
    let mut chance = Chance::new();
    for _ in 0..times {
        let site = Site::on(server);
        let laptop = site.world.machine("laptop");
        for number in 0..count {
            let length = [0, 1, 900, 3_000, 8_000][chance.below(5)];
            laptop.writes(format!("{}/{number}.bin", number % 37), chance.noise(length));
        }
        let before = laptop.tree();
        laptop.inits();
        laptop.runs(&["push"]).exits(0);

        same_trees(&before, &site.plain());
        same_trees(&before, &laptop.tree());
        site.is_tidy();
        let desktop = site.world.next_machine("desktop");
        same_trees(&before, &desktop.tree());
        assert_eq!(Tree::read(&desktop.root()).len(), count);
        drop((laptop, desktop));
        std::fs::remove_dir_all(site.world.backend()).expect("the folder can go");
    }
}

#[test]
fn hundreds_of_files_arrive_on_a_stock_server() {
    all_arrive(Variant::Stock, 500, rounds(2, 20));
}

#[test]
fn hundreds_of_files_arrive_on_a_server_for_sftp_alone() {
    all_arrive(Variant::SftpOnly, 500, rounds(1, 20));
}

#[test]
fn hundreds_of_files_arrive_at_the_account_of_somebody_else() {
    all_arrive(Variant::OtherUser, 500, rounds(1, 20));
}

#[test]
fn thousands_of_files_arrive() {
    let variants = [Variant::Stock, Variant::SftpOnly, Variant::OtherUser];
    for variant in variants.into_iter().take(rounds(1, 3)) {
        all_arrive(variant, 5_000, rounds(1, 20));
    }
}
