//! Other programs that bring the same files to the same server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::place::timed;
use super::server::FarServer;
use super::support::servers::program;

/// `rsync -a` over the same `ssh` that we use; `None` where there is none.
pub(crate) fn rsync(server: &FarServer, folder: &Path) -> Option<Duration> {
    let ssh = format!(
        "ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none \
         -o UserKnownHostsFile={} -i {} -p {}",
        server.known_hosts(),
        server.key(),
        server.port()
    );
    let mut rsync = Command::new(program("rsync")?);
    rsync.args(["-a", "-e", &ssh, "./", &server.named(&server.new_root())]).current_dir(folder);
    Some(timed(&mut rsync))
}

/// Where `rclone` lies, if it is anywhere.
pub(crate) fn rclone() -> Option<PathBuf> {
    std::env::var_os("RCLONE").map(PathBuf::from).or_else(|| program("rclone"))
}

/// `rclone sync` with so many transfers at once, asking for no digests.
pub(crate) fn rclone_sync(
    rclone: &Path,
    transfers: usize,
    server: &FarServer,
    folder: &Path,
) -> Duration {
    let to = format!(":sftp:{}", server.new_root().display());
    let mut command = Command::new(rclone);
    command
        .args(["sync", "--config", "", "--sftp-host", "127.0.0.1", "--sftp-port", &server.port()])
        .args(["--sftp-user", server.user(), "--sftp-key-file", &server.key()])
        .args(["--sftp-disable-hashcheck", "--transfers", &transfers.to_string(), ".", &to])
        .current_dir(folder);
    timed(&mut command)
}
