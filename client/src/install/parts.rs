//! The parts of an installation: what each is for, and which files it touches here.

use std::path::PathBuf;

use clap::ValueEnum;

use super::content::{Content, NAME};
use super::places::Places;
use super::{Entry, claude};

/// One source for the plugin and for what is installed without it.
pub(super) const CLAUDE_HOOKS: &str =
    include_str!("../../../packaging/claude-plugin/hooks/hooks.json");
pub(super) const CODEX_HOOKS: &str = include_str!("../../../packaging/codex/hooks.json");
pub(super) const SKILL: &str =
    include_str!("../../../packaging/claude-plugin/skills/mirrord/SKILL.md");
pub(super) const SERVER: &str = include_str!("../../../packaging/claude-plugin/.mcp.json");

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The daemon starts with your login
    Service,
    /// Agents are told what others changed
    Hooks,
    /// Claude Code knows how to use mirrorctl
    Skill,
    /// Claude Code has mirrord's tools
    Mcp,
    /// The shell completes mirrorctl's words
    Completions,
    /// The shell's prompt shows what waits
    Prompt,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Hooks => "hooks",
            Self::Skill => "skill",
            Self::Mcp => "mcp",
            Self::Completions => "completions",
            Self::Prompt => "prompt",
        }
    }
}

/// What is asked about in one go.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) part: Part,
    /// What a person gets by it.
    pub(crate) purpose: String,
    pub(crate) how: How,
}

#[derive(Clone, Debug)]
pub(crate) enum How {
    Service,
    File(Entry),
    /// Not here, and why; what an earlier installation may have put here all the same.
    LeftOut {
        why: String,
        entry: Option<Entry>,
    },
}

impl Offer {
    pub(crate) fn entry(&self) -> Option<&Entry> {
        match &self.how {
            How::File(entry) | How::LeftOut { entry: Some(entry), .. } => Some(entry),
            How::Service | How::LeftOut { entry: None, .. } => None,
        }
    }

    /// What would be written, for a test of the commands in it.
    #[cfg(test)]
    pub(crate) fn text(&self) -> Option<&str> {
        self.entry().map(|entry| entry.content.text())
    }

    /// The same of another file, whatever speaks against putting more there.
    pub(crate) fn of(&self, entry: &Entry) -> Self {
        Self { how: How::File(entry.clone()), ..self.clone() }
    }
}

/// Gives the completion script of a shell.
pub(crate) type Completions<'a> = &'a dyn Fn(&str) -> String;

/// Everything that can be installed here, in the order in which it is asked about.
pub(crate) fn offers(places: &Places, completions: Completions<'_>) -> Vec<Offer> {
    let service = Offer {
        part: Part::Service,
        purpose: "the daemon starts with your login and comes back after a crash".to_owned(),
        how: How::Service,
    };
    let mut all = vec![service, claude_hooks(places), codex_hooks(places), skill(places)];
    let shell = places.shell.as_deref();
    all.extend([server(places), completion(places, shell, completions), prompt(places, shell)]);
    all
}

/// The same for shells that somebody may have had before.
pub(crate) fn offers_of_shells(places: &Places, completions: Completions<'_>) -> Vec<Offer> {
    let of_shell =
        |shell| [completion(places, Some(shell), completions), prompt(places, Some(shell))];
    ["bash", "fish", "zsh"].into_iter().flat_map(of_shell).collect()
}

fn claude_hooks(places: &Places) -> Offer {
    let entry = Entry {
        key: "hooks/claude".to_owned(),
        named: places.claude_settings(),
        content: Content::Hooks(CLAUDE_HOOKS),
        is_private: true,
    };
    let purpose = "Claude Code is told what others changed, while it works";
    for_claude(places, Part::Hooks, purpose, entry)
}

fn codex_hooks(places: &Places) -> Offer {
    let entry = Entry {
        key: "hooks/codex".to_owned(),
        named: places.codex_hooks(),
        content: Content::Hooks(CODEX_HOOKS),
        is_private: true,
    };
    let purpose = "Codex is told what others changed (it asks you once to trust them: /hooks)";
    let how = match places.has_codex() {
        true => How::File(entry),
        false => How::LeftOut {
            why: format!("there is no Codex here ({})", shown(&places.codex)),
            entry: Some(entry),
        },
    };
    Offer { part: Part::Hooks, purpose: purpose.to_owned(), how }
}

fn skill(places: &Places) -> Offer {
    let entry = Entry {
        key: "skill/claude".to_owned(),
        named: places.claude.join("skills").join(NAME).join("SKILL.md"),
        content: Content::Whole(SKILL.to_owned()),
        is_private: false,
    };
    let purpose = "Claude Code knows how to look, pull, merge and restore with mirrorctl";
    for_claude(places, Part::Skill, purpose, entry)
}

