//! `mirrorctl quickstart`: a first project with no account at all.

use clap::Args;
use mirror_proto::v1::QuickstartProjectRequest;

use super::init;
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow;
use crate::output::text;
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct QuickstartArgs {
    /// The folder of the project [default: a new one with sample files, ~/mirrord-sample]
    #[arg(value_name = "DIR")]
    folder: Option<String>,
}

pub(crate) async fn run(args: &QuickstartArgs, context: &Context) -> Result<Reported, Failure> {
    let folder = args.folder.as_deref().map(paths::absolute).transpose()?;
    let request = QuickstartProjectRequest { folder: folder.unwrap_or_default() };
    let daemon = context.daemon().await?;
    let events = daemon.project().quickstart_project(request).await?.into_inner();
    let project = follow::to_end(context, &daemon, events).await?;
    let reported = init::report(context, &project)?;
    if !project.cancelled {
        context.output.say(|_| text::project::next_steps(&project))?;
    }
    Ok(reported)
}
