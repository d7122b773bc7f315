//! `projects`, `init`, `clone` and `quickstart`.

use mirror_proto::v1::{
    Covered, CoveredFolder, LeftOver, ListProjectsResponse, PauseProjectResponse, ProjectState,
    ProjectSummary, SetUpFinished,
};

use super::{bounded, conflicts, failed, fault, held, job, stash, table};
use crate::output::escape::escape;
use crate::output::measure::bytes;
use crate::output::paint::Paint;
use crate::output::words;

pub(crate) fn list(response: &ListProjectsResponse, paint: Paint) -> String {
    let left_over = response.left_over.iter().map(|left| left_over(left, paint));
    let left_over: String = left_over.collect();
    if response.projects.is_empty() {
        let none = "no projects; `mirrorctl quickstart` or `mirrorctl init` makes one\n";
        return none.to_owned() + &left_over;
    }
    let rows: Vec<_> = response.projects.iter().map(row).collect();
    table(&rows).into_iter().map(|line| line + "\n").collect::<String>() + &left_over
}

fn left_over(left: &LeftOver, paint: Paint) -> String {
    let name = escape(&left.name);
    if let Some(fault) = &left.fault {
        return format!(
            "{name} is not mirrored any more, and what it keeps is not known: {}\n",
            escape(&fault.message)
        ) + &fault::hint(fault, paint);
    }
    let kept = left.kept.clone().unwrap_or_default();
    let lists = [
        (!kept.stashed.is_empty(), "stash list"),
        (!kept.pushes.is_empty(), "queue list"),
        (!kept.conflicts.is_empty(), "conflict list"),
    ];
    let lists = lists.iter().filter(|(is_any, _)| *is_any);
    let lists = lists.map(|(_, list)| format!("`mirrorctl --project {name} {list}`"));
    let lists: Vec<_> = lists.collect();
    let see = if lists.is_empty() { String::new() } else { format!(": see {}", lists.join(", ")) };
    format!("{name} is not mirrored any more, and keeps {}{see}\n", stash::counted(&kept))
}

fn row(project: &ProjectSummary) -> [String; 4] {
    let state = words::project_state(project.state());
    let wrong = project.fault.as_ref().map(|fault| escape(&fault.message));
    let state = match (&project.reason, project.state(), wrong) {
        (Some(reason), ProjectState::Paused | ProjectState::Stopped | ProjectState::Consent, _) => {
            format!("{state}: {}", escape(reason))
        }
        (_, _, Some(wrong)) => format!("{state}: {wrong}"),
        _ => state,
    };
    [escape(&project.name), escape(&project.root), escape(&project.url), state]
}

/// What a project was set up from, and how it went. Problems are always said.
pub(crate) fn set_up(project: &SetUpFinished, is_quiet: bool, paint: Paint) -> String {
    let problems = conflicts(&project.conflicts, paint)
        + &failed(&project.failed, paint)
        + &held::left(&project.held, paint);
    if is_quiet {
        return problems;
    }
    if project.cancelled && project.project_id.is_empty() {
        return format!("{} nothing was made\n", paint.yellow("cancelled:"));
    }
    let how = match (project.already_there, project.joined) {
        (true, _) => "is there already",
        (false, true) => "joined",
        (false, false) => "made",
    };
    let head = match project.commit {
        0 => String::new(),
        seq => format!(" at #{seq}"),
    };
    let counts = [(project.fetched_file_count, "fetched"), (project.sent_file_count, "sent")];
    let parts: Vec<_> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let mut text = format!(
        "{} {}{head}\n  folder   {}\n  backend  {}\n",
        paint.bold(&escape(&project.project)),
        paint.green(how),
        escape(&project.root),
        escape(&project.url),
    );
    if !parts.is_empty() {
        text += &bounded(vec![format!("  files    {}", parts.join(", "))]);
    }
    text += match project.shared_mode.as_str() {
        "group" => "  shared   with the group of the backend's folder\n",
        "world" => "  shared   with everybody who may enter the backend's folder\n",
        _ => "",
    };
    text += &bounded(project.notices.iter().map(|notice| job::told(notice, paint)).collect());
    text + &problems + &cancelled(project, paint)
}

/// Whether a project does anything by itself from now on.
pub(crate) fn paused(response: &PauseProjectResponse, paint: Paint) -> String {
    let what = match (response.paused, response.changed, response.auto.as_str()) {
        (true, false, _) => "was paused before".to_owned(),
        (true, true, _) => {
            format!("{}; `mirrorctl resume` ends that", paint.yellow("does nothing by itself"))
        }
        (false, false, _) => "was not paused".to_owned(),
        (false, true, "off") => "goes on; files go when you ask (auto is off)".to_owned(),
        (false, true, auto) => format!("goes on by itself (auto is {})", escape(auto)),
    };
    format!("{} {what}\n", paint.bold(&escape(&response.project)))
}

/// What a project takes of a folder, by the folders at its root.
pub(crate) fn covered(covered: &Covered, paint: Paint) -> String {
    let (mut files, mut size) = (0, 0);
    for folder in &covered.folders {
        files += folder.file_count;
        size += folder.size_bytes;
    }
    let row = |folder: &CoveredFolder| {
        let path = if folder.path.is_empty() { "." } else { folder.path.as_str() };
        let files = match folder.file_count {
            1 => "1 file".to_owned(),
            count => format!("{count} files"),
        };
        [format!("  {}", escape(path)), files, bytes(folder.size_bytes)]
    };
    let rows: Vec<_> = covered.folders.iter().map(row).collect();
    let mut text = match files {
        0 => "no file here is to be mirrored yet\n".to_owned(),
        1 => format!("{} 1 file, {}\n", paint.bold("to be mirrored:"), bytes(size)),
        files => format!("{} {files} files, {}\n", paint.bold("to be mirrored:"), bytes(size)),
    };
    text += &bounded(table(&rows));
    if !covered.exclude.is_empty() {
        let line = format!("  left out: {}", escape(&covered.exclude.join(" ")));
        text += &format!("{}\n", paint.dim(&line));
    }
    text
}

