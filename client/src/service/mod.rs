//! The daemon as a service of its user: it starts with the login, or with the
//! machine, and comes back after a crash.
//!
//! One file says so to the system's own service manager. It is made by nobody but
//! `daemon enable`, replaced whole, and removed only where it is still ours.

#[cfg(any(target_os = "macos", test))]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "only its text is tested here"))]
mod launchd;
#[cfg(any(not(target_os = "macos"), test))]
#[cfg_attr(target_os = "macos", allow(dead_code, reason = "only its text is tested here"))]
mod systemd;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mirror_proto::folders::Folders;
use mirror_proto::v1::FaultClass;
use rustix::fs::Mode;

#[cfg(target_os = "macos")]
use launchd as system;
#[cfg(not(target_os = "macos"))]
use systemd as system;

use crate::failure::Failure;
use crate::paths;
use crate::shell::quoted;

/// What tells our file from one that a person or another program wrote.
const MARK: &str = "Written by `mirrorctl daemon enable`";

/// The variables that say where the daemon's folders are: without them the service
/// would be the daemon of another home.
const PLACES: [&str; 5] =
    ["MIRRORD_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"];

/// Left alone, glibc keeps for good what the largest push ever took; a daemon
/// rests most of its life. Other C libraries ignore these.
pub(crate) const THRIFT: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_MMAP_THRESHOLD_", "524288"),
    ("MALLOC_TRIM_THRESHOLD_", "2097152"),
];

/// What a service is to run, and as what.
#[derive(Debug)]
struct Wanted {
    program: PathBuf,
    /// Of [`PLACES`], those that are set here.
    environment: Vec<(&'static str, String)>,
    umask: u32,
}

/// Whether the system's service manager can be spoken to from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    Answers,
    /// It is there, but not for this login: it learns of the file at the next one.
    NotHere,
    /// It answers, and doesn't see the file: its folders are other ones than here.
    LooksElsewhere,
    /// Nothing on this system reads the file.
    Missing,
}

impl Manager {
    /// Whether nothing will start the daemon by the file as it is.
    pub(crate) fn leaves_it(self) -> bool {
        matches!(self, Self::LooksElsewhere | Self::Missing)
    }
}

/// What became of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Written,
    Removed,
    None,
}

/// The service of this home.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) file: PathBuf,
    pub(crate) text: String,
    places: String,
    home: PathBuf,
}

impl Service {
    /// The service that runs this program for the folders that are in use here.
    pub(crate) fn of(program: PathBuf, folders: &Folders) -> Result<Self, Failure> {
        let wanted = Wanted { program, environment: places()?, umask: umask() };
        Ok(Self {
            file: system::file(&folders.home, &config_home(&folders.home)),
            text: system::text(&wanted),
            places: system::places(&wanted),
            home: folders.home.clone(),
        })
    }

    /// Writes the file whole, and has it taken up from the next login on.
    pub(crate) fn enable(&self) -> Result<Change, Failure> {
        let old = self.read()?;
        if let Some(old) = &old {
            self.check_ours(old)?;
        }
        let is_changed = old.as_deref() != Some(&*self.text);
        if is_changed {
            write_whole(&self.file, &self.text).map_err(|error| self.unusable(&error))?;
        }
        let is_linked = system::link_in(&self.file).map_err(|error| self.unusable(&error))?;
        Ok(if is_changed || is_linked { Change::Written } else { Change::None })
    }

    /// Removes what [`Self::enable`] made.
    pub(crate) fn disable(&self) -> Result<Change, Failure> {
        let Some(text) = self.read()? else { return Ok(Change::None) };
        self.check_ours(&text)?;
        system::link_out(&self.file)
            .and_then(|()| fs::remove_file(&self.file))
            .map_err(|error| self.unusable(&error))?;
        system::folders_out(&self.file);
        Ok(Change::Removed)
    }

