//! `mirrorctl completion`: a script for the shell.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::context::Reported;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    #[arg(value_parser = clap::builder::EnumValueParser::<Shell>::new())]
    shell: Shell,
}

/// The script for `typed`, all that can be typed. It is for the shell, and the same with `--json`.
pub(crate) fn run(args: &CompletionArgs, typed: &mut Command) -> Result<Reported, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, typed, "mirrorctl", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Reported::done(None))
}
