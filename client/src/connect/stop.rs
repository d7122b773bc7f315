//! Ends the daemon, also one that can't be spoken to any more.

use std::time::Duration;

use mirror_proto::folders::Folders;
use mirror_proto::holder::{Held, Holder, holder_of, is_running};
use mirror_proto::v1::StopDaemonRequest;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::daemon::{Daemon, FAREWELL, PAUSE, SOCKET_ANEW, Socket};
use super::find::{Found, find};
use super::silent::{is_ending, silent};
use crate::failure::Failure;

/// Ends whoever is there, and waits until it is gone; false where nobody was.
pub(crate) async fn stop(socket: &Socket) -> Result<bool, Failure> {
    stop_after(SOCKET_ANEW, socket).await
}

/// Waits so long for one that has lost its socket to make it anew.
async fn stop_after(patience: Duration, socket: &Socket) -> Result<bool, Failure> {
    let deadline = Instant::now() + patience;
    loop {
        let found = find(socket).await;
        let Socket::Usual(folders) = socket else {
            return match found? {
                Found::Answers(daemon) => ask_to_end(daemon, None).await.map(|()| true),
                Found::Silent(_) | Found::Nobody => Ok(false),
            };
        };
        match found {
            Ok(Found::Answers(daemon)) => {
                return ask_to_end(daemon, Some(folders)).await.map(|()| true);
            }
            Ok(Found::Nobody) => return Ok(false),
            Ok(Found::Silent(holder)) => {
                if is_ending(holder.as_ref()) || Instant::now() > deadline {
                    return signal(holder, folders).await.map(|()| true);
                }
            }
            // It listens and says nothing; whoever holds the folders is who hangs.
            Err(failure) => match holder_of(&folders.state)? {
                Held::By(holder) => return signal(holder, folders).await.map(|()| true),
                Held::ByNobody => return Err(failure),
            },
        }
        sleep(PAUSE).await;
    }
}

/// Asks a daemon that answers to end, and waits until its process is gone.
pub(super) async fn ask_to_end(daemon: Daemon, folders: Option<&Folders>) -> Result<(), Failure> {
    let response = daemon.daemon().stop_daemon(StopDaemonRequest {}).await?;
    let pid = response.into_inner().pid;
    await_end(pid, || folders.map_or_else(|| is_running(pid), |folders| holds(pid, folders))).await
}

/// Ends the holder by its pid, if that is still the process that took the lock.
async fn signal(holder: Option<Holder>, folders: &Folders) -> Result<(), Failure> {
    let Some(holder) = holder.as_ref().filter(|holder| holder.is_of_this_host()) else {
        return Err(silent(holder.as_ref()));
    };
    if !is_ending(Some(holder)) && holder.is_running() {
        let pid = i32::try_from(holder.pid).ok().and_then(Pid::from_raw);
        match pid.map(|pid| kill_process(pid, Signal::TERM)) {
            None | Some(Ok(()) | Err(Errno::SRCH)) => {}
            Some(Err(error)) => return Err(std::io::Error::from(error).into()),
        }
    }
    await_end(holder.pid, || holds(holder.pid, folders)).await
}

/// Whether this process still holds the state; the lock goes with it, though a
/// parent that never asks for its result may keep its pid taken for ever.
fn holds(pid: u32, folders: &Folders) -> bool {
    match holder_of(&folders.state) {
        Ok(Held::By(Some(holder))) => holder.pid == pid,
        Ok(Held::By(None)) => true,
        Ok(Held::ByNobody) => false,
        // Nobody can tell who holds it: then the process itself is asked about.
        Err(_) => is_running(pid),
    }
}

async fn await_end(pid: u32, is_there: impl Fn() -> bool) -> Result<(), Failure> {
    let deadline = Instant::now() + FAREWELL;
    while is_there() {
        if Instant::now() > deadline {
            return Err(Failure::internal(format!("mirrord (pid {pid}) does not end")).with_hint(
                format!("`mirrorctl daemon logs` says what it does; `kill -9 {pid}` is safe (a crash needs no repair)"),
            ));
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::process::{Child, Command};

    use mirror_proto::holder::{Phase, lock_file};

    use super::*;
    use crate::tests::testing::folders_in;

    /// A process that holds the state and can't be spoken to.
    fn holder_without_a_socket(folders: &Folders, change: impl FnOnce(&mut Holder)) -> Child {
        let lock = File::create(lock_file(&folders.state)).expect("made");
        lock.lock().expect("locked");
        let child = Command::new("sleep").arg("600").stdin(lock).spawn().expect("started");
        let mut holder = Holder::of_process(child.id(), "0.1.0", &folders.state);
        holder.phase = Phase::Serving;
        change(&mut holder);
        fs::write(lock_file(&folders.state), holder.to_text()).expect("written");
        child
    }

    #[tokio::test]
    async fn holder_that_can_not_be_spoken_to_is_ended_by_its_pid() {
        let place = tempfile::tempdir().expect("a folder");
        let folders = folders_in(place.path());
        let mut child = holder_without_a_socket(&folders, |_| {});

        let is_stopped = stop_after(Duration::ZERO, &Socket::Usual(folders.clone())).await;

        assert!(is_stopped.expect("stopped"));
        assert!(!child.wait().expect("ended").success(), "by a signal");
        let again = stop_after(Duration::ZERO, &Socket::Usual(folders)).await;
        assert!(!again.expect("nothing to stop"));
    }

    #[test]
    fn process_whose_lock_can_not_be_seen_is_waited_for_while_it_runs() {
        let place = tempfile::tempdir().expect("a folder");
        let folders = folders_in(place.path());
        // A link that leads to itself: nobody can say what is there.
        fs::remove_file(lock_file(&folders.state)).ok();
        std::os::unix::fs::symlink("mirrord.lock", lock_file(&folders.state)).expect("made");
        assert!(holder_of(&folders.state).is_err());
        let mut child = Command::new("sleep").arg("600").spawn().expect("started");

        assert!(holds(child.id(), &folders));

        child.kill().expect("killed");
        child.wait().expect("ended");
        assert!(!holds(child.id(), &folders));
    }

    #[tokio::test]
    async fn holder_on_another_host_is_named_and_its_pid_is_left_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let folders = folders_in(place.path());
        let mut child =
            holder_without_a_socket(&folders, |holder| holder.host = "elsewhere".to_owned());

        let refused = stop_after(Duration::ZERO, &Socket::Usual(folders)).await;

        let failure = refused.expect_err("not from here");
        assert!(failure.fault.message.contains("on elsewhere"), "{}", failure.fault.message);
        assert!(child.try_wait().expect("asked").is_none(), "it still runs");
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
}
