//! `mirrorctl held show`: what one change would make of the file here.

use clap::Args;
use mirror_proto::v1::ShowHeldRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The file
    path: String,
}

pub(crate) async fn run(args: &ShowArgs, context: &Context) -> Result<Reported, Failure> {
    let request = ShowHeldRequest {
        project: Some(context.project()?),
        path: args.path.clone(),
        folder: paths::current()?,
    };
    let daemon = context.daemon().await?;
    let detail = daemon.held().show_held(request).await?.into_inner();
    let told = context
        .output
        .tell(|| json::held::detail(&detail), |paint| text::held::detail(&detail, paint))?;
    if let Some(fault) = &detail.fault {
        context.output.warn(None, fault);
    }
    Ok(Reported::done(told))
}
