//! The people and programs that write: what each write brought, and what it
//! knowingly took away.
//!
//! Every write brings ids that were never written before. A writer takes an id
//! away knowingly when they replace or delete, at the place where the id was
//! born, a version that has it. Only such an id may be gone in the end: one
//! that reached another place was read from the log, and stays in history.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use mirror_core::Digest;

use crate::chance::Chance;

/// A text that nobody wrote before, in eight letters.
pub(crate) type Id = u64;

/// Where people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Machine(usize),
    View,
}

#[derive(Debug)]
struct Birth {
    place: Place,
    path: String,
    taken_away: bool,
}

/// All that was ever written.
#[derive(Debug)]
pub(crate) struct Writers {
    chance: Chance,
    reverts: u32,
    count: u64,
    births: BTreeMap<Id, Birth>,
    written: BTreeSet<Digest>,
    lines: BTreeSet<Vec<u8>>,
    versions: BTreeMap<String, Vec<Bytes>>,
    places: BTreeMap<String, Vec<Place>>,
}

const MARK: u8 = b'@';
const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";

pub(crate) fn is_text(path: &str) -> bool {
    std::path::Path::new(path).extension().is_none_or(|end| end != "bin")
}

/// Whether it is merged as a list of lines.
fn is_list(path: &str) -> bool {
    path.ends_with("MEMORY.md")
}

pub(crate) fn spelled(id: Id) -> String {
    String::from_utf8_lossy(&id.to_le_bytes()).into_owned()
}

/// The ids in some bytes, wherever they stand.
pub(crate) fn ids_in(bytes: &[u8]) -> BTreeSet<Id> {
    let marks = bytes.iter().enumerate().filter(|(_, byte)| **byte == MARK);
    marks
        .filter_map(|(at, _)| {
            let letters: [u8; 8] = bytes.get(at + 1..at + 9)?.try_into().ok()?;
            letters.iter().all(|byte| LETTERS.contains(byte)).then(|| u64::from_le_bytes(letters))
        })
        .collect()
}

impl Writers {
    pub(crate) fn new(seed: u64, reverts: u32) -> Self {
        Self {
            chance: Chance::new(seed ^ 0x1D5),
            reverts,
            count: 0,
            births: BTreeMap::new(),
            written: BTreeSet::new(),
            lines: BTreeSet::new(),
            versions: BTreeMap::new(),
            places: BTreeMap::new(),
        }
    }

    fn mint(&mut self) -> String {
        self.count += 1;
        // An odd factor: no two counts give the same letters.
        let mut mixed = self.count.wrapping_mul(0x9E37_79B9_7F4A_7C15) & ((1 << 40) - 1);
        let mut letters = String::from("@");
        for _ in 0..8 {
            letters.push(char::from(LETTERS[usize::try_from(mixed % 32).unwrap_or(0)]));
            mixed /= 32;
        }
        letters
    }

    /// Makes a new version of a file, now and then one that `may_be` names.
    pub(crate) fn write(
        &mut self,
        path: &str,
        old: Option<&Bytes>,
        may_be: impl Fn(Digest) -> bool,
    ) -> Bytes {
        let Some(old) = old.filter(|old| !old.is_empty()) else {
            return self.fresh(path);
        };
        if !is_text(path) {
            return self.fresh(path);
        }
        let mut lines: Vec<Vec<u8>> =
            old.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let at = self.chance.below(lines.len());
        match self.chance.weigh(&[25, 25, 20, 8, 12, 8, 2, self.reverts]) {
            0 => {
                let line = self.line();
                lines.push(line);
            }
            1 => {
                let line = self.line();
                lines.insert(at, line);
            }
            2 => lines[at] = self.line(),
            3 => drop(lines.remove(at)),
            4 => lines[at] = self.same_size(&lines[at].clone()),
            5 => return self.fresh(path),
            6 => return Bytes::new(),
            _ => return self.an_older_version(path, may_be).unwrap_or_default(),
        }
        lines.concat().into()
    }

    fn line(&mut self) -> Vec<u8> {
        let id = self.mint();
        let words = self.chance.pick(&["", " milk", " call Ada", " and so on and so on"]);
        format!("{id}{words}\n").into_bytes()
    }

    /// Another id at the place of the one in this line.
    fn same_size(&mut self, line: &[u8]) -> Vec<u8> {
        let id = self.mint();
        let mut line = line.to_vec();
        match line.iter().position(|byte| *byte == MARK) {
            Some(at) if line.len() >= at + id.len() => {
                line[at..at + id.len()].copy_from_slice(id.as_bytes());
                line
            }
            _ => self.line(),
        }
    }

