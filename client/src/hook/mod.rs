//! `mirrorctl hook`: tells the session of an agent what others did (S7).
//!
//! Whatever is wrong, a hook is silent, ends with 0, and ends soon: an agent can't do
//! anything about it. It starts no daemon and reads no settings.

mod host;
mod input;
mod print;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use clap::Args;
use futures::channel::mpsc;
use mirror_proto::v1::agent_service_client::AgentServiceClient;
use mirror_proto::v1::hook_message::Says;
use mirror_proto::v1::{HookAnswer, HookEvent, HookKind, HookMessage, Printed};

use crate::connect::{Socket, glance};
use crate::exit::Exit;
use host::Host;
use input::Surroundings;
use print::Sink;

/// A hook that takes longer is none.
const LONGEST: Duration = Duration::from_millis(180);

/// A larger event is not looked at.
const LARGEST_INPUT: u64 = 32 << 20;

/// How the hook ends by now. Whoever prints holds it, so that none ends in the middle.
static EXIT: Mutex<Exit> = Mutex::new(Exit::Done);

#[derive(Debug, Args)]
pub(crate) struct HookArgs {
    /// session-start, user-prompt-submit, pre-tool-use, post-tool-use, post-tool-batch,
    /// stop, session-end, cwd-changed or file-changed
    event: String,

    /// The agent that calls: claude, codex, qwen, droid or devin
    #[arg(long = "as", value_name = "AGENT", default_value = "claude")]
    agent: String,

    /// At file-changed: show the user that something is new, and never wake the agent
    #[arg(long)]
    toast: bool,
}

impl HookArgs {
    /// Of what was typed, without the parser that knows all commands: it takes longer
    /// than all the rest, and would refuse what a later host says. `None` where a person
    /// asks for help.
    pub(crate) fn of_words(words: &[String]) -> Option<Self> {
        let (event, rest) = words.split_first()?;
        if event.starts_with('-')
            || rest.iter().any(|word| matches!(word.as_str(), "-h" | "--help"))
        {
            return None;
        }
        let mut args = Self { event: event.clone(), agent: "claude".to_owned(), toast: false };
        let mut rest = rest.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "--as" => args.agent = rest.next().cloned().unwrap_or_default(),
                "--toast" => args.toast = true,
                _ => {
                    if let Some(agent) = word.strip_prefix("--as=") {
                        agent.clone_into(&mut args.agent);
                    }
                }
            }
        }
        Some(args)
    }
}

/// The same with nothing of a command around it.
pub(crate) fn run_at_once(args: &HookArgs, socket: &Socket) -> Exit {
    end_in_time();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Exit::Done;
    };
    let exit = runtime.block_on(run(args, socket));
    runtime.shutdown_background();
    exit
}

/// Reads the event, asks the daemon, prints what there is to say.
pub(crate) async fn run(args: &HookArgs, socket: &Socket) -> Exit {
    let asked = Host::named(&args.agent).zip(kind_of(&args.event));
    let Some((host, kind)) = asked else { return Exit::Done };
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LARGEST_INPUT).read_to_end(&mut bytes);
    if read.is_err() {
        return Exit::Done;
    }
    let Some(mut event) = input::event(kind, host, &bytes, surroundings()) else {
        return Exit::Done;
    };
    if args.toast {
        (event.may_wake, event.shows_hints) = (false, kind == HookKind::FileChanged);
    }
    hear(event, host, socket, &mut Sink::of_process()).await.unwrap_or(Exit::Done)
}

fn kind_of(event: &str) -> Option<HookKind> {
    Some(match event {
        "session-start" => HookKind::SessionStart,
        "user-prompt-submit" => HookKind::UserPromptSubmit,
        "pre-tool-use" => HookKind::PreToolUse,
        "post-tool-use" => HookKind::PostToolUse,
        "post-tool-batch" => HookKind::PostToolBatch,
        "stop" => HookKind::Stop,
        "session-end" => HookKind::SessionEnd,
        "cwd-changed" => HookKind::CwdChanged,
        "file-changed" => HookKind::FileChanged,
        _ => return None,
    })
}

/// Two names alone: among the others are tokens.
fn surroundings() -> Surroundings {
    Surroundings {
        project_folder: std::env::var("CLAUDE_PROJECT_DIR").ok(),
        process: std::env::var("CLAUDE_PID").ok().and_then(|pid| pid.parse().ok()),
    }
}

/// Ends the process when it takes too long, whatever it waits for.
fn end_in_time() {
    thread::spawn(|| {
        thread::sleep(LONGEST);
        let exit = EXIT.lock().unwrap_or_else(PoisonError::into_inner);
        process::exit(exit.code().into());
    });
}

/// `None` where the daemon has not answered.
async fn hear(event: HookEvent, host: Host, socket: &Socket, sink: &mut Sink<'_>) -> Option<Exit> {
    let mut client = AgentServiceClient::new(glance(socket).await?);
    let (mut says, messages) = mpsc::channel(2);
    says.try_send(HookMessage { says: Some(Says::Event(event.clone())) }).ok()?;
    let mut answers = client.hear(messages).await.ok()?.into_inner();
    let answer: HookAnswer = answers.message().await.ok()??;
    let exit = print_whole(&event, host, &answer, sink)?;
    if !answer.news.is_empty() {
        says.try_send(HookMessage { says: Some(Says::Printed(Printed {})) }).ok()?;
        drop(says);
        // Once it has heard so, it ends the stream.
        while let Ok(Some(_)) = answers.message().await {}
    }
    Some(exit)
}

fn print_whole(
    event: &HookEvent,
    host: Host,
    answer: &HookAnswer,
    sink: &mut Sink<'_>,
) -> Option<Exit> {
    let mut exit = EXIT.lock().unwrap_or_else(PoisonError::into_inner);
    *exit = print::print(event, host, answer, sink).ok()?;
    Some(*exit)
}
