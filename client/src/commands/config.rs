//! `mirrorctl config`: settings of a project or of the daemon.

use clap::{Args, Subcommand};
use mirror_proto::v1::{
    CheckConfigRequest, FindingLevel, ListSettingsRequest, ProjectRef, SetSettingRequest,
};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting, its value, and where it comes from
    Show(ShowArgs),
    /// Change one setting
    Set(SetArgs),
    /// Look for mistakes in all configuration files
    Check,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The daemon's own settings, even inside a project
    #[arg(long, conflicts_with = "project")]
    daemon: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    key: String,

    /// As written in TOML; a bare word is a string
    #[arg(allow_hyphen_values = true)]
    value: String,

    /// Change it for every machine, by a commit
    #[arg(long)]
    shared: bool,

    /// A setting of the daemon, even inside a project
    #[arg(long, conflicts_with_all = ["project", "shared"])]
    daemon: bool,
}

impl ConfigCommand {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Show(_) => "config show",
            Self::Set(_) => "config set",
            Self::Check => "config check",
        }
    }
}

pub(crate) async fn run(command: &ConfigCommand, context: &Context) -> Result<Reported, Failure> {
    let daemon = context.daemon().await?;
    match command {
        ConfigCommand::Show(args) => show(args, context, &daemon).await,
        ConfigCommand::Set(args) => set(args, context, &daemon).await,
        ConfigCommand::Check => check(context, &daemon).await,
    }
}

async fn show(args: &ShowArgs, context: &Context, daemon: &Daemon) -> Result<Reported, Failure> {
    let request = ListSettingsRequest { project: owner(args.daemon, context, daemon).await? };
    let response = daemon.config().list_settings(request).await?.into_inner();
    let told = context.output.tell(
        || json::config::settings(&response.settings),
        |paint| text::config::settings(&response.settings, paint),
    )?;
    Ok(Reported::done(told))
}

async fn set(args: &SetArgs, context: &Context, daemon: &Daemon) -> Result<Reported, Failure> {
    let request = SetSettingRequest {
        project: owner(args.daemon, context, daemon).await?,
        key: args.key.clone(),
        value: args.value.clone(),
        shared: args.shared,
    };
    let response = daemon.config().set_setting(request).await?.into_inner();
    let changed: Vec<_> = response.setting.into_iter().collect();
    let told = context.output.confirm(
        || json::config::settings(&changed),
        |paint| text::config::settings(&changed, paint),
    )?;
    Ok(Reported::done(told))
}

async fn check(context: &Context, daemon: &Daemon) -> Result<Reported, Failure> {
    let response = daemon.config().check_config(CheckConfigRequest {}).await?.into_inner();
    let has_failed = response.findings.iter().any(|found| found.level() == FindingLevel::Fail);
    let told = context.output.tell(
        || json::findings::report(&response.findings),
        |paint| text::findings::report(&response.findings, paint),
    )?;
    Ok(Reported { exit: if has_failed { Exit::Failed } else { Exit::Done }, told })
}

/// Whose settings are meant: the project's that is named or around this
/// folder, else (`None`) the daemon's.
async fn owner(
    daemons: bool,
    context: &Context,
    daemon: &Daemon,
) -> Result<Option<ProjectRef>, Failure> {
    if daemons { Ok(None) } else { context.project_here(daemon).await }
}