fn server(places: &Places) -> Offer {
    let entry = Entry {
        key: "mcp/claude".to_owned(),
        named: places.claude_servers.clone(),
        content: Content::Server(SERVER),
        is_private: true,
    };
    let purpose = "Claude Code has mirrord's tools (MCP)";
    for_claude(places, Part::Mcp, purpose, entry)
}

/// A plugin brings the same: with both, everything would be told twice.
fn for_claude(places: &Places, part: Part, purpose: &str, entry: Entry) -> Offer {
    let how = match claude::plugin(places) {
        _ if !places.has_claude() => How::LeftOut {
            why: format!("there is no Claude Code here ({})", shown(&places.claude)),
            entry: Some(entry),
        },
        Some(plugin) => How::LeftOut {
            why: format!("the plugin {plugin} brings this already"),
            entry: Some(entry),
        },
        None => How::File(entry),
    };
    Offer { part, purpose: purpose.to_owned(), how }
}

fn completion(places: &Places, shell: Option<&str>, script: Completions<'_>) -> Offer {
    let entry = |shell: &str, named: PathBuf, content: Content| {
        How::File(Entry { key: format!("completions/{shell}"), named, content, is_private: false })
    };
    let whole = |shell: &str| Content::Whole(script(shell));
    let how = match shell {
        Some("bash") => {
            let file = places.data.join("bash-completion/completions/mirrorctl");
            entry("bash", file, whole("bash"))
        }
        Some("fish") => {
            let file = places.config.join("fish/completions/mirrorctl.fish");
            entry("fish", file, whole("fish"))
        }
        Some("zsh") => {
            let text = ZSH_COMPLETION.to_owned();
            let lines = Content::Lines { name: "completions", text };
            entry("zsh", places.zsh.join(".zshrc"), lines)
        }
        other => unknown_shell(other, "`mirrorctl completion` prints its script"),
    };
    let purpose = "the shell completes the words of mirrorctl".to_owned();
    Offer { part: Part::Completions, purpose, how }
}

fn prompt(places: &Places, shell: Option<&str>) -> Offer {
    let lines = |shell: &str, named: PathBuf, text: &str| {
        How::File(Entry {
            key: format!("prompt/{shell}"),
            named,
            content: Content::Lines { name: "prompt", text: text.to_owned() },
            is_private: false,
        })
    };
    let how = match shell {
        Some("bash") => lines("bash", places.home.join(".bashrc"), BASH_PROMPT),
        Some("zsh") => lines("zsh", places.zsh.join(".zshrc"), ZSH_PROMPT),
        Some("fish") => lines("fish", places.config.join("fish/config.fish"), FISH_PROMPT),
        other => unknown_shell(other, "`mirrorctl prompt` is what its prompt would run"),
    };
    let purpose = "the prompt shows what waits to be sent and fetched".to_owned();
    Offer { part: Part::Prompt, purpose, how }
}

/// `compinit` may have run or not; without it there is nothing to add to.
const ZSH_COMPLETION: &str = "(( $+functions[compdef] )) && source <(mirrorctl completion zsh)\n";

/// Once, however often the file is read, and before whatever the prompt is by then.
const BASH_PROMPT: &str = "[[ ${PS1-} == *'mirrorctl prompt'* ]] ||\n    \
     PS1='$(mirrorctl prompt --quiet-when-clean --suffix \" \" 2> /dev/null)'\"$PS1\"\n";

const ZSH_PROMPT: &str = "setopt PROMPT_SUBST\n\
     [[ ${PROMPT-} == *'mirrorctl prompt'* ]] ||\n    \
     PROMPT='$(mirrorctl prompt --quiet-when-clean --suffix \" \" 2> /dev/null)'\"$PROMPT\"\n";

const FISH_PROMPT: &str = "if not functions --query __mirrorctl_inner_prompt\n    \
     functions --query fish_prompt\n    \
     and functions --copy fish_prompt __mirrorctl_inner_prompt\n    \
     function fish_prompt\n        \
     mirrorctl prompt --quiet-when-clean --suffix ' ' 2> /dev/null\n        \
     functions --query __mirrorctl_inner_prompt; and __mirrorctl_inner_prompt\n    \
     end\n\
     end\n";

fn unknown_shell(shell: Option<&str>, instead: &str) -> How {
    let why = match shell {
        Some(shell) => format!("nothing is known here of the shell {shell}; {instead}"),
        None => format!("SHELL names no shell; {instead}"),
    };
    How::LeftOut { why, entry: None }
}

fn shown(path: &std::path::Path) -> String {
    crate::paths::shown(path)
}
