//! `daemon status`.

use jiff::Timestamp;
use mirror_proto::v1::{BackendCalls, DaemonDescription, RunningProject};

use super::table;
use crate::output::escape::escape;
use crate::output::measure::{ago, bytes};
use crate::output::paint::Paint;
use crate::output::words;

pub(crate) fn description(daemon: &DaemonDescription, now: Timestamp, paint: Paint) -> String {
    let rows = [
        ("started", ago(&daemon.started_at, now)),
        ("memory", bytes(daemon.rss_bytes)),
        ("machine", format!("{} ({})", daemon.machine, daemon.machine_id)),
        ("user", daemon.user.clone()),
        ("socket", daemon.socket.clone()),
        ("config", daemon.config_folder.clone()),
        ("data", daemon.data_folder.clone()),
        ("state", daemon.state_folder.clone()),
        ("cache", daemon.cache_folder.clone()),
        ("log", daemon.log_file.clone()),
        ("umask", format!("{:04o}", daemon.umask)),
    ]
    .map(|(name, value)| [format!("  {name}"), escape(&value)]);
    let projects: Vec<_> = daemon.projects.iter().map(project).collect();
    let calls: Vec<_> = daemon.backend_calls.iter().map(calls).collect();
    [
        vec![paint.bold(&format!(
            "mirrord {} is running, pid {}, protocol {}",
            escape(&daemon.version),
            daemon.pid,
            daemon.protocol
        ))],
        table(&rows),
        table(&projects),
        table(&calls),
    ]
    .concat()
    .into_iter()
    .map(|line| line + "\n")
    .collect()
}

fn project(project: &RunningProject) -> [String; 5] {
    let state = words::project_state(project.state());
    let wrong = project.fault.as_ref().map(|fault| fault.message.as_str());
    let doing = match (&project.job, project.reason.as_deref().or(wrong)) {
        (Some(job), None) => format!("{state}: {}", escape(job)),
        (Some(job), Some(wrong)) => format!("{state}: {}; {}", escape(job), escape(wrong)),
        (None, Some(wrong)) => format!("{state}: {}", escape(wrong)),
        (None, None) => state,
    };
    let watch = match (project.watched, project.backend_watched) {
        (true, true) => "by events",
        (true, false) => "files by events, backend by polling",
        (false, true) => "files by polling, backend by events",
        (false, false) => "by polling",
    };
    [
        format!("  {}", escape(&project.name)),
        escape(&project.root),
        format!("#{}", project.head),
        watch.to_owned(),
        doing,
    ]
}

fn calls(calls: &BackendCalls) -> [String; 2] {
    let counts = format!(
        "calls: {} stat, {} list, {} read, {} write, {} remove",
        calls.stat_count, calls.list_count, calls.read_count, calls.write_count, calls.remove_count
    );
    [format!("  {}", escape(&calls.name)), counts]
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::ProjectState;

    use super::*;

    #[test]
    fn daemon_tells_what_each_project_does() {
        let daemon = DaemonDescription {
            pid: 123,
            version: "0.1.0".to_owned(),
            protocol: 1,
            projects: vec![RunningProject {
                name: "notes".to_owned(),
                root: "/n\u{1b}".to_owned(),
                state: ProjectState::Busy.into(),
                job: Some("push".to_owned()),
                head: 42,
                watched: true,
                backend_watched: true,
                ..RunningProject::default()
            }],
            ..DaemonDescription::default()
        };

        let text = description(&daemon, Timestamp::UNIX_EPOCH, Paint::PLAIN);

        assert!(text.starts_with("mirrord 0.1.0 is running, pid 123, protocol 1\n"), "{text}");
        let line = "\n  notes  /n\\u{1b}  #42  by events  busy: push\n";
        assert!(text.ends_with(line), "{text}");
    }
}
