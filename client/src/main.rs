//! `mirrorctl`: arguments in, one request to the daemon out, text or JSON back.
//!
//! Everything about files is decided in the daemon. What is here starts fast:
//! one thread, no configuration, no logging.

mod all;
mod arguments;
mod commands;
mod connect;
mod context;
mod dates;
mod exit;
mod failure;
mod job;
mod output;
mod paths;
mod settle;
#[cfg(test)]
mod stories;
mod terminal;
#[cfg(test)]
mod testing;
mod wizard;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::Cli;
use connect::Socket;
use context::{Context, Reported};
use exit::Exit;
use failure::Failure;
use output::{Output, json};
use terminal::Terminal;

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => refuse(&error),
    };
    ExitCode::from(exit.code())
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
        terminal: if general.json { None } else { Terminal::of_process() },
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(&context.output, Err(error.into())),
    };
    let reported = runtime.block_on(commands::run(&command, &context));
    // A question that nobody answered must not keep the process.
    runtime.shutdown_background();
    end(&context.output, reported)
}

fn usual_socket() -> Result<Socket, Failure> {
    Ok(Socket::Usual(mirror_proto::socket::path_from_environment()?))
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

/// Answers arguments that make no command: with help, or with what is wrong.
fn refuse(error: &clap::Error) -> Exit {
    let words: Vec<_> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .take_while(|word| word != "--")
        .collect();
    let wants_json = words.iter().any(|word| word == "--json");
    match (error.use_stderr(), wants_json) {
        (true, true) => {
            let failure = Failure::usage(first_paragraph(&error.to_string()))
                .with_hint("`mirrorctl --help` and `mirrorctl COMMAND --help` say what there is");
            let command = arguments::attempted(&words);
            let document = json::failure(command.as_deref(), &failure.fault);
            // With stderr gone, the exit code says it alone.
            let _ = writeln!(std::io::stderr(), "{document}");
        }
        _ => {
            let _ = error.print();
        }
    }
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// What clap has to say, without its usage lines, on one line.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let joined = lines.collect::<Vec<_>>().join(" ");
    joined.strip_prefix("error: ").unwrap_or(&joined).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_error_is_told_in_one_line() {
        let error = Cli::try_parse_from(["mirrorctl", "init"]).expect_err("incomplete");
        assert_eq!(
            first_paragraph(&error.to_string()),
            "the following required arguments were not provided: --to <URL>"
        );
    }
}
