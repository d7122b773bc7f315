//! Whole pushes over a line that is cut after each number of bytes in turn.
//!
//! Whatever the cut hit: the push recovers by itself or says that it did not,
//! another one ends the work, and other machines get every file.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use mirror_core::Ulid;
use mirror_core::patterns::Patterns;
use mirror_engine::outside::{Cancel, ManualWatch, Outside};
use mirror_engine::real::{LocalDisk, LocalTree, SystemClock, SystemEntropy, TokioSpawner};
use mirror_engine::store::MemoryStore;
use mirror_engine::{
    Author, EngineResult, Job, JobRequest, Parts, Project, ProjectSpec, Report, Scope,
    SharedSettings, create,
};
use mirror_storage::adapter::FolderBackend;
use mirror_storage::adapter::sftp::SftpBackend;
use mirror_storage::layers::{Patience, SystemTimer, stack};
use mirror_storage::{Backend, FaultClass};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::lane::{Disturbance, were_cut};
use super::{Lane, disturbances, in_time, varied};
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{Tree, rounds, same_trees};

/// Jobs that may be needed after a cut; only one of them is cut.
const TRIES: usize = 5;

/// One machine with a project of its own folder.
struct Machine {
    home: TempDir,
    author: Author,
    project: Option<Project>,
}

impl Machine {
    fn new(name: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder for a machine");
        for folder in ["root", "data", "cache"] {
            fs::create_dir(home.path().join(folder)).expect("a folder of its");
        }
        let machine_id = Ulid::from_parts(1, name.len() as u128);
        let author = Author { user: "ada".to_owned(), machine: name.to_owned(), machine_id };
        Self { home, author, project: None }
    }

    fn parts(&self, backend: Arc<dyn Backend>) -> Parts {
        let disk = |name: &str| {
            Arc::new(LocalDisk::open(self.home.path().join(name)).expect("a folder of its"))
        };
        Parts {
            backend,
            tree: Arc::new(LocalTree::open(self.root())),
            watch: Arc::new(ManualWatch),
            store: Arc::new(MemoryStore::new()),
            data: disk("data"),
            cache: disk("cache"),
            outside: Outside::new(
                Arc::new(SystemClock),
                Arc::new(SystemEntropy),
                Arc::new(TokioSpawner),
            ),
        }
    }

    async fn opens(&mut self, backend: Arc<dyn Backend>) {
        let spec = ProjectSpec {
            name: "notes".to_owned(),
            root: self.root(),
            backend_name: "server".to_owned(),
            narrowing: None,
            hold: true,
            author: self.author.clone(),
            poll_interval: Duration::from_hours(1),
        };
        let project = Project::open(spec, self.parts(backend)).await;
        self.project = Some(project.expect("the project opens"));
    }

    fn root(&self) -> std::path::PathBuf {
        self.home.path().join("root")
    }

    fn writes(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(path, content).expect("the file can be written");
    }

    async fn runs(&self, job: Job) -> EngineResult<Report> {
        let (events, _heard) = mpsc::channel(64);
        let request = JobRequest { job, dry_run: false, consent: true };
        self.project
            .as_ref()
            .expect("the project is open")
            .run(request, events, Cancel::new())
            .await
    }

    /// Pushes until everything is there; what fails before is likely to pass.
    async fn pushes(&self, lane: &Lane) {
        for _ in 0..TRIES {
            let push = Job::Push {
                scope: Scope::default(),
                message: None,
                force_local: false,
                no_wait: false,
            };
            match in_time(self.runs(push)).await {
                Ok(report) if is_whole(&report) => return,
                Ok(report) => {
                    let classes = report.failed.iter().map(|fault| fault.class);
                    assert!(
                        classes.clone().all(|class| class == FaultClass::Transient),
                        "{report:?}"
                    );
                }
                Err(error) => {
                    assert_eq!(error.class(), FaultClass::Transient, "{error:?}");
                }
            }
            lane.proxy.plug_in();
            // As a person would ask, who needn't wait for the next try.
            in_time(lane.connection.greet()).await.expect("the line is fine again");
        }
        panic!("nothing is pushed after {TRIES} tries");
    }
}

