//! `mirrorctl log`: the commits of a project, newest first, or as they come.

use clap::Args;
use mirror_proto::v1::{FollowCommitsRequest, ListCommitsRequest};

use crate::context::{Context, Reported};
use crate::dates;
use crate::failure::Failure;
use crate::output::{Reader, json, text};
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// At most N commits
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    /// Only commits that touch this path
    #[arg(long)]
    path: Option<String>,

    /// Only commits of this user
    #[arg(long)]
    user: Option<String>,

    /// From this date: 2026-04-15, 30d, 2w, 3m, 1y, yesterday, or RFC 3339
    #[arg(long, value_name = "DATE")]
    since: Option<String>,

    /// Up to this date, its whole day included
    #[arg(long, value_name = "DATE")]
    until: Option<String>,

    /// Show new commits as they come, oldest first
    #[arg(long, short, conflicts_with_all = ["limit", "path", "user", "since", "until"])]
    follow: bool,
}

pub(crate) async fn run(args: &LogArgs, context: &Context) -> Result<Reported, Failure> {
    if args.follow { follow(context).await } else { list(args, context).await }
}

async fn list(args: &LogArgs, context: &Context) -> Result<Reported, Failure> {
    let (since, until) = dates::bounds(args.since.as_deref(), args.until.as_deref())?;
    let request = ListCommitsRequest {
        project: Some(context.project()?),
        limit: args.limit,
        before: 0,
        path: args.path.clone(),
        user: args.user.clone(),
        since,
        until,
        folder: paths::current()?,
    };
    let daemon = context.daemon().await?;
    let page = daemon.history().list_commits(request).await?.into_inner();
    let told = context
        .output
        .tell(|| json::history::log(&page), |paint| text::history::log(&page, paint))?;
    Ok(Reported::done(told))
}

async fn follow(context: &Context) -> Result<Reported, Failure> {
    let request = FollowCommitsRequest { project: Some(context.project()?), after: 0 };
    let daemon = context.daemon().await?;
    let mut commits = daemon.history().follow_commits(request).await?.into_inner();
    while let Some(commit) = commits.message().await? {
        let reader = context.output.print_next(
            || json::history::entry(&commit),
            |paint| text::history::entry(&commit, paint),
        )?;
        if reader == Reader::Gone {
            break;
        }
    }
    Ok(Reported::done(None))
}
