//! `mirrorctl sync`: pull and push in one job.

use clap::{Args, ValueEnum};
use mirror_proto::v1::{JobFinished, JobScope, ProjectRef, Strategy, SyncRequest};

use super::status;
use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::each_project::{self, Heading, Scope};
use crate::failure::Failure;
use crate::follow::{self, MayAsk};
use crate::output::json;
use crate::paths;
use crate::resolve;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct SyncArgs {
    /// Only these files, folders or globs
    #[arg(value_name = "FILES", conflicts_with = "all")]
    paths: Vec<String>,

    /// What becomes of files that changed on both sides and don't merge
    #[arg(long, value_enum, value_name = "STRATEGY")]
    strategy: Option<Typed>,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Ask nothing, even at a terminal
    #[arg(long)]
    no_prompt: bool,

    /// Consent to deleting many files
    #[arg(long)]
    allow_deletes: bool,

    /// Every project on this machine
    #[arg(long, conflicts_with = "project")]
    all: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Typed {
    /// This folder's version is the result
    KeepLocal,
    /// The other side's is: the head's, or what was written on the backend
    KeepRemote,
    /// They wait
    Merge,
}

impl SyncArgs {
    fn strategy(&self) -> Strategy {
        match self.strategy {
            None => Strategy::Unspecified,
            Some(Typed::KeepLocal) => Strategy::KeepLocal,
            Some(Typed::KeepRemote) => Strategy::KeepRemote,
            Some(Typed::Merge) => Strategy::Merge,
        }
    }

    /// Whether a person may be asked about each file that doesn't merge; with
    /// `--all`, one project's questions would hold up the others.
    fn may_ask(&self) -> bool {
        self.strategy.is_none() && !self.no_prompt && !self.dry_run && !self.all
    }
}

pub(crate) async fn run(args: &SyncArgs, context: &Context) -> Result<Reported, Failure> {
    let shape = || json::job::finished(&JobFinished::default());
    let one = async |daemon: &Daemon, project| sync(args, context, daemon, project).await;
    each_project::run(context, Scope::of(args.all, Heading::Name), shape, one).await
}

async fn sync(
    args: &SyncArgs,
    context: &Context,
    daemon: &Daemon,
    project: ProjectRef,
) -> Result<Reported, Failure> {
    let scope = JobScope {
        project: Some(project.clone()),
        paths: args.paths.clone(),
        folder: paths::current()?,
        dry_run: args.dry_run,
        allow_deletes: args.allow_deletes,
    };
    let strategy = args.strategy().into();
    let may_ask = if args.no_prompt { MayAsk::No } else { MayAsk::Yes };
    let finished = follow::with_consent(context, daemon, scope, may_ask, async |scope| {
        daemon.sync().sync(SyncRequest { scope, message: String::new(), strategy }).await
    });
    let finished = finished.await?;
    match &context.terminal {
        Some(terminal)
            if args.may_ask() && !finished.conflicts.is_empty() && !finished.cancelled =>
        {
            resolve::ask_about(context, terminal, daemon, project, &finished).await
        }
        _ => {
            let reported = follow::report(context, &finished, true)?;
            if finished.queued {
                status::say_queue(context, daemon, project).await?;
            }
            Ok(reported)
        }
    }
}
