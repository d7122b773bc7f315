use super::*;
use proptest::prelude::*;

/// A memory file as agents write it.
const MEMORY: &str = "---
name: build
description: how to build
metadata:
  node_type: memory
  type: project
  originSessionId: one
  modified: 2026-11-01T10:00:00.000Z
---
Use cargo.

Never make.
";

/// The same with other words: pairs of what is there and what stands instead.
fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(MEMORY.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old:?} in {text}");
        text.replacen(old, new, 1)
    })
}

#[track_caller]
fn merged(base: Option<&str>, one: &str, other: &str) -> Merged {
    let merge = |one: &[u8], other: &[u8]| {
        merge(Merger::Frontmatter, base.map(str::as_bytes), [one, other])
    };
    let merged = merge(one.as_bytes(), other.as_bytes());
    assert_eq!(merge(other.as_bytes(), one.as_bytes()), merged, "the other way round");
    if let Merged::Clean(text) = &merged {
        for side in [one, other] {
            assert_eq!(merge(text, side.as_bytes()), merged, "merged again");
        }
    }
    merged
}

#[track_caller]
fn check(one: &[(&str, &str)], other: &[(&str, &str)], expected: &[(&str, &str)]) {
    match merged(Some(MEMORY), &with(one), &with(other)) {
        Merged::Clean(text) => assert_eq!(String::from_utf8(text).unwrap(), with(expected)),
        outcome => panic!("{outcome:?}"),
    }
}

const LATER: [(&str, &str); 2] = [("Id: one", "Id: two"), ("11-01", "11-02")];
const LATEST: [(&str, &str); 2] = [("Id: one", "Id: three"), ("11-01", "11-03")];

#[test]
fn saved_on_both_sides_is_no_conflict() {
    check(&LATER, &LATEST, &LATEST);
    check(&LATER, &[("one", "three"), ("11-01T10", "11-01T11")], &LATER);
    check(&[], &LATER, &LATER);
}

#[test]
fn bodies_are_merged_by_lines_and_the_newer_says_when() {
    let one = [LATER[0], LATER[1], ("Use cargo", "Use cargo always")];
    let other = [LATEST[0], LATEST[1], ("Never make", "Never ever")];
    check(&one, &other, &[LATEST[0], LATEST[1], one[2], other[2]]);
    let outcome = merged(Some(MEMORY), &with(&one), &with(&[("Use cargo", "Use make")]));
    assert_eq!(outcome, Merged::Overlapping);
}

#[test]
fn keys_are_merged_one_by_one_and_so_are_those_below() {
    let (name, kind) = (("name: build", "name: cargo"), ("type: project", "type: user"));
    let about = ("how to build", "how we build");
    check(&[name], &[about], &[name, about]);
    check(&[about, kind], &[LATER[0], LATER[1], name], &[LATER[0], LATER[1], name, about, kind]);
    let other_kind = ("type: project", "type: feedback");
    assert_eq!(merged(Some(MEMORY), &with(&[kind]), &with(&[other_kind])), Merged::Overlapping);
}

#[test]
fn keys_come_and_go() {
    let (tag, owner) = (("name:", "tags: [a]\nname:"), ("metadata:", "owner: ann\nmetadata:"));
    check(&[tag], &[owner], &[tag, owner]);
    let gone = ("  type: project\n", "");
    check(&[gone], &[tag], &[gone, tag]);
    // An edit beats a removal.
    let edited = ("type: project", "type: user");
    check(&[gone], &[edited], &[edited]);
    let nested = ("  type: project\n", "");
    check(&[nested], &LATER, &[nested, LATER[0], LATER[1]]);
}

#[test]
fn older_files_say_at_the_top_when_they_were_modified() {
    let text = |modified: &str| format!("---\nname: a\nmodified: {modified}\n---\nbody\n");
    let outcome = merged(
        Some(&text("2026-01-01T00:00:00Z")),
        &text("\"2026-01-02T01:00:00+02:00\""),
        &text("2026-01-02T00:00:00Z"),
    );
    assert_eq!(outcome, Merged::Clean(text("2026-01-02T00:00:00Z").into_bytes()));
}

