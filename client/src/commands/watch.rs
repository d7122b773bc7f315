//! `mirrorctl watch` and `watch-all`: what happens, as it happens or at one look.

use clap::{Args, ValueEnum};
use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::watch_event::Event;
use mirror_proto::v1::{
    ConfirmInboxRequest, FaultClass, ProjectRef, ProjectState, WatchEvent, WatchNotice,
    WatchOnceRequest, WatchRequest, WatchedOnce,
};

use crate::connect::{self, Daemon};
use crate::context::{Context, Reported};
use crate::each_project;
use crate::exit::Exit;
use crate::failure::{Failure, exit_for, is_broken_off};
use crate::follow::known::KnownProjects;
use crate::output::text::watch::Detail;
use crate::output::{self, Reader, json, text};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum WatchFormat {
    /// For people: the files of a commit on lines of their own
    #[default]
    Text,
    /// One JSON document a line, as with `--json`
    Json,
    /// One line an event
    Line,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Look once, print what is new since the last such look and what waits, and end
    #[arg(long)]
    once: bool,

    /// Whose place `--once` goes on from; every reader has one of its own
    #[arg(long, value_name = "NAME", default_value = "watch", requires = "once")]
    reader: String,

    /// How to say it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: WatchFormat,
}

/// The project of this folder.
pub(crate) async fn run(args: &WatchArgs, context: &Context) -> Result<Reported, Failure> {
    let project = Some(context.project()?);
    let printer = Printer { context, format: args.format, names_project: false };
    watch(args, project, &printer).await
}

/// All of them, those to come included.
pub(crate) async fn run_all(args: &WatchArgs, context: &Context) -> Result<Reported, Failure> {
    let printer = Printer { context, format: args.format, names_project: true };
    watch(args, None, &printer).await
}

async fn watch(
    args: &WatchArgs,
    project: Option<ProjectRef>,
    printer: &Printer<'_>,
) -> Result<Reported, Failure> {
    let mut interrupts = printer.context.interrupts.listen()?;
    tokio::select! {
        ended = async {
            match args.once {
                true => once(&args.reader, project, printer).await,
                false => follow(project, printer).await,
            }
        } => ended,
        () = interrupts.next() => Ok(Reported { exit: Exit::Interrupted, told: None }),
        () = output::reader_is_gone(), if !args.once => Ok(Reported::done(None)),
    }
}

/// How what comes is printed.
struct Printer<'a> {
    context: &'a Context,
    format: WatchFormat,
    names_project: bool,
}

impl Printer<'_> {
    fn is_json(&self) -> bool {
        self.context.output.is_json() || self.format == WatchFormat::Json
    }

    fn puts(&self, event: &WatchEvent) -> Result<Reader, Failure> {
        let output = &self.context.output;
        if self.is_json() {
            return output.print_document(&json::watch::event(event));
        }
        let detail = match self.format {
            WatchFormat::Text | WatchFormat::Json => Detail::Whole,
            WatchFormat::Line => Detail::Line,
        };
        let is_news = !text::watch::is_passing(event);
        match is_news || output.is_chatty() {
            true => output::print(&text::watch::event(
                event,
                detail,
                self.names_project,
                output.paint(),
            )),
            false => Ok(Reader::Listening),
        }
    }

    /// Beside what is printed, and for people alone.
    fn say(&self, words: &str) {
        if self.context.output.is_chatty() && !self.is_json() {
            self.context.output.note(words);
        }
    }
}

/// Goes on across the end of a daemon, which it does not start again: somebody ended it.
async fn follow(project: Option<ProjectRef>, printer: &Printer<'_>) -> Result<Reported, Failure> {
    let mut known = KnownProjects::default();
    let mut daemon = printer.context.daemon().await?;
    loop {
        match until_lost(&daemon, project.clone(), &mut known, printer).await? {
            Reader::Gone => return Ok(Reported::done(None)),
            Reader::Listening => {}
        }
        printer.say("the daemon has ended; this goes on once there is one again");
        daemon = connect::again(&printer.context.socket).await?;
        printer.say("there is a daemon again");
    }
}

async fn until_lost(
    daemon: &Daemon,
    project: Option<ProjectRef>,
    known: &mut KnownProjects,
    printer: &Printer<'_>,
) -> Result<Reader, Failure> {
    let request = WatchRequest { project, known: known.as_told() };
    let mut events = match daemon.watch().watch(request).await {
        Ok(events) => events.into_inner(),
        Err(status) if is_broken_off(&status) => return Ok(Reader::Listening),
        Err(status) => return Err(status.into()),
    };
    loop {
        let event = match events.message().await {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(Reader::Listening),
            Err(status) if is_broken_off(&status) => return Ok(Reader::Listening),
            Err(status) => return Err(status.into()),
        };
        let is_beginning = known.take(&event);
        if !is_beginning && printer.puts(&event)? == Reader::Gone {
            return Ok(Reader::Gone);
        }
    }
}

