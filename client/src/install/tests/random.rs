//! Any settings file, through an installation and back.

use proptest::prelude::*;
use serde_json::Value;

use super::super::json::{Document, Kind, Member, Node, Step, insert};
use super::*;
use settings::texts;

fn contents() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Hooks(CLAUDE_HOOKS)),
        Just(Content::Hooks(CODEX_HOOKS)),
        Just(Content::Server(SERVER)),
    ]
}

/// What somebody else does to the file in between.
#[derive(Clone, Copy, Debug)]
enum Edit {
    AddsAtTheEnd,
    AddsAtTheStart,
    LaysOutAnew,
    AddsToOurEvent,
    AddsToOurGroup,
}

fn edits() -> impl Strategy<Value = Edit> {
    prop_oneof![
        Just(Edit::AddsAtTheEnd),
        Just(Edit::AddsAtTheStart),
        Just(Edit::LaysOutAnew),
        Just(Edit::AddsToOurEvent),
        Just(Edit::AddsToOurGroup),
    ]
}

fn document(text: &str) -> Document {
    Document::parse(text).expect("JSON")
}

/// Like the edit, on a text with or without us. Where it needs what only we brought, it
/// brings that as well.
fn edited(text: &str, edit: Edit) -> String {
    let theirs = document(r#"{"theirs": {"command": "/theirs"}, "group": {"hooks": []}}"#);
    let node = |name| theirs.find(&[Step::Key(name)]).expect("there");
    let found = document(text);
    match edit {
        Edit::AddsAtTheEnd => {
            insert(&found, &[], Some("theirs"), (&theirs, node("theirs"))).text().to_owned()
        }
        Edit::AddsAtTheStart => {
            let comma = if found.root().is_empty() { "" } else { "," };
            text.replacen('{', &format!("{{\"first\": [1]{comma}"), 1)
        }
        Edit::LaysOutAnew => canonical(&found, found.root()),
        Edit::AddsToOurEvent | Edit::AddsToOurGroup => {
            let event = [Step::Key("hooks"), Step::Key("Stop")];
            let Some(groups) = found.find(&event).filter(|node| !node.items().is_empty()) else {
                return text.to_owned();
            };
            let last = groups.items().len() - 1;
            let group = [event[0], event[1], Step::At(last), Step::Key("hooks")];
            let steps = if matches!(edit, Edit::AddsToOurEvent) { &event[..] } else { &group };
            insert(&found, steps, None, (&theirs, node("theirs"))).text().to_owned()
        }
    }
}

/// The same for all texts that say the same in the same order.
fn canonical(document: &Document, node: &Node) -> String {
    match &node.kind {
        Kind::Plain => document.value(node).to_string(),
        Kind::Array(items) => {
            let all: Vec<_> = items.iter().map(|item| canonical(document, item)).collect();
            format!("[{}]", all.join(","))
        }
        Kind::Object(members) => {
            let one = |member: &Member| {
                format!("{}:{}", Value::from(&*member.key), canonical(document, &member.value))
            };
            format!("{{{}}}", members.iter().map(one).collect::<Vec<_>>().join(","))
        }
    }
}

fn said(text: &str) -> String {
    let document = document(text);
    canonical(&document, document.root())
}

/// Without empty lists of hooks and servers, which nobody misses.
fn said_at_least(text: &str) -> String {
    let mut all: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("JSON");
    if let Some(hooks) = all.get_mut("hooks").and_then(Value::as_object_mut) {
        hooks.retain(|_, groups| groups.as_array().is_none_or(|groups| !groups.is_empty()));
    }
    let is_bare = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty);
    let all = all.as_object_mut().expect("an object");
    all.retain(|key, value| !(matches!(key.as_str(), "hooks" | "mcpServers") && is_bare(value)));
    serde_json::to_string(&all).expect("text")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_nobody_changed_is_byte_for_byte_as_before(
        text in prop::option::of(texts()), content in contents()
    ) {
        let mut place = Place::new();
        let entry = place.entry(content.clone());
        if text.is_some() {
            place.writes(text.as_deref());
        }

        place.goes(&entry, Way::In);
        let installed = place.text().expect("written");
        prop_assert_eq!(content.put_into(&installed), Ok(installed.clone()));
        place.goes(&entry, Way::In);
        prop_assert_eq!(place.text(), Some(installed), "once is enough");

        place.goes(&entry, Way::Out);
        prop_assert_eq!(place.text(), text);
        prop_assert!(!place.path("data/installed").exists(), "nothing is left of it");
        place.goes(&entry, Way::Out);
    }

    #[test]
    fn what_somebody_else_changed_meanwhile_stays_and_ours_goes(
        text in texts(), content in contents(), edit in edits()
    ) {
        let mut place = Place::new();
        let entry = place.entry(content.clone());
        place.writes(Some(&text));
        place.goes(&entry, Way::In);
        let installed = place.text().expect("written");
        let ours_goes = |text: &str, original: &str| content.take_out_of(text, original).expect("JSON");

        let changed = edited(&installed, edit);
        place.writes(Some(&changed));
        place.goes(&entry, Way::Out);

        let left = place.text().expect("it is theirs");
        prop_assert_eq!(ours_goes(&left, &text), left.clone(), "nothing of ours is left");
        let expected = match edit {
            Edit::AddsToOurEvent | Edit::AddsToOurGroup => None,
            _ => Some(said(&edited(&text, edit))),
        };
        match expected {
            Some(expected) => prop_assert_eq!(said(&left), expected),
            None => prop_assert_eq!(left.contains("/theirs"), changed.contains("/theirs")),
        }
    }

    #[test]
    fn ours_is_found_without_any_record(text in texts(), content in contents()) {
        let mut place = Place::new();
        let entry = place.entry(content);
        place.writes(Some(&text));
        place.goes(&entry, Way::In);

        place.forgets();
        place.goes(&entry, Way::Out);

        prop_assert_eq!(said_at_least(&place.text().expect("there")), said_at_least(&text));
    }

    #[test]
    fn hooks_of_an_older_version_are_replaced_where_they_are(text in texts()) {
        let mut place = Place::new();
        place.writes(Some(&text));
        let older = place.entry(Content::Hooks(CODEX_HOOKS));
        let newer = place.entry(Content::Hooks(CLAUDE_HOOKS));
        place.goes(&older, Way::In);
        place.goes(&newer, Way::In);

        let installed = place.text().expect("written");
        prop_assert!(!installed.contains("mirrorctl hook "), "{}", installed);
        place.goes(&newer, Way::Out);
        prop_assert_eq!(place.text(), Some(text));
    }
}

