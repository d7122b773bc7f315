//! Who holds the daemon's folders.
//!
//! A daemon locks the lock file of each folder that it alone may write to, and
//! writes into it who it is and where it listens. The lock goes with the process,
//! whatever ends it; what is written is only believed of a file that is locked,
//! or of a daemon that answers.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// What a file begins with that tells who holds its folder.
const FIRST_LINE: &str = "mirrord-lock 1";

/// Whatever stands after this line was left by a longer text.
const LAST_LINE: &str = "end";

/// More is none of ours.
const LARGEST: u64 = 64 * 1024;

/// How far a daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Starting,
    Serving,
    Ending,
}

impl Phase {
    const ALL: [(Self, &str); 3] =
        [(Self::Starting, "starting"), (Self::Serving, "serving"), (Self::Ending, "ending")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(phase, _)| *phase == self).map_or("", |(_, word)| *word)
    }
}

/// A daemon, as it says of itself in its lock files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    /// When its process started, in the kernel's own count; `None` where that
    /// isn't told. A pid alone may be another's by now.
    pub started: Option<u64>,
    pub host: String,
    /// What its pid means something in: one start of the system, one container.
    pub boot: String,
    pub version: String,
    pub phase: Phase,
    /// Where it listens, once it does.
    pub socket: Option<PathBuf>,
    /// Its state folder, for messages.
    pub state: String,
}

impl Holder {
    /// This process, before it listens.
    pub fn of_this_process(version: &str, state: &Path) -> Self {
        Self::of_process(std::process::id(), version, state)
    }

    /// A process of this host, before it listens.
    pub fn of_process(pid: u32, version: &str, state: &Path) -> Self {
        Self {
            pid,
            started: start_of(pid),
            host: host(),
            boot: boot(),
            version: version.to_owned(),
            phase: Phase::Starting,
            socket: None,
            state: state.display().to_string().escape_debug().to_string(),
        }
    }

    /// The text of a lock file.
    pub fn to_text(&self) -> String {
        let started = self.started.map(|started| started.to_string());
        let socket = self.socket.as_ref().map(|socket| socket.display().to_string());
        let lines = [
            ("pid", self.pid.to_string()),
            ("started", started.unwrap_or_default()),
            ("host", self.host.clone()),
            ("boot", self.boot.clone()),
            ("version", self.version.clone()),
            ("phase", self.phase.word().to_owned()),
            ("socket", socket.unwrap_or_default()),
            ("state", self.state.clone()),
        ];
        let lines: String = lines.map(|(name, value)| format!("{name} {value}\n")).concat();
        format!("{FIRST_LINE}\n{lines}{LAST_LINE}\n")
    }

    /// Reads the text of a lock file; `None` where it isn't whole.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return None;
        }
        let lines: Vec<_> = lines.collect();
        let end = lines.iter().position(|line| *line == LAST_LINE)?;
        let value = |wanted: &str| {
            let pairs = lines[..end].iter().filter_map(|line| line.split_once(' '));
            pairs.into_iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
        };
        let phase = value("phase")?;
        Some(Self {
            pid: value("pid")?.parse().ok()?,
            started: value("started").and_then(|started| started.parse().ok()),
            host: value("host")?.to_owned(),
            boot: value("boot")?.to_owned(),
            version: value("version")?.to_owned(),
            phase: Phase::ALL.iter().find(|(_, word)| *word == phase)?.0,
            socket: value("socket").filter(|path| !path.is_empty()).map(PathBuf::from),
            state: value("state")?.to_owned(),
        })
    }

    /// Whether its pid means something here: the same host, started once since,
    /// and no container in between.
    pub fn is_of_this_host(&self) -> bool {
        self.host == host() && self.boot == boot()
    }

    /// Whether the process with its pid is still the one that wrote this.
    pub fn is_running(&self) -> bool {
        self.is_of_this_host() && is_running(self.pid) && start_of(self.pid) == self.started
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "mirrord {} (pid {})", self.version, self.pid)?;
        match (self.is_of_this_host(), self.host == host()) {
            (true, _) => Ok(()),
            (false, true) => out.write_str(" of another container or an earlier start"),
            (false, false) => write!(out, " on {}", self.host.escape_debug()),
        }
    }
}

/// Who holds a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Whatever its lock file says was left behind.
    ByNobody,
    /// `None` where the holder has not yet said who it is.
    By(Option<Holder>),
}

