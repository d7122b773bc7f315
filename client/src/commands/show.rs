//! `mirrorctl show`: one version of a file on stdout, piece by piece.

use clap::Args;
use mirror_proto::v1::ReadVersionRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{ContentPrinter, Reader, json};
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The file, and after an `@` which version: 42, #42, latest, or 8 digits or more of
    /// its SHA-256, as `history` prints them [default: latest]
    #[arg(value_name = "PATH[@VERSION]")]
    target: String,
}

pub(crate) async fn run(args: &ShowArgs, context: &Context) -> Result<Reported, Failure> {
    let request = ReadVersionRequest {
        project: Some(context.project()?),
        target: args.target.clone(),
        folder: paths::current()?,
    };
    let daemon = context.daemon().await?;
    let mut pieces = daemon.versions().read_version(request).await?.into_inner();
    let (mut version, mut whole) = (None, Vec::new());
    let mut printer = ContentPrinter::new();
    while let Some(piece) = pieces.message().await? {
        if context.output.is_json() {
            version = piece.version;
            whole.extend(piece.content);
        } else if printer.print(&piece.content)? == Reader::Gone {
            return Ok(Reported::done(None));
        }
    }
    printer.end()?;
    let version = version.unwrap_or_default();
    let told = context.output.is_json().then(|| json::history::content(&version, &whole));
    Ok(Reported::done(told))
}
