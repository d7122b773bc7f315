//! A server that is played: it holds one file's worth of bytes, says what a
//! test wants to hear, and writes down what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::super::super::access::Rights;
use super::super::paths::{KnownFolders, Root};
use super::super::wire::{Ending, Line, Session};
use super::super::{SftpAccount, SftpConnection, SshSettings};

/// Every name that stands for a folder; all others are files.
const FOLDERS: [&str; 7] = ["_mirror", "tmp", "log", "0000000", "packs", "7Q", "aside"];

/// Folders aside have nothing else for a name.
const ULID_LETTERS: usize = 26;

const MISSING: u32 = 2;

/// What becomes of one request.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    Granted,
    /// With this number.
    Refused(u32),
    /// It is never answered.
    Lost,
}

type Judge = Arc<dyn Fn(&str) -> Verdict + Send + Sync>;

#[derive(Clone)]
pub(super) struct Played {
    pub(super) content: Bytes,
    /// The most that it gives at once.
    pub(super) most: usize,
    /// How long it thinks about each answer.
    pub(super) pause: Duration,
    /// After how many answers it falls silent, or goes.
    pub(super) silent_after: usize,
    pub(super) gone_after: usize,
    pub(super) extensions: &'static [&'static str],
    pub(super) judge: Judge,
    pub(super) heard: Arc<Mutex<Vec<String>>>,
    /// What each file was to be allowed, in the order in which it was asked.
    pub(super) modes: Arc<Mutex<Vec<u32>>>,
    /// What its folders allow.
    pub(super) folder_mode: u32,
    /// The names of files that hold a single byte.
    pub(super) short: &'static [&'static str],
}

impl Played {
    pub(super) fn holding(content: Vec<u8>) -> Self {
        Self {
            content: content.into(),
            most: usize::MAX,
            pause: Duration::ZERO,
            silent_after: usize::MAX,
            gone_after: usize::MAX,
            extensions: &[],
            judge: Arc::new(|_| Verdict::Granted),
            heard: Arc::default(),
            modes: Arc::default(),
            folder_mode: 0o755,
            short: &[],
        }
    }

    /// Decides about each request by what [`Played::heard`] calls it.
    pub(super) fn judging(self, judge: impl Fn(&str) -> Verdict + Send + Sync + 'static) -> Self {
        Self { judge: Arc::new(judge), ..self }
    }

