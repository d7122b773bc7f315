//! `watch`: one event a line.

use mirror_proto::v1::WatchEvent;
use mirror_proto::v1::watch_event::Event;
use serde_json::{Value, json};

use super::fault;
use super::history::entry;
use super::job::notice;
use crate::output::words;

pub(crate) fn event(told: &WatchEvent) -> Value {
    let mut shown = json!({
        "event": null, "project": told.project, "time": told.time, "over": told.over,
        "entry": null, "notice": null, "path": null, "error": null, "state": null,
    });
    let (kind, key, value) = match &told.event {
        Some(Event::Commit(commit)) => ("commit", "entry", entry(commit)),
        Some(Event::Notice(told)) => ("notice", "notice", told.notice.as_ref().map(notice).into()),
        Some(Event::Conflict(path)) => ("conflict", "path", path.as_str().into()),
        Some(Event::Held(path)) => ("held", "path", path.as_str().into()),
        Some(Event::Fault(_)) if told.over => ("fault", "error", Value::Null),
        Some(Event::Fault(why)) => ("fault", "error", fault(why)),
        Some(Event::State(_)) => ("state", "state", words::project_state(state_of(told)).into()),
        Some(Event::Begun(_)) | None => return shown,
    };
    shown["event"] = kind.into();
    shown[key] = value;
    shown
}

fn state_of(told: &WatchEvent) -> mirror_proto::v1::ProjectState {
    match told.event {
        Some(Event::State(state)) => state.try_into().unwrap_or_default(),
        _ => mirror_proto::v1::ProjectState::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{CommitSummary, Fault, FaultClass, ProjectState};

    use super::*;

    fn shown(over: bool, kind: Event) -> Value {
        let event = Some(kind);
        event_of(over, event)
    }

    fn event_of(over: bool, kind: Option<Event>) -> Value {
        let (project, time) = ("notes".to_owned(), "once".to_owned());
        event(&WatchEvent { project, time, over, event: kind })
    }

    #[test]
    fn every_event_has_every_key() {
        let told = shown(true, Event::Conflict("a.md".to_owned()));
        assert_eq!(
            told,
            json!({"event": "conflict", "project": "notes", "time": "once", "over": true,
                   "entry": null, "notice": null, "path": "a.md", "error": null, "state": null})
        );
        let commit = CommitSummary { seq: 43, ..CommitSummary::default() };
        assert_eq!(shown(false, Event::Commit(commit))["entry"]["seq"], 43);
        assert_eq!(shown(false, Event::State(ProjectState::Paused.into()))["state"], "paused");
        let fault = Fault { class: FaultClass::Auth.into(), ..Fault::default() };
        assert_eq!(shown(false, Event::Fault(fault))["error"]["class"], "auth");
        assert!(shown(true, Event::Fault(Fault::default()))["error"].is_null());
    }
}
