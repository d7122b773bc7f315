//! What each kind says of itself agrees with what it does, and with its page.

use std::path::Path;

use super::{Asked, BackendUrl, KINDS, Kind, Shape, kind_of};

/// What a person reads about a kind.
fn page_of(kind: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/backends");
    std::fs::read_to_string(docs.join(format!("{kind}.md"))).expect("its page")
}

#[test]
fn scheme_leads_to_one_kind() {
    let all: Vec<_> = KINDS.into_iter().flat_map(Kind::schemes).collect();
    for (at, scheme) in all.iter().enumerate() {
        assert_eq!(all.iter().position(|other| other == scheme), Some(at), "{scheme}");
        assert!(kind_of(scheme).is_some(), "{scheme}");
    }
}

#[test]
fn example_is_a_url_with_its_one_spelling() {
    for kind in KINDS {
        let url = BackendUrl::parse(kind.example()).unwrap();
        assert_eq!(url.to_string(), kind.example());
        assert_eq!(url.kind().name(), kind.name());
        assert_eq!(BackendUrl::parse(&url.to_string()).unwrap(), url);
    }
}

#[test]
fn what_was_answered_is_the_url_that_it_was_read_from() {
    for kind in KINDS {
        let (read, parts) = BackendUrl::proposed(kind.example(), Path::new("/")).unwrap();
        assert_eq!(read.name(), kind.name());
        assert_eq!(kind.url(&parts), kind.example());
        let here = Path::new("/");
        let asked = Asked { may_make: true, project: Path::new("/n"), here, home: here };
        for question in kind.questions() {
            let is_key = kind.keys().iter().any(|key| key.name == question.name);
            let said = parts.get(question.name);
            assert!(is_key || said.is_some() || question.unsaid.is_some(), "{}", question.name);
            // A question without an answer is not taken for one.
            assert!((question.check)("", &asked).is_err(), "{}", question.name);
        }
    }
}

#[test]
fn page_has_each_key_with_what_it_is() {
    for kind in KINDS {
        let page = page_of(kind.name());
        for key in kind.keys() {
            let list = if key.shape == Shape::List { "a list of " } else { "" };
            let row = format!("| `{}` | {list}{} |", key.name, key.help);
            assert!(page.contains(&row), "docs/backends/{}.md lacks {row}", kind.name());
        }
    }
}
