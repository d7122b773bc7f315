//! What goes into a tool and what comes out of it, as JSON Schema.

use serde_json::{Map, Value, json};

/// The arguments of a tool, the project with them.
pub(crate) fn arguments(own: &Value, needed: &[&str]) -> Value {
    let mut properties = Map::new();
    properties.insert(
        "project".to_owned(),
        json!({"type": "string", "description":
            "the project's name, or a folder in it (default: the current folder's project)"}),
    );
    properties.extend(own.as_object().cloned().unwrap_or_default());
    json!({
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    })
}

pub(crate) fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

pub(crate) fn flag(description: &str) -> Value {
    json!({"type": "boolean", "description": description, "default": false})
}

pub(crate) fn paths(description: &str) -> Value {
    json!({"type": "array", "items": {"type": "string"}, "description": description})
}

/// An answer of at least these, each of one type; a mark after the type says that it may
/// be null.
pub(crate) fn answer(keys: &[(&str, &str)]) -> Value {
    let one = |(key, kind): &(&str, &str)| {
        let kind = match kind.strip_suffix('?') {
            Some(kind) => json!({"type": [kind, "null"]}),
            None => json!({"type": kind}),
        };
        ((*key).to_owned(), kind)
    };
    let needed: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
    let mut properties: Map<String, Value> = keys.iter().map(one).collect();
    properties.insert(
        "left_out".to_owned(),
        json!({"type": "object", "description": "how many entries of which list are left out"}),
    );
    json!({"type": "object", "properties": properties, "required": needed})
}

/// What push, pull and restore answer.
pub(crate) fn job() -> Value {
    answer(&[
        ("project", "string"),
        ("commit", "integer?"),
        ("files", "array"),
        ("conflicts", "array"),
        ("failed", "array"),
        ("queued", "boolean"),
        ("dry_run", "boolean"),
    ])
}
