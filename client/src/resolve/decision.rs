//! One decision, and how the daemon takes it.

use mirror_proto::v1::resolve_conflict_request::Resolution;
use mirror_proto::v1::{FaultClass, JobFinished, ProjectRef, ResolveConflictRequest, Side};

use crate::connect::Daemon;
use crate::context::Context;
use crate::failure::Failure;
use crate::follow;

/// What becomes of one file.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    pub(crate) path: &'a str,
    /// Against this folder the path is resolved; empty means the project.
    pub(crate) folder: String,
    pub(crate) resolution: Resolution,
    pub(crate) token: Option<String>,
    pub(crate) no_push: bool,
}

/// The decision as JSON and people name it.
pub(crate) fn word(resolution: &Resolution) -> &'static str {
    match resolution {
        Resolution::MergedContent(_) => "merged",
        // This folder has one name alone.
        Resolution::NamedSide(_) => "remote",
        Resolution::Side(side) => match Side::try_from(*side) {
            Ok(Side::Local) => "local",
            Ok(Side::Remote) => "remote",
            Ok(Side::Unspecified) | Err(_) => "unknown",
        },
    }
}

/// Has the daemon carry a decision out. That a side moved is a failure of
/// class `conflict`, whenever the daemon found out.
pub(crate) async fn decide(
    context: &Context,
    daemon: &Daemon,
    project: ProjectRef,
    decision: Decision<'_>,
) -> Result<JobFinished, Failure> {
    let request = ResolveConflictRequest {
        project: Some(project),
        path: decision.path.to_owned(),
        folder: decision.folder,
        token: decision.token,
        no_push: decision.no_push,
        resolution: Some(decision.resolution),
    };
    let events = daemon.conflicts().resolve_conflict(request).await?.into_inner();
    let job = follow::to_end(context, daemon, events).await?;
    if job.cancelled && job.commit.is_none() {
        return Err(Failure::interrupted("cancelled: the conflict waits as before"));
    }
    // What failed after the commit, as a plain file that can't be written, undoes no
    // decision.
    let failed = job.failed.first().filter(|_| job.commit.is_none());
    match failed.and_then(|failed| failed.fault.clone()) {
        Some(fault) => Err(fault.into()),
        None if job.conflicts.is_empty() => Ok(job),
        None => Err(Failure::new(
            FaultClass::Conflict,
            format!("{} changed once more while it was settled", decision.path),
        )
        .with_hint("look at it again: `mirrorctl conflict show PATH`")),
    }
}
