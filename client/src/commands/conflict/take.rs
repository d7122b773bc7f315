//! `mirrorctl conflict take`: one side's bytes are the result.

use clap::Args;
use mirror_proto::v1::Side;
use mirror_proto::v1::resolve_conflict_request::Resolution;

use super::decide::decide;
use crate::context::{Context, Reported};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct TakeArgs {
    /// The file that waits
    path: String,

    /// Whose version: `here` for this folder's, or the other side as `conflict list` names
    /// it (`there` always means it; `local` and `remote` are these two)
    side: String,

    /// Only if both sides are as they were shown with this token
    #[arg(long)]
    token: Option<String>,

    /// Write it here and leave the commit to the next push
    #[arg(long)]
    no_push: bool,
}

pub(crate) async fn run(args: &TakeArgs, context: &Context) -> Result<Reported, Failure> {
    let resolution = match args.side.as_str() {
        "here" | "local" => Resolution::Side(Side::Local.into()),
        "there" | "remote" => Resolution::Side(Side::Remote.into()),
        name => Resolution::NamedSide(name.to_owned()),
    };
    decide(context, &args.path, resolution, args.token.as_ref(), args.no_push).await
}