    /// What it was asked so far: `rename tmp a`, `fsync`. The name of an upload
    /// is `tmp`, one that was taken out of the way `swept`.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic while held").clone()
    }

    /// Waits until it was asked this.
    pub(super) async fn hears(&self, words: &str) {
        let heard = async {
            while !self.heard().iter().any(|request| request == words) {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(10), heard).await;
        assert!(in_time.is_ok(), "no {words}: {:#?}", self.heard());
    }

    pub(super) async fn session(&self, patience: Duration) -> Result<Session, Ending> {
        let (ours, theirs) = duplex(1024 * 1024);
        tokio::spawn(self.clone().serve(theirs));
        let (from, to) = tokio::io::split(ours);
        let line = Line { to: Box::new(to), from: Box::new(from), carrier: None };
        Session::start(line, patience).await
    }

    pub(super) async fn root(&self, patience: Duration) -> Root {
        let account =
            SftpAccount { user: None, host: "nas".into(), port: None, ssh: SshSettings::default() };
        Root {
            connection: Arc::new(SftpConnection::new(account)),
            session: Arc::new(self.session(patience).await.expect("a session")),
            base: "".into(),
            known: Arc::new(KnownFolders::default()),
            rights: Rights::default(),
        }
    }

    async fn serve(self, mut line: DuplexStream) {
        let mut answers = 0;
        while let Ok(len) = line.read_u32().await {
            let mut request = vec![0; usize::try_from(len).expect("short")];
            line.read_exact(&mut request).await.expect("a whole request");
            if answers >= self.silent_after {
                continue;
            }
            if answers >= self.gone_after {
                return;
            }
            let Some(answer) = self.answer(&request) else { continue };
            answers += 1;
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
            let len = u32::try_from(answer.len()).expect("short");
            if line.write_u32(len).await.is_err() || line.write_all(&answer).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &[u8]) -> Option<BytesMut> {
        let mut fields = &request[1..];
        let mut answer = BytesMut::new();
        if request[0] == 1 {
            answer.put_u8(2);
            answer.put_u32(3);
            for extension in self.extensions {
                text(&mut answer, extension.as_bytes());
                let is_second = extension.starts_with("statvfs");
                text(&mut answer, if is_second { b"2" } else { b"1" });
            }
            return Some(answer);
        }
        let id = fields.get_u32();
        let (word, path) = asked(request[0], &mut fields);
        let mode = mode_in(word, fields);
        self.modes.lock().expect("no panic while held").extend(mode);
        let said = format!("{word} {path}").trim_end().to_owned();
        let verdict = match self.lacks(word, &path) {
            true => Verdict::Refused(MISSING),
            false => (self.judge)(&said),
        };
        self.heard.lock().expect("no panic while held").push(said);
        match verdict {
            Verdict::Granted => {}
            Verdict::Refused(number) => return Some(status(id, number)),
            Verdict::Lost => return None,
        }
        let kind = match word {
            "open" | "opendir" => 102,
            "read" => 103,
            "lstat" | "stat" | "fstat" => 105,
            "statvfs" => 201,
            _ => return Some(status(id, 0)),
        };
        answer.put_u8(kind);
        answer.put_u32(id);
        match word {
            "open" | "opendir" => text(&mut answer, b"handle"),
            "read" => text(&mut answer, self.part(fields)),
            // No room for anything.
            "statvfs" => answer.put_slice(&[0; 88]),
            "fstat" => described(&mut answer, 0o100_644, self.content.len()),
            _ if is_folder(&path) => {
                described(&mut answer, 0o040_000 | self.folder_mode, 0);
            }
            _ if self.short.contains(&path.as_str()) => described(&mut answer, 0o100_644, 1),
            _ => described(&mut answer, 0o100_644, self.content.len()),
        }
        Some(answer)
    }

    /// Entries of the log and packs are there once something got their name.
    fn lacks(&self, word: &str, path: &str) -> bool {
        let is_ours = ["log/0000000/", "packs/7Q/"].iter().any(|folder| path.contains(folder));
        let name = path.trim_end_matches("/body");
        let is_named = self
            .heard()
            .iter()
            .any(|said| said.ends_with(&format!(" {name}")) && !said.starts_with("lstat"));
        word == "lstat" && is_ours && !is_named
    }

    fn part(&self, mut fields: &[u8]) -> &[u8] {
        let from = usize::try_from(fields.get_u64()).expect("short");
        let len = usize::try_from(fields.get_u32()).expect("short").min(self.most);
        let rest = &self.content[from..];
        &rest[..len.min(rest.len())]
    }
}

fn is_folder(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path == "." || FOLDERS.contains(&name) || name.len() == ULID_LETTERS
}

/// Refuses what is asked with these words: nothing stands there.
pub(super) fn missing(words: &'static str) -> impl Fn(&str) -> Verdict {
    move |said| match said == words {
        true => Verdict::Refused(MISSING),
        false => Verdict::Granted,
    }
}

/// The name of a request, and of what it is about.
fn asked(kind: u8, fields: &mut &[u8]) -> (&'static str, String) {
    let word = match kind {
        3 => "open",
        4 => "close",
        5 => "read",
        6 => "write",
        7 => "lstat",
        8 => "fstat",
        9 => "setstat",
        10 => "fsetstat",
        11 => "opendir",
        12 => "readdir",
        13 => "remove",
        14 => "mkdir",
        15 => "rmdir",
        17 => "stat",
        18 => "rename",
        _ => match field(fields) {
            b"hardlink@openssh.com" => "hardlink",
            b"posix-rename@openssh.com" => "posix-rename",
            b"fsync@openssh.com" => "fsync",
            b"statvfs@openssh.com" => "statvfs",
            _ => "unknown",
        },
    };
    let first = String::from_utf8_lossy(field(fields)).into_owned();
    let about = match word {
        "close" | "read" | "write" | "fstat" | "fsetstat" | "readdir" | "fsync" => String::new(),
        "hardlink" | "posix-rename" | "rename" => {
            let second = String::from_utf8_lossy(field(fields)).into_owned();
            format!("{} {}", plain(&first), plain(&second))
        }
        _ => plain(&first),
    };
    (word, about)
}

/// The mode that a request asks for, if it asks for one.
fn mode_in(word: &str, mut fields: &[u8]) -> Option<u32> {
    match word {
        // What it is opened for.
        "open" => drop(fields.get_u32()),
        "fsetstat" => {}
        _ => return None,
    }
    let flags = fields.get_u32();
    let before = if flags & 1 == 0 { 0 } else { 8 } + if flags & 2 == 0 { 0 } else { 8 };
    fields.advance(before);
    (flags & 4 != 0).then(|| fields.get_u32() & 0o7777)
}

/// A path, without the part of an upload's name that nobody foresees.
fn plain(path: &str) -> String {
    let Some(name) = path.strip_prefix("_mirror/tmp/") else { return path.to_owned() };
    if name.starts_with("swept-") {
        return "swept".to_owned();
    }
    format!("tmp{}", &name[ULID_LETTERS..])
}

fn field<'a>(fields: &mut &'a [u8]) -> &'a [u8] {
    let len = usize::try_from(fields.get_u32()).expect("short");
    let (field, rest) = fields.split_at(len);
    *fields = rest;
    field
}

fn status(id: u32, number: u32) -> BytesMut {
    let mut answer = BytesMut::new();
    answer.put_u8(101);
    answer.put_u32(id);
    answer.put_u32(number);
    answer.put_u64(0);
    answer
}

fn text(out: &mut BytesMut, text: &[u8]) {
    out.put_u32(u32::try_from(text.len()).expect("short"));
    out.put_slice(text);
}

fn described(out: &mut BytesMut, mode: u32, size: usize) {
    out.put_u32(0x1 | 0x4 | 0x8);
    out.put_u64(size as u64);
    out.put_u32(mode);
    out.put_u64(0x7000_0000_7000_0000);
}
