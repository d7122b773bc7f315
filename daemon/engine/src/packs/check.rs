//! Whether contents that the log has are still as they were stored (P8).

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::Digest;
use mirror_core::history::Place;
use mirror_core::{History, RelPath};

use super::damage::spot_of;
use super::fetch::{Fetcher, corrupt};
use super::runs::{Run, runs_of};
use super::{Item, SMALL_BYTES};
use crate::error::EngineError;

/// So much is read back for one commit, what is smallest first. Of the rest only
/// the pack is looked at: whoever reads one notices what is wrong.
const CHECKED_BYTES: u64 = 64 << 20;

impl Fetcher {
    /// Looks at the newest places of `items`, and says which are damaged there.
    pub async fn find_damaged(
        &self,
        items: &[Item],
        history: &History,
    ) -> Result<BTreeSet<Digest>, EngineError> {
        let mut placed: Vec<(Digest, Place, &RelPath)> = items
            .iter()
            .filter_map(|item| Some((item.digest, *history.place(item.digest)?, &item.path)))
            .collect();
        placed.sort_by_key(|(digest, place, _)| (place.stored_size, *digest));
        placed.dedup_by_key(|(digest, ..)| *digest);
        let (mut small, mut left) = (BTreeMap::new(), CHECKED_BYTES);
        let mut damaged = BTreeSet::new();
        for (digest, place, path) in placed {
            self.refuse_when_cancelled()?;
            let Some(rest) = left.checked_sub(place.stored_size) else {
                if self.revision_of(place.pack).await?.is_none() {
                    let missing = EngineError::ContentMissing { path: path.clone() };
                    self.note_damage(digest, &place, &missing).await;
                    damaged.insert(digest);
                }
                continue;
            };
            left = rest;
            if place.size <= SMALL_BYTES && self.damaged.at(digest, spot_of(&place)).is_none() {
                small.insert((place.pack, place.offset), (digest, place, path.clone()));
                continue;
            }
            match self.fetch_at(path, digest, place).await {
                Err(error) if error.is_of_content() => drop(damaged.insert(digest)),
                read => drop(read?),
            }
        }
        let paths: BTreeMap<Digest, RelPath> =
            small.values().map(|(digest, _, path)| (*digest, path.clone())).collect();
        for run in runs_of(small.into_values().map(|(digest, place, _)| (digest, place))) {
            self.refuse_when_cancelled()?;
            self.check_run(run, &paths, &mut damaged).await?;
        }
        Ok(damaged)
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
        for (digest, place, bytes) in read.unwrap_or_else(gone) {
            if bytes.is_some() {
                continue;
            }
            let path = &paths[&digest];
            let error = match is_missing {
                true => EngineError::ContentMissing { path: path.clone() },
                false => corrupt(path, "its bytes in the pack are damaged"),
            };
            self.note_damage(digest, &place, &error).await;
            damaged.insert(digest);
        }
        Ok(())
    }
}
