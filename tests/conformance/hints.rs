//! What a watch says of files that change.

use std::fs;
use std::time::Duration;

use mirror_storage::{Changes, Expect, Hint};
use tokio::time::timeout;

use super::place::{Place, path};

const LOG: &str = "_mirror/log";

/// A watch that says nothing for so long says nothing. In memory, what is not said at
/// once never is.
fn patience(place: &Place) -> Duration {
    Duration::from_secs(if place.is_in_memory() { 0 } else { 20 })
}

fn entry(number: u32) -> String {
    format!("{LOG}/{:07}/{number:010}.json", number / 1_000)
}

async fn watched(place: &Place) -> Box<dyn Changes> {
    let watch = place.change_feed().watch(&path(LOG)).await.expect("it can be watched");
    watch.expect("hints are to be had")
}

/// A log with one entry, that is watched.
async fn begun(place: &Place) -> Box<dyn Changes> {
    place.store(&entry(1), "one").await;
    watched(place).await
}

async fn next(place: &Place, changes: &mut Box<dyn Changes>) -> Hint {
    timeout(patience(place), changes.next()).await.expect("a hint")
}

/// A watch that is over is begun anew, as everybody does.
async fn hinted(place: &Place, changes: &mut Box<dyn Changes>) {
    if next(place, changes).await == Hint::Over {
        *changes = watched(place).await;
    }
}

pub(crate) async fn each_change_is_hinted_at(place: &Place) {
    let mut changes = begun(place).await;
    for number in 2..5 {
        place.store_if(&entry(number), "new", Expect::Absent).await;
        hinted(place, &mut changes).await;
        place.store(&entry(number), "replaced").await;
        hinted(place, &mut changes).await;
        place.remove(&entry(number)).await;
        hinted(place, &mut changes).await;
    }
    assert!(changes.holds().await);
}

pub(crate) async fn change_in_a_folder_that_appears_is_hinted_at(place: &Place) {
    let mut changes = begun(place).await;
    for number in [1_000, 1_001, 2_000, 2_001, 3_000] {
        place.store(&entry(number), "new").await;
        hinted(place, &mut changes).await;
    }
}

pub(crate) async fn who_gives_up_waiting_misses_nothing(place: &Place) {
    let mut changes = begun(place).await;
    drop(timeout(Duration::ZERO, changes.next()).await);
    place.store(&entry(2), "two").await;
    hinted(place, &mut changes).await;
}

pub(crate) async fn all_who_watch_are_told(place: &Place) {
    let (mut one, mut other) = (begun(place).await, watched(place).await);
    place.store(&entry(2), "two").await;
    hinted(place, &mut one).await;
    hinted(place, &mut other).await;
    drop(one);
    place.store(&entry(3), "three").await;
    hinted(place, &mut other).await;
}

pub(crate) async fn watching_changes_nothing(place: &Place) {
    let watch = place.change_feed().watch(&path(LOG)).await;
    assert!(watch.is_ok(), "a project may have no log yet");
    drop(watch);
    place.holds_nothing().await;
}

/// Somebody who knows of no adapter writes there as well.
pub(crate) async fn file_of_another_program_is_hinted_at(place: &Place) {
    let mut changes = begun(place).await;
    for number in [2, 1_000, 1_001] {
        let file = place.on_disk().join(entry(number));
        fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        fs::write(&file, "theirs").expect("it can be written");
        hinted(place, &mut changes).await;
    }
}

pub(crate) async fn watch_of_a_folder_that_goes_is_over(place: &Place) {
    let mut changes = begun(place).await;
    fs::remove_dir_all(place.on_disk().join("_mirror")).expect("it goes");
    while next(place, &mut changes).await != Hint::Over {}
    assert!(!changes.holds().await);
    let none = place.change_feed().watch(&path(LOG)).await;
    assert!(matches!(none, Ok(None)), "nothing is there to be watched");

    let mut changes = begun(place).await;
    place.store(&entry(2), "two").await;
    hinted(place, &mut changes).await;
}

pub(crate) async fn watch_of_what_was_moved_away_holds_no_more(place: &Place) {
    let changes = begun(place).await;
    let ours = place.on_disk().join("_mirror");
    fs::rename(&ours, place.on_disk().join("away")).expect("it is moved");
    assert!(!changes.holds().await);
    place.store(&entry(1), "one").await;
    assert!(!changes.holds().await, "another folder stands there");
}
