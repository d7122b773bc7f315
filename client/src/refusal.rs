//! Answers arguments that make no command: with help, or with what is wrong.

use std::io::{IsTerminal, Write};

use crate::arguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::harmless;
use crate::output::json;

pub(crate) fn answer(error: &clap::Error) -> Exit {
    let words: Vec<_> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .take_while(|word| word != "--")
        .collect();
    if error.use_stderr() && is_hook(&words) {
        return Exit::Done;
    }
    let wants_json = words.iter().any(|word| word == "--json");
    match (error.use_stderr(), wants_json) {
        (true, true) => {
            let failure = Failure::usage(first_paragraph(&error.to_string()))
                .with_hint("`mirrorctl --help` and `mirrorctl COMMAND --help` say what there is");
            let command = arguments::attempted(&words);
            let document = json::failure_line(command.as_deref(), &failure.fault);
            // With stderr gone, the exit code says it alone.
            let _ = std::io::stderr().write_all(document.as_bytes());
        }
        (true, false) => show(error, &mut std::io::stderr()),
        (false, _) => show(error, &mut std::io::stdout()),
    }
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// A hook that fails would stop the agent's prompt. Its settings may be of another
/// version, with events that this one has never heard of.
fn is_hook(words: &[String]) -> bool {
    words.first().is_some_and(|word| word == "hook")
}

/// Arguments may hold anything, and are quoted in what is wrong with them.
fn show(error: &clap::Error, stream: &mut (impl Write + IsTerminal)) {
    let rendered = error.render();
    let text = match stream.is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        true => rendered.ansi().to_string(),
        false => rendered.to_string(),
    };
    let _ = stream.write_all(harmless(&text).as_bytes());
}

/// What clap has to say, without its usage lines, on one line.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let joined = lines.collect::<Vec<_>>().join(" ");
    joined.strip_prefix("error: ").unwrap_or(&joined).to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Cli;

    #[test]
    fn usage_error_is_told_in_one_line() {
        let error = Cli::try_parse_from(["mirrorctl", "init"]).expect_err("incomplete");
        assert_eq!(
            first_paragraph(&error.to_string()),
            "the following required arguments were not provided: --to <URL>"
        );
    }

    #[test]
    fn hook_that_is_not_known_stops_no_agent() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(is_hook(&words("hook of-tomorrow --as codex")));
        assert!(!is_hook(&words("status hook")));
    }
}
