//! `install` and `uninstall` with the real programs, in the home of somebody who has
//! Claude Code and Codex.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::errors::message_has;
use crate::support::{Outcome, World, binaries, daemons_holding, processes, repository, run};

struct Home(PathBuf);

impl Home {
    fn new(world: &World) -> Self {
        let home = Self(world.folder("h"));
        for folder in [".claude", ".codex"] {
            fs::create_dir(home.0.join(folder)).expect("made");
        }
        home
    }

    fn tries(&self, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(binaries().join("mirrorctl"));
        let path = format!("{}:/usr/bin:/bin", binaries().display());
        command.env_clear().env("HOME", &self.0).env("PATH", path).env("SHELL", "/bin/bash");
        command.current_dir(&self.0).arg("--json").args(arguments);
        run(command)
    }

    #[track_caller]
    fn asks(&self, arguments: &[&str]) -> Value {
        self.tries(arguments).exits(0).result()
    }

    fn reads(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.0.join(name)).ok()
    }

    fn writes(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("written");
    }

    /// What `doctor` says of a place.
    #[track_caller]
    fn hears(&self, place: &str) -> Vec<(String, String)> {
        let report = self.tries(&["doctor"]).result();
        let findings = report["findings"].as_array().expect("findings").clone();
        let here = findings
            .iter()
            .filter(|one| one["where"].as_str().is_some_and(|found| found.ends_with(place)));
        let told = |one: &Value| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            (text("level"), text("what"))
        };
        here.map(told).collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        daemons_holding(&self.0.join(".local/state/mirrord")).into_iter().for_each(processes::kill);
    }
}

const PARTS: [&str; 6] = ["--yes", "--only", "hooks,skill", "mcp", "completions", "prompt"];

