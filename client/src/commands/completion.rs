//! `mirrorctl completion`: a script for the shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Cli;
use crate::context::Reported;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    #[arg(value_parser = clap::builder::EnumValueParser::<Shell>::new())]
    shell: Shell,
}

/// A script is for the shell, so it is the same with `--json`.
pub(crate) fn run(args: &CompletionArgs) -> Result<Reported, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mirrorctl", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Reported::done(None))
}
