//! `mirrorctl daemon logs`: what the daemon wrote down, also after its end.

use std::path::PathBuf;

use clap::Args;
use mirror_proto::folders::Folders;
use mirror_proto::v1::{DescribeDaemonRequest, FaultClass};
use serde_json::json;

use super::tail::{Tail, last_lines};
use crate::connect::Socket;
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::Reader;
use crate::output::escape::escape_content;
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Go on with new lines as they come
    #[arg(long, short)]
    follow: bool,

    /// How many lines of the past
    #[arg(long, value_name = "N", default_value_t = 50)]
    lines: usize,
}

pub(crate) async fn run(args: &LogsArgs, context: &Context) -> Result<Reported, Failure> {
    let path = log_file(context).await?;
    let (lines, end) = last_lines(&path, args.lines).map_err(|error| {
        let message = format!("{} can't be read: {error}", paths::shown(&path));
        Failure::new(FaultClass::NotFound, message).with_hint("it is there once a daemon has run")
    })?;
    if args.follow {
        return follow(context, lines, Tail::new(path, end)).await;
    }
    let told = context.output.tell(
        || json!({"log_file": path.to_string_lossy(), "lines": lines}),
        |_| lines.iter().map(|line| escape_content(line) + "\n").collect(),
    )?;
    Ok(Reported::done(told))
}

async fn follow(
    context: &Context,
    mut lines: Vec<String>,
    mut tail: Tail,
) -> Result<Reported, Failure> {
    loop {
        for line in lines {
            let reader = context
                .output
                .print_next(|| json!({"line": line}), |_| escape_content(&line) + "\n")?;
            if reader == Reader::Gone {
                return Ok(Reported::done(None));
            }
        }
        lines = tail.next().await?;
    }
}

/// Where this login's daemon writes, be it running or not; else where one at the
/// named socket says.
async fn log_file(context: &Context) -> Result<PathBuf, Failure> {
    let folders = match &context.socket {
        Socket::Usual(folders) => folders.clone(),
        Socket::Named(_) => match context.running_daemon().await? {
            Some(daemon) => {
                let response = daemon.daemon().describe_daemon(DescribeDaemonRequest {}).await?;
                return Ok(PathBuf::from(response.into_inner().log_file));
            }
            None => Folders::from_environment()?,
        },
    };
    Ok(folders.log_file())
}
