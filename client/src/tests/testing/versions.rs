//! Versions of the fake daemon: the history, what is restored, the stash.

use std::sync::Mutex;

use mirror_proto::v1::stash_service_server::StashService;
use mirror_proto::v1::version_service_server::VersionService;
use mirror_proto::v1::{
    DropStashRequest, DropStashResponse, FileAction, FileChange, FileVersion, JobEvent,
    JobFinished, ListStashRequest, ListStashResponse, ListVersionsRequest, ListVersionsResponse,
    ReadStashRequest, ReadVersionRequest, RestoreRequest, RestoreStashRequest, StashPiece,
    StashedVersion, VersionPiece, job_event,
};
use tonic::{Request, Response, async_trait};

use super::{Answer, Events, FakeDaemon, RunningDaemon, Service, said};

#[derive(Debug, Default)]
pub(super) struct Versions {
    listed: Mutex<Vec<ListVersionsRequest>>,
    shown: Mutex<Vec<ReadVersionRequest>>,
    restored: Mutex<Vec<RestoreRequest>>,
    unstashed: Mutex<Vec<RestoreStashRequest>>,
    dropped: Mutex<Vec<DropStashRequest>>,
    stash: Vec<Vec<u8>>,
}

impl FakeDaemon {
    /// Every version that is read, stashed or not, consists of these pieces.
    pub(crate) fn stashing(mut self, pieces: &[&[u8]]) -> Self {
        self.0.versions.stash = pieces.iter().map(|piece| piece.to_vec()).collect();
        self
    }
}

impl RunningDaemon {
    pub(crate) fn listed(&self) -> Vec<ListVersionsRequest> {
        self.service.0.versions.listed.lock().expect("not poisoned").clone()
    }

    pub(crate) fn shown(&self) -> Vec<ReadVersionRequest> {
        self.service.0.versions.shown.lock().expect("not poisoned").clone()
    }

    pub(crate) fn restored(&self) -> Vec<RestoreRequest> {
        self.service.0.versions.restored.lock().expect("not poisoned").clone()
    }

    pub(crate) fn stash_drops(&self) -> Vec<DropStashRequest> {
        self.service.0.versions.dropped.lock().expect("not poisoned").clone()
    }

    pub(crate) fn unstashed(&self) -> Vec<RestoreStashRequest> {
        self.service.0.versions.unstashed.lock().expect("not poisoned").clone()
    }
}

/// What every stash is found to hold.
fn in_stash() -> StashedVersion {
    StashedVersion {
        id: "01JWHOLE".to_owned(),
        path: "a.md".to_owned(),
        size_bytes: 10,
        time: "once".to_owned(),
        reason: "restore".to_owned(),
        ..StashedVersion::default()
    }
}

fn restored(path: &str, dry_run: bool) -> Events<JobEvent> {
    let action = FileAction::Restored.into();
    let files = vec![FileChange { path: path.to_owned(), action, from: None }];
    let finished = JobFinished { files, dry_run, ..JobFinished::default() };
    said((vec![JobEvent { event: Some(job_event::Event::Finished(finished)) }], None))
}

#[async_trait]
impl VersionService for Service {
    type RestoreStream = Events<JobEvent>;
    type ReadVersionStream = Events<VersionPiece>;

    async fn read_version(
        &self,
        request: Request<ReadVersionRequest>,
    ) -> Answer<Events<VersionPiece>> {
        self.0.versions.shown.lock().expect("not poisoned").push(request.into_inner());
        let version = FileVersion { path: "a.md".to_owned(), seq: 12, ..FileVersion::default() };
        let pieces = self.0.versions.stash.clone().into_iter();
        let pieces =
            pieces.map(|content| Ok(VersionPiece { content, version: Some(version.clone()) }));
        Ok(Response::new(Box::pin(tokio_stream::iter(pieces.collect::<Vec<_>>()))))
    }

    async fn list_versions(
        &self,
        request: Request<ListVersionsRequest>,
    ) -> Answer<ListVersionsResponse> {
        let request = request.into_inner();
        let path = request.path.clone();
        self.0.versions.listed.lock().expect("not poisoned").push(request);
        Ok(Response::new(ListVersionsResponse { path, ..Default::default() }))
    }

    async fn restore(&self, request: Request<RestoreRequest>) -> Answer<Events<JobEvent>> {
        let request = request.into_inner();
        let events = restored("a.md", request.scope.as_ref().is_some_and(|scope| scope.dry_run));
        self.0.versions.restored.lock().expect("not poisoned").push(request);
        Ok(Response::new(events))
    }
}

#[async_trait]
impl StashService for Service {
    type ReadStashStream = Events<StashPiece>;
    type RestoreStashStream = Events<JobEvent>;

    async fn list_stash(&self, _: Request<ListStashRequest>) -> Answer<ListStashResponse> {
        Ok(Response::new(ListStashResponse::default()))
    }

    async fn read_stash(&self, _: Request<ReadStashRequest>) -> Answer<Events<StashPiece>> {
        let pieces = self.0.versions.stash.clone();
        let pieces =
            pieces.into_iter().map(|content| Ok(StashPiece { content, id: "01J".to_owned() }));
        Ok(Response::new(Box::pin(tokio_stream::iter(pieces.collect::<Vec<_>>()))))
    }

    async fn restore_stash(
        &self,
        request: Request<RestoreStashRequest>,
    ) -> Answer<Events<JobEvent>> {
        let request = request.into_inner();
        let events = restored("a.md", request.dry_run);
        self.0.versions.unstashed.lock().expect("not poisoned").push(request);
        Ok(Response::new(events))
    }
    async fn drop_stash(&self, request: Request<DropStashRequest>) -> Answer<DropStashResponse> {
        self.0.versions.dropped.lock().expect("not poisoned").push(request.into_inner());
        Ok(Response::new(DropStashResponse { versions: vec![in_stash()] }))
    }
}
