//! `mirrorctl stash show`: one version on stdout, piece by piece.

use clap::Args;
use mirror_proto::v1::ReadStashRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{ContentPrinter, Reader, json};

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// As `stash list` names it; its beginning is enough
    id: String,
}

pub(crate) async fn run(args: &ShowArgs, context: &Context) -> Result<Reported, Failure> {
    let request = ReadStashRequest { project: Some(context.project()?), id: args.id.clone() };
    let daemon = context.daemon().await?;
    let mut pieces = daemon.stash().read_stash(request).await?.into_inner();
    let (mut id, mut whole) = (args.id.clone(), Vec::new());
    let mut printer = ContentPrinter::new();
    while let Some(piece) = pieces.message().await? {
        if context.output.is_json() {
            id = piece.id;
            whole.extend(piece.content);
        } else if printer.print(&piece.content)? == Reader::Gone {
            return Ok(Reported::done(None));
        }
    }
    printer.end()?;
    let told = context.output.is_json().then(|| json::stash::content(&id, &whole));
    Ok(Reported::done(told))
}
