//! What is to be known of the very file that a model is about to use, or has written.

use std::collections::HashMap;
use std::io::Read as _;

use mirror_core::RelPath;
use mirror_core::history::Placed;
use mirror_core::readers::{EventKind, Fact, Session};

use crate::api::{ChangedBy, EngineResult, FileNews, Heard, ToldFile};
use crate::outside::Tree;
use crate::project::worker::Worker;

/// A larger file is not compared: a hook has no time for it.
const LARGEST: u64 = 512 << 10;

/// So many files of one event are looked at.
const MOST_FILES: usize = 50;

impl Worker {
    /// What has not been said of the files of an event, each with what says so.
    pub(super) async fn news_of_files(
        &self,
        session: &Session,
        heard: &Heard,
    ) -> EngineResult<Vec<(Fact, ToldFile)>> {
        let is_asked = matches!(heard.event.kind, EventKind::BeforeTool | EventKind::Prompt)
            || heard.event.kind == EventKind::AfterTool && heard.is_write;
        let mut news = Vec::new();
        for path in heard.files.iter().take(MOST_FILES).filter(|_| is_asked) {
            news.extend(self.conflict_news(path));
            match self.behind(path).await? {
                Some(behind) => news.push(behind),
                None if heard.event.kind == EventKind::AfterTool => {
                    news.extend(self.replaced(session, path).await?);
                }
                None => {}
            }
        }
        news.retain(|(fact, _)| !session.has_said(fact));
        Ok(news)
    }

    fn conflict_news(&self, path: &RelPath) -> Option<(Fact, ToldFile)> {
        let (path, since) = self.waiting().find(|(waiting, _)| waiting == path)?;
        let told = ToldFile { path: path.clone(), what: FileNews::Conflict, by: None };
        Some((Fact::Conflict { path, since }, told))
    }

    /// What the head has of a path and this tree has not, if others made it.
    async fn behind(&self, path: &RelPath) -> EngineResult<Option<(Fact, ToldFile)>> {
        let history = self.log.history();
        let (seq, what) = match history.manifest().get(path) {
            Some(Placed { seq, .. }) => (*seq, FileNews::Behind),
            None => match history.past_of(path).next() {
                Some(version) => (version.until, FileNews::DeletedThere),
                None => return Ok(None),
            },
        };
        if !self.lacks(path, seq) || self.news_at(seq).await?.is_none() {
            return Ok(None);
        }
        let told = ToldFile { path: path.clone(), what, by: self.made_by(seq) };
        Ok(Some((Fact::Behind { path: path.clone(), seq }, told)))
    }

    fn made_by(&self, seq: u64) -> Option<ChangedBy> {
        let snapshot = self.log.history().snapshots().get(&seq)?;
        let (user, machine) = (snapshot.user.clone(), snapshot.machine.clone());
        Some(ChangedBy { user, machine, seq, time: snapshot.time })
    }

    /// Whether a write took away lines that others brought since the session began.
    async fn replaced(
        &self,
        session: &Session,
        path: &RelPath,
    ) -> EngineResult<Option<(Fact, ToldFile)>> {
        let Some(placed) = self.log.history().manifest().get(path) else { return Ok(None) };
        let seq = placed.seq;
        let fact = Fact::Replaced { path: path.clone(), seq };
        let is_news = !session.was_before(seq) && !session.has_said(&fact);
        if !is_news || placed.entry.size > LARGEST || self.news_at(seq).await?.is_none() {
            return Ok(None);
        }
        // From here alone: a content that is not at hand is not fetched for this.
        let Some(brought) = self.fetcher.cache.get(placed.entry.sha256).await else {
            return Ok(None);
        };
        let before = self.log.history().past_of(path).next();
        let before = match before.filter(|version| version.until == seq) {
            Some(version) => self.fetcher.cache.get(version.entry.sha256).await,
            None => None,
        };
        let (tree, at) = (self.parts.tree.clone(), path.clone());
        let now = self.parts.outside.offload(move || read_here(tree.as_ref(), &at)).await;
        let is_lost = now
            .is_some_and(|now| loses_lines(before.as_deref().unwrap_or_default(), &brought, &now));
        let told = ToldFile { path: path.clone(), what: FileNews::Replaced, by: self.made_by(seq) };
        Ok(is_lost.then_some((fact, told)))
    }
}

fn read_here(tree: &dyn Tree, path: &RelPath) -> Option<Vec<u8>> {
    let (stamp, content) = tree.open(path).ok()??;
    let mut bytes = Vec::new();
    content.take(LARGEST).read_to_end(&mut bytes).ok()?;
    (stamp.size <= LARGEST).then_some(bytes)
}

/// Whether a line that came between `before` and `brought` is not in `now`.
fn loses_lines(before: &[u8], brought: &[u8], now: &[u8]) -> bool {
    let mut counts: HashMap<&[u8], i64> = HashMap::new();
    for line in lines(brought) {
        *counts.entry(line).or_default() += 1;
    }
    for line in lines(before) {
        counts.entry(line).and_modify(|count| *count -= 1);
    }
    counts.retain(|_, count| *count > 0);
    let mut here: HashMap<&[u8], i64> = HashMap::new();
    for line in lines(now) {
        *here.entry(line).or_default() += 1;
    }
    counts.into_keys().any(|line| !here.contains_key(line))
}

/// Without blank ones, which nobody calls theirs.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, brought: &str, now: &str, expected: bool) {
        let [before, brought, now] = [before, brought, now].map(str::as_bytes);
        assert_eq!(loses_lines(before, brought, now), expected);
    }

    #[test]
    fn lines_that_others_brought_are_missed_and_no_others() {
        check("a\n", "a\nb\n", "a\n", true);
        check("a\n", "a\nb\n", "b\nc\n", false);
        check("a\n", "b\n", "c\n", true);
        check("a\nb\n", "a\n", "c\n", false);
        check("", "a\n", "a\r\n", false);
        check("a\n\n", "a\n\n\n", "a\n", false);
    }
}
