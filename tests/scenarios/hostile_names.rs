//! Any bytes in a file, any name that every machine can hold, and no other.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::support::{Machine, World, same_trees};

const ALLOWED: [&str; 15] = [
    "with space.md",
    " leading and trailing ",
    "-rf.md",
    "quo'te\"s.md",
    "$(touch x) `id` ;&|.md",
    "[brackets] {braces} (parens).md",
    "*?.md",
    "100%20.md",
    "#hash.md",
    "at 10:30.md",
    "\u{e9}t\u{e9}.md",
    "e\u{301} decomposed.md",
    "日本語/メモ.md",
    "🦀.md",
    "very/deeply/nested/folder/with/a/file",
];

#[test]
fn content_and_names_come_back_byte_for_byte() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let every_byte: Vec<u8> = (0..=255).collect();
    for name in ALLOWED {
        laptop.writes(name, name.repeat(3));
    }
    laptop.writes("empty.md", "");
    laptop.writes("every byte", &every_byte);
    laptop.writes("long", every_byte.repeat(4_000));
    laptop.writes("line ends.md", "a\r\nb\rc\n\u{feff}no end");
    laptop.inits();
    laptop.runs(&["push"]).exits(0);

    let desktop = world.next_machine("desktop");

    same_trees(&laptop.tree(), &desktop.tree());
    same_trees(&laptop.tree(), &world.view());
    assert_eq!(desktop.tree().len(), ALLOWED.len() + 4);
}

#[test]
fn names_that_some_machine_cannot_hold_are_skipped_and_named() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("README.md", "first\n")]);
    laptop.writes("new\nline.md", "x");
    laptop.writes("escape\u{1b}[31m.md", "x");
    laptop.writes("back\\slash.md", "x");
    laptop.writes("git~1/config", "x");
    laptop.writes(Path::new(OsStr::from_bytes(b"\xff.md")), "x");
    laptop.writes("readme.md", "its twin\n");

    laptop.runs(&["push"]).exits(0);

    assert_eq!(
        reasons(&laptop),
        [
            "name_clash",
            "name_not_allowed",
            "name_not_allowed",
            "name_not_allowed",
            "name_not_allowed",
            "not_utf8"
        ]
    );
    assert_eq!(world.view().len(), 2);
    assert_eq!(fs::read_to_string(world.backend().join("README.md")).expect("the view"), "first\n");
}

fn reasons(machine: &Machine) -> Vec<String> {
    let status = machine.asks(&["status"]);
    let skipped = status["skipped"].as_array().expect("skipped files");
    let mut reasons: Vec<String> =
        skipped.iter().map(|one| one["reason"].as_str().expect("a reason").to_owned()).collect();
    reasons.sort();
    reasons
}

#[test]
fn names_from_other_machines_cannot_drive_a_terminal() {
    let world = World::new();
    let laptop = world
        .first_machine("laptop", &[("right\u{202e}left.md", "x"), ("zero\u{200b}width.md", "x")]);
    laptop.writes("a.md", "a\n");
    laptop.runs(&["push", "--message", "\u{1b}[31mred\u{7}"]).exits(0);
    let desktop = world.next_machine("desktop");

    for command in [&["status", "--long"][..], &["log"], &["diff"]] {
        let shown = desktop.runs(command).exits(0);
        let active = shown.stdout.chars().find(|character| {
            (character.is_control() && *character != '\n')
                || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        });
        assert_eq!(active, None, "{shown:#?}");
    }
}
