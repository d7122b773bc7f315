//! What sessions of agents are told.

use std::path::Path;

use mirror_core::readers::EventKind;
use mirror_engine::{FileNews, Told, ToldCommit, ToldFile};
use mirror_proto::v1;

use super::conflict::changed_by;
use super::history::commit_summary;
use super::job::notice;

/// `None` for what this version knows nothing of.
pub(in crate::server) fn event_kind(kind: v1::HookKind) -> Option<EventKind> {
    Some(match kind {
        v1::HookKind::SessionStart => EventKind::Start,
        v1::HookKind::Compaction => EventKind::Compaction,
        v1::HookKind::UserPromptSubmit => EventKind::Prompt,
        v1::HookKind::PreToolUse => EventKind::BeforeTool,
        v1::HookKind::PostToolUse => EventKind::AfterTool,
        v1::HookKind::PostToolBatch => EventKind::AfterTools,
        v1::HookKind::Stop => EventKind::Stop,
        v1::HookKind::SessionEnd => EventKind::End,
        v1::HookKind::CwdChanged | v1::HookKind::FileChanged => EventKind::Other,
        v1::HookKind::Unspecified => return None,
    })
}

pub(in crate::server) fn project_news(
    project: &str,
    root: &Path,
    told: &Told,
    home: &Path,
) -> v1::ProjectNews {
    v1::ProjectNews {
        project: project.to_owned(),
        root: root.display().to_string(),
        commits: told.commits.iter().map(news_commit).collect(),
        earlier: told.earlier.map(|(first, last)| v1::Span { first, last }),
        notices: told.notices.iter().map(|one| notice(one, home)).collect(),
        conflicts: told.conflicts.iter().map(|path| path.as_str().to_owned()).collect(),
        files: told.files.iter().map(file_news).collect(),
        is_wake: told.is_wake,
        waiting_count: told.waiting as u64,
    }
}

fn news_commit(told: &ToldCommit) -> v1::NewsCommit {
    v1::NewsCommit {
        commit: Some(commit_summary(&told.commit)),
        not_here: told.not_here.iter().cloned().collect(),
    }
}

fn file_news(file: &ToldFile) -> v1::FileNews {
    let kind = match file.what {
        FileNews::Behind => v1::FileNewsKind::Behind,
        FileNews::DeletedThere => v1::FileNewsKind::DeletedThere,
        FileNews::Conflict => v1::FileNewsKind::Conflict,
        FileNews::Replaced => v1::FileNewsKind::Replaced,
    };
    v1::FileNews {
        path: file.path.as_str().to_owned(),
        kind: kind.into(),
        by: file.by.as_ref().map(changed_by),
    }
}
