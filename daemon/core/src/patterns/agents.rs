//! What of an agent's configuration never leaves its machine, nor is ever written
//! there by another: sign-ins, transcripts, and what is of one machine alone.
//!
//! No setting, pattern or commit changes it. Names are compared as the most
//! forgiving file system does.

use std::sync::LazyLock;

use globset::{Candidate, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use super::globs::compile;
use crate::path::{Folded, RelPath};

/// An agent that keeps a configuration folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agent {
    Claude,
    Codex,
    Gemini,
    Qwen,
}

/// The configuration folder of an agent, as it really lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AgentFolder {
    pub agent: Agent,
    pub seen: Seen,
}

/// Where something lies, seen from the root of a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    Below(RelPath),
    /// It is the root, or holds it: the way from it to the root.
    Around(Option<RelPath>),
}

/// What an agent has, as globs of folded paths below its folder.
struct Kept {
    agent: Agent,
    /// What its folder is called, unless a person chose otherwise.
    name: &'static str,
    /// Stays, in whatever folder of that name.
    secrets: &'static [&'static str],
    /// Stays too, in the folder that the agent really uses. People may have folders
    /// of such names in a project's `.claude`.
    machine: &'static [&'static str],
}

const KEPT: [Kept; 4] = [
    Kept {
        agent: Agent::Claude,
        name: ".claude",
        secrets: &[
            ".credentials.json*",
            "settings.local.json",
            "history.jsonl",
            "projects/**/*.jsonl",
            "projects/**/{subagents,tool-results}",
            "channels/*/.env",
        ],
        machine: &[
            "*.jsonl",
            "{file-history,paste-cache,image-cache,uploads,session-env,sessions}",
            "{shell-snapshots,debug,backups,cache,tasks,todos,plugins,ide}",
            "{statsig,telemetry,usage-data}",
            "{stats-cache,remote-settings,policy-limits}.json",
        ],
    },
    Kept {
        agent: Agent::Codex,
        name: ".codex",
        secrets: &["auth.json", "history.jsonl", "sessions/**/*.jsonl"],
        machine: &["{sessions,log,memories,tmp}", "*.sqlite*", "**/*.sqlite*"],
    },
    Kept {
        agent: Agent::Gemini,
        name: ".gemini",
        secrets: &["oauth_creds.json", "google_accounts.json", "mcp-oauth-tokens*.json"],
        machine: &["tmp"],
    },
    Kept { agent: Agent::Qwen, name: ".qwen", secrets: &["oauth_creds.json"], machine: &["tmp"] },
];

/// Claude Code's account, trust and servers with their secrets, and copies of it:
/// beside its folder, or in it.
const CLAUDE_STATE: &str = ".claude.json";

/// Whether a file or folder at `path` is one that stays on its machine, or lies in
/// one.
pub fn stays_here(path: &RelPath, folders: &[AgentFolder]) -> bool {
    path.segments().any(is_claude_state)
        || named(path).any(|(kept, rest)| holds(&SECRETS[kept as usize], &rest))
        || folders.iter().any(|folder| {
            let rest = folder.rest(path).map(|rest| Folded::of(&rest).into_string());
            rest.is_some_and(|rest| {
                let agent = folder.agent as usize;
                holds(&SECRETS[agent], &rest) || holds(&MACHINE[agent], &rest)
            })
        })
}

impl AgentFolder {
    /// The way to `path` from this folder, if it leads there.
    pub(super) fn rest(&self, path: &RelPath) -> Option<String> {
        match &self.seen {
            Seen::Below(at) => {
                let (at, path) = (at.folded(), path.folded());
                let rest = path.as_str().strip_prefix(at.as_str())?.strip_prefix('/')?;
                Some(rest.to_owned())
            }
            Seen::Around(None) => Some(path.to_string()),
            Seen::Around(Some(way)) => Some(format!("{way}/{path}")),
        }
    }
}

