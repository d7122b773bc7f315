//! `conflict`, and what a person is shown before they decide.

mod three_way;

use jiff::Timestamp;
use mirror_proto::v1::{
    ChangedBy, Conflict, ConflictDetail, ConflictKind, JobFinished, ListConflictsResponse,
};

use super::{bounded, conflicts};
use crate::output::escape::escape;
use crate::output::measure::{ago, bytes};
use crate::output::paint::Paint;
use crate::output::set_aside::{is_said, made_way};
use three_way::{self as places, Names};

pub(crate) fn list(listed: &ListConflictsResponse, now: Timestamp, paint: Paint) -> String {
    if listed.conflicts.is_empty() {
        let known =
            if listed.fault.is_some() { "no conflict is known\n" } else { "no conflicts\n" };
        return known.to_owned();
    }
    let line = |conflict: &Conflict| {
        let rows =
            rows(&[("here", here(conflict, now)), (&other_word(conflict), there(conflict, now))]);
        format!("{}\n{}", header(conflict, paint), rows.trim_end())
    };
    let hint = format!(
        "{} `mirrorctl sync` at a terminal asks about each; `mirrorctl conflict show PATH` shows \
         one, `conflict take PATH here|there` or `conflict apply` settles it\n",
        paint.cyan("hint:")
    );
    bounded(listed.conflicts.iter().map(line).collect()) + &hint
}

/// What `conflict show` says to a person.
pub(crate) fn whole(detail: &ConflictDetail, now: Timestamp, paint: Paint) -> String {
    let conflict = detail.conflict.clone().unwrap_or_default();
    let hint = format!(
        "{} `mirrorctl sync` asks; or settle it with `mirrorctl conflict take {path} here|{other}` \
         or `conflict apply`\n",
        paint.cyan("hint:"),
        path = escape(&conflict.path),
        other = other_word(&conflict),
    );
    three_way(detail, now, paint) + &hint
}

/// Who made which version, and each place where they differ.
pub(crate) fn three_way(detail: &ConflictDetail, now: Timestamp, paint: Paint) -> String {
    let conflict = detail.conflict.clone().unwrap_or_default();
    let other = other_word(&conflict);
    let (local, remote) = (here(&conflict, now), there(&conflict, now));
    let mut text = header(&conflict, paint) + "\n";
    text += &rows(&[
        ("base", side(conflict.base.as_ref(), detail.base_content.as_ref(), base(&conflict))),
        ("here", side(conflict.local.as_ref(), detail.local_content.as_ref(), &local)),
        (&other, side(conflict.remote.as_ref(), detail.remote_content.as_ref(), &remote)),
    ]);
    if detail.merged_content.is_some() {
        text += "both sides merge by now\n";
    }
    match &detail.marked_content {
        Some(marked) => {
            let names = Names { word: &other, end: &conflict.remote_name };
            text + &places::places(marked, names, paint)
        }
        None if conflict.binary => text + "binary: one side or the other, as a whole\n",
        None => text,
    }
}

/// What each side is called, and what there is to say of it.
fn rows(sides: &[(&str, String)]) -> String {
    let width = sides.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines = sides.iter().map(|(name, said)| format!("  {name:<width$}  {said}\n"));
    lines.collect()
}

