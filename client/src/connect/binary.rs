//! Finds the program of the daemon.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use mirror_proto::v1::FaultClass;
use rustix::fs::{Access, access};

use crate::failure::Failure;

const NAME: &str = "mirrord";

/// `$MIRRORD_BIN`, else the one beside this program, else the first on `PATH`.
pub(crate) fn find() -> Result<PathBuf, Failure> {
    let ourselves = env::current_exe().ok();
    match env::var_os("MIRRORD_BIN").filter(|value| !value.is_empty()) {
        Some(named) => search(&[PathBuf::from(&named)], "where MIRRORD_BIN says"),
        None => search(
            &candidates(ourselves.as_deref(), env::var_os("PATH")),
            "beside mirrorctl and in the folders of PATH",
        ),
    }
}

/// Where to look, in order.
fn candidates(ourselves: Option<&Path>, path: Option<OsString>) -> Vec<PathBuf> {
    let beside = ourselves.and_then(Path::parent).map(Path::to_owned);
    let path = path.unwrap_or_default();
    // An empty entry would mean the current folder, whoever filled it.
    let folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    let all = beside.into_iter().chain(folders);
    all.map(|folder| folder.join(NAME)).collect()
}

fn search(candidates: &[PathBuf], places: &str) -> Result<PathBuf, Failure> {
    let is_program = |path: &&PathBuf| path.is_file() && access(*path, Access::EXEC_OK).is_ok();
    match candidates.iter().find(is_program) {
        Some(found) => Ok(std::path::absolute(found)?),
        None => Err(Failure::no_daemon(
            FaultClass::NotFound,
            format!("no mirrord found: looked {places}"),
        )
        .with_hint("install mirrord beside mirrorctl, or let MIRRORD_BIN name it")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn own_folder_comes_before_the_path() {
        let path = OsString::from("/usr/bin::relative:/bin");
        assert_eq!(
            candidates(Some(Path::new("/here/mirrorctl")), Some(path)),
            ["/here/mirrord", "/usr/bin/mirrord", "/bin/mirrord"].map(PathBuf::from)
        );
    }

    #[test]
    fn only_a_program_that_may_run_is_found() {
        let place = tempfile::tempdir().expect("a folder");
        let [plain, program] = ["plain", "program"].map(|name| place.path().join(name));
        for (path, mode) in [(&plain, 0o644), (&program, 0o755)] {
            fs::write(path, "#!/bin/sh\n").expect("written");
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
        }
        let all = [place.path().to_owned(), plain.clone(), program.clone()];

        assert_eq!(search(&all, "here").expect("found"), program);

        let failure = search(&[plain], "where it is not").expect_err("none");
        assert_eq!(failure.exit.code(), 5);
        assert!(failure.fault.message.ends_with("looked where it is not"));
    }
}
