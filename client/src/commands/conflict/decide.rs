//! What `conflict apply` and `conflict take` share: one decision, and what is
//! said of it.

use mirror_proto::v1::resolve_conflict_request::Resolution;

use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow;
use crate::output::{json, text};
use crate::paths;
use crate::resolve::{self, Decision};

/// Settles one file and says so; exit 3 when a side moved.
pub(super) async fn decide(
    context: &Context,
    path: &str,
    resolution: Resolution,
    token: Option<&String>,
    no_push: bool,
) -> Result<Reported, Failure> {
    let decision =
        Decision { path, folder: paths::current()?, resolution, token: token.cloned(), no_push };
    let daemon = context.daemon().await?;
    let project = context.project()?;
    let word = resolve::word(&decision.resolution);
    match resolve::decide(context, &daemon, project, decision).await {
        Ok(job) => {
            let told = context.output.confirm(
                || json::conflict::resolved(path, word, &job),
                |paint| text::conflict::resolved(path, word, &job, paint),
            )?;
            Ok(Reported { exit: follow::exit(&job, true), told })
        }
        // Exit 3 and 130 have their result on stdout.
        Err(failure)
            if matches!(failure.exit, Exit::Conflicts | Exit::Interrupted)
                && context.output.is_json() =>
        {
            let is_cancelled = failure.exit == Exit::Interrupted;
            let told = json::conflict::refused(path, is_cancelled, &failure.fault);
            Ok(Reported { exit: failure.exit, told: Some(told) })
        }
        Err(failure) => Err(failure),
    }
}
