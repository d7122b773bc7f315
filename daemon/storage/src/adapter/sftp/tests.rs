//! What the adapter makes of a server that a real one seldom is: one that
//! answers in small pieces, refuses, falls silent, or goes away. Time passes
//! only while everybody waits.

mod naming;
mod played;
mod rights;

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use tokio::io::{AsyncWriteExt, duplex};

use self::played::{Played, Verdict, missing};
use super::paths::Root;
use super::ssh::SftpFault;
use super::wire::{Ending, Line, Session};
use super::{read, write};
use crate::{Body, ByteRange, Expect, Guarded, NewFile, RemotePath, Revision, StorageError};

const PATIENCE: Duration = Duration::from_secs(30);

const STOCK: &[&str] = &["fsync@openssh.com", "hardlink@openssh.com", "posix-rename@openssh.com"];
const WITHOUT_HARDLINKS: &[&str] = &["fsync@openssh.com", "posix-rename@openssh.com"];

const ENTRY: &str = "_mirror/log/0000000/0000000001.json";
const PACK: &str = "_mirror/packs/7Q/7Q.zip";

fn path(text: &str) -> RemotePath {
    RemotePath::new(text).expect("a normal path")
}

async fn read_from(root: &Root, range: ByteRange) -> Result<Vec<u8>, StorageError> {
    let bytes = read::open(root, &path("a"), range).await?.expect("a file");
    let chunks: Vec<Bytes> = bytes.try_collect().await?;
    Ok(chunks.concat())
}

async fn store(root: &Root, at: &str, expect: Expect) -> Result<Guarded<Revision>, StorageError> {
    write::store(root, &NewFile::plain(path(at), expect), &Body::from("text")).await
}

fn varied(len: usize) -> Vec<u8> {
    (0..len).map(|place| u8::try_from(place * 7 % 251).expect("below 251")).collect()
}

#[track_caller]
fn is_due_to(fault: &SftpFault, ended: Result<Vec<u8>, StorageError>) {
    let Err(StorageError::Unreachable(cause)) = ended else { panic!("{ended:?}") };
    assert_eq!(cause.downcast_ref(), Some(fault));
}

/// Some of the requests come in this order, whatever else comes between.
#[track_caller]
fn in_order(heard: &[String], expected: &[&str]) {
    let mut rest = heard.iter();
    for request in expected {
        assert!(rest.any(|one| one == request), "no {request} in its place: {heard:#?}");
    }
}

#[tokio::test]
async fn bytes_that_come_in_small_pieces_are_all_there_in_order() {
    let content = varied(300_000);
    let server = Played { most: 1_111, ..Played::holding(content.clone()) };
    let root = server.root(PATIENCE).await;

    let read = read_from(&root, ByteRange { start: 5, len: Some(280_000) }).await;

    assert!(read.expect("a file") == content[5..280_005]);
}

#[tokio::test(start_paused = true)]
async fn server_that_falls_silent_is_given_up() {
    let server = Played { silent_after: 3, ..Played::holding(varied(10)) };
    let root = server.root(PATIENCE).await;

    let read = read_from(&root, ByteRange::ALL).await;

    is_due_to(&SftpFault::TimedOut, read);
}

/// A slow line is no dead one: what moves is waited for.
#[tokio::test(start_paused = true)]
async fn server_that_takes_its_time_is_waited_for() {
    let content = varied(300_000);
    let server = Played { pause: PATIENCE * 9 / 10, ..Played::holding(content.clone()) };
    let root = server.root(PATIENCE).await;

    let read = read_from(&root, ByteRange::ALL).await;

    assert!(read.expect("a file") == content);
}

#[tokio::test(start_paused = true)]
async fn request_that_is_never_answered_is_given_up_though_others_are() {
    let lost = |said: &str| match said {
        "fstat" => Verdict::Lost,
        _ => Verdict::Granted,
    };
    let server = Played::holding(varied(10)).judging(lost);
    let root = server.root(PATIENCE).await;
    let session = root.session.clone();
    let traffic = tokio::spawn(async move {
        while session.follow(".").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });

    let read = tokio::time::timeout(PATIENCE * 20, read_from(&root, ByteRange::ALL)).await;

    is_due_to(&SftpFault::TimedOut, read.expect("it is given up"));
    traffic.await.expect("it ends with the session");
}

