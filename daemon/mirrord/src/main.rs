//! `mirrord`: connects the engine to this machine.
//!
//! Socket, settings, the list of projects and the log live here. No decision
//! about a file does: those are the engine's.

mod arguments;
mod backends;
mod config;
mod doctor;
mod error;
mod facts;
mod finding;
mod folders;
mod logging;
mod machine;
mod path_args;
mod private_file;
mod process;
mod projects;
mod run;
mod server;
mod services;
mod spelling;
mod symlinks;
#[cfg(test)]
mod testing;
mod watch;
mod wire;
mod wizard;

use std::error::Error;
use std::process::ExitCode;

use arguments::Wanted;
use facts::VERSION;

fn main() -> ExitCode {
    match arguments::read(std::env::args().skip(1)) {
        Ok(Wanted::Serve { on_demand }) => match run::run(on_demand) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error, error.hint());
                ExitCode::from(error.exit_code())
            }
        },
        Ok(Wanted::Version) => {
            println!("mirrord {VERSION}");
            ExitCode::SUCCESS
        }
        Ok(Wanted::Help) => {
            print!("{}", arguments::HELP);
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("mirrord: {wrong}");
            ExitCode::from(2)
        }
    }
}

/// One line for what happened, one for what to do.
fn complain(error: &dyn Error, hint: Option<String>) {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    eprintln!("mirrord: {message}");
    if let Some(hint) = hint {
        eprintln!("  {hint}");
    }
}
