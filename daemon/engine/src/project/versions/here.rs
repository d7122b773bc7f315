//! The versions that this machine keeps in its data folder, and that may be nowhere
//! else: in the stash, in pushes that wait, as sides of conflicts.

use std::io;
use std::sync::Arc;

use mirror_core::{Digest, Kind, RelPath, State, Timestamp};

use super::version::{Source, Stands, Version};
use crate::api::{Author, EngineResult, FileVersion, Stashed, VersionRole};
use crate::data::conflicts::{self, Record};
use crate::data::queue::{QueuedChange, QueuedPush, Records, content_name};
use crate::data::stash::{self, stashed_name};
use crate::outside::Disk;
use crate::project::worker::Worker;

impl Worker {
    /// All of them, of any file, oldest first.
    pub(super) async fn versions_here(&self) -> EngineResult<Vec<Version>> {
        let (data, author) = (self.parts.data.clone(), self.spec.author.clone());
        let place = self.spec.backend_name.clone();
        let read = move || Here { data, author, place }.versions();
        let mut versions = self.parts.outside.offload(read).await?;
        for version in versions.iter_mut().filter(|one| one.told.role == VersionRole::Conflict) {
            // A side's record says nothing of it: it has the rights of the file here (B14).
            let is_private = self.is_private_here(&version.told.path);
            version.source.iter_mut().for_each(|source| source.private |= is_private);
        }
        Ok(versions)
    }
}

struct Here {
    data: Arc<dyn Disk>,
    author: Author,
    /// Where edits were found that no commit has.
    place: String,
}

impl Here {
    fn versions(&self) -> io::Result<Vec<Version>> {
        let mut versions: Vec<Version> =
            stash::list(self.data.as_ref())?.into_iter().map(|one| self.stashed(one)).collect();
        for push in Records::read(self.data.as_ref())?.pushes {
            versions.extend(push.changes.iter().map(|change| self.queued(&push, change)));
        }
        for record in conflicts::load_all(self.data.as_ref())? {
            versions.extend(self.sides(&record)?);
        }
        versions.sort_by_key(|version| version.told.time);
        Ok(versions)
    }

    fn stashed(&self, stashed: Stashed) -> Version {
        let told = FileVersion {
            sha256: Some(stashed.sha256),
            size: stashed.size,
            role: VersionRole::Stash,
            stash: Some(stashed.id),
            ..self.told(stashed.path, stashed.time)
        };
        let source = Source {
            stands: Stands::Here(stashed_name(stashed.id)),
            kind: stashed.kind.unwrap_or(Kind::File),
            exec: stashed.exec,
            private: stashed.private.unwrap_or_default(),
        };
        Version { told, source: Some(source) }
    }

    fn queued(&self, push: &QueuedPush, change: &QueuedChange) -> Version {
        let to = change.to.as_ref();
        let told = FileVersion {
            sha256: to.map(|entry| entry.sha256),
            size: to.map_or(0, |entry| entry.size),
            role: VersionRole::Queued,
            push: Some(push.id),
            ..self.told(change.path.clone(), push.created)
        };
        let source = to.map(|entry| Source {
            stands: Stands::Here(content_name(entry.sha256)),
            kind: entry.kind,
            exec: Some(entry.exec),
            private: entry.private,
        });
        Version { told, source }
    }

    /// This folder's side, and one that stands on the backend alone: what a commit has
    /// is listed by that.
    fn sides(&self, record: &Record) -> io::Result<Vec<Version>> {
        let kept = record.folder(&self.data).contents()?;
        let size = |digest: Digest| {
            kept.iter().find(|(content, _)| *content == digest).map(|(_, size)| *size)
        };
        let version_of = |state: State, user: &str, machine: &str| {
            let told = FileVersion {
                sha256: Some(state.digest),
                size: size(state.digest)?,
                role: VersionRole::Conflict,
                user: user.to_owned(),
                machine: machine.to_owned(),
                ..self.told(record.path.clone(), record.since)
            };
            let name = record.folder(&self.data).content(state.digest);
            let (kind, exec) = (state.kind, Some(state.exec));
            let source = Source { stands: Stands::Here(name), kind, exec, private: false };
            Some(Version { told, source: Some(source) })
        };
        let is_outside = record.place.is_some();
        let here = record.local.filter(|_| !is_outside);
        let here =
            here.and_then(|state| version_of(state, &self.author.user, &self.author.machine));
        let there = record.remote.map(|remote| remote.state);
        let there = there.and_then(|state| version_of(state, "", &self.place));
        Ok(here.into_iter().chain(there).collect())
    }

    fn told(&self, path: RelPath, time: Timestamp) -> FileVersion {
        FileVersion {
            seq: None,
            time,
            user: self.author.user.clone(),
            machine: self.author.machine.clone(),
            sha256: None,
            size: 0,
            path,
            role: VersionRole::Committed,
            stash: None,
            push: None,
        }
    }
}
