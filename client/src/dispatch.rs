//! Leads from what was typed to the command that does it.

use clap::CommandFactory;

use crate::arguments::{Cli, Command};
use crate::commands::{
    auth, cancel, clone, completion, config, conflict, daemon, delete, diff, doctor, held, history,
    inbox, init, install, log, mcp, memory, pause, projects, pull, push, queue, quickstart, reload,
    remove, restore, show, stash, status, sync, watch,
};
use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::hook;
use crate::prompt;

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
        Command::Cancel(args) => cancel::run(args, context).await,
        Command::Pause(args) => pause::pause(args, context).await,
        Command::Resume(args) => pause::resume(args, context).await,
        Command::Diff(args) => diff::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
        Command::Conflict(command) => conflict::run(command, context).await,
        Command::Held(command) => held::run(command, context).await,
        Command::Memory(command) => memory::run(command, context).await,
        Command::Log(args) => log::run(args, context).await,
        Command::Hook(args) => {
            Ok(Reported { exit: hook::run(args, &context.socket).await, told: None })
        }
        Command::Prompt(args) => {
            Ok(Reported { exit: prompt::run(args, context).await?, told: None })
        }
        Command::Watch(args) => watch::run(args, context).await,
        Command::WatchAll(args) => watch::run_all(args, context).await,
        Command::Inbox(args) => inbox::run(args, context).await,
        Command::History(args) => history::run(args, context).await,
        Command::Show(args) => show::run(args, context).await,
        Command::Restore(args) => restore::run(args, context).await,
        Command::Queue(command) => queue::run(command, context).await,
        Command::Stash(command) => stash::run(command, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
        Command::Reload => reload::run(context).await,
        Command::Daemon(command) => daemon::run(command, context).await,
        Command::Install(args) => install::install(args, context, &Cli::command()).await,
        Command::Uninstall(args) => install::uninstall(args, context, &Cli::command()).await,
        Command::Mcp => mcp::run(context),
        Command::Completion(args) => completion::run(args, &mut Cli::command()),
    }
}
