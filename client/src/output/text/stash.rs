//! `stash` and `queue`, and what `remove` drops of both. The stash is one version
//! a line, the newest last.

use jiff::Timestamp;
use mirror_proto::v1::{
    DropQueuedResponse, KeptVersions, ListQueueResponse, ListStashResponse, QueuedFile, QueuedKind,
    QueuedPush, StashedVersion,
};

use super::{bounded, status, table};
use crate::dates;
use crate::output::escape::escape;
use crate::output::measure::bytes;
use crate::output::paint::Paint;

pub(crate) fn list(listed: &ListStashResponse, paint: Paint) -> String {
    if listed.versions.is_empty() {
        return "the stash is empty\n".to_owned();
    }
    versions(&listed.versions, paint)
}

/// One a line, whole: every version has to be found here.
fn versions(versions: &[StashedVersion], paint: Paint) -> String {
    let rows: Vec<_> = versions.iter().map(row).collect();
    let lines = table(&rows).into_iter().map(|line| match line.split_once(' ') {
        Some((id, rest)) => format!("{} {rest}\n", paint.yellow(id)),
        None => line + "\n",
    });
    lines.collect()
}

fn row(version: &StashedVersion) -> [String; 5] {
    [
        escape(&version.id),
        escape(&dates::local(&version.time)),
        bytes(version.size_bytes),
        format!("before {}", escape(&version.reason)),
        escape(&version.path),
    ]
}

pub(crate) fn queue(listed: &ListQueueResponse, now: Timestamp, paint: Paint) -> String {
    // What is tried in their order is tried once for all.
    let is_shown = |kind| kind != QueuedKind::Push || !listed.pushes.is_empty();
    let work: Vec<_> = listed.work.iter().filter(|work| is_shown(work.kind())).cloned().collect();
    if listed.pushes.is_empty() && work.is_empty() {
        return "nothing waits\n".to_owned();
    }
    let pushes = listed.pushes.iter().map(|push| {
        let files = bounded(push.files.iter().map(file).collect());
        let message = push.message.as_deref().map(|text| format!("  \"{}\"", escape(text)));
        format!(
            "{}  {}  {}{}\n{files}",
            paint.yellow(&escape(&push.id)),
            escape(&push.action),
            escape(&dates::local(&push.since)),
            message.unwrap_or_default(),
        )
    });
    pushes.collect::<String>() + &status::queue(&work, now, paint)
}

fn file(file: &QueuedFile) -> String {
    let what = if file.sha256.is_some() { "send  " } else { "delete" };
    format!("  {what}  {}", escape(&file.path))
}

pub(crate) fn dropped(dropped: &DropQueuedResponse) -> String {
    let committed = dropped.committed.iter().filter_map(|committed| {
        let push = line(committed.push.as_ref()?);
        Some(format!("{push} was committed already, as #{}: it is not dropped", committed.commit))
    });
    let committed: Vec<_> = committed.collect();
    if dropped.pushes.is_empty() {
        return match committed.is_empty() {
            true => "nothing waited\n".to_owned(),
            false => bounded(committed),
        };
    }
    let pushes = dropped.pushes.iter().map(|push| format!("dropped {}", line(push)));
    let stashed = dropped.stashed.iter().map(|kept| format!("  in the stash  {}", version(kept)));
    let gone = dropped
        .gone
        .iter()
        .map(|path| format!("  what was kept of {} could not be found any more", escape(path)));
    let unanswered = dropped.unanswered.iter().map(|id| {
        format!(
            "  {} was sent once and never answered: it may be a commit all the same",
            escape(id)
        )
    });
    let told = committed.into_iter().chain(pushes).chain(stashed).chain(gone);
    bounded(told.chain(unanswered).collect())
        + "what stands in the folder is still an edit: the next push sends it\n"
}

pub(crate) fn dropped_versions(versions: &[StashedVersion]) -> String {
    match versions {
        [] => "the stash is empty\n".to_owned(),
        _ => bounded(versions.iter().map(|one| format!("dropped {}", version(one))).collect()),
    }
}

/// What a person is asked about, and what is told where nobody can be asked.
pub(crate) fn to_drop(listed: &[StashedVersion], paint: Paint) -> [String; 2] {
    [versions(listed, paint), format!("{} would go for good", how_many(listed))]
}

fn how_many(versions: &[StashedVersion]) -> String {
    let size = bytes(versions.iter().map(|version| version.size_bytes).sum());
    match versions.len() {
        1 => format!("1 stashed version ({size})"),
        count => format!("{count} stashed versions ({size})"),
    }
}

