//! The versions that the manifest no longer has: all of them, oldest end first, and
//! those of one path.
//!
//! Each leads to the one of its path before it, so that the past of a path is had in
//! proportion to its own versions, whatever else the log has.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::PastVersion;
use crate::RelPath;
use crate::shared::{SharedList, SharedMap};

#[derive(Clone, Debug, Default)]
pub struct Past {
    versions: SharedList<Link>,
    /// By path, the place of its newest version.
    newest: SharedMap<RelPath, usize>,
}

#[derive(Clone, Debug)]
struct Link {
    version: PastVersion,
    /// The place of the version before it of the same path.
    before: Option<usize>,
}

impl Past {
    pub fn len(&self) -> usize {
        self.versions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// All of them, by the commit that ended each.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &PastVersion> + ExactSizeIterator {
        self.versions.iter().map(|link| &link.version)
    }

    /// Those of one path, newest first.
    pub fn of(&self, path: &RelPath) -> impl Iterator<Item = &PastVersion> {
        let newest = self.newest.get(path).and_then(|at| self.versions.get(*at));
        let before = |link: &&Link| self.versions.get(link.before?);
        std::iter::successors(newest, before).map(|link| &link.version)
    }

    /// The paths that have one, each once, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &RelPath> {
        self.newest.keys()
    }

    pub fn has(&self, path: &RelPath) -> bool {
        self.newest.contains_key(path)
    }

    /// Whether one has stood at `path` or below it.
    pub fn has_within(&self, path: &RelPath) -> bool {
        self.newest.has_within(path.as_str())
    }

    pub(super) fn push(&mut self, version: PastVersion) {
        let before = self.newest.insert(version.path.clone(), self.versions.len());
        self.versions.push(Link { version, before });
    }
}

impl FromIterator<PastVersion> for Past {
    fn from_iter<I: IntoIterator<Item = PastVersion>>(versions: I) -> Self {
        let mut past = Self::default();
        for version in versions {
            past.push(version);
        }
        past
    }
}

impl Serialize for Past {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Past {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(SharedList::<PastVersion>::deserialize(deserializer)?.iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Entry, Kind};

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn version(text: &str, until: u64) -> PastVersion {
        let entry = Entry {
            kind: Kind::File,
            sha256: Digest([0; 32]),
            size: 0,
            exec: false,
            private: false,
            mtime: None,
            chunks: None,
        };
        PastVersion { path: path(text), entry, since: until - 1, until }
    }

    fn past() -> Past {
        let paths = ["a", "b/c", "a", "b", "b/c", "a"];
        paths.into_iter().zip(1..).map(|(text, until)| version(text, until)).collect()
    }

    #[test]
    fn versions_of_a_path_are_its_own_newest_first() {
        let past = past();
        let of = |text| past.of(&path(text)).map(|version| version.until).collect::<Vec<_>>();
        assert_eq!(of("a"), [6, 3, 1]);
        assert_eq!(of("b/c"), [5, 2]);
        assert_eq!(of("b"), [4]);
        assert_eq!(of("c"), [0; 0]);
        assert!(past.iter().map(|version| version.until).eq(1..=6));
        assert!(past.paths().eq([&path("a"), &path("b"), &path("b/c")]));
    }

    #[test]
    fn folder_has_a_past_where_one_of_its_files_has() {
        let past = past();
        let within = |text| past.has_within(&path(text));
        assert!(within("a") && within("b") && within("b/c"));
        assert!(!within("b/c/d") && !within("c") && !within("a.md"));
        assert!(!past.has(&path("c")) && past.has(&path("b")));
    }

    #[test]
    fn json_is_that_of_the_versions_alone() {
        let json = serde_json::to_string(&past()).unwrap();
        let versions: Vec<PastVersion> = serde_json::from_str(&json).unwrap();
        assert!(versions.iter().eq(past().iter()));
        let read: Past = serde_json::from_str(&json).unwrap();
        assert!(read.iter().eq(past().iter()));
        assert_eq!(read.of(&path("a")).count(), 3);
    }
}
