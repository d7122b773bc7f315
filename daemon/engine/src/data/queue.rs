//! Pushes that wait for their backend (B8), kept in the data folder.
//!
//! A push is a record `queue/<id>.json`, written last and removed first; its
//! contents are files `queue/<sha256>`, each there once for all records. What
//! no record names is what a crash left, and goes at the next start. A record
//! that can't be read is left as it is, with every content beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mirror_core::commit::Action;
use mirror_core::plan::Selection;
use mirror_core::{Digest, Entry, RelPath, State, Timestamp, Ulid};
use mirror_storage::FaultClass;
use serde::{Deserialize, Serialize};

use crate::api::{FileFault, Parts, QueuedKind, QueuedWork, WaitingPush};
use crate::data::backoff::{LONGEST_WAIT_MS, has_come};
use crate::outside::{Disk, Outside};
use crate::state::BaseRecord;

const FOLDER: &str = "queue";

const RECORD: &str = ".json";

/// A push that said "queued".
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct QueuedPush {
    /// Also the id of the commit that this becomes, so that the chain tells
    /// whether it stands (L5).
    pub(crate) id: Ulid,
    /// Pushes are sent in this order; clocks say nothing about it.
    pub(crate) number: u64,
    pub(crate) created: Timestamp,
    pub(crate) action: Action,
    pub(crate) message: Option<String>,
    /// A person agreed to its deletions.
    pub(crate) consent: bool,
    /// What it brings wins over what it meets.
    pub(crate) keep_local: bool,
    /// The newest commit when it was queued: its own comes later.
    pub(crate) head: u64,
    /// An attempt that was open then, and may stand by now.
    pub(crate) attempt: Option<OpenAttempt>,
    /// Why it could not be sent.
    pub(crate) why: String,
    pub(crate) changes: Vec<QueuedChange>,
}

/// One path of a queued push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueuedChange {
    pub(crate) path: RelPath,
    /// `None` deletes.
    pub(crate) to: Option<Entry>,
    pub(crate) made_on: MadeOn,
    /// The queued push whose version of this path it was made on.
    pub(crate) after: Option<Ulid>,
}

/// The base that a version was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MadeOn {
    Absent,
    Unknown,
    Known { state: State, seq: u64 },
}

/// A commit whose fate was open, and what each of its changes was made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OpenAttempt {
    pub(crate) seq: u64,
    pub(crate) id: Ulid,
    pub(crate) inputs: BTreeMap<RelPath, Option<State>>,
}

impl QueuedChange {
    pub(crate) fn state(&self) -> Option<State> {
        self.to.as_ref().map(Entry::state)
    }
}

impl QueuedPush {
    /// As a person sees it.
    pub(crate) fn told(&self) -> WaitingPush {
        let file = |change: &QueuedChange| {
            (change.path.clone(), change.to.as_ref().map(|entry| entry.sha256))
        };
        WaitingPush {
            id: self.id,
            since: self.created,
            action: self.action,
            message: self.message.clone(),
            why: self.why.clone(),
            files: self.changes.iter().map(file).collect(),
        }
    }

    fn contents(&self) -> impl Iterator<Item = Digest> + '_ {
        self.changes.iter().filter_map(|change| Some(change.to.as_ref()?.sha256))
    }
}

impl MadeOn {
    pub(crate) fn of(base: Option<&BaseRecord>) -> Self {
        match base {
            None => Self::Absent,
            Some(BaseRecord::Unknown) => Self::Unknown,
            Some(BaseRecord::Known { state, seq }) => Self::Known { state: *state, seq: *seq },
        }
    }

    /// Whether a path whose base is `now` has met nothing else since. One whose
    /// base was unknown may be agreed to have none by now.
    pub(crate) fn is_still(self, now: Self) -> bool {
        self == now || (self, now) == (Self::Unknown, Self::Absent)
    }

    /// Whether it is this version, whichever commit brought it.
    fn is_version(self, version: Option<State>) -> bool {
        match self {
            Self::Absent => version.is_none(),
            Self::Unknown => false,
            Self::Known { state, .. } => version == Some(state),
        }
    }

    /// What a commit at `seq` left at the path.
    pub(crate) fn at(state: Option<State>, seq: u64) -> Self {
        state.map_or(Self::Absent, |state| Self::Known { state, seq })
    }

    pub(crate) fn record(self) -> Option<BaseRecord> {
        match self {
            Self::Absent => None,
            Self::Unknown => Some(BaseRecord::Unknown),
            Self::Known { state, seq } => Some(BaseRecord::Known { state, seq }),
        }
    }
}