async fn once(
    reader: &str,
    project: Option<ProjectRef>,
    printer: &Printer<'_>,
) -> Result<Reported, Failure> {
    let daemon = printer.context.daemon().await?;
    let projects = match project {
        Some(project) => vec![project],
        None => each_project::all_of(&daemon).await?,
    };
    let mut exits = Vec::new();
    let mut is_silent = true;
    for project in projects {
        match look(&daemon, reader, &project, printer).await {
            Ok((exit, said)) => {
                exits.push(exit);
                is_silent &= !said;
            }
            Err(failure) if printer.names_project => {
                let name = match &project.by {
                    Some(By::Name(name) | By::Folder(name)) => name.clone(),
                    None => String::new(),
                };
                printer.context.output.print_failure_of(&name, &failure);
                exits.push(failure.exit);
                is_silent = false;
            }
            Err(failure) => return Err(failure),
        }
    }
    if is_silent && !printer.is_json() {
        printer.context.output.say(|_| "nothing new\n".to_owned())?;
    }
    Ok(Reported { exit: exits.into_iter().collect(), told: None })
}

/// One project, to the end of what is new; whether anything was said.
async fn look(
    daemon: &Daemon,
    reader: &str,
    project: &ProjectRef,
    printer: &Printer<'_>,
) -> Result<(Exit, bool), Failure> {
    let mut is_first = true;
    let mut said = false;
    loop {
        let request =
            WatchOnceRequest { project: Some(project.clone()), reader: reader.to_owned() };
        let looked = daemon.watch().watch_once(request).await?.into_inner();
        for event in events_of(&looked, is_first) {
            said = true;
            if printer.puts(&event)? == Reader::Gone {
                return Ok((Exit::Done, said));
            }
        }
        let inbox = looked.inbox.clone().unwrap_or_default();
        // Only now: what nobody saw is told again.
        let named = ProjectRef { by: Some(By::Name(inbox.project.clone())) };
        let (reader, shown) = (reader.to_owned(), inbox.shown.clone());
        let request = ConfirmInboxRequest { project: Some(named), reader, shown };
        daemon.inbox().confirm_inbox(request).await?;
        is_first = false;
        if inbox.unread_count == 0 {
            return Ok((exit_of(&looked), said));
        }
    }
}

/// What one look found: what is new, and with `waits` what waits and is wrong.
fn events_of(looked: &WatchedOnce, waits: bool) -> Vec<WatchEvent> {
    let inbox = looked.inbox.clone().unwrap_or_default();
    let notice = |told| Event::Notice(WatchNotice { number: 0, notice: Some(told) });
    let mut events: Vec<Event> = inbox.commits.into_iter().map(Event::Commit).collect();
    events.extend(inbox.notices.into_iter().map(notice));
    if waits {
        events.extend(inbox.conflicts.into_iter().map(Event::Conflict));
        events.extend(looked.held.iter().cloned().map(Event::Held));
        events.extend(inbox.fault.map(Event::Fault));
        let state = looked.state();
        let is_told = matches!(state, ProjectState::Stopped | ProjectState::Consent);
        events.extend(is_told.then(|| Event::State(state.into())));
    }
    let told = |event| WatchEvent {
        project: inbox.project.clone(),
        time: looked.time.clone(),
        over: false,
        event: Some(event),
    };
    events.into_iter().map(told).collect()
}

/// 0 when all is well: nothing is away, and nothing waits for a person.
fn exit_of(looked: &WatchedOnce) -> Exit {
    let inbox = looked.inbox.clone().unwrap_or_default();
    let fault = inbox.fault.as_ref().map_or(Exit::Done, |fault| exit_for(fault.class()));
    let conflicts = if inbox.conflicts.is_empty() { Exit::Done } else { Exit::Conflicts };
    let state = match looked.state() {
        ProjectState::Stopped => exit_for(FaultClass::Stopped),
        ProjectState::Consent => exit_for(FaultClass::Consent),
        _ => Exit::Done,
    };
    fault.or(conflicts).or(state)
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{CommitSummary, Inbox};

    use super::*;

    #[test]
    fn look_tells_what_waits_only_once() {
        let inbox = Inbox {
            conflicts: vec!["a.md".to_owned()],
            commits: vec![CommitSummary::default()],
            ..Inbox::default()
        };
        let looked = WatchedOnce { inbox: Some(inbox), ..WatchedOnce::default() };
        assert_eq!(events_of(&looked, true).len(), 2);
        assert_eq!(events_of(&looked, false).len(), 1);
    }
}