fn with(verb: &'static str) -> Vec<&'static str> {
    [&[verb], &PARTS[..]].concat()
}

fn changes(result: &Value) -> Vec<&str> {
    let parts = result["parts"].as_array().expect("parts");
    parts.iter().map(|part| part["change"].as_str().expect("a word")).collect()
}

#[test]
fn everything_comes_and_goes_without_a_trace() {
    let world = World::new();
    let home = Home::new(&world);
    let settings = "{\n\t\"model\": \"opus\",\n\t\"hooks\": {\"Stop\": []}\n}";
    home.writes(".claude/settings.json", settings);
    home.writes(".bashrc", "export A=1");

    let shown = home.asks(&["install", "--dry-run"]);
    assert!(shown["parts"][1]["diff"].as_str().expect("a diff").contains("session-start"));
    assert_eq!(home.reads(".claude/settings.json").as_deref(), Some(settings));

    let done = home.asks(&with("install"));
    assert_eq!(changes(&done), ["written"; 6]);
    let kept = done["parts"][0]["backup"].as_str().expect("a copy");
    assert_eq!(fs::read_to_string(kept).expect("there"), settings);
    for (file, words) in [
        (".claude/settings.json", "\"args\": [\"hook\", \"file-changed\"]"),
        (".codex/hooks.json", "mirrorctl hook session-start"),
        (".claude/skills/mirrord/SKILL.md", "name: mirrord"),
        (".claude.json", "\"args\": [\"mcp\"]"),
        (".local/share/bash-completion/completions/mirrorctl", "_mirrorctl"),
        (".bashrc", "mirrorctl prompt"),
    ] {
        assert!(home.reads(file).expect(file).contains(words), "{file}");
    }
    assert_eq!(changes(&home.asks(&with("install"))), ["none"; 6]);
    is_what_the_plugin_brings(&home);

    assert_eq!(changes(&home.asks(&with("uninstall"))).len(), 6);
    assert_eq!(home.reads(".claude/settings.json").as_deref(), Some(settings));
    assert_eq!(home.reads(".bashrc").as_deref(), Some("export A=1"));
    for gone in
        [".codex/hooks.json", ".claude/skills", ".claude.json", ".local/share/bash-completion"]
    {
        assert!(!home.0.join(gone).exists(), "{gone}");
    }
    assert_eq!(changes(&home.asks(&with("uninstall"))), ["none"; 6]);
}

/// So that neither knows anything that the other doesn't.
#[track_caller]
fn is_what_the_plugin_brings(home: &Home) {
    let plugin = repository().join("packaging/claude-plugin");
    let read = |path: PathBuf| fs::read_to_string(path).expect("there");
    let json = |path: PathBuf| serde_json::from_str::<Value>(&read(path)).expect("JSON");
    let settings = json(home.0.join(".claude/settings.json"));
    assert_eq!(settings["hooks"], json(plugin.join("hooks/hooks.json"))["hooks"]);
    assert_eq!(json(home.0.join(".claude.json")), json(plugin.join(".mcp.json")));
    let skill = "skills/mirrord/SKILL.md";
    assert_eq!(read(home.0.join(".claude").join(skill)), read(plugin.join(skill)));
    let codex = repository().join("packaging/codex/hooks.json");
    assert_eq!(json(home.0.join(".codex/hooks.json")), json(codex));
}

#[test]
fn nobody_to_ask_and_files_that_cannot_be_read_end_it_before_it_begins() {
    let world = World::new();
    let home = Home::new(&world);
    message_has(&home.tries(&["install"]).exits(2).error(), &["nobody is here", "--yes"]);

    home.writes(".codex/hooks.json", "{\"hooks\": oops}");
    let error = home.tries(&with("install")).exits(1).error();
    message_has(&error, &[".codex/hooks.json", "no valid JSON", "nothing was changed"]);
    assert_eq!(home.reads(".claude/settings.json"), None);
    assert_eq!(changes(&home.asks(&["install", "--yes", "--only", "skill"])), ["written"]);
}

#[test]
fn broken_file_that_has_nothing_of_ours_keeps_nothing_else_installed() {
    let world = World::new();
    let home = Home::new(&world);
    home.asks(&["install", "--yes", "--only", "skill"]);
    home.writes(".claude/settings.json", "{\"hooks\": oops}");
    fs::write(home.0.join(".codex/hooks.json"), [0xff]).expect("written");

    let gone = home.asks(&["uninstall", "--yes", "--only", "hooks", "skill"]);

    assert_eq!(changes(&gone), ["removed", "left_out", "left_out"]);
    let why = |part: usize| gone["parts"][part]["why"].as_str().expect("why").to_owned();
    assert!(why(1).contains("not valid UTF-8") && why(2).contains("no valid JSON"), "{gone}");
    assert_eq!(home.reads(".claude/settings.json").as_deref(), Some("{\"hooks\": oops}"));
}

#[test]
fn hook_of_another_version_is_silent() {
    let world = World::new();
    let home = Home::new(&world);
    for line in
        [&["hook", "of-tomorrow"][..], &["hook", "stop", "--as", "agent-of-tomorrow"], &["hook"]]
    {
        let mut command = Command::new(binaries().join("mirrorctl"));
        command.env_clear().env("HOME", &home.0).args(line);
        let heard = command.output().expect("run");
        assert!(heard.status.success(), "{heard:?}");
        assert!(heard.stdout.is_empty() && heard.stderr.is_empty(), "{heard:?}");
    }
}

#[test]
fn plugin_that_brings_the_same_is_left_alone() {
    let world = World::new();
    let home = Home::new(&world);
    home.asks(&["install", "--yes", "--only", "hooks"]);
    let settings = home.reads(".claude/settings.json").expect("written");
    let enabled = "{\n  \"enabledPlugins\": {\"mirrord@mirrord\": true},";
    home.writes(".claude/settings.json", &settings.replacen('{', enabled, 1));

    let twice = home.hears(".claude/settings.json");
    assert!(
        twice.iter().any(|(level, what)| level == "warn" && what.contains("twice")),
        "{twice:?}"
    );

    let gone = home.asks(&["uninstall", "--yes", "--only", "hooks"]);
    assert_eq!(changes(&gone), ["removed", "written"], "whatever a plugin brings");
    let told = home.asks(&["install", "--yes", "--only", "hooks", "skill", "mcp"]);
    assert_eq!(changes(&told), ["left_out", "written", "left_out", "left_out"]);
    assert!(told["parts"][0]["why"].as_str().expect("why").contains("mirrord@mirrord"));
    assert!(!home.reads(".claude/settings.json").expect("there").contains("mirrorctl"));
}

#[test]
fn doctor_sees_what_keeps_hooks_from_being_run() {
    let world = World::new();
    let home = Home::new(&world);
    let has = |place: &str, level: &str, words: &str| {
        let heard = home.hears(place);
        let found = heard.iter().any(|(found, what)| found == level && what.contains(words));
        assert!(found, "{level} {words}: {heard:?}");
    };
    has(".claude/settings.json", "ok", "no hooks of ours");
    home.asks(&["install", "--yes", "--only", "hooks"]);
    has(".claude/settings.json", "ok", "runs our hooks");
    has(".codex/hooks.json", "warn", "nobody has trusted");

    let ours = home.reads(".claude/settings.json").expect("written");
    home.writes(".claude/settings.json", &ours.replace("\"timeout\": 2", "\"timeout\": 60"));
    has(".claude/settings.json", "warn", "another version");
    home.writes(".claude/settings.json", &ours.replacen('{', "{\"disableAllHooks\": true,", 1));
    has(".claude/settings.json", "warn", "disableAllHooks");
    home.writes(".claude/settings.json", "{");
    has(".claude/settings.json", "fail", "line 1");

    let hooks = home.0.join(".codex/hooks.json");
    let events = ["session_start", "user_prompt_submit", "pre_tool_use", "post_tool_use", "stop"];
    let trusted = |event: &&str| {
        format!("[hooks.state.\"{}:{event}:0:0\"]\ntrusted_hash = \"sha256:00\"\n", hooks.display())
    };
    home.writes(".codex/config.toml", &events.iter().map(trusted).collect::<String>());
    has(".codex/hooks.json", "ok", "Codex runs our hooks");
}
