//! `mirrorctl prompt`: how much differs, for the prompt of a shell.
//!
//! It is drawn at every line that somebody types: what is not known within a moment is
//! left out, nothing is started or waited for, and nothing is wrong enough to fail.

use std::io::{self, Write};
use std::time::Duration;

use clap::{Args, ValueEnum};
use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::status_service_client::StatusServiceClient;
use mirror_proto::v1::{GlanceRequest, ProjectRef, StatusGlance};

use crate::connect::{Socket, glance};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::harmless_json;
use crate::output::text::prompt::Shape;
use crate::output::{json, text};
use crate::paths;

/// A prompt that takes longer is noticed.
const LONGEST: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PromptFormat {
    /// ↑1 ↓2 ✗1
    #[default]
    Symbols,
    /// >1 <2 !1
    Ascii,
    /// 1 to send, 2 to fetch, 1 conflict
    Text,
    /// One JSON document, also where there is no project
    Json,
}

#[derive(Debug, Default, Args)]
pub(crate) struct PromptArgs {
    /// How to say it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: PromptFormat,

    /// What comes before it, if there is anything to say
    #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    prefix: String,

    /// What comes after it, if there is anything to say
    #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    suffix: String,

    /// Say nothing where nothing differs
    #[arg(long)]
    quiet_when_clean: bool,
}

impl PromptArgs {
    /// Of what was typed, without the parser that knows all commands: it takes longer
    /// than all the rest. `None` where that one has more to say.
    pub(crate) fn of_words(words: &[String]) -> Option<Self> {
        let mut args = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (key, value) = match word.split_once('=') {
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            match (key, value) {
                ("--quiet-when-clean", None) => args.quiet_when_clean = true,
                ("--json", None) => args.format = PromptFormat::Json,
                ("--format", value) => {
                    let value = value.or_else(|| words.next().cloned())?;
                    args.format = PromptFormat::from_str(&value, false).ok()?;
                }
                ("--prefix", value) => args.prefix = value.or_else(|| words.next().cloned())?,
                ("--suffix", value) => args.suffix = value.or_else(|| words.next().cloned())?,
                _ => return None,
            }
        }
        Some(args)
    }
}

/// The same with nothing of a command around it.
pub(crate) fn run_at_once(args: &PromptArgs, socket: &Socket) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return Exit::Done };
    let exit = runtime.block_on(answer(args, None, socket, false));
    runtime.shutdown_background();
    exit
}

pub(crate) async fn run(args: &PromptArgs, context: &Context) -> Result<Exit, Failure> {
    let named = context.project.is_some().then(|| context.project()).transpose()?;
    let named = named.and_then(|project| project.by);
    Ok(answer(args, named, &context.socket, context.output.is_json()).await)
}

/// Asks the daemon, if there is one, and prints what there is to say of the project of
/// the current folder, or of the one that is named.
async fn answer(args: &PromptArgs, named: Option<By>, socket: &Socket, is_json: bool) -> Exit {
    let known = tokio::time::timeout(LONGEST, ask(named, socket)).await;
    let known = known.ok().flatten().unwrap_or_default();
    // A terminal that is gone is no news to anybody.
    drop(io::stdout().lock().write_all(shown(args, &known, is_json).as_bytes()));
    Exit::Done
}

async fn ask(named: Option<By>, socket: &Socket) -> Option<StatusGlance> {
    let by = match named {
        Some(by) => by,
        None => By::Folder(paths::current().ok()?),
    };
    let mut client = StatusServiceClient::new(glance(socket).await?);
    let request = GlanceRequest { project: Some(ProjectRef { by: Some(by) }) };
    Some(client.glance(request).await.ok()?.into_inner())
}

fn shown(args: &PromptArgs, known: &StatusGlance, is_json: bool) -> String {
    let format = if is_json { PromptFormat::Json } else { args.format };
    let shape = match format {
        PromptFormat::Symbols | PromptFormat::Json => Shape::Symbols,
        PromptFormat::Ascii => Shape::Ascii,
        PromptFormat::Text => Shape::Text,
    };
    let said = text::prompt::line(known, shape, !args.quiet_when_clean);
    let framed = match said.is_empty() {
        true => said,
        false => [args.prefix.as_str(), &said, &args.suffix].concat(),
    };
    match format {
        PromptFormat::Json => {
            let document = json::document("prompt", &json::status::glance(known, &framed));
            harmless_json(&format!("{document}\n"))
        }
        PromptFormat::Symbols | PromptFormat::Ascii | PromptFormat::Text => framed,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use mirror_proto::v1::ProjectState;

    use super::*;

    #[derive(Debug, Parser)]
    struct Typed {
        #[command(flatten)]
        args: PromptArgs,
    }

    fn known() -> StatusGlance {
        StatusGlance {
            project: "notes".to_owned(),
            local_count: 1,
            state: ProjectState::Idle.into(),
            ..StatusGlance::default()
        }
    }

    #[test]
    fn short_way_and_parser_read_the_same() {
        for line in [
            "",
            "--format ascii",
            "--format=text --quiet-when-clean",
            "--prefix [ --suffix=]",
            "--suffix --",
            "--format json --prefix=a=b",
        ] {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let short = PromptArgs::of_words(&words).expect("read");
            let typed = [&["prompt".to_owned()], words.as_slice()].concat();
            let parsed = Typed::try_parse_from(&typed).expect("parsed").args;
            assert_eq!(format!("{short:?}"), format!("{parsed:?}"), "{line}");
        }
        for line in ["--help", "--format", "--format x", "--quiet-when-clean=1", "--project a"] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert!(PromptArgs::of_words(&words).is_none(), "{line}");
        }
    }

    #[test]
    fn frame_is_there_only_where_something_is_said() {
        let args = PromptArgs {
            prefix: "(".to_owned(),
            suffix: ") ".to_owned(),
            quiet_when_clean: true,
            ..PromptArgs::default()
        };
        assert_eq!(shown(&args, &known(), false), "(↑1) ");
        assert_eq!(shown(&args, &StatusGlance { local_count: 0, ..known() }, false), "");
        assert_eq!(
            shown(&PromptArgs::default(), &StatusGlance::default(), false),
            "",
            "no project"
        );
    }
}
