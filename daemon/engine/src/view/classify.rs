//! What a content that stands in the view means (V4).
//!
//! Plain functions of what the log knows, what this machine saw there last, and
//! what should stand there. No clock and no backend.

use std::collections::BTreeMap;

use mirror_core::{Digest, History, RelPath};

use super::Projection;
use crate::planted::{self, Rule};
use crate::state::Seen;

/// The contents that the log knows of one path, each with the newest commit
/// that put it there; `None` for one that only went into a merge (M2).
pub type Known = BTreeMap<Digest, Option<u64>>;

/// What a content that stands at a path of the view means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is what should stand there.
    Shown,
    /// The log knows it: a projection that is late.
    Stale,
    /// A person put an older version back.
    Reverted,
    /// The log has never had it here.
    Unknown,
}

impl Meaning {
    /// Says what `digest` means. An older version is a late projection only if
    /// this machine has not seen the view hold a newer one.
    pub fn of(digest: Digest, projection: &Projection, seen: Option<&Seen>) -> Self {
        let desired = projection.desired.as_ref().map(|entry| entry.sha256);
        let is_last_seen = seen.is_some_and(|seen| seen.digest == digest);
        let is_older = |since: u64| seen.is_some_and(|seen| since < seen.seq);
        match projection.known.get(&digest) {
            _ if desired == Some(digest) => Self::Shown,
            _ if is_last_seen => Self::Stale,
            Some(Some(since)) if is_older(*since) && planted::stands(Rule::V4) => Self::Reverted,
            Some(_) => Self::Stale,
            None => Self::Unknown,
        }
    }
}

/// What the log knows of each of `paths`.
pub fn known_of<'a>(
    history: &'a History,
    paths: impl Iterator<Item = &'a RelPath>,
) -> BTreeMap<&'a RelPath, Known> {
    paths.map(|path| (path, known_at(history, path))).collect()
}

fn known_at(history: &History, path: &RelPath) -> Known {
    let mut known = Known::new();
    if planted::stands(Rule::M2) {
        known.extend(history.inputs_of(path).map(|digest| (digest, None)));
    }
    for version in history.past_of(path) {
        let newest = known.entry(version.entry.sha256).or_default();
        *newest = (*newest).max(Some(version.since));
    }
    if let Some(placed) = history.manifest().get(path) {
        known.insert(placed.entry.sha256, Some(placed.seq));
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::{Entry, Kind};

    fn content(letter: char) -> Digest {
        Digest::of(letter.to_string().as_bytes())
    }

    /// Versions `a b c` of commits 1, 2 and 3, of which `desired` is to stand
    /// there and `seen` stood there last; `m` went into a merge.
    #[track_caller]
    fn check(standing: char, desired: Option<char>, seen: Option<char>, expected: Meaning) {
        let seq = |letter: char| u64::from(letter as u32 - 'a' as u32 + 1);
        let entry = |letter| Entry {
            kind: Kind::File,
            sha256: content(letter),
            size: 1,
            exec: false,
            private: false,
            mtime: None,
            chunks: None,
        };
        let mut known: Known = ['a', 'b', 'c'].map(|one| (content(one), Some(seq(one)))).into();
        known.insert(content('m'), None);
        let projection = Projection {
            path: RelPath::new("a.md").unwrap(),
            desired: desired.map(entry),
            seq: 3,
            known,
        };
        let seen = seen.map(|letter| Seen {
            digest: content(letter),
            size: 1,
            modified_ns: None,
            revision: String::new(),
            seq: seq(letter),
            recorded_ns: None,
            is_own: false,
            is_narrowed: false,
        });
        assert_eq!(Meaning::of(content(standing), &projection, seen.as_ref()), expected);
    }

    #[test]
    fn content_of_the_head_is_shown_whatever_was_seen() {
        for seen in [None, Some('a'), Some('c')] {
            check('c', Some('c'), seen, Meaning::Shown);
        }
    }

    #[test]
    fn older_version_is_late_unless_a_newer_one_was_seen() {
        check('b', Some('c'), None, Meaning::Stale);
        check('b', Some('c'), Some('a'), Meaning::Stale);
        check('b', Some('c'), Some('b'), Meaning::Stale);
        check('b', Some('c'), Some('c'), Meaning::Reverted);
        check('a', None, Some('b'), Meaning::Reverted);
    }

    #[test]
    fn merged_version_is_never_a_revert() {
        check('m', Some('c'), Some('c'), Meaning::Stale);
    }

    #[test]
    fn content_that_the_log_never_had_is_unknown() {
        check('x', Some('c'), Some('c'), Meaning::Unknown);
        check('x', None, None, Meaning::Unknown);
    }
}
