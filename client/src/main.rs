//! `mirrorctl`: arguments in, one request to the daemon out, text or JSON back.
//!
//! Everything about files is decided in the daemon. What is here starts fast:
//! one thread, no configuration, no logging.

mod arguments;
mod commands;
mod connect;
mod context;
mod dates;
mod dispatch;
mod each_project;
mod exit;
mod failure;
mod follow;
mod hook;
mod install;
mod interrupts;
mod output;
mod paths;
mod prompt;
mod refusal;
mod resolve;
mod service;
mod settings;
mod shell;
mod terminal;
#[cfg(test)]
mod tests;
mod wizard;

use std::process::ExitCode;

use clap::Parser;

use arguments::Cli;
use connect::Socket;
use context::{Context, Reported};
use exit::Exit;
use failure::Failure;
use hook::HookArgs;
use interrupts::Interrupts;
use output::Output;
use prompt::PromptArgs;
use terminal::Terminal;

fn main() -> ExitCode {
    if let Some(exit) = at_once() {
        return ExitCode::from(exit.code());
    }
    let exit = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => refusal::answer(&error),
    };
    ExitCode::from(exit.code())
}

/// Does what has a few milliseconds only, which is less than it takes to know all
/// commands.
fn at_once() -> Option<Exit> {
    let mut words = std::env::args_os().skip(1);
    let command = words.next().filter(|word| word == "hook" || word == "prompt")?;
    let words: Vec<String> = words.filter_map(|word| word.into_string().ok()).collect();
    // Of what is wrong with the environment nobody hears who can mend it.
    if command == "hook" {
        let args = HookArgs::of_words(&words)?;
        return Some(usual_socket().map_or(Exit::Done, |it| hook::run_at_once(&args, &it)));
    }
    let args = PromptArgs::of_words(&words)?;
    Some(usual_socket().map_or(Exit::Done, |it| prompt::run_at_once(&args, &it)))
}

fn run(cli: Cli) -> Exit {
    let general = cli.general;
    let command = cli.command;
    let output = Output::new(command.name(), general.json, general.quiet, general.color);
    let socket = match general.socket.map_or_else(usual_socket, |path| Ok(Socket::Named(path))) {
        Ok(socket) => socket,
        Err(failure) => return end(&output, Err(failure)),
    };
    let context = Context {
        output,
        project: general.project,
        socket,
        is_verbose: general.verbose > 0,
        interrupts: Interrupts::OfProcess,
        terminal: if general.json { None } else { Terminal::of_process() },
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(&context.output, Err(error.into())),
    };
    let reported = runtime.block_on(dispatch::run(&command, &context));
    // A question that nobody answered must not keep the process.
    runtime.shutdown_background();
    end(&context.output, reported)
}

fn usual_socket() -> Result<Socket, Failure> {
    let folders = mirror_proto::folders::Folders::from_environment();
    folders.map(Socket::Usual).map_err(|error| Failure::usage(error.to_string()))
}

/// Prints what is still to print.
fn end(output: &Output, reported: Result<Reported, Failure>) -> Exit {
    let printed = reported.and_then(|reported| {
        if let Some(result) = &reported.told {
            output.print_document(result)?;
        }
        Ok(reported.exit)
    });
    printed.unwrap_or_else(|failure| {
        output.print_failure(&failure);
        failure.exit
    })
}
