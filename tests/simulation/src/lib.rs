//! Whole projects in one process, on a service, disks and clocks that are
//! made up, in an order that a seed decides; and an oracle that says whether
//! anything was lost. See `docs/simulation.md`.

mod calm;
mod chance;
mod disk;
mod ground;
mod ledger;
mod life;
mod line;
mod machine;
mod op;
mod oracle;
mod panics;
pub mod plants;
pub mod report;
mod schedule;
mod scheduler;
mod search;
mod service;
mod setup;
mod spawner;
mod store;
mod storm;
mod tree;
mod waiting;
mod world;
mod writers;

pub use schedule::run;
pub use search::{find, hunt};
