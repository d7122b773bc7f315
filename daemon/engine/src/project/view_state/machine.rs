//! What this machine says of itself on the backend: how far it has read (B5),
//! and what it is writing into the view (V5).

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::{Digest, Kind, RelPath, Ulid};
use mirror_storage::{Expect, Guarded};

use crate::api::EngineResult;
use crate::error::EngineError;
use crate::project::worker::Worker;
use crate::state::BaseRecord;
use crate::view::machines::{DamagedContent, MachineFile, Writing};

/// How often this machine's file is looked at again because a write of an
/// earlier pass arrived between the look and the write.
const LOOKS: usize = 8;

/// So many damaged contents are told at once, and believed of one machine.
const MOST_DAMAGED: usize = 1_000;

impl Worker {
    /// Compares the local state with what this machine once said it had read: a
    /// state that is older was restored from somewhere, and its bases are
    /// unknown (B5). Done once, as soon as the backend answers.
    pub(crate) async fn recognise(&mut self) -> EngineResult<()> {
        if self.machines.recognised {
            return Ok(());
        }
        let backend = self.parts.backend.clone();
        let own = MachineFile::read(backend.as_ref(), self.spec.author.machine_id).await?;
        self.recognise_by(own).await
    }

    /// The same by what was read already.
    pub(crate) async fn recognise_by(&mut self, own: Option<MachineFile>) -> EngineResult<()> {
        self.machines.recognised = true;
        let own = own.filter(|own| own.root == self.root_digest());
        let said = own.as_ref().map_or(0, |own| own.read_up_to);
        if said > self.state.recorded() {
            tracing::warn!("the local state is older than what this machine had read");
            self.know_no_base();
            // In the same batch: what is learnt from here on is not older, and
            // the next start must not forget it again.
            self.state.set_recorded(said);
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
        // What it takes for its own may be in a commit by now (P7).
        self.state.set_uploads(Vec::new());
        let seen: Vec<RelPath> = self.state.all_seen().keys().cloned().collect();
        for path in seen {
            self.state.set_seen(&path, None);
        }
        // The next look takes every file for one that comes into sight (B7).
        self.state.forget_coverage();
    }

    /// Says how far this machine has read, if that has changed. Only a hint for
    /// others: what can't be said now is said by a later round.
    pub(crate) async fn tell_machine(&mut self) {
        if let Err(error) = self.record_machine().await {
            tracing::info!(%error, "how far this machine has read could not be told");
        }
    }

    async fn record_machine(&mut self) -> EngineResult<()> {
        self.recognise().await?;
        let writing = self.torn_asides();
        let said = self.machines.own.as_ref();
        let is_said = said.is_some_and(|own| {
            own.read_up_to == self.log.head()
                && own.alters_content == self.state.alters()
                && own.writing == writing
                && own.damaged == self.damaged_contents()
        });
        if is_said || !self.state.unprojected().is_empty() {
            return Ok(());
        }
        self.write_own(writing).await
    }

    /// Before files of the view are written where a crash can tear them: notes
    /// which, and learns what was being written before.
    pub(crate) async fn begin_writing(&mut self) -> EngineResult<()> {
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
        // What another machine left torn is moved aside here, where that one
        // doesn't see it: its note may go before the aside does.
        let noted = self.machines.noted.iter();
        let taken_over = noted.filter(|noted| self.torn.contains_key(&noted.path)).cloned();
        let torn: Vec<Writing> = before.chain(taken_over).collect();
        let mut writing: Vec<Writing> = torn.into_iter().chain(coming).collect();
        writing.sort();
        writing.dedup();
        self.write_own(writing).await
    }

    /// The pass has ended: nothing is being written any more.
    pub(crate) async fn end_writing(&mut self) -> EngineResult<()> {
        if self.machines.own.as_ref().is_none_or(|own| own.writing.is_empty()) {
            return Ok(());
        }
        // The beginning of a file may have been taken aside: by a rename of an
        // earlier run that came late, or by another machine.
        self.asides_known = false;
        self.know_asides().await?;
        let writing = self.torn_asides();
        let is_said = self.machines.own.as_ref().is_none_or(|own| own.writing == writing);
        if !is_said && self.torn.is_empty() {
            self.write_own(writing).await?;
        }
        Ok(())
    }

    /// What stays noted after a pass: the file is whole by then, but what was
    /// torn may stand aside and wait for its second look.
    fn torn_asides(&self) -> Vec<Writing> {
        let waits = |place: &String| self.outside_conflicts.contains_key(place);
        let asides = self.state.asides().iter().filter(|(place, _)| !waits(place));
        let own = asides.map(|(_, aside)| &aside.path);
        let paths: BTreeSet<&RelPath> = own.chain(&self.machines.aside_elsewhere).collect();
        let noted = self.machines.own.iter().flat_map(|own| &own.writing);
        noted.filter(|writing| paths.contains(&writing.path)).cloned().collect()
    }

    /// Reads what all machines say: notes, and whether the service alters
    /// contents (V7).
    pub(crate) async fn read_notes(&mut self) -> EngineResult<()> {
        let machines =
            MachineFile::read_all(self.parts.backend.as_ref(), &mut self.machines.read).await?;
        if machines.values().any(|machine| machine.alters_content) {
            self.state.set_alters();
        }
        self.note_damage_elsewhere(&machines);
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
        own.damaged = self.damaged_contents();
        self.put_own(&own).await?;
        self.machines.own = Some(own);
        Ok(())
    }

    /// Where a note matters it replaces only what was looked at: a write that was
    /// given up and arrives later must not take back what is noted since.
    async fn put_own(&mut self, own: &MachineFile) -> EngineResult<()> {
        let (backend, id) = (self.parts.backend.clone(), self.spec.author.machine_id);
        if backend.capabilities().atomic_view {
            own.write(backend.as_ref(), id, Expect::Anything).await?;
            return Ok(());
        }
        for _ in 0..LOOKS {
            // After a write of unknown fate only a look tells what stands there.
            let expect = match self.machines.left_at.take() {
                Some(revision) => Expect::At(revision),
                None => MachineFile::standing(backend.as_ref(), id).await?,
            };
            if let Guarded::Done(revision) = own.write(backend.as_ref(), id, expect).await? {
                self.machines.left_at = Some(revision);
                return Ok(());
            }
        }
        Err(EngineError::Internal("this machine's own file changed at every look".to_owned()))
    }

    /// What this machine found damaged in its newest place, for whoever has it (P8).
    fn damaged_contents(&self) -> Vec<DamagedContent> {
        let damaged = self.damaged_here().into_iter().map(|(sha256, place)| DamagedContent {
            sha256,
            pack: place.pack,
            offset: place.offset,
        });
        damaged.take(MOST_DAMAGED).collect()
    }

    /// Takes up what others say they can't read, as far as it is new.
    fn note_damage_elsewhere(&mut self, machines: &BTreeMap<Ulid, MachineFile>) {
        let history = self.log.history();
        let is_newest = |damaged: &DamagedContent| {
            let place = history.place(damaged.sha256);
            place.is_some_and(|place| (place.pack, place.offset) == (damaged.pack, damaged.offset))
        };
        let said = machines.values().flat_map(|machine| machine.damaged.iter().take(MOST_DAMAGED));
        self.machines.damaged = said.filter(|damaged| is_newest(damaged)).copied().collect();
    }

    fn root_digest(&self) -> Digest {
        Digest::of(self.spec.root.to_string_lossy().as_bytes())
    }
}
