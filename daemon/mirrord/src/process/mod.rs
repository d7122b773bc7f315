//! The daemon as a process: the folders that it alone holds, and what it keeps of
//! whoever started it.

mod claims;
mod inherited;

pub(crate) use claims::{ClaimError, Claims};
pub(crate) use inherited::{detach, leave_folder, umask};