/// The lock file of a folder. It is never removed: two daemons could hold two of them.
pub fn lock_file(folder: &Path) -> PathBuf {
    folder.join("mirrord.lock")
}

/// Who holds a folder. Asks for the lock, and has it for no longer than that.
pub fn holder_of(folder: &Path) -> io::Result<Held> {
    let lock = match File::open(lock_file(folder)) {
        Ok(lock) => lock,
        Err(error) if is_absent(&error) => return Ok(Held::ByNobody),
        Err(error) => return Err(error),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(Held::ByNobody),
        Err(TryLockError::WouldBlock) => Ok(Held::By(recorded_in(folder))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// What the lock file of a folder says, whether anybody holds it or not.
pub fn recorded_in(folder: &Path) -> Option<Holder> {
    let file = lock_file(folder);
    let is_small = fs::metadata(&file).is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
    let text = if is_small { fs::read(&file).ok()? } else { return None };
    Holder::parse(&String::from_utf8_lossy(&text))
}

/// Whether a process runs here; one that has ended and that nobody has asked for
/// its result doesn't, though its pid is still taken.
pub fn is_running(pid: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};

    let known = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let is_there = known.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH));
    let has_ended = || stat(pid).is_some_and(|stat| stat.starts_with(['Z', 'X']));
    is_there && !has_ended()
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// What the kernel says of a process after its name, which may hold anything.
fn stat(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned())
}

fn start_of(pid: u32) -> Option<u64> {
    // The 22nd field; the state, with which this begins, is the third.
    stat(pid)?.split(' ').nth(19)?.parse().ok()
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn boot() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let pids = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {}", boot.trim(), pids.display())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn ourselves() -> Holder {
        let socket = Some(PathBuf::from("/state of ann/mirrord.sock"));
        let holder = Holder::of_this_process("0.1.0", Path::new("/state of ann"));
        Holder { socket, phase: Phase::Serving, ..holder }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for phase in [Phase::Starting, Phase::Serving, Phase::Ending] {
            let holder = Holder { phase, ..ourselves() };
            assert_eq!(Holder::parse(&holder.to_text()), Some(holder));
        }
        let silent = Holder { socket: None, started: None, ..ourselves() };
        assert_eq!(Holder::parse(&silent.to_text()), Some(silent));
    }

    #[test]
    fn rest_of_a_longer_text_is_not_read_and_half_a_text_is_none() {
        let text = ourselves().to_text();
        assert_eq!(Holder::parse(&format!("{text}socket /elsewhere\nend\n")), Some(ourselves()));
        for end in 0..text.len() - 1 {
            assert_eq!(Holder::parse(&text[..end]), None, "{end}");
        }
        assert_eq!(Holder::parse("\u{0}\u{1}"), None);
    }

    #[test]
    fn folder_is_held_as_long_as_its_lock() {
        let place = tempfile::tempdir().expect("a folder");
        let held = || holder_of(place.path()).expect("looked");
        assert_eq!(held(), Held::ByNobody);

        let lock = File::create(lock_file(place.path())).expect("made");
        lock.lock().expect("locked");
        assert_eq!(held(), Held::By(None));
        fs::write(lock_file(place.path()), ourselves().to_text()).expect("written");
        assert_eq!(held(), Held::By(Some(ourselves())));

        drop(lock);
        // Between its fork and its exec, a child of another test holds the lock too.
        let patience = Instant::now() + Duration::from_secs(10);
        while held() != Held::ByNobody && Instant::now() < patience {
            std::thread::yield_now();
        }
        assert_eq!(held(), Held::ByNobody);
        assert_eq!(recorded_in(place.path()), Some(ourselves()));
    }

    #[test]
    fn pid_that_is_anothers_by_now_is_not_the_holder() {
        let holder = ourselves();
        assert!(holder.is_running());
        let started = holder.started.map(|started| started + 1);
        assert!(!Holder { started, ..holder.clone() }.is_running());
        assert!(!Holder { host: "another".to_owned(), ..holder.clone() }.is_running());
        assert!(!Holder { boot: "earlier".to_owned(), ..holder }.is_running());
    }

    #[test]
    fn process_that_has_ended_unasked_does_not_run() {
        let mut child = std::process::Command::new("true").spawn().expect("started");
        let pid = child.id();
        while is_running(pid) {
            std::thread::yield_now();
        }
        child.wait().expect("asked");
        assert!(!is_running(pid));
    }
}
