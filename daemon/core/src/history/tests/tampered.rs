//! Entries that were tampered with count or change nothing, and panic never.
//!
//! What holds for every entry, [`Log::append`] checks.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::commit::{CheckpointRef, Moved, Promote};

/// Numbers at the edge of what can be counted.
const NUMBERS: [u64; 8] = [0, 1, 2, 1 << 20, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, u64::MAX];
const TEXTS: [&str; 4] = ["x", "y", "z", "unheard of"];
const PATHS: [&str; 6] = ["a", "A", "a/b", "c", "C/D", "new"];
const TAGS: [&str; 4] = ["v1", "latest", "30d", ""];
const PACKS: [u64; 6] = [0, 2, 3, 4, 90, u64::MAX];
const KINDS: [Kind; 2] = [Kind::File, Kind::Link];
const ACTIONS: [Action; 7] = [
    Action::Sync,
    Action::Snapshot,
    Action::Settings,
    Action::Gc,
    Action::Forget,
    Action::Promote,
    Action::Moved,
];

/// What to put where.
#[derive(Clone, Debug)]
struct Tampering {
    field: usize,
    /// Which change, pack or content.
    which: Index,
    value: Index,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    (0..36_usize, any::<Index>(), any::<Index>()).prop_map(|(field, which, value)| Tampering {
        field,
        which,
        value,
    })
}

impl Tampering {
    fn number(&self) -> u64 {
        *self.value.get(&NUMBERS)
    }

    fn digest(&self) -> Digest {
        digest(TEXTS[self.value.index(TEXTS.len())])
    }

    fn pack_name(&self) -> Ulid {
        Ulid(u128::from(*self.value.get(&PACKS)))
    }

    fn chunks(&self) -> Option<Vec<Chunk>> {
        let chunk = Chunk { sha256: self.digest(), size: self.number() };
        [None, Some(inline(&["x", "y"])), Some(vec![chunk; 2]), Some(inline(&[]))]
            [self.value.index(4)]
        .clone()
    }

    fn apply_to(&self, entry: &mut Commit) {
        match self.field {
            0 => entry.seq = self.number(),
            1 => entry.parent = Some(self.digest()),
            2 => entry.parent = None,
            3 | 4 => entry.action = *self.value.get(&ACTIONS),
            5 => entry.tag = Some((*self.value.get(&TAGS)).to_owned()),
            6 => entry.settings = Some(settings(TAGS[self.value.index(TAGS.len())], &["**"])),
            7 => {
                let checkpoint = CheckpointRef { seq: self.number(), sha256: self.digest() };
                entry.checkpoint = Some(checkpoint);
            }
            8 | 9 => entry.dropped_packs.push(self.pack_name()),
            10 => entry.forgotten.push(self.number()),
            11 => entry.promote = Some(Promote { to: String::new(), missing: vec![self.digest()] }),
            12 => {
                let moved = Moved { to: String::new(), seq: self.number(), id: self.pack_name() };
                entry.moved = Some(moved);
            }
            13 => entry.changes.clear(),
            14 => entry.resolved.clear(),
            15 => entry.packs.clear(),
            16..=23 => self.apply_to_change(entry),
            24..=27 => self.apply_to_input(entry),
            28..=30 => self.apply_to_pack(entry),
            _ => self.apply_to_content(entry),
        }
    }

    fn apply_to_change(&self, entry: &mut Commit) {
        let Some(change) = self.one_of(&mut entry.changes) else { return };
        let copy = change.clone();
        match (self.field, &mut change.to) {
            (16, _) => change.path = path(PATHS[self.value.index(PATHS.len())]),
            (17, _) => change.from = Some(self.digest()).filter(|_| self.value.index(3) > 0),
            (18, to) => *to = None,
            (19, Some(to)) => to.kind = *self.value.get(&KINDS),
            (20, Some(to)) => to.sha256 = self.digest(),
            (21, Some(to)) => to.size = self.number(),
            (22, Some(to)) => to.chunks = self.chunks(),
            _ => entry.changes.push(copy),
        }
    }

    fn apply_to_input(&self, entry: &mut Commit) {
        let inputs = entry.resolved.first_mut().map(|resolved| &mut resolved.inputs);
        let Some(input) = inputs.and_then(|inputs| self.one_of(inputs)) else { return };
        match self.field {
            24 => input.sha256 = self.digest(),
            25 => input.size = self.number(),
            _ => input.chunks = self.chunks(),
        }
    }

    fn apply_to_pack(&self, entry: &mut Commit) {
        let Some(pack) = self.one_of(&mut entry.packs) else { return };
        match self.field {
            28 => pack.name = self.pack_name(),
            29 => pack.size = self.number(),
            _ => pack.contents.clear(),
        }
    }

    fn apply_to_content(&self, entry: &mut Commit) {
        let contents = self.one_of(&mut entry.packs).map(|pack| &mut pack.contents);
        let Some(content) = contents.and_then(|contents| self.one_of(contents)) else { return };
        match self.field {
            31 => content.sha256 = self.digest(),
            32 => content.offset = self.number(),
            33 => content.stored_size = self.number(),
            34 => content.size = self.number(),
            _ => content.method = Method::Deflated,
        }
    }

    fn one_of<'a, T>(&self, things: &'a mut [T]) -> Option<&'a mut T> {
        let some = !things.is_empty();
        some.then(|| self.which.get_mut(things))
    }
}

/// A log with a bit of everything, and a good entry for it.
fn log_and_entry() -> (Log, Commit) {
    let mut log = Log::of(&["a=x c=y", "a=z", "c=-"]);
    let tagged = Commit { tag: Some("v1".to_owned()), ..log.draft(Action::Snapshot) };
    log.counts(tagged);
    let forget = log.forget(&[3]);
    log.counts(forget);
    let inputs = vec![input("x"), Input { chunks: Some(inline(&["x", "y"])), ..input("xy") }];
    let mut entry = log.merge("a=xy c=x new=w", inputs);
    entry.changes[0].to.as_mut().unwrap().chunks = Some(inline(&["x", "y"]));
    entry.packs.push(pack(90, &["x", "y"]));
    (log, entry)
}

#[test]
fn entry_that_is_tampered_with_counts_before() {
    let (mut log, entry) = log_and_entry();
    log.counts(entry);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn tampered_entry_counts_or_changes_nothing(
        tamperings in prop::collection::vec(tampering(), 1..5),
        others in prop::collection::vec(tampering(), 0..3),
    ) {
        let (mut log, mut entry) = log_and_entry();
        for tampering in &tamperings {
            tampering.apply_to(&mut entry);
        }
        log.append(Ok(entry));
        let mut next = log.push("a=v c=-");
        for tampering in &others {
            tampering.apply_to(&mut next);
        }
        log.append(Ok(next));
        let settings = Commit { settings: Some(settings("n", &["**"])), ..log.draft(Action::Settings) };
        let closed = log.history.moved().is_some();
        prop_assert_eq!(log.append(Ok(settings)).is_some(), closed);
    }
}
