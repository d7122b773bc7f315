//! What the sessions of agents were told: `sessions/<digest of its id>.json`, one file a
//! session, and the bell that rings an open one.
//!
//! A session's record is stored before anything of it is handed out.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use mirror_core::Timestamp;
use mirror_core::readers::Session;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use super::record_of;
use crate::api::Parts;
use crate::outside::{Disk, Outside};

const FOLDER: &str = "sessions";

/// What an open session watches: no other file is ever in its folder.
const BELL: &str = "bell/count";

/// One that was silent for so long comes back as a new one.
const FORGOTTEN_MS: i64 = 30 * 24 * 3_600_000;

/// So many are remembered.
const MOST: usize = 200;

#[derive(Serialize, Deserialize)]
struct Record {
    id: String,
    session: Session,
}

/// The sessions of one project.
pub(crate) struct Sessions {
    data: Arc<dyn Disk>,
    outside: Outside,
    known: Mutex<Option<Known>>,
}

#[derive(Default)]
pub(crate) struct Known {
    by_id: HashMap<String, Session>,
    /// So much was said to wait, by session; nothing relies on it.
    pub(crate) hinted: HashMap<String, u64>,
}

/// The sessions while nobody else changes them.
pub(crate) struct Held<'a> {
    sessions: &'a Sessions,
    known: MutexGuard<'a, Option<Known>>,
}

impl Sessions {
    pub(crate) fn of(parts: &Parts) -> Self {
        let (data, outside) = (parts.data.clone(), parts.outside.clone());
        Self { data, outside, known: Mutex::new(None) }
    }

    pub(crate) async fn hold(&self) -> io::Result<Held<'_>> {
        let mut known = self.known.lock().await;
        if known.is_none() {
            let data = self.data.clone();
            let by_id = self.outside.offload(move || load(data.as_ref())).await?;
            *known = Some(Known { by_id, ..Known::default() });
        }
        Ok(Held { sessions: self, known })
    }
}

impl Held<'_> {
    pub(crate) fn known(&mut self) -> &mut Known {
        self.known.get_or_insert_default()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Session> {
        self.known.as_ref()?.by_id.get(id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Session> {
        self.known.iter().flat_map(|known| known.by_id.values())
    }

    /// Replaces what is known of a session, on the disk as well where `stored`.
    pub(crate) async fn set(&mut self, id: &str, session: Session, stored: bool) -> io::Result<()> {
        if stored {
            let record = Record { id: id.to_owned(), session: session.clone() };
            let text = serde_json::to_vec(&record)?;
            let (data, file) = (self.sessions.data.clone(), record_of(FOLDER, id));
            let keep = move || data.write(&file, &mut text.as_slice(), false);
            self.sessions.outside.offload(keep).await?;
        }
        self.known().by_id.insert(id.to_owned(), session);
        Ok(())
    }

    /// Makes room for a session that comes new.
    pub(crate) async fn forget_old(&mut self, now: Timestamp) -> io::Result<()> {
        let known = self.known();
        let mut ids: Vec<_> =
            known.by_id.iter().map(|(id, session)| (session.heard(), id.clone())).collect();
        ids.sort();
        let over = (ids.len() + 1).saturating_sub(MOST);
        let is_old = |heard: Timestamp| now.milliseconds() - heard.milliseconds() > FORGOTTEN_MS;
        let old =
            ids.into_iter().enumerate().filter(|(at, (heard, _))| *at < over || is_old(*heard));
        let old: Vec<String> = old.map(|(_, (_, id))| id).collect();
        for id in &old {
            known.by_id.remove(id);
            known.hinted.remove(id);
        }
        let data = self.sessions.data.clone();
        let remove = move || old.iter().try_for_each(|id| data.remove(&record_of(FOLDER, id)));
        self.sessions.outside.offload(remove).await
    }

    /// Changes what open sessions watch: by one file that takes the place of another,
    /// as one that is removed first is not seen again.
    pub(crate) async fn ring(&self) -> io::Result<()> {
        self.count_bell(1).await
    }

    /// Sees to it that there is something to watch.
    pub(crate) async fn hang_bell(&self) -> io::Result<()> {
        self.count_bell(0).await
    }

    async fn count_bell(&self, more: u64) -> io::Result<()> {
        let data = self.sessions.data.clone();
        let count = move || {
            let kept = data.read(BELL)?;
            let text = kept.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
            let count: u64 = text.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            match kept.is_some() && more == 0 {
                true => Ok(()),
                false => {
                    let text = format!("{}\n", count.wrapping_add(more));
                    data.write(BELL, &mut text.as_bytes(), false)
                }
            }
        };
        self.sessions.outside.offload(count).await
    }
}

/// One that can't be read is a new one when it is heard of again.
fn load(data: &dyn Disk) -> io::Result<HashMap<String, Session>> {
    let mut sessions = HashMap::new();
    for file in data.list(FOLDER)? {
        let bytes = data.read(&format!("{FOLDER}/{}", file.name))?.unwrap_or_default();
        match serde_json::from_slice::<Record>(&bytes) {
            Ok(record) => drop(sessions.insert(record.id, record.session)),
            Err(error) => tracing::warn!(file = file.name, %error, "a session can't be read"),
        }
    }
    Ok(sessions)
}
