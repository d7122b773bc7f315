//! What a push, a pull or a sync says in the end.

use std::collections::BTreeMap;

use mirror_core::RelPath;
use mirror_core::plan::{self, Intent, Plan, Removal, Send};
use mirror_core::reconcile::Facts;

use super::commit::Committing;
use super::merging::Settlement;
use super::rounds::Errand;
use super::worker::{Telling, Worker};
use crate::api::{FileAction, FileFault, FileReport, NoticeKind, SkipReason};

impl Worker {
    /// What should go or come and can't is named.
    pub(super) fn name_obstructed(&self, errand: &Errand<'_>, telling: &mut Telling) {
        let unreadable = self.index.skipped().filter(|skipped| {
            let path = RelPath::new(&skipped.path);
            skipped.reason == SkipReason::Unreadable
                && path.is_ok_and(|path| errand.selection.matches(&path))
        });
        telling.report.failed.extend(unreadable.map(|skipped| FileFault {
            path: skipped.path.clone(),
            class: mirror_storage::FaultClass::Permission,
            message: format!("{} can't be read here", skipped.path),
            hint: Some("make it readable for yourself, or ignore it".to_owned()),
        }));
        if errand.intent == Intent::Push {
            return;
        }
        for path in self.obstructed(errand.selection) {
            telling.report.failed.push(FileFault {
                path: path.as_str().to_owned(),
                class: mirror_storage::FaultClass::Permission,
                message: format!(
                    "{path} can't be written here: something that is not mirrored is in the way"
                ),
                hint: Some("see `mirrorctl status` for what is skipped, and move it".to_owned()),
            });
        }
    }

    /// Gathers what the job could not do, and what people should hear.
    pub(super) fn conclude(
        &mut self,
        plan: &Plan,
        committing: &Committing,
        unsettled: &[RelPath],
        facts: &BTreeMap<RelPath, Facts>,
        telling: &mut Telling,
    ) {
        let now = self.now();
        telling.report.conflicts = conflicts_of(plan);
        telling.report.failed.extend(committing.failed.iter().cloned());
        let named = |path: &&RelPath| !committing.failed.iter().any(|f| f.path == path.as_str());
        for path in unsettled.iter().chain(&committing.given_up).filter(named) {
            telling.report.failed.push(never_still(path));
        }
        for path in &plan.kept {
            let message = format!(
                "{path} was deleted elsewhere while this machine did not know its state; it stays \
                 here, and is sent only when it is named"
            );
            telling.notice(NoticeKind::KeptUnknown, Some(path), message, now);
        }
        for notice in &plan.notices {
            let plan::Notice::EditBeatDeletion { path, edited_here } = notice;
            let (edited, deleted) =
                if *edited_here { ("here", "elsewhere") } else { ("elsewhere", "here") };
            let message =
                format!("{path} was deleted {deleted} and edited {edited}: the edit stays");
            telling.notice(NoticeKind::EditBeatDeletion, Some(path), message, now);
        }
        telling.report.files.sort_by(|left, right| left.path.cmp(&right.path));
        if !facts.is_empty() {
            self.state.set_root(self.root);
        }
    }
}

/// What a dry run says: the plan as if it had been carried out.
pub(super) fn preview(plan: &Plan, settlement: &Settlement, telling: &mut Telling) {
    let mut files: Vec<FileReport> = plan.sends.iter().map(report_of_send).collect();
    let simple = |path: &RelPath, action| FileReport { path: path.clone(), action, from: None };
    files.extend(plan.deletions.iter().map(report_of_removal));
    files.extend(plan.fetches.iter().map(|f| simple(&f.path, FileAction::Fetched)));
    files.extend(settlement.paths().map(|(path, action)| simple(path, action)));
    files.sort_by(|left, right| left.path.cmp(&right.path));
    telling.report.files = files;
    telling.report.conflicts = conflicts_of(plan);
}

pub(super) fn report_of_send(send: &Send) -> FileReport {
    let action = match (&send.to, &send.renamed_from) {
        (None, _) => FileAction::DeletedRemote,
        (Some(_), Some(_)) => FileAction::Renamed,
        (Some(_), None) => FileAction::Sent,
    };
    FileReport { path: send.path.clone(), action, from: send.renamed_from.clone() }
}

pub(super) fn report_of_removal(removal: &Removal) -> FileReport {
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
