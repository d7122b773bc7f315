//! One part and one file of it: what would become of it, and doing that.

use serde_json::{Value, json};

use super::enable;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::install::{Change, How, Installation, Offer, Way, unified};
use crate::output::text::install as text;
use crate::paths;
use crate::service::Service;

/// Lines around a change of the service's file, which is ours.
const CONTEXT: usize = 2;

#[derive(Debug)]
pub(super) struct Step {
    offer: Offer,
    pub(super) plan: Plan,
    file: Option<String>,
    diff: String,
}

#[derive(Debug)]
pub(super) enum Plan {
    /// There is nothing to do, and why.
    Settled {
        change: &'static str,
        why: String,
    },
    Service {
        is_removal: bool,
    },
    File(Change),
}

/// How a step ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) exit: Exit,
    pub(super) document: Value,
}

/// What carries steps out.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) way: Way,
    pub(super) installation: Installation,
    pub(super) service: Service,
}

impl Hand {
    pub(super) fn plan(&self, offers: Vec<Offer>) -> Result<Vec<Step>, Failure> {
        offers.into_iter().map(|offer| self.step(offer)).collect()
    }

    fn step(&self, offer: Offer) -> Result<Step, Failure> {
        let settled = |offer, change, why: String| Step {
            offer,
            plan: Plan::Settled { change, why },
            file: None,
            diff: String::new(),
        };
        let entry = match &offer.how {
            How::LeftOut { why, .. } => {
                let why = why.clone();
                return Ok(settled(offer, "left_out", why));
            }
            How::Service => return Ok(self.service_step(offer, settled)),
            How::File(entry) => entry,
        };
        let change = match self.installation.change(entry, self.way) {
            Ok(change) => change,
            // Nothing of ours is known to be in it: that is no reason to leave the rest.
            Err(failure) if self.way == Way::Out && !self.installation.knows(entry) => {
                return Ok(settled(offer, "left_out", failure.fault.message));
            }
            Err(failure) => return Err(failure),
        };
        let file = Some(change.file.to_string_lossy().into_owned());
        let mut step = match (change.is_none(), change.was_changed) {
            (true, true) => settled(offer, "left_out", "changed since; it stays".to_owned()),
            (true, false) => settled(offer, "none", self.as_it_should_be().to_owned()),
            (false, _) => {
                let diff = entry.diff(&change);
                Step { offer, plan: Plan::File(change), file: None, diff }
            }
        };
        step.file = file;
        Ok(step)
    }

    /// A unit that is not ours stays, and is no reason to do nothing else.
    fn service_step(
        &self,
        offer: Offer,
        settled: impl Fn(Offer, &'static str, String) -> Step,
    ) -> Step {
        let before = match self.service.written() {
            Ok(before) => before,
            Err(failure) => return settled(offer, "left_out", failure.fault.message),
        };
        let after = (self.way == Way::In).then(|| self.service.text.clone());
        let file = Some(self.service.file.to_string_lossy().into_owned());
        if before == after && (self.way == Way::Out || self.service.is_linked()) {
            let step = settled(offer, "none", self.as_it_should_be().to_owned());
            return Step { file, ..step };
        }
        let [old, new] = [&before, &after].map(|text| text.as_deref().unwrap_or_default());
        let diff = unified(old, new, CONTEXT);
        Step { offer, plan: Plan::Service { is_removal: self.way == Way::Out }, file, diff }
    }

    fn as_it_should_be(&self) -> &'static str {
        match self.way {
            Way::In => "is as it should be",
            Way::Out => "nothing of ours is there",
        }
    }

    pub(super) async fn carry_out(
        &mut self,
        step: &Step,
        context: &Context,
    ) -> Result<Done, Failure> {
        let How::File(entry) = &step.offer.how else {
            return self.carry_out_service(step, context).await;
        };
        let (change, kept) = self.installation.carry_out(entry, self.way)?;
        let backup = kept.map(|kept| kept.to_string_lossy().into_owned());
        let file = paths::shown(&change.file);
        let shown = backup.as_deref().map(|backup| paths::shown(backup.as_ref()));
        context.output.say(|_| text::done(&file, change.after.is_none(), shown.as_deref()))?;
        let mut done = step.done(step.change());
        done.document["backup"] = json!(backup);
        Ok(done)
    }

    async fn carry_out_service(&self, step: &Step, context: &Context) -> Result<Done, Failure> {
        let (exit, said) = match self.way {
            Way::In => enable::write(&self.service, context).await?,
            Way::Out => (Exit::Done, enable::take_back(&self.service)?),
        };
        context.output.say(|_| said)?;
        Ok(Done { exit, ..step.done(step.change()) })
    }
}

impl Step {
    /// What would become of the file, or became of it.
    pub(super) fn change(&self) -> &'static str {
        match &self.plan {
            Plan::Settled { change, .. } => change,
            Plan::Service { is_removal: true } => "removed",
            Plan::File(change) if change.after.is_none() => "removed",
            Plan::Service { .. } | Plan::File(_) => "written",
        }
    }

    pub(super) fn done(&self, change: &str) -> Done {
        let why = match &self.plan {
            Plan::Settled { why, .. } => Some(why),
            Plan::Service { .. } | Plan::File(_) => None,
        };
        let document = json!({
            "part": self.offer.part.name(),
            "file": self.file,
            "change": change,
            "why": why,
            "diff": self.diff,
            "backup": null,
        });
        Done { exit: Exit::Done, document }
    }

    pub(super) fn told(&self) -> text::Proposal<'_> {
        text::Proposal {
            part: self.offer.part.name(),
            purpose: &self.offer.purpose,
            file: self.file.as_deref().map(|file| paths::shown(file.as_ref())),
            diff: &self.diff,
        }
    }
}
