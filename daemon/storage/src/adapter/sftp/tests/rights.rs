//! Nobody has a way into a file before it is known who may have one.

use super::*;
use crate::adapter::access::AskedAccess;
use crate::adapter::sftp::root::is_for_group;
use crate::{Access, Attributes};

const OWNER: u32 = 0o600;
const GROUP: u32 = 0o660;
/// What the file has that is replaced.
const PLAYED: u32 = 0o644;

/// The modes that a file was given which takes the place of `old`.
async fn modes_given(answer: Option<u32>, access: Option<Access>) -> Vec<u32> {
    let server = Played { extensions: STOCK, ..Played::holding(b"text".to_vec()) };
    let server = server.judging(move |said| match (said, answer) {
        ("lstat old", Some(number)) => Verdict::Refused(number),
        _ => Verdict::Granted,
    });
    let mut root = server.root(PATIENCE).await;
    let asked = AskedAccess::default();
    if let Some(access) = access {
        asked.set(access);
    }
    root.rights = asked.rights();
    let file = NewFile {
        rights_of: Some(path("old")),
        attributes: Attributes::default(),
        ..NewFile::plain(path("a"), Expect::Anything)
    };
    let stored = write::store(&root, &file, &Body::from("text")).await;
    assert!(matches!(stored, Ok(Guarded::Done(_))), "{stored:?}");
    let modes = server.modes.lock().expect("no panic while held");
    modes.clone()
}

#[tokio::test]
async fn file_that_gets_the_rights_of_another_is_its_owners_until_they_are_known() {
    for access in [None, Some(Access::Owner), Some(Access::Group)] {
        let modes = modes_given(None, access).await;
        assert_eq!(modes, [OWNER, OWNER, PLAYED], "{access:?}");
    }
}

#[tokio::test]
async fn rights_that_can_not_be_read_stand_for_none() {
    for access in [None, Some(Access::Group)] {
        let modes = modes_given(Some(3), access).await;
        assert_eq!(modes, [OWNER, OWNER], "{access:?}");
    }
}

#[tokio::test]
async fn file_whose_predecessor_is_gone_is_for_whom_all_are() {
    assert_eq!(modes_given(Some(2), Some(Access::Group)).await, [OWNER, OWNER, GROUP]);
}

/// Some servers let nobody set modes, and their folders may be as needed.
#[tokio::test]
async fn folder_that_is_as_needed_is_shared_though_its_mode_can_not_be_set() {
    for (folder_mode, is_stored) in [(0o2770, true), (0o2755, false)] {
        let server = Played { folder_mode, ..Played::holding(b"text".to_vec()) };
        let server = server.judging(|said| match said.starts_with("setstat ") {
            true => Verdict::Refused(3),
            false => Verdict::Granted,
        });
        let mut root = server.root(PATIENCE).await;
        let asked = AskedAccess::default();
        asked.set(Access::Group);
        root.rights = asked.rights();

        let made = root.make_parents(&path("_mirror/tmp/x")).await;

        let denied = super::super::wire::first_denial(made).await;
        assert_eq!(denied.is_none(), is_stored, "{folder_mode:o} {denied:?}");
    }
}

#[tokio::test]
async fn server_that_does_not_say_for_whom_a_folder_is_is_an_error() {
    for (number, expected) in [(2, Some(false)), (3, None), (4, None)] {
        let server = Played::holding(Vec::new()).judging(move |said| match said {
            "stat ." => Verdict::Refused(number),
            _ => Verdict::Granted,
        });
        let root = server.root(PATIENCE).await;

        let is_shared = is_for_group(&root).await;

        assert_eq!(is_shared.ok(), expected, "{number}");
    }
}
