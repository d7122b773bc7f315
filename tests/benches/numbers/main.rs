//! Measures what `docs/performance.md` promises, with the release programs.
//!
//! A figure alone says more about the machine than about us: each stands beside
//! a floor or a peer that was measured in the same run, on the same files.
//! Nothing here can fail for being slow; a person reads the table.
//!
//! `cargo bench -p mirror-tests --bench numbers`, about five minutes; a word
//! after `--` runs only the groups whose name has it.

mod auto;
mod everyday;
mod memory;
mod place;
mod table;
mod whole;

use std::time::Instant;

use table::Table;

/// Rows that share what they are measured on.
type Group = (&'static str, fn(&mut Table));

const GROUPS: [Group; 7] = [
    ("start", everyday::start_up),
    ("everyday", everyday::twenty_thousand_files),
    ("few", everyday::two_hundred_files),
    ("whole", whole::first_push_and_clone),
    ("rest", memory::at_rest),
    ("auto", auto::from_save_to_save),
    ("large", memory::two_gigabytes),
];

fn main() {
    // Cargo adds `--bench` of its own.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let mut table = Table::default();
    let begun = Instant::now();
    println!("{}", table::machine());
    for (name, group) in GROUPS {
        if wanted.as_ref().is_none_or(|wanted| name.contains(wanted.as_str())) {
            eprintln!("measuring: {name}");
            group(&mut table);
        }
    }
    println!("{table}\nall of it in {} s", begun.elapsed().as_secs());
}
