//! The log for people.

use mirror_core::commit::Change;
use mirror_core::plan::Selection;

use crate::api::{EngineResult, LogPage, LogQuery};
use crate::error::EngineError;
use crate::log::LogEntry;
use crate::project::worker::Worker;
use crate::project::worker::followers::summary_of;

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
        let selection = query.path.as_ref().map(|path| Selection::of(&[path]));
        let (mut commits, mut next) = (Vec::new(), query.before.unwrap_or(u64::MAX));
        next = next.min(self.log.head() + 1);
        while next > 1 && commits.len() < limit {
            next -= 1;
            let entry = self.log.entry(next).await?;
            if matches(&entry, query, selection.as_ref()) {
                commits.push(summary_of(&entry));
            }
        }
        if let Some(selection) = selection.filter(|_| commits.is_empty()) {
            let past = self.log.history().past().iter().map(|past| &past.path);
            selection
                .check(self.known_paths().chain(past))
                .map_err(|error| EngineError::UnknownPaths(error.0))?;
        }
        Ok(LogPage { commits, next_before: (next > 1).then_some(next) })
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
