//! What a person can do about a storage error, for whoever tells of one.
//!
//! An adapter that knows more says it beside the cause; what holds for every
//! service stands here.

use crate::{Cause, StorageError};

impl StorageError {
    /// What the person can do about it, where there is anything.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let known = self.cause().and_then(Cause::hint);
        known.or_else(|| self.usual_hint()).map(str::to_owned)
    }

    /// Which of the person's answers it is about: a part of the URL or the name
    /// of a key; `None` where it is none of them alone.
    #[must_use]
    pub fn about(&self) -> Option<&'static str> {
        match self {
            Self::Forbidden { .. } | Self::AccessLost => Some("path"),
            error => error.cause().and_then(Cause::about),
        }
    }

    fn usual_hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable(_) => "check that the backend is there, then run it again",
            Self::Throttled { .. } => "wait a little, then run it again",
            Self::CredentialsRefused(_) => "sign in again, then run it again",
            Self::AccessLost => "ask the owner of the backend's folder for access",
            Self::Full => {
                "free some space on the backend and run it again; nothing was half-written"
            }
            Self::Forbidden { path } if path.is_root() => {
                "make the backend's folder readable and writable for you"
            }
            Self::Forbidden { path } if path.is_ours() => {
                "another login may have made it for itself alone: `mirrorctl config set --shared \
                 shared_mode group` shares what is made from then on, and `chmod -R g+rwX` of the \
                 backend's folder, by its owner, what is there"
            }
            Self::Forbidden { .. } => {
                "it may be another login's, and private: then a machine of that login writes it \
                 with its next round, or its owner shares it (`chmod g+rw`)"
            }
            Self::Untrusted(_)
            | Self::Rejected { .. }
            | Self::Malformed(_)
            | Self::Source { .. } => {
                return None;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RemotePath;

    #[test]
    fn file_that_another_login_keeps_for_itself_is_told_from_a_closed_folder() {
        let hint = |path| StorageError::Forbidden { path }.hint().expect("a hint");
        assert!(hint(RemotePath::ROOT).starts_with("make the backend's folder readable"));
        let packs = RemotePath::new("_mirror/packs/a.zip").expect("a path");
        assert!(hint(packs).contains("shared_mode group"));
        assert!(hint(RemotePath::new("mine.md").expect("a path")).contains("another login's"));
    }

    #[test]
    fn hint_of_the_adapter_comes_before_the_usual_one() {
        let usual = StorageError::Unreachable("no answer".into());
        let known = Cause::from("no answer").with_hint("plug it in").concerning("host");
        let known = StorageError::Unreachable(known);

        assert!(usual.hint().is_some_and(|hint| hint != "plug it in"));
        assert_eq!(known.hint().as_deref(), Some("plug it in"));
        assert_eq!((usual.about(), known.about()), (None, Some("host")));
    }
}
