//! `mirrorctl conflict show`: both sides of one file, for eyes or programs.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use mirror_proto::v1::{ConflictDetail, FaultClass, ShowConflictRequest};

use crate::context::{Context, Reported};
use crate::failure::Failure;
use crate::output::{self, json, text};
use crate::paths;

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The file
    path: String,

    /// How to show it [default: text on a terminal, else markers]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Each place that differs, three ways
    Text,
    /// One JSON document with all sides and the token
    Envelope,
    /// The file with conflict markers, byte for byte
    Markers,
    /// The unified diff from the other side to here
    Diff,
}

pub(crate) async fn run(args: &ShowArgs, context: &Context) -> Result<Reported, Failure> {
    let request = ShowConflictRequest {
        project: Some(context.project()?),
        path: args.path.clone(),
        folder: paths::current()?,
    };
    let daemon = context.daemon().await?;
    let detail = daemon.conflicts().show_conflict(request).await?.into_inner();
    let told = match format(args, context, &detail) {
        Format::Envelope => Some(json::conflict::envelope(&detail)),
        Format::Text => {
            let paint = context.output.paint();
            output::print(&text::conflict::whole(&detail, Timestamp::now(), paint))?;
            None
        }
        Format::Markers => {
            let marked = detail.marked_content.as_deref().ok_or_else(|| without_lines(&detail))?;
            output::print_bytes(marked)?;
            None
        }
        Format::Diff if detail.conflict.as_ref().is_some_and(|conflict| conflict.binary) => {
            return Err(without_lines(&detail));
        }
        Format::Diff => {
            output::print_bytes(detail.unified_diff.as_bytes())?;
            None
        }
    };
    if let Some(fault) = &detail.fault {
        context.output.warn(None, fault);
    }
    Ok(Reported::done(told))
}

/// `--json` asks for one document, whatever else was asked for.
fn format(args: &ShowArgs, context: &Context, detail: &ConflictDetail) -> Format {
    match args.format {
        _ if context.output.is_json() => Format::Envelope,
        Some(format) => format,
        // A file or an editor reads it, where there are lines to mark.
        None if !std::io::stdout().is_terminal() && detail.marked_content.is_some() => {
            Format::Markers
        }
        None => Format::Text,
    }
}

fn without_lines(detail: &ConflictDetail) -> Failure {
    let conflict = detail.conflict.clone().unwrap_or_default();
    let (path, other) = (&conflict.path, text::conflict::other_word(&conflict));
    Failure::new(FaultClass::Rejected, format!("{path} can't be shown line by line"))
        .with_hint(format!("take one side: `mirrorctl conflict take {path} here|{other}`"))
}
