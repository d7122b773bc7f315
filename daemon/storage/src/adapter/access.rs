//! With which rights files and folders are made, on services that have modes.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::Access;

/// What was asked for last; shared by all calls of one backend.
#[derive(Debug, Default)]
pub(super) struct AskedAccess(AtomicU8);

impl AskedAccess {
    pub(super) fn set(&self, access: Access) {
        let number = match access {
            Access::Owner => 1,
            Access::Group => 2,
            Access::World => 3,
        };
        self.0.store(number, Ordering::Relaxed);
    }

    pub(super) fn rights(&self) -> Rights {
        Rights(match self.0.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Access::Owner),
            2 => Some(Access::Group),
            _ => Some(Access::World),
        })
    }
}

/// The modes that one call makes files and folders with. `None` stands for those
/// that the system gives by itself, which nobody has to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights(Option<Access>);

impl Rights {
    pub(super) fn of_file(self, is_private: bool) -> Option<u32> {
        match self.0 {
            _ if is_private => Some(0o600),
            None => None,
            Some(Access::Owner) => Some(0o600),
            Some(Access::Group) => Some(0o660),
            Some(Access::World) => Some(0o664),
        }
    }

    /// A shared folder gives its group to what is made in it.
    pub(super) fn of_folder(self) -> Option<u32> {
        Some(match self.0? {
            Access::Owner => 0o700,
            Access::Group => 0o2770,
            Access::World => 0o2775,
        })
    }

    /// Whether others than the owner are to use what is made, whatever the umask.
    pub(super) fn is_shared(self) -> bool {
        matches!(self.0, Some(Access::Group | Access::World))
    }
}
