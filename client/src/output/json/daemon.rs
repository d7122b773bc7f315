//! `daemon status`.

use mirror_proto::v1::{BackendCalls, DaemonDescription, RunningProject};
use serde_json::{Map, Value, json};

use super::fault;
use crate::output::words;

pub(crate) fn description(daemon: &DaemonDescription) -> Value {
    json!({
        "running": true,
        "pid": daemon.pid,
        "version": daemon.version,
        "protocol": daemon.protocol,
        "started_at": daemon.started_at,
        "socket": daemon.socket,
        "home": {
            "config": daemon.config_folder,
            "state": daemon.state_folder,
            "cache": daemon.cache_folder,
            "data": daemon.data_folder,
        },
        "machine": daemon.machine,
        "machine_id": daemon.machine_id,
        "user": daemon.user,
        "rss_bytes": daemon.rss_bytes,
        "umask": format!("{:04o}", daemon.umask),
        "log_file": daemon.log_file,
        "projects": daemon.projects.iter().map(project).collect::<Vec<_>>(),
        "backend_calls": daemon.backend_calls.iter().map(calls).collect::<Map<_, _>>(),
    })
}

fn project(project: &RunningProject) -> Value {
    json!({
        "name": project.name,
        "root": project.root,
        "state": words::project_state(project.state()),
        "reason": project.reason,
        "job": project.job,
        "head": project.head,
        "watch": if project.watched { "events" } else { "polling" },
        "backend_watch": if project.backend_watched { "events" } else { "polling" },
        "error": project.fault.as_ref().map(fault),
    })
}

fn calls(calls: &BackendCalls) -> (String, Value) {
    let counts = json!({
        "stat": calls.stat_count,
        "list": calls.list_count,
        "read": calls.read_count,
        "write": calls.write_count,
        "remove": calls.remove_count,
    });
    (calls.name.clone(), counts)
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::ProjectState;

    use super::*;

    #[test]
    fn daemon_has_the_promised_shape() {
        let daemon = DaemonDescription {
            pid: 123,
            version: "0.1.0".to_owned(),
            protocol: 1,
            started_at: "2026-04-15T10:00:00Z".to_owned(),
            socket: "/s".to_owned(),
            config_folder: "/c".to_owned(),
            state_folder: "/st".to_owned(),
            cache_folder: "/ca".to_owned(),
            data_folder: "/d".to_owned(),
            machine: "laptop".to_owned(),
            machine_id: "01J".to_owned(),
            user: "u".to_owned(),
            rss_bytes: 1,
            log_file: "/l".to_owned(),
            projects: vec![RunningProject {
                name: "notes".to_owned(),
                root: "/n".to_owned(),
                state: ProjectState::Busy.into(),
                reason: None,
                job: Some("push".to_owned()),
                head: 42,
                watched: true,
                backend_watched: false,
                fault: None,
            }],
            backend_calls: vec![BackendCalls {
                name: "notes/primary".to_owned(),
                stat_count: 1,
                list_count: 0,
                read_count: 2,
                write_count: 2,
                remove_count: 0,
            }],
            umask: 0o22,
        };
        assert_eq!(
            description(&daemon),
            json!({
                "running": true, "pid": 123, "version": "0.1.0", "protocol": 1,
                "started_at": "2026-04-15T10:00:00Z", "socket": "/s",
                "home": {"config": "/c", "state": "/st", "cache": "/ca", "data": "/d"},
                "machine": "laptop", "machine_id": "01J", "user": "u", "rss_bytes": 1,
                "log_file": "/l", "umask": "0022",
                "projects": [{
                    "name": "notes", "root": "/n", "state": "busy", "reason": null,
                    "job": "push", "head": 42, "watch": "events",
                    "backend_watch": "polling", "error": null,
                }],
                "backend_calls": {"notes/primary": {
                    "stat": 1, "list": 0, "read": 2, "write": 2, "remove": 0,
                }},
            })
        );
    }
}