/// The newest queued version of a path.
#[derive(Clone, Debug)]
pub(crate) struct Tip {
    /// The push that brings it.
    pub(crate) push: Ulid,
    pub(crate) state: Option<State>,
    /// The base of the first queued version that it follows: what the path's
    /// own base is until that one is sent.
    made_on: MadeOn,
    /// The queued versions that lead to it. One of them is the base where the
    /// queue was cut off before it was told of its commit.
    versions: Vec<Option<State>>,
}

impl Tip {
    /// Whether a path whose base is `now` has met nothing but what is queued.
    pub(crate) fn follows(&self, now: MadeOn) -> bool {
        self.made_on.is_still(now) || self.versions.iter().any(|version| now.is_version(*version))
    }
}

/// All queued pushes of a project, oldest first.
pub(crate) struct Queue {
    data: Arc<dyn Disk>,
    outside: Outside,
    pushes: Vec<QueuedPush>,
    /// Contents that pushes named which are here still.
    left: BTreeSet<Digest>,
    /// How the last try went; some while anything is queued.
    pub(crate) work: Option<QueuedWork>,
    /// The backend was away at the last look.
    pub(crate) is_away: bool,
    /// A record could not be read: contents may be its own.
    is_damaged: bool,
}

impl Queue {
    /// Says that something is queued, and holds nothing of it.
    pub(crate) fn for_reader(parts: &Parts, work: Option<QueuedWork>) -> Self {
        Self { pushes: Vec::new(), is_damaged: true, ..Self::with(parts, work) }
    }

    fn with(parts: &Parts, work: Option<QueuedWork>) -> Self {
        let (data, outside) = (parts.data.clone(), parts.outside.clone());
        let (pushes, left) = (Vec::new(), BTreeSet::new());
        Self { data, outside, pushes, left, work, is_away: false, is_damaged: false }
    }

    pub(crate) async fn load(parts: &Parts) -> std::io::Result<Self> {
        let (data, outside) = (parts.data.clone(), parts.outside.clone());
        let disk = data.clone();
        let records = outside.offload(move || read_all(disk.as_ref())).await?;
        let (pushes, is_damaged) = (records.pushes, records.unreadable > 0);
        let is_away = !pushes.is_empty();
        let work = pushes.first().map(|oldest| waiting(oldest, outside.clock.now()));
        let queue = Self { pushes, is_away, is_damaged, ..Self::with(parts, work) };
        queue.remove_leftovers().await?;
        Ok(queue)
    }

    pub(crate) fn pushes(&self) -> &[QueuedPush] {
        &self.pushes
    }

