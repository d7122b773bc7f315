//! What a hook answers its host: no document of ours, but the host's own shape.

use serde_json::{Map, Value, json};

/// `None` where there is nothing to say. Keys that would be empty are left out, and no
/// decision is ever taken for the host.
pub(crate) fn hook(
    event: &str,
    context: Option<&str>,
    hint: &str,
    watch_paths: &[String],
) -> Option<Value> {
    let mut specific = Map::new();
    if let Some(context) = context.filter(|context| !context.is_empty()) {
        specific.insert("additionalContext".to_owned(), context.into());
    }
    if !watch_paths.is_empty() {
        specific.insert("watchPaths".to_owned(), json!(watch_paths));
    }
    let mut document = Map::new();
    if !specific.is_empty() {
        specific.insert("hookEventName".to_owned(), event.into());
        document.insert("hookSpecificOutput".to_owned(), specific.into());
    }
    if !hint.is_empty() {
        document.insert("systemMessage".to_owned(), hint.into());
    }
    (!document.is_empty()).then(|| document.into())
}
