//! What agents take for their own: texts that can make them run programs.
//!
//! Skills and commands run programs when they are read, and an agent's description
//! can bring hooks and servers. Whatever lies beside them may be what they run.

use super::agents::{AgentFolder, agent_of, named};
use super::ignore::GIT_IGNORE_FILE;
use crate::path::{Folded, RelPath};

/// Where they lie, at any depth below the folder of an agent.
const FOLDERS: [&str; 3] = ["skills", "commands", "agents"];

/// Whether an agent may run what the file at `path` says. `folders` are those that
/// agents really use; one that is called so counts as well, and so does what stands in
/// the place of such a folder, which can only be a link.
pub fn runs_code(path: &RelPath, folders: &[AgentFolder]) -> bool {
    let is_in_one = |rest: &str| rest.split('/').any(|segment| FOLDERS.contains(&segment));
    let really = folders.iter().filter_map(|folder| folder.rest(path));
    let found = agent_of(path.name()).is_some()
        || named(path).any(|(_, rest)| is_in_one(&rest))
        || really.map(|rest| Folded::of(&rest).into_string()).any(|rest| is_in_one(&rest));
    // Rules come before what they are about, and nobody runs them.
    found && path.name() != GIT_IGNORE_FILE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::{Agent, Seen};

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn claude(seen: Seen) -> [AgentFolder; 1] {
        [AgentFolder { agent: Agent::Claude, seen }]
    }

    #[test]
    fn what_lies_in_such_a_folder_of_an_agent_runs_code() {
        for name in [
            ".claude/skills/deploy/SKILL.md",
            ".claude/skills/deploy/run.sh",
            ".claude/commands/fix.md",
            ".claude/agents/reviewer.md",
            ".claude/plugins/x/skills/y/SKILL.md",
            "a/b/.CLAUDE/Skills/y/SKILL.md",
            ".claude./skill\u{17f}/y/SKILL.md",
            ".claude-work/commands/fix.md",
            ".codex/skills/a.md",
            ".gemini/commands/a.toml",
        ] {
            assert!(runs_code(&path(name), &[]), "{name}");
        }
    }

    #[test]
    fn a_link_in_the_place_of_such_a_folder_counts() {
        for name in [".claude", "a/.claude", ".claude/skills", ".claude/commands/all"] {
            assert!(runs_code(&path(name), &[]), "{name}");
        }
    }

    #[test]
    fn other_files_do_not() {
        for name in [
            "CLAUDE.md",
            "skills/deploy/SKILL.md",
            "src/commands/push.rs",
            ".claude/CLAUDE.md",
            ".claude/rules/skills.md",
            ".claude/memory/MEMORY.md",
            ".claude/skills/.gitignore",
            "claude/skills/a.md",
        ] {
            assert!(!runs_code(&path(name), &[]), "{name}");
        }
    }

    #[test]
    fn the_folder_that_an_agent_uses_is_known_by_where_it_lies() {
        let root = claude(Seen::Around(None));
        assert!(runs_code(&path("skills/deploy/SKILL.md"), &root));
        assert!(runs_code(&path("Commands/fix.md"), &root));
        assert!(!runs_code(&path("rules/style.md"), &root));
        let below = claude(Seen::Below(path("config")));
        assert!(runs_code(&path("config/agents/a.md"), &below));
        assert!(!runs_code(&path("other/agents/a.md"), &below));
        let within = claude(Seen::Around(Some(path("skills/deploy"))));
        assert!(runs_code(&path("SKILL.md"), &within));
    }
}
