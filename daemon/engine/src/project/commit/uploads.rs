//! Packs on their way, until their append is sent (P7).
//!
//! Their names are noted before they are uploaded, so that what a cancelled or
//! killed job left on the backend is used by the next one, or removed. From the
//! append on they belong to the log, and only a gc commit drops them (P2).

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::commit::{Pack, pack_name};
use mirror_core::{Digest, Ulid};
use mirror_storage::Expect;

use crate::api::EngineResult;
use crate::log::own_path;
use crate::packs::{Item, PackPlan, Stored};
use crate::planted;
use crate::planted::Rule;
use crate::project::worker::Worker;
use crate::state::Upload;

impl Worker {
    /// Contents that an earlier try of this machine has stored, and that are still
    /// there: a state may be older than what became of them.
    pub(crate) async fn uploaded_contents(
        &mut self,
        contents: &[Item],
    ) -> EngineResult<BTreeSet<Digest>> {
        let mut uploads = self.state.uploads().to_vec();
        for upload in &mut uploads {
            let Some(size) = upload.stored.as_ref().map(|pack| pack.size) else { continue };
            let path = own_path(&pack_name(upload.name));
            let found = self.parts.backend.stat(&path).await?;
            if found.is_none_or(|found| found.size != size) {
                upload.stored = None;
            }
        }
        self.state.set_uploads(uploads);
        let wanted = digests(contents);
        let usable = self.state.uploads().iter().filter(|upload| is_usable(upload, &wanted));
        let packs = usable.filter_map(|upload| upload.stored.as_ref());
        Ok(packs.flat_map(|pack| &pack.contents).map(|content| content.sha256).collect())
    }

    /// Notes the names of packs before they are uploaded. Power may take the note
    /// back; then they are orphans like others (P2).
    pub(crate) async fn begin_uploads(&mut self, plans: &[PackPlan]) -> EngineResult<()> {
        if plans.is_empty() {
            return Ok(());
        }
        let mut uploads = self.state.uploads().to_vec();
        uploads.extend(plans.iter().map(|plan| Upload { name: plan.name, stored: None }));
        self.state.set_uploads(uploads);
        Ok(self.save(false).await?)
    }

    /// Notes which of them are there.
    pub(crate) async fn end_uploads(
        &mut self,
        names: &[Ulid],
        stored: &Stored,
    ) -> EngineResult<()> {
        let mut uploads = self.state.uploads().to_vec();
        let packs: BTreeMap<Ulid, &Pack> = stored.packs.iter().map(|p| (p.name, p)).collect();
        for upload in &mut uploads {
            if let Some(pack) = packs.get(&upload.name) {
                upload.stored = Some((*pack).clone());
            }
        }
        if stored.failure.is_none() {
            // What was not stored without a failure had no file to pack.
            let names: BTreeSet<&Ulid> = names.iter().collect();
            uploads.retain(|upload| upload.stored.is_some() || !names.contains(&upload.name));
        }
        self.state.set_uploads(uploads);
        match stored.failure {
            Some(_) => Ok(self.save(false).await?),
            // The attempt is saved next.
            None => Ok(()),
        }
    }

    /// The packs that hold these contents and no others, and the uploads that are
    /// left: a content that is no longer wanted must not get into the log.
    pub(crate) fn split_uploads(&self, contents: &[Item]) -> (Vec<Pack>, Vec<Upload>) {
        let wanted = digests(contents);
        let (taken, left): (Vec<_>, Vec<_>) =
            self.state.uploads().iter().cloned().partition(|upload| is_usable(upload, &wanted));
        (taken.into_iter().filter_map(|upload| upload.stored).collect(), left)
    }

    /// Removes what earlier tries stored and no commit needs. What can't be removed
    /// now is tried again by the next push.
    pub(crate) async fn remove_unused_uploads(&mut self) -> EngineResult<()> {
        if self.state.uploads().is_empty() {
            return Ok(());
        }
        // Before they go: no later start may take them for stored.
        let names = self.state.uploads().iter().map(|upload| upload.name);
        let going: Vec<_> = names.map(|name| Upload { name, stored: None }).collect();
        self.state.set_uploads(going.clone());
        self.save(true).await?;
        let mut left = Vec::new();
        for upload in going {
            if self.is_in_log(upload.name) {
                continue;
            }
            let path = own_path(&pack_name(upload.name));
            if let Err(error) = self.parts.backend.remove(&path, Expect::Anything).await {
                tracing::info!(%path, %error, "a pack of a job that ended early stays for now");
                left.push(upload);
            }
        }
        self.state.set_uploads(left);
        Ok(())
    }

    /// An older state may have been put back: then what it takes for its own is
    /// in a commit by now.
    fn is_in_log(&self, name: Ulid) -> bool {
        planted::stands(Rule::P7) && self.log.history().pack(name).is_some()
    }
}

fn digests(contents: &[Item]) -> BTreeSet<Digest> {
    contents.iter().map(|item| item.digest).collect()
}

fn is_usable(upload: &Upload, wanted: &BTreeSet<Digest>) -> bool {
    let contents = upload.stored.as_ref().map(|pack| &pack.contents);
    contents.is_some_and(|contents| contents.iter().all(|one| wanted.contains(&one.sha256)))
}
