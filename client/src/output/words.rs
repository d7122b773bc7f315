//! The contract's enumerations, spelled as JSON and people read them.

use mirror_proto::v1::{
    ChangeKind, ConflictKind, FaultClass, FileAction, FileState, FindingLevel, HeldReason,
    MemoryState, NoticeKind, ProjectState, QueuedKind, SettingOrigin, SkipReason, VersionRole,
};

/// A failure without a class is a bug of the daemon's.
pub(crate) fn class(class: FaultClass) -> String {
    match class {
        FaultClass::Unspecified => "internal".to_owned(),
        _ => word(class.as_str_name(), "FAULT_CLASS_"),
    }
}

pub(crate) fn file_state(state: FileState) -> String {
    word(state.as_str_name(), "FILE_STATE_")
}

/// Where a file differs, for people: here is this folder.
pub(crate) const fn standing(state: FileState) -> &'static str {
    match state {
        FileState::InSync => "in sync",
        FileState::LocalAhead => "changed here",
        FileState::NewLocal => "new here",
        FileState::DeletedLocal => "deleted here",
        FileState::RemoteAhead => "changed elsewhere",
        FileState::NewRemote => "new elsewhere",
        FileState::DeletedRemote => "deleted elsewhere",
        FileState::Diverged => "changed on both sides",
        FileState::Conflict => "in conflict",
        FileState::Unspecified => "unknown",
    }
}

pub(crate) fn version_role(role: VersionRole) -> String {
    word(role.as_str_name(), "VERSION_ROLE_")
}

pub(crate) fn project_state(state: ProjectState) -> String {
    word(state.as_str_name(), "PROJECT_STATE_")
}

pub(crate) fn memory_state(state: MemoryState) -> String {
    word(state.as_str_name(), "MEMORY_STATE_")
}

pub(crate) fn skip_reason(reason: SkipReason) -> String {
    word(reason.as_str_name(), "SKIP_REASON_")
}

/// The same for people.
pub(crate) const fn why_skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NotUtf8 => "its name is not UTF-8",
        SkipReason::NameNotAllowed => "some systems can't hold its name",
        SkipReason::Unreadable => "it can't be read",
        SkipReason::SymlinkOutside => "the link leads out of the project, or to what is ignored",
        SkipReason::NameClash => "another file has the same name where case does not count",
        SkipReason::SpecialFile => "it is a pipe, a socket or a device",
        SkipReason::NotMounted => "it is not mounted as it was: its files are left as they are",
        SkipReason::RulesUnusable => "its rules can't be read, so nothing new is pushed",
        SkipReason::Own => "it is the daemon's own",
        SkipReason::Unspecified => "this program is too old to know why",
    }
}

pub(crate) fn queued_kind(kind: QueuedKind) -> String {
    word(kind.as_str_name(), "QUEUED_KIND_")
}

pub(crate) fn file_action(action: FileAction) -> String {
    word(action.as_str_name(), "FILE_ACTION_")
}

pub(crate) fn notice_kind(kind: NoticeKind) -> String {
    word(kind.as_str_name(), "NOTICE_KIND_")
}

pub(crate) fn change_kind(kind: ChangeKind) -> String {
    word(kind.as_str_name(), "CHANGE_KIND_")
}

pub(crate) fn conflict_kind(kind: ConflictKind) -> String {
    word(kind.as_str_name(), "CONFLICT_KIND_")
}

pub(crate) fn held_reason(reason: HeldReason) -> String {
    word(reason.as_str_name(), "HELD_REASON_")
}

pub(crate) fn origin(origin: SettingOrigin) -> String {
    word(origin.as_str_name(), "SETTING_ORIGIN_")
}

pub(crate) fn level(level: FindingLevel) -> String {
    word(level.as_str_name(), "FINDING_LEVEL_")
}

fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase()
}
