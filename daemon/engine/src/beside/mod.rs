//! What a reader has instead of the real thing, so that it changes nothing: a
//! reader answers beside the job that runs in its project (S5).

mod backend;
mod disk;
mod store;
mod tree;
mod watch;

pub(crate) use backend::ContentsAlone;
pub use backend::NoBackend;
pub(crate) use disk::OverlayDisk;
pub(crate) use store::{NoStore, ReadStore};
pub(crate) use tree::ReadTree;
pub(crate) use watch::PeekingWatch;
