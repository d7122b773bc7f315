//! Where a file stands on a backend, relative to the project's root there.

use std::fmt;

/// A normal relative path on a backend: segments joined by `/`, none empty,
/// none `.` or `..`. The empty path is the root, used as a listing prefix.
///
/// Mirrored paths come from [`mirror_core::RelPath`], which refuses far more;
/// our own files under `_mirror/` are made here.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RemotePath(String);

/// Where our own files stand on a backend; everything else is the view.
pub const OUR_FOLDER: &str = "_mirror";

/// The text is no normal relative path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a normal relative path")]
pub struct RemotePathError(pub String);

impl RemotePath {
    pub const ROOT: Self = Self(String::new());

    /// The longest path that is listed, in bytes: four times what a project takes.
    pub const LONGEST: usize = 4_096;

    pub fn new(text: impl Into<String>) -> Result<Self, RemotePathError> {
        let text = text.into();
        let normal =
            text.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\0'));
        if text.is_empty() || normal { Ok(Self(text)) } else { Err(RemotePathError(text)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last segment; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The folders this lies in, from the outermost, without the root.
    pub fn folders(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.match_indices('/').map(|(end, _)| Self(self.0[..end].to_owned()))
    }

    /// Whether this lies in our own folder, so outside of the view.
    pub fn is_ours(&self) -> bool {
        self.0.split('/').next() == Some(OUR_FOLDER)
    }

    /// Whether this is a name aside, made for one rename.
    pub(crate) fn is_aside(&self) -> bool {
        let mut names = self.0.split('/');
        names.next() == Some(OUR_FOLDER) && names.next() == Some("aside")
    }

    /// Whether this is `folder` or lies below it.
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.is_root()
            || self
                .0
                .strip_prefix(&folder.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl From<&mirror_core::RelPath> for RemotePath {
    fn from(path: &mirror_core::RelPath) -> Self {
        Self(path.as_str().to_owned())
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for RemotePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RemotePath({:?})", self.0)
    }
}
