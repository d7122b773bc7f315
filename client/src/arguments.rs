//! What can be typed. Each command's own arguments stand beside the command.

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

use crate::commands;
use crate::commands::config::ConfigCommand;
use crate::commands::conflict::ConflictCommand;
use crate::commands::daemon::DaemonCommand;
use crate::commands::held::HeldCommand;
use crate::commands::memory::MemoryCommand;
use crate::commands::queue::QueueCommand;
use crate::commands::stash::StashCommand;
use crate::hook::HookArgs;
use crate::output::paint::ColorChoice;
use crate::prompt::PromptArgs;

/// Keeps the files of a project the same on several machines
#[derive(Debug, Parser)]
#[command(name = "mirrorctl", version, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) general: GeneralArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "General options")]
pub(crate) struct GeneralArgs {
    /// The project, by name or by a folder inside it [default: the current folder's]
    #[arg(long, global = true, value_name = "NAME|DIR")]
    pub(crate) project: Option<String>,

    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print only what was asked for and what went wrong
    #[arg(long, global = true)]
    pub(crate) quiet: bool,

    /// When to colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    pub(crate) color: ColorChoice,

    /// Speak to the daemon at this socket, and start none
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,

    /// Say which daemon answers
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: a project on this machine alone, no account needed
    Quickstart(commands::quickstart::QuickstartArgs),
    /// Make a project of a folder, or join the one that the backend holds
    Init(commands::init::InitArgs),
    /// Make a folder from the project that a backend holds
    Clone(commands::clone::CloneArgs),
    /// Say how each backend signs in, and whether it lets us in
    Auth(commands::auth::AuthArgs),
    /// List the projects on this machine
    Projects,
    /// Stop mirroring a project; its files and its backend stay
    Remove(commands::remove::RemoveArgs),
    /// Show, change and check settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Show what differs between here and the backend
    Status(commands::status::StatusArgs),
    /// Commit what changed here
    Push(commands::push::PushArgs),
    /// Fetch what changed elsewhere
    Pull(commands::pull::PullArgs),
    /// Fetch and commit in one go
    Sync(commands::sync::SyncArgs),
    /// End what runs; the same command goes on from there
    Cancel(commands::cancel::CancelArgs),
    /// Do nothing by itself until `resume`; what you ask for is done all the same
    Pause(commands::pause::PauseArgs),
    /// Go on by itself after `pause`
    Resume(commands::pause::PauseArgs),
    /// Show the lines that differ
    Diff(commands::diff::DiffArgs),
    /// Delete files here and for everyone, in one commit
    Delete(commands::delete::DeleteArgs),
    /// Show and settle what changed on both sides and did not merge
    #[command(subcommand)]
    Conflict(ConflictCommand),
    /// Show and decide about changes of others that an agent here may run
    #[command(subcommand)]
    Held(HeldCommand),
    /// Share what an agent remembers of a folder, on whichever path it lies
    #[command(subcommand)]
    Memory(MemoryCommand),
    /// Show who changed what, newest first
    Log(commands::log::LogArgs),
    /// Show what others did since you last looked
    Inbox(commands::inbox::InboxArgs),
    /// Tell the session of an agent what others did: for its settings, not for people
    Hook(HookArgs),
    /// Show what happens in this project, as it happens
    Watch(commands::watch::WatchArgs),
    /// The same of every project on this machine
    WatchAll(commands::watch::WatchArgs),
    /// Print in a few letters how much differs, for the prompt of a shell
    Prompt(PromptArgs),
    /// List every version of one file: committed, merged, set aside
    History(commands::history::HistoryArgs),
    /// Print one version of a file, byte for byte
    Show(commands::show::ShowArgs),
    /// Bring earlier versions back
    Restore(commands::restore::RestoreArgs),
    /// Show and give up pushes that wait for the backend
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Show, bring back and drop local versions that were set aside
    #[command(subcommand)]
    Stash(StashCommand),
    /// Find out what does not work, and what to do about it
    Doctor(commands::doctor::DoctorArgs),
    /// Make the daemon read its configuration again
    Reload,
    /// Start, stop and look at the daemon
    #[command(subcommand)]
    Daemon(DaemonCommand),
    /// Set up what mirrord has to do with other programs: service, hooks, skill, shell
    Install(commands::install::InstallArgs),
    /// Take back what `install` did
    Uninstall(commands::install::InstallArgs),
    /// Serve an agent's tools by the Model Context Protocol, on stdin and stdout
    Mcp,
    /// Print the completion script of a shell
    Completion(commands::completion::CompletionArgs),
}

