//! Histories that nobody thought of, against a plain list of whole trees.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const PATHS: [&str; 4] = ["a", "b", "c/d", "c/e"];
const TEXTS: [&str; 5] = ["v", "w", "x", "y", "z"];

/// Something that happens to a log.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// Paths by number, and the text that each gets, if any.
    Push(BTreeMap<usize, Option<usize>>),
    Settings,
    /// A push that does not follow the entry before it.
    Stale(BTreeMap<usize, Option<usize>>),
    Unreadable,
    Forget(prop::sample::Index),
    /// Tries to drop packs by the numbers of their entries.
    Gc(BTreeSet<u64>),
}

pub(super) fn events() -> impl Strategy<Value = Vec<Event>> {
    let tree = || {
        prop::collection::btree_map(
            0..PATHS.len(),
            prop::option::of(0..TEXTS.len()),
            0..PATHS.len(),
        )
    };
    let event = prop_oneof![
        6 => tree().prop_map(Event::Push),
        1 => Just(Event::Settings),
        1 => tree().prop_map(Event::Stale),
        1 => Just(Event::Unreadable),
        2 => any::<prop::sample::Index>().prop_map(Event::Forget),
        2 => prop::collection::btree_set(2_u64..20, 1..4).prop_map(Event::Gc),
    ];
    prop::collection::vec(event, 0..20)
}

/// What the same events come to when every tree is kept whole.
#[derive(Clone, Debug, Default)]
struct Trees {
    /// The tree at each entry, 0 first.
    at: Vec<BTreeMap<&'static str, &'static str>>,
    /// When each path was given a text, or none.
    given: BTreeMap<&'static str, Vec<(u64, Option<&'static str>)>>,
    listed: BTreeSet<u64>,
}

impl Trees {
    fn head(&self) -> &BTreeMap<&'static str, &'static str> {
        self.at.last().unwrap()
    }

    fn keep(&mut self) {
        self.at.push(self.head().clone());
    }

    /// Versions that a later one replaced, and that a listed snapshot has.
    fn past(&self) -> BTreeSet<(&str, &str, u64, u64)> {
        let mut past = BTreeSet::new();
        for (path, given) in &self.given {
            for pair in given.windows(2) {
                let [(since, Some(text)), (until, _)] = *pair else { continue };
                if self.listed.range(since..until).next().is_some() {
                    past.insert((*path, text, since, until));
                }
            }
        }
        past
    }
}

/// Carries events out on a log and on trees.
#[derive(Debug)]
struct Both {
    log: Log,
    trees: Trees,
}

impl Both {
    fn new() -> Self {
        let trees = Trees { at: vec![BTreeMap::new(); 2], ..Trees::default() };
        Self { log: Log::new(), trees }
    }

    fn happens(&mut self, event: &Event) {
        let seq = self.log.history.head() + 1;
        self.trees.keep();
        match event {
            Event::Push(tree) => {
                let (push, changes) = self.push_of(tree);
                self.log.counts(push);
                self.trees.listed.insert(seq);
                for (path, text) in changes {
                    let head = self.trees.at.last_mut().unwrap();
                    match text {
                        Some(text) => head.insert(path, text),
                        None => head.remove(path),
                    };
                    self.trees.given.entry(path).or_default().push((seq, text));
                }
            }
            Event::Stale(tree) => {
                let (push, _) = self.push_of(tree);
                self.log.voids(Commit { parent: None, ..push }, "does not follow");
            }
            Event::Settings => {
                let change = self.log.draft(Action::Settings);
                let settings = Some(settings("diary", &["**/*.md"]));
                self.log.counts(Commit { settings, ..change });
            }
            Event::Unreadable => drop(self.log.append(Err("no JSON".to_owned()))),
            Event::Forget(index) => {
                let listed: Vec<u64> = self.trees.listed.iter().copied().collect();
                let forgotten = if listed.is_empty() { 0 } else { *index.get(&listed) };
                let forget = self.log.forget(&[forgotten]);
                let counted = self.log.append(Ok(forget)).is_none();
                assert_eq!(counted, self.trees.listed.remove(&forgotten));
            }
            Event::Gc(dropped) => {
                let dropped: Vec<u64> = dropped.range(..seq).copied().collect();
                let gc = self.log.gc(&dropped);
                self.log.append(Ok(gc));
            }
        }
    }

    /// A push of the part of a tree that can be pushed here.
    fn push_of(
        &self,
        tree: &BTreeMap<usize, Option<usize>>,
    ) -> (Commit, Vec<(&'static str, Option<&'static str>)>) {
        let changes: Vec<_> = tree
            .iter()
            .map(|(path, text)| (PATHS[*path], text.map(|text| TEXTS[text])))
            .filter(|(path, text)| text.is_some() || self.trees.head().contains_key(path))
            .collect();
        let words = changes.iter().map(|(path, text)| format!("{path}={}", text.unwrap_or("-")));
        (self.log.push(&words.collect::<Vec<_>>().join(" ")), changes)
    }

    fn assert_alike(&self) {
        let history = &self.log.history;
        let head = history.head();
        for seq in self.trees.listed.iter().copied().chain([head]) {
            let tree = &self.trees.at[usize::try_from(seq).unwrap()];
            let words = tree.iter().map(|(path, text)| format!("{path}={text}"));
            assert_eq!(self.log.files_at(seq), words.collect::<Vec<_>>().join(" "), "at {seq}");
            for entry in history.manifest_at(seq).values() {
                assert!(history.place(entry.sha256).is_some(), "{seq} lost a content");
            }
        }
        assert!(history.snapshots().keys().eq(&self.trees.listed));
        let listed = |since, until| self.trees.listed.range(since..until).next().is_some();
        let past = history.past().iter().filter(|past| listed(past.since, past.until));
        let past: Vec<_> = past
            .map(|past| (past.path.as_str(), letter(past.entry.sha256), past.since, past.until))
            .collect();
        let expected = self.trees.past();
        assert_eq!(past.len(), expected.len());
        for (path, text, since, until) in expected {
            assert!(past.contains(&(path, text.chars().next().unwrap(), since, until)));
        }
    }
}

/// The log that these events make.
pub(super) fn log_of(events: &[Event]) -> Log {
    let mut both = Both::new();
    for event in events {
        both.happens(event);
    }
    both.log
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_listed_tree_is_as_it_was_and_readable(events in events()) {
        let mut both = Both::new();
        for event in &events {
            both.happens(event);
            both.assert_alike();
        }
    }

    #[test]
    fn trees_at_all_entries_are_known_while_nothing_is_forgotten(events in events()) {
        let mut both = Both::new();
        for event in events.iter().filter(|event| !matches!(event, Event::Forget(_))) {
            both.happens(event);
        }
        for (seq, tree) in both.trees.at.iter().enumerate() {
            let words = tree.iter().map(|(path, text)| format!("{path}={text}"));
            let words = words.collect::<Vec<_>>().join(" ");
            prop_assert_eq!(both.log.files_at(seq as u64), words);
        }
        prop_assert_eq!(both.log.history.past().len(), both.trees.past().len());
    }
}
