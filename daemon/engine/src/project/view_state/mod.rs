//! What this machine knows of the view: what should stand there, what was moved
//! aside, what is told of it.

pub(crate) mod machine;

use std::collections::BTreeSet;

use mirror_core::{Kind, RelPath};

use crate::api::{EngineResult, NoticeKind};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;
use crate::state::{AsideRecord, Seen};
use crate::view::{Aside, Found, Known, Projection, known_of};

/// An aside of a machine that has not been back for so long is taken in by any.
const LEFT_BEHIND_MS: i64 = 7 * 24 * 3_600_000;

impl Worker {
    pub(crate) fn tell_altered(&mut self, path: &RelPath, reporter: &mut Reporter) {
        if self.state.alters() {
            return;
        }
        self.state.set_alters();
        let message = format!(
            "the backend gives {path} back with other bytes than were written; what is changed \
             in the plain files there is not taken over, as it can't be told from that"
        );
        reporter.notice(NoticeKind::AlteredContent, Some(path), message, self.now());
    }

    /// Learns of asides that an earlier run left, before anything moves what
    /// their bases are known by.
    pub(crate) async fn know_asides(&mut self) -> EngineResult<()> {
        if !self.asides_known {
            let asides = self.view.asides().await?;
            self.note_asides(&asides, None);
        }
        Ok(())
    }

    pub(crate) fn note_asides(&mut self, asides: &[Aside], service_ns: Option<i64>) {
        let own = self.spec.author.machine_id;
        let is_left = |aside: &Aside| {
            let moved = i64::try_from(aside.id.timestamp_ms()).unwrap_or(i64::MAX);
            (service_ns.unwrap_or(0) / 1_000_000).saturating_sub(moved) > LEFT_BEHIND_MS
        };
        let of_others = asides.iter().filter(|aside| aside.machine_id != own);
        self.machines.aside_elsewhere = of_others.map(|aside| aside.path.clone()).collect();
        for aside in asides.iter().filter(|aside| aside.machine_id == own || is_left(aside)) {
            let place = aside.file.path.as_str();
            if self.state.asides().contains_key(place) {
                continue;
            }
            let seen = self.state.seen(&aside.path).filter(|_| aside.machine_id == own);
            let record = AsideRecord { path: aside.path.clone(), base: seen.map(Seen::version) };
            self.state.set_aside(place, Some(record));
        }
        let places: BTreeSet<&str> = asides.iter().map(|aside| aside.file.path.as_str()).collect();
        let gone: Vec<String> = self
            .state
            .asides()
            .keys()
            .filter(|place| !places.contains(place.as_str()))
            .cloned()
            .collect();
        for place in gone {
            self.state.set_aside(&place, None);
        }
        self.asides_known = true;
    }

    pub(crate) async fn find_asides(&mut self) -> EngineResult<Vec<Found>> {
        let mut found = Vec::new();
        for (place, AsideRecord { path, base }) in self.state.asides().clone() {
            let Ok(place) = mirror_storage::RemotePath::new(place) else { continue };
            found.extend(self.view.find(&place, &path, base).await?);
        }
        Ok(found)
    }

    pub(crate) fn tell_reverted(&self, path: &RelPath, reporter: &mut Reporter) {
        let message = format!(
            "an older version of {path} was put back on the backend; the newest one was written \
             over it, as this kind of service can't tell that from a late write"
        );
        reporter.notice(NoticeKind::ViewReverted, Some(path), message, self.now());
    }

    pub(crate) fn tell_unsettled(&self, path: &RelPath, why: &str, reporter: &mut Reporter) {
        let message = format!("{path} on the backend {why}; it was left as it is there");
        reporter.notice(NoticeKind::ViewUnsettled, Some(path), message, self.now());
    }

    pub(crate) fn projections(&self) -> Vec<Projection> {
        let paths = self.state.unprojected();
        let mut known = known_of(self.log.history(), paths.iter());
        paths
            .iter()
            .map(|path| {
                let mut known = known.remove(path).unwrap_or_default();
                known.extend(self.torn.get(path).map(|torn| (*torn, None)));
                self.projection(path, known)
            })
            .collect()
    }

    pub(crate) fn projection(&self, path: &RelPath, known: Known) -> Projection {
        let history = self.log.history();
        let placed = history.manifest().get(path);
        Projection {
            path: path.clone(),
            // A service has no links: the view shows files only.
            desired: placed.map(|placed| &placed.entry).filter(|e| e.kind == Kind::File).cloned(),
            seq: placed.map_or(history.head(), |placed| placed.seq),
            known,
        }
    }

    pub(crate) async fn drop_aside(&mut self, found: &Found) -> EngineResult<()> {
        self.view.drop_aside(&found.place, found.seen.digest).await?;
        self.state.set_aside(found.place.as_str(), None);
        Ok(())
    }
}
