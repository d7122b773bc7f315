//! `conflict`, and what a person is shown before they decide.

use jiff::Timestamp;
use mirror_proto::v1::{
    Conflict, ConflictDetail, ConflictKind, JobFinished, ListConflictsResponse,
};

use super::{bounded, conflicts, three_way as places};
use crate::output::escape::escape;
use crate::output::measure::{ago, bytes};
use crate::output::paint::Paint;

pub(crate) fn list(listed: &ListConflictsResponse, now: Timestamp, paint: Paint) -> String {
    if listed.conflicts.is_empty() {
        return "no conflicts\n".to_owned();
    }
    let line = |conflict: &Conflict| {
        let header = header(conflict, paint);
        let written = match conflict.outside {
            true => format!("  local   {}\n", local(conflict)),
            false => String::new(),
        };
        format!("{header}\n{written}  remote  {}", remote(conflict, now))
    };
    bounded(listed.conflicts.iter().map(line).collect()) + &hint(paint)
}

/// What `conflict show` says to a person.
pub(crate) fn whole(detail: &ConflictDetail, now: Timestamp, paint: Paint) -> String {
    let path = detail.conflict.as_ref().map_or("", |conflict| conflict.path.as_str());
    let hint = format!(
        "{} `mirrorctl sync` asks; or settle it with `mirrorctl conflict take {path} local|remote` \
         or `conflict apply`\n",
        paint.cyan("hint:"),
        path = escape(path)
    );
    three_way(detail, now, paint) + &hint
}

/// Who made which version, and each place where they differ.
pub(crate) fn three_way(detail: &ConflictDetail, now: Timestamp, paint: Paint) -> String {
    let conflict = detail.conflict.clone().unwrap_or_default();
    let mut text = header(&conflict, paint) + "\n";
    let said = [
        ("base", side(conflict.base.as_ref(), detail.base_content.as_ref(), base(&conflict))),
        ("local", side(conflict.local.as_ref(), detail.local_content.as_ref(), local(&conflict))),
        (
            "remote",
            side(conflict.remote.as_ref(), detail.remote_content.as_ref(), &remote(&conflict, now)),
        ),
    ];
    for (name, said) in said {
        text += &format!("  {name:<6}  {said}\n");
    }
    if detail.merged_content.is_some() {
        text += "both sides merge by now\n";
    }
    match &detail.marked_content {
        Some(marked) => text + &places::places(marked, paint),
        None if conflict.binary => text + "binary: one side or the other, as a whole\n",
        None => text,
    }
}

/// The files that are left as they are, and what can be done about them.
pub(crate) fn left(paths: &[String], paint: Paint) -> String {
    match paths.is_empty() {
        true => String::new(),
        false => conflicts(paths, paint) + &hint(paint),
    }
}

pub(crate) fn resolved(path: &str, word: &str, job: &JobFinished, paint: Paint) -> String {
    let how = match (&job.commit, job.queued, word) {
        (Some(commit), ..) if job.pull_pending => {
            format!("in #{}; your folder gets it with the next sync or pull", commit.seq)
        }
        (Some(commit), ..) => format!("in #{}", commit.seq),
        (None, true, _) => "here; the commit waits for its backend".to_owned(),
        (None, false, "remote") => "as all others have it; yours is in the stash".to_owned(),
        (None, false, _) => "here; the next push makes it so for everyone".to_owned(),
    };
    format!("{} {}: {word}, {how}\n", paint.green("settled"), escape(path))
}

/// How to go on from a list of conflicts.
pub(crate) fn hint(paint: Paint) -> String {
    format!(
        "{} `mirrorctl sync` merges what merges and asks about the rest; \
         `mirrorctl conflict list` says what waits, `conflict show PATH` shows one\n",
        paint.cyan("hint:")
    )
}

fn header(conflict: &Conflict, paint: Paint) -> String {
    let what = match conflict.kind() {
        ConflictKind::EditEdit | ConflictKind::Unspecified => "changed on both sides",
        ConflictKind::AddAdd => "added on both sides",
        ConflictKind::Type => "a file on one side, a link on the other",
        ConflictKind::NameClash => "some machine can't tell its name from another's",
        ConflictKind::UnknownBase => "differs, and what both sides began with is not known",
    };
    format!("{}  {}", paint.bold(&escape(&conflict.path)), paint.yellow(what))
}

fn remote(conflict: &Conflict, now: Timestamp) -> String {
    match &conflict.remote_by {
        Some(by) => format!(
            "#{} by {} on {}, {}",
            by.seq,
            escape(&by.user),
            escape(&by.machine),
            escape(&ago(&by.time, now)),
        ),
        None => "the head".to_owned(),
    }
}

fn local(conflict: &Conflict) -> &'static str {
    match conflict.outside {
        true => "written on the backend",
        false => "this machine",
    }
}