fn is_whole(report: &Report) -> bool {
    report.failed.is_empty() && !report.queued && !report.view_pending
}

fn settings() -> SharedSettings {
    let patterns = Patterns { include: vec!["**/*".to_owned()], exclude: vec![] };
    SharedSettings::new("notes", patterns)
}

fn folder(root: &Path) -> Arc<dyn Backend> {
    Arc::new(FolderBackend::open(root.to_owned()))
}

impl Lane {
    fn backend(&self, root: &Path, is_layered: bool) -> Arc<dyn Backend> {
        let root = root.to_str().expect("paths of tests are UTF-8").to_owned();
        let adapter: Arc<dyn Backend> = Arc::new(SftpBackend::open(self.connection.clone(), root));
        if !is_layered {
            return adapter;
        }
        let first_pause = Duration::from_millis(1);
        let patience = Patience { first_pause, ..Patience::default() };
        stack(adapter, patience, Arc::new(SystemTimer::default())).0
    }

    /// Two pushes, one of them cut; gives how many bytes they were.
    async fn pushes(&self, disturbance: Option<Disturbance>) -> u64 {
        let root = self.server.new_root();
        let mut laptop = Machine::new("laptop");
        let first = laptop.parts(folder(&root));
        let id = first.outside.ulid();
        create(&first, &laptop.author, settings(), id).await.expect("created");
        let is_layered = disturbance.is_none_or(|one| one.is_layered);
        laptop.opens(self.backend(&root, is_layered)).await;
        let before = self.carried();
        if let Some(disturbance) = disturbance {
            self.suffers(&disturbance);
        }

        for number in 0..10 {
            laptop.writes(&format!("notes/{number}.md"), &varied(5000)[number * 300..][..2000]);
        }
        laptop.writes("large.bin", varied(60_000));
        laptop.pushes(self).await;
        self.ended_well(&root, &laptop, 2).await;

        laptop.writes("notes/0.md", "edited");
        laptop.writes("new/a.md", "new");
        fs::remove_file(laptop.root().join("notes/1.md")).expect("it was there");
        laptop.pushes(self).await;
        self.ended_well(&root, &laptop, 3).await;

        let carried = self.carried();
        self.calms_down();
        laptop.project.take().expect("it is open").close().await;
        fs::remove_dir_all(root).expect("the folder can go");
        carried - before
    }

    /// One entry for each push, every file byte by byte, here and elsewhere.
    async fn ended_well(&self, root: &Path, laptop: &Machine, head: u64) {
        let files = Tree::read(&laptop.root()).without_modes();
        same_trees(&files, &Tree::read(root).without("_mirror").without_modes());
        let log = root.join("_mirror/log/0000000");
        assert_eq!(fs::read_dir(log).expect("a log").count() as u64, head);

        let mut desktop = Machine::new("the desktop");
        desktop.opens(folder(root)).await;
        let report = desktop.runs(Job::Pull { scope: Scope::default() }).await.expect("a pull");
        assert!(is_whole(&report), "{report:?}");
        same_trees(&files, &Tree::read(&desktop.root()).without_modes());
        desktop.project.take().expect("it is open").close().await;
    }
}

async fn every_cut_is_survived(variant: Variant) {
    let Some(server) = SftpServer::shared(variant) else { return };
    let lanes = [Lane::to(server).await, Lane::to(server).await];
    let len = lanes[0].pushes(None).await;

    let disturbances = disturbances(rounds(60, 3000), len);
    let pushes = (0..).zip(&lanes).map(|(first, lane)| {
        let mine = disturbances.iter().skip(first).step_by(lanes.len());
        async move {
            for disturbance in mine {
                lane.pushes(Some(*disturbance)).await;
            }
        }
    });
    join_all(pushes).await;
    were_cut(&lanes, disturbances.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cut_of_a_push_is_survived() {
    every_cut_is_survived(Variant::Stock).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cut_of_a_push_is_survived_without_hardlinks() {
    every_cut_is_survived(Variant::WithoutHardlinks).await;
}
