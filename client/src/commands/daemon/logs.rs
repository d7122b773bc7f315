//! `mirrorctl daemon logs`: what the daemon wrote down, also after its end.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use mirror_proto::v1::{DescribeDaemonRequest, FaultClass};
use serde_json::json;

use super::tail::{Tail, last_lines};
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::Reader;
use crate::output::escape::escape_content;
use crate::paths;

const FILE_NAME: &str = "mirrord.log";

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

/// Where the running daemon says, else where one would write.
async fn log_file(context: &Context) -> Result<PathBuf, Failure> {
    if let Some(daemon) = context.running_daemon().await? {
        let response = daemon.daemon().describe_daemon(DescribeDaemonRequest {}).await?;
        return Ok(PathBuf::from(response.into_inner().log_file));
    }
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    usual_file(set("MIRRORD_HOME"), set("XDG_STATE_HOME"), env::home_dir())
        .ok_or_else(|| Failure::usage("there is no home folder to look for the log in"))
}

fn usual_file(
    mirrord_home: Option<OsString>,
    state_home: Option<OsString>,
    home: Option<PathBuf>,
) -> Option<PathBuf> {
    let state = match (mirrord_home, state_home.map(PathBuf::from), home) {
        (Some(mirrord_home), _, _) => PathBuf::from(mirrord_home).join("state"),
        (None, Some(state), _) if state.is_absolute() => state.join("mirrord"),
        (None, _, Some(home)) => home.join(".local/state/mirrord"),
        (None, _, None) => return None,
    };
    Some(state.join(FILE_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mirrord_home: Option<&str>, state_home: Option<&str>, expected: &str) {
        let found = usual_file(
            mirrord_home.map(OsString::from),
            state_home.map(OsString::from),
            Some(PathBuf::from("/home/u")),
        );
        assert_eq!(found, Some(PathBuf::from(expected)));
    }

    #[test]
    fn log_lies_in_the_state_folder() {
        check(Some("/h"), Some("/s"), "/h/state/mirrord.log");
        check(None, Some("/s"), "/s/mirrord/mirrord.log");
        check(None, None, "/home/u/.local/state/mirrord/mirrord.log");
        check(None, Some("relative"), "/home/u/.local/state/mirrord/mirrord.log");
    }
}