pub(crate) fn removed(name: &str, kept: &KeptVersions) -> String {
    let pushes = kept.pushes.iter().map(|push| format!("dropped {}", line(push)));
    let stashed = kept.stashed.iter().map(|one| format!("dropped from the stash {}", version(one)));
    let conflicts =
        kept.conflicts.iter().map(|path| format!("dropped the conflict of {}", escape(path)));
    let unreadable = (kept.unreadable_count > 0).then(|| {
        let unreadable =
            KeptVersions { unreadable_count: kept.unreadable_count, ..KeptVersions::default() };
        format!("dropped {}", counted(&unreadable))
    });
    bounded(pushes.chain(stashed).chain(conflicts).chain(unreadable).collect())
        + &format!("{} is no longer mirrored here; its files and its backend stay\n", escape(name))
}

/// How much there is, in words.
pub(super) fn counted(kept: &KeptVersions) -> String {
    let unreadable = usize::try_from(kept.unreadable_count).unwrap_or(usize::MAX);
    let counts = [
        (kept.pushes.len(), "push waits", "pushes wait"),
        (kept.stashed.len(), "stashed version", "stashed versions"),
        (kept.conflicts.len(), "conflict", "conflicts"),
        (unreadable, "record that can't be read", "records that can't be read"),
    ];
    let words = counts.iter().filter(|(count, ..)| *count > 0);
    let words =
        words.map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }));
    words.collect::<Vec<_>>().join(", ")
}

fn line(push: &QueuedPush) -> String {
    let files = match push.files.len() {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    format!("the {} {} of {files}", escape(&push.action), escape(&push.id))
}

fn version(version: &StashedVersion) -> String {
    format!("{}  {}", escape(&version.id), escape(&version.path))
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{CommittedPush, QueuedWork};

    use super::*;

    #[test]
    fn version_is_named_with_what_took_its_place() {
        let listed = ListStashResponse {
            versions: vec![StashedVersion {
                id: "01J".to_owned(),
                path: "a\n.md".to_owned(),
                size_bytes: 10,
                time: "once".to_owned(),
                reason: "restore".to_owned(),
                ..StashedVersion::default()
            }],
        };
        assert_eq!(list(&listed, Paint::PLAIN), "01J  once  10 B  before restore  a\\n.md\n");
    }

    #[test]
    fn empty_stash_says_so() {
        assert_eq!(list(&ListStashResponse::default(), Paint::PLAIN), "the stash is empty\n");
    }

    fn push() -> QueuedPush {
        let file = |path: &str, sha256: Option<&str>| QueuedFile {
            path: path.to_owned(),
            sha256: sha256.map(str::to_owned),
        };
        QueuedPush {
            id: "01J".to_owned(),
            since: "once".to_owned(),
            action: "sync".to_owned(),
            message: Some("for ann".to_owned()),
            files: vec![file("a\n.md", Some("ab")), file("b.md", None)],
        }
    }

    #[test]
    fn queue_names_what_each_push_brings() {
        let listed = ListQueueResponse { pushes: vec![push()], ..Default::default() };
        assert_eq!(
            queue(&listed, Timestamp::UNIX_EPOCH, Paint::PLAIN),
            "01J  sync  once  \"for ann\"\n  send    a\\n.md\n  delete  b.md\n"
        );
        assert_eq!(
            queue(&ListQueueResponse::default(), Timestamp::UNIX_EPOCH, Paint::PLAIN),
            "nothing waits\n"
        );
        let tries = |kind: QueuedKind| ListQueueResponse {
            work: vec![QueuedWork { kind: kind.into(), ..QueuedWork::default() }],
            ..ListQueueResponse::default()
        };
        let shown = |kind| queue(&tries(kind), Timestamp::UNIX_EPOCH, Paint::PLAIN);
        assert_eq!(shown(QueuedKind::Push), "nothing waits\n");
        assert!(shown(QueuedKind::View).contains("queued to"));
    }

    #[test]
    fn push_that_was_committed_is_not_called_dropped() {
        let committed = CommittedPush { push: Some(push()), commit: 45 };
        let known = DropQueuedResponse { committed: vec![committed], ..Default::default() };
        let said = "the sync 01J of 2 files was committed already, as #45: it is not dropped\n";
        assert_eq!(dropped(&known), said);
        let both = dropped(&DropQueuedResponse { pushes: vec![push()], ..known });
        assert!(both.starts_with(said) && both.contains("dropped the sync 01J"), "{both}");
    }

    #[test]
    fn what_is_dropped_is_named() {
        let kept = KeptVersions {
            pushes: vec![push()],
            stashed: vec![StashedVersion {
                id: "01K".to_owned(),
                path: "c.md".to_owned(),
                ..StashedVersion::default()
            }],
            conflicts: vec!["d.md".to_owned()],
            unreadable_count: 2,
        };
        assert_eq!(
            removed("notes", &kept),
            "dropped the sync 01J of 2 files\ndropped from the stash 01K  c.md\ndropped the \
             conflict of d.md\ndropped 2 records that can't be read\nnotes is no longer mirrored here; its files and its backend stay\n"
        );
    }
}
