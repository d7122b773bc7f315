//! Our hooks among those of a settings file, for hosts that nest them as Claude Code does.
//!
//! A handler is ours by what it runs, so hooks that were moved, or whose limits were
//! changed, are still found; all others are never touched.

use serde_json::Value;

use super::json::{Document, Node, Step, insert, remove};
use super::misfit::Misfit;

const HOOKS: &str = "hooks";
const PROGRAM: &str = "mirrorctl";

/// A handler's place: its event, its group there, its own place in the group.
type Place = (String, usize, usize);

/// Puts the hooks of `wanted` in, unless they are there as they should be.
pub(super) fn with(document: &Document, wanted: &Document) -> Result<Document, Misfit> {
    check(document)?;
    if told(document) == told(wanted) {
        return Ok(document.clone());
    }
    let mut made = without(document, Some(document));
    for event in members(wanted, &[Step::Key(HOOKS)]) {
        made = with_room(&made, &event.key);
        let groups = [Step::Key(HOOKS), Step::Key(&event.key)];
        for group in event.value.items() {
            made = insert(&made, &groups, None, (wanted, group));
        }
    }
    Ok(made)
}

/// With a list of groups for an event, where there is none yet.
fn with_room(document: &Document, event: &str) -> Document {
    let (hooks, groups) = ([Step::Key(HOOKS)], [Step::Key(HOOKS), Step::Key(event)]);
    let fresh = fresh();
    let mut made = document.clone();
    if made.find(&hooks).is_none() {
        made = insert(&made, &[], Some(HOOKS), object_of(&fresh));
    }
    if made.find(&groups).is_none() {
        made = insert(&made, &hooks, Some(event), array_of(&fresh));
    }
    made
}

/// What [`object_of`] and [`array_of`] take from.
fn fresh() -> Document {
    Document::parse(r#"{"object":{},"array":[]}"#).expect("it is written here")
}

fn object_of(fresh: &Document) -> (&Document, &Node) {
    (fresh, fresh.find(&[Step::Key("object")]).expect("it is written above"))
}

fn array_of(fresh: &Document) -> (&Document, &Node) {
    (fresh, fresh.find(&[Step::Key("array")]).expect("it is written above"))
}

/// Our hooks alone, to be shown: what stands beside them may be nobody's business.
pub(super) fn alone(document: &Document) -> Document {
    let fresh = fresh();
    let mut made = Document::parse("").expect("nothing is an empty object");
    for (event, group, handler) in ours(document) {
        made = with_room(&made, &event);
        let groups = [Step::Key(HOOKS), Step::Key(&event)];
        let place = made.find(&groups).map_or(0, |groups| groups.items().len());
        made = insert(&made, &groups, None, object_of(&fresh));
        let (own, theirs) = ([groups[0], groups[1], Step::At(place)], Step::At(group));
        let matcher = [groups[0], groups[1], theirs, Step::Key("matcher")];
        if let Some(matcher) = document.find(&matcher) {
            made = insert(&made, &own, Some("matcher"), (document, matcher));
        }
        made = insert(&made, &own, Some(HOOKS), array_of(&fresh));
        let handlers = [own[0], own[1], own[2], Step::Key(HOOKS)];
        let node = [groups[0], groups[1], theirs, Step::Key(HOOKS), Step::At(handler)];
        if let Some(node) = document.find(&node) {
            made = insert(&made, &handlers, None, (document, node));
        }
    }
    made
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
    let events = members(document, &[Step::Key(HOOKS)]);
    for (index, event) in events.iter().enumerate() {
        // Of two with one name the last counts, and is what its name leads to.
        if events[index + 1..].iter().any(|later| later.key == event.key) {
            continue;
        }
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
fn check(document: &Document) -> Result<(), Misfit> {
    check_names(document)?;
    if !document.value(document.root()).is_object() {
        return Err(Misfit::NoObject);
    }
    let Some(hooks) = document.find(&[Step::Key(HOOKS)]) else { return Ok(()) };
    if !document.value(hooks).is_object() {
        return Err(Misfit::Odd(format!("`{HOOKS}` in it is no object")));
    }
    for event in hooks.members() {
        if !document.value(&event.value).is_array() {
            return Err(Misfit::Odd(format!("`{HOOKS}.{}` in it is no list", event.key)));
        }
    }
    Ok(())
}

/// Where a name stands twice, what is changed by it may not be what anybody sees.
pub(super) fn check_names(document: &Document) -> Result<(), Misfit> {
    let hooks = document.find(&[Step::Key(HOOKS)]);
    let twice = document.doubled(&[HOOKS]).or_else(|| hooks.and_then(Node::doubled));
    twice.map_or(Ok(()), |key| Err(Misfit::Twice(key.to_owned())))
}
