//! `mirrorctl stash list`: what was set aside, oldest first.

use mirror_proto::v1::ListStashRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

pub(crate) async fn run(context: &Context) -> Result<Reported, Failure> {
    let request = ListStashRequest { project: Some(context.project()?) };
    let daemon = context.daemon().await?;
    let listed = daemon.stash().list_stash(request).await?.into_inner();
    let told = context
        .output
        .tell(|| json::stash::list(&listed), |paint| text::stash::list(&listed, paint))?;
    Ok(Reported::done(told))
}
