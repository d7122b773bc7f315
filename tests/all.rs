//! Every test that crosses crates, in one binary: each is linked only once.

mod conformance;
mod scenarios;
mod support;
mod tidy;
