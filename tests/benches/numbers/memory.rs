//! What the daemon takes while it does nothing, and while much passes through.

use std::fs::{self, File};
use std::io::Write;
use std::thread;
use std::time::Duration;

use super::place::{Place, fill, shell};
use super::table::Table;

const PROJECTS: usize = 50;

/// Long enough for each project to look at its backend once.
const REST: Duration = Duration::from_secs(32);

pub(crate) fn at_rest(table: &mut Table) {
    let place = Place::new();
    for number in 0..PROJECTS {
        let name = format!("p{number}");
        fill(&place.path(&name), 20);
        place.inits(&name);
        place.mirrorctl(&name, &["push"]);
    }
    // The first round looks at each view; the next ones are rest.
    thread::sleep(REST);
    let before = place.processor_ticks();
    thread::sleep(REST);
    let ticks = place.processor_ticks() - before;
    // A tick is a hundredth of a second, so these are hundredths of a per cent.
    let share = ticks * 100 * 100 / (REST.as_secs() * 100);
    let shown = format!("{}.{:02}", share / 100, share % 100);
    table.amount("daemon with 50 projects at rest, MB", place.memory("VmRSS"), "40");
    table.amount("its share of a processor, %", shown, "0.1");
    place.stops_the_daemon();
    place.mirrorctl("p0", &["status"]);
    thread::sleep(Duration::from_secs(2));
    table.amount("the same, started anew, MB", place.memory("VmRSS"), "40");
}

pub(crate) fn two_gigabytes(table: &mut Table) {
    let place = Place::new();
    let folder = place.path("large");
    fs::create_dir_all(&folder).expect("a folder can be made");
    write_noise(&mut File::create(folder.join("large.bin")).expect("a file can be made"));
    place.inits("large");
    let pushed = place.mirrorctl("large", &["push"]);
    table.amount("the most held while 2 GB go up, MB", place.memory("VmHWM"), "150");
    let copied = shell(&folder, "cp large.bin ../copy && sync -f ../copy && rm ../copy");
    let other = Place::new();
    let cloned = other.mirrorctl("", &["clone", &place.url("large.backend"), "two"]);
    table.amount("the most held while they come down, MB", other.memory("VmHWM"), "150");
    table.time("push of 2 GB", pushed, &[("cp, sync", copied)], "-");
    table.time("clone of 2 GB", cloned, &[("cp, sync", copied)], "-");
}

/// 2 GB that no compression makes smaller.
fn write_noise(file: &mut File) {
    let mut state = 1_u64;
    for _ in 0..2_048 {
        let piece: Vec<u8> = (0..131_072)
            .flat_map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()
            })
            .collect();
        file.write_all(&piece).expect("there is room for 2 GB");
    }
}
