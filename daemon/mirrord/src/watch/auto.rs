//! What a project does without being asked, as its settings say.
//!
//! A change here is sent once it stood still; one from elsewhere is fetched when
//! the log is known to have it. Everything else, how often and how much, is the
//! engine's to decide: here is only when it is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mirror_engine::{
    Auto, Cancel, Direction, EngineError, Happening, Job, JobRequest, ProjectEvent, Report,
};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::time::Instant;

use super::pace::{Due, Pace};
use crate::config::AutoMode;
use crate::projects::{Open, Registry};

/// A project that runs, and what is heard of it.
struct Follower {
    open: Open,
    direction: Direction,
    poll: Duration,
    /// Shared with what hears of changes here.
    pace: Arc<Mutex<Pace>>,
    paused: watch::Receiver<bool>,
    /// Told at each change here.
    changes: Arc<Notify>,
    events: broadcast::Receiver<ProjectEvent>,
    /// How long to wait before what was left alone is looked at again.
    patience: Duration,
    /// The newest commit that a job has looked at.
    seen: u64,
}

/// Why a follower ends.
struct Over;

impl Registry {
    /// Does by itself what an open project's settings say, until it is closed.
    pub(super) async fn follow(self: Arc<Self>, name: String, open: Open) {
        let Some(mut follower) = Follower::new(open, &self) else { return };
        let mut stopping = self.stopping();
        tokio::select! {
            Over = follower.run(&name) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

impl Follower {
    /// `None` where nothing goes by itself.
    fn new(open: Open, registry: &Registry) -> Option<Self> {
        let auto = open.config.auto;
        let direction = match auto.mode() {
            AutoMode::Off => return None,
            AutoMode::Pull => Direction::Pull,
            AutoMode::Push => Direction::Push,
            AutoMode::Both => Direction::Both,
        };
        let pace = Arc::new(Mutex::new(Pace::new(auto.quiet())));
        let changes = Arc::new(Notify::new());
        if direction != Direction::Pull {
            let (pace, changes) = (pace.clone(), changes.clone());
            // Before the first look, which then sees all that was before.
            open.project.on_change(move |dirt| {
                locked(&pace).changed(dirt, Instant::now());
                changes.notify_one();
            });
        }
        let events = open.project.events();
        let poll = open.config.poll(&registry.settings());
        locked(&pace).look_at(Instant::now());
        let (patience, paused) = (auto.quiet(), open.paused());
        Some(Self { open, direction, poll, pace, paused, changes, events, patience, seen: 0 })
    }

    async fn run(&mut self, name: &str) -> Over {
        loop {
            if *self.paused.borrow() && self.resumed().await.is_some() {
                return Over;
            }
            let due = self.pace().due();
            tokio::select! {
                () = self.changes.notified() => {}
                event = self.events.recv() => if self.hear(&event).is_some() { return Over },
                () = wait_until(due) => {}
                _ = self.paused.changed() => continue,
            }
            let due = self.pace().take(Instant::now());
            if let Some(due) = due
                && let Some(over) = self.act(name, due).await
            {
                return over;
            }
        }
    }

    /// Waits until a person wants it to go on.
    async fn resumed(&mut self) -> Option<Over> {
        tokio::select! {
            resumed = self.paused.wait_for(|is_paused| !is_paused) => drop(resumed),
            () = self.open.project.ended() => return Some(Over),
        }
        self.pace().look_at(Instant::now());
        None
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        locked(&self.pace)
    }

    fn hear(&mut self, event: &Result<ProjectEvent, RecvError>) -> Option<Over> {
        match event {
            Ok(ProjectEvent { happening: Happening::Closed, .. }) | Err(RecvError::Closed) => {
                return Some(Over);
            }
            Ok(ProjectEvent { happening: Happening::Commit { seq }, .. }) => {
                if *seq > self.seen && self.direction != Direction::Push {
                    self.pace().look_at(Instant::now());
                }
            }
            Ok(ProjectEvent {
                happening:
                    Happening::Notice { .. } | Happening::Conflict { .. } | Happening::Fault { .. },
                ..
            }) => {}
            Err(RecvError::Lagged(_)) => self.pace().look_at(Instant::now()),
        }
        None
    }

    async fn act(&mut self, name: &str, Due { overdue }: Due) -> Option<Over> {
        if self.open.account.is_remote() {
            // Before its mailbox: while a server lets us wait, the project answers.
            drop(self.open.account.probe().await);
        }
        let quiet = self.open.config.auto.quiet();
        let job = Job::Auto(Auto { direction: self.direction, quiet, overdue });
        let (events, _) = mpsc::channel(1);
        let request = JobRequest { job, dry_run: false, consent: false };
        let cancel = Cancel::new();
        let run = self.open.project.run(request, events, cancel.clone());
        let outcome = unless_paused(run, &mut self.paused, &cancel).await;
        self.seen = self.open.project.head();
        match outcome {
            Ok(report) => self.conclude(name, &report),
            Err(EngineError::Closed) => return Some(Over),
            Err(error) => {
                tracing::info!(project = name, %error, "what goes by itself waits");
                self.pace().look_at(Instant::now() + self.poll);
            }
        }
        if !self.open.project.is_watched() && self.direction != Direction::Pull {
            self.pace().look_at(Instant::now() + self.poll);
        }
        None
    }

    fn conclude(&mut self, name: &str, report: &Report) {
        for fault in &report.failed {
            tracing::warn!(project = name, path = fault.path, message = fault.message);
        }
        if let Some((seq, _)) = report.commit {
            tracing::info!(project = name, seq, "sent what changed here");
        }
        if report.left_for_later || !report.failed.is_empty() {
            self.pace().look_at(Instant::now() + self.patience);
            self.patience = (self.patience * 2).min(self.poll.max(self.patience));
        } else {
            self.patience = self.open.config.auto.quiet();
        }
    }
}

/// Has a job end at its next safe point once its project is paused.
async fn unless_paused<T>(
    run: impl Future<Output = T>,
    paused: &mut watch::Receiver<bool>,
    cancel: &Cancel,
) -> T {
    tokio::pin!(run);
    tokio::select! {
        outcome = &mut run => return outcome,
        paused = paused.wait_for(|is_paused| *is_paused) => drop(paused),
    }
    cancel.cancel();
    run.await
}

fn locked(pace: &Mutex<Pace>) -> MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
