//! `mirrorctl conflict take`: one side's bytes are the result.

use clap::{Args, ValueEnum};
use mirror_proto::v1::Side;
use mirror_proto::v1::resolve_conflict_request::Resolution;

use super::decide::decide;
use crate::context::{Context, Reported};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct TakeArgs {
    /// The file that waits
    path: String,

    /// Whose version
    #[arg(value_enum)]
    side: Taken,

    /// Only if both sides are as they were shown with this token
    #[arg(long)]
    token: Option<String>,

    /// Write it here and leave the commit to the next push
    #[arg(long)]
    no_push: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Taken {
    /// This machine's
    Local,
    /// The one at the head
    Remote,
}

pub(crate) async fn run(args: &TakeArgs, context: &Context) -> Result<Reported, Failure> {
    let side = match args.side {
        Taken::Local => Side::Local,
        Taken::Remote => Side::Remote,
    };
    let resolution = Resolution::Side(side.into());
    decide(context, &args.path, resolution, args.token.as_ref(), args.no_push).await
}
