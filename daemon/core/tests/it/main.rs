//! Promises of the core that take more than one module, or git, to test.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod convergence;
mod dice;
mod exhaustive;
mod gitignore;
mod merge;
mod model;
