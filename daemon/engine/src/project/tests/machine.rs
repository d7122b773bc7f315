//! One machine of a story: what a person and the daemon do there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mirror_core::patterns::Patterns;
use mirror_core::reconcile::FileState;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::faulty::FaultyBackend;
use super::meddling_tree::MeddlingTree;
use super::power::{Power, PoweredStore};
use super::power_loss_disk::{PowerLossDisk, Room};
use super::{World, push_of};
use crate::api::*;
use crate::mapped::{MappedFolder, MappedTree};
use crate::outside::{Disk, ManualWatch, Outside, Watch};
use crate::project::Project;
use crate::real::LocalDisk;
use crate::store::MemoryStore;

/// One machine: a folder, a store, and a line to the backend of its own.
pub(super) struct Machine {
    pub(super) home: TempDir,
    pub(super) backend: Arc<FaultyBackend>,
    pub(super) tree: Arc<MeddlingTree>,
    pub(super) store: Arc<PoweredStore>,
    pub(super) power: Arc<Power>,
    /// On the disk of the daemon's own data.
    pub(super) room: Arc<Room>,
    pub(super) outside: Outside,
    pub(super) author: Author,
    pub(super) narrowing: Option<Patterns>,
    pub(super) hold: bool,
    /// `None`: every look is a walk.
    pub(super) watch: Option<Arc<dyn Watch>>,
    /// Folders that stand for shared ones.
    pub(super) mapped: Vec<MappedFolder>,
    pub(super) project: Option<Project>,
}

impl Machine {
    /// A machine with an empty folder that has not opened the project yet.
    pub(super) fn new(world: &World, name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let power = Arc::new(Power::new());
        for folder in ["root", "data", "cache"] {
            fs::create_dir(home.path().join(folder)).unwrap();
        }
        let machine_id = world.outside.ulid();
        Self {
            backend: Arc::new(FaultyBackend::new(world.files.clone(), power.clone())),
            tree: Arc::new(MeddlingTree::new(home.path().join("root"), power.clone())),
            store: Arc::new(PoweredStore::new(power.clone())),
            power,
            room: Arc::new(Room::new()),
            outside: world.outside.clone(),
            author: Author { user: "ada".to_owned(), machine: name.to_owned(), machine_id },
            narrowing: None,
            hold: true,
            watch: None,
            mapped: Vec::new(),
            project: None,
            home,
        }
    }

    pub(super) fn parts(&self) -> Parts {
        let disk = |name: &str| -> Arc<dyn Disk> {
            Arc::new(PowerLossDisk::new(
                LocalDisk::open(self.home.path().join(name)).unwrap(),
                self.power.clone(),
                self.room.clone(),
            ))
        };
        Parts {
            backend: self.backend.clone(),
            tree: match self.mapped.is_empty() {
                true => self.tree.clone(),
                false => Arc::new(MappedTree::new(self.tree.clone(), self.mapped.clone())),
            },
            watch: self.watch.clone().unwrap_or_else(|| Arc::new(ManualWatch)),
            store: self.store.clone(),
            data: disk("data"),
            cache: disk("cache"),
            outside: self.outside.clone(),
        }
    }

    /// Opens the project anew, as a daemon does when it starts.
    pub(super) async fn open(&mut self) -> EngineResult<()> {
        if let Some(project) = self.project.take() {
            project.close().await;
        }
        self.project = Some(Project::open(self.spec(), self.parts()).await?);
        Ok(())
    }

    pub(super) fn spec(&self) -> ProjectSpec {
        ProjectSpec {
            name: "notes".to_owned(),
            root: self.root(""),
            backend_name: "memory".to_owned(),
            narrowing: self.narrowing.clone(),
            hold: self.hold,
            author: self.author.clone(),
            poll_interval: Duration::from_secs(10),
        }
    }

    pub(super) fn project(&self) -> &Project {
        self.project.as_ref().expect("the project is open")
    }

    /// Forgets what a cache holds (B5).
    pub(super) fn loses_state(&mut self) {
        self.store.replace(MemoryStore::new());
    }

    /// Forgets a folder of the daemon's own.
    pub(super) fn loses_folder(&mut self, name: &str) {
        let folder = self.home.path().join(name);
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
    }

    pub(super) fn root(&self, path: &str) -> PathBuf {
        self.home.path().join("root").join(path)
    }

    pub(super) fn writes(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn removes(&self, path: &str) {
        fs::remove_file(self.root(path)).unwrap();
    }

    pub(super) fn reads(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root(path)).ok()
    }

    /// Every file of the tree with its content, our temporary ones included.
    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files_below(&self.root(""))
    }

    /// Every file of this machine with its content, the daemon's own included.
    pub(super) fn all_that_is_kept(&self) -> BTreeMap<String, Vec<u8>> {
        files_below(self.home.path())
    }

    pub(super) async fn runs(&self, job: Job) -> EngineResult<Report> {
        let (events, _) = mpsc::channel(64);
        self.project()
            .run(JobRequest { job, dry_run: false, consent: false }, events, Cancel::new())
            .await
    }

    pub(super) async fn tries_push(&self, names: &[&str]) -> EngineResult<Report> {
        self.runs(push_of(names)).await
    }

    pub(super) async fn tries_pull(&self) -> EngineResult<Report> {
        self.runs(Job::Pull { scope: Scope::default() }).await
    }

    pub(super) async fn tries_sync(&self) -> EngineResult<Report> {
        self.runs(Job::Sync { scope: Scope::default(), message: None, settle: Settle::Wait }).await
    }

    pub(super) async fn pushes(&self) -> Report {
        self.tries_push(&[]).await.unwrap()
    }

    pub(super) async fn pulls(&self) -> Report {
        self.tries_pull().await.unwrap()
    }

    pub(super) async fn syncs(&self) -> Report {
        self.tries_sync().await.unwrap()
    }

    /// The states of all files that are not in step with the head.
    pub(super) async fn unsettled(&self) -> Vec<(String, FileState)> {
        let status = self.project().status(false).await.unwrap();
        let files = status.files.into_iter().filter(|file| file.state != FileState::InSync);
        files.map(|file| (file.path.as_str().to_owned(), file.state)).collect()
    }

    /// Path, reason and text of what is in the stash, sorted.
    pub(super) fn stashed(&self) -> Vec<(String, String, String)> {
        let folder = self.home.path().join("data/stash");
        let names = fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let records = names.filter(|path| path.extension().is_some_and(|end| end == "json"));
        let mut stashed: Vec<_> = records
            .map(|record| {
                let bytes = fs::read(record.with_extension("")).unwrap();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let record: Stashed = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
                (record.path.as_str().to_owned(), record.reason, text)
            })
            .collect();
        stashed.sort();
        stashed
    }

    /// The log as it is listed here, oldest first.
    pub(super) async fn log(&self) -> Vec<CommitSummary> {
        let query = LogQuery { limit: 10_000, ..LogQuery::default() };
        let mut commits = self.project().log(query).await.unwrap().commits;
        commits.reverse();
        commits
    }
}

fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), fs::read(&path).unwrap_or_default());
        }
    }
    files
}
