//! The log for people.

use mirror_core::commit::{Change, Commit};
use mirror_core::plan::Selection;

use crate::api::{ChangeKind, ChangeSummary, CommitSummary, EngineResult, LogPage, LogQuery};
use crate::error::EngineError;
use crate::log::LogEntry;
use crate::project::worker::Worker;

/// So many commits fit a page when nobody says otherwise.
const PAGE: usize = 50;

impl Worker {
    /// Lists commits, newest first. Goes by what was read before when the
    /// backend is away.
    pub(crate) async fn log(&mut self, query: &LogQuery) -> EngineResult<LogPage> {
        if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "log goes by what was read before");
        }
        let limit = if query.limit == 0 { PAGE } else { query.limit };
        let selection = match &query.path {
            Some(path) => Some(self.selection_of(std::slice::from_ref(path)).await),
            None => None,
        };
        let (mut commits, mut next) = (Vec::new(), query.before.unwrap_or(u64::MAX));
        next = next.min(self.log.head() + 1);
        while next > 1 && commits.len() < limit {
            next -= 1;
            let entry = self.log.entry(next).await?;
            if matches(&entry, query, selection.as_ref()) {
                commits.push(summary_of(&entry));
            }
        }
        if let Some(selection) = selection.filter(|_| commits.is_empty())
            && self.refuse_unknown(&selection).is_err()
        {
            // It may have been made since the last look.
            self.observe_disk().await?;
            self.refuse_unknown(&selection)?;
        }
        Ok(LogPage { commits, next_before: (next > 1).then_some(next) })
    }

    fn refuse_unknown(&self, selection: &Selection) -> EngineResult<()> {
        let past = self.log.history().past().paths();
        let checked = selection.check(self.known_paths().chain(past));
        checked.map_err(|error| EngineError::UnknownPaths(error.0))
    }
}

fn matches(entry: &LogEntry, query: &LogQuery, selection: Option<&Selection>) -> bool {
    let Some(commit) = &entry.commit else {
        // What can't be read is shown unless something of it is asked for.
        return query.path.is_none()
            && query.user.is_none()
            && query.since.is_none()
            && query.until.is_none();
    };
    let touches = |change: &Change| {
        selection.is_none_or(|selection| {
            selection.matches(&change.path)
                || change.renamed_from.as_ref().is_some_and(|from| selection.matches(from))
        })
    };
    query.user.as_ref().is_none_or(|user| *user == commit.user)
        && query.since.is_none_or(|since| since <= commit.time)
        && query.until.is_none_or(|until| commit.time <= until)
        && (selection.is_none() || commit.changes.iter().any(touches))
}

pub(crate) fn summary_of(entry: &LogEntry) -> CommitSummary {
    let LogEntry { seq, commit, void, .. } = entry;
    let void = void.clone();
    let Some(commit) = commit else {
        return CommitSummary {
            seq: *seq,
            id: None,
            time: None,
            user: String::new(),
            machine: String::new(),
            action: None,
            tag: None,
            message: None,
            changes: Vec::new(),
            resolved: Vec::new(),
            void,
        };
    };
    let Commit { id, time, user, machine, action, tag, message, .. } = commit.as_ref().clone();
    CommitSummary {
        seq: *seq,
        id: Some(id),
        time: Some(time),
        user,
        machine,
        action: Some(action),
        tag,
        message,
        changes: commit.changes.iter().map(summary_of_change).collect(),
        resolved: commit
            .resolved
            .iter()
            .map(|resolved| {
                (resolved.path.as_str().to_owned(), resolved.strategy.word().to_owned())
            })
            .collect(),
        void,
    }
}

fn summary_of_change(change: &Change) -> ChangeSummary {
    let kind = match (&change.from, &change.to, &change.renamed_from) {
        (_, None, _) => ChangeKind::Deleted,
        (_, Some(_), Some(_)) => ChangeKind::Renamed,
        (None, Some(_), None) => ChangeKind::Added,
        (Some(from), Some(to), None) if *from == to.sha256 => ChangeKind::Mode,
        (Some(_), Some(_), None) => ChangeKind::Modified,
    };
    ChangeSummary {
        path: change.path.as_str().to_owned(),
        kind,
        from: change.renamed_from.as_ref().map(|from| from.as_str().to_owned()),
        sha256: change.to.as_ref().map(|entry| entry.sha256),
        size: change.to.as_ref().map(|entry| entry.size),
    }
}
