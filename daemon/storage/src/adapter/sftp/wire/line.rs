//! Looks after one running `ssh`: feeds it, reads it, and tells why it ended.
//!
//! A server that falls silent while answers are due is given up after a while;
//! as long as bytes move, either way, it may take all the time it needs. One
//! that forgets an answer among many others is given up too.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::num::NonZeroUsize;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use openssh_sftp_client_lowlevel::{Error, Extensions, Queue, ReadEnd, SharedData, connect};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::super::config::SftpAccount;
use super::super::ssh::exit_reason::{SftpFault, lost_by, told_by};
use super::filter::{Gate, Pulse};
use super::session::{Buffer, End, Requests};

type Shared = SharedData<Buffer, Outgoing>;
type Answers = ReadEnd<Gate<Box<dyn AsyncRead + Send + Unpin>>, Buffer, Outgoing>;

/// How much of what `ssh` writes is kept to tell a cause from.
const MOST_SAID: u64 = 64 * 1024;

/// How long `ssh` may take for its last words once the session is over.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long a server may at least be silent until it greets: a login takes its
/// time on a busy machine.
const WELCOME: Duration = Duration::from_secs(30);

const READ_BUFFER: usize = 64 * 1024;
const WRITE_BUFFER: usize = 256 * 1024;

/// Requests on their way into `ssh`.
#[derive(Debug)]
pub(in crate::adapter::sftp) struct Outgoing {
    waiting: Mutex<Vec<Bytes>>,
    wake: Notify,
    pulse: Arc<Pulse>,
}

impl Outgoing {
    fn add(&self, header: Bytes, body: impl Iterator<Item = Bytes>) {
        self.pulse.ask(&header);
        let mut waiting = self.waiting.lock().expect("no panic while held");
        waiting.push(header);
        waiting.extend(body);
        drop(waiting);
        self.wake.notify_one();
    }

    fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut *self.waiting.lock().expect("no panic while held"))
    }
}

/// The library's word for where requests go; a write is one in two parts.
impl Queue for Outgoing {
    fn push(&self, bytes: Bytes) {
        self.add(bytes, std::iter::empty());
    }

    fn extend(&self, header: Bytes, body: &[&[Bytes]]) {
        self.add(header, body.iter().flat_map(|parts| parts.iter().cloned()));
    }
}

/// A session that has begun, and may not have been greeted yet.
#[derive(Debug)]
pub(in crate::adapter::sftp) struct Started {
    pub(in crate::adapter::sftp) requests: Requests,
    pub(in crate::adapter::sftp) end: End,
    pub(in crate::adapter::sftp) greeting: watch::Receiver<Option<Extensions>>,
    pub(in crate::adapter::sftp) leave: Arc<Notify>,
    pub(in crate::adapter::sftp) tending: AbortHandle,
}

/// Both ways to the server, and the `ssh` that carries them.
pub(in crate::adapter::sftp) struct Line {
    pub(in crate::adapter::sftp) to: Box<dyn AsyncWrite + Send + Unpin>,
    pub(in crate::adapter::sftp) from: Box<dyn AsyncRead + Send + Unpin>,
    /// None where a test plays the server.
    pub(in crate::adapter::sftp) ssh: Option<Ssh>,
}

/// A running `ssh`, ended with all that it has started: a `ProxyCommand` may
/// wait for a dead line for ever.
pub(in crate::adapter::sftp) struct Ssh(Child);