    /// The file as it is, if it is there and ours.
    pub(crate) fn written(&self) -> Result<Option<String>, Failure> {
        let old = self.read()?;
        old.as_deref().map_or(Ok(()), |old| self.check_ours(old)).map(|()| old)
    }

    /// Whether the manager takes the file up by itself.
    pub(crate) fn is_linked(&self) -> bool {
        system::is_linked(&self.file)
    }

    /// Whether this home's daemon is to be started as a service.
    pub(crate) fn is_enabled(&self) -> bool {
        matches!(self.read(), Ok(Some(text)) if self.check_ours(&text).is_ok())
    }

    /// Tells the manager that the file changed.
    pub(crate) fn reload(&self) {
        system::reload(&self.file);
    }

    /// The manager, once the file is written: it is asked whether that is the one
    /// that it goes by.
    pub(crate) fn taken_up(&self) -> Manager {
        match manager() {
            Manager::Answers => {
                self.reload();
                match system::sees(&self.file) {
                    true => Manager::Answers,
                    false => Manager::LooksElsewhere,
                }
            }
            manager => manager,
        }
    }

    /// Has the manager start the daemon; false where it can't.
    pub(crate) fn start(&self) -> bool {
        system::start(&self.file)
    }

    /// What the person has to know besides.
    pub(crate) fn advice(&self) -> Option<String> {
        system::advice(&self.home)
    }

    fn read(&self) -> Result<Option<String>, Failure> {
        match fs::read(&self.file) {
            Ok(text) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.file.is_symlink() => {
                Ok(None)
            }
            Err(error) => Err(self.unusable(&error)),
        }
    }

    /// A file of somebody else's, or for another home, stays as it is.
    fn check_ours(&self, text: &str) -> Result<(), Failure> {
        let shown = paths::shown(&self.file);
        let refuse = |why: &str, hint: &str| {
            Err(Failure::new(FaultClass::Rejected, format!("{shown} {why}")).with_hint(hint))
        };
        if !text.contains(MARK) || self.file.is_symlink() {
            return refuse("was not made by mirrorctl", "move it away, then run this again");
        }
        if system::places_in(text) != self.places {
            return refuse(
                "is for the daemon of another home",
                "run `mirrorctl daemon disable` with the MIRRORD_HOME and XDG_* variables that it \
                 names, then this again",
            );
        }
        Ok(())
    }

    fn unusable(&self, error: &io::Error) -> Failure {
        let message = format!("{} can't be changed: {error}", paths::shown(&self.file));
        Failure::new(FaultClass::Permission, message)
            .with_hint("make its folder writable, or name another one with XDG_CONFIG_HOME")
    }
}

/// Asked anew each time: it takes a process.
pub(crate) fn manager() -> Manager {
    system::manager()
}

/// The line of a crontab that syncs everywhere, where no service manager is. Cron has
/// none of this shell's variables.
pub(crate) fn cron_line() -> Result<String, Failure> {
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("mirrorctl"));
    Ok(cron_line_of(&program, &places()?))
}

