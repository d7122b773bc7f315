//! Files of a person's through an installation and back.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;
use serde_json::Value;

use super::json::{Document, Kind, Node, Step, insert};
use super::parts::{CLAUDE_HOOKS, CODEX_HOOKS, SERVER, SKILL};
use super::*;

struct Place {
    folder: tempfile::TempDir,
    installation: Installation,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let installation = Installation::open(&folder.path().join("data")).expect("opened");
        Self { folder, installation }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("there").join(name)
    }

    fn entry(&self, content: Content) -> Entry {
        let named = self.path("settings.json");
        Entry { key: "a part".to_owned(), named, content, is_private: true }
    }

    fn writes(&self, text: Option<&str>) {
        let file = self.path("settings.json");
        match text {
            Some(text) => fs::write(file, text).expect("written"),
            None => fs::remove_file(file).expect("removed"),
        }
    }

    fn text(&self) -> Option<String> {
        fs::read_to_string(self.path("settings.json")).ok()
    }

    fn goes(&mut self, entry: &Entry, way: Way) {
        self.installation.carry_out(entry, way).expect("carried out");
        // What a next run of the program knows.
        self.installation = Installation::open(&self.path("data")).expect("opened");
    }

    fn forgets(&mut self) {
        let _ = fs::remove_dir_all(self.path("data"));
        self.installation = Installation::open(&self.path("data")).expect("opened");
    }
}

fn contents() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Hooks(CLAUDE_HOOKS)),
        Just(Content::Hooks(CODEX_HOOKS)),
        Just(Content::Server(SERVER)),
    ]
}

/// Any JSON, of a few keys that mean something and some that don't.
#[derive(Clone, Debug)]
enum Any {
    Plain(String),
    List(Vec<Any>),
    Map(Vec<(String, Any)>),
}

fn plain() -> impl Strategy<Value = Any> {
    let text =
        prop_oneof![Just("a"), Just("mirrorctl"), Just("}\\\"],{"), Just("\\u00e9\\n"), Just("é")];
    prop_oneof![
        Just(Any::Plain("null".to_owned())),
        any::<i32>().prop_map(|number| Any::Plain(number.to_string())),
        Just(Any::Plain("1.5e3".to_owned())),
        text.prop_map(|text| Any::Plain(format!("\"{text}\""))),
    ]
}

fn anything() -> impl Strategy<Value = Any> {
    plain().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Any::List),
            prop::collection::vec(("[a-c]", inner), 0..3).prop_map(distinct),
        ]
    })
}

fn distinct(members: Vec<(String, Any)>) -> Any {
    let mut kept: Vec<(String, Any)> = Vec::new();
    for (key, value) in members {
        if kept.iter().all(|(other, _)| *other != key) {
            kept.push((key, value));
        }
    }
    Any::Map(kept)
}

fn key(name: &str) -> String {
    name.to_owned()
}

/// Handlers of others, in groups that have none, one or two.
fn foreign_hooks() -> impl Strategy<Value = Any> {
    let handler = anything().prop_map(|more| {
        let command = Any::Plain("\"/usr/bin/other\"".to_owned());
        Any::Map(vec![(key("command"), command), (key("more"), more)])
    });
    let group =
        (prop::collection::vec(handler, 0..3), any::<bool>()).prop_map(|(all, has_matcher)| {
            let matcher = (key("matcher"), Any::Plain("\"Bash\"".to_owned()));
            let hooks = (key("hooks"), Any::List(all));
            Any::Map(if has_matcher { vec![matcher, hooks] } else { vec![hooks] })
        });
    let event = prop_oneof![Just("Stop"), Just("PreToolUse"), Just("Other")];
    let groups = prop::collection::vec(group, 0..3).prop_map(Any::List);
    prop::collection::vec((event.prop_map(key), groups), 0..3).prop_map(distinct)
}

fn servers() -> impl Strategy<Value = Any> {
    prop::collection::vec(("[a-c]", anything()), 0..3).prop_map(distinct)
}

fn settings() -> impl Strategy<Value = Any> {
    let one = prop_oneof![
        ("[a-c]", anything()),
        foreign_hooks().prop_map(|hooks| (key("hooks"), hooks)),
        servers().prop_map(|servers| (key("mcpServers"), servers)),
    ];
    prop::collection::vec(one, 0..5).prop_map(distinct)
}

