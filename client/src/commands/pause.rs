//! `mirrorctl pause` and `resume`: whether a project does anything by itself.

use clap::Args;
use mirror_proto::v1::{PauseProjectRequest, PauseProjectResponse, ProjectRef};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::each_project::{self, Heading, Scope};
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    /// Every project on this machine
    #[arg(long, conflicts_with = "project")]
    all: bool,
}

pub(crate) async fn pause(args: &PauseArgs, context: &Context) -> Result<Reported, Failure> {
    run(args, true, context).await
}

pub(crate) async fn resume(args: &PauseArgs, context: &Context) -> Result<Reported, Failure> {
    run(args, false, context).await
}

async fn run(args: &PauseArgs, paused: bool, context: &Context) -> Result<Reported, Failure> {
    let scope = Scope::of(args.all, Heading::Absent);
    let shape = || json::project::paused(&PauseProjectResponse::default());
    each_project::run(context, scope, shape, async |daemon: &Daemon, project: ProjectRef| {
        let request = PauseProjectRequest { project: Some(project), paused };
        let response = daemon.project().pause_project(request).await?.into_inner();
        let told = context.output.confirm(
            || json::project::paused(&response),
            |paint| text::project::paused(&response, paint),
        )?;
        Ok(Reported::done(told))
    })
    .await
}
