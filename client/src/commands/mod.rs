//! One file a verb: arguments in, one request out, events back.
//!
//! Commands hold no decisions. If an `if` here depends on file state, it
//! belongs in the daemon.

pub(crate) mod auth;
pub(crate) mod clone;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod conflict;
pub(crate) mod daemon;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod log;
pub(crate) mod projects;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod quickstart;
pub(crate) mod reload;
pub(crate) mod remove;
pub(crate) mod restore;
pub(crate) mod settings;
pub(crate) mod stash;
pub(crate) mod status;
pub(crate) mod sync;

use crate::arguments::Command;
use crate::context::{Context, Reported};
use crate::failure::Failure;

pub(crate) async fn run(command: &Command, context: &Context) -> Result<Reported, Failure> {
    match command {
        Command::Quickstart(args) => quickstart::run(args, context).await,
        Command::Init(args) => init::run(args, context).await,
        Command::Clone(args) => clone::run(args, context).await,
        Command::Auth(args) => auth::run(args, context).await,
        Command::Projects => projects::run(context).await,
        Command::Remove(args) => remove::run(args, context).await,
        Command::Config(command) => config::run(command, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Push(args) => push::run(args, context).await,
        Command::Pull(args) => pull::run(args, context).await,
        Command::Sync(args) => sync::run(args, context).await,
        Command::Diff(args) => diff::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
        Command::Conflict(command) => conflict::run(command, context).await,
        Command::Log(args) => log::run(args, context).await,
        Command::History(args) => history::run(args, context).await,
        Command::Restore(args) => restore::run(args, context).await,
        Command::Stash(command) => stash::run(command, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
        Command::Reload => reload::run(context).await,
        Command::Daemon(command) => daemon::run(command, context).await,
        Command::Completion(args) => completion::run(args),
    }
}
