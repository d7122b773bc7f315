//! Sets a project up by asking a person: the same as the flags of `init` and
//! `clone`, one answer at a time.
//!
//! What is asked, and whether an answer can be used, says the daemon. Each answer
//! is looked at before the next question, and the backend is tried before
//! anything is made. Whoever gives up, at any question, leaves nothing.

mod asking;
mod command_line;
mod location;
mod plan;
mod probe;
mod prompt;

use mirror_proto::v1::{CloneProjectRequest, InitProjectRequest};

use crate::connect::Daemon;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::escape::escape;
use crate::terminal::Terminal;
use asking::Asking;
use plan::Plan;
use prompt::Person;

/// The person to ask; without one there is no wizard.
pub(crate) fn terminal(context: &Context) -> Result<&Terminal, Failure> {
    context.terminal.as_ref().ok_or_else(|| {
        Failure::usage("--wizard asks questions, and nobody is at a terminal to answer them")
            .with_hint("say it in flags: `mirrorctl init --help` and `mirrorctl clone --help`")
    })
}

/// Asks for all of an `init`; what was typed already is what it proposes.
pub(crate) async fn init(
    context: &Context,
    terminal: &Terminal,
    daemon: &Daemon,
    typed: InitProjectRequest,
) -> Result<InitProjectRequest, Failure> {
    let plan = ask(context, terminal, daemon, Plan::of_init(typed)).await?;
    Ok(plan.into_init())
}

/// Asks for all of a `clone`; what was typed already is what it proposes.
pub(crate) async fn clone(
    context: &Context,
    terminal: &Terminal,
    daemon: &Daemon,
    typed: CloneProjectRequest,
) -> Result<CloneProjectRequest, Failure> {
    let plan = ask(context, terminal, daemon, Plan::of_clone(typed)).await?;
    Ok(plan.into_clone())
}

async fn ask(
    context: &Context,
    terminal: &Terminal,
    daemon: &Daemon,
    mut plan: Plan,
) -> Result<Plan, Failure> {
    let person = Person { terminal, paint: context.output.paint() };
    let asking = Asking { person, daemon };
    asking.person.says("An empty line takes what stands in brackets; Ctrl-C gives up.")?;
    loop {
        asking.asks_all(&mut plan).await?;
        if asking.agrees(&plan).await? {
            return Ok(plan);
        }
        asking.person.says("Once more, then, with your answers in brackets.")?;
    }
}

impl Asking<'_> {
    /// Shows what is about to be done, and waits for a yes.
    async fn agrees(&self, plan: &Plan) -> Result<bool, Failure> {
        let line = command_line::of(plan);
        self.person.says(&format!("\nWithout the wizard this is\n  {}", escape(&line)))?;
        self.person.asks("Go ahead, yes or no", "yes", yes_or_no).await
    }
}

fn yes_or_no(typed: &str) -> Result<bool, String> {
    match typed.to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("yes or no".to_owned()),
    }
}