#[test]
fn made_on_both_sides_with_one_body_is_no_conflict() {
    let later = with(&LATER);
    assert_eq!(merged(None, MEMORY, &later), Merged::Clean(later.into_bytes()));
    assert_eq!(merged(None, MEMORY, &with(&[("cargo", "make")])), Merged::Overlapping);
    assert_eq!(merged(None, MEMORY, &with(&[("name: build", "name: b")])), Merged::Overlapping);
    assert_eq!(merged(None, "a\n", "b\n"), Merged::Overlapping);
}

#[test]
fn frontmatter_that_both_sides_gave_a_plain_text_is_one() {
    let page = |modified: &str, body: &str| format!("---\nmodified: {modified}\n---\n{body}");
    let outcome = merged(
        Some("one\ntwo\nthree\n"),
        &page("1", "one\ntwo\n3\n"),
        &page("2", "1\ntwo\nthree\n"),
    );
    assert_eq!(outcome, Merged::Clean(page("2", "1\ntwo\n3\n").into_bytes()));
}

#[test]
fn what_is_no_frontmatter_is_merged_by_lines() {
    for head in
        ["", "---\n- a\n---\n", "---\n\"a\": b\n---\n", "---\na: 1\na: 2\n---\n", "---\na: b\n"]
    {
        let text = |body: &str| format!("{head}x\n{body}");
        let outcome =
            merged(Some(&text("a\nb\nc\nd\n")), &text("A\nb\nc\nd\n"), &text("a\nb\nc\nD\n"));
        assert_eq!(outcome, Merged::Clean(text("A\nb\nc\nD\n").into_bytes()), "{head:?}");
    }
}

#[test]
fn a_page_taken_apart_is_the_text_laid_end_to_end() {
    for text in [
        MEMORY,
        "---\n---\n",
        "---\n# why\na: b # so\n\n# rest\n---",
        "---\r\na:\r\n  b: c\r\n\r\n  d: |\r\n    e\r\n     f\r\n---\r\nx",
        "---\nlist:\n- a\n- b: c\nd: \"e: f\"\ndeep:\n  er:\n    x: 1\n    # y\n  z: 2\n---\n\nbody",
    ] {
        let page = Page::of(text).expect("a page");
        let block = joined(&page.block);
        assert_eq!([page.fences[0], &block, page.fences[1], page.body].concat(), text);
    }
}

fn joined(block: &Block<'_>) -> String {
    let mut text = String::new();
    for entry in &block.entries {
        text += entry.gap;
        let Some((head, below)) = &entry.inner else {
            text += entry.text;
            continue;
        };
        let inner = (*head).to_owned() + &joined(below);
        assert_eq!(inner, entry.text);
        text += &inner;
    }
    text + block.rest
}

fn page() -> impl Strategy<Value = String> {
    let value = "[ab]";
    let key = prop_oneof![
        4 => ("[a-c]", value).prop_map(|(key, value)| format!("{key}: {value}\n")),
        1 => (1..4).prop_map(|day| format!("modified: 2026-01-0{day}\n")),
        1 => value.prop_map(|value| format!("originSessionId: {value}\n")),
        1 => ("[de]", value, value)
            .prop_map(|(key, one, other)| format!("{key}:\n  a: {one}\n  modified: {other}\n")),
        1 => Just("# why\n".to_owned()),
    ];
    let keys = proptest::collection::vec(key, 0..6);
    let body = proptest::collection::vec("[a-d]\n", 0..5);
    (keys, body)
        .prop_map(|(keys, body)| ["---\n", &keys.concat(), "---\n", &body.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn merging_is_the_same_either_way_and_again(base in page(), one in page(), other in page()) {
        merged(Some(&base), &one, &other);
        merged(None, &one, &other);
    }

    #[test]
    fn values_of_one_side_alone_are_kept(base in page(), side in page()) {
        let clean = Merged::Clean(side.clone().into_bytes());
        prop_assert_eq!(merge_frontmatter(Some(base.as_bytes()), [base.as_bytes(), side.as_bytes()]), clean);
    }
}
