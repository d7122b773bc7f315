use super::*;

const SMALLEST: &str = r#"{"format":1,"seq":1,"id":"01J00000000000000000000000","parent":null,
    "time":"2026-01-01T00:00:00Z","user":"u","machine":"m",
    "machine_id":"01J00000000000000000000001","action":"settings",
    "settings":{"name":"notes","patterns":["**/*.md"],"exclude":[]}}"#;

#[test]
fn entries_read_back_as_they_were_written() {
    let commit = Commit::parse(SMALLEST.as_bytes()).unwrap();
    assert_eq!(Commit::parse(&commit.to_bytes()), Ok(commit));
}

#[test]
fn unknown_fields_are_ignored() {
    let later = SMALLEST.replacen('{', r#"{"colour":{"of":["money"]},"#, 1);
    assert_eq!(Commit::parse(later.as_bytes()), Commit::parse(SMALLEST.as_bytes()));
}

#[test]
fn another_format_is_told_apart_from_a_broken_entry() {
    let later = br#"{"format":2,"shape":"unheard of"}"#;
    assert_eq!(Commit::parse(later), Err(ParseError::NeedsLater(Later::Format(2))));
    for broken in [&b"{}"[..], b"", b"\xff\xfe", b"{\"format\":1}", b"{\"format\":-1}"] {
        assert!(matches!(Commit::parse(broken), Err(ParseError::Malformed(_))), "{broken:?}");
    }
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let deep = format!("{{\"format\":1,\"x\":{}{}}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(Commit::parse(deep.as_bytes()), Err(ParseError::TooDeep));
    let quoted = SMALLEST.replacen("notes", &format!("\\\"{}", "[".repeat(99)), 1);
    assert!(Commit::parse(quoted.as_bytes()).is_ok());
}

#[test]
fn hostile_paths_are_no_commit() {
    for path in ["../x", "/etc/passwd", "a/../b", "C:/x", "_mirror/log/x", ".GIT/config"] {
        let text = SMALLEST.replacen(
            "\"settings\":{",
            &format!(
                "\"changes\":[{{\"path\":{path:?},\"from\":null,\"to\":null}}],\"settings\":{{"
            ),
            1,
        );
        assert!(matches!(Commit::parse(text.as_bytes()), Err(ParseError::Malformed(_))), "{path}");
    }
}

#[test]
fn change_that_does_not_say_what_it_leads_to_is_no_deletion() {
    let with = |change: &str| {
        let changes = format!("{{\"changes\":[{{\"path\":\"a\"{change}}}],");
        Commit::parse(SMALLEST.replacen('{', &changes, 1).as_bytes())
    };
    assert!(with(r#","from":null,"to":null"#).is_ok());
    assert!(matches!(with(r#","from":null"#), Err(ParseError::Malformed(_))));
    assert!(matches!(with(r#","to":null"#), Err(ParseError::Malformed(_))));
    let orphan = SMALLEST.replace("\"parent\":null,", "");
    assert!(matches!(Commit::parse(orphan.as_bytes()), Err(ParseError::Malformed(_))));
}

#[test]
fn names_are_sharded() {
    assert_eq!(entry_name(42), "log/0000000/0000000042.json");
    assert_eq!(entry_name(42_017), "log/0000042/0000042017.json");
    let name: Ulid = "01J0000000000000000000007Q".parse().unwrap();
    assert_eq!(pack_name(name), "packs/7Q/01J0000000000000000000007Q.zip");
}

#[test]
fn what_cannot_be_ignored_needs_a_later_version() {
    let with_action = |word: &str| SMALLEST.replacen("\"settings\",", &format!("{word:?},"), 1);
    for word in ["purge", "Push", "", "promote "] {
        let later = Later::Action(word.to_owned());
        assert_eq!(
            Commit::parse(with_action(word).as_bytes()),
            Err(ParseError::NeedsLater(later)),
            "{word:?}"
        );
    }
    let purge = with_action("purge").replacen('{', r#"{"purged":[{"path":"a","sha256":7}],"#, 1);
    assert!(matches!(Commit::parse(purge.as_bytes()), Err(ParseError::NeedsLater(_))));

    let encrypted = Err(ParseError::NeedsLater(Later::Encrypted));
    assert_eq!(Commit::parse(b"age-encryption.org/v1\n-> X25519 abc\n\xff\0"), encrypted);
    let pack = format!(
        r#"{{"packs":[{{"name":"01J00000000000000000000002","sha256":"{:064}","size":9,
            "header":"YWdl","contents":[]}}],"#,
        0
    );
    assert_eq!(Commit::parse(SMALLEST.replacen('{', &pack, 1).as_bytes()), encrypted);
}

#[test]
fn list_of_chunks_elsewhere_is_no_commit() {
    let change = |chunks: &str| {
        let digest = format!("{:064}", 0);
        let change = format!(
            r#"{{"changes":[{{"path":"a","from":null,"to":{{"kind":"file","sha256":"{digest}",
                "size":0,"chunks":{chunks}}}}}],"#
        );
        Commit::parse(SMALLEST.replacen('{', &change, 1).as_bytes())
    };
    assert!(change("[]").is_ok());
    let listed = format!(r#"{{"list":"{:064}"}}"#, 0);
    assert!(matches!(change(&listed), Err(ParseError::Malformed(_))));
}

#[test]
fn every_setting_reads_back_as_it_was_written_in_one_order() {
    let text = SMALLEST.replacen(
        r#""exclude":[]"#,
        r#""zeal":{"b":1,"a":[true]},"backends":[{"name":"nas","url":"sftp://nas/n","primary":true}],
            "exclude":[],"merge":[{"glob":"MEMORY.md","how":"union"}],"preset":"agents-md",
            "appetite":0.5,"shared_mode":"group","gitignore":true"#,
        1,
    );
    let commit = Commit::parse(text.as_bytes()).unwrap();
    let settings = commit.settings.clone().unwrap();
    assert_eq!(settings.shared_mode, SharedMode::Group);
    assert!(settings.gitignore && settings.backends[0].primary);
    assert_eq!(
        serde_json::to_string(&settings).unwrap(),
        r#"{"name":"notes","patterns":["**/*.md"],"exclude":[],"gitignore":true,"#.to_owned()
            + r#""shared_mode":"group","preset":"agents-md","merge":[{"glob":"MEMORY.md","how":"union"}],"#
            + r#""backends":[{"name":"nas","url":"sftp://nas/n","primary":true}],"#
            + r#""appetite":0.5,"zeal":{"a":[true],"b":1}}"#
    );
    assert_eq!(Commit::parse(&commit.to_bytes()), Ok(commit));
}
