//! Sets a project up by asking a person: the same as the flags of `init` and
//! `clone`, one answer at a time.
//!
//! Each answer is looked at before the next question, and the backend is tried
//! before anything is made. Whoever gives up, at any question, leaves nothing.

mod checks;
mod command_line;
mod person;
mod place;
mod plan;
mod questions;
mod trial;

use mirror_proto::v1::{
    CloneProjectRequest, FaultClass, InitProjectRequest, ListProjectsRequest, ProjectSummary,
};

use crate::connect::Daemon;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::escape::escape;
use crate::terminal::Terminal;
use person::Person;
use plan::{Plan, Verb};

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
    let listed = daemon.project().list_projects(ListProjectsRequest {}).await?.into_inner();
    let asking = Asking {
        person: Person { terminal, paint: context.output.paint() },
        daemon,
        projects: listed.projects,
    };
    asking.person.says("An empty line takes what stands in brackets; Ctrl-C gives up.")?;
    loop {
        asking.asks_all(&mut plan).await?;
        if asking.agrees(&plan).await? {
            return Ok(plan);
        }
        asking.person.says("Once more, then, with your answers in brackets.")?;
    }
}

struct Asking<'a> {
    person: Person<'a>,
    daemon: &'a Daemon,
    /// Those that are here already.
    projects: Vec<ProjectSummary>,
}

impl Asking<'_> {
    /// Every question once; what is answered already is what it proposes.
    async fn asks_all(&self, plan: &mut Plan) -> Result<(), Failure> {
        if plan.verb == Verb::Init {
            plan.folder = self.folder_of_init(plan).await?;
        }
        plan.place = Some(self.place(plan).await?);
        let held = self.until_it_works(plan).await?;
        if let (Verb::Init, Some(name)) = (plan.verb, &held) {
            self.person.says(&format!(
                "The backend already holds the project {}: this folder joins it.",
                escape(name)
            ))?;
        }
        if plan.verb == Verb::Clone {
            plan.folder = self.folder_of_clone(plan, held.as_deref()).await?;
        }
        plan.name = self.name(plan, held.as_deref()).await?;
        plan.patterns = self.patterns(plan, held.is_some()).await?;
        Ok(())
    }

    /// Shows what is about to be done, and waits for a yes.
    async fn agrees(&self, plan: &Plan) -> Result<bool, Failure> {
        let line = command_line::of(plan);
        self.person.says(&format!("\nWithout the wizard this is\n  {}", escape(&line)))?;
        self.person.asks("Go ahead, yes or no", Some("yes"), checks::yes_or_no).await
    }
}

fn given_up() -> Failure {
    Failure::new(FaultClass::Consent, "given up: nothing was made")
}