/// The word for the side that is not this folder, fit for a terminal.
pub(crate) fn other_word(conflict: &Conflict) -> String {
    match conflict.remote_word.as_str() {
        "" => "there".to_owned(),
        word => escape(word),
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
    let what = match word {
        "local" => "this folder's version",
        "remote" => "the other version",
        word => word,
    };
    let how = match (&job.commit, job.queued, word) {
        (Some(commit), ..) if job.pull_pending => {
            format!("in #{}; your folder gets it with the next sync or pull", commit.seq)
        }
        (Some(commit), ..) => format!("in #{}", commit.seq),
        (None, true, _) => "here; the commit waits for its backend".to_owned(),
        (None, false, "remote") => "as all others have it".to_owned(),
        (None, false, _) => "here; the next push makes it so for everyone".to_owned(),
    };
    let made_way = made_way(path, job);
    let stashed = made_way.and_then(|notice| notice.stash_id.as_deref());
    let kept = match (stashed, &job.commit) {
        (Some(id), _) => format!(
            "this folder's version is in the stash as {id}: `mirrorctl stash restore {id}`",
            id = escape(id)
        ),
        (None, Some(_)) => {
            format!("every version that went into it is in `mirrorctl history {}`", escape(path))
        }
        (None, None) => String::new(),
    };
    let settled = format!("{} {}: {what}, {how}\n", paint.green("settled"), escape(path));
    let kept = if kept.is_empty() { kept } else { format!("  {kept}\n") };
    let others = job.notices.iter().filter(|one| Some(*one) != made_way && !is_said(one, job));
    let others = bounded(others.map(|notice| super::job::told(notice, paint)).collect());
    // What waits besides the plain files was said above.
    let job = JobFinished { queued: false, pull_pending: false, ..job.clone() };
    [settled, kept, others, super::job::problems(&job, paint)].concat()
}

/// How to go on from files that wait.
pub(crate) fn hint(paint: Paint) -> String {
    format!(
        "{} `mirrorctl sync` merges what can be merged, and asks at a terminal; `conflict list` \
         then says whose versions are left, `conflict take PATH here|there` settles one, and \
         `sync --strategy keep-local|keep-remote` all of them; of two names that can't stand \
         side by side, rename one\n",
        paint.cyan("hint:")
    )
}

fn header(conflict: &Conflict, paint: Paint) -> String {
    let what = match conflict.kind() {
        ConflictKind::EditEdit | ConflictKind::Unspecified => "changed on both sides",
        ConflictKind::AddAdd => "added on both sides",
        ConflictKind::Type => "a file on one side, a link on the other",
        ConflictKind::NameClash => {
            "can't stand beside another name of the project on every machine: rename one of the two"
        }
        ConflictKind::UnknownBase => "differs, and what both sides began with is not known",
    };
    format!("{}  {}", paint.bold(&escape(&conflict.path)), paint.yellow(what))
}

fn there(conflict: &Conflict, now: Timestamp) -> String {
    match &conflict.remote_by {
        Some(by) => made_by(by, now),
        None if conflict.remote_name.is_empty() => "the head".to_owned(),
        None => escape(&conflict.remote_name),
    }
}

fn here(conflict: &Conflict, now: Timestamp) -> String {
    match (&conflict.local_by, conflict.local_is_elsewhere) {
        (Some(by), false) => format!("this folder, {}", made_by(by, now)),
        (Some(by), true) => {
            format!("{}, the project's newest; your folder has another version", made_by(by, now))
        }
        (None, _) => "this folder".to_owned(),
    }
}

fn made_by(by: &ChangedBy, now: Timestamp) -> String {
    format!(
        "#{} by {} on {}, {}",
        by.seq,
        escape(&by.user),
        escape(&by.machine),
        escape(&ago(&by.time, now)),
    )
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
    use mirror_proto::v1::{Committed, Notice};

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
            remote_name: "#43 by ann on desktop".to_owned(),
            remote_word: "desktop".to_owned(),
            ..Conflict::default()
        }
    }

    /// The same, of an edit that somebody made on the backend.
    fn outside() -> Conflict {
        Conflict {
            outside: true,
            place: Some("nas".to_owned()),
            local_by: sample().remote_by,
            remote_by: None,
            remote_name: "nas, edited there".to_owned(),
            remote_word: "nas".to_owned(),
            ..sample()
        }
    }

    #[test]
    fn list_says_which_file_and_whose_version_waits() {
        let listed = ListConflictsResponse { conflicts: vec![sample()], fault: None };
        let text = list(&listed, now(), Paint::PLAIN);
        assert!(
            text.starts_with(
                "b.md  changed on both sides\n  here     this folder\n  \
                 desktop  #43 by ann\\u{1b} on desktop, 10 min ago\n"
            ),
            "{text}"
        );
        assert_eq!(list(&ListConflictsResponse::default(), now(), Paint::PLAIN), "no conflicts\n");
    }

    #[test]
    fn edit_on_the_backend_is_named_by_its_place_and_this_folder_is_here() {
        let listed = ListConflictsResponse { conflicts: vec![outside()], fault: None };
        let listed = list(&listed, now(), Paint::PLAIN);
        assert!(
            listed.contains(
                "\n  here  this folder, #43 by ann\\u{1b} on desktop, 10 min ago\n  \
                 nas   nas, edited there\n"
            ),
            "{listed}"
        );
        let detail = ConflictDetail { conflict: Some(outside()), ..ConflictDetail::default() };
        let shown = three_way(&detail, now(), Paint::PLAIN);
        assert!(shown.contains("  nas   nas, edited there, "), "{shown}");
        let elsewhere = Conflict { local_is_elsewhere: true, ..outside() };
        let detail = ConflictDetail { conflict: Some(elsewhere), ..ConflictDetail::default() };
        let shown = three_way(&detail, now(), Paint::PLAIN);
        assert!(shown.contains("your folder has another version"), "{shown}");
    }

    #[test]
    fn view_says_who_made_what_and_shows_each_place() {
        let detail = ConflictDetail {
            conflict: Some(sample()),
            base_content: Some(b"milk\n".to_vec()),
            local_content: Some(b"soy\n".to_vec()),
            remote_content: Some(b"oats\n".to_vec()),
            marked_content: Some(
                b"<<<<<<< here\nsoy\n||||||| base\nmilk\n=======\noats\n\
                  >>>>>>> #43 by ann on desktop\n"
                    .to_vec(),
            ),
            ..ConflictDetail::default()
        };
        assert_eq!(
            three_way(&detail, now(), Paint::PLAIN),
            "b.md  changed on both sides\n\
             \x20 base     what both began with, 5 B\n\
             \x20 here     this folder, 4 B\n\
             \x20 desktop  #43 by ann\\u{1b} on desktop, 10 min ago, 5 B\n\
             @@ line 1\n\
             here    | soy\n\
             base    | milk\n\
             desktop | oats\n"
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
        assert!(text.contains("base     what both began with, no file\n"), "{text}");
        assert!(text.contains("here     this folder, 5 B\n"), "{text}");
        assert!(text.contains("ago, too large to show\n"), "{text}");
        assert!(text.ends_with("binary: one side or the other, as a whole\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn settled_file_says_where_its_result_stands() {
        let say = |word: &str, job: JobFinished| resolved("b.md", word, &job, Paint::PLAIN);
        let commit = Some(Committed { seq: 44, id: String::new() });
        let inputs = "\n  every version that went into it is in `mirrorctl history b.md`\n";
        assert_eq!(
            say("local", JobFinished { commit: commit.clone(), ..JobFinished::default() }),
            format!("settled b.md: this folder's version, in #44{inputs}")
        );
        let later = JobFinished { commit, pull_pending: true, ..JobFinished::default() };
        assert_eq!(
            say("remote", later),
            format!(
                "settled b.md: the other version, in #44; your folder gets it with the next sync \
                 or pull{inputs}"
            )
        );
        let queued = say("merged", JobFinished { queued: true, ..JobFinished::default() });
        assert!(queued.contains("waits for its backend"), "{queued}");
        assert!(say("merged", JobFinished::default()).contains("the next push"));
    }

    #[test]
    fn settled_file_says_where_the_stash_keeps_what_made_way() {
        let stashed = |path: &str, id: &str| Notice {
            path: Some(path.to_owned()),
            stash_id: Some(id.to_owned()),
            message: format!("{path} is in the stash as {id}"),
            ..Notice::default()
        };
        let notices = vec![stashed("b.md", "01H"), stashed("c.md", "01I"), stashed("b.md", "01J")];
        let job = JobFinished { notices, ..JobFinished::default() };
        assert_eq!(
            resolved("b.md", "remote", &job, Paint::PLAIN),
            "settled b.md: the other version, as all others have it\n  this folder's version is \
             in the stash as 01J: `mirrorctl stash restore 01J`\n  note: b.md is in the stash as \
             01H\n  note: c.md is in the stash as 01I\n"
        );
    }
}
