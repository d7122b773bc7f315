//! What a service offers, through the layers.

use super::*;
use crate::{Access, KeptAttributes, NewFile, Stored, StoredRange};

#[async_trait]
impl WriteMany for Service {
    async fn store_all(&self, files: Vec<(NewFile, Body)>) -> Result<Vec<Stored>, StorageError> {
        self.met().await?;
        let mut stored = self.memory.store_all(files).await?;
        let fault = self.file_faults.lock().expect("no panic").pop_front();
        if let (Some(stored), Some(fault)) = (stored.first_mut(), fault) {
            *stored = Err(fault);
        }
        Ok(stored)
    }
}

#[async_trait]
impl KeepAttributes for Service {
    fn keeps(&self) -> KeptAttributes {
        self.memory.keeps()
    }

    fn set_access(&self, access: Access) {
        self.memory.set_access(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        self.met().await?;
        self.memory.write_as(file, body).await
    }
}

#[async_trait]
impl CopyRange for Service {
    fn least(&self) -> u64 {
        7
    }

    async fn copy(&self, range: &StoredRange, file: &NewFile) -> Stored {
        self.met().await?;
        self.memory.copy(range, file).await
    }
}

fn new_file(at: &str, expect: Expect) -> NewFile {
    NewFile::plain(path(at), expect)
}

fn files(names: &[&str]) -> Vec<(NewFile, Body)> {
    names.iter().map(|at| (new_file(at, Expect::Anything), "one".into())).collect()
}

fn all_of_a() -> StoredRange {
    StoredRange { path: path("a"), start: 0, len: 3 }
}

#[tokio::test]
async fn offers_reach_the_service_and_count_as_writes() {
    let stack = Stack::failing([]);
    let attributes = stack.top.keep_attributes().expect("attributes");
    let copies = stack.top.copy_range().expect("copies");
    let many = stack.top.write_many().expect("many files");

    attributes.set_access(Access::Group);
    let mut stored = many.store_all(files(&["a", "b"])).await.expect("an answer");
    stored.push(attributes.write_as(&new_file("c", Expect::Absent), "one".into()).await);
    stored.push(copies.copy(&all_of_a(), &new_file("d", Expect::Absent)).await);

    assert!(stored.iter().all(|stored| matches!(stored, Ok(Guarded::Done(_)))), "{stored:?}");
    let memory = &stack.service.memory;
    for at in ["a", "b", "c", "d"] {
        assert_eq!(memory.access(&path(at)), Some(Access::Group), "{at}");
    }
    assert_eq!((attributes.keeps(), copies.least()), (memory.keeps(), 7));
    let counts = stack.counts.so_far();
    assert_eq!((counts.write, counts.total()), (4, 4));
    stack.called(3);
}

#[tokio::test]
async fn of_all_that_is_offered_only_unguarded_writes_are_tried_again() {
    let stack = Stack::failing(std::iter::repeat_with(unreachable).take(4));
    let attributes = stack.top.keep_attributes().expect("attributes");
    let copies = stack.top.copy_range().expect("copies");
    let many = stack.top.write_many().expect("many files");
    let file = new_file("b", Expect::Anything);

    assert!(many.store_all(files(&["a"])).await.is_err());
    assert!(copies.copy(&all_of_a(), &file).await.is_err());
    let guarded = new_file("b", Expect::Absent);
    assert!(attributes.write_as(&guarded, "one".into()).await.is_err());
    assert_eq!(stack.counts.so_far().retries, 0);

    assert!(attributes.write_as(&file, "one".into()).await.is_ok());
    assert_eq!(stack.counts.so_far().retries, 1);
    stack.called(5);
}

#[tokio::test]
async fn one_of_many_files_that_asks_to_slow_down_holds_back_all_calls() {
    let stack = Stack::failing([]);
    stack.service.file_faults.lock().expect("no panic").push_back(throttled(3));
    let many = stack.top.write_many().expect("many files");
    many.store_all(files(&["a", "b"])).await.expect("an answer");
    assert_eq!(stack.clock.now(), Duration::ZERO);

    stack.top.stat(&path("b")).await.expect("an answer");

    assert_eq!(stack.clock.now(), Duration::from_secs(3));
}
