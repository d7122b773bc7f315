//! Small contents that lie side by side, read together.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use mirror_core::history::Place;
use mirror_core::{Digest, History, Ulid};
use mirror_storage::ByteRange;

use super::damage::spot_of;
use super::fetch::{Fetcher, Wanted};
use super::{SMALL_BYTES, unpack};
use crate::error::EngineError;

/// Two contents in one pack are read together across a gap up to this.
const GAP_BYTES: u64 = 64 << 10;

/// Small contents that lie side by side in one pack.
pub(super) struct Run {
    pub(super) pack: Ulid,
    start: u64,
    end: u64,
    pub(super) contents: Vec<(Digest, Place)>,
}

impl Fetcher {
    /// Fetches the small contents among `wanted`, neighbours together. What
    /// could not be read is left out: ask for it by [`Fetcher::fetch`], which
    /// says why.
    pub async fn fetch_small(
        &self,
        wanted: &[Wanted],
        history: &History,
    ) -> HashMap<Digest, Bytes> {
        let mut here = HashMap::new();
        let mut places = BTreeMap::new();
        for want in wanted {
            if want.chunks.is_some() || want.size > SMALL_BYTES {
                continue;
            }
            let Some(place) = history.place(want.digest) else { continue };
            match self.cache.get(want.digest).await {
                Some(bytes) => drop(here.insert(want.digest, bytes)),
                // Whoever asks for it alone goes by all its places.
                None if self.damaged.at(want.digest, spot_of(place)).is_some() => {}
                None => drop(places.insert((place.pack, place.offset), (want.digest, *place))),
            }
        }
        let parallel = self.backend.capabilities().parallel.max(1);
        let runs = runs_of(places.into_values());
        let runs: Vec<_> = runs.into_iter().map(|run| self.whole_in(run).boxed()).collect();
        let mut runs = futures::stream::iter(runs).buffer_unordered(parallel);
        while let Some(contents) = runs.next().await {
            self.cache.keep(contents.clone()).await;
            here.extend(contents);
        }
        here
    }

    /// Reads one run; contents that don't come out as their digest says are
    /// left out.
    async fn whole_in(&self, run: Run) -> Vec<(Digest, Bytes)> {
        match self.read_run(run).await {
            Ok(Some(read)) => {
                read.into_iter().filter_map(|(digest, _, bytes)| Some((digest, bytes?))).collect()
            }
            Ok(None) => Vec::new(),
            Err(error) => {
                tracing::debug!(%error, "a run of contents could not be read");
                Vec::new()
            }
        }
    }

    /// Reads one run; `None` without its pack, and for each content that doesn't
    /// come out as its digest says.
    pub(super) async fn read_run(
        &self,
        run: Run,
    ) -> Result<Option<Vec<(Digest, Place, Option<Bytes>)>>, EngineError> {
        let range = ByteRange { start: run.start, len: Some(run.end - run.start) };
        let Some(bytes) = self.read_bytes(run.pack, range).await? else { return Ok(None) };
        let read = move || {
            let part = |place: &Place| {
                let start = usize::try_from(place.offset - run.start).ok()?;
                let end = start.checked_add(usize::try_from(place.stored_size).ok()?)?;
                bytes.get(start..end)
            };
            let unpacked = run.contents.iter().map(|(digest, place)| {
                let content = part(place).and_then(|stored| unpack(stored, place));
                let content = content.filter(|content| Digest::of(content) == *digest);
                (*digest, *place, content.map(Bytes::from))
            });
            Some(unpacked.collect())
        };
        Ok(self.outside.offload(read).await)
    }
}

/// Groups places, sorted by pack and offset, into runs worth one read each.
pub(super) fn runs_of(places: impl Iterator<Item = (Digest, Place)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (digest, place) in places {
        let end = place.offset + place.stored_size;
        match runs.last_mut() {
            Some(run)
                if run.pack == place.pack
                    && place.offset <= run.end.saturating_add(GAP_BYTES)
                    && end - run.start <= SMALL_BYTES =>
            {
                run.end = run.end.max(end);
                run.contents.push((digest, place));
            }
            _ => runs.push(Run {
                pack: place.pack,
                start: place.offset,
                end,
                contents: vec![(digest, place)],
            }),
        }
    }
    runs
}