    /// Whether the next try's time has come.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.work.as_ref().is_some_and(|work| has_come(work.next_at, now, LONGEST_WAIT_MS))
    }

    pub(crate) fn get(&self, id: Ulid) -> Option<&QueuedPush> {
        self.pushes.iter().find(|push| push.id == id)
    }

    /// Whether anything that is selected waits.
    pub(crate) fn holds(&self, selection: &Selection) -> bool {
        let mut changes = self.pushes.iter().flat_map(|push| &push.changes);
        changes.any(|change| selection.matches(&change.path))
    }

    /// Whether a version of this very path waits.
    pub(crate) fn brings(&self, path: &RelPath) -> bool {
        self.pushes.iter().flat_map(|push| &push.changes).any(|change| change.path == *path)
    }

    /// The newest queued version of each path.
    pub(crate) fn tips(&self) -> BTreeMap<RelPath, Tip> {
        let mut tips: BTreeMap<RelPath, Tip> = BTreeMap::new();
        for push in &self.pushes {
            for change in &push.changes {
                let before = tips.remove(&change.path);
                let root = before.filter(|before| change.after == Some(before.push));
                let (made_on, mut versions) =
                    root.map_or((change.made_on, Vec::new()), |root| (root.made_on, root.versions));
                versions.push(change.state());
                let tip = Tip { push: push.id, state: change.state(), made_on, versions };
                tips.insert(change.path.clone(), tip);
            }
        }
        tips
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.pushes.last().map_or(0, |push| push.number.saturating_add(1))
    }

    /// Adds a push whose contents are all there; it survives power loss when
    /// this returns.
    pub(crate) async fn add(&mut self, push: QueuedPush) -> std::io::Result<()> {
        self.write(&push).await?;
        self.pushes.push(push);
        Ok(())
    }

    async fn write(&self, push: &QueuedPush) -> std::io::Result<()> {
        let (data, name) = (self.data.clone(), record_name(push.id));
        let text = serde_json::to_vec(push)?;
        self.outside.offload(move || data.write(&name, &mut text.as_slice(), true)).await
    }

    /// Takes changes out of a push, and lets later versions of `path` follow
    /// what each of them has come to: `None` leaves their base as it was.
    ///
    /// Later pushes first: a crash in between finds the earlier one again.
    pub(crate) async fn drop_paths(
        &mut self,
        id: Ulid,
        settled: &BTreeMap<RelPath, Option<MadeOn>>,
    ) -> std::io::Result<()> {
        let follows =
            |change: &QueuedChange| change.after == Some(id) && settled.contains_key(&change.path);
        let following = self.pushes.iter().filter(|push| push.changes.iter().any(follows));
        for mut followed in following.cloned().collect::<Vec<_>>() {
            for change in followed.changes.iter_mut().filter(|change| follows(change)) {
                change.made_on = settled[&change.path].unwrap_or(change.made_on);
                change.after = None;
            }
            self.replace(followed).await?;
        }
        let Some(mut push) = self.get(id).cloned() else { return Ok(()) };
        push.changes.retain(|change| !settled.contains_key(&change.path));
        self.replace(push).await
    }

    /// Writes a push anew; one that brings nothing any more goes.
    pub(crate) async fn replace(&mut self, push: QueuedPush) -> std::io::Result<()> {
        let at = self.pushes.iter().position(|known| known.id == push.id);
        let at = at.expect("only what is queued is replaced");
        let written = self.write(&push).await;
        if !push.changes.is_empty() {
            written?;
            let before = std::mem::replace(&mut self.pushes[at], push);
            self.left.extend(before.contents());
            return Ok(());
        }
        // Written empty all the same: should the removal be lost, nothing comes
        // back. A full disk must not keep it here for that.
        let gone = self.pushes.remove(at);
        let (data, name) = (self.data.clone(), record_name(push.id));
        self.outside.offload(move || data.remove(&name)).await?;
        self.left.extend(gone.contents());
        let left = std::mem::take(&mut self.left);
        self.remove_contents(left).await
    }

    /// Removes contents that no record names.
    pub(crate) async fn remove_leftovers(&self) -> std::io::Result<()> {
        let data = self.data.clone();
        let files = self.outside.offload(move || data.list(FOLDER)).await?;
        let names = files.iter().filter(|file| !is_record(&file.name));
        self.remove_contents(names.filter_map(|file| file.name.parse().ok()).collect()).await
    }

    /// Of these, removes what no record names.
    async fn remove_contents(&self, mut left: BTreeSet<Digest>) -> std::io::Result<()> {
        if self.is_damaged {
            return Ok(());
        }
        for content in self.pushes.iter().flat_map(QueuedPush::contents) {
            left.remove(&content);
        }
        let data = self.data.clone();
        let remove = move || {
            let mut names = left.into_iter().map(content_name);
            names.try_for_each(|name| data.remove(&name))
        };
        self.outside.offload(remove).await
    }
}

/// Where the content of a queued push stands in the data folder.
pub(crate) fn content_name(content: Digest) -> String {
    format!("{FOLDER}/{content}")
}

fn is_record(name: &str) -> bool {
    name.ends_with(RECORD)
}

fn record_name(id: Ulid) -> String {
    format!("{FOLDER}/{id}{RECORD}")
}

/// What waits since before a restart, and is tried at once.
fn waiting(oldest: &QueuedPush, now: Timestamp) -> QueuedWork {
    let fault = FileFault {
        path: String::new(),
        class: FaultClass::Transient,
        message: oldest.why.clone(),
        hint: None,
    };
    QueuedWork { kind: QueuedKind::Push, since: oldest.created, attempts: 0, next_at: now, fault }
}

/// What the records say, oldest first.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) pushes: Vec<QueuedPush>,
    /// Files of those that bring nothing any more: the removal was cut off.
    empty: Vec<String>,
    pub(crate) unreadable: usize,
}

impl Records {
    /// Changes nothing.
    pub(crate) fn read(data: &dyn Disk) -> std::io::Result<Self> {
        let mut records = Self::default();
        for file in data.list(FOLDER)?.iter().filter(|file| is_record(&file.name)) {
            let name = format!("{FOLDER}/{}", file.name);
            let Some(record) = data.read(&name)? else { continue };
            match serde_json::from_slice::<QueuedPush>(&record) {
                Ok(push) if push.changes.is_empty() => records.empty.push(name),
                Ok(push) => records.pushes.push(push),
                Err(error) => {
                    tracing::warn!(name, %error, "a queued push can't be read and stays as it is");
                    records.unreadable += 1;
                }
            }
        }
        records.pushes.sort_by_key(|push| push.number);
        Ok(records)
    }
}

fn read_all(data: &dyn Disk) -> std::io::Result<Records> {
    let records = Records::read(data)?;
    records.empty.iter().try_for_each(|name| data.remove(name))?;
    Ok(records)
}