/// Lines of a shell's file, with an end or without one, and ends of ours that were lost.
fn shell_texts() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("export A=1"),
        Just(""),
        Just("# >>> mirrorctl prompt >>>"),
        Just("# <<< mirrorctl completions <<<"),
        Just("\tfi"),
    ];
    let lines = prop::collection::vec(line, 0..5).prop_map(|lines| lines.join("\n"));
    (lines, any::<bool>()).prop_map(|(text, is_ended)| if is_ended { text + "\n" } else { text })
}

/// Parts that stand in one file: of a shell, or of settings.
fn files() -> impl Strategy<Value = (Option<String>, [Content; 2])> {
    let lines = |name, text: &str| Content::Lines { name, text: text.to_owned() };
    let shell = [lines("completions", "source x\n"), lines("prompt", "PS1=x\n")];
    let settings = [Content::Hooks(CLAUDE_HOOKS), Content::Server(SERVER)];
    prop_oneof![
        prop::option::of(shell_texts()).prop_map(move |text| (text, shell.clone())),
        prop::option::of(texts()).prop_map(move |text| (text, settings.clone())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_parts_of_a_file_go_in_any_order(
        (text, contents) in files(), ways in [any::<bool>(), any::<bool>(), any::<bool>()]
    ) {
        let mut place = Place::new();
        let [one, other] = contents;
        let one = place.entry(one);
        let other = Entry { key: "another part".to_owned(), ..place.entry(other) };
        let order = |is_first| if is_first { [&one, &other] } else { [&other, &one] };
        if text.is_some() {
            place.writes(text.as_deref());
        }

        for entry in order(ways[0]) {
            place.goes(entry, Way::In);
        }
        if ways[1] {
            place.goes(&one, Way::Out);
            place.goes(&one, Way::In);
        }
        for entry in order(ways[0]) {
            let change = place.installation.change(entry, Way::In).expect("worked out");
            prop_assert!(change.is_none(), "once is enough");
        }
        for entry in order(ways[2]) {
            place.goes(entry, Way::Out);
        }

        prop_assert_eq!(place.text(), text);
        prop_assert!(!place.path("data/installed").exists(), "nothing is left of it");
    }

    #[test]
    fn two_parts_of_a_file_that_was_changed_go_and_the_change_stays(
        (text, contents) in files(), between in any::<bool>(), is_first in any::<bool>()
    ) {
        let mut place = Place::new();
        let [one, other] = contents;
        let one = place.entry(one);
        let other = Entry { key: "another part".to_owned(), ..place.entry(other) };
        let is_shell = matches!(one.content, Content::Lines { .. });
        let changed = |text: &str| match is_shell {
            true => format!("alias x=y\n{text}"),
            false => edited(text, Edit::AddsAtTheStart),
        };
        if text.is_some() {
            place.writes(text.as_deref());
        }

        place.goes(&one, Way::In);
        if between {
            place.writes(Some(&changed(&place.text().expect("written"))));
        }
        place.goes(&other, Way::In);
        if !between {
            place.writes(Some(&changed(&place.text().expect("written"))));
        }
        for entry in if is_first { [&one, &other] } else { [&other, &one] } {
            place.goes(entry, Way::Out);
        }

        let left = place.text().expect("it is theirs");
        let original = text.unwrap_or_default();
        let expected = if is_shell { original } else { document(&original).text().to_owned() };
        let expected = changed(&expected);
        match is_shell {
            true => prop_assert_eq!(left.trim_end_matches('\n'), expected.trim_end_matches('\n')),
            false => prop_assert_eq!(said_at_least(&left), said_at_least(&expected)),
        }
        prop_assert!(!place.path("data/installed").exists(), "nothing is left of it");
    }
}