fn base(conflict: &Conflict) -> &'static str {
    match conflict.kind() {
        ConflictKind::UnknownBase => "not known",
        _ => "what both began with",
    }
}

/// A digest without a content is of a file that no message holds.
fn side(digest: Option<&String>, content: Option<&Vec<u8>>, who: &str) -> String {
    match (digest, content) {
        (_, Some(content)) => format!("{who}, {}", bytes(content.len() as u64)),
        (Some(_), None) => format!("{who}, too large to show"),
        (None, None) => format!("{who}, no file"),
    }
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{ChangedBy, Committed};

    use super::*;

    fn now() -> Timestamp {
        "2026-04-15T10:00:00Z".parse().expect("a moment")
    }

    fn sample() -> Conflict {
        Conflict {
            path: "b.md".to_owned(),
            kind: ConflictKind::EditEdit.into(),
            base: Some("aa".to_owned()),
            local: Some("bb".to_owned()),
            remote: Some("cc".to_owned()),
            remote_by: Some(ChangedBy {
                user: "ann\u{1b}".to_owned(),
                machine: "desktop".to_owned(),
                seq: 43,
                time: "2026-04-15T09:50:00Z".to_owned(),
            }),
            ..Conflict::default()
        }
    }

    #[test]
    fn list_says_which_file_and_whose_version_waits() {
        let listed = ListConflictsResponse { conflicts: vec![sample()] };
        let text = list(&listed, now(), Paint::PLAIN);
        assert!(
            text.starts_with(
                "b.md  changed on both sides\n  remote  #43 by ann\\u{1b} on desktop, 10 min ago\n"
            ),
            "{text}"
        );
        assert_eq!(list(&ListConflictsResponse::default(), now(), Paint::PLAIN), "no conflicts\n");
    }

    #[test]
    fn edit_on_the_backend_is_not_called_this_machines() {
        let conflict = Conflict { outside: true, ..sample() };
        let listed = ListConflictsResponse { conflicts: vec![conflict.clone()] };
        let listed = list(&listed, now(), Paint::PLAIN);
        assert!(listed.contains("\n  local   written on the backend\n  remote"), "{listed}");
        let detail = ConflictDetail { conflict: Some(conflict), ..ConflictDetail::default() };
        let shown = three_way(&detail, now(), Paint::PLAIN);
        assert!(shown.contains("  local   written on the backend, "), "{shown}");
    }

    #[test]
    fn view_says_who_made_what_and_shows_each_place() {
        let detail = ConflictDetail {
            conflict: Some(sample()),
            base_content: Some(b"milk\n".to_vec()),
            local_content: Some(b"soy\n".to_vec()),
            remote_content: Some(b"oats\n".to_vec()),
            marked_content: Some(
                b"<<<<<<< local\nsoy\n||||||| base\nmilk\n=======\noats\n>>>>>>> remote\n".to_vec(),
            ),
            ..ConflictDetail::default()
        };
        assert_eq!(
            three_way(&detail, now(), Paint::PLAIN),
            "b.md  changed on both sides\n\
             \x20 base    what both began with, 5 B\n\
             \x20 local   this machine, 4 B\n\
             \x20 remote  #43 by ann\\u{1b} on desktop, 10 min ago, 5 B\n\
             @@ line 1\n\
             local  | soy\n\
             base   | milk\n\
             remote | oats\n"
        );
    }

    #[test]
    fn binary_is_never_shown() {
        let conflict = Conflict { binary: true, base: None, ..sample() };
        let detail = ConflictDetail {
            conflict: Some(conflict),
            local_content: Some(b"\0\x1b[2J".to_vec()),
            ..ConflictDetail::default()
        };
        let text = three_way(&detail, now(), Paint::PLAIN);
        assert!(text.contains("base    what both began with, no file\n"), "{text}");
        assert!(text.contains("local   this machine, 5 B\n"), "{text}");
        assert!(text.contains("ago, too large to show\n"), "{text}");
        assert!(text.ends_with("binary: one side or the other, as a whole\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn settled_file_says_where_its_result_stands() {
        let say = |word: &str, job: JobFinished| resolved("b.md", word, &job, Paint::PLAIN);
        let commit = Some(Committed { seq: 44, id: String::new() });
        assert_eq!(
            say("local", JobFinished { commit: commit.clone(), ..JobFinished::default() }),
            "settled b.md: local, in #44\n"
        );
        let later = JobFinished { commit, pull_pending: true, ..JobFinished::default() };
        assert_eq!(
            say("local", later),
            "settled b.md: local, in #44; your folder gets it with the next sync or pull\n"
        );
        let queued = say("merged", JobFinished { queued: true, ..JobFinished::default() });
        assert!(queued.contains("waits for its backend"), "{queued}");
        assert!(say("merged", JobFinished::default()).contains("the next push"));
        assert_eq!(
            say("remote", JobFinished::default()),
            "settled b.md: remote, as all others have it; yours is in the stash\n"
        );
    }
}
