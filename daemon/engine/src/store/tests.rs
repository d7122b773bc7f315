//! The promises of a store, for both, and what only the one on disk must keep.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::*;

/// Runs a promise on a fresh store of each kind.
fn on_both(promise: impl Fn(&dyn Store)) {
    promise(&MemoryStore::new());
    let folder = tempfile::tempdir().unwrap();
    let (store, past) = SledStore::open(folder.path()).unwrap();
    assert_eq!(past, Past::Missing);
    promise(&store);
}

fn put(store: &dyn Store, table: Table, rows: &[(&str, &str)]) {
    let mut batch = Batch::default();
    for (key, value) in rows {
        batch.put(table, key, value.as_bytes().to_vec());
    }
    store.apply(batch, true).unwrap();
}

fn rows(store: &dyn Store, table: Table) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let rows = store.load(table).unwrap();
    rows.into_iter().map(|(key, value)| (text(key), text(value))).collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn rows_come_back_by_key() {
    on_both(|store| {
        put(store, Table::Base, &[("b", "2"), ("a", "1"), ("", "0")]);
        assert_eq!(rows(store, Table::Base), pairs(&[("", "0"), ("a", "1"), ("b", "2")]));
        assert_eq!(store.get(Table::Base, b"b").unwrap(), Some(b"2".to_vec()));
        assert_eq!(store.get(Table::Base, b"c").unwrap(), None);
    });
}

#[test]
fn tables_do_not_see_each_other() {
    on_both(|store| {
        for table in Table::ALL {
            put(store, table, &[("key", &format!("{table:?}"))]);
        }
        for table in Table::ALL {
            assert_eq!(rows(store, table), pairs(&[("key", &format!("{table:?}"))]));
        }
    });
}

#[test]
fn last_change_of_a_key_in_a_batch_counts() {
    on_both(|store| {
        let mut batch = Batch::default();
        batch.put(Table::Facts, "kept", b"1".to_vec());
        batch.put(Table::Facts, "kept", b"2".to_vec());
        batch.put(Table::Facts, "gone", b"1".to_vec());
        batch.remove(Table::Facts, "gone");
        batch.remove(Table::Facts, "never there");
        store.apply(batch, false).unwrap();
        assert_eq!(rows(store, Table::Facts), pairs(&[("kept", "2")]));
    });
}

#[test]
fn cleared_store_is_empty_and_usable() {
    on_both(|store| {
        put(store, Table::Index, &[("a", "1")]);
        store.clear().unwrap();
        assert!(Table::ALL.into_iter().all(|table| rows(store, table).is_empty()));
        put(store, Table::Index, &[("b", "2")]);
        assert_eq!(rows(store, Table::Index), pairs(&[("b", "2")]));
    });
}

/// Writes some batches over each other and gives the rows after each.
fn written(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let (store, _) = SledStore::open(folder).unwrap();
    let mut stages = vec![BTreeMap::new()];
    for stage in 0..20 {
        let mut batch = Batch::default();
        let mut rows = stages[stage].clone();
        for number in (stage..200).step_by(stage + 1) {
            let (key, value) = (format!("notes/{number}.md"), format!("{stage}").repeat(100));
            batch.put(Table::Base, &key, value.clone().into_bytes());
            rows.insert(key, value);
        }
        store.apply(batch, true).unwrap();
        stages.push(rows);
    }
    stages
}

#[test]
fn state_outlives_the_store_that_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let stages = written(folder.path());
    let (store, past) = SledStore::open(folder.path()).unwrap();
    assert_eq!(past, Past::Kept);
    let found: BTreeMap<_, _> = rows(&store, Table::Base).into_iter().collect();
    assert_eq!(found, stages[20]);
}

#[test]
fn store_can_be_opened_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledStore::open(folder.path()).unwrap());
    for round in 0..50 {
        let (store, past) = SledStore::open(folder.path()).unwrap();
        assert_eq!(past, Past::Kept, "round {round}");
        put(&store, Table::Facts, &[("round", &round.to_string())]);
    }
}

#[test]
fn state_removed_under_a_running_store_is_made_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("deep/index");
    let (store, _) = SledStore::open(&folder).unwrap();
    put(&store, Table::Base, &[("a", "1"), ("b", "2")]);
    for round in 0..3 {
        fs::remove_dir_all(home.path().join("deep")).unwrap();
        put(&store, Table::Facts, &[("round", &round.to_string())]);
    }
    assert!(SledStore::open(&folder).is_err(), "it is locked again");
    drop(store);

    let (store, past) = SledStore::open(&folder).unwrap();

    assert_eq!(past, Past::Kept);
    assert_eq!(rows(&store, Table::Base), pairs(&[("a", "1"), ("b", "2")]));
    assert_eq!(rows(&store, Table::Facts), pairs(&[("round", "2")]));
}

