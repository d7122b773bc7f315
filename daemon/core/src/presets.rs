//! Sets of settings that a project can be made with.
//!
//! A project only begins with them: they stand in the log, and can be changed there
//! like any others.

use crate::settings::{CLAUDE_HOME, MergeRule};

/// What a project of one kind mirrors, and how.
#[derive(Debug)]
pub struct Preset {
    pub name: &'static str,
    patterns: &'static [&'static str],
    exclude: &'static [&'static str],
    /// Globs and how they are merged.
    merge: &'static [(&'static str, &'static str)],
    /// What is taken only if it is asked for, by name.
    parts: &'static [(&'static str, &'static str)],
}

const MEMORIES: &[(&str, &str)] = &[
    ("**/MEMORY.md", "union"),
    ("memory/**/*.md", "frontmatter"),
    ("agent-memory/**/*.md", "frontmatter"),
];

const PRESETS: [Preset; 4] = [
    Preset {
        name: CLAUDE_HOME,
        patterns: &[
            "CLAUDE.md",
            "rules/**/*.md",
            "memory/**/*.md",
            "agent-memory/**/*.md",
            "output-styles/**/*.md",
            "keybindings.json",
            "themes/**",
        ],
        exclude: &["projects/**"],
        merge: MEMORIES,
        parts: &[
            ("skills", "skills/**"),
            ("commands", "commands/**"),
            ("agents", "agents/**"),
            ("plans", "plans/**/*.md"),
        ],
    },
    Preset {
        name: "agents-md",
        patterns: &[
            "**/AGENTS.md",
            "**/CLAUDE.md",
            "**/GEMINI.md",
            "**/QWEN.md",
            "**/.claude/rules/**/*.md",
        ],
        exclude: &[],
        merge: &[],
        parts: &[],
    },
    Preset {
        name: "notes",
        patterns: &["**/*.{md,markdown,txt,org,canvas}", "**/*.{png,jpg,jpeg,gif,webp,svg,pdf}"],
        exclude: &[],
        merge: &[("**/MEMORY.md", "union")],
        parts: &[],
    },
    Preset { name: "everything", patterns: &["**/*"], exclude: &[], merge: &[], parts: &[] },
];

impl Preset {
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|preset| preset.name)
    }

    /// What can be asked for beside what it takes anyway.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().map(|(name, _)| *name)
    }

    /// What it takes with these of its parts.
    pub fn patterns(&self, with: &[String]) -> Vec<String> {
        let parts = self.parts.iter().filter(|(name, _)| with.iter().any(|part| part == name));
        let parts = parts.map(|(_, glob)| glob);
        self.patterns.iter().chain(parts).map(|glob| (*glob).to_owned()).collect()
    }

    pub fn exclude(&self) -> impl Iterator<Item = String> {
        self.exclude.iter().map(|glob| (*glob).to_owned())
    }

    pub fn merge(&self) -> Vec<MergeRule> {
        let rule = |(glob, how): &(&str, &str)| MergeRule {
            glob: (*glob).to_owned(),
            how: (*how).to_owned(),
        };
        self.merge.iter().map(rule).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RelPath;
    use crate::merge::Merger;
    use crate::patterns::{Coverage, CoverageSource, Patterns};
    use crate::settings::Settings;

    fn settings(name: &str, with: &[&str]) -> Settings {
        let preset = Preset::named(name).unwrap();
        let with: Vec<String> = with.iter().map(|part| (*part).to_owned()).collect();
        let patterns =
            Patterns { include: preset.patterns(&with), exclude: preset.exclude().collect() };
        let mut settings = Settings::new("notes", patterns);
        (settings.preset, settings.merge) = (Some(name.to_owned()), preset.merge());
        settings
    }

    #[track_caller]
    fn check(settings: &Settings, taken: &[&str], left: &[&str]) {
        settings.check().unwrap();
        let source = CoverageSource {
            project: settings.patterns(),
            agents: settings.agent_folders(),
            ..CoverageSource::default()
        };
        let coverage = Coverage::new(source).unwrap();
        let all = taken.iter().map(|name| (name, true));
        for (name, is_taken) in all.chain(left.iter().map(|name| (name, false))) {
            assert_eq!(coverage.covers(&RelPath::new(name).unwrap()), is_taken, "{name}");
        }
    }

    #[test]
    fn home_of_claude_takes_what_is_worth_having_everywhere() {
        let taken = [
            "CLAUDE.md",
            "rules/a/style.md",
            "memory/notes/MEMORY.md",
            "memory/notes/build.md",
            "agent-memory/reviewer/MEMORY.md",
            "output-styles/terse.md",
            "keybindings.json",
            "themes/dark.json",
        ];
        let parts = ["skills/a/run.sh", "commands/a.md", "agents/b.md", "plans/c.md"];
        let left = [
            "settings.json",
            "settings.local.json",
            ".credentials.json",
            "history.jsonl",
            "projects/a/memory/MEMORY.md",
            "projects/a/b.jsonl",
            "plugins/a/CLAUDE.md",
            "todos/a.md",
        ];
        check(&settings(CLAUDE_HOME, &[]), &taken, &[&left[..], &parts].concat());
        let parts_of = ["skills", "commands", "agents", "plans"];
        assert_eq!(Preset::named(CLAUDE_HOME).unwrap().parts().collect::<Vec<_>>(), parts_of);
        check(&settings(CLAUDE_HOME, &parts_of), &[&taken[..], &parts].concat(), &left);
    }

    #[test]
    fn home_of_claude_merges_memories_as_what_they_are() {
        let settings = settings(CLAUDE_HOME, &[]);
        for (name, how) in [
            ("memory/notes/MEMORY.md", Merger::Union),
            ("agent-memory/reviewer/MEMORY.md", Merger::Union),
            ("memory/notes/build.md", Merger::Frontmatter),
            ("CLAUDE.md", Merger::Lines),
        ] {
            assert_eq!(settings.merger(&RelPath::new(name).unwrap()), Some(how), "{name}");
        }
    }

    #[test]
    fn other_presets_take_what_their_names_say() {
        let agents = ["AGENTS.md", "a/AGENTS.md", "CLAUDE.md", ".claude/rules/a.md"];
        check(&settings("agents-md", &[]), &agents, &["README.md", "CLAUDE.local.md"]);
        let notes = ["a.md", "a/b.txt", "a/b.png"];
        check(&settings("notes", &[]), &notes, &["a.rs", ".claude/history.jsonl"]);
        check(&settings("everything", &[]), &["a.rs"], &[".claude/.credentials.json"]);
        assert!(Preset::named("nothing").is_none());
        assert_eq!(Preset::names().count(), 4);
    }
}
