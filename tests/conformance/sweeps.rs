//! What becomes of uploads that were cut off.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures::StreamExt;
use mirror_storage::{Body, ByteStream, Expect, Guarded, Source, StorageError};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use tokio::sync::watch;

use super::place::Place;
use crate::support::eventually;

const WEEK: Duration = Duration::from_hours(7 * 24);
const DAY: Duration = Duration::from_hours(24);
const SIX_DAYS: Duration = Duration::from_hours(6 * 24);

const OLD: &str = "01ARZ3NDEKTSV4RRFFQ69G5FA1";
const YOUNG: &str = "01ARZ3NDEKTSV4RRFFQ69G5FA2";

/// Takes a file or folder for one that was last written so long ago.
fn age(path: &Path, by: Duration) {
    let then = SystemTime::now() - by;
    let then = then.duration_since(SystemTime::UNIX_EPOCH).expect("a time of today");
    let then = Timespec { tv_sec: then.as_secs().try_into().expect("small"), tv_nsec: 0 };
    let times = Timestamps { last_access: then, last_modification: then };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("it is dated");
}

/// What an upload that was cut off so long ago left there.
fn left(place: &Place, folder: &str, name: &str, ago: Duration) -> PathBuf {
    let folder = place.makes_folder(folder);
    let owner = folder.metadata().expect("it was made just now");
    let file = folder.join(name);
    fs::write(&file, "a part").expect("a file");
    chown(&file, Some(owner.uid()), Some(owner.gid())).expect("it is given away");
    age(&file, ago);
    file
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("text")).collect();
    names.sort();
    names
}

pub(crate) async fn sweep_removes_old_uploads_alone(place: &Place) {
    left(place, "_mirror/tmp", OLD, WEEK + DAY);
    left(place, "_mirror/tmp", YOUNG, SIX_DAYS);
    left(place, "_mirror/tmp", "somebody.else", WEEK + DAY);
    for (upload, ago) in [(OLD, WEEK + DAY), (YOUNG, SIX_DAYS)] {
        let folder = format!("_mirror/tmp/{upload}-entry");
        let body = left(place, &folder, "body", ago);
        age(body.parent().expect("its folder"), ago);
    }
    let aside = left(place, "_mirror/aside/machine/01J0", "notes.md", WEEK + DAY);

    let swept = place.backend().sweep(WEEK).await.expect("a sweep");

    assert_eq!(swept, 2);
    let temps = place.on_disk().join("_mirror/tmp");
    let kept = [YOUNG.to_owned(), format!("{YOUNG}-entry"), "somebody.else".to_owned()];
    // The file that told the time goes without being waited for.
    eventually("only what is kept is there", || names(&temps) == kept);
    assert!(aside.exists(), "an aside was swept");
}

pub(crate) async fn sweep_goes_on_past_what_can_not_be_removed(place: &Place) {
    const STUCK: &str = "01ARZ3NDEKTSV4RRFFQ69G5FA0-entry";
    let alien = left(place, &format!("_mirror/tmp/{STUCK}"), "notes.md", WEEK + DAY);
    age(alien.parent().expect("its folder"), WEEK + DAY);
    for number in 1..9 {
        let upload = format!("01ARZ3NDEKTSV4RRFFQ69G5FA{number}");
        left(place, "_mirror/tmp", &upload, WEEK + DAY);
    }

    let swept = place.backend().sweep(WEEK).await;

    assert!(matches!(swept, Err(StorageError::Rejected { .. })), "{swept:?}");
    let temps = place.on_disk().join("_mirror/tmp");
    eventually("only the alien is left", || names(&temps).len() == 1);
    let stuck = temps.join(&names(&temps)[0]);
    assert_eq!(names(&stuck), ["notes.md"]);
}

pub(crate) async fn sweep_of_an_empty_place_leaves_it_empty(place: &Place) {
    assert_eq!(place.backend().sweep(WEEK).await.expect("a sweep"), 0);

    assert_eq!(names(place.on_disk()), [""; 0]);
}

pub(crate) async fn swept_upload_that_goes_on_fails_and_leaves_nothing(place: &Place) {
    const ENTRY: &str = "_mirror/log/0000000/0000000001.json";
    let temps = place.on_disk().join("_mirror/tmp");
    for at in [ENTRY, "notes.md"] {
        let (gate, body) = gated("the first half", ", the second half");
        let upload = tokio::spawn({
            let place = place.clone();
            async move { place.try_store(at, body, Expect::Absent).await }
        });
        let held = || names(&temps).into_iter().next().map(|name| temps.join(name));
        let begun = || held().is_some_and(|file| file.metadata().is_ok_and(|temp| temp.len() > 0));
        eventually("the first half is there", || temps.exists() && begun());
        age(&held().expect("it was there"), WEEK + DAY);

        assert_eq!(place.backend().sweep(WEEK).await.expect("a sweep"), 1);
        gate.send_replace(true);

        let stored = upload.await.expect("no panic");
        assert!(stored.is_err(), "{at}: {stored:?}");
        assert_eq!(place.bytes(at).await, None, "{at}");
        // Nothing is in the way of the next try.
        assert!(matches!(place.store_if(at, "whole", Expect::Absent).await, Guarded::Done(_)));
        assert_eq!(place.content(at).await, "whole");
        eventually("no upload is left", || names(&temps).is_empty());
    }
}

/// A body whose second half waits until the gate is opened.
fn gated(first: &'static str, second: &'static str) -> (watch::Sender<bool>, Body) {
    let (gate, opened) = watch::channel(false);
    let len = (first.len() + second.len()) as u64;
    (gate, Body::Source { len, source: std::sync::Arc::new(Halves { first, second, opened }) })
}

struct Halves {
    first: &'static str,
    second: &'static str,
    opened: watch::Receiver<bool>,
}

impl Source for Halves {
    fn open(&self) -> ByteStream {
        let (first, second, mut opened) = (self.first, self.second, self.opened.clone());
        let second = async move {
            opened.wait_for(|is_open| *is_open).await.expect("the gate is held");
            Ok(second.into())
        };
        futures::stream::iter([Ok(first.into())]).chain(futures::stream::once(second)).boxed()
    }
}
