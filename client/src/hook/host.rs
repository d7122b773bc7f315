//! The programs whose hooks call ours, as far as they differ.

/// The programs that take the same JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Claude,
    /// Tells of single tools, and watches no files.
    Codex,
    /// Named as Claude Code's; what it tells of steps is not known.
    Other,
}

impl Host {
    pub(super) fn named(agent: &str) -> Option<Self> {
        match agent {
            "claude" => Some(Self::Claude),
            "codex" => Some(Self::Codex),
            "qwen" | "droid" | "devin" => Some(Self::Other),
            _ => None,
        }
    }

    /// Whether it tells when all tools of a step are done.
    pub(super) fn has_steps(self) -> bool {
        self == Self::Claude
    }

    pub(super) fn watches_files(self) -> bool {
        self == Self::Claude
    }
}