#[tokio::test]
async fn server_that_goes_away_fails_the_calls_under_way() {
    let server = Played { gone_after: 5, ..Played::holding(varied(300_000)) };
    let root = server.root(PATIENCE).await;

    let read = read_from(&root, ByteRange::ALL).await;

    is_due_to(&SftpFault::ConnectionLost, read);
}

#[tokio::test(start_paused = true)]
async fn server_that_never_greets_is_given_up() {
    let server = Played { silent_after: 0, ..Played::holding(Vec::new()) };

    let session = server.session(PATIENCE).await;

    assert_eq!(session.map(drop), Err(Ending::Silent));
}

#[tokio::test]
async fn text_before_the_greeting_is_the_shell_talking() {
    let (ours, mut theirs) = duplex(1024);
    theirs.write_all(b"Welcome to nas!\nYou have mail.\n").await.expect("a listener");
    let (from, to) = tokio::io::split(ours);
    let line = Line { to: Box::new(to), from: Box::new(from), carrier: None };

    let session = Session::start(line, PATIENCE).await;

    assert_eq!(session.map(drop), Err(Ending::NoGreeting));
}

#[tokio::test]
async fn name_of_an_entry_and_of_a_pack_is_flushed_before_it_is_done() {
    for at in [ENTRY, PACK] {
        let server = Played { extensions: STOCK, ..Played::holding(b"text".to_vec()) };

        let root = server.root(PATIENCE).await;
        let stored = store(&root, at, Expect::Absent).await;

        assert!(matches!(stored, Ok(Guarded::Done(_))), "{stored:?}");
        let link = format!("hardlink tmp {at}");
        in_order(&server.heard(), &["write", "fsync", "fsetstat", &link, "fsync"]);
    }
}

/// Renaming its folder does not change the file, and a file that did not
/// change has nothing to flush: so it is dated once more in between.
#[tokio::test]
async fn name_of_an_entry_spelled_as_a_folder_is_flushed_before_it_is_done() {
    let server = Played { extensions: WITHOUT_HARDLINKS, ..Played::holding(b"text".to_vec()) };

    let root = server.root(PATIENCE).await;
    let stored = store(&root, ENTRY, Expect::Absent).await;

    assert!(matches!(stored, Ok(Guarded::Done(_))), "{stored:?} {:#?}", server.heard());
    let rename = format!("rename tmp-entry {ENTRY}");
    in_order(
        &server.heard(),
        &["fsync", "rename tmp tmp-entry/body", &rename, "fsetstat", "fsync"],
    );
}

#[tokio::test]
async fn entry_whose_name_is_not_flushed_is_not_done() {
    for extensions in [STOCK, WITHOUT_HARDLINKS] {
        let named = std::sync::atomic::AtomicBool::new(false);
        let server = Played { extensions, ..Played::holding(b"text".to_vec()) };
        let server = server.judging(move |said| {
            named.fetch_or(said.ends_with(ENTRY), std::sync::atomic::Ordering::Relaxed);
            match said == "fsync" && named.load(std::sync::atomic::Ordering::Relaxed) {
                true => Verdict::Refused(4),
                false => Verdict::Granted,
            }
        });

        let root = server.root(PATIENCE).await;
        let stored = store(&root, ENTRY, Expect::Absent).await;

        assert!(matches!(stored, Err(StorageError::Unreachable(_))), "{stored:?}");
    }
}

/// There are hundreds of them in one push, and the log can make them again.
#[tokio::test]
async fn file_of_the_view_is_flushed_once() {
    let server = Played { extensions: STOCK, ..Played::holding(b"text".to_vec()) };

    let root = server.root(PATIENCE).await;
    let stored = store(&root, "notes.md", Expect::Anything).await;

    assert!(matches!(stored, Ok(Guarded::Done(_))), "{stored:?}");
    let flushes = server.heard().iter().filter(|said| *said == "fsync").count();
    assert_eq!(flushes, 1);
}

#[tokio::test]
async fn server_that_replaces_nothing_takes_the_old_file_out_of_the_way() {
    let server = Played::holding(b"text".to_vec());

    let root = server.root(PATIENCE).await;
    let stored = store(&root, "a", Expect::Anything).await;

    assert!(matches!(stored, Ok(Guarded::Done(_))), "{stored:?}");
    server.hears("remove swept").await;
    in_order(&server.heard(), &["rename a swept", "rename tmp a", "remove swept"]);
}

