//! `mirrorctl status`: what differs, once or again and again.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use mirror_proto::v1::{ProjectRef, ShowStatusRequest, StatusReport};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::each_project::{self, Heading, Scope};
use crate::failure::Failure;
use crate::output::text::status::Detail;
use crate::output::{Reader, json, text};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct StatusArgs {
    /// One line a file, nothing else
    #[arg(long, short)]
    short: bool,

    /// Files in sync too, with sizes
    #[arg(long, short, conflicts_with = "short")]
    long: bool,

    /// What isn't mirrored though a pattern covers it, and why
    #[arg(long, conflicts_with_all = ["short", "long"])]
    skipped: bool,

    /// Don't ask the backend
    #[arg(long)]
    offline: bool,

    /// Look again every N seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    watch: Option<u32>,

    /// Every project on this machine
    #[arg(long, conflicts_with = "project")]
    all: bool,
}

impl StatusArgs {
    fn detail(&self) -> Detail {
        match (self.short, self.long, self.skipped) {
            (true, ..) => Detail::Short,
            (_, true, _) => Detail::Everything,
            (.., true) => Detail::Skipped,
            (false, false, false) => Detail::Changes,
        }
    }
}

pub(crate) async fn run(args: &StatusArgs, context: &Context) -> Result<Reported, Failure> {
    let Some(seconds) = args.watch else {
        return look(args, context).await;
    };
    loop {
        context.output.begin_round()?;
        if let Some(result) = look(args, context).await?.told
            && context.output.print_document(&result)? == Reader::Gone
        {
            return Ok(Reported::done(None));
        }
        tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    }
}

async fn look(args: &StatusArgs, context: &Context) -> Result<Reported, Failure> {
    let shape = || json::status::report(&StatusReport::default(), false);
    let show = async |daemon: &Daemon, project| show(args, daemon, project).await;
    let tell = |report| tell(args, context, &report);
    let heading = if args.short { Heading::Name } else { Heading::Absent };
    each_project::ask(context, Scope::of(args.all, heading), shape, show, tell).await
}

/// Says what a job has left in the queue, and why.
pub(crate) async fn say_queue(
    context: &Context,
    daemon: &Daemon,
    project: ProjectRef,
) -> Result<(), Failure> {
    if !context.output.is_chatty() {
        return Ok(());
    }
    let request =
        ShowStatusRequest { project: Some(project), offline: true, leave_out_in_sync: true };
    let report = daemon.status().show_status(request).await?.into_inner();
    context.output.say(|paint| text::status::queue(&report.queue, Timestamp::now(), paint))
}

async fn show(
    args: &StatusArgs,
    daemon: &Daemon,
    project: ProjectRef,
) -> Result<StatusReport, Failure> {
    let request = ShowStatusRequest {
        project: Some(project),
        offline: args.offline,
        leave_out_in_sync: !args.long,
    };
    Ok(daemon.status().show_status(request).await?.into_inner())
}

fn tell(args: &StatusArgs, context: &Context, report: &StatusReport) -> Result<Reported, Failure> {
    let told = context.output.tell(
        || json::status::report(report, args.long),
        |paint| text::status::report(report, args.detail(), Timestamp::now(), paint),
    )?;
    // What is listed for programs has no place for it.
    if let Some(fault) = report.fault.as_ref().filter(|_| args.short || args.skipped) {
        context.output.warn(args.all.then_some(&report.project), fault);
    }
    Ok(Reported::done(told))
}
