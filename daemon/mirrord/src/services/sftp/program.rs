//! The program that the connections are made by.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::finding::Finding;

const PATIENCE: Duration = Duration::from_secs(10);

/// Absent where ssh is neither there nor needed.
pub(super) async fn ssh(is_needed: bool) -> Option<Finding> {
    let mut command = Command::new("ssh");
    command.arg("-V").stdin(Stdio::null()).kill_on_drop(true);
    match timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            // OpenSSH says its version on the error stream.
            let said = [output.stderr, output.stdout].concat();
            let said = String::from_utf8_lossy(&said);
            let version = said.lines().next().unwrap_or_default().trim().to_owned();
            Some(Finding::ok("ssh", version))
        }
        _ if is_needed => Some(Finding::fail(
            "ssh",
            "the program ssh can't be run, and sftp backends need it",
            "install the OpenSSH client, and see that `ssh -V` works where the daemon is started",
        )),
        _ => None,
    }
}