#[tokio::test]
async fn file_that_can_not_be_replaced_stays() {
    let refused = |said: &str| match said {
        "rename tmp a" => Verdict::Refused(3),
        _ => Verdict::Granted,
    };
    let server = Played::holding(b"text".to_vec()).judging(refused);

    let root = server.root(PATIENCE).await;
    let stored = store(&root, "a", Expect::Anything).await;

    assert!(matches!(stored, Err(StorageError::Forbidden { .. })), "{stored:?}");
    in_order(&server.heard(), &["rename a swept", "rename tmp a", "rename swept a"]);
    assert!(!server.heard().iter().any(|said| said == "remove swept" || said == "remove a"));
}

#[tokio::test]
async fn write_that_nobody_waits_for_leaves_no_upload() {
    let slow = Played { pause: Duration::from_millis(5), ..Played::holding(b"text".to_vec()) };
    let root = slow.root(PATIENCE).await;
    let writing = tokio::spawn({
        let root = root.clone();
        async move {
            {
                let file = NewFile::plain(path("a"), Expect::Absent);
                write::store(&root, &file, &Body::from("text")).await
            }
        }
    });
    slow.hears("open tmp").await;

    writing.abort();

    slow.hears("remove tmp").await;
    drop(root);
}

#[tokio::test]
async fn entry_that_can_not_be_spelled_as_a_folder_leaves_none() {
    let server = Played { extensions: WITHOUT_HARDLINKS, ..Played::holding(b"text".to_vec()) };
    let server = server.judging(missing("rename tmp tmp-entry/body"));

    let root = server.root(PATIENCE).await;
    let stored = store(&root, ENTRY, Expect::Absent).await;

    assert!(matches!(stored, Err(StorageError::Unreachable(_))), "{stored:?}");
    server.hears("rmdir tmp-entry").await;
}

#[tokio::test]
async fn folder_that_finds_no_room_is_a_full_disk() {
    const FULL: &[&str] = &["fsync@openssh.com", "statvfs@openssh.com"];
    // What is made, what needs it, and where it is written.
    let cases = [
        ("mkdir tmp-entry", "rename tmp tmp-entry/body", "fsync", ENTRY),
        ("mkdir new", "rename tmp new/a", "lstat new", "new/a"),
    ];
    for (made, needs, looked, at) in cases {
        let server = Played { extensions: FULL, ..Played::holding(b"text".to_vec()) };
        let server = server.judging(move |said| match said {
            said if said == made => Verdict::Refused(4),
            said if said == needs => Verdict::Refused(2),
            said if said == looked && looked != "fsync" => Verdict::Refused(2),
            _ => Verdict::Granted,
        });

        let root = server.root(PATIENCE).await;
        let stored = store(&root, at, Expect::Absent).await;

        assert!(matches!(stored, Err(StorageError::Full)), "{at}: {stored:?}");
    }
}

#[tokio::test]
async fn folder_that_may_not_be_made_is_no_permission() {
    for (made, at) in [("mkdir new", "new/a"), ("mkdir _mirror/tmp", "a")] {
        let folder = made.trim_start_matches("mkdir ");
        let server = Played::holding(b"text".to_vec()).judging(move |said| match said {
            said if said == made => Verdict::Refused(3),
            "open tmp" if folder == "_mirror/tmp" => Verdict::Refused(2),
            "lstat new/a" | "rename tmp new/a" => Verdict::Refused(2),
            said if said.ends_with(folder) => Verdict::Refused(2),
            _ => Verdict::Granted,
        });

        let root = server.root(PATIENCE).await;
        let stored = store(&root, at, Expect::Absent).await;

        assert!(matches!(stored, Err(StorageError::Forbidden { .. })), "{at}: {stored:?}");
    }
}

/// Its rename may replace what stands there.
#[tokio::test]
async fn file_of_a_person_is_looked_for_where_names_are_made_by_rename() {
    let server = Played { extensions: WITHOUT_HARDLINKS, ..Played::holding(b"text".to_vec()) };
    let root = server.root(PATIENCE).await;

    let stored = store(&root, "a", Expect::Absent).await;

    assert!(matches!(stored, Ok(Guarded::Refused)), "{stored:?}");
    let renames = server.heard().iter().any(|said| said.starts_with("rename"));
    assert!(!renames, "{:#?}", server.heard());
}
