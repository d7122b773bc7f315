//! `mirrorctl stash list`: what was set aside, oldest first.

use clap::Args;
use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::{ListStashRequest, ListStashResponse, ProjectRef};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::each_project::{Heading, Scope, run as run_each};
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Every project's, and what projects left that are mirrored no more
    #[arg(long)]
    all: bool,
}

pub(crate) async fn run(args: &ListArgs, context: &Context) -> Result<Reported, Failure> {
    let one =
        async |daemon: &Daemon, project: ProjectRef| list(context, daemon, project, args).await;
    let scope = if args.all { Scope::AllAndLeftOver(Heading::Name) } else { Scope::One };
    let shape = || json::stash::list_of("", &ListStashResponse::default());
    run_each(context, scope, shape, one).await
}

async fn list(
    context: &Context,
    daemon: &Daemon,
    project: ProjectRef,
    args: &ListArgs,
) -> Result<Reported, Failure> {
    let name = match &project.by {
        Some(By::Name(name)) if args.all => Some(name.clone()),
        Some(_) | None => None,
    };
    let request = ListStashRequest { project: Some(project) };
    let listed = daemon.stash().list_stash(request).await?.into_inner();
    let told = context.output.tell(
        || match name {
            Some(name) => json::stash::list_of(&name, &listed),
            None => json::stash::list(&listed),
        },
        |paint| text::stash::list(&listed, paint),
    )?;
    Ok(Reported::done(told))
}
