//! `mirrorctl queue list`: what waits for the backend, oldest first.

use jiff::Timestamp;
use mirror_proto::v1::ListQueueRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

pub(crate) async fn run(context: &Context) -> Result<Reported, Failure> {
    let request = ListQueueRequest { project: Some(context.project()?) };
    let daemon = context.daemon().await?;
    let listed = daemon.queue().list_queue(request).await?.into_inner();
    let told = context.output.tell(
        || json::kept::queue(&listed),
        |paint| text::stash::queue(&listed, Timestamp::now(), paint),
    )?;
    if let Some(fault) = &listed.fault {
        context.output.warn(None, fault);
    }
    Ok(Reported::done(told))
}
