//! A head and machines in memory that carry out plans to the letter.
//!
//! Every step looks for what it was told to find, and no content may be
//! overwritten here unless the log has it.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::path::{Clash, Names};
use mirror_core::plan::{
    Agreed, Fetch, Guard, Intent, Plan, Removal, Root, Selection, Send, draw_plan,
};
use mirror_core::reconcile::{BaseFact, Facts, Past, Privacy, Sighted};
use mirror_core::{Digest, Kind, RelPath, State};

pub(crate) const CONSENT: Guard<'static> = Guard {
    covered: 0,
    deletions_last_hour: 0,
    root: Root::Sound,
    consent: true,
    agreed: Agreed::All,
    waiting: mirror_core::plan::NOTHING,
};

pub(crate) fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

pub(crate) fn version(number: u8) -> State {
    State { kind: Kind::File, digest: Digest([number; 32]), exec: false }
}

/// The log as far as plans see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) manifest: BTreeMap<RelPath, Sighted>,
    seq: u64,
    /// Every state that a path was ever given, in order.
    log: Vec<(RelPath, Option<State>)>,
}

impl Head {
    pub(crate) fn append(&mut self, sends: &[Send]) {
        if sends.is_empty() {
            return;
        }
        self.seq += 1;
        for send in sends {
            let current = self.manifest.remove(&send.path).map(|sighted| sighted.state);
            assert_eq!(send.from, current.map(|state| state.digest), "{send:?} is void");
            assert_ne!(send.to, current, "{send:?} changes nothing");
            self.log.push((send.path.clone(), send.to));
        }
        for send in sends {
            let sighted = send.to.map(|state| Sighted { state, seq: self.seq });
            self.manifest.extend(sighted.map(|sighted| (send.path.clone(), sighted)));
        }
        let mut names = Names::new();
        for path in self.manifest.keys() {
            names.insert(path).expect("no commit has twins");
        }
    }

    fn has_had(&self, path: &RelPath, state: State) -> bool {
        self.log.contains(&(path.clone(), Some(state)))
    }

    fn past(&self, path: &RelPath, local: Option<State>) -> Past {
        let of_path = || self.log.iter().filter(|(logged, _)| logged == path);
        if of_path().count() == 0 {
            return Past::NeverThere;
        }
        if !self.manifest.contains_key(path) {
            return Past::DeletedAtHead;
        }
        let mut since = of_path().rev().map_while(|(_, state)| *state);
        if since.any(|state| Some(state) == local) { Past::Earlier } else { Past::Other }
    }
}

/// A machine: its disk, and what it last agreed on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    /// Whether names that differ in case or form are one name here.
    pub(crate) folds: bool,
    disk: BTreeMap<String, (RelPath, State)>,
    base: BTreeMap<RelPath, BaseFact>,
    lost_state: bool,
}

impl Machine {
    pub(crate) fn new(folds: bool) -> Self {
        Self { folds, ..Self::default() }
    }

    pub(crate) fn local(&self) -> BTreeMap<RelPath, State> {
        self.disk.values().cloned().collect()
    }

    /// A person saves a file; `false` when the disk can't hold it.
    pub(crate) fn saves(&mut self, path: &RelPath, state: State) -> bool {
        let key = self.key(path);
        let in_the_way = |other: &String| {
            other.strip_prefix(&key).is_some_and(|rest| rest.starts_with('/'))
                || key.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
        };
        if self.disk.keys().any(in_the_way) {
            return false;
        }
        // A file that is there keeps the name it has.
        let name = self.disk.get(&key).map_or_else(|| path.clone(), |(name, _)| name.clone());
        self.disk.insert(key, (name, state));
        true
    }

    /// A person deletes a file.
    pub(crate) fn deletes(&mut self, path: &RelPath) -> Option<State> {
        self.disk.remove(&self.key(path)).map(|(_, state)| state)
    }

    /// The state folder is lost (B5).
    pub(crate) fn loses_state(&mut self) {
        self.base.clear();
        self.lost_state = true;
    }

