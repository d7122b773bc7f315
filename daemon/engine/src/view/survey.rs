//! Looking at the whole view: what stands at each path, by its content.

use std::collections::{BTreeMap, BTreeSet};

use futures::{FutureExt, StreamExt};
use mirror_core::{Digest, RelPath};
use mirror_storage::{
    FileStream, RemoteFile, RemotePath, StorageError, is_in_system_folder, is_system_path,
};

use super::{Outcome, Projected, View, nanoseconds};
use crate::state::Seen;
use crate::view::machines::MachineFile;

/// One file of the view, with what this machine will know it by.
#[derive(Clone, Debug)]
pub struct Sight {
    pub digest: Digest,
    pub seen: Seen,
    /// It is as this machine wrote it, and reads back differently (V7).
    pub altered: bool,
    /// Others than its owner may use it, and narrowing it would change that (B14).
    pub is_open: bool,
}

impl Survey {
    /// Whether absence means nothing there.
    pub fn is_hidden(&self, path: &RelPath) -> bool {
        let is_passed_over =
            is_system_path(path.as_str()) && !self.looked_at.contains(path.as_str());
        is_passed_over
            || self.closed.contains(path.as_str())
            || path.ancestors().any(|folder| self.closed.contains(folder))
    }
}

/// All files of the view.
#[derive(Clone, Debug)]
pub struct Survey {
    pub sights: BTreeMap<RelPath, Sight>,
    /// Files that may not be read, and folders that may not be opened: what stands
    /// there is not known.
    pub closed: BTreeSet<String>,
    /// What the project has under names of systems: only of these is it known what
    /// stands there (V9).
    pub looked_at: BTreeSet<String>,
    /// A time that the service's clock has surely passed, whatever our own says.
    pub service_ns: Option<i64>,
}

/// The files of a listing, and what in it may not be opened (V9).
async fn readable(
    mut listing: FileStream<'_>,
) -> Result<(Vec<RemoteFile>, BTreeSet<String>), StorageError> {
    let (mut files, mut closed) = (Vec::new(), BTreeSet::new());
    while let Some(item) = listing.next().await {
        match item {
            Err(StorageError::Forbidden { path }) if !path.is_root() => {
                closed.insert(path.to_string());
            }
            item => files.push(item?),
        }
    }
    Ok((files, closed))
}

impl View {
    /// Lists the view and tells the content of `wanted` files. One is read only when
    /// neither its revision nor its size and time prove what it is (V2), or
    /// when this machine wrote it and hasn't read it back yet (V7).
    ///
    /// Of names that systems use, `of_systems` alone are looked at (V9).
    pub async fn survey(
        &self,
        known: &BTreeMap<RelPath, Seen>,
        of_systems: BTreeSet<RelPath>,
        wanted: impl Fn(&RelPath) -> bool,
    ) -> Result<Survey, StorageError> {
        let root = RemotePath::ROOT;
        let listing = readable(self.backend.list(&root));
        // Files of the view have any time that some program gave them.
        let written_at = MachineFile::written_at(self.backend.as_ref(), self.machine_id);
        let unlisted = self.look_up(&of_systems);
        let ((files, mut closed), unlisted, written_at) =
            futures::try_join!(listing, unlisted, written_at)?;
        closed.extend(unlisted.1);
        let service_ns = written_at.map(nanoseconds);
        let is_wanted = |path: &RelPath| match is_system_path(path.as_str()) {
            true => of_systems.contains(path),
            false => wanted(path),
        };
        let looks: Vec<_> = files
            .into_iter()
            .chain(unlisted.0)
            .filter_map(|file| Some((RelPath::new(file.path.as_str()).ok()?, file)))
            .filter(|(path, _)| is_wanted(path))
            .map(|(path, file)| {
                let seen = known.get(&path).cloned();
                self.sight(path, file, seen, service_ns).boxed()
            })
            .collect();
        let parallel = self.backend.capabilities().parallel.max(1);
        let mut looks = futures::stream::iter(looks).buffer_unordered(parallel);
        let mut sights = BTreeMap::new();
        while let Some(look) = looks.next().await {
            match look {
                Err(StorageError::Forbidden { path }) => drop(closed.insert(path.to_string())),
                look => sights.extend(look?),
            }
        }
        let looked_at = of_systems.into_iter().map(|path| path.as_str().to_owned()).collect();
        Ok(Survey { sights, closed, looked_at, service_ns })
    }

