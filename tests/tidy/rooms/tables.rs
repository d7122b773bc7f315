//! The rooms of each crate.

use super::House;
use super::floors::Floors;

pub(super) const CRATES: [House; 3] = [
    ("mirror_core", "daemon/core/src", CORE),
    ("mirror_simulation", "tests/simulation/src", ONE_ROOM),
    ("mirror_tests", "tests", TESTS),
];

/// For a crate in which any file may name any other, as long as no circle comes
/// of it.
const ONE_ROOM: Floors = &[(".", &[])];

const CORE: Floors = &[
    ("lib.rs", &[]),
    ("checkpoint.rs", &["history", "commit.rs", "digest.rs"]),
    ("plan", &["reconcile.rs", "patterns", "path", "entry.rs", "digest.rs"]),
    ("merge", &["path"]),
    ("history", &["reconcile.rs", "commit.rs", "path", "entry.rs", "digest.rs", "time.rs"]),
    ("reconcile.rs", &["entry.rs"]),
    ("commit.rs", &["patterns", "path", "entry.rs", "digest.rs", "time.rs"]),
    ("patterns", &["path"]),
    ("path", &[]),
    ("entry.rs", &["digest.rs", "time.rs"]),
    ("digest.rs", &[]),
    ("time.rs", &[]),
];

const TESTS: Floors = &[
    ("all.rs", &[]),
    ("scenarios", &["support"]),
    ("conformance", &["support"]),
    ("tidy", &["support"]),
    ("support", &[]),
];
