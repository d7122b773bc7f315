//! `mirrorctl conflict apply`: the result comes from a file or from stdin.

use std::fs::File;
use std::io::{self, Read};

use clap::Args;
use mirror_proto::v1::FaultClass;
use mirror_proto::v1::resolve_conflict_request::Resolution;

use super::decide::decide;
use crate::context::{Context, Reported};
use crate::failure::Failure;

/// What the daemon takes in one message.
const LARGEST: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The file that waits
    path: String,

    #[command(flatten)]
    merged: Merged,

    /// Only if both sides are as they were shown with this token
    #[arg(long)]
    token: Option<String>,

    /// Write it here and leave the commit to the next push
    #[arg(long)]
    no_push: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Merged {
    /// The result is what this file holds
    #[arg(long, value_name = "FILE")]
    merged_file: Option<String>,

    /// The result comes from stdin
    #[arg(long)]
    merged_stdin: bool,
}

pub(crate) async fn run(args: &ApplyArgs, context: &Context) -> Result<Reported, Failure> {
    let merged = match &args.merged.merged_file {
        Some(name) => read(name, File::open(name))?,
        None => read("stdin", Ok(io::stdin()))?,
    };
    let resolution = Resolution::MergedContent(merged);
    decide(context, &args.path, resolution, args.token.as_ref(), args.no_push).await
}

fn read(name: &str, source: io::Result<impl Read>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source
        .and_then(|source| source.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(name, &error))?;
    match bytes.len() as u64 {
        0..=LARGEST => Ok(bytes),
        _ => Err(Failure::usage(format!("{name} is larger than 64 MiB"))
            .with_hint("put it in the file's place, then `mirrorctl conflict take PATH here`")),
    }
}

/// The arguments are right; what they name is not there, or not for us.
fn unreadable(name: &str, error: &io::Error) -> Failure {
    let class = match error.kind() {
        io::ErrorKind::NotFound => FaultClass::NotFound,
        _ => FaultClass::Permission,
    };
    Failure::new(class, format!("{name} can't be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn result_is_read_as_bytes() {
        assert_eq!(read("stdin", Ok(&b"\xff\0a"[..])).expect("read"), b"\xff\0a");
    }

    #[test]
    fn result_that_is_not_there_is_no_mistake_of_usage() {
        let failure = read("gone", Err::<File, _>(io::ErrorKind::NotFound.into()));
        assert_eq!(failure.expect_err("refused").exit, Exit::Failed);
    }

    #[test]
    fn result_that_no_message_holds_is_refused() {
        let failure = read("big", Ok(io::repeat(7))).expect_err("refused");
        assert!(failure.fault.message.contains("64 MiB"), "{}", failure.fault.message);
    }
}
