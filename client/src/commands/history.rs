//! `mirrorctl history`: every version that one file has had, wherever it is kept.

use clap::Args;
use mirror_proto::v1::ListVersionsRequest;

use crate::context::{Context, Reported};
use crate::dates;
use crate::failure::Failure;
use crate::output::{json, text};
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The file, even one that is deleted by now
    path: String,

    /// From this date: 2026-04-15, 30d, 2w, 3m, 1y, yesterday, or RFC 3339
    #[arg(long, value_name = "DATE")]
    since: Option<String>,

    /// Up to this date, its whole day included
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
}

pub(crate) async fn run(args: &HistoryArgs, context: &Context) -> Result<Reported, Failure> {
    let (since, until) = dates::bounds(args.since.as_deref(), args.until.as_deref())?;
    let request = ListVersionsRequest {
        project: Some(context.project()?),
        path: args.path.clone(),
        folder: paths::current()?,
        since,
        until,
    };
    let daemon = context.daemon().await?;
    let listed = daemon.versions().list_versions(request).await?.into_inner();
    let told = context.output.tell(
        || json::history::versions(&listed),
        |paint| text::history::versions(&listed, paint),
    )?;
    if let Some(fault) = &listed.fault {
        context.output.warn(None, fault);
    }
    Ok(Reported::done(told))
}
