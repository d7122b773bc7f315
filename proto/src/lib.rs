//! The contract between clients and the daemon: package `mirror.v1`.
//!
//! Generated code, the number that both sides compare first, and how a daemon is
//! found: that too is part of the contract, because each side has to come to the
//! same folders without asking the other.

#[cfg(all(unix, feature = "socket"))]
pub mod folders;
#[cfg(all(unix, feature = "socket"))]
pub mod holder;
#[cfg(all(unix, feature = "socket"))]
pub mod socket;

/// Grows when an older daemon could misunderstand a client.
pub const PROTOCOL: u32 = 4;

/// Types and stubs of package `mirror.v1`.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_debug_implementations,
    unreachable_pub,
    reason = "generated code"
)]
pub mod v1 {
    tonic::include_proto!("mirror.v1");
}
