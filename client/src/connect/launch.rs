//! Starts the daemon, once for however many clients ask at the same time.

use std::fs::{self, DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mirror_proto::PROTOCOL;
use mirror_proto::folders::Folders;
use mirror_proto::socket::check_owner;
use mirror_proto::v1::FaultClass;
use tokio::time::{Instant, sleep};

use super::daemon::{Daemon, FAREWELL, PAUSE, Socket, VERSION};
use super::find::{Found, find};
use super::fit::{Fit, fit, misfit};
use super::silent::silent;
use super::start_lock::{StartLock, unusable};
use super::stop::ask_to_end;
use crate::failure::Failure;
use crate::paths;
use crate::service::{Service, THRIFT};

/// How long a daemon may take to listen.
const START: Duration = Duration::from_secs(10);

/// The same for a service, that a start of our own follows.
const SERVICE_START: Duration = Duration::from_secs(5);

/// How mirrord ends when another one holds its folders.
const SECOND_DAEMON: i32 = 3;

/// The last lines of what the daemon said are enough to see why it ended.
const SAID_LINES: usize = 3;

/// A daemon that fits, started or put in the place of an outdated one.
pub(super) async fn start(
    folders: &Folders,
    find_program: impl Fn() -> Result<PathBuf, Failure>,
) -> Result<Daemon, Failure> {
    for folder in folders.held() {
        check_owner(folder)?;
    }
    make_folder(&folders.state)?;
    let socket = Socket::Usual(folders.clone());
    let lock = StartLock::in_folder(&folders.state)?;
    let deadline = Instant::now() + START + FAREWELL;
    loop {
        // Ask for the lock first: whoever had it before us has started one by
        // the time we look.
        let is_mine = lock.try_acquire()?;
        let unseen = match (find(&socket).await?, is_mine) {
            (Found::Answers(daemon), _) => match fit(&daemon.handshake, VERSION, PROTOCOL) {
                Fit::Fits => return Ok(daemon),
                Fit::Misfit => return Err(misfit(&daemon.handshake)),
                Fit::Outdated if is_mine => {
                    ask_to_end(daemon, Some(folders)).await?;
                    continue;
                }
                Fit::Outdated => None,
            },
            (Found::Nobody, true) => return launch(&find_program()?, &socket, folders).await,
            (Found::Nobody, false) => None,
            // Nothing that happens here brings it nearer.
            (Found::Silent(Some(holder)), _) if !holder.is_of_this_host() => {
                return Err(silent(Some(&holder)));
            }
            (Found::Silent(holder), _) => Some(silent(holder.as_ref())),
        };
        if Instant::now() > deadline {
            return Err(unseen.unwrap_or_else(|| {
                Failure::no_daemon(
                    FaultClass::Transient,
                    "another mirrorctl is starting the daemon, and none answers",
                )
                .with_hint("`mirrorctl daemon logs` says why")
            }));
        }
        sleep(PAUSE).await;
    }
}

async fn launch(program: &Path, socket: &Socket, folders: &Folders) -> Result<Daemon, Failure> {
    if let Some(daemon) = launch_service(program, socket, folders).await? {
        return Ok(daemon);
    }
    let said = folders.state.join("mirrord.start.log");
    let mut child = spawn(program, &said)?;
    let deadline = Instant::now() + START;
    loop {
        // Looked at before the socket: one that ended because another was
        // faster leaves that one to be found. Where whoever started us has its
        // children's results thrown away, there is none to look at.
        let ended = child.try_wait().ok().flatten();
        let found = find(socket).await?;
        if let Found::Answers(daemon) = found {
            return Ok(daemon);
        }
        let what = match ended {
            // Whoever holds the folders doesn't answer: it starts or dies, and a
            // killed daemon's last fsync can outlast its process by a moment.
            Some(status) if status.code() == Some(SECOND_DAEMON) && Instant::now() < deadline => {
                sleep(PAUSE).await;
                if matches!(found, Found::Nobody) {
                    child = spawn(program, &said)?;
                }
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

/// The daemon as the service that it is to be here; `None` where it is none, or
/// the service doesn't come up, whose reason a start of our own then shows.
async fn launch_service(
    program: &Path,
    socket: &Socket,
    folders: &Folders,
) -> Result<Option<Daemon>, Failure> {
    let is_of_login = Folders::from_environment().is_ok_and(|usual| usual == *folders);
    let service = is_of_login.then(|| Service::of(program.to_owned(), folders)).transpose();
    let Ok(Some(service)) = service else { return Ok(None) };
    if !service.is_enabled() || !service.start() {
        return Ok(None);
    }
    let deadline = Instant::now() + SERVICE_START;
    while Instant::now() < deadline {
        if let Found::Answers(daemon) = find(socket).await? {
            return Ok(Some(daemon));
        }
        sleep(PAUSE).await;
    }
    Ok(None)
}

/// Makes the state folder, closed to others as the daemon would have it.
fn make_folder(state: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(state);
    made.map_err(|error| unusable(state, &error))
}

/// Starts it with nothing of ours but the environment and the umask: what else it
/// has from us it lets go of itself.
fn spawn(program: &Path, said: &PathBuf) -> Result<Child, Failure> {
    let stderr =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(said)?;
    let mut command = Command::new(program);
    command
        .arg("--on-demand")
        .envs(THRIFT.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr);
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

    use mirror_proto::socket::prepare_folder;
    use tempfile::TempDir;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixListener;
    use tokio::task::JoinSet;

    use super::*;
    use crate::tests::testing::{FakeDaemon, folders_in};

    /// A folder with a program in it that counts its starts.
    struct Place {
        folder: TempDir,
        program: PathBuf,
        folders: Folders,
        socket: PathBuf,
    }

    impl Place {
        fn with_program(script: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let program = folder.path().join("mirrord");
            let text = format!("#!/bin/sh\ncd {}\n{script}\n", folder.path().display());
            fs::write(&program, text).expect("written");
            fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("set");
            let folders = folders_in(folder.path());
            let socket = folders.state.join("mirrord.sock");
            prepare_folder(&socket).expect("made");
            Self { folder, program, folders, socket }
        }

        /// The program is only counted, and ends with its folder; this process
        /// plays the daemon.
        fn with_counted_program() -> Self {
            Self::with_program("echo start >> starts\nwhile [ -d state ]; do sleep 0.02; done")
        }

        /// The first starts find the lock taken by nobody who answers.
        fn with_counted_program_after_a_dying_one() -> Self {
            Self::with_program(
                "[ -e dying3 ] && echo start >> starts && while [ -d state ]; do sleep 0.02; done\n\
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
            self.is_served(FakeDaemon::default());
        }

        fn is_served(&self, daemon: FakeDaemon) {
            daemon.with_state(&self.folders.state).serve(&self.socket);
        }

        async fn starts(&self) -> Result<Daemon, Failure> {
            start(&self.folders, || Ok(self.program.clone())).await
        }
    }

    #[tokio::test]
    async fn ten_clients_at_once_start_one_daemon() {
        let place = Place::with_counted_program();
        let mut clients = JoinSet::new();
        for _ in 0..10 {
            let (folders, program) = (place.folders.clone(), place.program.clone());
            clients.spawn(async move { start(&folders, || Ok(program.clone())).await });
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
        place.is_served(FakeDaemon::default().started_by("0.0.1"));

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
