//! Starts the daemon, once for however many clients ask at the same time.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mirror_proto::PROTOCOL;
use mirror_proto::socket::prepare_folder;
use mirror_proto::v1::FaultClass;
use tokio::time::{Instant, sleep};

use super::start_lock::StartLock;
use super::{Daemon, FAREWELL, Fit, PAUSE, Socket, VERSION, fit, misfit, reach};
use crate::failure::Failure;
use crate::paths;

/// How long a daemon may take to listen.
const START: Duration = Duration::from_secs(10);

/// How mirrord ends when another one holds the socket's lock.
const SECOND_DAEMON: i32 = 3;

/// The last lines of what the daemon said are enough to see why it ended.
const SAID_LINES: usize = 3;

/// A daemon that fits, started or put in the place of an outdated one.
pub(super) async fn start(
    path: &Path,
    find: impl Fn() -> Result<PathBuf, Failure>,
) -> Result<Daemon, Failure> {
    prepare_folder(path)?;
    let socket = Socket::Usual(path.to_owned());
    let lock = StartLock::beside(path)?;
    let deadline = Instant::now() + START + FAREWELL;
    loop {
        // Ask for the lock first: whoever had it before us has started one by
        // the time we look.
        let is_mine = lock.try_acquire()?;
        match (reach(&socket).await?, is_mine) {
            (Some(daemon), _) => match (fit(&daemon.handshake, VERSION, PROTOCOL), is_mine) {
                (Fit::Fits, _) => return Ok(daemon),
                (Fit::Misfit, _) => return Err(misfit(&daemon.handshake)),
                (Fit::Outdated, true) => daemon.stop().await?,
                (Fit::Outdated, false) => {}
            },
            (None, true) => return launch(&find()?, &socket).await,
            (None, false) => {}
        }
        if Instant::now() > deadline {
            return Err(Failure::no_daemon(
                FaultClass::Transient,
                "another mirrorctl is starting the daemon, and none answers",
            )
            .with_hint("`mirrorctl daemon logs` says why"));
        }
        sleep(PAUSE).await;
    }
}

async fn launch(program: &Path, socket: &Socket) -> Result<Daemon, Failure> {
    let said = socket.path().with_extension("start.log");
    let mut child = spawn(program, &said)?;
    let deadline = Instant::now() + START;
    loop {
        // Looked at before the socket: one that ended because another was
        // faster leaves that one to be found.
        let ended = child.try_wait()?;
        if let Some(daemon) = reach(socket).await? {
            return Ok(daemon);
        }
        let what = match ended {
            // Whoever holds the lock doesn't answer: it starts or dies, and a
            // killed daemon's last fsync can outlast its process by a moment.
            Some(status) if status.code() == Some(SECOND_DAEMON) && Instant::now() < deadline => {
                sleep(PAUSE).await;
                child = spawn(program, &said)?;
                continue;
            }
            Some(status) => format!("mirrord ended at once, {status}"),
            None if Instant::now() > deadline => {
                "mirrord was started but does not answer".to_owned()
            }
            None => {
                sleep(PAUSE).await;
                continue;
            }
        };
        let message = [what].into_iter().chain(last_lines(&said)).collect::<Vec<_>>();
        return Err(Failure::no_daemon(FaultClass::Internal, message.join(": "))
            .with_hint("`mirrorctl daemon logs` says more; `mirrord` alone starts it in front"));
    }
}

/// Left alone, glibc keeps for good what the largest push ever took; a daemon
/// rests most of its life. Other C libraries ignore these.
const THRIFT: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_MMAP_THRESHOLD_", "524288"),
    ("MALLOC_TRIM_THRESHOLD_", "2097152"),
];

/// Starts it in a group of its own, so that Ctrl-C here doesn't reach it.
fn spawn(program: &Path, said: &PathBuf) -> Result<Child, Failure> {
    let stderr =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(said)?;
    let mut command = Command::new(program);
    command
        .arg("--on-demand")
        // It outlives the folder that we happen to be in.
        .current_dir("/")
        .process_group(0)
        .envs(THRIFT.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr);
    if let Some(home) = std::env::var_os("MIRRORD_HOME").filter(|home| !home.is_empty()) {
        command.env("MIRRORD_HOME", std::path::absolute(home)?);
    }
    command.spawn().map_err(|error| {
        let message = format!("{} can't be started: {error}", paths::shown(program));
        Failure::no_daemon(FaultClass::Internal, message)
            .with_hint("install mirrord beside mirrorctl, or let MIRRORD_BIN name it")
    })
}

