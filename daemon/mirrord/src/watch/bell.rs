//! Rings the bell of a project for open sessions of agents.
//!
//! The bell says nothing: a session that hears it asks what there is.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use mirror_core::Timestamp;
use mirror_engine::{EngineError, Happening, ProjectEvent};
use tokio::sync::broadcast::error::RecvError;

use crate::projects::{Open, Registry};

/// What comes within this time is one ring.
const TOGETHER: Duration = Duration::from_millis(100);

impl Registry {
    /// Rings whenever there is something that an open session was not told, until the
    /// project is closed.
    pub(super) async fn ring_for(self: Arc<Self>, open: Open) {
        let mut events = open.project.events();
        let mut stopping = self.stopping();
        // What came while no daemon ran.
        ring(&open).await;
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                _ = stopping.wait_for(|stopping| *stopping) => return,
            };
            if is_over(&event) {
                return;
            }
            if matches!(event, Ok(ProjectEvent { happening: Happening::Fault { .. }, .. })) {
                continue;
            }
            tokio::time::sleep(TOGETHER).await;
            while let Ok(event) = events.try_recv() {
                if is_over(&Ok(event)) {
                    return;
                }
            }
            ring(&open).await;
        }
    }

    /// Rings once more at this time, whatever there is then.
    pub(crate) fn ring_later(self: &Arc<Self>, open: &Open, at: Timestamp) {
        let now = self.outside.clock.now().milliseconds();
        let milliseconds = u64::try_from(at.milliseconds() - now).unwrap_or(0);
        let bell = (open.config.name.clone(), at.milliseconds() / 1_000);
        if !self.bells().insert(bell.clone()) {
            return;
        }
        let (registry, open) = (self.clone(), open.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            registry.bells().remove(&bell);
            heed(&open, open.project.ring().await);
        });
    }

    fn bells(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeSet<(String, i64)>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_over(event: &Result<ProjectEvent, RecvError>) -> bool {
    matches!(event, Ok(ProjectEvent { happening: Happening::Closed, .. }) | Err(RecvError::Closed))
}

async fn ring(open: &Open) {
    heed(open, open.project.ring_if_news().await.map(drop));
}

fn heed(open: &Open, rung: Result<(), EngineError>) {
    match rung {
        Ok(()) | Err(EngineError::Closed) => {}
        Err(error) => tracing::warn!(project = open.config.name, %error, "no bell could ring"),
    }
}
