//! Settings files as chance has them.

use proptest::prelude::*;

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

pub(super) fn texts() -> impl Strategy<Value = String> {
    let ends = prop_oneof![Just(""), Just("\n"), Just("\r\n"), Just(" \n\n")];
    let starts = prop_oneof![Just(""), Just("\u{feff}")];
    (settings(), layouts(), starts, ends)
        .prop_map(|(any, layout, start, end)| format!("{start}{}{end}", laid_out(&any, &layout)))
}
