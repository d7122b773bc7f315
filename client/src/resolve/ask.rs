//! Asks a person about one file after the other.

use jiff::Timestamp;
use mirror_proto::v1::resolve_conflict_request::Resolution;
use mirror_proto::v1::{
    ConflictDetail, FaultClass, JobFinished, ProjectRef, ShowConflictRequest, Side,
};

use super::choice::{self, Choice};
use super::decision::{Decision, decide, word};
use super::draft::{Draft, EditorOutcome};
use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow;
use crate::output::escape::escape;
use crate::output::text;
use crate::paths;
use crate::terminal::{Answer, Terminal};

/// Says how a sync ended and asks about each file that waits since.
pub(crate) async fn ask_about(
    context: &Context,
    terminal: &Terminal,
    daemon: &Daemon,
    project: ProjectRef,
    finished: &JobFinished,
) -> Result<Reported, Failure> {
    let others = JobFinished { conflicts: Vec::new(), ..finished.clone() };
    if others != (JobFinished { project: others.project.clone(), ..JobFinished::default() }) {
        follow::report(context, &others, true)?;
    }
    let prompt = Prompt { context, terminal, daemon, project };
    let (left, exit) = prompt.each(&finished.conflicts).await?;
    terminal.show(&text::conflict::left(&left, context.output.paint()))?;
    let ended = JobFinished { conflicts: left, ..others };
    Ok(Reported { exit: exit.or(follow::exit(&ended, true)), told: None })
}

struct Prompt<'a> {
    context: &'a Context,
    terminal: &'a Terminal,
    daemon: &'a Daemon,
    project: ProjectRef,
}

/// What became of a file.
enum FileOutcome {
    Resolved(Exit),
    Skipped,
    Quit,
}

/// What became of a decision.
enum DecisionOutcome {
    Done(Exit),
    Moved,
    Refused,
}