fn last_lines(said: &Path) -> Option<String> {
    let bytes = fs::read(said).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(SAID_LINES)..];
    (!last.is_empty()).then(|| last.join(" / "))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixListener;
    use tokio::task::JoinSet;

    use super::*;
    use crate::tests::testing::FakeDaemon;

    /// A folder with a program in it that counts its starts.
    struct Place {
        folder: TempDir,
        program: PathBuf,
        socket: PathBuf,
    }

    impl Place {
        fn with_program(script: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let program = folder.path().join("mirrord");
            let text = format!("#!/bin/sh\ncd {}\n{script}\n", folder.path().display());
            fs::write(&program, text).expect("written");
            fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("set");
            let socket = folder.path().join("run/mirrord.sock");
            prepare_folder(&socket).expect("made");
            Self { folder, program, socket }
        }

        /// The program is only counted, and ends with its folder; this process
        /// plays the daemon.
        fn with_counted_program() -> Self {
            Self::with_program("echo start >> starts\nwhile [ -d run ]; do sleep 0.02; done")
        }

        /// The first starts find the lock taken by nobody who answers.
        fn with_counted_program_after_a_dying_one() -> Self {
            Self::with_program(
                "[ -e dying3 ] && echo start >> starts && while [ -d run ]; do sleep 0.02; done\n\
                 for count in 1 2 3; do mkdir \"dying$count\" 2>&- && exit 3; done",
            )
        }

        fn count_starts(&self) -> usize {
            let starts = fs::read_to_string(self.folder.path().join("starts"));
            starts.unwrap_or_default().lines().count()
        }

        async fn answers_once_started(&self) {
            while self.count_starts() == 0 {
                sleep(PAUSE).await;
            }
            FakeDaemon::default().serve(&self.socket);
        }

        async fn starts(&self) -> Result<Daemon, Failure> {
            start(&self.socket, || Ok(self.program.clone())).await
        }
    }

    #[tokio::test]
    async fn ten_clients_at_once_start_one_daemon() {
        let place = Place::with_counted_program();
        let mut clients = JoinSet::new();
        for _ in 0..10 {
            let (socket, program) = (place.socket.clone(), place.program.clone());
            clients.spawn(async move { start(&socket, || Ok(program.clone())).await });
        }

        place.answers_once_started().await;

        for daemon in clients.join_all().await {
            daemon.expect("connected");
        }
        assert_eq!(place.count_starts(), 1);
    }

    #[tokio::test]
    async fn daemon_that_dies_before_it_says_hello_is_followed_by_another() {
        for heard in [0, 1] {
            let place = Place::with_counted_program();
            let dying = UnixListener::bind(&place.socket).expect("bound");
            let dies = async move {
                let (mut connection, _) = dying.accept().await.expect("met");
                connection.read_exact(&mut vec![0; heard]).await.expect("heard");
            };

            let connects = async { place.starts().await.expect("connected") };

            tokio::join!(connects, dies, place.answers_once_started());

            assert_eq!(place.count_starts(), 1);
        }
    }

    #[tokio::test]
    async fn daemon_whose_predecessor_is_still_dying_is_started_again() {
        let place = Place::with_counted_program_after_a_dying_one();

        let (daemon, ()) = tokio::join!(place.starts(), place.answers_once_started());

        daemon.expect("connected");
        assert_eq!(place.count_starts(), 1);
    }

    #[tokio::test]
    async fn older_daemon_that_a_client_started_makes_room() {
        let place = Place::with_counted_program();
        FakeDaemon::default().started_by("0.0.1").serve(&place.socket);

        let (daemon, ()) = tokio::join!(place.starts(), place.answers_once_started());

        assert_eq!(daemon.expect("connected").handshake.version, VERSION);
        assert_eq!(place.count_starts(), 1);
    }

    #[tokio::test]
    async fn program_that_ends_is_reported_with_its_last_words() {
        let script = "for word in one two three \"$1\"; do echo \"$word\" >&2; done; exit 4";
        let place = Place::with_program(script);

        let failure = place.starts().await.expect_err("failed");

        assert_eq!(failure.exit.code(), 5);
        let message = &failure.fault.message;
        assert!(message.ends_with("exit status: 4: two / three / --on-demand"), "{message}");
    }
}
