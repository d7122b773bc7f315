//! What a watch was told of each project, for the daemon that takes up after this one:
//! nothing is told twice, and nothing left out.

use std::collections::BTreeMap;

use mirror_proto::v1::watch_event::Event;
use mirror_proto::v1::{WatchEvent, WatchedSoFar};

#[derive(Debug, Default)]
pub(crate) struct KnownProjects(BTreeMap<String, WatchedSoFar>);

impl KnownProjects {
    /// Notes an event; `true` where that is all it is for.
    pub(crate) fn take(&mut self, event: &WatchEvent) -> bool {
        let known = self.0.entry(event.project.clone()).or_default();
        known.project.clone_from(&event.project);
        match &event.event {
            Some(Event::Begun(begun)) => {
                (known.commit, known.notice) = (begun.commit, begun.notice);
                return true;
            }
            Some(Event::Commit(commit)) => known.commit = known.commit.max(commit.seq),
            Some(Event::Notice(notice)) => known.notice = known.notice.max(notice.number),
            Some(Event::Conflict(path)) => note(&mut known.conflicts, path, event.over),
            Some(Event::Held(path)) => note(&mut known.held, path, event.over),
            Some(Event::Fault(fault)) => known.fault = (!event.over).then_some(fault.class),
            Some(Event::State(state)) => known.state = *state,
            None => return true,
        }
        false
    }

    /// As a daemon is told it.
    pub(crate) fn as_told(&self) -> Vec<WatchedSoFar> {
        self.0.values().cloned().collect()
    }
}

fn note(paths: &mut Vec<String>, path: &str, is_over: bool) {
    paths.retain(|known| known != path);
    if !is_over {
        paths.push(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::CommitSummary;

    use super::*;

    #[test]
    fn next_daemon_is_told_what_is_known() {
        let mut known = KnownProjects::default();
        let of = |over, event| WatchEvent {
            project: "notes".to_owned(),
            over,
            event: Some(event),
            ..WatchEvent::default()
        };
        let begun = WatchedSoFar { commit: 4, notice: 2, ..WatchedSoFar::default() };
        assert!(known.take(&of(false, Event::Begun(begun))));
        let commit = CommitSummary { seq: 5, ..CommitSummary::default() };
        assert!(!known.take(&of(false, Event::Commit(commit))));
        known.take(&of(false, Event::Conflict("a.md".to_owned())));
        known.take(&of(false, Event::Conflict("b.md".to_owned())));
        known.take(&of(true, Event::Conflict("a.md".to_owned())));

        let [told] = &known.as_told()[..] else { panic!("one project") };
        assert_eq!((told.project.as_str(), told.commit, told.notice), ("notes", 5, 2));
        assert_eq!(told.conflicts, ["b.md"]);
    }
}
