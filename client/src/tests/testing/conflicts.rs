//! Conflicts of the fake daemon: refused by token and by left-over markers, as
//! the real one refuses.

use std::collections::HashMap;
use std::sync::Mutex;

use mirror_proto::v1::conflict_service_server::ConflictService;
use mirror_proto::v1::resolve_conflict_request::Resolution;
use mirror_proto::v1::{
    Committed, ConflictDetail, FailedFile, Fault, FaultClass, JobEvent, JobFinished,
    ListConflictsRequest, ListConflictsResponse, ResolveConflictRequest, ShowConflictRequest,
    job_event,
};
use tonic::{Request, Response, Status, async_trait};

use super::{Answer, Events, FakeDaemon, RunningDaemon, Service, said, status};

#[derive(Debug, Default)]
pub(super) struct Conflicts {
    waiting: Mutex<Vec<ConflictDetail>>,
    /// What takes a conflict's place at the next try to settle it.
    moves: Mutex<HashMap<String, ConflictDetail>>,
    settled: Mutex<Vec<ResolveConflictRequest>>,
    /// What can't be done once a decision is committed.
    fails_after: Mutex<Vec<FailedFile>>,
}

impl FakeDaemon {
    pub(crate) fn conflicting(self, detail: ConflictDetail) -> Self {
        self.0.conflicts.waiting.lock().expect("not poisoned").push(detail);
        self
    }

    /// Commits each decision, and can't do this afterwards.
    pub(crate) fn failing_after_commits(self, failed: FailedFile) -> Self {
        self.0.conflicts.fails_after.lock().expect("not poisoned").push(failed);
        self
    }

    /// While a person looks at it, a conflict turns into this one.
    pub(crate) fn moving_to(self, detail: ConflictDetail) -> Self {
        let path = path_of(&detail).to_owned();
        self.0.conflicts.moves.lock().expect("not poisoned").insert(path, detail);
        self
    }
}

impl RunningDaemon {
    /// The decisions that were carried out.
    pub(crate) fn settled(&self) -> Vec<ResolveConflictRequest> {
        self.service.0.conflicts.settled.lock().expect("not poisoned").clone()
    }
}

fn path_of(detail: &ConflictDetail) -> &str {
    detail.conflict.as_ref().map_or("", |conflict| &conflict.path)
}

impl Conflicts {
    fn find(&self, path: &str) -> Result<ConflictDetail, Status> {
        let waiting = self.waiting.lock().expect("not poisoned");
        let found = waiting.iter().find(|detail| path_of(detail) == path).cloned();
        found.ok_or_else(|| refusal(FaultClass::NotFound, "no conflict there"))
    }

    fn settle(&self, request: ResolveConflictRequest) -> Result<(), Status> {
        if let Some(moved) = self.moves.lock().expect("not poisoned").remove(&request.path) {
            let mut waiting = self.waiting.lock().expect("not poisoned");
            waiting.retain(|detail| path_of(detail) != request.path);
            waiting.push(moved);
        }
        let found = self.find(&request.path)?;
        let token = found.conflict.map(|conflict| conflict.token);
        if request.token.is_some() && request.token != token {
            return Err(refusal(FaultClass::Conflict, "a side moved"));
        }
        if let Some(Resolution::MergedContent(merged)) = &request.resolution
            && merged.starts_with(b"<<<<<<<")
        {
            return Err(refusal(FaultClass::Rejected, "there are conflict markers left"));
        }
        let mut waiting = self.waiting.lock().expect("not poisoned");
        waiting.retain(|detail| path_of(detail) != request.path);
        self.settled.lock().expect("not poisoned").push(request);
        Ok(())
    }
}

fn refusal(class: FaultClass, message: &str) -> Status {
    let message = message.to_owned();
    status(&Fault { class: class.into(), message, ..Fault::default() })
}

#[async_trait]
impl ConflictService for Service {
    type ResolveConflictStream = Events<JobEvent>;

    async fn list_conflicts(
        &self,
        _: Request<ListConflictsRequest>,
    ) -> Answer<ListConflictsResponse> {
        let waiting = self.0.conflicts.waiting.lock().expect("not poisoned");
        let conflicts = waiting.iter().filter_map(|detail| detail.conflict.clone()).collect();
        Ok(Response::new(ListConflictsResponse { conflicts, fault: None }))
    }

    async fn show_conflict(&self, request: Request<ShowConflictRequest>) -> Answer<ConflictDetail> {
        let found = self.0.conflicts.find(&request.into_inner().path);
        found.map(Response::new)
    }

    async fn resolve_conflict(
        &self,
        request: Request<ResolveConflictRequest>,
    ) -> Answer<Events<JobEvent>> {
        let request = request.into_inner();
        let no_push = request.no_push;
        self.0.conflicts.settle(request)?;
        let commit = (!no_push).then(|| Committed { seq: 44, id: "01J".to_owned() });
        let failed = self.0.conflicts.fails_after.lock().expect("not poisoned").clone();
        let finished = JobFinished { commit, failed, ..JobFinished::default() };
        let event = JobEvent { event: Some(job_event::Event::Finished(finished)) };
        Ok(Response::new(said((vec![event], None))))
    }
}