impl Command {
    /// The command as typed, its words joined by a space.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Quickstart(_) => "quickstart",
            Self::Init(_) => "init",
            Self::Clone(_) => "clone",
            Self::Auth(_) => "auth",
            Self::Projects => "projects",
            Self::Remove(_) => "remove",
            Self::Config(command) => command.name(),
            Self::Status(_) => "status",
            Self::Push(_) => "push",
            Self::Pull(_) => "pull",
            Self::Sync(_) => "sync",
            Self::Cancel(_) => "cancel",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Diff(_) => "diff",
            Self::Delete(_) => "delete",
            Self::Conflict(command) => command.name(),
            Self::Held(command) => command.name(),
            Self::Memory(command) => command.name(),
            Self::Log(_) => "log",
            Self::Inbox(_) => "inbox",
            Self::Hook(_) => "hook",
            Self::Watch(_) => "watch",
            Self::WatchAll(_) => "watch-all",
            Self::Prompt(_) => "prompt",
            Self::History(_) => "history",
            Self::Show(_) => "show",
            Self::Restore(_) => "restore",
            Self::Queue(command) => command.name(),
            Self::Stash(command) => command.name(),
            Self::Doctor(_) => "doctor",
            Self::Reload => "reload",
            Self::Daemon(command) => command.name(),
            Self::Install(_) => "install",
            Self::Uninstall(_) => "uninstall",
            Self::Mcp => "mcp",
            Self::Completion(_) => "completion",
        }
    }
}

/// The command that somebody tried to type, as far as it can be told.
pub(crate) fn attempted(words: &[String]) -> Option<String> {
    let mut command = Cli::command();
    let mut names = Vec::new();
    for word in words {
        if let Some(found) = command.find_subcommand(word) {
            names.push(word.as_str());
            command = found.clone();
        }
    }
    (!names.is_empty()).then(|| names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn name_is_the_command_as_typed() {
        for (line, rest) in [
            ("status", ""),
            ("config set", " key value"),
            ("daemon logs", ""),
            ("quickstart", ""),
            ("reload", ""),
            ("cancel", " --all"),
            ("pause", ""),
            ("resume", " --all"),
            ("conflict list", ""),
            ("conflict take", " a.md local"),
            ("conflict apply", " a.md --merged-stdin"),
            ("held list", ""),
            ("held show", " a.md"),
            ("held accept", " --all"),
            ("held reject", " a.md --for-everyone"),
            ("memory list", ""),
            ("memory map", " . notes --folder /m"),
            ("memory unmap", " notes"),
            ("history", " a.md"),
            ("inbox", " --peek"),
            ("hook", " stop"),
            ("prompt", " --format ascii"),
            ("watch", " --once --reader cron"),
            ("watch-all", " --format line"),
            ("restore", " --from #3"),
            ("stash show", " 01J"),
            ("stash drop", " 01J 01K --yes"),
            ("queue list", ""),
            ("queue drop", " 01J"),
            ("remove", " notes --discard"),
            ("show", " a.md@12"),
            ("auth", " --check"),
            ("doctor", " --backend primary"),
            ("install", " --only hooks skill --yes"),
            ("uninstall", " --only service,mcp --dry-run"),
            ("init", " --wizard"),
            ("clone", " --wizard"),
        ] {
            let typed = words(&format!("mirrorctl --json {line}{rest}"));
            let cli = Cli::try_parse_from(&typed).expect("valid");
            assert_eq!(cli.command.name(), line);
            assert_eq!(attempted(&typed).as_deref(), Some(line));
        }
    }

    #[test]
    fn command_that_is_none_has_no_name() {
        assert_eq!(attempted(&words("--json mistyped")), None);
    }

    #[test]
    fn general_options_may_stand_anywhere() {
        let cli = Cli::try_parse_from(words("mirrorctl push a.md --json --project notes"));
        assert!(cli.expect("valid").general.json);
    }
}
