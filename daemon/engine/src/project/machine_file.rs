//! What this machine says of itself on the backend: how far it has read (B5),
//! and what it is writing into the view (V5).

use mirror_core::{Digest, Kind, RelPath};

use super::worker::Worker;
use crate::api::EngineResult;
use crate::machines::{MachineFile, Writing};
use crate::state::BaseRecord;

/// What is known of the machines' files.
#[derive(Default)]
pub(super) struct Machines {
    /// This machine's own file has been read since the project was opened.
    recognised: bool,
    /// What it says, as far as this run wrote or read it.
    own: Option<MachineFile>,
    /// What machines said they were writing before this one's pass began.
    pub(super) noted: Vec<Writing>,
}

impl Worker {
    /// Compares the local state with what this machine once said it had read: a
    /// state that is older was restored from somewhere, and its bases are
    /// unknown (B5). Done once, as soon as the backend answers.
    pub(super) async fn recognise(&mut self) -> EngineResult<()> {
        if self.machines.recognised {
            return Ok(());
        }
        let backend = self.parts.backend.clone();
        let own = MachineFile::read(backend.as_ref(), self.spec.author.machine_id).await?;
        self.machines.recognised = true;
        let own = own.filter(|own| own.root == self.root_digest());
        if own.as_ref().is_some_and(|own| own.read_up_to > self.state.recorded()) {
            tracing::warn!("the local state is older than what this machine had read");
            self.know_no_base();
            self.save(true).await?;
        }
        // What an earlier run was writing may be torn: it stays noted until it is
        // whole (V5).
        let begun: Vec<RelPath> =
            own.iter().flat_map(|own| &own.writing).map(|writing| writing.path.clone()).collect();
        self.add_unprojected(begun.into_iter());
        self.machines.own = own;
        Ok(())
    }

    /// Whatever the state says of files is of another time: also that there was
    /// no file, and what stood in the view.
    fn know_no_base(&mut self) {
        let known: Vec<RelPath> = self.state.bases().keys().cloned().collect();
        for path in known {
            self.state.set_base(&path, Some(BaseRecord::Unknown));
        }
        let seen: Vec<RelPath> = self.state.all_seen().keys().cloned().collect();
        for path in seen {
            self.state.set_seen(&path, None);
        }
        // The next look takes every file for one that comes into sight (B7).
        self.state.forget_coverage();
    }

    /// Says how far this machine has read, if that has changed. Only a hint for
    /// others: what can't be said now is said by a later round.
    pub(super) async fn tell_machine(&mut self) {
        if let Err(error) = self.record_machine().await {
            tracing::info!(%error, "how far this machine has read could not be told");
        }
    }

    async fn record_machine(&mut self) -> EngineResult<()> {
        self.recognise().await?;
        let said = self.machines.own.as_ref();
        let is_said = said.is_some_and(|own| {
            own.read_up_to == self.log.head()
                && own.alters_content == self.state.alters()
                && own.writing.is_empty()
        });
        if is_said || !self.state.unprojected().is_empty() {
            return Ok(());
        }
        self.write_own(Vec::new()).await
    }

    /// Before files of the view are written where a crash can tear them: notes
    /// which, and learns what was being written before.
    pub(super) async fn begin_writing(&mut self) -> EngineResult<()> {
        if self.parts.backend.capabilities().atomic_view {
            return Ok(());
        }
        self.recognise().await?;
        self.read_notes().await?;
        let manifest = self.log.history().manifest();
        let coming = self.state.unprojected().iter().filter_map(|path| {
            let entry = &manifest.get(path)?.entry;
            let writing = Writing { path: path.clone(), sha256: entry.sha256, size: entry.size };
            (entry.kind == Kind::File).then_some(writing)
        });
        // What was noted stays so until a pass has come to its end.
        let before = self.machines.own.iter().flat_map(|own| own.writing.iter().cloned());
        let mut writing: Vec<Writing> = before.chain(coming).collect();
        writing.sort();
        writing.dedup();
        self.write_own(writing).await
    }

    /// The pass has ended: nothing is being written any more.
    pub(super) async fn end_writing(&mut self) -> EngineResult<()> {
        let is_noted = self.machines.own.as_ref().is_some_and(|own| !own.writing.is_empty());
        if is_noted && self.torn.is_empty() {
            self.write_own(Vec::new()).await?;
        }
        Ok(())
    }

    /// Reads what all machines say: notes, and whether the service alters
    /// contents (V7).
    pub(super) async fn read_notes(&mut self) -> EngineResult<()> {
        let machines = MachineFile::read_all(self.parts.backend.as_ref()).await?;
        if machines.values().any(|machine| machine.alters_content) {
            self.state.set_alters();
        }
        self.machines.noted = machines.into_values().flat_map(|machine| machine.writing).collect();
        Ok(())
    }

    async fn write_own(&mut self, writing: Vec<Writing>) -> EngineResult<()> {
        let read_up_to = self.log.head();
        // The state first: it must never look older than what is said here.
        self.state.set_recorded(read_up_to);
        self.save(true).await?;
        let author = &self.spec.author;
        let machine = author.machine.clone();
        let mut own = MachineFile::new(machine, self.now(), self.root_digest(), read_up_to);
        own.writing = writing;
        own.alters_content = self.state.alters();
        own.write(self.parts.backend.as_ref(), author.machine_id).await?;
        self.machines.own = Some(own);
        Ok(())
    }

    fn root_digest(&self) -> Digest {
        Digest::of(self.spec.root.to_string_lossy().as_bytes())
    }
}