/// How a file is laid out: neatly, or as chance has it.
#[derive(Clone, Debug)]
enum Layout {
    Neat(&'static str, &'static str),
    Wild(Vec<&'static str>),
}

fn layouts() -> impl Strategy<Value = Layout> {
    let blank = prop_oneof![Just(""), Just(" "), Just("\n"), Just("\r\n\t"), Just("\n    ")];
    prop_oneof![
        Just(Layout::Neat("\n", "  ")),
        Just(Layout::Neat("\n", "\t")),
        Just(Layout::Neat("\r\n", "    ")),
        Just(Layout::Neat("", "")),
        prop::collection::vec(blank, 1..9).prop_map(Layout::Wild),
    ]
}

fn laid_out(any: &Any, layout: &Layout) -> String {
    let mut text = String::new();
    lay(any, layout, 1, &mut text);
    text
}

fn lay(any: &Any, layout: &Layout, depth: usize, text: &mut String) {
    let blank = |depth: usize, text: &mut String| match layout {
        Layout::Neat(line, indent) => text.extend([*line, &indent.repeat(depth)]),
        Layout::Wild(blanks) => *text += blanks[text.len() % blanks.len()],
    };
    let (brackets, count) = match any {
        Any::Plain(plain) => {
            *text += plain;
            return;
        }
        Any::List(items) => (['[', ']'], items.len()),
        Any::Map(members) => (['{', '}'], members.len()),
    };
    text.push(brackets[0]);
    for index in 0..count {
        blank(depth, text);
        match any {
            Any::Map(members) => {
                text.extend(["\"", &members[index].0, "\": "]);
                lay(&members[index].1, layout, depth + 1, text);
            }
            Any::List(items) => lay(&items[index], layout, depth + 1, text),
            Any::Plain(_) => {}
        }
        if index + 1 < count {
            text.push(',');
        }
    }
    if count > 0 || matches!(layout, Layout::Wild(_)) {
        blank(depth - 1, text);
    }
    text.push(brackets[1]);
}

fn texts() -> impl Strategy<Value = String> {
    let ends = prop_oneof![Just(""), Just("\n"), Just("\r\n"), Just(" \n\n")];
    let starts = prop_oneof![Just(""), Just("\u{feff}")];
    (settings(), layouts(), starts, ends)
        .prop_map(|(any, layout, start, end)| format!("{start}{}{end}", laid_out(&any, &layout)))
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
            let one = |member: &super::json::Member| {
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

#[test]
fn file_that_is_no_json_is_named_and_left_alone() {
    for (text, word) in [
        ("{\"a\": 1,}", "no valid JSON"),
        ("[]", "no JSON object"),
        ("{\"hooks\": []}", "`hooks`"),
        ("{\"hooks\": {\"Stop\": {}}}", "`hooks.Stop`"),
    ] {
        let mut place = Place::new();
        place.writes(Some(text));
        let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));
        let failure = place.installation.carry_out(&entry, Way::In).expect_err(text);
        let message = &failure.fault.message;
        assert!(message.contains("settings.json") && message.contains(word), "{message}");
        assert_eq!(place.text().as_deref(), Some(text));
    }
    let place = Place::new();
    place.writes(Some("{\"mcpServers\": {\"mirrord\": {\"command\": \"mine\"}}}"));
    let entry = place.entry(Content::Server(SERVER));
    let failure = place.installation.change(&entry, Way::In).expect_err("another's");
    assert!(failure.fault.message.contains("another program"), "{failure:?}");
}

#[test]
fn link_is_followed_to_its_file_and_the_mode_stays() {
    let mut place = Place::new();
    let (real, link) = (place.path("dotfiles.json"), place.path("settings.json"));
    fs::write(&real, "{}\n").expect("written");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("set");
    symlink("dotfiles.json", &link).expect("linked");
    let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));

    place.goes(&entry, Way::In);

    assert!(link.is_symlink());
    assert!(fs::read_to_string(&real).expect("there").contains("session-start"));
    assert_eq!(real.metadata().expect("there").mode() & 0o777, 0o640);
    place.goes(&entry, Way::Out);
    assert_eq!(fs::read_to_string(&real).expect("there"), "{}\n");
    assert!(link.is_symlink());

    fs::remove_file(&real).expect("removed");
    let failure = place.installation.change(&entry, Way::In).expect_err("leads nowhere");
    assert!(failure.fault.message.contains("leads nowhere"), "{failure:?}");
}

#[test]
fn old_text_is_kept_where_it_can_be_found() {
    let mut place = Place::new();
    place.writes(Some("{\"a\": 1}"));
    let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));
    let (_, kept) = place.installation.carry_out(&entry, Way::In).expect("written");
    let kept = kept.expect("a copy");
    assert_eq!(fs::read_to_string(&kept).expect("there"), "{\"a\": 1}");
    assert_eq!(kept.metadata().expect("there").mode() & 0o777, 0o600);
    let folder = kept.parent().expect("a folder").metadata().expect("there");
    assert_eq!(folder.mode() & 0o777, 0o700);
}

#[test]
fn file_and_folders_that_were_made_go_again_unless_somebody_uses_them() {
    let mut place = Place::new();
    let named = place.path("claude/skills/mirrord/SKILL.md");
    let skill = |place: &Place| Entry {
        named: named.clone(),
        ..place.entry(Content::Whole(SKILL.to_owned()))
    };
    let entry = skill(&place);
    place.goes(&entry, Way::In);
    place.goes(&entry, Way::Out);
    assert!(!place.path("claude").exists());

    place.goes(&entry, Way::In);
    fs::write(place.path("claude/mine"), "").expect("written");
    fs::write(&named, "mine now").expect("written");
    let (change, _) = place.installation.carry_out(&entry, Way::Out).expect("left");
    assert!(change.was_changed && named.is_file());

    fs::write(&named, SKILL).expect("written");
    place.forgets();
    place.goes(&entry, Way::Out);
    assert!(!named.exists() && place.path("claude/mine").exists());
}

#[test]
fn what_was_put_elsewhere_before_is_known() {
    let mut place = Place::new();
    let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));
    place.goes(&entry, Way::In);
    let moved = Entry { named: place.path("other.json"), ..entry.clone() };
    let others = place.installation.others(&[moved]);
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].named, entry.named);
    assert!(place.installation.others(std::slice::from_ref(&entry)).is_empty());
}
