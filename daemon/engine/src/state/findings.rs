//! What was found on the backend and here that no job has to find anew.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::{Digest, RelPath};

use super::rows::fact;
use super::{Damage, Spot, State};
use crate::store::Store;

const DAMAGED: &str = "damaged";
const REFUSED: &str = "refused";
const UNREADABLE: &str = "unreadable";

#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    damaged: Vec<((Digest, Spot), Damage)>,
    refused: BTreeMap<RelPath, u64>,
    unreadable: BTreeSet<String>,
}

impl Findings {
    pub(super) fn load(store: &dyn Store) -> Self {
        Self {
            damaged: fact(store, DAMAGED).unwrap_or_default(),
            refused: fact(store, REFUSED).unwrap_or_default(),
            unreadable: fact(store, UNREADABLE).unwrap_or_default(),
        }
    }

    pub(super) fn for_reader(&self) -> Self {
        Self { refused: self.refused.clone(), ..Self::default() }
    }
}

impl State {
    /// Whether the backend gives other bytes back than it was given (V7).
    pub fn alters(&self) -> bool {
        self.alters
    }

    pub fn set_alters(&mut self) {
        if !std::mem::replace(&mut self.alters, true) {
            self.set_fact(super::ALTERS, &true);
        }
    }

    /// Contents that were found damaged on the backend (P8).
    pub fn damaged(&self) -> &[((Digest, Spot), Damage)] {
        &self.findings.damaged
    }

    pub fn set_damaged(&mut self, damaged: Vec<((Digest, Spot), Damage)>) {
        self.set_fact(DAMAGED, &damaged);
        self.findings.damaged = damaged;
    }

    /// Links of the head that may not stand here, with the commit that brought each.
    pub fn refused(&self) -> &BTreeMap<RelPath, u64> {
        &self.findings.refused
    }

    pub fn set_refused(&mut self, path: &RelPath, seq: u64) {
        let mut refused = std::mem::take(&mut self.findings.refused);
        refused.insert(path.clone(), seq);
        self.set_fact(REFUSED, &refused);
        self.findings.refused = refused;
    }

    /// What can't be read in the view, as far as it was said (V9).
    pub fn unreadable(&self) -> &BTreeSet<String> {
        &self.findings.unreadable
    }

    pub fn set_unreadable(&mut self, unreadable: BTreeSet<String>) {
        if self.findings.unreadable != unreadable {
            self.set_fact(UNREADABLE, &unreadable);
            self.findings.unreadable = unreadable;
        }
    }
}