/// The folders above `path` that are called as an agent's is, or as another one of
/// the same agent (`.claude-work`), with the folded way from there.
pub(super) fn named(path: &RelPath) -> impl Iterator<Item = (Agent, String)> {
    path.ancestors().filter_map(|folder| {
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let agent = agent_of(name)?;
        let rest = &path.as_str()[folder.len() + 1..];
        Some((agent, Folded::of(rest).into_string()))
    })
}

pub(super) fn agent_of(name: &str) -> Option<Agent> {
    if !name.starts_with('.') {
        return None;
    }
    let name = Folded::of(name);
    let is_called = |kept: &&Kept| {
        let more = name.as_str().strip_prefix(kept.name);
        more.is_some_and(|more| more.is_empty() || more.starts_with('-'))
    };
    KEPT.iter().find(is_called).map(|kept| kept.agent)
}

fn is_claude_state(name: &str) -> bool {
    name.starts_with('.') && Folded::of(name).as_str().starts_with(CLAUDE_STATE)
}

/// Whether a glob takes a path or a folder above it.
fn holds(globs: &GlobSet, path: &str) -> bool {
    let above = path.match_indices('/').map(|(end, _)| &path[..end]);
    above.chain([path]).any(|part| globs.is_match_candidate(&Candidate::new(part)))
}

static SECRETS: LazyLock<[GlobSet; 4]> = LazyLock::new(|| sets(|kept| kept.secrets));
static MACHINE: LazyLock<[GlobSet; 4]> = LazyLock::new(|| sets(|kept| kept.machine));

