//! The few words that `mirrord` understands.

/// What the daemon was started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Serve { on_demand: bool },
    Version,
    Help,
}

pub(crate) const HELP: &str = "\
mirrord keeps the files of projects the same on several machines.

Usage: mirrord [--on-demand]

It runs in the foreground until SIGTERM, SIGINT or `mirrorctl daemon stop`.
`mirrorctl` starts it by itself when it isn't running.

  --on-demand  a client started this daemon: a newer client may replace it
  --version    print the version
  --help       print this

Exit codes: 0 stopped as told, 1 failed, 2 wrong arguments or configuration,
3 another daemon holds the same folders.
";

/// Reads the arguments after the program's name.
pub(crate) fn read(arguments: impl IntoIterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted::Serve { on_demand: false };
    for argument in arguments {
        match argument.as_str() {
            "--on-demand" => wanted = Wanted::Serve { on_demand: true },
            "--version" | "-V" => return Ok(Wanted::Version),
            "--help" | "-h" => return Ok(Wanted::Help),
            _ => return Err(format!("{argument:?} is not understood; see `mirrord --help`")),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arguments: &[&str]) -> Result<Wanted, String> {
        read(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn arguments_are_understood_or_named() {
        assert_eq!(of(&[]), Ok(Wanted::Serve { on_demand: false }));
        assert_eq!(of(&["--on-demand"]), Ok(Wanted::Serve { on_demand: true }));
        assert_eq!(of(&["--on-demand", "--version"]), Ok(Wanted::Version));
        assert!(of(&["--foreground"]).unwrap_err().contains("--foreground"));
    }
}
