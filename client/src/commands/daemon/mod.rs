//! `mirrorctl daemon`: the daemon itself.

pub(super) mod enable;
mod logs;
mod tail;

use clap::Subcommand;
use jiff::Timestamp;
use mirror_proto::v1::{DescribeDaemonRequest, FaultClass};

use crate::connect;
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Start the daemon unless it runs
    Start,
    /// Cancel what runs, then stop the daemon
    Stop,
    /// Stop the daemon and start it anew
    Restart,
    /// Have the daemon start with the login, as a service
    Enable(enable::EnableArgs),
    /// Take back what `enable` did
    Disable,
    /// Show the daemon and what it does; starts none
    Status,
    /// Show the end of the daemon's log
    Logs(logs::LogsArgs),
}

impl DaemonCommand {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Start => "daemon start",
            Self::Stop => "daemon stop",
            Self::Restart => "daemon restart",
            Self::Enable(_) => "daemon enable",
            Self::Disable => "daemon disable",
            Self::Status => "daemon status",
            Self::Logs(_) => "daemon logs",
        }
    }
}

pub(crate) async fn run(command: &DaemonCommand, context: &Context) -> Result<Reported, Failure> {
    match command {
        DaemonCommand::Start => start(context).await,
        DaemonCommand::Stop => stop(context).await,
        DaemonCommand::Restart => enable::restart(context).await,
        DaemonCommand::Enable(args) => enable::enable(args, context).await,
        DaemonCommand::Disable => enable::disable(context),
        DaemonCommand::Status => status(context).await,
        DaemonCommand::Logs(args) => logs::run(args, context).await,
    }
}

async fn start(context: &Context) -> Result<Reported, Failure> {
    let handshake = context.daemon().await?.handshake;
    let told = context.output.confirm(json::done, |_| {
        format!("mirrord {} is running, pid {}\n", handshake.version, handshake.pid)
    })?;
    Ok(Reported::done(told))
}

async fn stop(context: &Context) -> Result<Reported, Failure> {
    let said = match connect::stop(&context.socket).await? {
        true => "mirrord has stopped\n",
        false => "mirrord was not running\n",
    };
    let told = context.output.confirm(json::done, |_| said.to_owned())?;
    Ok(Reported::done(told))
}

async fn status(context: &Context) -> Result<Reported, Failure> {
    let Some(daemon) = context.running_daemon().await? else {
        return Err(Failure::no_daemon(FaultClass::NotFound, "no daemon is running")
            .with_hint("`mirrorctl daemon start` starts it, and so does any other command"));
    };
    let description = daemon.daemon().describe_daemon(DescribeDaemonRequest {}).await?.into_inner();
    let told = context.output.tell(
        || json::daemon::description(&description),
        |paint| text::daemon::description(&description, Timestamp::now(), paint),
    )?;
    Ok(Reported::done(told))
}
