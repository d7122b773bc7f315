//! Our hooks among those of a settings file, for hosts that nest them as Claude Code does.
//!
//! A handler is ours by what it runs, so hooks that were moved, or whose limits were
//! changed, are still found; all others are never touched.

use serde_json::Value;

use super::json::{Document, Node, Step, insert, remove};

const HOOKS: &str = "hooks";
const PROGRAM: &str = "mirrorctl";

/// A handler's place: its event, its group there, its own place in the group.
type Place = (String, usize, usize);

/// Puts the hooks of `wanted` in, unless they are there as they should be.
pub(super) fn with(document: &Document, wanted: &Document) -> Result<Document, String> {
    check(document)?;
    if told(document) == told(wanted) {
        return Ok(document.clone());
    }
    let mut made = without(document, Some(document));
    for event in members(wanted, &[Step::Key(HOOKS)]) {
        let (hooks, key) = ([Step::Key(HOOKS)], event.key.as_str());
        let groups = [Step::Key(HOOKS), Step::Key(key)];
        let empty = Document::parse(r#"{"object":{},"array":[]}"#)?;
        let fresh = |key| empty.find(&[Step::Key(key)]).expect("as written above");
        if made.find(&hooks).is_none() {
            made = insert(&made, &[], Some(HOOKS), (&empty, fresh("object")));
        }
        if made.find(&groups).is_none() {
            made = insert(&made, &hooks, Some(key), (&empty, fresh("array")));
        }
        for group in event.value.items() {
            made = insert(&made, &groups, None, (wanted, group));
        }
    }
    Ok(made)
}

/// Takes our hooks out, and what they leave empty, unless `original` has it empty, too.
pub(super) fn without(document: &Document, original: Option<&Document>) -> Document {
    let mut left = document.clone();
    // From the last to the first: what is before it keeps its place.
    for (event, group, handler) in ours(document).into_iter().rev() {
        let of_event = [Step::Key(HOOKS), Step::Key(&event)];
        let of_group = [of_event[0], of_event[1], Step::At(group)];
        let handlers = [of_group[0], of_group[1], of_group[2], Step::Key(HOOKS)];
        left = remove(&left, &[handlers.as_slice(), &[Step::At(handler)]].concat());
        let above: [&[Step<'_>]; 3] = [&of_group, &of_event, &of_event[..1]];
        let is_bare = left.find(&handlers).is_some_and(Node::is_empty);
        if !is_bare {
            continue;
        }
        left = remove(&left, above[0]);
        for steps in &above[1..] {
            let is_bare = left.find(steps).is_some_and(Node::is_empty);
            let was_there = original.is_some_and(|original| original.find(steps).is_some());
            if !is_bare || was_there {
                break;
            }
            left = remove(&left, steps);
        }
    }
    left
}

/// Whether any hook of ours is there.
pub(super) fn are_in(document: &Document) -> bool {
    !ours(document).is_empty()
}

/// Whether the hooks of `wanted` are there as they should be.
pub(super) fn are_as(document: &Document, wanted: &Document) -> bool {
    told(document) == told(wanted)
}

/// Where each handler of ours is.
pub(super) fn ours(document: &Document) -> Vec<Place> {
    let mut found = Vec::new();
    for event in members(document, &[Step::Key(HOOKS)]) {
        for (group, node) in event.value.items().iter().enumerate() {
            let handlers = node.members().iter().rfind(|member| member.key == HOOKS);
            let handlers = handlers.map_or(&[][..], |member| member.value.items());
            for (handler, node) in handlers.iter().enumerate() {
                if is_ours(&document.value(node)) {
                    found.push((event.key.clone(), group, handler));
                }
            }
        }
    }
    found
}

/// A copy that a person named by a path is that person's.
fn is_ours(handler: &Value) -> bool {
    let words: Vec<_> = handler["command"].as_str().unwrap_or_default().split(' ').collect();
    match words[..] {
        [PROGRAM] => handler["args"][0] == "hook",
        [PROGRAM, "hook", ..] => true,
        _ => false,
    }
}

/// What our handlers are, in their order: the event, what it is for, the handler.
fn told(document: &Document) -> Vec<(String, Option<Value>, Value)> {
    let one = |(event, group, handler): Place| {
        let group = [Step::Key(HOOKS), Step::Key(&event), Step::At(group)];
        let matcher = document.value_at(&[&group[..], &[Step::Key("matcher")]].concat());
        let steps = [&group[..], &[Step::Key(HOOKS), Step::At(handler)]].concat();
        let handler = document.value_at(&steps).unwrap_or_default();
        (event, matcher, handler)
    };
    let mut all: Vec<_> = ours(document).into_iter().map(one).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

fn members<'a>(document: &'a Document, steps: &[Step<'_>]) -> &'a [super::json::Member] {
    document.find(steps).map_or(&[], Node::members)
}

/// Nothing can be put into what isn't laid out as hooks are.
fn check(document: &Document) -> Result<(), String> {
    object(document, &[])?;
    if document.find(&[Step::Key(HOOKS)]).is_none() {
        return Ok(());
    }
    object(document, &[Step::Key(HOOKS)]).map_err(|why| format!("`hooks` in it {why}"))?;
    for event in members(document, &[Step::Key(HOOKS)]) {
        if !document.value(&event.value).is_array() {
            return Err(format!("`hooks.{}` in it is no list", event.key));
        }
    }
    Ok(())
}

pub(super) fn object(document: &Document, steps: &[Step<'_>]) -> Result<(), String> {
    match document.value_at(steps).is_some_and(|value| value.is_object()) {
        true => Ok(()),
        false => Err("is no JSON object".to_owned()),
    }
}
