//! `mirrorctl show`: one version of a file on stdout, piece by piece.

use clap::Args;
use mirror_proto::v1::ReadVersionRequest;

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{self, Reader, json};
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
    while let Some(piece) = pieces.message().await? {
        if context.output.is_json() {
            version = piece.version;
            whole.extend(piece.content);
        } else if output::print_bytes(&piece.content)? == Reader::Gone {
            break;
        }
    }
    let version = version.unwrap_or_default();
    let told = context.output.is_json().then(|| json::history::content(&version, &whole));
    Ok(Reported::done(told))
}
