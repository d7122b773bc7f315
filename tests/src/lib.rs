//! Holds nothing: the tests are one binary, `all.rs` beside this folder.
