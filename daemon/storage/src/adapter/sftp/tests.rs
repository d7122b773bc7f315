//! What the adapter makes of a server that a real one seldom is: one that
//! answers in small pieces, falls silent, or goes away.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::fault::SftpFault;
use super::places::{Known, Root};
use super::session::Session;
use super::tending::Line;
use super::{SftpAccount, SftpConnection, SshSettings, read};
use crate::{ByteRange, RemotePath, StorageError};

const INIT: u8 = 1;
const OPEN: u8 = 3;
const READ: u8 = 5;
const LSTAT: u8 = 7;
const FSTAT: u8 = 8;
const STAT: u8 = 17;

/// A server that holds one file, `a`, in its root.
#[derive(Clone)]
struct Played {
    content: Bytes,
    /// The most that it gives at once.
    most: usize,
    /// After how many answers it falls silent, or goes.
    silent_after: usize,
    gone_after: usize,
}

impl Played {
    fn holding(content: Vec<u8>) -> Self {
        let content = Bytes::from(content);
        Self { content, most: usize::MAX, silent_after: usize::MAX, gone_after: usize::MAX }
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
            answers += 1;
            let answer = self.answer(&request);
            let len = u32::try_from(answer.len()).expect("short");
            line.write_u32(len).await.expect("a listener");
            line.write_all(&answer).await.expect("a listener");
        }
    }

    fn answer(&self, request: &[u8]) -> BytesMut {
        let (kind, mut fields) = (request[0], &request[1..]);
        let mut answer = BytesMut::new();
        if kind == INIT {
            answer.put_u8(2);
            answer.put_u32(3);
            return answer;
        }
        let id = fields.get_u32();
        let mut head = |kind| {
            answer.put_u8(kind);
            answer.put_u32(id);
        };
        match kind {
            OPEN => {
                head(102);
                text(&mut answer, b"handle");
            }
            LSTAT | FSTAT => {
                head(105);
                described(&mut answer, 0o100_644, self.content.len());
            }
            STAT => {
                head(105);
                described(&mut answer, 0o040_755, 0);
            }
            READ => {
                let handle = usize::try_from(fields.get_u32()).expect("short");
                fields.advance(handle);
                let from = usize::try_from(fields.get_u64()).expect("short");
                let len = usize::try_from(fields.get_u32()).expect("short").min(self.most);
                head(103);
                let rest = &self.content[from..];
                text(&mut answer, &rest[..len.min(rest.len())]);
            }
            _ => {
                head(101);
                answer.put_slice(&[0; 12]);
            }
        }
        answer
    }
}

fn text(out: &mut BytesMut, text: &[u8]) {
    out.put_u32(u32::try_from(text.len()).expect("short"));
    out.put_slice(text);
}

fn described(out: &mut BytesMut, mode: u32, size: usize) {
    out.put_u32(0x1 | 0x4 | 0x8);
    out.put_u64(size as u64);
    out.put_u32(mode);
    out.put_u64(0);
}

async fn session(server: Played, patience: Duration) -> Result<Session, SftpFault> {
    let (ours, theirs) = duplex(1024 * 1024);
    tokio::spawn(server.serve(theirs));
    let (from, to) = tokio::io::split(ours);
    Session::start(Line { to: Box::new(to), from: Box::new(from), ssh: None }, patience).await
}

const PATIENT: Duration = Duration::from_mins(1);

async fn read_from(session: Session, range: ByteRange) -> Result<Vec<u8>, StorageError> {
    let account =
        SftpAccount { user: None, host: "nas".into(), port: None, ssh: SshSettings::default() };
    let root = Root {
        connection: Arc::new(SftpConnection::new(account)),
        session: Arc::new(session),
        base: "".into(),
        known: Arc::new(Known::default()),
    };
    let path = RemotePath::new("a").expect("a normal path");
    let bytes = read::begun(&root, &path, range).await?.expect("a file");
    let chunks: Vec<Bytes> = bytes.try_collect().await?;
    Ok(chunks.concat())
}

fn varied(len: usize) -> Vec<u8> {
    (0..len).map(|place| u8::try_from(place * 7 % 251).expect("below 251")).collect()
}

#[tokio::test]
async fn bytes_that_come_in_small_pieces_are_all_there_in_order() {
    let content = varied(300_000);
    let server = Played { most: 1_111, ..Played::holding(content.clone()) };
    let session = session(server, PATIENT).await.expect("a session");

    let read = read_from(session, ByteRange { start: 5, len: Some(280_000) }).await;

    assert!(read.expect("a file") == content[5..280_005]);
}

#[tokio::test]
async fn server_that_falls_silent_is_given_up() {
    let server = Played { silent_after: 3, ..Played::holding(varied(10)) };
    let session = session(server, Duration::from_millis(200)).await.expect("a session");

    let read = read_from(session, ByteRange::ALL).await;

    let Err(StorageError::Unreachable(cause)) = read else { panic!("{read:?}") };
    assert_eq!(cause.downcast_ref(), Some(&SftpFault::TimedOut));
}

#[tokio::test]
async fn server_that_goes_away_fails_the_calls_under_way() {
    let server = Played { gone_after: 5, ..Played::holding(varied(300_000)) };
    let session = session(server, PATIENT).await.expect("a session");

    let read = read_from(session, ByteRange::ALL).await;

    let Err(StorageError::Unreachable(cause)) = read else { panic!("{read:?}") };
    assert_eq!(cause.downcast_ref(), Some(&SftpFault::ConnectionLost));
}

#[tokio::test]
async fn server_that_never_greets_is_given_up() {
    let server = Played { silent_after: 0, ..Played::holding(Vec::new()) };

    let session = session(server, Duration::from_millis(200)).await;

    assert_eq!(session.map(drop), Err(SftpFault::TimedOut));
}

#[tokio::test]
async fn text_before_the_greeting_is_the_shell_talking() {
    let (ours, mut theirs) = duplex(1024);
    theirs.write_all(b"Welcome to nas!\nYou have mail.\n").await.expect("a listener");
    let (from, to) = tokio::io::split(ours);
    let line = Line { to: Box::new(to), from: Box::new(from), ssh: None };

    let session = Session::start(line, PATIENT).await;

    assert_eq!(session.map(drop), Err(SftpFault::ShellTalks));
}
