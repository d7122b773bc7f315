//! A service is believed only once it has shown what the log stands on (L10).

use super::*;

/// What a service does with names of the log, whatever it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Honest,
    /// Says that it has stored a file, and has not.
    StoresNothing,
    /// Stores a file over what has its name.
    Overwrites,
}

struct Liar {
    memory: MemoryBackend,
    habit: Habit,
}

fn is_entry(path: &RemotePath) -> bool {
    path.as_str().starts_with("_mirror/log/")
}

#[async_trait]
impl Backend for Liar {
    fn label(&self) -> &'static str {
        "liar"
    }

    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        self.memory.stat(path).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        self.memory.list(prefix)
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        self.memory.read(path, range).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        match self.habit {
            Habit::StoresNothing if is_entry(path) => Ok(match self.memory.stat(path).await? {
                None => Guarded::Done(Revision("said".to_owned())),
                Some(_) => Guarded::Refused,
            }),
            Habit::Overwrites if is_entry(path) => {
                self.memory.write(path, body, Expect::Anything).await
            }
            _ => self.memory.write(path, body, expect).await,
        }
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        self.memory.remove(path, expect).await
    }
}

fn stacked(habit: Habit) -> (MemoryBackend, Arc<dyn Backend>) {
    let memory = MemoryBackend::new(MemoryProfile::RENAME);
    let liar = Arc::new(Liar { memory: memory.clone(), habit });
    let (backend, _) = stack(liar, Patience::default(), Arc::new(SystemTimer::default()));
    (memory, backend)
}

async fn names(memory: &MemoryBackend) -> Vec<String> {
    let ours = RemotePath::new("_mirror").unwrap();
    let files: Vec<RemoteFile> = memory.list(&ours).try_collect().await.unwrap();
    files.into_iter().map(|file| file.path.as_str().to_owned()).collect()
}

#[tokio::test]
async fn no_entry_gets_to_a_service_that_cannot_hold_a_log() {
    for habit in [Habit::StoresNothing, Habit::Overwrites] {
        let (memory, backend) = stacked(habit);
        let entry = RemotePath::new("_mirror/log/0000000/0000000001.json").unwrap();

        let refused = backend.write(&entry, "one".into(), Expect::Absent).await;

        let error = refused.expect_err("no log can stand there");
        assert!(error.to_string().contains("can't hold the log"), "{habit:?}: {error}");
        assert_eq!(names(&memory).await, [""; 0], "{habit:?} keeps nothing of it");
    }
}

#[tokio::test]
async fn proof_is_asked_for_once_and_leaves_nothing() {
    let (memory, backend) = stacked(Habit::Honest);
    for number in 1..=2 {
        let path = format!("_mirror/log/0000000/000000000{number}.json");
        let entry = RemotePath::new(path).unwrap();
        let written = backend.write(&entry, "one".into(), Expect::Absent).await;
        assert!(matches!(written, Ok(Guarded::Done(_))), "{written:?}");
    }
    assert_eq!(names(&memory).await.len(), 2);
}

/// A name of so many days ago.
fn left(days: u64) -> RemotePath {
    let now = ulid::Ulid::generate().timestamp_ms();
    let moment = ulid::Ulid::from_parts(now - days * 24 * 3_600_000, 7);
    RemotePath::new(format!("_mirror/log/scratch/{moment}")).expect("a normal path")
}

#[tokio::test]
async fn proof_that_was_cut_off_is_swept_by_a_later_one() {
    let memory = MemoryBackend::new(MemoryProfile::SWAP);
    let entry = RemotePath::new("_mirror/log/0000000/0000000001.json").expect("a normal path");
    let other = RemotePath::new("_mirror/log/scratch/not ours").expect("a normal path");
    let (old, young) = (left(8), left(6));
    for path in [&old, &young, &entry, &other] {
        memory.write(path, "text".into(), Expect::Absent).await.expect("room");
    }

    prove(&memory).await.expect("it is honest");

    assert_eq!(memory.stat(&old).await.expect("a look"), None);
    for path in [young, entry, other] {
        assert!(memory.stat(&path).await.expect("a look").is_some(), "{path}");
    }
    let scratch = RemotePath::new("_mirror/log/scratch").expect("a normal path");
    let files: Vec<_> = memory.list(&scratch).try_collect().await.expect("a listing");
    assert_eq!(files.len(), 2, "and nothing of this one");
}
