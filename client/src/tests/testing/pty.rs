//! A terminal without a screen: a test types at it and reads what it shows.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::terminal::Terminal;

/// How long a test waits for words before it gives up.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Pty {
    person: File,
    program: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Pty {
    pub(crate) fn open() -> Self {
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
        let person = File::from(person);
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let mut screen = person.try_clone().expect("a second handle");
        let seen = shown.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // Ends with an error once nobody has the other side open.
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                seen.lock().expect("not poisoned").extend(&piece[..count]);
            }
        });
        Self { person, program, shown }
    }

    /// With this editor.
    pub(crate) fn terminal(&self, editor: &str) -> Terminal {
        Terminal::at(&self.program, editor)
    }

    pub(crate) fn types(&self, text: &str) {
        (&self.person).write_all(text.as_bytes()).expect("typed");
    }

    /// All that was shown so far, what was typed included.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("not poisoned")).replace("\r\n", "\n")
    }

    /// All of it, once the program has nothing more to show.
    pub(crate) async fn all_shown(&self) -> String {
        const END: &str = "<end of the show>";
        (&self.program).write_all(END.as_bytes()).expect("shown");
        self.shows(END, 1).await;
        self.shown()
    }

    /// Waits until these words were shown this often.
    pub(crate) async fn shows(&self, words: &str, times: usize) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.shown().matches(words).count() < times {
            assert!(
                tokio::time::Instant::now() < deadline,
                "never {words:?} in {:?}",
                self.shown()
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
