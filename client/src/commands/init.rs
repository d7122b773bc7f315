//! `mirrorctl init`: a folder becomes a project, new or joined.

use clap::Args;
use mirror_proto::v1::{FaultClass, InitProjectRequest, SetUpFinished, Setting};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow;
use crate::output::escape::escape;
use crate::output::{json, text};
use crate::paths;
use crate::settings;
use crate::wizard;

/// The preset that is for one folder.
const CLAUDE_HOME: &str = "claude-home";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct InitArgs {
    /// The folder of the project [default: the current one; with `--preset claude-home`
    /// the folder of Claude Code]
    #[arg(value_name = "DIR")]
    folder: Option<String>,

    /// Where the history is kept: a folder, or the URL of a service; `--wizard` asks for it
    #[arg(long, value_name = "URL", required_unless_present = "wizard")]
    to: Option<String>,

    /// Join the project that the backend holds, without being asked
    #[arg(long)]
    join: bool,

    /// Join it even if its newest commits delete many of the files here
    #[arg(long)]
    allow_deletes: bool,

    /// Ask for everything, and try the backend before anything is made
    #[arg(long)]
    wizard: bool,

    /// The project's name [default: the folder's]
    #[arg(long)]
    name: Option<String>,

    /// Begin with the settings for claude-home, agents-md, notes or everything
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,

    /// Take these parts of the preset, too: skills, commands, agents, plans
    #[arg(long = "with", value_name = "PARTS", value_delimiter = ',')]
    parts: Vec<String>,

    /// Mirror files that match, `**/*.md` unless given; may be repeated
    #[arg(long = "pattern", value_name = "GLOB")]
    patterns: Vec<String>,

    /// Leave out files that match, besides folders that programs make; may be repeated
    #[arg(long = "exclude", value_name = "GLOB")]
    excludes: Vec<String>,

    /// Leave out what `.gitignore` files ignore, on every machine
    #[arg(long)]
    gitignore: bool,

    /// Set a key of the backend; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = settings::parse)]
    settings: Vec<Setting>,
}

impl InitArgs {
    fn folder(&self) -> Result<String, Failure> {
        match (&self.folder, self.preset.as_deref()) {
            (Some(folder), _) => Ok(folder.clone()),
            (None, Some(CLAUDE_HOME)) => paths::claude_home(),
            (None, _) => Ok(".".to_owned()),
        }
    }
}

pub(crate) async fn run(args: &InitArgs, context: &Context) -> Result<Reported, Failure> {
    let typed = InitProjectRequest {
        folder: paths::absolute(&args.folder()?)?,
        url: args.to.clone().unwrap_or_default(),
        name: args.name.clone(),
        patterns: args.patterns.clone(),
        excludes: args.excludes.clone(),
        gitignore: args.gitignore,
        preset: args.preset.clone().unwrap_or_default(),
        preset_parts: args.parts.clone(),
        settings: args.settings.clone(),
        typed_in: paths::current()?,
        join: args.join,
        allow_deletes: args.allow_deletes,
    };
    let terminal = args.wizard.then(|| wizard::terminal(context)).transpose()?;
    let daemon = context.daemon().await?;
    let mut request = match terminal {
        Some(terminal) => wizard::init(context, terminal, &daemon, typed).await?,
        None => typed,
    };
    loop {
        match attempt(context, &daemon, &request).await {
            Err(failure) if failure.wants_consent() => {
                request = agreed_to(context, failure, request).await?;
            }
            project => return report(context, &project?),
        }
    }
}

/// The same request with what a person agrees to: to join, or to what that deletes here.
async fn agreed_to(
    context: &Context,
    failure: Failure,
    request: InitProjectRequest,
) -> Result<InitProjectRequest, Failure> {
    let is_of_deletions = failure.fault.deletions.is_some();
    let was_agreed = if is_of_deletions { request.allow_deletes } else { request.join };
    let Some(terminal) = context.terminal.as_ref().filter(|_| !was_agreed) else {
        return Err(failure);
    };
    let question = match is_of_deletions {
        true => "Go on?".to_owned(),
        false => format!("Join it with {}?", escape(&request.folder)),
    };
    if !follow::agrees(terminal, &failure, &question).await? {
        return Err(Failure::new(FaultClass::Consent, "not joined; nothing was made"));
    }
    let allow_deletes = request.allow_deletes || is_of_deletions;
    Ok(InitProjectRequest { join: true, allow_deletes, ..request })
}

async fn attempt(
    context: &Context,
    daemon: &Daemon,
    request: &InitProjectRequest,
) -> Result<SetUpFinished, Failure> {
    let events = daemon.project().init_project(request.clone()).await?.into_inner();
    follow::to_end(context, daemon, events).await
}

/// Prints what was set up; `clone` says the same.
pub(super) fn report(context: &Context, project: &SetUpFinished) -> Result<Reported, Failure> {
    let is_quiet = !context.output.is_chatty();
    let told = context.output.tell(
        || json::project::set_up(project),
        |paint| text::project::set_up(project, is_quiet, paint),
    )?;
    let exit = match project.cancelled {
        true => Exit::Interrupted,
        false => follow::exit_of(&project.conflicts, &project.failed),
    };
    Ok(Reported { exit, told })
}
