//! One machine: its folders, its clock, and a daemon that may be killed and
//! started again.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mirror_core::Ulid;
use mirror_engine::outside::{ManualWatch, Outside};
use mirror_engine::{
    Author, Cancel, EngineError, EngineResult, Job, JobRequest, Parts, Project, ProjectSpec, Report,
};
use tokio::sync::mpsc;

use crate::chance::SeededEntropy;
use crate::disk::{FakeDisk, Folder};
use crate::ground::Ground;
use crate::life::Life;
use crate::line::Line;
use crate::panics::locked;
use crate::plants::Fake;
use crate::spawner::InlineSpawner;
use crate::store::{FakeStore, Shelf};
use crate::tree::FakeTree;
use crate::world::{SkewedClock, World};
use crate::writers::Id;

/// How often a daemon looks at the head by itself.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// What a daemon was asked for.
#[derive(Debug)]
pub(crate) enum Errand {
    Open,
    Run(Job),
    Poll,
}

/// How it ended.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one a machine at a time")]
pub(crate) enum Ending {
    Opened(EngineResult<Project>),
    Ran(Job, EngineResult<Report>),
    Polled(EngineResult<bool>),
}

/// A machine of the schedule.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) index: usize,
    world: Arc<World>,
    pub(crate) ground: Arc<Ground>,
    pub(crate) clock: Arc<SkewedClock>,
    pub(crate) data: Arc<Folder>,
    cache: Arc<Folder>,
    shelf: Arc<Shelf>,
    entropy: Arc<SeededEntropy>,
    author: Author,
    pub(crate) life: Arc<Life>,
    pub(crate) project: Option<Project>,
    pub(crate) busy: bool,
    /// Ends the running job early.
    pub(crate) cancel: Cancel,
    endings: Arc<Mutex<Vec<Ending>>>,
}

impl Machine {
    pub(crate) fn new(world: &Arc<World>, index: usize) -> Self {
        let skew_ms = world.chance(|chance| *chance.pick(&[0, 0, 3_000, -40_000, 7_200_000]));
        let clock = Arc::new(SkewedClock::new(world.clone(), skew_ms));
        let seed = world.setup.seed.wrapping_mul(31).wrapping_add(index as u64 + 1);
        let machine_id = Ulid::from_parts(1, index as u128 + 1);
        let author = Author { user: "ada".to_owned(), machine: format!("m{index}"), machine_id };
        let data: Arc<Folder> = Arc::default();
        world.keep_data(data.clone());
        Self {
            index,
            world: world.clone(),
            ground: Arc::new(Ground::new(world.clone(), index, clock.clone())),
            clock,
            data,
            cache: Arc::default(),
            shelf: Arc::default(),
            entropy: Arc::new(SeededEntropy::new(seed)),
            author,
            life: Life::new(),
            project: None,
            busy: false,
            cancel: Cancel::new(),
            endings: Arc::default(),
        }
    }

    pub(crate) fn author(&self) -> &Author {
        &self.author
    }

    pub(crate) fn parts(&self) -> Parts {
        let (life, world) = (self.life.clone(), self.world.clone());
        let spawner =
            InlineSpawner { world: world.clone(), machine: self.index, life: life.clone() };
        Parts {
            backend: Arc::new(Line {
                world: world.clone(),
                machine: self.index,
                life: life.clone(),
            }),
            tree: Arc::new(FakeTree { ground: self.ground.clone(), life: life.clone() }),
            watch: Arc::new(ManualWatch),
            store: Arc::new(FakeStore {
                shelf: self.shelf.clone(),
                life: life.clone(),
                flushes: world.setup.keeps(Fake::B3Flush),
            }),
            data: Arc::new(FakeDisk { folder: self.data.clone(), life: life.clone() }),
            cache: Arc::new(FakeDisk { folder: self.cache.clone(), life }),
            outside: Outside::new(self.clock.clone(), self.entropy.clone(), Arc::new(spawner)),
        }
    }

    fn spec(&self) -> ProjectSpec {
        ProjectSpec {
            name: "notes".to_owned(),
            root: PathBuf::from(format!("/m{}", self.index)),
            backend_name: "memory".to_owned(),
            narrowing: None,
            hold: true,
            author: self.author.clone(),
            poll_interval: POLL_INTERVAL,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        !self.busy
    }

    /// Asks the daemon for something; [`Machine::ending`] tells how it ended.
    pub(crate) fn begin(&mut self, errand: Errand, consent: bool) {
        let endings = self.endings.clone();
        self.busy = true;
        self.cancel = Cancel::new();
        let cancel = self.cancel.clone();
        let (spec, parts, project) = (self.spec(), self.parts(), self.project.clone());
        // Nobody is there to agree to what a daemon does by itself.
        let consent = consent && !matches!(errand, Errand::Run(Job::Auto(_)));
        tokio::spawn(async move {
            let closed = || EngineError::Internal("the project is not open".to_owned());
            let ending = match (errand, project) {
                (Errand::Open, _) => Ending::Opened(Project::open(spec, parts).await),
                (Errand::Run(job), Some(project)) => {
                    let (events, _heard) = mpsc::channel(64);
                    let request = JobRequest { job: job.clone(), dry_run: false, consent };
                    Ending::Ran(job, project.run(request, events, cancel).await)
                }
                (Errand::Poll, Some(project)) => Ending::Polled(project.poll().await),
                (Errand::Run(job), None) => Ending::Ran(job, Err(closed())),
                (Errand::Poll, None) => Ending::Polled(Err(closed())),
            };
            locked(&endings).push(ending);
        });
    }

    /// How the running errand ended, once it has.
    pub(crate) fn ending(&mut self) -> Option<Ending> {
        let ending = locked(&self.endings).pop()?;
        self.busy = false;
        Some(ending)
    }

    /// The daemon is gone. With `power`, so is what was not flushed: gives what
    /// people wrote of that.
    pub(crate) fn dies(&mut self, power: bool) -> BTreeSet<Id> {
        self.life.ends_after(0);
        self.life = Life::new();
        // What an old run still says is not heard.
        self.endings = Arc::default();
        (self.project, self.busy) = (None, false);
        if !power {
            return BTreeSet::new();
        }
        self.world.chance(|chance| {
            self.data.lose_power(chance);
            self.cache.lose_power(chance);
            self.shelf.lose_power(chance);
            self.ground.lose_power(chance)
        })
    }

    /// Loses the state, a cache by design (B5).
    pub(crate) fn loses_state(&self) {
        self.shelf.clear();
        self.world.note(format_args!("machine {} loses its state", self.index));
    }

    pub(crate) fn loses_cache(&self) {
        self.cache.clear();
    }
}