#[test]
fn second_store_in_one_folder_is_refused_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = SledStore::open(folder.path()).unwrap();
    put(&store, Table::Facts, &[("a", "1")]);

    assert!(SledStore::open(folder.path()).is_err());

    put(&store, Table::Facts, &[("b", "2")]);
    drop(store);
    let (store, past) = SledStore::open(folder.path()).unwrap();
    assert_eq!((past, rows(&store, Table::Facts).len()), (Past::Kept, 2));
}

#[test]
fn folder_that_is_let_go_of_a_moment_later_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = SledStore::open(folder.path()).unwrap();
    let held = File::open(folder.path().join("lock")).unwrap();
    drop(first);
    held.lock().unwrap();

    std::thread::scope(|scope| {
        let opening = scope.spawn(|| SledStore::open(folder.path()));
        std::thread::yield_now();
        drop(held);
        assert!(opening.join().unwrap().is_ok());
    });
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .filter(|path| !path.ends_with("lock"))
        .collect();
    files.sort();
    files
}

/// Damages a state and opens it: it must be as some batch left it, or fresh.
#[track_caller]
fn survives(name: &str, damage: impl FnOnce(&Path)) -> Past {
    let folder = tempfile::tempdir().unwrap();
    let stages = written(folder.path());
    damage(folder.path());

    let (store, past) = SledStore::open(folder.path()).unwrap();

    let found: BTreeMap<_, _> = rows(&store, Table::Base).into_iter().collect();
    assert!(stages.contains(&found), "{name}: rows that no batch left");
    assert!(past == Past::Kept || found.is_empty(), "{name}: {past:?} with rows");
    put(&store, Table::Facts, &[("a", "1")]);
    drop(store);
    let (store, past_after) = SledStore::open(folder.path()).unwrap();
    assert_eq!(past_after, Past::Kept, "{name} after {past:?}");
    assert_eq!(rows(&store, Table::Facts), pairs(&[("a", "1")]), "{name}");
    past
}

/// Spreads numbers well enough for damage.
fn scattered(seed: usize) -> impl Iterator<Item = u8> {
    let mut state = seed as u64 + 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
}

#[test]
fn noise_in_any_file_never_shows_rows_that_were_not_written() {
    for round in 0..40 {
        survives(&format!("noise {round}"), |folder| {
            let files = files_below(folder);
            let file = &files[round % files.len()];
            let mut bytes = fs::read(file).unwrap();
            let length = bytes.len().max(1);
            let start = round * 7_919 % length;
            let size = [1, 16, 4_096, length][round / 3 % 4];
            for (byte, noise) in bytes[start..].iter_mut().take(size).zip(scattered(round)) {
                *byte = noise;
            }
            fs::write(file, bytes).unwrap();
        });
    }
}

#[test]
fn truncation_never_shows_rows_that_were_not_written() {
    for round in 0..20 {
        survives(&format!("truncation {round}"), |folder| {
            let files = files_below(folder);
            let file = fs::File::options().write(true).open(&files[round % files.len()]).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length * (round as u64 / 3) / 8).unwrap();
        });
    }
}

#[test]
fn state_of_noise_alone_is_lost_and_said_to_be() {
    let past = survives("all noise", |folder| {
        for file in files_below(folder) {
            let length = fs::metadata(&file).unwrap().len().max(64);
            let noise: Vec<u8> = scattered(7).take(usize::try_from(length).unwrap()).collect();
            fs::write(file, noise).unwrap();
        }
    });
    assert_eq!(past, Past::Lost);
}

#[test]
fn missing_files_are_a_lost_state() {
    let past = survives("removed", |folder| {
        for file in files_below(folder) {
            fs::remove_file(file).unwrap();
        }
    });
    assert_eq!(past, Past::Lost);
}

#[test]
fn rows_that_went_missing_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    // What recovery from a damaged page could look like, done by hand.
    let database = sled::open(folder.path().join("0")).unwrap();
    let (key, _) = database.iter().nth(50).unwrap().unwrap();
    database.remove(key).unwrap();
    drop(database);

    // Who only looks drops nothing, and begins nothing.
    assert!(SledStore::open_kept(folder.path()).is_err());
    assert!(folder.path().join("0").is_dir() && !folder.path().join("1").exists());
    let (store, past) = SledStore::open(folder.path()).unwrap();

    assert_eq!((past, rows(&store, Table::Base).len()), (Past::Lost, 0));
}

#[test]
fn damage_leaves_no_old_state_behind() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let (store, _) = SledStore::open(folder.path()).unwrap();
        put(&store, Table::Facts, &[("a", "1")]);
        drop(store);
        for file in files_below(folder.path()) {
            fs::write(file, "noise").unwrap();
        }
    }
    drop(SledStore::open(folder.path()).unwrap());
    // The lock and one generation.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
