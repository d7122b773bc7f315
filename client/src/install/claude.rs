//! What Claude Code's own settings say about our hooks.

use std::path::PathBuf;

use serde_json::Value;

use super::content::NAME;
use super::file;
use super::json::{Document, Step};
use super::places::Places;
use crate::paths;

/// The plugin of ours that is switched on, and where; it brings hooks, skill and server.
pub(super) fn plugin(places: &Places) -> Option<String> {
    let folder = places.claude.join("skills").join(NAME);
    if folder.join(".claude-plugin/plugin.json").is_file() {
        return Some(format!("in {}", paths::shown(&folder)));
    }
    user_settings(places).into_iter().find_map(|file| {
        let settings = settings(&file)?;
        let enabled = settings.value_at(&[Step::Key("enabledPlugins")])?;
        let is_ours = |(name, on): &(&String, &Value)| {
            **on == Value::Bool(true) && name.split('@').next() == Some(NAME)
        };
        let (name, _) = enabled.as_object()?.iter().find(is_ours)?;
        Some(format!("{name} in {}", paths::shown(&file)))
    })
}

/// A settings file that is there and can be read.
pub(super) fn settings(file: &std::path::Path) -> Option<Document> {
    let text = file::read(&file::real(file).ok()?).ok()??;
    Document::parse(&text).ok()
}

/// The files whose settings hold for a user wherever that user is.
fn user_settings(places: &Places) -> Vec<PathBuf> {
    ["settings.json", "settings.local.json"].map(|name| places.claude.join(name)).to_vec()
}

/// All files whose settings hold in the current folder.
pub(super) fn all_settings(places: &Places) -> Vec<PathBuf> {
    let mut all = vec![places.claude_managed.clone()];
    all.extend(user_settings(places));
    if let Some(here) = &places.here {
        let own = here.join(".claude");
        if own != places.claude {
            all.extend(["settings.json", "settings.local.json"].map(|name| own.join(name)));
        }
    }
    all
}

/// Whether a switch is on in a file.
pub(super) fn is_on(file: &std::path::Path, switch: &str) -> bool {
    let settings = settings(file);
    settings.and_then(|all| all.value_at(&[Step::Key(switch)])) == Some(Value::Bool(true))
}
