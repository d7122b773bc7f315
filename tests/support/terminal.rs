//! A command at a terminal, and a person who reads it and types.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::eventually;
use super::outcome::Running;

/// What runs at the terminal, and what it has shown so far.
pub(crate) struct Session {
    child: Running,
    person: File,
    shown: Arc<Mutex<Vec<u8>>>,
    /// Ends when all was read that was shown.
    reader: JoinHandle<()>,
    /// How much of it was expected already.
    read: usize,
}

impl Session {
    pub(crate) fn of(mut command: Command) -> Self {
        let (person, program) = pty();
        let own = || program.try_clone().expect("a second handle");
        let child = command.stdin(own()).stdout(own()).stderr(own()).spawn();
        let child = Running(child.expect("the command starts"));
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let (mut screen, seen) = (person.try_clone().expect("a second handle"), shown.clone());
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // Ends with an error once nobody has the other side open.
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                seen.lock().expect("nobody panics with it").extend(&piece[..count]);
            }
        });
        Self { child, person, shown, reader, read: 0 }
    }

    /// Waits for words after those that were waited for before.
    #[track_caller]
    pub(crate) fn shows(&mut self, words: &str) {
        let mut found = None;
        eventually(&format!("{words:?} is shown"), || {
            let shown = self.shown();
            found = shown[self.read..].find(words).map(|place| self.read + place + words.len());
            let ended = self.child.ended();
            assert!(found.is_some() || ended.is_none(), "ended without {words:?}: {shown}");
            found.is_some()
        });
        self.read = found.unwrap_or_default();
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.person.write_all(text.as_bytes()).expect("typed");
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupts(&self) {
        let pid = i32::try_from(self.child.0.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, Signal::INT).expect("interrupted");
    }

    /// Waits for the end, and gives all that was shown.
    #[track_caller]
    pub(crate) fn exits(mut self, code: i32) -> String {
        let ended = self.child.ends("the command at the terminal").code();
        eventually("all was read that it has shown", || self.reader.is_finished());
        assert_eq!(ended, Some(code), "{}", self.shown());
        self.shown()
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("nobody panics with it")).into_owned()
    }
}

/// The person's side and the program's.
fn pty() -> (File, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let person = openpt(flags).expect("a pty");
    grantpt(&person).expect("granted");
    unlockpt(&person).expect("unlocked");
    let name = ptsname(&person, Vec::new()).expect("a name");
    let program = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NOCTTY.bits().cast_signed())
        .open(Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())))
        .expect("the other side");
    (person.into(), program)
}
