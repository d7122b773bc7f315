//! The command lines that `install` and the plugin write are ones that this program knows.

use std::path::Path;

use clap::{CommandFactory, Parser};
use serde_json::Value;

use crate::arguments::Cli;
use crate::install::{How, Part, Places, offers, offers_of_shells};

/// Each line of JSON that is run without a shell, and each that a shell would run.
fn lines_of(value: &Value, lines: &mut Vec<String>) {
    if let Some(command) = value.get("command").and_then(Value::as_str) {
        let arguments = value["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
        lines.push([command].into_iter().chain(arguments).collect::<Vec<_>>().join(" "));
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| lines_of(item, lines)),
        Value::Object(members) => members.values().for_each(|item| lines_of(item, lines)),
        _ => {}
    }
}

fn written() -> Vec<(Part, String)> {
    let home = tempfile::tempdir().expect("a folder");
    for folder in [".claude", ".codex"] {
        std::fs::create_dir(home.path().join(folder)).expect("made");
    }
    let places = Places::of_process(home.path());
    let script = |_: &str| String::new();
    let all = [offers(&places, &script), offers_of_shells(&places, &script)].concat();
    let all = all.into_iter().filter(|offer| matches!(offer.how, How::File(_)));
    all.filter_map(|offer| Some((offer.part, offer.text()?.to_owned()))).collect()
}

#[test]
fn every_hook_and_server_can_be_typed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging");
    let plugin = ["claude-plugin/hooks/hooks.json", "claude-plugin/.mcp.json", "codex/hooks.json"];
    let plugin = plugin.map(|name| std::fs::read_to_string(folder.join(name)).expect(name));
    let installed =
        written().into_iter().filter(|(part, _)| matches!(part, Part::Hooks | Part::Mcp));
    let mut lines = Vec::new();
    for text in plugin.into_iter().chain(installed.map(|(_, text)| text)) {
        lines_of(&serde_json::from_str(&text).expect("JSON"), &mut lines);
    }
    assert!(lines.len() > 20, "{lines:?}");
    for line in lines {
        assert!(line.starts_with("mirrorctl "), "{line}");
        if let Err(error) = Cli::try_parse_from(line.split(' ')) {
            panic!("`{line}`: {error}");
        }
    }
}

#[test]
fn every_command_in_skill_and_shell_is_known() {
    let command = Cli::command();
    let texts: Vec<_> = written()
        .into_iter()
        .filter(|(part, _)| matches!(part, Part::Skill | Part::Completions | Part::Prompt))
        .collect();
    assert!(texts.iter().any(|(part, _)| *part == Part::Completions));
    for (part, text) in texts {
        // In lines to be run, and in `…` of the skill.
        for (place, name) in text.match_indices("mirrorctl ") {
            let before = text[..place].trim_end_matches(' ').chars().next_back();
            if !matches!(before, None | Some('\n' | '`' | '(')) {
                continue;
            }
            let found = &text[place + name.len()..];
            let words = found.split([' ', '\n', '`', ')']).find(|word| !word.starts_with('-'));
            let word = words.unwrap_or_default();
            let is_code = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
            assert!(is_code && command.find_subcommand(word).is_some(), "{}: {word}", part.name());
        }
    }
}
