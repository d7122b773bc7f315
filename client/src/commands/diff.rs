//! `mirrorctl diff`: the lines that differ, by default from the head to here.

use clap::Args;
use mirror_proto::v1::ShowDiffRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Only these files, folders or globs
    #[arg(value_name = "PATH")]
    paths: Vec<String>,

    /// From this commit, or from a version of one file by 8 digits or more of its SHA-256
    /// [default: latest]
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,

    /// To this one [default: the folder as it is]
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,

    /// Equal lines to show around each change
    #[arg(long, value_name = "N", default_value_t = 3)]
    context: u32,
}

pub(crate) async fn run(args: &DiffArgs, context: &Context) -> Result<Reported, Failure> {
    let request = ShowDiffRequest {
        project: Some(context.project()?),
        paths: args.paths.clone(),
        context_line_count: args.context,
        folder: paths::current()?,
        from: args.from.clone(),
        to: args.to.clone(),
    };
    let daemon = context.daemon().await?;
    let report = daemon.status().show_diff(request).await?.into_inner();
    let told = context
        .output
        .tell(|| json::status::diff(&report), |paint| text::diff::report(&report, paint))?;
    Ok(Reported::done(told))
}