    /// Looks those of the paths up that lie in folders which no listing enters.
    async fn look_up(
        &self,
        paths: &BTreeSet<RelPath>,
    ) -> Result<(Vec<RemoteFile>, BTreeSet<String>), StorageError> {
        let unlisted = paths.iter().filter(|path| is_in_system_folder(path.as_str()));
        let places: Vec<RemotePath> = unlisted.map(RemotePath::from).collect();
        let parallel = self.backend.capabilities().parallel.max(1);
        let looks: Vec<_> = places.iter().map(|place| self.backend.stat(place).boxed()).collect();
        let mut looks = futures::stream::iter(looks).buffer_unordered(parallel);
        let (mut files, mut closed) = (Vec::new(), BTreeSet::new());
        while let Some(look) = looks.next().await {
            match look {
                Err(StorageError::Forbidden { path }) => drop(closed.insert(path.to_string())),
                look => files.extend(look?),
            }
        }
        Ok((files, closed))
    }

    /// `None` when the file is gone by the time it is read.
    async fn sight(
        &self,
        path: RelPath,
        file: RemoteFile,
        seen: Option<Seen>,
        service_ns: Option<i64>,
    ) -> Result<Option<(RelPath, Sight)>, StorageError> {
        let own = seen.as_ref().filter(|seen| seen.is_own && seen.revision == file.revision.0);
        let (digest, altered) = match own {
            Some(own) => match self.come_back(&file, own).await? {
                Some(came_back) => came_back,
                None => return Ok(None),
            },
            None => {
                let proof = seen.as_ref().filter(|seen| !seen.is_own);
                match self.digest_of(&file, proof).await? {
                    Some(digest) => (digest, false),
                    None => return Ok(None),
                }
            }
        };
        let is_narrowed = seen.as_ref().is_some_and(|seen| seen.is_narrowed_as(&file));
        let is_open = file.is_private == Some(false) && !is_narrowed;
        let seen = Seen {
            digest,
            size: file.size,
            modified_ns: file.modified.map(nanoseconds),
            revision: file.revision.0,
            seq: seen.map_or(0, |seen| seen.seq),
            recorded_ns: service_ns,
            is_own: false,
            is_narrowed,
        };
        Ok(Some((path, Sight { digest, seen, altered, is_open })))
    }
}

impl View {
    /// What this machine's own file reads back as, and whether that is something
    /// else than was written (V7). `None` when somebody changed it meanwhile.
    async fn come_back(
        &self,
        file: &RemoteFile,
        own: &Seen,
    ) -> Result<Option<(Digest, bool)>, StorageError> {
        let Some((digest, _)) = self.read_digest(&file.path).await? else { return Ok(None) };
        if digest == own.digest {
            return Ok(Some((digest, false)));
        }
        let now = self.backend.stat(&file.path).await?;
        let is_untouched = now.is_some_and(|now| now.revision == file.revision);
        Ok(is_untouched.then_some((digest, true)))
    }

    /// On a service that alters contents, what was written is known by what
    /// comes back (V7).
    pub async fn read_back(&self, projected: &mut Projected) {
        let Outcome::Shown { seen: Some(seen), .. } = &mut projected.outcome else { return };
        let place = RemotePath::from(&projected.path);
        if seen.is_own
            && let Ok(Some((digest, size))) = self.read_digest(&place).await
        {
            (seen.digest, seen.size, seen.is_own) = (digest, size, false);
        }
    }
}