fn cron_line_of(program: &Path, places: &[(&'static str, String)]) -> String {
    let places = places.iter().map(|(name, value)| format!("{name}={} ", quoted(value)));
    let command = places.collect::<String>() + &quoted(&program.display().to_string());
    // A percent sign ends the command in a crontab, also within quotes.
    let command = command.replace('%', "\\%");
    format!("*/5 * * * * {command} sync --all --no-prompt --quiet")
}

fn config_home(home: &Path) -> PathBuf {
    let named = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    named.filter(|path| path.is_absolute()).unwrap_or_else(|| home.join(".config"))
}

fn places() -> Result<Vec<(&'static str, String)>, Failure> {
    let mut found = Vec::new();
    for name in PLACES {
        let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { continue };
        let value = if name == "MIRRORD_HOME" {
            std::path::absolute(value)?.into_os_string()
        } else {
            value
        };
        match value.into_string() {
            Ok(text) if !text.contains(char::is_control) => found.push((name, text)),
            _ => return Err(Failure::usage(format!("a service can't be told such a {name}"))),
        }
    }
    Ok(found)
}

fn umask() -> u32 {
    let found = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rustix::process::umask(found);
    #[allow(clippy::useless_conversion, reason = "its width is the system's")]
    found.as_raw_mode().into()
}

/// After a crash it is the old file or the new one.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        service: Service,
        folder: tempfile::TempDir,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let wanted = wanted(&[("MIRRORD_HOME", "/m")]);
        let service = Service {
            file: folder.path().join("a/mirrord.service"),
            text: system::text(&wanted),
            places: system::places(&wanted),
            home: folder.path().to_owned(),
        };
        Place { service, folder }
    }

    pub(super) fn wanted(environment: &[(&'static str, &str)]) -> Wanted {
        let environment =
            environment.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Wanted { program: PathBuf::from("/opt/50% off/mirrord"), environment, umask: 0o027 }
    }

    #[test]
    fn cron_gets_the_same_words_whatever_the_paths_are() {
        let places = [("MIRRORD_HOME", "/it's 5% off".to_owned())];
        let line = cron_line_of(Path::new("/opt/my bin/mirrorctl"), &places);
        let fields = "*/5 * * * * ";
        // What cron makes of it.
        let command = line.strip_prefix(fields).expect("five fields").replace("\\%", "%");
        let words = command.replace("'/opt/my bin/mirrorctl'", "printenv MIRRORD_HOME #");
        let read = std::process::Command::new("sh").args(["-c", &words]).output().expect("run");

        assert_eq!(String::from_utf8_lossy(&read.stdout), "/it's 5% off\n", "{line}");
        assert!(command.ends_with("'/opt/my bin/mirrorctl' sync --all --no-prompt --quiet"));
        let usual = cron_line_of(Path::new("/usr/bin/mirrorctl"), &[]);
        assert_eq!(usual, format!("{fields}/usr/bin/mirrorctl sync --all --no-prompt --quiet"));
    }

    #[test]
    fn enabling_twice_changes_nothing_more_and_disabling_leaves_nothing() {
        let Place { service, folder } = place();
        assert!(!service.is_enabled());
        assert_eq!(service.enable().expect("enabled"), Change::Written);
        assert_eq!(service.enable().expect("enabled"), Change::None);
        assert!(service.is_enabled());

        assert_eq!(service.disable().expect("disabled"), Change::Removed);
        assert_eq!(service.disable().expect("disabled"), Change::None);
        let left = fs::read_dir(folder.path().join("a")).expect("there");
        let files: Vec<_> = left.flatten().filter(|entry| entry.path().is_file()).collect();
        assert!(files.is_empty(), "{files:?}");
    }

    #[test]
    fn earlier_text_of_ours_is_brought_up_to_date() {
        let Place { mut service, .. } = place();
        service.enable().expect("enabled");
        service.text = service.text.replace("/opt", "/usr");
        assert_eq!(service.enable().expect("enabled"), Change::Written);
        assert_eq!(fs::read_to_string(&service.file).expect("there"), service.text);
    }

    #[test]
    fn file_of_somebody_else_or_for_another_home_stays() {
        let Place { mut service, .. } = place();
        service.enable().expect("enabled");
        service.places = system::places(&wanted(&[("MIRRORD_HOME", "/other")]));
        for refused in [service.enable(), service.disable()] {
            let failure = refused.expect_err("another home's");
            assert!(failure.fault.message.contains("another home"), "{failure:?}");
        }

        fs::write(&service.file, "[Service]\nExecStart=/mine\n").expect("written");
        assert!(service.enable().is_err() && service.disable().is_err());
        assert!(!service.is_enabled());
        assert!(fs::read_to_string(&service.file).expect("there").contains("/mine"));
    }
}
