//! `mirrorctl install` and `uninstall`: what this machine's other programs are told of
//! mirrord, part by part.
//!
//! All parts are worked out before the first is asked about: a file that can't be
//! understood ends the command with nothing changed.

mod step;

use clap::{Args, Command};
use mirror_proto::v1::FaultClass;
use serde_json::json;

use super::daemon::enable;
use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::install::{Installation, Offer, Part, Places, Way, offers, offers_of_shells};
use crate::output::{print, text};
use crate::terminal::Answer;
use step::{Done, Hand, Plan, Step};

#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// Only these parts
    #[arg(long, value_name = "PART", value_enum, num_args = 1.., value_delimiter = ',')]
    only: Vec<Part>,

    /// Ask nothing: for scripts
    #[arg(long)]
    yes: bool,

    /// Show what would be written, and write nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
}

pub(crate) async fn install(
    args: &InstallArgs,
    context: &Context,
    typed: &Command,
) -> Result<Reported, Failure> {
    run(args, Way::In, context, typed).await
}

pub(crate) async fn uninstall(
    args: &InstallArgs,
    context: &Context,
    typed: &Command,
) -> Result<Reported, Failure> {
    run(args, Way::Out, context, typed).await
}

async fn run(
    args: &InstallArgs,
    way: Way,
    context: &Context,
    typed: &Command,
) -> Result<Reported, Failure> {
    let folders = enable::folders(context)?;
    if context.terminal.is_none() && !args.yes && !args.dry_run {
        return Err(Failure::usage("each part is asked about, and nobody is here to answer")
            .with_hint("--yes takes all parts, --only some of them; --dry-run shows them"));
    }
    let script = |shell: &str| super::completion::script(shell, &mut typed.clone());
    let places = Places::of_process(&folders.home);
    let installation = Installation::open(&folders.data)?;
    let all = (offers(&places, &script), &*offers_of_shells(&places, &script));
    let chosen = chosen(args, way, all, &installation);
    let mut hand = Hand { way, installation, service: enable::service(context)? };
    let steps = hand.plan(chosen)?;
    let (mut told, mut exit) = (Vec::new(), Exit::Done);
    for step in steps {
        let done = take(args, context, &mut hand, &step).await?;
        exit = exit.or(done.exit);
        told.push(done.document);
    }
    let result = json!({"parts": told, "dry_run": args.dry_run});
    Ok(Reported { exit, told: context.output.is_json().then_some(result) })
}

/// The parts that were asked for. What is taken back is taken back in the other order,
/// and wherever it was put.
fn chosen(
    args: &InstallArgs,
    way: Way,
    (all, of_shells): (Vec<Offer>, &[Offer]),
    installation: &Installation,
) -> Vec<Offer> {
    let mut all = all;
    if way == Way::Out {
        let others = installation.others(&all, of_shells);
        let anyway = |offer: Offer| match offer.entry() {
            Some(entry) => offer.of(entry),
            None => offer,
        };
        all = all.into_iter().map(anyway).chain(others).rev().collect();
    }
    all.retain(|offer| args.only.is_empty() || args.only.contains(&offer.part));
    all
}

/// Shows a step, asks for it, and takes it.
async fn take(
    args: &InstallArgs,
    context: &Context,
    hand: &mut Hand,
    step: &Step,
) -> Result<Done, Failure> {
    let output = &context.output;
    if let Plan::Settled { change, why } = &step.plan {
        output.say(|paint| text::install::settled(&step.told(), why, paint))?;
        return Ok(step.done(change));
    }
    if !output.is_json() && !args.yes {
        print(&text::install::proposal(&step.told(), output.paint()))?;
    }
    if args.dry_run {
        return Ok(step.done(step.change()));
    }
    if !args.yes && !agrees(context, hand.way).await? {
        return Ok(step.done("declined"));
    }
    hand.carry_out(step, context).await
}

async fn agrees(context: &Context, way: Way) -> Result<bool, Failure> {
    let Some(terminal) = &context.terminal else { return Ok(false) };
    let question = match way {
        Way::In => "write this? [Y/n] ",
        Way::Out => "take this back? [Y/n] ",
    };
    loop {
        match terminal.ask(question).await? {
            Answer::Line(typed) => match typed.trim().to_lowercase().as_str() {
                "" | "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => {}
            },
            Answer::End => {
                return Err(Failure::new(
                    FaultClass::Consent,
                    "given up: what was agreed to stands",
                ));
            }
            Answer::Interrupted => {
                return Err(Failure::interrupted("interrupted: what was agreed to stands"));
            }
        }
    }
}
