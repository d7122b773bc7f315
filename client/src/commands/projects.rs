//! `mirrorctl projects`: the projects on this machine.

use mirror_proto::v1::ListProjectsRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

pub(crate) async fn run(context: &Context) -> Result<Reported, Failure> {
    let daemon = context.daemon().await?;
    let response = daemon.project().list_projects(ListProjectsRequest {}).await?.into_inner();
    let told = context
        .output
        .tell(|| json::project::list(&response), |paint| text::project::list(&response, paint))?;
    Ok(Reported::done(told))
}
