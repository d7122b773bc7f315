//! Finds the programs under test, and builds them when nobody has.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the workspace.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace")
}

/// The folder that holds `mirrord` and `mirrorctl`: `MIRROR_TEST_BIN_DIR`, or
/// where this test itself was built.
pub(crate) fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| match env::var_os("MIRROR_TEST_BIN_DIR") {
        Some(folder) => folder.into(),
        None => build(),
    })
}

/// Cargo's own lock lets one build at a time into the folder.
fn build() -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let folder = test.ancestors().nth(2).expect("tests are built in <profile>/deps");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let programs = ["-p", "mirrord", "-p", "mirrorctl", "-p", "mirrorctl-mcp"];
    cargo.args(["build", "--locked"]).args(programs).current_dir(repository());
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo starts");
    assert!(status.success(), "the programs could not be built");
    folder.to_owned()
}