    /// A content that has nothing of the version before.
    pub(crate) fn fresh(&mut self, path: &str) -> Bytes {
        if is_text(path) {
            let count = 1 + self.chance.below(6);
            return (0..count).flat_map(|_| self.line()).collect::<Vec<u8>>().into();
        }
        let id = self.mint();
        let mut bytes = vec![0, 159, 146];
        bytes.extend_from_slice(id.as_bytes());
        bytes.resize(bytes.len() + self.chance.below(40), 0xFF);
        bytes.into()
    }

    /// A version that a person cut short.
    pub(crate) fn shorter(&mut self, old: &Bytes) -> Bytes {
        old.slice(..self.chance.below(old.len()))
    }

    /// A version that the path had before, if `may_be` says so.
    pub(crate) fn an_older_version(
        &mut self,
        path: &str,
        may_be: impl Fn(Digest) -> bool,
    ) -> Option<Bytes> {
        let versions = self.versions.get(path)?.iter();
        let versions: Vec<&Bytes> = versions.filter(|bytes| may_be(Digest::of(bytes))).collect();
        (!versions.is_empty()).then(|| (*self.chance.pick(&versions)).clone())
    }

    /// Notes that a version took another's place; `None` is no file. Gives what
    /// was taken away with it.
    pub(crate) fn note(
        &mut self,
        place: Place,
        path: &str,
        old: Option<&Bytes>,
        new: Option<&Bytes>,
    ) -> Vec<Id> {
        let places = self.places.entry(path.to_owned()).or_default();
        if !places.contains(&place) {
            places.push(place);
        }
        let before = old.map(|old| ids_in(old)).unwrap_or_default();
        let after = new.map(|new| ids_in(new)).unwrap_or_default();
        let mut took = Vec::new();
        for id in before.difference(&after) {
            let birth = self.births.get_mut(id);
            if let Some(birth) = birth.filter(|birth| birth.place == place && !birth.taken_away) {
                birth.taken_away = true;
                took.push(*id);
            }
        }
        for id in after {
            self.births.entry(id).or_insert_with(|| Birth {
                place,
                path: path.to_owned(),
                taken_away: false,
            });
        }
        if let Some(new) = new {
            self.versions.entry(path.to_owned()).or_default().push(new.clone());
            self.written.insert(Digest::of(new));
            for line in new.split_inclusive(|byte| *byte == b'\n') {
                self.lines.insert(line.to_vec());
                // In a union their ends are no part of lines (M4).
                if is_list(path) {
                    let line = line.strip_suffix(b"\n").unwrap_or(line);
                    self.lines.extend([line.to_vec(), [line, b"\n"].concat()]);
                }
            }
        }
        took
    }

    /// What was taken away is there again: the disk lost the change that took it.
    pub(crate) fn give_back(&mut self, ids: &[Id]) {
        for id in ids {
            if let Some(birth) = self.births.get_mut(id) {
                birth.taken_away = false;
            }
        }
    }

    /// The disk lost it before anybody else had it.
    pub(crate) fn lose(&mut self, id: Id) {
        if let Some(birth) = self.births.get_mut(&id) {
            birth.taken_away = true;
        }
    }

    /// Whether at most one machine ever changed a path: then nothing can be in
    /// conflict there. An edit of the view that no machine had looked at before
    /// has no base, and waits (V2).
    pub(crate) fn has_one_writer(&self, path: &str) -> bool {
        let is_lone = |places: &Vec<Place>| places.len() < 2 && !places.contains(&Place::View);
        self.places.get(path).is_none_or(is_lone)
    }

    /// Whether somebody wrote exactly this.
    pub(crate) fn wrote(&self, bytes: &[u8]) -> bool {
        self.written.contains(&Digest::of(bytes))
    }

    /// Whether every line of it is somebody's whole line, as in a merge.
    pub(crate) fn wrote_every_line(&self, bytes: &[u8]) -> bool {
        bytes.split_inclusive(|byte| *byte == b'\n').all(|line| self.lines.contains(line))
    }

    /// The ids that must be somewhere, with where each was born.
    pub(crate) fn living(&self) -> impl Iterator<Item = (Id, String)> {
        let living = self.births.iter().filter(|(_, birth)| !birth.taken_away);
        living.map(|(id, birth)| (*id, format!("{:?} in {}", birth.place, birth.path)))
    }
}
