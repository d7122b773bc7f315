use super::*;

fn document(text: &str) -> Document {
    Document::parse(text).expect("JSON")
}

#[track_caller]
fn check(text: &str, steps: &[Step<'_>], key: Option<&str>, expected: &str) {
    let source = document(r#"{"a": [1, "x"], "b": {}}"#);
    let made = insert(&document(text), steps, key, (&source, source.root()));
    assert_eq!(made.text(), expected);
    serde_json::from_str::<Value>(expected.trim_start_matches(BYTE_ORDER_MARK)).expect("JSON");
}

#[test]
fn value_comes_in_the_files_own_layout() {
    let key = Some("new");
    check("{\"k\":1}", &[], key, r#"{"k":1,"new":{"a":[1,"x"],"b":{}}}"#);
    check("{\"k\": 1}", &[], key, r#"{"k": 1, "new": {"a": [1, "x"], "b": {}}}"#);
    check(
        "{\n\t\"k\": 1\n}",
        &[],
        key,
        "{\n\t\"k\": 1,\n\t\"new\": {\n\t\t\"a\": [1, \"x\"],\n\t\t\"b\": {}\n\t}\n}",
    );
    check(
        "{\r\n    \"k\": []\r\n}\r\n",
        &[Step::Key("k")],
        None,
        "{\r\n    \"k\": [\r\n        {\r\n            \"a\": [1, \"x\"],\r\n            \"b\": {}\r\n        \
         }\r\n    ]\r\n}\r\n",
    );
    check("", &[], key, "{\n  \"new\": {\n    \"a\": [1, \"x\"],\n    \"b\": {}\n  }\n}\n");
    check(
        "\u{feff}{\n  \"k\": [{\n    \"z\": 1\n  }]\n}",
        &[Step::Key("k")],
        None,
        "\u{feff}{\n  \"k\": [{\n    \"z\": 1\n  }, {\"a\": [1, \"x\"], \"b\": {}}]\n}",
    );
}

#[test]
fn what_is_taken_out_takes_its_comma_along() {
    let text = "{\n  \"a\": 1,\n  \"b\": [1, 2, 3],\n  \"c\": {\"d\": 4}\n}\n";
    for (steps, expected) in [
        (&[Step::Key("a")][..], "{\n  \"b\": [1, 2, 3],\n  \"c\": {\"d\": 4}\n}\n"),
        (&[Step::Key("c")], "{\n  \"a\": 1,\n  \"b\": [1, 2, 3]\n}\n"),
        (&[Step::Key("b"), Step::At(1)], &text.replace("1, 2, 3", "1, 3")),
        (&[Step::Key("b"), Step::At(0)], &text.replace("1, 2, 3", "2, 3")),
        (&[Step::Key("c"), Step::Key("d")], &text.replace("{\"d\": 4}", "{}")),
        (&[Step::Key("nothing")], text),
        (&[Step::Key("b"), Step::At(3)], text),
    ] {
        assert_eq!(remove(&document(text), steps).text(), expected, "{steps:?}");
    }
}

#[test]
fn strings_hide_brackets_and_the_last_of_two_keys_counts() {
    let text = r#"{"a\"}": "]}\\", "k": 1, "k": {"x": "\u0041\"{"}}"#;
    let document = document(text);
    assert_eq!(document.value_at(&[Step::Key("k"), Step::Key("x")]), Some("A\"{".into()));
    assert_eq!(document.value_at(&[Step::Key("a\"}")]), Some("]}\\".into()));
}

#[test]
fn text_that_is_no_json_says_where() {
    for text in ["{", "{\"a\": 1,}", "// a\n{}", "{} {}", "{'a': 1}"] {
        let why = Document::parse(text).expect_err(text);
        assert!(why.contains("line 1"), "{text}: {why}");
    }
}
