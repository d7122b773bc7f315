//! Measures pushes over SFTP through a long line, beside `rsync` and `rclone`.
//!
//! A real sshd of its own stands behind a proxy that takes 15 ms each way. All
//! programs send the same files through it, one after another, several rounds
//! within one run; a ratio is what to compare. Nothing here can fail for being
//! slow; a person reads the table.
//!
//! `cargo bench -p mirror-tests --bench sftp`, about three minutes. `RCLONE`
//! names the `rclone` to compare with, else the one on the `PATH`, if any.

#[expect(dead_code, reason = "the other benchmark uses all of it")]
#[path = "../numbers/auto.rs"]
mod auto;
mod peers;
#[expect(dead_code, reason = "the other benchmark uses all of it")]
#[path = "../numbers/place.rs"]
mod place;
mod pushes;
mod saves;
mod server;
#[expect(dead_code, unused_imports, reason = "tests use all of it")]
#[path = "../../support/mod.rs"]
mod support;
#[expect(dead_code, reason = "the other benchmark uses all of it")]
#[path = "../numbers/table.rs"]
mod table;

use std::time::Instant;

use server::FarServer;
use table::Table;

fn main() {
    let Some(server) = FarServer::start() else { return };
    let mut table = Table::default();
    let begun = Instant::now();
    println!("{}", table::machine());
    pushes::first_of_five_hundred(&server, &mut table);
    pushes::one_among_five_hundred(&server, &mut table);
    saves::from_save_to_save(&server, &mut table);
    println!("{table}\nall of it in {} s", begun.elapsed().as_secs());
}