impl Prompt<'_> {
    /// The files that are left as they are, and how the settling of the others
    /// ended.
    async fn each(&self, paths: &[String]) -> Result<(Vec<String>, Exit), Failure> {
        let (mut left, mut exit) = (Vec::new(), Exit::Done);
        for (number, path) in paths.iter().enumerate() {
            let place = match paths.len() {
                0 | 1 => String::new(),
                all => format!("{} of {all}  ", number + 1),
            };
            match self.one(path, &place).await? {
                FileOutcome::Resolved(of_file) => exit = exit.or(of_file),
                FileOutcome::Skipped => left.push(path.clone()),
                FileOutcome::Quit => {
                    left.extend_from_slice(&paths[number..]);
                    break;
                }
            }
        }
        Ok((left, exit))
    }

    /// `place` says which of how many it is.
    async fn one(&self, path: &str, place: &str) -> Result<FileOutcome, Failure> {
        let mut draft = None;
        let ended = self.resolve(path, place, &mut draft).await;
        self.keep(&mut draft)?;
        ended
    }

    async fn resolve(
        &self,
        path: &str,
        place: &str,
        draft: &mut Option<Draft>,
    ) -> Result<FileOutcome, Failure> {
        loop {
            let Some(detail) = self.look(path).await? else {
                self.say(&format!("{path} was settled meanwhile"))?;
                return Ok(FileOutcome::Resolved(Exit::Done));
            };
            let paint = self.context.output.paint();
            self.terminal.show(&text::conflict::three_way(&detail, Timestamp::now(), paint))?;
            if let Some(ended) = self.until_moved(path, place, &detail, draft).await? {
                return Ok(ended);
            }
            self.say(&format!("{path} changed meanwhile; here is how it is now"))?;
        }
    }

    /// The conflict as it is now; `None` when there is none any more.
    async fn look(&self, path: &str) -> Result<Option<ConflictDetail>, Failure> {
        let request = ShowConflictRequest {
            project: Some(self.project.clone()),
            path: path.to_owned(),
            // Names in reports are relative to the project.
            folder: String::new(),
        };
        let mut service = self.daemon.conflicts();
        let shown = tokio::select! {
            shown = service.show_conflict(request) => shown.map_err(Failure::from),
            _ = tokio::signal::ctrl_c() => Err(interrupted()),
        };
        match shown {
            Ok(shown) => Ok(Some(shown.into_inner())),
            Err(failure) if failure.fault.class() == FaultClass::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Asks until there is an outcome; `None` when a side moved.
    async fn until_moved(
        &self,
        path: &str,
        place: &str,
        detail: &ConflictDetail,
        draft: &mut Option<Draft>,
    ) -> Result<Option<FileOutcome>, Failure> {
        loop {
            let resolution = match self.choose(path, place, detail).await? {
                Choice::Skip => return Ok(Some(FileOutcome::Skipped)),
                Choice::Quit => return Ok(Some(FileOutcome::Quit)),
                Choice::Local => Resolution::Side(Side::Local.into()),
                Choice::Remote => Resolution::Side(Side::Remote.into()),
                Choice::Merged => {
                    Resolution::MergedContent(detail.merged_content.clone().unwrap_or_default())
                }
                Choice::Edit => match self.edit(path, detail, draft).await? {
                    Some(edited) => Resolution::MergedContent(edited),
                    None => return Ok(Some(FileOutcome::Skipped)),
                },
            };
            match self.attempt(path, detail, resolution).await? {
                DecisionOutcome::Done(exit) => {
                    *draft = None;
                    return Ok(Some(FileOutcome::Resolved(exit)));
                }
                DecisionOutcome::Moved => {
                    self.keep(draft)?;
                    return Ok(None);
                }
                DecisionOutcome::Refused => {}
            }
        }
    }

    async fn choose(
        &self,
        path: &str,
        place: &str,
        detail: &ConflictDetail,
    ) -> Result<Choice, Failure> {
        let question = format!("{place}{}: {}", escape(path), choice::question(detail));
        loop {
            match self.terminal.ask(&question).await? {
                Answer::Line(typed) => {
                    if let Some(choice) = choice::read(&typed, detail) {
                        return Ok(choice);
                    }
                    self.terminal.show(&choice::meanings(detail))?;
                }
                Answer::End => {
                    self.terminal.show("\n")?;
                    return Ok(Choice::Quit);
                }
                Answer::Interrupted => return Err(interrupted()),
            }
        }
    }

    /// What the person made of the file; `None` when they left it.
    async fn edit(
        &self,
        path: &str,
        detail: &ConflictDetail,
        draft: &mut Option<Draft>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        if draft.is_none() {
            let marked = detail.marked_content.as_deref().unwrap_or_default();
            *draft = Some(Draft::new(path, marked)?);
        }
        let Some(open) = draft else {
            return Ok(None);
        };
        match open.edit(self.terminal).await? {
            EditorOutcome::Saved(edited) => Ok(Some(edited)),
            EditorOutcome::GivenUp(why) => {
                self.say(&format!("{why}; {path} is skipped"))?;
                Ok(None)
            }
        }
    }

    async fn attempt(
        &self,
        path: &str,
        detail: &ConflictDetail,
        resolution: Resolution,
    ) -> Result<DecisionOutcome, Failure> {
        let token = detail.conflict.as_ref().map(|conflict| conflict.token.clone());
        let word = word(&resolution);
        let decision = Decision { path, folder: String::new(), resolution, token, no_push: false };
        match decide(self.context, self.daemon, self.project.clone(), decision).await {
            Ok(job) => {
                let paint = self.context.output.paint();
                self.terminal.show(&text::conflict::resolved(path, word, &job, paint))?;
                Ok(DecisionOutcome::Done(follow::exit(&job, true)))
            }
            Err(failure) => match failure.fault.class() {
                FaultClass::Conflict | FaultClass::NotFound => Ok(DecisionOutcome::Moved),
                // Left-over markers, as a rule.
                FaultClass::Rejected => {
                    let paint = self.context.output.paint();
                    self.terminal.show(&text::fault::report(&failure.fault, paint))?;
                    Ok(DecisionOutcome::Refused)
                }
                _ => Err(failure),
            },
        }
    }

    fn keep(&self, draft: &mut Option<Draft>) -> Result<(), Failure> {
        match draft.take().and_then(Draft::leave) {
            Some(kept) => self.say(&format!("what you edited is kept in {}", paths::shown(&kept))),
            None => Ok(()),
        }
    }

    fn say(&self, line: &str) -> Result<(), Failure> {
        self.terminal.show(&format!("{}\n", escape(line)))
    }
}

fn interrupted() -> Failure {
    Failure::interrupted("interrupted; what is not settled waits")
        .with_hint("`mirrorctl sync` asks again")
}
