//! Folders and files of the view that this login may not look into, or that belong to
//! a system.

use async_trait::async_trait;
use futures::StreamExt;
use mirror_storage::{
    Body, ByteRange, ByteStream, Capabilities, FileStream, Guarded, RemoteFile, Revision,
    StorageError,
};

use super::outside_edits::PROFILES;
use super::*;
use crate::api::Holding;
use crate::project::inspect;
use crate::view::View;

/// A service with a folder and a file that this login may not look into.
struct Guarding(MemoryBackend);

const CLOSED: [&str; 2] = ["theirs", "docs/secret.md"];

fn closed(path: &RemotePath) -> Option<StorageError> {
    let closed = CLOSED.into_iter().find(|closed| path.as_str().starts_with(closed))?;
    Some(StorageError::Forbidden { path: RemotePath::new(closed).unwrap() })
}

#[async_trait]
impl Backend for Guarding {
    fn label(&self) -> &str {
        self.0.label()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        self.0.stat(path).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        let folder = |file: RemoteFile| match file.path.as_str().starts_with(CLOSED[0]) {
            true => Err(closed(&file.path).expect("it is closed")),
            false => Ok(file),
        };
        self.0.list(prefix).map(move |file| file.and_then(folder)).boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        closed(path).map_or(Ok(()), Err)?;
        self.0.read(path, range).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        self.0.write(path, body, expect).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        self.0.remove(path, expect).await
    }
}

#[tokio::test]
async fn what_may_not_be_read_hides_nothing_else() {
    let memory = MemoryBackend::new(MemoryProfile::RENAME);
    for path in ["docs/a.md", "docs/secret.md", "theirs/b.md", "theirs/deep/c.md", "z.md"] {
        let path = RemotePath::new(path).unwrap();
        memory.write(&path, "text".into(), Expect::Absent).await.unwrap();
    }
    let view = View {
        backend: Arc::new(Guarding(memory)),
        outside: World::new().await.outside,
        machine_id: mirror_core::Ulid::from_parts(1, 1),
    };

    let survey = view.survey(&BTreeMap::new(), BTreeSet::new(), |_| true).await.unwrap();

    let seen: Vec<&str> = survey.sights.keys().map(RelPath::as_str).collect();
    assert_eq!(seen, ["docs/a.md", "z.md"]);
    assert_eq!(survey.closed, CLOSED.map(str::to_owned).into());
    let hidden = |path: &str| survey.is_hidden(&RelPath::new(path).unwrap());
    for path in ["theirs", "theirs/x/y.md", "docs/secret.md", "docs/#recycle/a.md"] {
        assert!(hidden(path), "absence of {path} is not believed");
    }
    for path in ["theirs.md", "docs/b.md", "docs/secret.md.bak"] {
        assert!(!hidden(path), "{path} may be missing");
    }
}

/// What NAS software keeps beside it is nobody's writing.
#[tokio::test]
async fn what_a_project_has_under_names_of_systems_is_looked_at_like_all_else() {
    for profile in PROFILES {
        let world = World::on(profile).await;
        let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
        let (folder, file) = (".snapshots/2026/plan.md", "docs/._a.md");
        for path in [folder, file] {
            laptop.writes(path, "one");
        }
        converge(&laptop, &desktop).await;
        let theirs = [".snapshots/2026/other.md", "docs/._b.md", "#recycle/a.md"];
        for path in theirs {
            world.plant(path, "a system's");
        }
        world.lose(file);
        world.plant(folder, "edited in the view");

        for _ in 0..3 {
            world.advance(Duration::from_hours(1));
            laptop.syncs().await;
            laptop.project().poll().await.unwrap();
        }

        assert_eq!(world.text(file).as_deref(), Some("one"), "{profile:?}: it is written again");
        assert_eq!(laptop.reads(folder).as_deref(), Some("edited in the view"), "{profile:?}");
        for path in theirs {
            assert_eq!(laptop.reads(path), None, "{profile:?}: {path} is not taken over");
            assert_eq!(world.text(path).as_deref(), Some("a system's"), "{profile:?}");
        }
        converge(&laptop, &desktop).await;
        assert_eq!(desktop.files(), laptop.files());
        let head = world.head();
        for machine in [&laptop, &desktop, &laptop] {
            world.advance(Duration::from_hours(1));
            machine.syncs().await;
            machine.project().poll().await.unwrap();
        }
        assert_eq!(world.head(), head, "{profile:?}");
    }
}

/// A folder that a Finder has been to is empty all the same.
#[tokio::test]
async fn what_systems_keep_makes_no_project_of_a_folder() {
    let memory = MemoryBackend::new(MemoryProfile::RENAME);
    let store = async |path: &str| {
        let path = RemotePath::new(path).unwrap();
        memory.write(&path, "text".into(), Expect::Absent).await.unwrap();
    };
    store(".DS_Store").await;
    store("#recycle/old.md").await;
    assert_eq!(inspect(&memory).await.unwrap(), Holding::Empty);
    store("notes.md").await;
    assert_eq!(inspect(&memory).await.unwrap(), Holding::PlainFiles);
}
