//! `mirrorctl clone`: a folder from the project that a backend holds.

use clap::Args;
use mirror_proto::v1::{CloneProjectRequest, Setting};

use super::init;
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::follow;
use crate::paths;
use crate::settings;
use crate::wizard;

#[derive(Debug, Args)]
pub(crate) struct CloneArgs {
    /// Where the history is kept: a folder, or the URL of a service; `--wizard` asks for it
    #[arg(required_unless_present = "wizard")]
    url: Option<String>,

    /// The folder to make; may be there if it is empty
    #[arg(value_name = "DIR", required_unless_present = "wizard")]
    folder: Option<String>,

    /// Ask for everything, and try the backend before anything is made
    #[arg(long)]
    wizard: bool,

    /// The project's name on this machine [default: its own]
    #[arg(long)]
    name: Option<String>,

    /// Set a key of the backend; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = settings::parse)]
    settings: Vec<Setting>,

    /// Mirror only these files on this machine; may be repeated
    #[arg(long = "pattern", value_name = "GLOB")]
    patterns: Vec<String>,

    /// Fetch no files yet
    #[arg(long)]
    no_pull: bool,
}

pub(crate) async fn run(args: &CloneArgs, context: &Context) -> Result<Reported, Failure> {
    let folder = args.folder.as_deref().map(paths::absolute).transpose()?;
    let typed = CloneProjectRequest {
        url: args.url.clone().unwrap_or_default(),
        folder: folder.unwrap_or_default(),
        name: args.name.clone(),
        patterns: args.patterns.clone(),
        settings: args.settings.clone(),
        no_pull: args.no_pull,
        typed_in: paths::current()?,
    };
    let terminal = args.wizard.then(|| wizard::terminal(context)).transpose()?;
    let daemon = context.daemon().await?;
    let request = match terminal {
        Some(terminal) => wizard::clone(context, terminal, &daemon, typed).await?,
        None => typed,
    };
    let events = daemon.project().clone_project(request).await?.into_inner();
    init::report(context, &follow::to_end(context, &daemon, events).await?)
}
