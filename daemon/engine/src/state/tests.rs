//! What the state costs to store.

use std::sync::Mutex;

use super::*;
use crate::real::{SystemClock, SystemEntropy, TokioSpawner};
use crate::store::{MemoryStore, Rows};

/// Counts the values and their bytes in the batches that it is given.
#[derive(Debug, Default)]
struct CountingStore {
    inner: MemoryStore,
    stored: Mutex<(usize, usize)>,
}

impl Store for CountingStore {
    fn load(&self, table: Table) -> Result<Rows, StoreError> {
        self.inner.load(table)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(table, key)
    }

    fn apply(&self, batch: Batch, durable: bool) -> Result<(), StoreError> {
        let mut stored = self.stored.lock().unwrap();
        for value in batch.changes.values().flatten() {
            *stored = (stored.0 + 1, stored.1 + value.len());
        }
        self.inner.apply(batch, durable)
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.inner.clear()
    }
}

fn load(store: &Arc<CountingStore>) -> State {
    let owner = Owner::new(Digest([1; 32]), std::path::Path::new("/notes"), Some((1, 2)));
    State::load(store.clone(), &owner, Ulid(7)).unwrap()
}

fn path(number: usize) -> RelPath {
    RelPath::new(&format!("notes/{number}.md")).unwrap()
}

/// Values and bytes that are stored when `note` was called for each of `count` files.
async fn stored_by(count: usize, note: fn(&mut State, usize)) -> (usize, usize) {
    let store = Arc::new(CountingStore::default());
    let mut state = load(&store);
    let outside =
        Outside::new(Arc::new(SystemClock), Arc::new(SystemEntropy), Arc::new(TokioSpawner));
    state.save(&outside, false).await.unwrap();
    let before = *store.stored.lock().unwrap();
    for number in 0..count {
        note(&mut state, number);
    }
    state.save(&outside, false).await.unwrap();
    let after = *store.stored.lock().unwrap();
    (after.0 - before.0, after.1 - before.1)
}

/// One value a save, of a size that grows with the number of files alone.
async fn check(note: fn(&mut State, usize)) {
    let (values, bytes) = stored_by(1_000, note).await;
    assert_eq!(values, 1);
    assert!((1_000..200_000).contains(&bytes), "{bytes} bytes for 1,000 files");
}

#[tokio::test]
async fn what_is_noted_file_by_file_is_stored_once_a_save() {
    check(|state, number| {
        let record = AsideRecord { path: path(number), base: None };
        state.set_aside(&format!("_mirror/aside/{number}"), Some(record));
    })
    .await;
    check(|state, number| state.set_refused(&path(number), 7)).await;
    check(|state, number| {
        let mut paths = state.unprojected().clone();
        paths.insert(path(number));
        state.set_unprojected(paths);
    })
    .await;
    check(|state, number| {
        state.set_deletions((0_i64..).take(number).map(|time| time + 1_700_000_000_000).collect());
    })
    .await;
}

#[tokio::test]
async fn row_that_changes_back_and_forth_is_stored_once_a_save() {
    fn there(seq: u64) -> Target {
        let temp_name = ".mirrord-temporary".to_owned();
        Target { temp_name, expected: None, state: None, seq, base: BaseAfter::Written }
    }
    let (values, bytes) = stored_by(1, |state, _| {
        for number in 0..1_000 {
            state.set_target(&path(0), Some(there(number)));
            state.set_target(&path(0), None);
        }
        state.set_target(&path(0), Some(there(7)));
    })
    .await;
    assert_eq!(values, 1);
    assert!(bytes < 200, "{bytes} bytes for one file");
}

#[tokio::test]
async fn facts_are_what_they_were_after_the_next_start() {
    let store = Arc::new(CountingStore::default());
    let mut state = load(&store);
    let outside =
        Outside::new(Arc::new(SystemClock), Arc::new(SystemEntropy), Arc::new(TokioSpawner));
    let record = AsideRecord { path: path(1), base: None };
    state.set_aside("_mirror/aside/1", Some(record.clone()));
    state.set_aside("_mirror/aside/2", Some(record.clone()));
    state.set_aside("_mirror/aside/2", None);
    state.set_refused(&path(3), 9);
    state.set_deletions(vec![1, 2]);
    state.set_coverage("{}".to_owned());
    state.set_root(Some((5, 2)));
    state.set_newest(4, Digest([2; 32]));
    state.save(&outside, true).await.unwrap();
    state.forget_coverage();
    state.save(&outside, true).await.unwrap();

    let state = load(&store);

    assert!(!state.fresh);
    assert_eq!(state.asides(), &BTreeMap::from([("_mirror/aside/1".to_owned(), record)]));
    assert!(state.refused().iter().eq([(&path(3), &9)]));
    assert_eq!(state.deletions(), [1, 2]);
    assert_eq!((state.coverage(), state.device()), (None, Some(5)));
    assert_eq!(state.newest(), Some((4, Digest([2; 32]))));
}