    pub(crate) fn facts(&self, head: &Head) -> BTreeMap<RelPath, Facts> {
        let local = self.local();
        let paths: BTreeSet<&RelPath> =
            local.keys().chain(self.base.keys()).chain(head.manifest.keys()).collect();
        let facts = paths.into_iter().map(|path| {
            let local = local.get(path).copied();
            let base = match self.base.get(path) {
                Some(base) => *base,
                None if self.lost_state => BaseFact::Unknown(head.past(path, local)),
                None => BaseFact::Absent,
            };
            (
                path.clone(),
                Facts {
                    base,
                    local,
                    remote: head.manifest.get(path).copied(),
                    privacy: Privacy::default(),
                },
            )
        });
        facts.collect()
    }

    pub(crate) fn plan(&self, head: &Head, intent: Intent) -> Plan {
        draw_plan(&self.facts(head), intent, &Selection::all(), &CONSENT).unwrap()
    }

    /// One whole job; the plan that it carried out.
    pub(crate) fn runs(&mut self, intent: Intent, head: &mut Head) -> Plan {
        let plan = self.plan(head, intent);
        self.carries_out(&plan, head);
        plan
    }

    pub(crate) fn carries_out(&mut self, plan: &Plan, head: &mut Head) {
        head.append(&plan.sends);
        for send in &plan.sends {
            self.agrees(&send.path, head);
        }
        for adopt in &plan.adopts {
            self.agrees(&adopt.path, head);
        }
        for removal in &plan.deletions {
            self.removes(removal, head);
        }
        for fetch in &plan.fetches {
            self.fetches(fetch, head);
        }
    }

    fn removes(&mut self, removal: &Removal, head: &Head) {
        assert!(head.has_had(&removal.path, removal.expected), "{removal:?} loses an edit");
        let removed = self.disk.remove(&self.key(&removal.path));
        assert_eq!(removed, Some((removal.path.clone(), removal.expected)));
        self.agrees(&removal.path, head);
    }

    fn fetches(&mut self, fetch: &Fetch, head: &Head) {
        if let Some(removal) = &fetch.replaces {
            self.removes(removal, head);
        }
        let before = self.disk.get(&self.key(&fetch.path)).cloned();
        let expected = fetch.expected_local.map(|state| (fetch.path.clone(), state));
        assert_eq!(before, expected, "{fetch:?} overwrites blindly");
        if let Some((path, state)) = before {
            assert!(head.has_had(&path, state), "{fetch:?} loses an edit");
        }
        assert!(self.saves(&fetch.path, fetch.remote.state), "{fetch:?} has no room");
        self.agrees(&fetch.path, head);
    }

    fn agrees(&mut self, path: &RelPath, head: &Head) {
        let known = |at: &Sighted| BaseFact::Known { state: at.state, seq: at.seq };
        let base = head.manifest.get(path).map_or(BaseFact::Absent, known);
        self.base.insert(path.clone(), base);
    }

    fn key(&self, path: &RelPath) -> String {
        if self.folds { path.folded().into_string() } else { path.to_string() }
    }

    /// A person settles what no plan may: takes the head's version of what
    /// diverged, drops what clashes, publishes what was kept.
    pub(crate) fn settles(&mut self, head: &mut Head) {
        let plan = self.plan(head, Intent::Sync);
        for path in &plan.diverged {
            let remote = head.manifest[path];
            self.disk.remove(&self.key(path));
            assert!(self.saves(path, remote.state));
            self.agrees(path, head);
        }
        self.drops_clashes(&plan, head);
        if !plan.kept.is_empty() {
            let facts = self.facts(head);
            let named = Selection::exactly(&plan.kept);
            let plan = draw_plan(&facts, Intent::Push, &named, &CONSENT).unwrap();
            self.carries_out(&plan, head);
            self.drops_clashes(&plan, head);
        }
    }

    fn drops_clashes(&mut self, plan: &Plan, head: &Head) {
        let local = self.local();
        let is_only_here =
            |path: &&RelPath| local.contains_key(*path) && !head.manifest.contains_key(*path);
        for path in plan.clashes.iter().map(Clash::path).filter(is_only_here) {
            self.deletes(path);
            self.base.insert(path.clone(), BaseFact::Absent);
        }
    }
}
