//! What keeps our hooks from being run, or has them run twice.

use std::path::Path;

use mirror_proto::v1::{Finding, FindingLevel};

use super::json::Document;
use super::parts::{CLAUDE_HOOKS, CODEX_HOOKS};
use super::places::Places;
use super::{claude, file, hooks};
use crate::paths;

/// The switches that keep hooks of a user's from being run.
const SWITCHES: [(&str, &str); 2] = [
    ("disableAllHooks", "no hook is run while this is set; take it out, or live without notices"),
    (
        "allowManagedHooksOnly",
        "only hooks of whoever runs this machine are run; ask them to install ours for all",
    ),
];

/// What is to be said of the agents on this machine.
pub(crate) fn findings(places: &Places) -> Vec<Finding> {
    let mut all = Vec::new();
    if places.has_claude() {
        all.extend(of_claude(places));
    }
    if places.has_codex() {
        all.extend(of_codex(places));
    }
    all
}

fn of_claude(places: &Places) -> Vec<Finding> {
    let file = places.claude_settings();
    let place = paths::shown(&file);
    let settings = match read(&file) {
        Ok(settings) => settings,
        Err(broken) => return vec![broken],
    };
    let (has_own, plugin) = (hooks::are_in(&settings), claude::plugin(places));
    if !has_own && plugin.is_none() {
        let what = "Claude Code has no hooks of ours: `mirrorctl install` adds them";
        return vec![finding(FindingLevel::Ok, &place, what, None)];
    }
    let mut all = Vec::new();
    match plugin {
        Some(plugin) if has_own => {
            let what = format!("our hooks are here and in the plugin {plugin}: each runs twice");
            let fix = "`mirrorctl uninstall --only hooks`, or switch the plugin off";
            all.push(finding(FindingLevel::Warn, &place, &what, Some(fix)));
        }
        None if !hooks::are_as(&settings, &wanted(CLAUDE_HOOKS)) => all.push(outdated(&place)),
        Some(_) | None => {}
    }
    for file in claude::all_settings(places) {
        for (switch, fix) in SWITCHES {
            if claude::is_on(&file, switch) {
                let what = format!("`{switch}` keeps our hooks from being run");
                all.push(finding(FindingLevel::Warn, &paths::shown(&file), &what, Some(fix)));
            }
        }
    }
    all.extend(without_program(places, &place));
    if all.is_empty() {
        all.push(finding(FindingLevel::Ok, &place, "Claude Code runs our hooks", None));
    }
    all
}

fn of_codex(places: &Places) -> Vec<Finding> {
    let file = places.codex_hooks();
    let place = paths::shown(&file);
    let found = match read(&file) {
        Ok(found) => found,
        Err(broken) => return vec![broken],
    };
    if !hooks::are_in(&found) {
        let what = "Codex has no hooks of ours: `mirrorctl install` adds them";
        return vec![finding(FindingLevel::Ok, &place, what, None)];
    }
    let mut all = Vec::new();
    if !hooks::are_as(&found, &wanted(CODEX_HOOKS)) {
        all.push(outdated(&place));
    }
    let config = file::read(&places.codex.join("config.toml")).ok().flatten();
    let config = config.unwrap_or_default();
    let is_trusted = |(event, group, handler): &(String, usize, usize)| {
        config.contains(&format!("hooks.json:{}:{group}:{handler}\"", label(event)))
    };
    if !hooks::ours(&found).iter().all(is_trusted) {
        let what = "Codex does not run hooks of ours that nobody has trusted yet";
        let fix = "start `codex`, type /hooks, and trust the commands that begin with mirrorctl";
        all.push(finding(FindingLevel::Warn, &place, what, Some(fix)));
    }
    all.extend(without_program(places, &place));
    if all.is_empty() {
        all.push(finding(FindingLevel::Ok, &place, "Codex runs our hooks", None));
    }
    all
}

/// As Codex writes the name of an event where it keeps what is trusted: `SessionStart`
/// is `session_start`.
fn label(event: &str) -> String {
    let mut label = String::new();
    for letter in event.chars() {
        if letter.is_ascii_uppercase() && !label.is_empty() {
            label.push('_');
        }
        label.push(letter.to_ascii_lowercase());
    }
    label
}

fn read(file: &Path) -> Result<Document, Finding> {
    let text = file::real(file).and_then(|file| file::read(&file));
    let parsed = match text {
        Ok(text) => Document::parse(&text.unwrap_or_default()),
        Err(failure) => Err(failure.fault.message),
    };
    parsed.map_err(|why| {
        let fix = "put that right: nothing in this file holds as it is";
        finding(FindingLevel::Fail, &paths::shown(file), &why, Some(fix))
    })
}

fn wanted(text: &str) -> Document {
    Document::parse(text).expect("it comes with this program")
}

fn outdated(place: &str) -> Finding {
    let fix = "`mirrorctl install --only hooks` brings them up to date";
    finding(FindingLevel::Warn, place, "our hooks are those of another version", Some(fix))
}

fn without_program(places: &Places, place: &str) -> Option<Finding> {
    let fix = "put the folder of mirrorctl on the PATH of the shell that starts the agent";
    let what = "our hooks run `mirrorctl`, which is not on the PATH";
    (!places.finds("mirrorctl")).then(|| finding(FindingLevel::Fail, place, what, Some(fix)))
}

fn finding(level: FindingLevel, place: &str, what: &str, fix: Option<&str>) -> Finding {
    Finding {
        level: level.into(),
        what: what.to_owned(),
        r#where: place.to_owned(),
        fix: fix.map(str::to_owned),
        ..Finding::default()
    }
}