/// What is set up by then stays.
fn cancelled(project: &SetUpFinished, paint: Paint) -> String {
    match project.cancelled {
        true => format!(
            "{} the same command goes on from here; `mirrorctl remove {}` takes it back\n",
            paint.yellow("cancelled:"),
            escape(&project.project)
        ),
        false => String::new(),
    }
}

/// What a person who has just started may want to do.
pub(crate) fn next_steps(project: &SetUpFinished) -> String {
    let steps = [
        (format!("cd {}", escape(&project.root)), ""),
        ("mirrorctl status".to_owned(), "what differs"),
        ("mirrorctl push".to_owned(), "commit what changed here"),
        ("mirrorctl log".to_owned(), "every version, newest first"),
        ("mirrorctl init DIR --to URL".to_owned(), "mirror a folder of your own"),
    ];
    let width = "mirrorctl init DIR --to URL".len();
    let lines = steps.map(|(step, why)| format!("  {step:<width$}  {why}").trim_end().to_owned());
    format!("Next:\n{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::Fault;

    use super::*;

    #[test]
    fn set_up_says_what_was_made_of_what() {
        let project = SetUpFinished {
            project: "notes".to_owned(),
            root: "/n".to_owned(),
            url: "near:b".to_owned(),
            joined: true,
            commit: 7,
            fetched_file_count: 12,
            conflicts: vec!["a.md".to_owned()],
            ..SetUpFinished::default()
        };
        assert_eq!(
            set_up(&project, false, Paint::PLAIN),
            "notes joined at #7\n  folder   /n\n  backend  near:b\n  files    12 fetched\n  \
             changed on both sides, left as it is: a.md\n"
        );
    }

    #[test]
    fn pause_says_how_it_ends_and_what_goes_on_then() {
        let says = |is_paused, changed, auto: &str| {
            let (project, auto) = ("a\u{1b}".to_owned(), auto.to_owned());
            let root = String::new();
            let response = PauseProjectResponse { project, root, paused: is_paused, changed, auto };
            paused(&response, Paint::PLAIN)
        };
        let name = "a\\u{1b}";
        let begun = "does nothing by itself; `mirrorctl resume` ends that";
        assert_eq!(says(true, true, "both"), format!("{name} {begun}\n"));
        assert_eq!(says(true, false, "both"), format!("{name} was paused before\n"));
        assert_eq!(says(false, true, "both"), format!("{name} goes on by itself (auto is both)\n"));
        let asked = "goes on; files go when you ask (auto is off)";
        assert_eq!(says(false, true, "off"), format!("{name} {asked}\n"));
        assert_eq!(says(false, false, "off"), format!("{name} was not paused\n"));
    }

    #[test]
    fn what_will_be_mirrored_is_said_by_top_folder() {
        let folder = |path: &str, file_count| CoveredFolder {
            path: path.to_owned(),
            file_count,
            size_bytes: 1_000,
        };
        let found = Covered {
            folders: vec![folder("", 1), folder("notes", 12)],
            exclude: vec!["**/dist/**".to_owned(), "**/build/**".to_owned()],
        };
        assert_eq!(
            covered(&found, Paint::PLAIN),
            "to be mirrored: 13 files, 2.0 kB\n  .      1 file    1.0 kB\n  \
             notes  12 files  1.0 kB\n  left out: **/dist/** **/build/**\n"
        );
        assert_eq!(
            covered(&Covered::default(), Paint::PLAIN),
            "no file here is to be mirrored yet\n"
        );
    }

    #[test]
    fn stopped_project_says_why() {
        let response = ListProjectsResponse {
            projects: vec![ProjectSummary {
                name: "notes".to_owned(),
                root: "/n".to_owned(),
                url: "near:b".to_owned(),
                state: ProjectState::Stopped.into(),
                reason: Some("the log forked".to_owned()),
                ..ProjectSummary::default()
            }],
            left_over: Vec::new(),
        };
        let said = "notes  /n  near:b  stopped: the log forked\n";
        assert_eq!(list(&response, Paint::PLAIN), said);
    }

    #[test]
    fn backend_that_is_away_and_what_can_not_be_looked_at_are_said() {
        let fault = |message: &str| Fault { message: message.to_owned(), ..Fault::default() };
        let response = ListProjectsResponse {
            projects: vec![ProjectSummary {
                name: "notes".to_owned(),
                root: "/n".to_owned(),
                url: "near:b".to_owned(),
                state: ProjectState::Idle.into(),
                fault: Some(fault("storage is unreachable")),
                ..ProjectSummary::default()
            }],
            left_over: vec![LeftOver {
                name: "old".to_owned(),
                kept: None,
                fault: Some(Fault { hint: Some("open it".to_owned()), ..fault("no permission") }),
            }],
        };
        assert_eq!(
            list(&response, Paint::PLAIN),
            "notes  /n  near:b  idle: storage is unreachable\n\
             old is not mirrored any more, and what it keeps is not known: no permission\n\
             hint: open it\n"
        );
    }
}
