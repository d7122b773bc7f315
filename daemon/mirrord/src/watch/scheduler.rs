//! The daemon's own round: each project, every poll interval.
//!
//! What is closed is tried again, what runs looks at its backend. A round never
//! waits for the project that is slowest.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use mirror_engine::EngineError;
use mirror_storage::FaultClass;
use tokio::time::Instant;

use super::turn::{Turn, spread};
use crate::config::DaemonSettings;
use crate::projects::{Condition, Open, Registry, Slot};

/// How often it is seen whether anything is due.
const TICK: Duration = Duration::from_secs(1);

impl Registry {
    /// Opens what is closed at once, and goes round until the daemon ends.
    pub(crate) async fn make_rounds(self: Arc<Self>) {
        let mut stopping = self.stopping();
        let mut turns = BTreeMap::new();
        while !*stopping.borrow() {
            self.start_due(&mut turns);
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        }
    }

    /// Waits for the projects that nobody has tried to open yet, a moment.
    pub(crate) async fn await_first_round(self: &Arc<Self>) {
        let slots = self.slots().clone();
        let opening = slots.into_iter().filter_map(|(name, slot)| {
            let registry = self.clone();
            let is_fresh = matches!(&slot.condition, Condition::Closed(why) if why.fresh);
            // A task: it opens the project even when nobody waits any more.
            is_fresh.then(|| tokio::spawn(async move { drop(registry.open(&name).await) }))
        });
        let opened = join_all(opening.collect::<Vec<_>>());
        // What takes longer reads as busy.
        drop(tokio::time::timeout(Duration::from_secs(1), opened).await);
    }

    fn start_due(self: &Arc<Self>, turns: &mut BTreeMap<String, Turn>) {
        let now = Instant::now();
        let settings = self.settings();
        let slots = self.slots();
        turns.retain(|name, _| slots.contains_key(name));
        for (name, slot) in slots.iter() {
            let poll = poll_of(slot, &settings);
            let is_open = matches!(slot.condition, Condition::Open(_));
            // A project that was just set up has just looked at its backend.
            let next = now + spread(poll, self.outside.entropy.bits());
            let first = if is_open { next } else { now };
            let turn = turns.entry(name.clone()).or_insert_with(|| Turn::at(first));
            if let Condition::Open(open) = &slot.condition
                && !turn.follows.as_ref().is_some_and(|known| Arc::ptr_eq(known, &open.config))
            {
                turn.follows = Some(open.config.clone());
                tokio::spawn(self.clone().follow(name.clone(), open.clone()));
                tokio::spawn(self.clone().heed(name.clone(), open.clone()));
                tokio::spawn(self.clone().ring_for(open.clone()));
            }
            if is_to_be_opened(&slot.condition) {
                turn.hurry(now, poll, (slot.config.clone(), settings.clone()));
            }
            turn.pause(now, slot.config.as_ref().is_some_and(|config| config.auto.is_paused));
            if turn.comes(now, next) {
                let (registry, name) = (self.clone(), name.clone());
                turn.begun(tokio::spawn(async move { registry.take_turn(&name).await }));
            }
        }
    }

    async fn take_turn(&self, name: &str) {
        let condition = self.slots().get(name).map(|slot| slot.condition.clone());
        match condition {
            Some(Condition::Closed(why)) if why.passing => match self.open(name).await {
                // It may have opened before its server had answered.
                Ok(open) if open.account.is_remote() => self.look_at(name, &open).await,
                Ok(_) | Err(_) => {}
            },
            // It ended by itself.
            Some(Condition::Open(open)) if open.project.is_closed() => drop(self.open(name).await),
            Some(Condition::Open(open)) => self.look_at(name, &open).await,
            // Its file may be whole by now.
            Some(Condition::Closed(_)) => drop(self.open(name).await),
            None => {}
        }
    }

    pub(crate) async fn look_at(&self, name: &str, open: &Open) {
        // Before its mailbox: while a server lets us wait, the project answers.
        // The calls that follow hear at once what came of it.
        drop(open.account.probe().await);
        let is_paused = *open.paused().borrow();
        let looked = match is_paused {
            // It is to know how things stand, and to send and repair nothing.
            true => open.project.read_on().await,
            false => open.project.poll().await,
        };
        match looked {
            // Somebody closed it meanwhile, or it ended by itself; what another
            // has opened since is not this one.
            Err(EngineError::Closed) => self.close_for_now(name, open).await,
            Err(error) if error.class() == FaultClass::Internal => {
                tracing::warn!(project = name, %error, "a project is opened again");
                self.close_for_now(name, open).await;
            }
            Err(error) => {
                tracing::debug!(project = name, %error, "the backend was not reached");
            }
            Ok(_) => {}
        }
    }
}

/// Whether it was closed, by a change of its settings or by itself, and nobody has
/// tried to open it since.
fn is_to_be_opened(condition: &Condition) -> bool {
    match condition {
        Condition::Open(open) => open.project.is_closed(),
        Condition::Closed(why) => why.fresh,
    }
}

fn poll_of(slot: &Slot, settings: &DaemonSettings) -> Duration {
    slot.config.as_ref().map_or_else(|| settings.poll(), |config| config.poll(settings))
}
