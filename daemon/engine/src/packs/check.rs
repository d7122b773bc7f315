//! Whether contents that the log has are still as they were stored (P8).

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::Digest;
use mirror_core::history::Place;
use mirror_core::{History, RelPath, Ulid};

use super::damage::spot_of;
use super::fetch::{Fetcher, corrupt};
use super::runs::{Run, runs_of};
use super::{Item, SMALL_BYTES};
use crate::error::EngineError;

/// So much is read back at once, what is smallest first.
const CHECKED_BYTES: u64 = 64 << 20;

/// What to do about contents that are too much to be read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// They are taken for whole: whoever reads one notices what is wrong.
    Trusted,
    /// They are read by the next look, and so one is each time, however large.
    Waits,
}

/// What a look at some contents has shown. All others of them are whole.
#[derive(Debug, Default)]
pub struct Checked {
    pub damaged: BTreeSet<Digest>,
    /// Only their packs were looked at, and are there.
    pub unread: BTreeSet<Digest>,
}

impl Fetcher {
    /// Looks at the newest places of `items`.
    pub async fn check(
        &self,
        items: &[Item],
        history: &History,
        rest: Rest,
    ) -> Result<Checked, EngineError> {
        let mut placed: Vec<(Digest, Place, &RelPath)> = items
            .iter()
            .filter_map(|item| Some((item.digest, *history.place(item.digest)?, &item.path)))
            .collect();
        // What is known to be damaged keeps nothing else waiting.
        let is_known = |digest, place: &Place| self.damaged.at(digest, spot_of(place)).is_some();
        placed.sort_by_key(|(digest, place, _)| {
            (is_known(*digest, place), place.stored_size, *digest)
        });
        placed.dedup_by_key(|(digest, ..)| *digest);
        let mut left = match (rest, placed.first()) {
            (Rest::Waits, Some((_, place, _))) => CHECKED_BYTES.max(place.stored_size),
            _ => CHECKED_BYTES,
        };
        let (mut small, mut looked_at) = (BTreeMap::new(), BTreeMap::new());
        let mut checked = Checked::default();
        for (digest, place, path) in placed {
            self.refuse_when_cancelled()?;
            let Some(rest) = left.checked_sub(place.stored_size) else {
                if self.is_there(place.pack, &mut looked_at).await? {
                    checked.unread.insert(digest);
                } else {
                    let missing = EngineError::ContentMissing { path: path.clone() };
                    self.note_damage(digest, &place, None, &missing);
                    checked.damaged.insert(digest);
                }
                continue;
            };
            left = rest;
            if place.size <= SMALL_BYTES && !is_known(digest, &place) {
                small.insert((place.pack, place.offset), (digest, place, path.clone()));
                continue;
            }
            match self.fetch_at(path, digest, place).await {
                Err(error) if error.is_of_content() => drop(checked.damaged.insert(digest)),
                read => drop(read?),
            }
        }
        let paths: BTreeMap<Digest, RelPath> =
            small.values().map(|(digest, _, path)| (*digest, path.clone())).collect();
        for run in runs_of(small.into_values().map(|(digest, place, _)| (digest, place))) {
            self.refuse_when_cancelled()?;
            self.check_run(run, &paths, &mut checked.damaged).await?;
        }
        Ok(checked)
    }

    /// Asked once for all that one pack holds.
    async fn is_there(
        &self,
        pack: Ulid,
        known: &mut BTreeMap<Ulid, bool>,
    ) -> Result<bool, EngineError> {
        if let Some(known) = known.get(&pack) {
            return Ok(*known);
        }
        let is_there = self.revision_of(pack).await?.is_some();
        known.insert(pack, is_there);
        Ok(is_there)
    }

    async fn check_run(
        &self,
        run: Run,
        paths: &BTreeMap<Digest, RelPath>,
        damaged: &mut BTreeSet<Digest>,
    ) -> Result<(), EngineError> {
        let contents = run.contents.clone();
        let read = self.read_run(run).await?;
        let is_missing = read.is_none();
        let gone = || contents.into_iter().map(|(digest, place)| (digest, place, None)).collect();
        let read = read.unwrap_or_else(gone).into_iter();
        let bad: Vec<_> = read.filter(|(.., bytes)| bytes.is_none()).collect();
        let Some((_, Place { pack, .. }, _)) = bad.first() else { return Ok(()) };
        // Asked once for all: it may be a whole pack that is gone.
        let revision = self.revision_of(*pack).await.ok();
        for (digest, place, _) in bad {
            let path = &paths[&digest];
            let error = match is_missing {
                true => EngineError::ContentMissing { path: path.clone() },
                false => corrupt(path, "its bytes in the pack are damaged"),
            };
            if let Some(revision) = &revision {
                self.note_damage(digest, &place, revision.clone(), &error);
            }
            damaged.insert(digest);
        }
        Ok(())
    }
}
