//! Writing the working tree from the log (B9), and settling what a crash left of it.

pub(crate) mod faults;
pub(crate) mod merged;
pub(crate) mod recover;
pub(crate) mod remove;
pub(crate) mod temp_files;
pub(crate) mod write;
