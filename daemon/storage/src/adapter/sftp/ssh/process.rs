//! Runs `ssh`: to carry a line to a server, or to hear what it says of one.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::super::config::SftpAccount;
use super::super::wire::{Carrier, Line};
use super::fault::SftpFault;

/// How much of what `ssh` writes is kept to tell a cause from.
const MOST_SAID: u64 = 64 * 1024;

/// How long `ssh` may take to get as far as it got before.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `ssh`, ended with all that it has started: a `ProxyCommand` may
/// wait for a dead line for ever.
struct Ssh {
    child: Child,
    said: JoinHandle<String>,
}

impl Drop for Ssh {
    fn drop(&mut self) {
        // Nobody has waited for it yet, so the number is still its own.
        let group = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[async_trait]
impl Carrier for Ssh {
    async fn last_words(&mut self) -> String {
        (&mut self.said).await.unwrap_or_default()
    }
}

/// Starts `ssh`, and gives the line that it carries to the account's server.
pub(super) fn open_line(account: &SftpAccount) -> Result<Line, SftpFault> {
    let mut child = spawn(account)?;
    let (to, from) = child.stdin.take().zip(child.stdout.take()).expect("both are piped");
    let said = tokio::spawn(read_stderr(child.stderr.take()));
    let carrier = Ssh { child, said };
    Ok(Line { to: Box::new(to), from: Box::new(from), carrier: Some(Box::new(carrier)) })
}

/// In a process group of its own: Ctrl-C at a terminal isn't meant for it.
fn spawn(account: &SftpAccount) -> Result<Child, SftpFault> {
    if !account.is_plain_host() {
        return Err(SftpFault::HostUnknown);
    }
    if !account.has_its_key() {
        return Err(SftpFault::KeyUnreadable);
    }
    Command::new("ssh")
        .args(account.arguments())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|_| SftpFault::NoSsh)
}

/// All that `ssh` says on its way to the account's server, as strict as ever.
pub(super) async fn hear_login(account: &SftpAccount) -> Option<String> {
    let mut ssh = Command::new("ssh")
        .arg("-v")
        .args(account.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    timeout(PATIENCE, read_stderr(ssh.stderr.take())).await.ok()
}

/// All that `ssh` writes until it closes, as far as it is kept.
async fn read_stderr(stderr: Option<ChildStderr>) -> String {
    let mut said = Vec::new();
    let Some(mut stderr) = stderr else { return String::new() };
    let _ = (&mut stderr).take(MOST_SAID).read_to_end(&mut said).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&said).into_owned()
}
