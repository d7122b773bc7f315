//! Names of mirrored files.
//!
//! A [`RelPath`] can be joined to a project's root on any machine without
//! reaching outside it, into `.git` or into our own folder. Names that some
//! file systems can't hold, but that lead nowhere, are allowed. Nothing here
//! looks at a disk.

mod display;
mod fold;
mod names;
mod rules;
mod twins;

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use display::display_safe;
pub use fold::{Folded, UNICODE_VERSION};
pub use names::{Clash, Names};
pub use rules::{MAX_PATH_BYTES, MAX_SEGMENT_BYTES, PathError};
pub use twins::twins;

/// A path inside a project that every machine can be told of (L6): relative,
/// normal, separated by `/`. Ordered by bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelPath(Box<str>);

impl RelPath {
    pub fn new(text: &str) -> Result<Self, PathError> {
        rules::check(text)?;
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder that holds this; `None` for what lies at the root.
    pub fn parent(&self) -> Option<Self> {
        // What stands before a slash of a good path is a good path.
        self.0.rfind('/').map(|end| Self(self.0[..end].into()))
    }

    /// Every folder above this, outermost first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }

    pub fn join(&self, below: &str) -> Result<Self, PathError> {
        Self::new(&format!("{self}/{below}"))
    }

    /// Whether this lies somewhere below `folder`; all lies below the root, `""`.
    pub fn is_within(&self, folder: &str) -> bool {
        folder.is_empty() || self.0.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The key by which twins are found.
    pub fn folded(&self) -> Folded {
        Folded::of(&self.0)
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.0)
    }
}

impl FromStr for RelPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl TryFrom<&str> for RelPath {
    type Error = PathError;

    fn try_from(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl AsRef<str> for RelPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for RelPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for RelPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    #[test]
    fn path_knows_its_parts() {
        let deep = path("notes/2026/april.md");

        assert_eq!(deep.name(), "april.md");
        assert_eq!(deep.parent(), Some(path("notes/2026")));
        assert!(deep.segments().eq(["notes", "2026", "april.md"]));
        assert!(deep.ancestors().eq(["notes", "notes/2026"]));
        assert_eq!(path("april.md").parent(), None);
        assert_eq!(path("april.md").ancestors().count(), 0);
    }

    #[test]
    fn joining_can_not_leave_the_folder() {
        assert_eq!(path("a").join("b/c"), Ok(path("a/b/c")));
        assert_eq!(path("a").join("../b"), Err(PathError::NotNormal));
        assert_eq!(path("a").join("/b"), Err(PathError::NotNormal));
    }

    #[test]
    fn folder_holds_what_lies_below_it_and_not_its_neighbours() {
        assert!(path("notes/a.md").is_within("notes"));
        assert!(path("notes/a.md").is_within(""));
        assert!(!path("notes.md").is_within("notes"));
        assert!(!path("notes").is_within("notes"));
    }

    #[test]
    fn paths_are_ordered_by_bytes() {
        let mut paths = ["b", "a/b", "é", "a.md", "Z"].map(path);
        paths.sort();
        assert_eq!(paths, ["Z", "a.md", "a/b", "b", "é"].map(path));
    }

    #[test]
    fn path_read_from_json_is_checked() {
        let read = |json: &str| serde_json::from_str::<RelPath>(json).ok();

        assert_eq!(read(r#""caf\u00e9/a.md""#), Some(path("café/a.md")));
        assert_eq!(read(r#""..\/etc/passwd""#), None);
        assert_eq!(serde_json::to_string(&path("a/b")).unwrap(), r#""a/b""#);
    }
}
