//! `mirrorctl conflict list`: every file that waits.

use jiff::Timestamp;
use mirror_proto::v1::ListConflictsRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

pub(crate) async fn run(context: &Context) -> Result<Reported, Failure> {
    let request = ListConflictsRequest { project: Some(context.project()?) };
    let daemon = context.daemon().await?;
    let listed = daemon.conflicts().list_conflicts(request).await?.into_inner();
    let told = context.output.tell(
        || json::conflict::list(&listed),
        |paint| text::conflict::list(&listed, Timestamp::now(), paint),
    )?;
    if let Some(fault) = &listed.fault {
        context.output.warn(None, fault);
    }
    Ok(Reported::done(told))
}
