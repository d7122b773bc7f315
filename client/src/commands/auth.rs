//! `mirrorctl auth`: how each backend signs in, and whether it lets us in.

use clap::Args;
use mirror_proto::v1::CheckAuthRequest;

use super::doctor;
use crate::context::{Context, Reported};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct AuthArgs {
    /// Only say whether each backend lets us in
    #[arg(long)]
    check: bool,
}

/// No kind of backend that there is keeps a sign-in of its own.
const NOTHING_TO_DO: &str =
    "\nNothing to sign in to: no backend here keeps a sign-in of its own.\n";

pub(crate) async fn run(args: &AuthArgs, context: &Context) -> Result<Reported, Failure> {
    let daemon = context.daemon().await?;
    let project = context.project_here(&daemon).await?;
    let response = daemon.doctor().check_auth(CheckAuthRequest { project }).await?;
    let findings = response.into_inner().findings;
    let reported = doctor::report(context, &findings, doctor::exit(&findings))?;
    if !args.check {
        context.output.say(|_| NOTHING_TO_DO.to_owned())?;
    }
    Ok(reported)
}
