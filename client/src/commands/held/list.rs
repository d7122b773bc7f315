//! `mirrorctl held list`: every change that waits.

use mirror_proto::v1::ListHeldRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

pub(crate) async fn run(context: &Context) -> Result<Reported, Failure> {
    let request = ListHeldRequest { project: Some(context.project()?) };
    let daemon = context.daemon().await?;
    let listed = daemon.held().list_held(request).await?.into_inner();
    let told = context
        .output
        .tell(|| json::held::list(&listed), |paint| text::held::list(&listed, paint))?;
    if let Some(fault) = &listed.fault {
        context.output.warn(None, fault);
    }
    Ok(Reported::done(told))
}
