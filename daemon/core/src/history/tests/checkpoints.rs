//! A checkpoint says what the entries before it say, in one way only (L8).

use proptest::prelude::*;

use super::random::{events, log_of};
use super::*;

/// The checkpoint of a small log, with one text in it replaced.
fn altered(from: &str, to: &str) -> Result<History, String> {
    let log = Log::of(&["a=x b=y", "a=z"]);
    let text = String::from_utf8(checkpoint::to_bytes(&log.history)).unwrap();
    assert!(text.contains(from), "no {from} in {text}");
    checkpoint::from_bytes(text.replacen(from, to, 1).as_bytes()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(from: &str, to: &str, reason: &str) {
    let error = altered(from, to).unwrap_err();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn checkpoint_is_written_in_one_way() {
    let log = Log::of(&["b=x a=xx"]);
    let text = String::from_utf8(checkpoint::to_bytes(&log.history)).unwrap();
    let (project, head) = (log.history.project().unwrap(), log.history.head_digest().unwrap());
    let (xx, x) = (digest("xx"), digest("x"));
    let entry = |sha256: Digest, size: u64| {
        format!(
            r#"{{"entry":{{"kind":"file","sha256":"{sha256}","size":{size},"exec":false,"mtime":null}},"seq":2}}"#
        )
    };
    let (id, name) = (Ulid(2), digest("2"));
    let place = |offset: u64, size: u64| {
        format!(
            r#"{{"pack":"{id}","offset":{offset},"stored_size":{size},"size":{size},"method":"stored"}}"#
        )
    };
    let mut contents = [(x.to_string(), place(40, 1)), (xx.to_string(), place(41, 2))];
    contents.sort();
    let [(first, first_place), (second, second_place)] = contents;
    let expected = [
        format!(
            r#"{{"format":1,"history":{{"project":"{project}","head":2,"head_digest":"{head}""#
        ),
        r#""settings":{"name":"notes","patterns":["**"],"exclude":[]}"#.to_owned(),
        format!(r#""manifest":{{"a":{},"b":{}}}"#, entry(xx, 2), entry(x, 1)),
        r#""past":[]"#.to_owned(),
        format!(r#""contents":{{"{first}":{first_place},"{second}":{second_place}}}"#),
        format!(r#""packs":{{"{id}":{{"sha256":"{name}","size":43}}}}"#),
        format!(
            r#""snapshots":{{"2":{{"id":"{id}","time":"1970-01-01T00:00:00.002Z","user":"ann""#
        ),
        r#""machine":"laptop","action":"push","tag":null,"message":null"#.to_owned(),
        r#""file_count":2,"size_bytes":3}}"#.to_owned(),
        r#""dead_packs":[],"void_contents":[],"void_packs":[],"missing":{},"gone":[],"voids":[]"#
            .to_owned(),
        r#""vouched":null,"moved":null,"size_bytes":3}}"#.to_owned(),
    ];
    assert_eq!(text, expected.join(","));
    assert_eq!(checkpoint::digest(&log.history), digest(&text));
}

#[test]
fn history_before_the_first_entry_reads_back() {
    let bytes = checkpoint::to_bytes(&History::new());
    assert_same(&checkpoint::from_bytes(&bytes).unwrap(), &History::new());
}

#[test]
fn times_at_the_edge_of_the_calendar_read_back() {
    for time in ["-009999-01-02T01:59:59Z", "1969-12-31T23:59:59.9995Z", "9999-12-30T22:00:00.999Z"]
    {
        let mut log = Log::new();
        let snapshot = Commit { time: time.parse().unwrap(), ..log.draft(Action::Snapshot) };
        log.counts(snapshot);
        let bytes = checkpoint::to_bytes(&log.history);
        assert_same(&checkpoint::from_bytes(&bytes).unwrap(), &log.history);
    }
}

#[test]
fn garbage_is_no_checkpoint() {
    for garbage in [&b""[..], b"{}", b"[]", b"null", b"\xff", b"{\"format\":1}"] {
        checkpoint::from_bytes(garbage).unwrap_err();
    }
    let mut bytes = checkpoint::to_bytes(&Log::of(&["a=x"]).history);
    bytes.pop();
    checkpoint::from_bytes(&bytes).unwrap_err();
}

#[test]
fn checkpoint_of_another_format_is_refused() {
    altered("{\"format\":1", "{\"format\":1").unwrap();
    refused("{\"format\":1", "{\"format\":2", "it has format 2");
}

#[test]
fn checkpoint_holds_only_what_a_log_can_add_up_to() {
    refused("\"b\":{\"entry\"", "\"../b\":{\"entry\"", "dots and blanks only");
    refused("\"b\":{\"entry\"", "\"A\":{\"entry\"", "its names clash");
    refused("\"b\":{\"entry\"", "\"a/b\":{\"entry\"", "its names clash");
    refused("\"since\":2,\"until\":3", "\"since\":3,\"until\":2", "out of order");
    refused("\"since\":2,\"until\":3", "\"since\":2,\"until\":9", "out of order");
    refused("},\"seq\":3", "},\"seq\":4", "out of order");
    refused("\"head\":3", "\"head\":2", "out of order");
    refused("\"head\":3", "\"head\":18446744073709551615", "out of order");
    refused("\"head\":3", "\"head\":0", "its head");
    refused("null,\"size_bytes\":2", "null,\"size_bytes\":1", "do not add up");
    refused("\"size\":1,\"exec\"", "\"size\":18446744073709551615,\"exec\"", "do not add up");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn history_goes_on_from_a_checkpoint_as_from_the_first_entry(events in events()) {
        let log = log_of(&events);
        let mut whole = History::new();
        for split in 0..log.entries.len() {
            let mut resumed = checkpoint::from_bytes(&checkpoint::to_bytes(&whole)).unwrap();
            assert_same(&resumed, &whole);
            for entry in &log.entries[split..] {
                apply(&mut resumed, entry);
            }
            assert_same(&resumed, &log.history);
            apply(&mut whole, &log.entries[split]);
        }
    }
}

fn apply(history: &mut History, entry: &Result<Commit, String>) {
    let bytes = entry.as_ref().map_or(b"\xff".to_vec(), Commit::to_bytes);
    let entry = entry.as_ref().map_err(Clone::clone);
    history.apply(history.head() + 1, Digest::of(&bytes), entry);
}
