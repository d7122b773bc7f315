//! What a push, a pull or a sync says in the end.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::plan::{Intent, Plan, Removal};
use mirror_core::reconcile::Facts;
use mirror_core::{RelPath, plan};

use super::draw::CycleRequest;
use crate::api::{FileAction, FileFault, FileReport, NoticeKind, SkipReason, Skipped};
use crate::project::commit::append::reports_of_sends;
use crate::project::commit::rereads::Rereads;
use crate::project::held::Held;
use crate::project::merge::Resolutions;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// What should go or come and can't is named.
    pub(crate) fn name_obstructed(&self, request: &CycleRequest<'_>, reporter: &mut Reporter) {
        let unreadable = self.index.skipped().filter(|skipped| {
            let path = RelPath::new(&skipped.path);
            skipped.reason == SkipReason::Unreadable
                && path.is_ok_and(|path| request.selection.matches(&path))
        });
        let unreadable = unreadable.map(|skipped| FileFault {
            path: skipped.path.clone(),
            class: mirror_storage::FaultClass::Permission,
            message: format!("{} can't be read here", skipped.path),
            hint: Some(
                "make it readable for yourself (another login's file: by its owner, `chmod g+r`), \
                 or ignore it"
                    .to_owned(),
            ),
        });
        for fault in unreadable {
            reporter.fault(fault);
        }
        let unmounted = self.index.skipped().filter(|s| s.reason == SkipReason::NotMounted);
        for Skipped { path, .. } in unmounted {
            reporter.fault(FileFault {
                path: path.clone(),
                class: mirror_storage::FaultClass::Permission,
                message: format!(
                    "{path} is not mounted as it was: its files here are left out, and none of \
                     them counts as deleted"
                ),
                hint: Some(format!(
                    "mount it again; `mirrorctl delete {path}` deletes its files for everyone"
                )),
            });
        }
        if request.intent == Intent::Push {
            return;
        }
        for path in self.obstructed_paths(request.selection) {
            reporter.fault(FileFault {
                path: path.as_str().to_owned(),
                class: mirror_storage::FaultClass::Permission,
                message: format!(
                    "{path} can't be written here: something that is not mirrored is in the way"
                ),
                hint: Some("see `mirrorctl status` for what is skipped, and move it".to_owned()),
            });
        }
    }

    /// What would have come and waits for somebody here is named (B16).
    pub(crate) async fn name_held(
        &mut self,
        held: &Held,
        request: &CycleRequest<'_>,
        reporter: &mut Reporter,
    ) {
        if request.intent == Intent::Push {
            return;
        }
        let paths =
            held.open().map(|(path, _)| path).filter(|path| request.selection.matches(path));
        reporter.set_held(paths.cloned().collect());
        if request.auto.is_some() {
            self.tell_held(held, reporter).await;
        }
    }

    /// Gathers what the job could not do, and what people should hear.
    pub(crate) fn conclude(
        &mut self,
        plan: &Plan,
        rereads: &Rereads,
        unsettled: &[RelPath],
        facts: &BTreeMap<RelPath, Facts>,
        reporter: &mut Reporter,
    ) {
        let now = self.now();
        reporter.add_conflicts(conflicts_of(plan));
        reporter.add_faults(rereads.failed.clone());
        let failed: BTreeSet<&str> = rereads.failed.iter().map(|f| f.path.as_str()).collect();
        let named = |path: &&RelPath| !failed.contains(path.as_str());
        for path in unsettled.iter().chain(&rereads.given_up).filter(named) {
            reporter.fault(never_still(path));
        }
        for path in &plan.kept {
            let message = format!(
                "{path} was deleted elsewhere while this machine did not know its state; it stays \
                 here, and is sent only when it is named"
            );
            reporter.notice(NoticeKind::KeptUnknown, Some(path), message, now);
        }
        for notice in &plan.notices {
            let plan::Notice::EditBeatDeletion { path, edited_here } = notice;
            let (edited, deleted) =
                if *edited_here { ("here", "elsewhere") } else { ("elsewhere", "here") };
            let message =
                format!("{path} was deleted {deleted} and edited {edited}: the edit stays");
            reporter.notice(NoticeKind::EditBeatDeletion, Some(path), message, now);
        }
        if !facts.is_empty() {
            self.state.set_root(self.root);
        }
    }
}

/// What a dry run says: the plan as if it had been carried out.
pub(crate) fn preview(plan: &Plan, resolutions: &Resolutions, reporter: &mut Reporter) {
    let mut files: Vec<FileReport> = reports_of_sends(plan.sends.iter()).collect();
    let simple = |path: &RelPath, action| FileReport { path: path.clone(), action, from: None };
    files.extend(plan.deletions.iter().map(report_of_removal));
    files.extend(plan.fetches.iter().map(|f| simple(&f.path, FileAction::Fetched)));
    files.extend(resolutions.paths().map(|(path, action)| simple(path, action)));
    for file in files {
        reporter.file(file);
    }
    reporter.add_conflicts(conflicts_of(plan));
}

pub(crate) fn report_of_removal(removal: &Removal) -> FileReport {
    FileReport { path: removal.path.clone(), action: FileAction::DeletedLocal, from: None }
}

fn never_still(path: &RelPath) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: mirror_storage::FaultClass::Transient,
        message: format!("{path} changed each time it was read"),
        hint: Some("run it again when the program that writes it has finished".to_owned()),
    }
}

/// The paths that wait for a person.
fn conflicts_of(plan: &Plan) -> Vec<RelPath> {
    let clashes = plan.clashes.iter().map(mirror_core::path::Clash::path);
    let mut paths: Vec<RelPath> = plan.diverged.iter().chain(clashes).cloned().collect();
    paths.sort();
    paths.dedup();
    paths
}
