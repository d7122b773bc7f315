//! The daemon as a process: the folders that it alone holds, what it keeps of whoever
//! started it, and what it tells the manager that did.

mod claims;
mod inherited;
mod notify;

pub(crate) use claims::{ClaimError, Claims};
pub(crate) use inherited::{detach, leave_folder, umask};
pub(crate) use notify::{Told, tell};
