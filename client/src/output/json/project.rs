//! `projects`, `init`, `clone` and `quickstart`.

use mirror_proto::v1::{
    Covered, CoveredFolder, ListProjectsResponse, PauseProjectResponse, ProjectSummary,
    SetUpFinished,
};
use serde_json::{Value, json};

use super::job::{failed, named, notice};
use super::{commit, fault, kept};
use crate::output::words;

pub(crate) fn list(response: &ListProjectsResponse) -> Value {
    let left_over = response.left_over.iter().map(|left| {
        let mut row = kept::versions(&left.kept.clone().unwrap_or_default());
        row["name"] = left.name.as_str().into();
        row["error"] = left.fault.as_ref().map(fault).into();
        row
    });
    json!({
        "projects": response.projects.iter().map(project).collect::<Vec<_>>(),
        "left_over": left_over.collect::<Vec<_>>(),
    })
}

pub(crate) fn set_up(project: &SetUpFinished) -> Value {
    let id = Some(&project.project_id).filter(|id| !id.is_empty());
    json!({
        "project": named(&project.project),
        "project_id": id,
        "root": project.root,
        "url": project.url,
        "joined": project.joined,
        "commit": commit(project.commit),
        "fetched": project.fetched_file_count,
        "conflicts": project.conflicts,
        "held": project.held,
        "failed": project.failed.iter().map(failed).collect::<Vec<_>>(),
        "cancelled": project.cancelled,
        "covered": project.covered.as_ref().map(covered),
        "notices": project.notices.iter().map(notice).collect::<Vec<_>>(),
        "shared_mode": Some(&project.shared_mode).filter(|mode| !mode.is_empty()),
    })
}

pub(crate) fn paused(response: &PauseProjectResponse) -> Value {
    json!({
        "project": response.project,
        "root": response.root,
        "paused": response.paused,
        "changed": response.changed,
        "auto": response.auto,
    })
}

fn covered(covered: &Covered) -> Value {
    let sum = |of: fn(&CoveredFolder) -> u64| covered.folders.iter().map(of).sum::<u64>();
    let folder = |folder: &CoveredFolder| {
        let path = if folder.path.is_empty() { "." } else { folder.path.as_str() };
        json!({"path": path, "files": folder.file_count, "bytes": folder.size_bytes})
    };
    json!({
        "files": sum(|folder| folder.file_count),
        "bytes": sum(|folder| folder.size_bytes),
        "folders": covered.folders.iter().map(folder).collect::<Vec<_>>(),
        "exclude": covered.exclude,
    })
}

fn project(project: &ProjectSummary) -> Value {
    json!({
        "name": project.name,
        "project_id": project.project_id,
        "root": project.root,
        "url": project.url,
        "state": words::project_state(project.state()),
        "error": project.fault.as_ref().map(fault),
    })
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{FailedFile, Fault, FaultClass, LeftOver, ProjectState};

    use super::*;

    #[test]
    fn projects_have_the_promised_shape() {
        let response = ListProjectsResponse {
            projects: vec![ProjectSummary {
                name: "notes".to_owned(),
                project_id: None,
                root: "/n".to_owned(),
                url: "near:b".to_owned(),
                state: ProjectState::Stopped.into(),
                reason: Some("fork".to_owned()),
                fault: None,
            }],
            left_over: vec![LeftOver { name: "old".to_owned(), kept: None, fault: None }],
        };
        assert_eq!(
            list(&response),
            json!({"projects": [{
                "name": "notes", "project_id": null, "root": "/n", "url": "near:b",
                "state": "stopped", "error": null,
            }], "left_over": [{
                "name": "old", "queue": [], "stash": [], "conflicts": [], "unreadable": 0,
                "error": null,
            }]})
        );
    }

    #[test]
    fn set_up_has_the_promised_shape() {
        let finished = SetUpFinished {
            project: "notes".to_owned(),
            project_id: "ab".to_owned(),
            root: "/n".to_owned(),
            url: "near:b".to_owned(),
            joined: true,
            commit: 1,
            fetched_file_count: 12,
            covered: Some(Covered {
                folders: [("", 1, 2), ("a", 3, 10)]
                    .map(|(path, file_count, size_bytes)| CoveredFolder {
                        path: path.to_owned(),
                        file_count,
                        size_bytes,
                    })
                    .into(),
                exclude: vec!["old/**".to_owned()],
            }),
            ..SetUpFinished::default()
        };
        assert_eq!(
            set_up(&finished),
            json!({
                "project": "notes", "project_id": "ab", "root": "/n", "url": "near:b",
                "joined": true, "commit": 1, "fetched": 12, "conflicts": [], "held": [], "failed": [],
                "cancelled": false, "notices": [],
                "covered": {"files": 4, "bytes": 12, "exclude": ["old/**"], "folders": [
                    {"path": ".", "files": 1, "bytes": 2}, {"path": "a", "files": 3, "bytes": 10},
                ]},
                "shared_mode": null,
            })
        );
        assert_eq!(set_up(&SetUpFinished::default())["commit"], Value::Null);
        assert_eq!(set_up(&SetUpFinished::default())["covered"], Value::Null);
    }

    #[test]
    fn set_up_that_was_done_in_part_names_what_is_left() {
        let fault = Fault { class: FaultClass::Permission.into(), ..Fault::default() };
        let finished = SetUpFinished {
            conflicts: vec!["b.md".to_owned()],
            failed: vec![FailedFile { path: "c.md".to_owned(), fault: Some(fault) }],
            ..SetUpFinished::default()
        };
        let printed = set_up(&finished);
        assert_eq!(printed["conflicts"], json!(["b.md"]));
        assert_eq!(printed["failed"][0]["path"], "c.md");
        assert_eq!(printed["failed"][0]["error"]["class"], "permission");
    }
}