impl Drop for Ssh {
    fn drop(&mut self) {
        // Nobody has waited for it yet, so the number is still its own.
        let group = self.0.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Line {
    /// Starts `ssh`.
    pub(in crate::adapter::sftp) fn to(account: &SftpAccount) -> Result<Self, SftpFault> {
        let mut ssh = spawned(account)?;
        let (to, from) = (ssh.0.stdin.take(), ssh.0.stdout.take());
        let (to, from) = to.zip(from).expect("both are piped");
        Ok(Self { to: Box::new(to), from: Box::new(from), ssh: Some(ssh) })
    }
}

/// Starts the task that looks after `line`.
pub(in crate::adapter::sftp) fn start(
    line: Line,
    patience: Duration,
) -> Result<Started, SftpFault> {
    let Line { to, from, ssh } = line;
    let pulse = Arc::new(Pulse::new());
    let outgoing =
        Outgoing { waiting: Mutex::default(), wake: Notify::new(), pulse: pulse.clone() };
    let requests: Requests = connect(outgoing, ()).map_err(|_| SftpFault::broken())?;
    let shared: Shared = (*requests).clone();
    let buffer = NonZeroUsize::new(READ_BUFFER).expect("not zero");
    let answers = ReadEnd::new(Gate::new(from, pulse.clone()), buffer, shared.clone());
    let (ended, end) = watch::channel(None);
    let (greeted, greeting) = watch::channel(None);
    let leave = Arc::new(Notify::new());
    let tended = Tended { ssh, pulse, patience, leave: leave.clone() };
    let tending = tokio::spawn(async move {
        let fault = tended.until_the_end(to, shared.queue(), answers, &greeted).await;
        ended.send_replace(Some(fault));
    });
    Ok(Started { requests, end, greeting, leave, tending: tending.abort_handle() })
}

/// In a process group of its own: Ctrl-C at a terminal isn't meant for it.
fn spawned(account: &SftpAccount) -> Result<Ssh, SftpFault> {
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
        .map(Ssh)
        .map_err(|_| SftpFault::NoSsh)
}

struct Tended {
    ssh: Option<Ssh>,
    pulse: Arc<Pulse>,
    patience: Duration,
    leave: Arc<Notify>,
}

/// What was seen first of a session's end.
enum Seen {
    /// `ssh` closed its side, or the library can't go on.
    Broken(Error),
    Silence,
}

impl Tended {
    async fn until_the_end(
        mut self,
        to: Box<dyn AsyncWrite + Send + Unpin>,
        outgoing: &Outgoing,
        answers: Answers,
        greeted: &watch::Sender<Option<Extensions>>,
    ) -> SftpFault {
        let stderr = self.ssh.as_mut().and_then(|ssh| ssh.0.stderr.take());
        let said = tokio::spawn(all_said(stderr));
        let seen = tokio::select! {
            biased;
            error = answered(answers, greeted) => Seen::Broken(error),
            () = self.silent(greeted) => Seen::Silence,
            never = written(to, outgoing, &self.leave) => match never {},
        };
        if matches!(seen, Seen::Silence) {
            return SftpFault::TimedOut;
        }
        // Its words may come a little after it closed its side.
        let said = timeout(LAST_WORDS, said).await.ok().and_then(Result::ok).unwrap_or_default();
        let is_open = greeted.borrow().is_some();
        cause(&seen, &said, is_open)
    }

    async fn silent(&self, greeted: &watch::Sender<Option<Extensions>>) {
        let patience = || match greeted.borrow().is_some() {
            true => self.patience,
            false => self.patience.max(WELCOME),
        };
        while let Some(rest) = self.pulse.rest(patience()) {
            tokio::time::sleep(rest.min(self.patience)).await;
        }
    }
}

fn cause(seen: &Seen, said: &str, is_open: bool) -> SftpFault {
    match seen {
        Seen::Silence => SftpFault::TimedOut,
        Seen::Broken(Error::IOError(error)) if error.kind() == io::ErrorKind::InvalidData => {
            if is_open {
                SftpFault::broken()
            } else {
                SftpFault::ShellTalks
            }
        }
        Seen::Broken(Error::IOError(_)) if is_open => lost_by(said),
        Seen::Broken(Error::IOError(_)) => told_by(said).unwrap_or(SftpFault::NoSftp),
        Seen::Broken(Error::UnsupportedSftpProtocol { .. }) => SftpFault::NoSftp,
        Seen::Broken(_) => SftpFault::broken(),
    }
}

/// Writes what comes, many requests at once where many wait; when it is time
/// to leave, closes `ssh`'s side after the last one.
async fn written(
    mut to: impl AsyncWrite + Unpin,
    outgoing: &Outgoing,
    leave: &Notify,
) -> Infallible {
    let mut is_leaving = false;
    loop {
        let waiting = outgoing.take();
        if waiting.is_empty() {
            if is_leaving {
                break;
            }
            tokio::select! {
                () = outgoing.wake.notified() => {}
                () = leave.notified() => is_leaving = true,
            }
        } else if written_all(&mut to, waiting, &outgoing.pulse).await.is_err() {
            break;
        }
    }
    drop(to);
    // What follows is for the other side to say.
    pending().await
}

async fn written_all(
    to: &mut (impl AsyncWrite + Unpin),
    waiting: Vec<Bytes>,
    pulse: &Pulse,
) -> io::Result<()> {
    let mut together = BytesMut::with_capacity(WRITE_BUFFER);
    for part in waiting {
        if together.len() + part.len() > WRITE_BUFFER {
            write_out(to, &together, pulse).await?;
            together.clear();
        }
        if part.len() > WRITE_BUFFER {
            write_out(to, &part, pulse).await?;
        } else {
            together.extend_from_slice(&part);
        }
    }
    write_out(to, &together, pulse).await
}

async fn write_out(
    to: &mut (impl AsyncWrite + Unpin),
    mut bytes: &[u8],
    pulse: &Pulse,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let len = to.write(bytes).await?;
        pulse.beat();
        bytes = &bytes[len..];
    }
    Ok(())
}

async fn answered(mut answers: Answers, greeted: &watch::Sender<Option<Extensions>>) -> Error {
    match answers.receive_server_hello().await {
        Ok(can) => greeted.send_replace(Some(can)),
        Err(error) => return error,
    };
    loop {
        if let Err(error) = answers.read_in_one_packet().await {
            return error;
        }
    }
}

pub(in crate::adapter::sftp) async fn all_said(stderr: Option<ChildStderr>) -> String {
    let mut said = Vec::new();
    let Some(mut stderr) = stderr else { return String::new() };
    let _ = (&mut stderr).take(MOST_SAID).read_to_end(&mut said).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&said).into_owned()
}
