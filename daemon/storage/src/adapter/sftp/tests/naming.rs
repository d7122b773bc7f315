//! A name is believed only where the file stands (L10).

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::adapter::sftp::rename::rename;

/// Nothing stands at `a` until the words are heard; from then on a file of
/// somebody's does.
fn overtaken_at(words: &'static str) -> impl Fn(&str) -> Verdict + Send + Sync {
    let is_there = AtomicBool::new(false);
    move |said| {
        is_there.fetch_or(said == words, Ordering::Relaxed);
        match said == "lstat a" && !is_there.load(Ordering::Relaxed) {
            true => Verdict::Refused(2),
            false => Verdict::Granted,
        }
    }
}

fn overtaken(extensions: &'static [&'static str], words: &'static str) -> Played {
    let server = Played { extensions, short: &["a"], ..Played::holding(b"text".to_vec()) };
    server.judging(overtaken_at(words))
}

fn asks(server: &Played, words: &str) -> bool {
    server.heard().iter().any(|said| said.starts_with(words))
}

#[tokio::test]
async fn link_to_a_name_that_another_file_has_is_refused() {
    let server = overtaken(STOCK, "hardlink tmp a");
    let root = server.root(PATIENCE).await;

    let stored = store(&root, "a", Expect::Absent).await;

    assert!(matches!(stored, Ok(Guarded::Refused)), "{stored:?} {:#?}", server.heard());
    assert!(!asks(&server, "rename") && !asks(&server, "posix-rename"), "{:#?}", server.heard());
}

#[tokio::test]
async fn file_that_was_saved_during_an_upload_is_not_renamed_over() {
    let server = overtaken(WITHOUT_HARDLINKS, "write");
    let root = server.root(PATIENCE).await;

    let stored = store(&root, "a", Expect::Absent).await;

    assert!(matches!(stored, Ok(Guarded::Refused)), "{stored:?} {:#?}", server.heard());
    assert!(!asks(&server, "rename tmp a"), "{:#?}", server.heard());
}

/// What stood at a path is on its way to another name, by way of one aside.
#[tokio::test]
async fn file_on_its_way_stays_where_another_has_taken_its_name() {
    // By a link that was not made, and by a rename on a server without links.
    for extensions in [STOCK, WITHOUT_HARDLINKS] {
        let server = Played { extensions, short: &["a"], ..Played::holding(b"text".to_vec()) };
        let moved = AtomicBool::new(false);
        let server = server.judging(move |said| {
            moved.fetch_or(said.starts_with("posix-rename b "), Ordering::Relaxed);
            let is_free = match said {
                "lstat a" => !moved.load(Ordering::Relaxed),
                // Back home nothing stands, and aside nothing before.
                "lstat b" => moved.load(Ordering::Relaxed),
                _ => said.starts_with("lstat _mirror/aside/") && !moved.load(Ordering::Relaxed),
            };
            if is_free { Verdict::Refused(2) } else { Verdict::Granted }
        });
        let root = server.root(PATIENCE).await;

        let renamed = rename(&root, &path("b"), &path("a")).await;

        let heard = server.heard();
        let onto = |name: &str| {
            let end = format!(" {name}");
            heard
                .iter()
                .any(|said| said.starts_with("rename _mirror/aside/") && said.ends_with(&end))
        };
        assert!(matches!(renamed, Ok(Guarded::Refused)), "{renamed:?} {heard:#?}");
        assert!(!onto("a"), "{heard:#?}");
        assert!(!heard.iter().any(|said| said.starts_with("remove")) || onto("b"), "{heard:#?}");
    }
}
