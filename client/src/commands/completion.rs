//! `mirrorctl completion`: a script for the shell.

use clap::{Args, Command, ValueEnum};
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
    output::print(&script_for(args.shell, typed))?;
    Ok(Reported::done(None))
}

/// The script for the shell of this name; nothing where there is none.
pub(super) fn script(shell: &str, typed: &mut Command) -> String {
    let shell = Shell::from_str(shell, true);
    shell.map_or_else(|_| String::new(), |shell| script_for(shell, typed))
}

fn script_for(shell: Shell, typed: &mut Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, typed, "mirrorctl", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