/// One set an agent, by its number.
fn sets(globs: impl Fn(&Kept) -> &'static [&'static str]) -> [GlobSet; 4] {
    [Agent::Claude, Agent::Codex, Agent::Gemini, Agent::Qwen].map(|agent| {
        let mut set = GlobSetBuilder::new();
        let of_agent = KEPT.iter().filter(|kept| kept.agent == agent);
        for glob in of_agent.flat_map(&globs) {
            set.add(compile(glob).expect("our own globs can be understood"));
        }
        set.build().expect("they are few")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn claude(seen: Seen) -> [AgentFolder; 1] {
        [AgentFolder { agent: Agent::Claude, seen }]
    }

    /// What stays in the folder that Claude Code uses.
    const STAYS: [&str; 40] = [
        ".credentials.json",
        ".Credentials.JSON",
        ".credentials.json.",
        ".credential\u{17f}.json",
        ".credentials.json.tmp",
        ".claude.json",
        ".CLAUDE.json",
        ".claude.json.backup.17",
        "settings.local.json",
        "history.jsonl",
        "x.jsonl",
        "projects/-home-ann-notes/0b1c.jsonl",
        "projects/-home-ann-notes/0b1c/subagents/agent-1.jsonl",
        "projects/-home-ann-notes/0b1c/tool-results/a.txt",
        "projects/-home-ann-notes/0b1c/Tool-Results/a/b.md",
        "file-history/a/b",
        "paste-cache/a.txt",
        "image-cache/a.png",
        "uploads/a.md",
        "session-env/a",
        "sessions/a.json",
        "shell-snapshots/a.sh",
        "debug/a.txt",
        "backups/a",
        "cache/a.md",
        "tasks/a.md",
        "todos/a.json",
        "statsig/a",
        "telemetry/a",
        "usage-data/a",
        "ide/1.lock",
        "plugins/cache/x/skills/y/SKILL.md",
        "PLUGINS/known_marketplaces.json",
        "stats-cache.json",
        "remote-settings.json",
        "policy-limits.json",
        "channels/telegram/.env",
        "channels/telegram/.ENV",
        "debug",
        "plugins",
    ];

    const GOES: [&str; 14] = [
        "CLAUDE.md",
        "rules/style.md",
        "projects/-home-ann-notes/memory/MEMORY.md",
        "agent-memory/reviewer/MEMORY.md",
        "output-styles/terse.md",
        "keybindings.json",
        "themes/dark.json",
        "skills/deploy/SKILL.md",
        "skills/deploy/cases.jsonl",
        "commands/cache.md",
        "agents/tasks/one.md",
        "plans/debug.md",
        "settings.json",
        "channels/telegram/README.md",
    ];

    #[test]
    fn the_list_holds_wherever_the_folder_lies() {
        for (name, stays) in
            STAYS.map(|name| (name, true)).into_iter().chain(GOES.map(|name| (name, false)))
        {
            let root = claude(Seen::Around(None));
            assert_eq!(stays_here(&path(name), &root), stays, "{name}");
            let below = claude(Seen::Below(path("Ann/.claude")));
            assert_eq!(
                stays_here(&path("ann/.CLAUDE").join(name).unwrap(), &below),
                stays,
                "{name}"
            );
            let chosen = claude(Seen::Below(path("config")));
            assert_eq!(stays_here(&path("config").join(name).unwrap(), &chosen), stays, "{name}");
            let is_state = is_claude_state(name);
            assert_eq!(stays_here(&path("other").join(name).unwrap(), &chosen), is_state, "{name}");
        }
    }

    #[test]
    fn a_root_within_the_folder_keeps_what_lies_there() {
        let within = |way: &str| claude(Seen::Around(Some(path(way))));
        let stays = |way: &str, name: &str| stays_here(&path(name), &within(way));
        assert!(stays("projects", "-home-ann-notes/0b1c.jsonl"));
        assert!(stays("projects/-home-ann-notes", "0b1c.jsonl"));
        assert!(stays("plugins/x", "README.md"));
        assert!(!stays("projects/-home-ann-notes/memory", "MEMORY.md"));
        assert!(!stays("skills", "cache/SKILL.md"));
    }

    #[test]
    fn a_folder_that_is_only_called_so_keeps_what_is_secret() {
        for name in [
            ".credentials.json",
            "settings.local.json",
            "projects/a/b.jsonl",
            "projects/a/b/subagents/c",
            "channels/a/.env",
            "history.jsonl",
            ".claude.json",
        ] {
            for folder in [".claude", "a/.CLAUDE", ".claude-work", "a/.claude./b/.claude"] {
                assert!(stays_here(&path(folder).join(name).unwrap(), &[]), "{folder} {name}");
            }
        }
        for name in ["tasks/todo.md", "cache/a.md", "commands/a.md", "settings.json", "a.jsonl"] {
            assert!(!stays_here(&path(".claude").join(name).unwrap(), &[]), "{name}");
        }
        for name in
            ["claude/.credentials.json", ".claudes/.credentials.json", "settings.local.json"]
        {
            assert!(!stays_here(&path(name), &[]), "{name}");
        }
        assert!(stays_here(&path("home/ann/.claude.json"), &[]));
    }

    #[test]
    fn other_agents_keep_their_sign_ins() {
        for name in [
            ".codex/auth.json",
            ".codex/history.jsonl",
            ".codex/sessions/2026/a.jsonl",
            ".gemini/oauth_creds.json",
            ".qwen/oauth_creds.json",
        ] {
            assert!(stays_here(&path(name), &[]), "{name}");
        }
        for name in [".codex/AGENTS.md", ".codex/config.toml", ".gemini/GEMINI.md", ".qwen/QWEN.md"]
        {
            assert!(!stays_here(&path(name), &[]), "{name}");
        }
        let codex = [AgentFolder { agent: Agent::Codex, seen: Seen::Around(None) }];
        for name in ["memories/a.md", "log/a", "state.sqlite-wal", "sessions/a/b.json"] {
            assert!(stays_here(&path(name), &codex), "{name}");
        }
        assert!(!stays_here(&path("AGENTS.md"), &codex));
    }
}
