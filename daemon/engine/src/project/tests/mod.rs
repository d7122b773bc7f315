//! Stories of named machines that share one backend.
//!
//! Each machine has a real folder; its store, the backend, the clock and the
//! randomness are fakes, so that a story can cut the power or lose a reply at
//! every single step.

mod agents;
mod auto;
mod bounds;
mod cancelling;
mod checkpoints;
mod chunks;
mod closed_view;
mod coming_back;
mod conflicts;
mod consenting;
mod crashing;
mod damaged;
mod deleting;
mod dropping;
mod events;
mod faulty;
mod forks;
mod git_rules;
mod held;
mod held_elsewhere;
mod inbox;
mod kinds;
mod left_out;
mod leftovers;
mod looking;
mod lost_state;
mod machine;
mod meddling_tree;
mod memories;
mod merging;
mod merging_by_settings;
mod mounted;
mod naming;
mod narrowing;
mod older_state;
mod outside_altered;
mod outside_edits;
mod outside_moments;
mod outside_times;
mod packing;
mod power;
mod power_loss_disk;
mod privacy;
mod privacy_kept;
mod pulling;
mod pushing;
mod queued_contents;
mod queued_meanwhile;
mod queued_through;
mod queueing;
mod racing;
mod reading;
mod replies;
mod resolving;
mod restoring;
mod rules;
mod set_aside;
mod setting_up;
mod shared_settings;
mod stashing;
mod sweeping;
mod torn;
mod unstashing;
mod versions;
mod viewing;
mod voids;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mirror_core::commit::entry_name;
use mirror_core::patterns::Patterns;
use mirror_core::reconcile::FileState;
use mirror_core::{Digest, RelPath};
use mirror_storage::adapter::memory::{MemoryBackend, MemoryProfile};
use mirror_storage::{Backend, Expect, RemotePath};
use tokio::sync::mpsc;

use self::crashing::cut;
use self::machine::Machine;
use self::world::World;
use super::create;
use crate::api::*;

fn entry_path(seq: u64) -> String {
    format!("_mirror/{}", entry_name(seq))
}

fn settings(patterns: &[&str]) -> SharedSettings {
    let include = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    SharedSettings::new("notes", Patterns { include, exclude: vec![] })
}

fn rel(path: &str) -> RelPath {
    RelPath::new(path).unwrap()
}

fn push_of(names: &[&str]) -> Job {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Job::Push { scope: Scope { names }, message: None, force_local: false, no_wait: false }
}

fn sync(settle: Settle) -> Job {
    Job::Sync { scope: Scope::default(), message: None, settle }
}

/// The paths that a report names as failed.
fn failed(report: &Report) -> Vec<&str> {
    report.failed.iter().map(|fault| fault.path.as_str()).collect()
}

/// Syncs until both have seen each other's commits; their trees are equal then.
async fn converge(one: &Machine, other: &Machine) {
    for machine in [one, other, one] {
        let report = machine.syncs().await;
        assert_eq!((failed(&report), &report.conflicts), (vec![], &vec![]), "{report:?}");
    }
    assert_eq!(one.files(), other.files());
    assert_eq!(one.unsettled().await, []);
    assert_eq!(other.unsettled().await, []);
}
