//! Hints from the events of this machine's file system, where it gives any.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod inotify;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod watched;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use inotify::FolderEvents;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub use none::FolderEvents;

/// Systems whose events are not asked for.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod none {
    use std::path::Path;

    use crate::Changes;

    #[derive(Debug, Default)]
    pub struct FolderEvents;

    impl FolderEvents {
        pub(in super::super) fn watch(&self, _folder: &Path) -> Option<Box<dyn Changes>> {
            None
        }
    }
}
